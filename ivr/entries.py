"""Digits that were keyed -> what they mean, or why not: a secret, a day to pay, an hour to call, a telephone number."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

import phonenumbers

from dialer.debts.plans import Limits
from dialer.law.windows import LOOK_AHEAD_DAYS, Windows
from ivr.hours import OwnHours, Span, both, lawful_on, open_on
from ivr.talk import State, Talk

WEEK_DAYS = 7
SOON_MINUTES = 15  # a call-back is not asked for sooner: the debtor has just been called
_KINDS = frozenset(
    {
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    }
)

_ANY_HOUR = Limits(open_minute=0, close_minute=24 * 60 - 1, closed_days=frozenset())

Found = tuple[str, State]
Day = tuple[date, tuple[Span, ...]]


def check(entry: str, talk: Talk, state: State, keyed: str) -> Found:
    """What the entry's check found, and what was learnt."""
    return _CHECKS[entry](talk, state, keyed)


def _secret(talk: Talk, state: State, keyed: str) -> Found:
    return ("ok", replace(state, proved=True)) if talk.proves(keyed) else ("bad", state)


def _date(talk: Talk, state: State, keyed: str) -> Found:
    found = promise_date(keyed, talk.today, talk.limits.promise_days)
    return ("ok", replace(state, promise=found, offer="")) if isinstance(found, date) else (found, state)


def _hour(talk: Talk, state: State, keyed: str) -> Found:
    minute = minute_of(keyed)
    if minute is None:
        return "unreal", state
    found = call_at(talk, minute)
    return ("ok", replace(state, call_time=found)) if found else ("closed", state)


def _number(talk: Talk, state: State, keyed: str) -> Found:
    found = own_number(keyed, talk.region)
    return ("ok", replace(state, number=found)) if found else ("bad", state)


_CHECKS: Mapping[str, Callable[[Talk, State, str], Found]] = {
    "secret": _secret, "date": _date, "hour": _hour, "number": _number
}  # fmt: skip


def promise_date(keyed: str, today: date, limit_days: int) -> date | str:
    """DDMM -> the date meant, or why not: unreal, past, far. The year is the one that makes it come soonest."""
    if len(keyed) != 4 or not (keyed.isascii() and keyed.isdecimal()):
        return "unreal"
    days = [day for year in (today.year, today.year + 1) if (day := _real(year, keyed))]
    if not days:
        return "unreal" if not _real(2000, keyed) else "far"
    for day in days:
        if today <= day <= today + timedelta(days=limit_days):
            return day
    return "past" if timedelta() < today - days[0] < timedelta(days=183) else "far"


def _real(year: int, keyed: str) -> date | None:
    try:
        return date(year, int(keyed[2:]), int(keyed[:2]))
    except ValueError:
        return None


def minute_of(keyed: str) -> int | None:
    """HHMM -> minute of the day; None: there is no such time."""
    if len(keyed) != 4 or not (keyed.isascii() and keyed.isdecimal()):
        return None
    hour, minute = int(keyed[:2]), int(keyed[2:])
    return hour * 60 + minute if hour < 24 and minute < 60 else None


def call_at(talk: Talk, minute: int) -> datetime | None:
    """That minute of the debtor's next day on which it is open, today if it still lies ahead; None: never open then."""
    day = next((day for day, spans in _open_days(talk) if any(a <= minute <= b for a, b in spans)), None)
    return talk.moment(day, minute) if day else None


def soon(talk: Talk) -> datetime | None:
    """As soon as a call-back may be asked for, in whole five minutes; None: never open."""
    starts = ((day, -(-a // 5) * 5, b) for day, spans in _open_days(talk) for a, b in spans)
    return next((talk.moment(day, minute) for day, minute, last in starts if minute <= last), None)


def nearest(talk: Talk, minute: int) -> int:
    """The minute nearest to it at which calls are allowed on one of the days to come."""
    found = [min(max(minute, a), b) for _, spans in _open_days(talk) for a, b in spans]
    return min(found, key=lambda one: abs(one - minute), default=minute)


def told_hours(talk: Talk) -> Span:
    """The first and the last minute at which he may be called on one of the days to come."""
    spans = [span for _, spans in _open_days(talk) for span in spans]
    return min((a for a, _ in spans), default=0), max((b for _, b in spans), default=0)


def _open_days(talk: Talk) -> list[Day]:
    """Today and the days to come with their hours: by the first of the ways that leaves any."""
    found: list[Day] = []
    for days in _ways(talk):
        found = list(days)
        if any(spans for _, spans in found):
            break
    return found


def _ways(talk: Talk) -> Iterator[Iterator[Day]]:
    """Within the lender's, the campaign's and the gate's hours, soon or at all; where the campaign leaves none, by the
    others; last by the gate's alone."""
    reach, days = talk.reach, max(talk.limits.callback_days, WEEK_DAYS)  # at least a week, so that each weekday comes
    if reach is None:
        yield _days(talk, days, talk.own, None)
        yield _days(talk, days, OwnHours(), None)
        return
    for own, law in ((talk.own, reach.scheduled), (OwnHours(), reach.lawful)):
        yield _days(talk, days, own, law)
        yield _days(talk, LOOK_AHEAD_DAYS, own, law)
    yield _days(replace(talk, limits=_ANY_HOUR), LOOK_AHEAD_DAYS, OwnHours(), reach.lawful)
    yield _days(talk, days, OwnHours(), None)  # nothing is open as far as the gate looks: its holidays have run out


def _days(talk: Talk, days: int, own: OwnHours, law: Windows | None) -> Iterator[Day]:
    """Today as far as it still lies ahead."""
    first = talk.minute + SOON_MINUTES
    for ahead in range(days + 1):
        day = talk.today + timedelta(days=ahead)
        spans = open_on(talk.limits, own, day)
        if law and talk.reach:
            spans = both(spans, lawful_on(law, talk.reach.need_s, day, talk.zone))
        yield day, spans if ahead else tuple((max(a, first), b) for a, b in spans if b >= first)


def own_number(keyed: str, region: str) -> str:
    """What was keyed -> E.164; empty: no number of a person's own."""
    digits = keyed.rstrip("*")
    if not (digits.isascii() and digits.isdecimal()):
        return ""
    for text in (f"+{digits}", digits) if not digits.startswith("0") else (digits,):
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        here = phonenumbers.region_code_for_number(number) == region
        if here and phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) in _KINDS:
            return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return ""
