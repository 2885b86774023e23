"""Calls on invented time, by the product's own table, from the claim to the outcome.

A word that the table does not know in a call's state is a defect of the simulator or of the product: it fails loudly.
"""

from collections.abc import Callable
from dataclasses import dataclass

from dialer.calls import NOTHING, TABLE, Facts, Word, learn, step
from dialer.model import Attempt, Contact, Verdict
from dialer.outcomes import verdict
from dialer.pace.snapshot import AttemptSeen, Flight, Kind
from dialer.simulation.leads import Fate
from dialer.simulation.queue import Queue
from dialer.simulation.result import Result
from dialer.simulation.rules import CAMPAIGN
from dialer.simulation.team import Defect

_BUSY, _PHONE_OFF, _NORMAL, _RANG_OUT = 17, 20, 16, 19  # Q.850
_CAUSES = {Kind.BUSY: _BUSY, Kind.FAILED: _PHONE_OFF, Kind.NO_ANSWER: _RANG_OUT, Kind.MACHINE: _NORMAL}


@dataclass(slots=True, eq=False)
class Call:
    """One attempt under way. `probability`: of an answer, as forecast at launch."""

    attempt: Attempt
    lead: int
    fate: Fate
    probability: float | None
    live_at: float = 0.0

    @property
    def id(self) -> str:
        return self.attempt.id


class Network:
    """`told`: kind, call; `on_live(call)`: a person, or what is taken for one, is on the line; `on_end(call)`."""

    def __init__(
        self,
        queue: Queue,
        begin: float,
        result: Result,
        told: Callable[[Kind, Call], None],
        on_live: Callable[[Call], None],
        on_end: Callable[[Call], None],
    ) -> None:
        self._queue, self._begin, self._result = queue, begin, result
        self._told, self._on_live, self._on_end = told, on_live, on_end
        self.heard: Callable[[Attempt, Verdict], None] | None = None  # hears every outcome
        self.calls: dict[str, Call] = {}
        self.seen: dict[str, AttemptSeen] = {}  # those that no agent has

    def launch(self, contact: Contact, fate: Fate, label: str, probability: float | None) -> None:
        """Claim and place a call."""
        self._result.launched += 1
        at = self._queue.at
        attempt = Attempt(
            f"c{self._result.launched}", CAMPAIGN.id, "simulated", "predictive", CAMPAIGN.trunk, "", "id", label,
            contact.id, contact.person, contact.numbers[0], claimed_at=self._begin + at,
        )  # fmt: skip
        call = Call(attempt, int(contact.id), fate, probability)
        self.calls[call.id] = call
        self.seen[call.id] = AttemptSeen(call.id, Flight.DIALING, at, at, probability)
        self._happens(call, Word.PLACED)
        self._told(Kind.LAUNCH, call)
        if fate.ends in (Kind.FAILED, Kind.BUSY):
            self._queue.later(fate.delay_s, self._ends, call, fate.ends)
        else:
            self._queue.later(fate.delay_s, self._rings, call)

    def hang_up(self, call_id: str) -> None:
        """End a call that rings; nothing if it is past that."""
        seen = self.seen.get(call_id)
        if seen is not None and seen.state == Flight.RINGING:
            self._ends(self.calls[call_id], Kind.NO_ANSWER)

    def _now(self, call: Call, state: Flight) -> None:
        self.seen[call.id] = AttemptSeen(call.id, state, self._queue.at, self._queue.at, call.probability)

    def _happens(self, call: Call, word: Word, facts: Facts = NOTHING) -> None:
        if word not in TABLE[call.attempt.state]:
            raise Defect(f"call {call.id} is {call.attempt.state}: the table knows no {word} there")
        call.attempt = step(call.attempt, word, self._begin + self._queue.at, facts)

    # ---- before an agent

    def _rings(self, call: Call) -> None:
        self._happens(call, Word.RINGING)
        self._now(call, Flight.RINGING)
        self._told(Kind.RING, call)
        if call.fate.ends is None:
            self._queue.later(call.fate.ring_s, self._answers, call)
        else:
            self._queue.later(call.fate.ring_s, self._ends, call, call.fate.ends)

    def _answers(self, call: Call) -> None:
        if call.id not in self.seen:
            return  # it was hung up
        self._happens(call, Word.ANSWERED_DETECT)
        self._now(call, Flight.DETECTING)
        self._told(Kind.ANSWER, call)
        if call.fate.live:
            self._queue.later(call.fate.detect_s, self._is_live, call)
        else:
            self._queue.later(call.fate.detect_s, self._ends, call, Kind.MACHINE)

    def _ends(self, call: Call, kind: Kind) -> None:
        if call.id not in self.seen:
            return  # it was hung up
        if kind is Kind.MACHINE:
            self._happens(call, Word.MACHINE, {"detection": "machine"})
        self._hung_up(call, _CAUSES[kind])
        self._over(call)
        self._told(kind, call)
        self._on_end(call)

    def _is_live(self, call: Call) -> None:
        self._happens(call, Word.PERSON, {"detection": "human"})
        self._result.live += 1
        call.live_at = self._queue.at
        self._told(Kind.LIVE, call)
        self._on_live(call)

    # ---- with an agent, or without

    def waits(self, call: Call) -> None:
        """No agent is free."""
        self._now(call, Flight.WAITING)

    def joined(self, call: Call, agent: str) -> None:
        """An agent has him."""
        del self.seen[call.id]
        self._happens(call, Word.RESERVED, {"agent": agent})
        self._happens(call, Word.JOINED)

    def abandoned(self, call: Call, hung_up: bool) -> None:
        """He hung up waiting, or gets the message."""
        if not hung_up:
            self._happens(call, Word.OVERFLOW_MESSAGE, {"overflow_to": "message"})
        self._hung_up(call, _NORMAL)
        self._over(call)
        self._told(Kind.ABANDON, call)

    def talked(self, call_id: str) -> Call:
        """His talk is over."""
        call, now = self.calls[call_id], self._begin + self._queue.at
        self._happens(call, Word.LEFT, {"left_at": now, "talk_s": now - call.attempt.joined_at})
        self._hung_up(call, _NORMAL)
        return call

    def wrapped(self, call_id: str) -> None:
        """The agent has wrapped up."""
        call = self.calls[call_id]
        facts = {"wrapped_at": self._begin + self._queue.at}
        call.attempt = learn(call.attempt, facts if call.fate.person else facts | {"disposition": "machine"})
        self._over(call)

    def _hung_up(self, call: Call, cause: int, facts: Facts = NOTHING) -> None:
        self._happens(call, Word.HANGUP, {"cause": cause, **facts})

    def _over(self, call: Call) -> None:
        """Write its outcome down."""
        if self.heard is not None:
            self.heard(call.attempt, verdict(call.attempt, (), CAMPAIGN, self._begin + self._queue.at))
        self._happens(call, Word.RECORDED)
        self.seen.pop(call.id, None)
        del self.calls[call.id]
