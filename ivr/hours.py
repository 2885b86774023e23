"""When a debtor may be called back: the lender's hours, within them the campaign's own and what the gate opens."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from dialer.debts.plans import Limits
from dialer.law.windows import Windows, opening
from dialer.model import Campaign

Span = tuple[int, int]  # minutes of his day; a call may begin at both

LAST_MINUTES = 30  # a call begins so long before the campaign's hours end, and can be over by then
_DAY_MINUTES = 24 * 60
_WHOLE: tuple[Span, ...] = ((0, _DAY_MINUTES - 1),)
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class OwnHours:
    """A campaign's: spans by weekday, Monday first, from the first day to the last."""

    days: tuple[tuple[Span, ...], ...] = (_WHOLE,) * len(_WEEK)
    first: date | None = None
    last: date | None = None

    def on(self, day: date) -> tuple[Span, ...]:
        """Those of a day."""
        outside = (self.first and day < self.first) or (self.last and day > self.last)
        return () if outside else self.days[day.weekday()]


def own_hours(campaign: Campaign) -> OwnHours:
    """As its settings, which were checked when they were written, have them."""
    days = tuple(_spans(campaign.week[day]) if day in campaign.week else _WHOLE for day in _WEEK)
    return OwnHours(days, _day(campaign.first_day), _day(campaign.last_day))


def open_on(limits: Limits, own: OwnHours, day: date) -> tuple[Span, ...]:
    """What both leave open of a day."""
    if day.weekday() in limits.closed_days:
        return ()
    return both(own.on(day), ((limits.open_minute, limits.close_minute),))


def both(some: tuple[Span, ...], others: tuple[Span, ...]) -> tuple[Span, ...]:
    """The minutes that are in both."""
    found = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return tuple((first, last) for first, last in found if first <= last)


@lru_cache(maxsize=4096)
def lawful_on(windows: Windows, need_s: float, day: date, zone: tzinfo) -> tuple[Span, ...]:
    """The minutes of his day in which the gate lets a call begin that needs so long."""
    return tuple(_lawful(windows, need_s, day, zone))


def _lawful(windows: Windows, need_s: float, day: date, zone: tzinfo) -> Iterator[Span]:
    at, midnight = (datetime.combine(day + timedelta(days=ahead), time(), zone).timestamp() for ahead in (0, 1))
    while True:
        opens, last = opening(windows, at, need_s)
        if math.isnan(opens) or opens >= midnight:
            return
        first_minute = _minute(math.ceil(opens / 60) * 60, zone)
        last_minute = _minute(last, zone) if last < midnight else _DAY_MINUTES - 1
        if first_minute <= last_minute:
            yield first_minute, last_minute
        at = last + 1.0


def _minute(moment: float, zone: tzinfo) -> int:
    clock = datetime.fromtimestamp(moment, zone)
    return clock.hour * 60 + clock.minute


def _spans(text: str) -> tuple[Span, ...]:
    """`09:00-12:00, 13:00-17:00`; `closed` holds none."""
    found = []
    for match in _SPAN.finditer(text):
        opens, closes = (int(match[at]) * 60 + int(match[at + 1]) for at in (1, 3))
        last = closes - 1 if closes == _DAY_MINUTES else closes - LAST_MINUTES
        found.append((opens, max(opens, last)))
    return tuple(found)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
