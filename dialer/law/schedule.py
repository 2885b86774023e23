"""A campaign's own days and hours: within its pack's, never beyond them; and when its agents go.

They are one more window that has to be open (compliance.py), on the debtor's own clock as the law's hours are. What its
schedule shuts is refused as `campaign_hours` or `campaign_days`, and due again as soon as the schedule is opened.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from math import inf, isnan
from zoneinfo import ZoneInfo

from dialer.forms.told import told
from dialer.law.rulebook import WEEKDAYS, Hours, Pack, Span
from dialer.law.rulebook_form import spans, within
from dialer.law.windows import Windows, opening, spans_on
from dialer.model import Campaign

RULES = ("campaign_hours", "campaign_days")
RECALLED = frozenset((*RULES, "hours", "weekday", "holiday"))  # their `until` may be the schedule's, too
FIELDS = ("week", "first_day", "last_day")
WHOLE: tuple[Span, ...] = ((0, 24 * 60),)
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def own_hours(campaign: Campaign) -> Hours | None:
    """None: the campaign has none of its own. Of a sound campaign; see faults()."""
    if not (campaign.week or campaign.first_day or campaign.last_day):
        return None
    days = tuple(spans(campaign.week[day]) if day in campaign.week else WHOLE for day in WEEKDAYS)
    return Hours(days, name=RULES[0], first=_day(campaign.first_day), last=_day(campaign.last_day))


def scheduled(pack: Pack, campaign: Campaign) -> Pack:
    """The pack as it holds for this campaign."""
    own = own_hours(campaign)
    return replace(pack, own_hours=own) if own else pack


def faults(campaign: Campaign, pack: Pack) -> Iterator[str]:
    """What cannot be, or is looser than the pack; each with its cure."""
    for name in ("week", "shifts"):
        if unknown := sorted(set(getattr(campaign, name)) - set(WEEKDAYS)):
            text = f"{name}: {', '.join(unknown)}: use {', '.join(WEEKDAYS)}"
            yield told("weekday_unknown", text, name=name, days=", ".join(unknown), known=", ".join(WEEKDAYS))
    for day, text in campaign.week.items():
        if day in WEEKDAYS:
            yield from _day_faults(day, text, pack)
    for name in ("first_day", "last_day"):
        if getattr(campaign, name) and _day(getattr(campaign, name)) is None:
            text = f"{name} = {getattr(campaign, name)!r}: use a day such as 2026-12-01, or leave it empty"
            yield told("day", text, name=name, value=getattr(campaign, name))
    first, last = _day(campaign.first_day), _day(campaign.last_day)
    if first and last and last < first:
        yield told("last_before_first", f"last_day = {last} is before first_day = {first}", last=last, first=first)
    for day, clock in campaign.shifts.items():
        if not CLOCK.fullmatch(clock):
            text = f"shifts.{day} = {clock!r}: use a time such as 17:30"
            yield told("clock", text, name=f"shifts.{day}", value=clock)


def _day_faults(day: str, text: str, pack: Pack) -> Iterator[str]:
    try:
        wanted = spans(text)
    except ValueError as error:
        yield told("week_shape", f"week.{day} = {text!r}: {error}", day=day, value=text)
        return
    lawful = pack.hours.days[WEEKDAYS.index(day)]
    if not pack.hours.always and not within([wanted], [lawful]):
        beyond = f"week.{day} = {text!r} is not within the pack's {shown(lawful)!r}"
        yield told("week_beyond", beyond, day=day, value=text, law=shown(lawful))


def shift_ends(campaign: Campaign, zone: str, at: float) -> str:
    """The clock time at which the agents go on the day of `at`; empty: not known."""
    day = WEEKDAYS[datetime.fromtimestamp(at, ZoneInfo(zone)).weekday()]
    return campaign.shifts.get(day, campaign.shift_ends)


def opens_at(pack: Pack, at: float) -> float:
    """When the schedule opens first in any of the pack's zones: `at` itself where it is open, inf: not in sight."""
    if pack.own_hours is None:
        return at
    starts = (opening(Windows(((pack.own_hours, zone),)), at, 0.0)[0] for zone in pack.zones)
    return min((start for start in starts if not isnan(start)), default=inf)


def hold(pack: Pack, at: float) -> str:
    """Why nobody at all may be called by the schedule now; empty: somebody may."""
    start = opens_at(pack, at)
    if start == at:
        return ""
    if start == inf:
        return "outside the campaign's own days, with no next one in sight"
    return (
        f"outside the campaign's own hours until {datetime.fromtimestamp(start, ZoneInfo(pack.zones[0])):%d.%m. %H:%M}"
    )


def loosened(before: Campaign, after: Campaign) -> bool:
    """Whether those whom the schedule had set aside may have to be asked about again."""
    return any(getattr(before, name) != getattr(after, name) for name in FIELDS)


def shown(day: tuple[Span, ...]) -> str:
    """As it would be written: `08:00-12:00, 13:00-20:00`, `closed`."""
    return ", ".join(f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in day) or "closed"


def common(some: Iterable[Span], others: Iterable[Span]) -> tuple[Span, ...]:
    """What is open in both."""
    other = list(others)
    both = ((max(a, c), min(b, d)) for a, b in some for c, d in other)
    return tuple((first, last) for first, last in both if first < last)


def open_on(pack: Pack, day: date) -> tuple[Span, ...]:
    """What of a day both the law and the schedule leave open, in minutes of the debtor's clock."""
    whole = Windows(tuple((one, "UTC") for one in (pack.hours, pack.own_hours) if one is not None))
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("UTC")).timestamp()
    return tuple((round((a - midnight) / 60), round((b - midnight) / 60)) for a, b in spans_on(whole, midnight))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
