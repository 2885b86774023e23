"""The carrier's own log against the outcome streams, after faults: what must hold all the same."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from dialer.demo.carrier import BY_CODE, Begun, CarrierCall
from dialer.demo.reconcile import NEVER_SENT
from dialer.demo.reconcile import faults as disagreements
from dialer.model import Outcome
from tests.chaos.faults import SERVICE_UNAVAILABLE, Fault
from tests.chaos.rules import CAP

Record = Mapping[str, str]

SERIAL = slice(6, 11)  # of a number, see demo/carrier.py
NOWHERE = frozenset({"carrier", "asterisk", "link", "trunk"})  # faults in which an INVITE may not have arrived
ANSWERLESS = NEVER_SENT | {Outcome.NETWORK_FAULT, Outcome.NO_ANSWER, Outcome.UNREACHABLE, Outcome.CONGESTION}
PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the carrier saw it. `cut`: the carrier was killed in it; whether it was answered is not known."""

    attempt: str
    number: str
    behaviour: str
    began_at: float
    answered_at: float | None
    ended_at: float
    cut: bool = False

    @property
    def serial(self) -> int:
        """Who it is on the list."""
        return int(self.number[SERIAL])

    @property
    def masked(self) -> str:
        """For people."""
        return f"...{self.number[-4:]}"


@dataclass(slots=True)
class Seen:
    """All that is compared. `closed`: serials who may not be called; `killed_at`: when the carrier was killed."""

    calls: Sequence[Call]
    records: Sequence[Record]
    faults: Sequence[Fault]
    closed: frozenset[int] = frozenset()
    cut_at: float = float("inf")  # when the run itself hung up on everybody
    by_attempt: dict[str, Record] = field(init=False)

    def __post_init__(self) -> None:
        self.by_attempt = {record["attempt"]: record for record in self.records}


def merge(
    begun: Sequence[Begun], ended: Sequence[CarrierCall], killed_at: Sequence[float]
) -> tuple[list[Call], list[str]]:
    """Every call that the carrier received; and those of whose end it knows nothing although it was never killed."""
    logs: dict[tuple[str, str], list[CarrierCall]] = {}
    for one in ended:
        logs.setdefault((one.attempt, one.number), []).append(one)
    calls, wrong = [], []
    for first in begun:
        known = logs.get((first.attempt, first.number))
        if known:
            log = known.pop(0)
            calls.append(Call(first.attempt, first.number, log.behaviour, log.began_at, log.answered_at, log.ended_at))
            continue
        died = min((at for at in killed_at if at >= first.began_at - PATIENCE_S), default=0.0)
        if died:
            calls.append(Call(first.attempt, first.number, first.number[-2:], first.began_at, None, died, cut=True))
        else:
            wrong.append(f"attempt {first.attempt}: the carrier saw it begin and never end")
    wrong += [
        f"attempt {one.attempt}: the carrier logged its end and no beginning" for few in logs.values() for one in few
    ]
    return calls, wrong


def wrong(seen: Seen) -> list[str]:
    """Every violation, as a sentence with the attempt and the end of the number."""
    return [
        *_one_outcome_each(seen),
        *_twice_at_once(seen.calls),
        *_too_often(seen),
        *(
            f"attempt {one.attempt}: {one.masked} was called outside its hours"
            for one in seen.calls
            if one.serial in seen.closed
        ),
        *_after_a_talk(seen),
        *_misjudged(seen),
    ]


def _one_outcome_each(seen: Seen) -> Iterable[str]:
    for attempt, count in Counter(record["attempt"] for record in seen.records).items():
        if count > 1:
            yield f"attempt {attempt} has {count} outcomes"
    placed = Counter(call.attempt for call in seen.calls)
    for attempt, count in placed.items():
        if count > 1:
            yield f"attempt {attempt or '?'} reached the carrier {count} times"
    for call in seen.calls:
        record = seen.by_attempt.get(call.attempt)
        if record is None:
            yield f"attempt {call.attempt or '?'}: {call.masked} was called, and there is no outcome"
        elif record["number"] != call.number:
            yield f"attempt {call.attempt}: another number was called than the books say"


def _twice_at_once(calls: Sequence[Call]) -> Iterable[str]:
    for same in _by_number(calls).values():
        for first, second in pairwise(same):
            if second.began_at < first.ended_at:
                yield (
                    f"attempt {second.attempt}: {second.masked} was called while {first.attempt} was still up there"
                    f" ({first.ended_at - second.began_at:.1f} s more)"
                )


def _too_often(seen: Seen) -> Iterable[str]:
    for same in _by_number(call for call in seen.calls if _rang(call, seen.by_attempt)).values():
        if len(same) > CAP:
            last = same[CAP]
            yield f"attempt {last.attempt}: {last.masked} was called {len(same)} times, its cap is {CAP} a day"


def _rang(call: Call, records: Mapping[str, Record]) -> bool:
    """Not where the carrier itself refused it, or took up invitation and cancellation at once: no telephone rang."""
    at_once = call.answered_at is None and call.ended_at - call.began_at < PATIENCE_S
    refused = call.behaviour == SERVICE_UNAVAILABLE or at_once
    return not (refused and records.get(call.attempt, {}).get("counted") == "0")


def _after_a_talk(seen: Seen) -> Iterable[str]:
    """The pack's silence after a conversation: a day, longer than any run."""
    talked = {
        call.number: call for call in seen.calls if seen.by_attempt.get(call.attempt, {}).get("conversation") == "1"
    }
    for call in seen.calls:
        talk = talked.get(call.number)
        if talk is not None and call.began_at > talk.ended_at:
            yield f"attempt {call.attempt}: {call.masked} was called again after the talk of {talk.attempt}"


def _misjudged(seen: Seen) -> Iterable[str]:
    """Outcomes that do not fit what the carrier did. In a fault more fits, for neither side knows all."""
    placed = {call.attempt for call in seen.calls}
    for call in seen.calls:
        record = seen.by_attempt.get(call.attempt)
        calm = not call.cut and not any(fault.touches(call.began_at, call.ended_at) for fault in seen.faults)
        if record is None or not calm:
            continue
        log = CarrierCall(
            call.attempt, call.number, "", call.behaviour, call.began_at, call.answered_at, call.ended_at, ""
        )
        yield from disagreements([record], [log], seen.cut_at)
    for attempt, record in seen.by_attempt.items():
        outcome = Outcome(record["outcome"])
        if (
            attempt not in placed
            and outcome not in NEVER_SENT
            and (outcome not in ANSWERLESS or not any(fault.kind.target in NOWHERE for fault in seen.faults))
        ):
            yield f"attempt {attempt} is {outcome}, and the carrier never saw it"


def _by_number(calls: Iterable[Call]) -> dict[str, list[Call]]:
    found: dict[str, list[Call]] = {}
    for call in sorted(calls, key=lambda one: one.began_at):
        found.setdefault(call.number, []).append(call)
    return found


def behaviours(calls: Iterable[Call]) -> Counter[str]:
    """What the subscribers were, for the table."""
    return Counter(BY_CODE[call.behaviour].name if call.behaviour in BY_CODE else "?" for call in calls)
