"""Digits that were keyed -> what they mean, or why not: a secret, a day to pay, an hour to call, a telephone number."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

import phonenumbers

from dialer.debts.plans import Limits
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

Found = tuple[str, State]


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
    """That minute of the debtor's next day that is open, today if it still lies ahead; None: never open then."""
    limits = talk.limits
    if not limits.open_minute <= minute <= limits.close_minute:
        return None
    today = [talk.today] if minute >= talk.minute + SOON_MINUTES else []
    ahead = max(limits.callback_days, WEEK_DAYS)  # one of a week is open: what he chose has a day, whatever the limit
    days = today + [talk.today + timedelta(days=day) for day in range(1, ahead + 1)]
    day = next((day for day in days if day.weekday() not in limits.closed_days), None)
    return talk.moment(day, minute) if day else None


def soon(talk: Talk) -> datetime | None:
    """As soon as a call-back may be asked for, in whole five minutes; None: never open."""
    limits = talk.limits
    minute = -(-(talk.minute + SOON_MINUTES) // 5) * 5
    is_open = talk.today.weekday() not in limits.closed_days and minute <= limits.close_minute
    return call_at(talk, max(minute, limits.open_minute) if is_open else limits.open_minute)


def nearest(limits: Limits, minute: int) -> int:
    """The minute nearest to it at which calls are allowed."""
    return min(max(minute, limits.open_minute), limits.close_minute)


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
