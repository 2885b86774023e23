"""The invented world: a list, a network, a team on invented time; the pacer sees what it may see.

Every attempt passes the product's gate and its call table, every agent its table of agents. A lead's fate and an
agent's day come from the seed alone: two pacers in the same world meet the same people.
"""

from collections.abc import Sequence
from math import inf
from typing import Protocol

from dialer.law.rulebook import Pack
from dialer.model import Attempt, Verdict
from dialer.pace.snapshot import Candidate, Decision, Kind, PacingEvent, Snapshot
from dialer.simulation.gate import Gate
from dialer.simulation.leads import Leads, People
from dialer.simulation.network import Call, Network
from dialer.simulation.queue import Queue
from dialer.simulation.result import Result, Tally
from dialer.simulation.rules import begin_of, pack_of
from dialer.simulation.scenario import Scenario
from dialer.simulation.team import Day, Person, Team, days_of

__all__ = ["DECISION_GAP_S", "Forecasts", "Policy", "Result", "World"]

DECISION_GAP_S = 0.2  # decisions after events are never closer
LOOKED_AT = 200  # candidates shown
_WAKES = frozenset(
    {Kind.FAILED, Kind.BUSY, Kind.NO_ANSWER, Kind.MACHINE, Kind.LIVE, Kind.ABANDON, Kind.IDLE, Kind.TALK_END}
    | {Kind.BREAK_START}
)


class Policy(Protocol):
    """Whatever paces: the product's Pacer, or a rival."""

    def observe(self, event: PacingEvent) -> None: ...

    def decide(self, snapshot: Snapshot) -> Decision: ...


class Forecasts(Protocol):
    """Who is likely to answer, as the product's forecast says."""

    def probability(self, number: str, at: float) -> float: ...

    def observe(self, number: str, at: float, answered: bool) -> None: ...


