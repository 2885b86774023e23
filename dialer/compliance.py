"""2/8 gate: may this person be called now, on this number? Allowed | Refused(rule, until); doubt means refused.

Asked at the moment of the call. Nothing here can raise: what cannot be decided is refused. Which article stands behind
a rule is in the pack: `pack.sources[rule]`.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dialer.model import Allowed, Contact, History, Number, Permission, Refused
from dialer.rulebook import Cap, Hours, Of, Pack

EARLIEST = datetime(2024, 1, 1, tzinfo=ZoneInfo("UTC")).timestamp()  # a clock before this was never set
LATEST = datetime(2100, 1, 1, tzinfo=ZoneInfo("UTC")).timestamp()
CALL_S_MAX = 600.0  # no ring lasts longer; a larger figure is a mistake of the caller
LOOK_AHEAD_DAYS = 60  # how far the next opening is looked for
DOUBT_S = 60.0  # after a refusal for doubt, ask again then
DAY_S = 86400.0
SLOT_S = 900  # every zone's offset is a multiple of it, so a local day never begins inside a slot
SHUT = (math.inf, -math.inf)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def may_call(
    contact: Contact, number: Number, person: History, number_history: History, pack: Pack, at: float, call_s: float
) -> Permission:
    """Whether `number` of `contact` may be dialled at `at` (epoch seconds), to dial and ring for `call_s` seconds.

    `person` and `number_history` are their past as read under the lock. Allowed.must_start_by leaves room for `call_s`
    and the pack's margin before the hours end. Refused.until is a moment at which the call may be legal (inf: never):
    the rule's own end, moved on to the next opening. Refused.of_number: another number of the contact may do.
    """
    try:
        return _decide(contact, number, person, number_history, pack, at, call_s)
    except Exception as error:  # fails closed: a bug or a broken value must not become a call
        return Refused("doubt", _soon(at), f"The gate could not decide ({type(error).__name__}), so nobody is called.")


def callable_numbers(contact: Contact, pack: Pack) -> tuple[int, ...]:
    """Indexes of the contact's numbers that the pack lets be called at all, whatever the time and the past."""
    return tuple(i for i, number in enumerate(contact.numbers) if _of_number(contact, number, pack) is None)


def _soon(at: object) -> float:
    """When to ask again after a doubt; 0.0 (at once) where even the moment is not known."""
    return at + DOUBT_S if isinstance(at, int | float) and math.isfinite(at) else 0.0


def _decide(
    contact: Contact, number: Number, person: History, number_history: History, pack: Pack, at: float, call_s: float
) -> Permission:
    if not EARLIEST <= at <= LATEST:
        return Refused("clock", 0.0, "The machine's clock is wrong: set it.")  # ask at once when it is right again
    if not 0 <= call_s <= CALL_S_MAX:
        return Refused("call_length", at + DOUBT_S, f"A ring time of {call_s} s makes no sense.")
    never = _never(contact, number, person, number_history, pack)
    if never is not None:
        return never
    need_s = call_s + pack.margin_s
    zones = (contact.zone,) if contact.zone else pack.zones
    waiting = _waiting(person, number_history, pack, at)
    if waiting is not None:
        until = _opening(pack.hours, zones, waiting.until, need_s)
        return replace(waiting, until=at + DOUBT_S if math.isnan(until) else until)
    start = _opening(pack.hours, zones, at, need_s)
    if start > at:
        return Refused(*_shut(pack.hours, zones, at, need_s, start))
    return Allowed(pack.label, _last_start(pack.hours, zones, at, need_s))


# ---- refused for good -----------------------------------------------------------------------------------------------


def _never(contact: Contact, number: Number, person: History, number_history: History, pack: Pack) -> Refused | None:
    if person.stop:
        return Refused("stop", math.inf, "This person must not be called any more.")
    if contact.zone and contact.zone not in pack.zones:
        return Refused("zone", math.inf, f"The zone {contact.zone} is not one of the pack's; correct the list.")
    if number_history.stop:
        return Refused("number_stop", math.inf, "This number must not be called any more.", True)
    if number_history.dead:
        return Refused("dead_number", math.inf, "This number is proven not in service.", True)
    return _of_number(contact, number, pack)


def _of_number(contact: Contact, number: Number, pack: Pack) -> Refused | None:
    if number not in contact.numbers:
        return Refused("not_his_number", math.inf, "This number is not one of this contact's.", True)
    if number.kind not in pack.kinds:
        return Refused("number_kind", math.inf, f"The pack forbids calls to this kind of number: {number.kind}.", True)
    if not _E164.fullmatch(number.e164) or not number.e164.startswith(pack.prefixes):
        return Refused("country", math.inf, f"The pack allows only numbers of {', '.join(pack.prefixes)}.", True)
    return None


# ---- refused for a while --------------------------------------------------------------------------------------------


def _waiting(person: History, number_history: History, pack: Pack, at: float) -> Refused | None:
    """The refusal that lasts longest of those that end by themselves."""
    found = [
        _silence(person, at, False),
        _silence(number_history, at, True),
        _conversation(person, pack, at, False),
        _conversation(number_history, pack, at, True),
    ]
    for cap in pack.caps:
        past = person if cap.of is Of.PERSON else number_history
        if len(past.attempts) >= cap.count:
            found.append(_capped(cap, past.attempts, at))
    return max((refused for refused in found if refused is not None), key=lambda refused: refused.until, default=None)


