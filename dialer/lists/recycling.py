"""When a contact is called again and on which number: the campaign's rules, as he goes back to the list.

`recycle` is total and a function of its arguments. Nobody comes back before the delay, more often than `times`, after
his list has expired, or on a number that is dead, somebody else's or stopped; a minute that the debtor chose himself
comes before all delays and numbers of tries.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from itertools import takewhile

from dialer.lists.outlook import Outlook
from dialer.lists.past import PARTS, hour_of
from dialer.model import (
    CALL_BACK,
    Attempt,
    Campaign,
    Contact,
    DayPart,
    NextNumber,
    Number,
    NumberState,
    Outcome,
    Recycle,
    Verdict,
)

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
NEXT_NUMBER_S = 5 * MINUTE_S  # a dead number, or somebody else's, has disturbed nobody: his next one has its turn soon
MISSED_S = 15 * MINUTE_S  # he wanted to be called: one more try soon, then as anybody
ANOTHER_DAY_S = 14 * HOUR_S  # no legal day is longer, so what is so far apart is on two days
MOST_S = 30 * DAY_S
LOOK_S = 14 * DAY_S  # how far the next hour of a part of the day is looked for: past the longest row of holidays
SLOTS = 72
LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
SPENT = frozenset({NumberState.DEAD, NumberState.WRONG_PERSON, NumberState.STOP})  # such a number is called no more

_STAY = NextNumber.STAY
# Used where the campaign says nothing.
DEFAULTS: Mapping[Outcome, Recycle] = {
    Outcome.BUSY: Recycle(20 * MINUTE_S),
    Outcome.NO_ANSWER: Recycle(4 * HOUR_S, day_part=DayPart.OTHER),
    Outcome.MACHINE: Recycle(6 * HOUR_S, day_part=DayPart.OTHER),
    Outcome.UNREACHABLE: Recycle(6 * HOUR_S),
    Outcome.REJECTED: Recycle(DAY_S, times=3),
    Outcome.INVALID_NUMBER: Recycle(NEXT_NUMBER_S),  # the number itself: once more on another day
    Outcome.CONGESTION: Recycle(5 * MINUTE_S, number=_STAY),
    Outcome.NETWORK_FAULT: Recycle(HOUR_S, times=3),
    Outcome.TRUNK_DOWN: Recycle(2 * MINUTE_S, number=_STAY),
    Outcome.ABANDONED: Recycle(72 * HOUR_S, times=3, number=_STAY),  # Ofcom 2010: unless an agent is guaranteed
    Outcome.OVERFLOWED: Recycle(DAY_S, times=3, number=_STAY),
    Outcome.IVR: Recycle(DAY_S, times=3, number=_STAY),
    Outcome.CONNECTED: Recycle(7 * DAY_S, times=3, number=_STAY),  # Regulation F: not within 7 days of a conversation
    Outcome.CANCELLED: Recycle(30 * MINUTE_S, number=_STAY),
    Outcome.INTERRUPTED: Recycle(4 * HOUR_S, number=_STAY),  # it may have been heard
    Outcome.NOT_PLACED: Recycle(MINUTE_S, number=_STAY),
}
STOPPED, TRIES, TIMES, NO_NUMBER, EXPIRED = RESTS = ("stop", "tries", "times", "no_number", "expired")
_MISSED = frozenset({Outcome.BUSY, Outcome.NO_ANSWER, Outcome.MACHINE, Outcome.UNREACHABLE})
_THERE = frozenset({Outcome.BUSY, Outcome.NO_ANSWER, Outcome.MACHINE, Outcome.REJECTED})  # a number that does exist


def is_own(campaign: Campaign, outcome: Outcome) -> bool:
    """Whether the campaign has a rule of its own for it."""
    return outcome.value in campaign.recycle or outcome.value in campaign.retries


def rule_for(campaign: Campaign, outcome: Outcome) -> Recycle:
    """The rule after this outcome; of a rule of old, `times` counts all attempts: see `recycle`."""
    own = campaign.recycle.get(outcome.value)
    old = campaign.retries.get(outcome.value)
    if own or not old:
        return own or DEFAULTS[outcome]
    return replace(DEFAULTS[outcome], after_s=old.after_s, times=old.times, day_part=DayPart.ANY)


def recycle(
    campaign: Campaign, contact: Contact, attempt: Attempt, judged: Verdict, at: float, outlook: Outlook
) -> tuple[Contact, Verdict]:
    """The contact as it goes back after `attempt`, and the verdict with when: retry_at, or why he rests."""
    if judged.rests:
        return _learnt(contact, attempt, judged, at), _rests(judged, judged.rests)
    # our own fault uses up no try and no number, and a call-back is still owed
    after = _learnt(contact, attempt, judged, at) if judged.count else contact
    chosen_at = _chosen(judged, at, outlook)
    if chosen_at:
        turn = _turn(after, attempt)
        when, index = chosen_at, next(_usable(after, turn), -1)
        after = replace(after, callback_at=when, callback_agent=attempt.agent)
    elif why := _used_up(campaign, after, judged):
        return after, _rests(judged, why)
    else:
        when, index = _next(rule_for(campaign, judged.outcome), after, attempt, judged, at, outlook)
    if index < 0 or (contact.expires and when >= contact.expires):
        return replace(after, callback_at=0.0), _rests(judged, EXPIRED if index >= 0 else NO_NUMBER)
    return replace(after, next_number=index) if judged.count else after, replace(judged, retry_at=when)


def _rests(judged: Verdict, why: str) -> Verdict:
    return replace(judged, retry_at=0.0, rests=why)


# ---- what was learnt


def _learnt(contact: Contact, attempt: Attempt, judged: Verdict, at: float) -> Contact:
    key, came = attempt.number.key, dict(contact.came)
    came[judged.outcome.value] = came.get(judged.outcome.value, 0) + 1
    return replace(
        contact,
        numbers=tuple(_number(one, judged, at) if one.key == key else one for one in contact.numbers),
        tries=contact.tries + 1,
        last_at=attempt.claimed_at or at,
        came=tuple(sorted(came.items())),
        callback_at=0.0,
        callback_agent="",
        broken_at=0.0 if judged.conversation else contact.broken_at,
    )


def _number(number: Number, judged: Verdict, at: float) -> Number:
    if judged.stop:
        return replace(number, state=NumberState.STOP)
    if judged.wrong_person:
        return replace(number, state=NumberState.WRONG_PERSON)
    if judged.dead:
        return replace(number, state=NumberState.DEAD)
    if judged.outcome is Outcome.INVALID_NUMBER:
        return replace(number, not_found_at=at)
    state = NumberState.GOOD if judged.conversation else number.state
    there = judged.live or judged.outcome in _THERE
    return replace(number, state=state, not_found_at=0.0 if there else number.not_found_at)


def _used_up(campaign: Campaign, contact: Contact, judged: Verdict) -> str:
    """Which limit forbids another try; empty: none."""
    if not judged.count:
        return ""
    word = judged.outcome.value
    old = campaign.retries.get(word)
    if old and word not in campaign.recycle:
        return TRIES if contact.tries >= old.times else ""
    if contact.tries >= campaign.tries_max:
        return TRIES
    return TIMES if dict(contact.came).get(word, 0) >= rule_for(campaign, judged.outcome).times else ""


# ---- when, and on which number


def _chosen(judged: Verdict, at: float, outlook: Outlook) -> float:
    """The minute that he asked to be called at, in legal hours; 0.0: none, or he agreed on silence beyond it."""
    if judged.callback_at <= at or judged.callback_at < judged.silent_until:
        return 0.0
    when = _opening(outlook, judged.callback_at)
    return when if when < math.inf else 0.0


def _next(
    rule: Recycle, contact: Contact, attempt: Attempt, judged: Verdict, at: float, outlook: Outlook
) -> tuple[float, int]:
    """(when, index of the number; -1: none is left)."""
    number, part = rule.number, rule.day_part
    when = judged.retry_at + _growth_s(rule, contact, judged)
    if judged.dead or judged.wrong_person:
        when, number, part = max(at + NEXT_NUMBER_S, judged.silent_until), NextNumber.NEXT, DayPart.ANY
    elif attempt.kind == CALL_BACK and judged.count and judged.outcome in _MISSED:
        when, number, part = max(min(when, at + MISSED_S), judged.silent_until), _STAY, DayPart.ANY
    index = _pick(contact, _turn(contact, attempt), number, when, outlook)
    if index < 0 or not judged.count:
        return when, index
    when = max(when, _held_until(contact, index))
    return _in_part(part, contact.numbers[index], attempt.claimed_at or at, when, outlook), index


def _growth_s(rule: Recycle, contact: Contact, judged: Verdict) -> float:
    """What the delay has grown by: with each attempt that ended so, up to MOST_S in all."""
    before = max(0, dict(contact.came).get(judged.outcome.value, 0) - 1)
    grown = rule.after_s * rule.factor ** min(before, 64)
    return max(0.0, min(grown, MOST_S) - rule.after_s) if judged.count else 0.0


def _turn(contact: Contact, attempt: Attempt) -> int:
    """Index of the number that was called."""
    key = attempt.number.key
    return next((i for i, one in enumerate(contact.numbers) if one.key == key), contact.next_number)


def _usable(contact: Contact, first: int) -> Iterator[int]:
    count = len(contact.numbers)
    order = ((first + step) % count for step in range(count))
    return (index for index in order if contact.numbers[index].state not in SPENT)


def _held_until(contact: Contact, index: int) -> float:
    """A number that was not found today is asked again on another day only."""
    found = contact.numbers[index].not_found_at if index >= 0 else 0.0
    return found + ANOTHER_DAY_S if found else 0.0


def _pick(contact: Contact, turn: int, wanted: NextNumber, when: float, outlook: Outlook) -> int:
    """Index of the number that is called next; -1: there is none."""
    usable = list(_usable(contact, turn if wanted is _STAY else turn + 1))
    if not usable:
        return -1
    ready = [index for index in usable if _held_until(contact, index) <= when]
    if not ready:
        return min(usable, key=lambda index: _held_until(contact, index))
    if wanted is not NextNumber.BEST:
        return ready[0]

    def promises(index: int) -> tuple[bool, float, int]:
        number = contact.numbers[index]
        return number.state is NumberState.GOOD, outlook.chance(number, when), -index

    return max(ready, key=promises)


def _in_part(part: DayPart, number: Number, tried_at: float, when: float, outlook: Outlook) -> float:
    """The first hour from `when` on in another part of the day than `tried_at`, or the one that promises most."""
    if part is DayPart.ANY:
        return when
    slots = _slots(when, outlook)  # each costs a question to the gate: no more of them than are needed
    if part is DayPart.OTHER:
        last = _part(hour_of(tried_at, outlook.zone))
        return next((start for start, hour in slots if _part(hour) != last), when)
    first = next(slots, None)
    if first is None:
        return when
    day = [first, *takewhile(lambda slot: slot[0] < first[0] + DAY_S, slots)]
    best = outlook.best_hour(number, [hour for _, hour in day])
    return next((start for start, hour in day if hour == best), when)


def _slots(at: float, outlook: Outlook) -> Iterator[tuple[float, int]]:
    """Beginnings of hours from `at` on in which he may be called, `at` itself if he may, each with its hour."""
    moment = at
    for _ in range(SLOTS):
        moment = _opening(outlook, moment)
        if not moment <= min(at + LOOK_S, LATEST):
            return
        yield moment, hour_of(moment, outlook.zone)
        moment = _next_hour(moment, outlook.zone)


def _opening(outlook: Outlook, at: float) -> float:
    found = outlook.opening(at)
    return math.inf if math.isnan(found) else max(at, found)


def _next_hour(at: float, zone: tzinfo) -> float:
    local = datetime.fromtimestamp(at, zone)
    return at - at % 1 + HOUR_S - 60 * local.minute - local.second


def _part(hour: int) -> int:
    return hour * PARTS // 24
