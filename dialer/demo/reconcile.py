"""Our outcomes against the carrier's own call log: each call exactly one outcome, and one that fits what happened."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from dialer.demo.carrier import BY_CODE, CarrierCall
from dialer.model import Outcome

Record = Mapping[str, str]

ANSWERED = frozenset({Outcome.CONNECTED, Outcome.IVR, Outcome.OVERFLOWED, Outcome.ABANDONED, Outcome.MACHINE})
FITS: Mapping[int, frozenset[Outcome]] = {
    486: frozenset({Outcome.BUSY}),
    404: frozenset({Outcome.INVALID_NUMBER}),
    503: frozenset({Outcome.CONGESTION}),
    603: frozenset({Outcome.REJECTED}),
    480: frozenset({Outcome.UNREACHABLE, Outcome.NO_ANSWER}),
    487: frozenset({Outcome.NO_ANSWER, Outcome.TRUNK_DOWN, Outcome.UNREACHABLE, Outcome.NETWORK_FAULT}),
}
CUT_OFF = frozenset({Outcome.CANCELLED, Outcome.INTERRUPTED})  # any call may be ended by us, or lost by a fault
NEVER_SENT = frozenset({Outcome.NOT_PLACED, Outcome.TRUNK_DOWN}) | CUT_OFF
CUT_S = 1.0  # hanging up on everybody takes a moment
CROSSING_S = 1.0  # a 200 that crosses our CANCEL is an answer to the carrier and none to us: both are right


def faults(outcomes: Sequence[Record], calls: Sequence[CarrierCall], cut_at: float = math.inf) -> list[str]:
    """Every disagreement, as a sentence; none: the books agree. `outcomes`: entries of type `outcome`.

    `cut_at`: when the demo itself hung up on everybody, behind the dialer's back: no subscriber had his way after that.
    """
    found = []
    by_attempt = Counter(record["attempt"] for record in outcomes)
    found += [f"attempt {attempt} has {count} outcomes" for attempt, count in by_attempt.items() if count > 1]
    records = {record["attempt"]: record for record in outcomes}
    placed = Counter(call.attempt for call in calls)
    found += [f"the carrier saw attempt {attempt} {count} times" for attempt, count in placed.items() if count > 1]
    for call in calls:
        record = records.get(call.attempt)
        found += (
            [f"call {call.attempt or call.number[-3:]} has no outcome"]
            if record is None
            else _fit(record, call, cut_at - CUT_S)
        )
    for attempt, record in records.items():
        if attempt not in placed and Outcome(record["outcome"]) not in NEVER_SENT:
            found.append(f"attempt {attempt} is {record['outcome']}, and the carrier never saw it")
    return found + _twice_at_once(calls)


def _fit(record: Record, call: CarrierCall, cut_at: float) -> list[str]:
    outcome = Outcome(record["outcome"])
    if record["number"] != call.number:
        return [f"attempt {call.attempt}: we called another number than the carrier was asked for"]
    if outcome in CUT_OFF:
        return []
    if call.answered_at is not None:
        crossed = call.ended_at - call.answered_at < CROSSING_S
        fits = outcome in ANSWERED or (crossed and outcome is Outcome.NO_ANSWER)
    elif BY_CODE[call.behaviour].answers or call.ended_at >= cut_at:  # it would have gone on
        fits = outcome in FITS[487]
    else:
        fits = outcome in FITS[BY_CODE[call.behaviour].sip]
    what = BY_CODE[call.behaviour].name
    return [] if fits else [f"attempt {call.attempt}: {outcome} ({record['reason']}), but the subscriber was {what}"]


def _twice_at_once(calls: Sequence[CarrierCall]) -> list[str]:
    by_number: dict[str, list[CarrierCall]] = {}
    for call in calls:
        by_number.setdefault(call.number, []).append(call)
    found = []
    for number, same in by_number.items():
        same.sort(key=lambda call: call.began_at)
        for first, second in pairwise(same):
            if second.began_at < first.ended_at:
                found.append(f"a number ending in {number[-3:]} was called twice at once")
    return found