def _silence(past: History, at: float, of_number: bool) -> Refused | None:
    if past.silent_until <= at:
        return None
    until = math.inf if math.isnan(past.silent_until) else past.silent_until
    return Refused("silent", until, "Silence was agreed: a promise, a call-back or hardship.", of_number)


def _conversation(past: History, pack: Pack, at: float, of_number: bool) -> Refused | None:
    if not past.conversations or not pack.conversation_silence_s:
        return None
    until = max(past.conversations) + pack.conversation_silence_s
    if until <= at:
        return None
    hours = pack.conversation_silence_s // 3600
    return Refused("conversation", until, f"A talk ended less than {hours} h ago.", of_number)


def _capped(cap: Cap, attempts: Sequence[float], at: float) -> Refused | None:
    """At most `cap.count` attempts in any window; one that is `window_s` old counts no more, one of the future does."""
    counted = sorted(moment for moment in attempts if not moment <= at - cap.window_s)
    if len(counted) < cap.count:
        return None
    until = counted[-cap.count] + cap.window_s
    hours = cap.window_s // 3600
    return Refused(
        cap.name, until, f"{len(counted)} attempts in {hours} h; {cap.count} are allowed.", cap.of is Of.NUMBER
    )


# ---- hours ----------------------------------------------------------------------------------------------------------


def _opening(hours: Hours, zones: Sequence[str], at: float, need_s: float) -> float:
    """The earliest moment from `at` on at which a call of `need_s` seconds fits into the hours of every zone.

    None within LOOK_AHEAD_DAYS, as where holidays are not known yet: a day later, to be asked again then.
    """
    if hours.always or not at <= LATEST:
        return at
    start = at
    while start < at + LOOK_AHEAD_DAYS * DAY_S:
        # a zone may push the start beyond another zone's closing: go round until all agree
        pushed = max(_zone_opening(hours, zone, start, need_s) for zone in zones)
        if pushed == start:
            return start
        start = pushed
    return at + DAY_S


def _zone_opening(hours: Hours, zone: str, at: float, need_s: float) -> float:
    today = _ordinal(zone, at)
    opens, closes = _day(hours, zone, today)
    if max(at, opens) <= closes - need_s:
        return max(at, opens)
    return _next_opening(hours, zone, today + 1, need_s)


@lru_cache(maxsize=8192)
def _next_opening(hours: Hours, zone: str, ordinal: int, need_s: float) -> float:
    for later in range(ordinal, ordinal + LOOK_AHEAD_DAYS):
        opens, closes = _day(hours, zone, later)
        if opens <= closes - need_s:
            return opens
    return math.inf


def _last_start(hours: Hours, zones: Sequence[str], at: float, need_s: float) -> float:
    if hours.always:
        return math.inf
    return min(_day(hours, zone, _ordinal(zone, at))[1] for zone in zones) - need_s


def _ordinal(zone: str, at: float) -> int:
    return _ordinal_of_slot(zone, int(at // SLOT_S))


@lru_cache(maxsize=8192)
def _ordinal_of_slot(zone: str, slot: int) -> int:
    return datetime.fromtimestamp(slot * SLOT_S, ZoneInfo(zone)).toordinal()


@lru_cache(maxsize=8192)
def _day(hours: Hours, zone: str, ordinal: int) -> tuple[float, float]:
    """(opens, closes) of one local day as epoch seconds; SHUT when there are no calls that day."""
    day = date.fromordinal(ordinal)
    span = hours.days[day.weekday()]
    if span is None or day in hours.holidays or (hours.years is not None and day.year not in hours.years):
        return SHUT
    opens, closes = (_moments(day, minutes, zone) for minutes in span)
    return max(opens), min(closes)


def _moments(day: date, minutes: int, zone: str) -> tuple[float, float]:
    """A local time as epoch seconds in both its readings: they differ only where a clock is being changed."""
    local = datetime.combine(day, time(), ZoneInfo(zone)) + timedelta(minutes=minutes)
    return local.timestamp(), local.replace(fold=1).timestamp()


def _shut(hours: Hours, zones: Sequence[str], at: float, need_s: float, start: float) -> tuple[str, float, str]:
    """Why the hours do not allow it: the first zone that is shut names the rule."""
    for zone in zones:
        day = date.fromordinal(_ordinal(zone, at))
        opens, closes = _day(hours, zone, day.toordinal())
        where = f"{zone}, {day}" if len(zones) == 1 else f"{zone}, {day}; zone unknown, so all of the pack's count"
        if (opens, closes) == SHUT:
            return (*_shut_day(hours, day, start), f"No calls on this day ({where}).")
        if at < opens:
            return "hours", start, f"Too early: calls open at {_clock(opens, zone)} ({where})."
        if at > closes - need_s:
            return "hours", start, f"Too late: it would ring past {_clock(closes, zone)} with the margin ({where})."
    return "hours", start, "The zones' hours have no moment in common now."


def _shut_day(hours: Hours, day: date, start: float) -> tuple[str, float]:
    if hours.days[day.weekday()] is None:
        return "weekday", start
    if hours.years is not None and day.year not in hours.years:
        return "holidays_unknown", start
    return "holiday", start


@lru_cache(maxsize=1024)
def _clock(moment: float, zone: str) -> str:
    return f"{datetime.fromtimestamp(moment, ZoneInfo(zone)):%H:%M}"