class World:
    """Run one shift: `World(scenario, policy, seed).run()`. `people`, `days`: others than those of the scenario."""

    def __init__(
        self,
        scenario: Scenario,
        policy: Policy,
        seed: int,
        forecasts: Forecasts | None = None,
        gap_s: float = DECISION_GAP_S,
        keep: bool = False,
        people: People | None = None,
        days: Sequence[Day] | None = None,
        pack: Pack | None = None,
    ) -> None:
        self.scenario, self.policy, self.forecasts = scenario, policy, forecasts
        pack = pack or pack_of()
        self.people = people or Leads(scenario, seed, pack.zones)
        self.result = Result()
        self.queue = Queue()
        self.end = scenario.hours * 3600
        begin = begin_of(pack, scenario.hours)
        self.gate = Gate(self.people, pack, begin, scenario.ring_timeout_s + 3 * scenario.delay_s, self.result)
        self.network = Network(self.queue, begin, self.result, self._call_told, self._is_live, self._ended)
        if keep:
            self.network.heard = self._heard
        days = days_of(scenario, seed) if days is None else days
        self.team = Team(days, self.queue, self.result, self._tell, self._serve, self._talk_over, self.network.wrapped)
        self._tally = Tally(self.result, keep)
        self._waiting: dict[str, Call] = {}
        self._reached: set[int] = set()
        self._gap = gap_s
        self._candidates: tuple[Candidate, ...] = ()
        self._candidates_at = -inf
        self._due = inf
        self._last = -inf

    def run(self) -> Result:
        """The whole shift."""
        queue, tick, end = self.queue, 0.0, self.end
        while tick < end:
            soonest = min(tick, self._due)
            if queue.soonest <= soonest:
                queue.step()
                continue
            queue.at = soonest
            if soonest == tick:
                tick += 1.0
            self._decide()
        queue.at = end
        self.team.close()
        if self.scenario.drain:
            self._drain()
        self.gate.close()
        self.result.reached = len(self._reached)
        return self.result

    def _drain(self) -> None:
        """Everybody goes home when his call is over; who answers then is abandoned."""
        busy_s, idle_s = self.result.busy_s, self.result.idle_s
        for person in self.team.people:
            self.team.leave(person)
        while self.network.calls or self.team.seen:
            self.queue.step()
        self.result.busy_s, self.result.idle_s = busy_s, idle_s

    # ---- the pacer

    def _tell(self, kind: Kind, call: str | None, agent: str | None = None, chance: float | None = None) -> None:
        self.policy.observe(PacingEvent(self.queue.at, kind, call, agent, chance))
        # Something happened that matters: decide soon
        if kind in _WAKES and self._due == inf and self._gap < 1.0:
            self._due = max(self.queue.at, self._last + self._gap)

    def _call_told(self, kind: Kind, call: Call) -> None:
        self._tell(kind, call.id, None, call.probability if kind is Kind.LAUNCH else None)

    def _decide(self) -> None:
        at = self.queue.at
        self._due, self._last = inf, at
        candidates = self._forecast() if self.forecasts else ()
        seen = Snapshot(
            at,
            tuple(self.team.seen.values()),
            tuple(self.network.seen.values()),
            candidates=candidates,
            ends_at=self.end if self.scenario.drain else None,
        )
        decision = self.policy.decide(seen)
        self.result.decisions += 1
        for call_id in decision.end:
            self.network.hang_up(call_id)
        chosen = decision.chosen[: decision.start]
        for number in range(decision.start):
            self._launch(int(chosen[number]) if number < len(chosen) else None)
        if decision.start:
            self.result.most_lines = max(self.result.most_lines, len(self.network.seen) + self.team.talks)

    def _forecast(self) -> tuple[Candidate, ...]:
        forecasts, at = self.forecasts, self.queue.at
        if forecasts is not None and (at - self._candidates_at > 5.0 or not self._candidates):
            self._candidates = tuple(
                Candidate(str(lead), forecasts.probability(str(lead), at)) for lead in self.gate.coming(LOOKED_AT)
            )
            self._candidates_at = at
        return self._candidates

    # ---- what only Clairvoyant asks

    def next_leads(self, many: int) -> list[int]:
        """The next leads in order."""
        return self.gate.coming(many)

    def free_at(self, until: float) -> list[float]:
        """When each agent who is idle or gets so before `until` is free; the past for those who are."""
        return self.team.free_at(until)

    def foresee(self, lead: int, at: float) -> float | None:
        """Seconds until this lead, called now, is passed on to an agent; None: he will not be."""
        after = self.people.fate(lead, self.gate.tries.get(lead, 0), at).live_after_s
        return after if after < inf else None

    # ---- calls

    def _launch(self, chosen: int | None) -> None:
        at = self.queue.at
        contact = self.gate.next(at, chosen)
        if contact is None:
            return
        lead, chance = int(contact.id), None
        if self.forecasts is not None:
            chance = next((one.answer_probability for one in self._candidates if one.contact == contact.id), None)
            self._candidates = tuple(one for one in self._candidates if one.contact != contact.id)
        fate = self.people.fate(lead, self.gate.tries[lead] - 1, at)
        self._tally.launched(at)
        self.network.launch(contact, fate, self.gate.pack.label, chance)

    def _heard(self, _: Attempt, found: Verdict) -> None:
        self.result.outcomes[found.outcome] = self.result.outcomes.get(found.outcome, 0) + 1

    def _ended(self, call: Call) -> None:
        if self.forecasts is not None:
            self.forecasts.observe(str(call.lead), self.queue.at, False)

    def _is_live(self, call: Call) -> None:
        if self.forecasts is not None:
            self.forecasts.observe(str(call.lead), self.queue.at, call.fate.person)
        if self.team.idle:
            self._connect(call, next(iter(self.team.idle.values())))
            return
        self.network.waits(call)
        self._waiting[call.id] = call
        patience, wait_s = call.fate.patience_s, self.scenario.wait_s
        self.queue.later(min(patience, wait_s), self._abandons, call, patience < wait_s)

    def _abandons(self, call: Call, hung_up: bool) -> None:
        if call.id in self._waiting:
            del self._waiting[call.id]
            self.network.abandoned(call, hung_up)
            self.result.abandoned += 1
            self.result.hung_up += hung_up
            self._tally.settled(self.queue.at, True)

    def _serve(self, person: Person) -> bool:
        """Somebody is idle: whoever waits longest is his."""
        if self._waiting:
            self._connect(self._waiting.pop(next(iter(self._waiting))), person)
            return True
        return False

    def _connect(self, call: Call, person: Person) -> None:
        self.network.joined(call, person.id)
        self.result.connected += 1
        self.result.waits.append(self.queue.at - call.live_at)
        fate = call.fate
        if fate.person:
            self.result.right_party += 1
            self._reached.add(call.lead)
        self.team.take(person, call.id, fate.talk_s, fate.wrap_s, fate.person)
        self._tally.settled(self.queue.at, False)

    def _talk_over(self, call_id: str) -> None:
        call = self.network.talked(call_id)
        if call.fate.person:
            self.gate.talked(call.lead, self.queue.at)
