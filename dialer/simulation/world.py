"""The invented world: an event queue, debtors who answer or do not, agents who talk; the pacer sees what it may see.

Every lead's fate, every agent's day comes from the seed alone and not from what the pacer does: two pacers in the same
world meet the same people (common random numbers), and differ by when they call them.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import exp, inf
from typing import Protocol

import numpy as np

from dialer.forecast import Try
from dialer.simulation.scenario import Scenario
from dialer.snapshot import (
    AgentSeen,
    AttemptSeen,
    Candidate,
    Decision,
    Flight,
    Kind,
    PacingEvent,
    Snapshot,
    Working,
)

DECISION_GAP_S = 0.2  # decisions after events are never closer
LOOKED_AT = 200  # candidates shown
ROLLING_S = 1800.0


class Policy(Protocol):
    """Whatever paces: the product's Pacer, or a rival."""

    def observe(self, event: PacingEvent) -> None: ...

    def decide(self, snapshot: Snapshot) -> Decision: ...


class Forecasts(Protocol):
    """Who is likely to answer, as the product's forecast says."""

    def probability(self, number: str, at: float) -> float: ...

    def observe(self, number: str, at: float, answered: bool) -> None: ...


@dataclass(slots=True)
class Result:
    """One shift. Seconds of all agents together; calls."""

    idle_s: float = 0.0
    busy_s: float = 0.0
    launched: int = 0
    live: int = 0
    abandoned: int = 0
    hung_up: int = 0
    connected: int = 0
    worst_half_hour: float = 0.0
    most_lines: int = 0
    decisions: int = 0
    waits: list[float] = field(default_factory=list)
    fates: list[tuple[float, bool]] = field(default_factory=list)  # when, abandoned?
    leads: int = 0  # on the list
    tried: int = 0  # of these, called at least once
    reached: int = 0  # of these, talked to
    right_party: int = 0  # talks with a person; connects with a machine taken for one are none

    @property
    def utilisation(self) -> float:
        """Share of the agents' time outside breaks that was talk or wrap-up."""
        return self.busy_s / max(1e-9, self.busy_s + self.idle_s)

    @property
    def abandon_rate(self) -> float:
        """Of the live answers passed on; hang-ups while waiting included."""
        return self.abandoned / self.live if self.live else 0.0

    @property
    def tried_share(self) -> float:
        """Share of the list that was called at least once."""
        return self.tried / self.leads if self.leads else 0.0

    @property
    def tries_per_lead(self) -> float:
        """Calls per lead, of those that were called."""
        return self.launched / self.tried if self.tried else 0.0

    @property
    def right_party_per_hour(self) -> float:
        """Talks with a person per agent and hour outside breaks."""
        return 3600 * self.right_party / max(1e-9, self.busy_s + self.idle_s)


class Leads:
    """The list: what becomes of the n-th try of a lead, drawn from the seed."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._of, self._seed = scenario, seed
        size = self.size = int(400 + scenario.agents * 900)
        chance = np.random.default_rng((seed, 1))
        rate = scenario.answer_rate
        if scenario.spread > 0:
            self.own = chance.beta(scenario.spread * rate, scenario.spread * (1 - rate), size)
        else:
            self.own = np.full(size, rate)
        self.hour = chance.uniform(0, 12, size)
        if scenario.segment:
            many = size // scenario.segment + 1
            factors = np.exp(scenario.segment_spread * chance.standard_normal(many))
            self.own = self.own * np.repeat(factors, scenario.segment)[:size]
        self._passes: dict[int, list[list[float]]] = {}

    def chance(self, lead: int, at: float) -> float:
        """That this lead answers a call of now, a fraction of all attempts."""
        of = self._of
        near = 1.0 + of.own_hours * np.cos(2 * np.pi * (at / 3600 - self.hour[lead]) / 12)
        most = 1.0 - of.fail_share - of.busy_share
        return float(min(most, self.own[lead] * near * of.rate_factor(at)))

    def past(self, hours: float, misleading: bool = False) -> list[Try]:
        """What earlier shifts of `hours` hours would have left behind: some six tries a lead.

        `misleading`: every lead is given another one's past.
        """
        of, chance = self._of, np.random.default_rng((self._seed, 4))
        whose = chance.permutation(self.size) if misleading else np.arange(self.size)
        tries: list[Try] = []
        most = 1.0 - of.fail_share - of.busy_share
        for lead, many in enumerate(chance.poisson(6.0, self.size)):
            other = int(whose[lead])
            at = chance.uniform(0, hours, many)
            near = 1.0 + of.own_hours * np.cos(2 * np.pi * (at - self.hour[other]) / 12)
            answered = chance.random(many) < np.minimum(most, self.own[other] * near)
            days = chance.integers(1, 60, many)
            for n in range(many):
                tries.append(Try(str(lead), int(at[n]), float(days[n]), bool(answered[n])))
        return tries

    def draws(self, lead: int, tries: int) -> list[float]:
        """Uniform: fate, machine, detection, error; normal: delay, answer, talk, wrap; uniform: hump; patience."""
        if tries not in self._passes:
            chance = np.random.default_rng((self._seed, 2, tries))
            uniform, normal = chance.random((self.size, 6)), chance.standard_normal((self.size, 4))
            self._passes[tries] = np.hstack([uniform, normal]).tolist()
        return self._passes[tries][lead]


@dataclass(slots=True)
class _Call:
    id: str
    lead: int
    draws: list[float]
    person: bool = False
    live_at: float = 0.0
    probability: float | None = None


@dataclass(slots=True)
class _Agent:
    id: str
    speed: float
    state: str = ""
    since: float = 0.0
    breaks: list[tuple[float, float]] = field(default_factory=list)  # due at, length
    pauses: deque[tuple[float, float]] = field(default_factory=deque)
    call: _Call | None = None
    free_at: float = 0.0


class World:
    """Run one shift: `World(scenario, policy, seed).run()`."""

    def __init__(
        self,
        scenario: Scenario,
        policy: Policy,
        seed: int,
        forecasts: Forecasts | None = None,
        gap_s: float = DECISION_GAP_S,
        keep: bool = False,
    ) -> None:
        self.scenario, self.policy, self.forecasts = scenario, policy, forecasts
        self.leads = Leads(scenario, seed)
        self.result = Result()
        self._gap, self._keep = gap_s, keep
        self.at = 0.0
        self.end = scenario.hours * 3600
        self._queue: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._count = 0
        self._attempts: dict[str, AttemptSeen] = {}
        self._seen: dict[str, AgentSeen] = {}
        self._calls: dict[str, _Call] = {}
        self._agents: list[_Agent] = []
        self._idle: dict[str, _Agent] = {}  # longest idle first
        self._waiting: dict[str, _Call] = {}
        self._order: deque[int] = deque(range(self.leads.size))
        self._tries: dict[int, int] = {}
        self._candidates: tuple[Candidate, ...] = ()
        self._candidates_at = -inf
        self._due = inf
        self._last = -inf
        self._recent: deque[tuple[float, bool]] = deque()
        self._recent_bad = 0
        self._talked: set[int] = set()
        self._people(seed)

    def _people(self, seed: int) -> None:
        of, chance = self.scenario, np.random.default_rng((seed, 3))
        for number in range(of.agents):
            agent = _Agent(str(100 + number), float(np.exp(of.speed_spread * chance.standard_normal())))
            if of.breaks and of.hours >= 4:
                for hour, length in ((0.25, 900.0), (0.5, 1800.0), (0.78, 900.0)):
                    agent.breaks.append((of.hours * 3600 * (hour + chance.uniform(-0.06, 0.06)), length))
            at = 0.0
            while at < self.end and of.pause_every_s:
                at += chance.exponential(of.pause_every_s)
                agent.pauses.append((at, chance.exponential(of.pause_s)))
            for begin, minutes in of.walkouts:
                if number % 2:
                    agent.breaks.append((begin * 3600 + chance.uniform(0, 60), minutes * 60))
            agent.breaks.sort()
            self._agents.append(agent)
            self._later(chance.uniform(0, of.log_in_s), self._sign_in, agent)

    # ---- the queue

    def _later(self, delay: float, what: Callable[..., None], *words: object) -> None:
        self._count += 1
        heappush(self._queue, (self.at + delay, self._count, what, words))

    def run(self) -> Result:
        """The whole shift."""
        queue, tick, end = self._queue, 0.0, self.end
        while tick < end:
            soonest = min(tick, self._due)
            if queue and queue[0][0] <= soonest:
                self.at, _, what, words = heappop(queue)
                what(*words)
                continue
            self.at = soonest
            if soonest == tick:
                tick += 1.0
            self._decide()
        self.at = end
        for agent in self._agents:
            self._now(agent, "")
        self.result.reached = len(self._talked)
        self.result.leads, self.result.tried = self.leads.size, len(self._tries)
        return self.result

    def _wake(self) -> None:
        """Something happened that matters: decide soon."""
        if self._due == inf and self._gap < 1.0:
            self._due = max(self.at, self._last + self._gap)

    def _tell(self, kind: Kind, call: str | None, agent: str | None = None, chance: float | None = None) -> None:
        self.policy.observe(PacingEvent(self.at, kind, call, agent, chance))

    def _decide(self) -> None:
        self._due, self._last = inf, self.at
        candidates = self._forecast() if self.forecasts else ()
        seen = Snapshot(self.at, tuple(self._seen.values()), tuple(self._attempts.values()), candidates=candidates)
        decision = self.policy.decide(seen)
        self.result.decisions += 1
        for attempt in decision.end:
            self._hang_up(attempt)
        chosen = list(decision.chosen[: decision.start])
        for number in range(decision.start):
            self._launch(int(chosen[number]) if number < len(chosen) else None)
        lines = len(self._attempts) + sum(agent.call is not None for agent in self._agents) if decision.start else 0
        self.result.most_lines = max(self.result.most_lines, lines)

    def _forecast(self) -> tuple[Candidate, ...]:
        forecasts = self.forecasts
        if forecasts is not None and (self.at - self._candidates_at > 5.0 or not self._candidates):
            some = [self._order[n] for n in range(min(LOOKED_AT, len(self._order)))]
            self._candidates = tuple(Candidate(str(lead), forecasts.probability(str(lead), self.at)) for lead in some)
            self._candidates_at = self.at
        return self._candidates

    # ---- what only Clairvoyant asks

    def next_leads(self, many: int) -> list[int]:
        """The next leads in order."""
        return [self._order[n] for n in range(min(many, len(self._order)))]

    def free_at(self, until: float) -> list[float]:
        """When each agent who is idle or gets so before `until` is free; the past for those who are."""
        found = []
        for agent in self._agents:
            when = agent.since if agent.state == Working.IDLE else agent.free_at
            due = min([one[0] for one in (*agent.breaks[:1], *list(agent.pauses)[:1])], default=inf)
            if agent.state in (Working.IDLE, Working.TALKING, Working.WRAP_UP) and when <= until and due > when:
                found.append(when)
        return found

    def foresee(self, lead: int, at: float) -> float | None:
        """Seconds until this lead, called now, is a person on the line; None: he will not be."""
        of, draws = self.scenario, self.leads.draws(lead, self._tries.get(lead, 0))
        if of.is_out(at) or draws[0] >= min(self.leads.chance(lead, at), 1.0 - of.fail_share - of.busy_share):
            return None
        delay = of.delay_s * exp(of.delay_spread * draws[6] - of.delay_spread**2 / 2)
        answer = of.answer_s * exp(of.answer_spread * draws[7] - of.answer_spread**2 / 2)
        if answer >= of.ring_timeout_s or draws[3] < of.person_missed:
            return None
        return delay + answer + of.detect_s[0] + (of.detect_s[1] - of.detect_s[0]) * draws[2]

    # ---- calls

    def _launch(self, lead: int | None) -> None:
        of, result = self.scenario, self.result
        if lead is None or lead not in self._order:
            lead = self._order.popleft()
        else:
            self._order.remove(lead)
        chance = None
        if self.forecasts is not None:
            chance = next((one.answer_probability for one in self._candidates if one.contact == str(lead)), None)
            self._candidates = tuple(one for one in self._candidates if one.contact != str(lead))
        tries = self._tries.get(lead, 0)
        self._tries[lead] = tries + 1
        self._order.append(lead)
        result.launched += 1
        draws = self.leads.draws(lead, tries)
        call = _Call(f"c{result.launched}", lead, draws, probability=chance)
        self._calls[call.id] = call
        self._attempts[call.id] = AttemptSeen(call.id, Flight.DIALING, self.at, self.at, chance)
        self._tell(Kind.LAUNCH, call.id, None, chance)
        fate = draws[0]
        if of.is_out(self.at):
            self._later(0.4, self._ended, call, Kind.FAILED)
            return
        delay = of.delay_s * exp(of.delay_spread * draws[6] - of.delay_spread**2 / 2)
        person = self.leads.chance(lead, self.at)
        if fate >= 1.0 - of.fail_share:
            self._later(delay, self._ended, call, Kind.FAILED)
        elif fate >= 1.0 - of.fail_share - of.busy_share:
            self._later(delay, self._ended, call, Kind.BUSY)
        else:
            self._later(delay, self._rings, call, fate < person)

    def _rings(self, call: _Call, person: bool) -> None:
        of, draws = self.scenario, call.draws
        self._attempts[call.id] = AttemptSeen(call.id, Flight.RINGING, self.at, self.at, call.probability)
        self._tell(Kind.RING, call.id)
        machine = not person and draws[1] < of.machine_share / max(0.01, 1.0 - of.answer_rate)
        answer = inf
        if person:
            answer = of.answer_s * exp(of.answer_spread * draws[7] - of.answer_spread**2 / 2)
        elif machine:
            answer = of.machine_s * exp(0.15 * draws[7])
        if answer < of.ring_timeout_s:
            call.person = person
            self._later(answer, self._answers, call)
        else:
            self._later(of.ring_timeout_s, self._ended, call, Kind.NO_ANSWER)

    def _answers(self, call: _Call) -> None:
        if call.id not in self._attempts:
            return
        of, draws = self.scenario, call.draws
        self._attempts[call.id] = AttemptSeen(call.id, Flight.DETECTING, self.at, self.at, call.probability)
        self._tell(Kind.ANSWER, call.id)
        low, high = of.detect_s
        taken_for_person = draws[3] >= of.person_missed if call.person else draws[3] < of.machine_missed
        delay = low + (high - low) * draws[2]
        if taken_for_person:
            self._later(delay, self._is_live, call)
        else:
            self._later(delay, self._ended, call, Kind.MACHINE)

    def _hang_up(self, attempt: str) -> None:
        if attempt in self._attempts and self._attempts[attempt].state == Flight.RINGING:
            self._ended(self._calls[attempt], Kind.NO_ANSWER)

    def _ended(self, call: _Call, kind: Kind) -> None:
        if call.id not in self._attempts:
            return  # it was hung up
        del self._attempts[call.id], self._calls[call.id]
        self._tell(kind, call.id)
        if self.forecasts is not None:
            self.forecasts.observe(str(call.lead), self.at, False)
        self._wake()

    def _is_live(self, call: _Call) -> None:
        self.result.live += 1
        call.live_at = self.at
        self._tell(Kind.LIVE, call.id)
        if self.forecasts is not None:
            self.forecasts.observe(str(call.lead), self.at, call.person)
        if self._idle:
            agent = next(iter(self._idle.values()))
            self._connect(call, agent)
        else:
            self._attempts[call.id] = AttemptSeen(call.id, Flight.WAITING, self.at, self.at, call.probability)
            self._waiting[call.id] = call
            patience = -self.scenario.patience_s * float(np.log(max(1e-9, call.draws[5])))
            self._later(min(patience, self.scenario.wait_s), self._abandons, call, patience < self.scenario.wait_s)
        self._wake()

    def _abandons(self, call: _Call, hung_up: bool) -> None:
        if call.id in self._waiting:
            del self._waiting[call.id], self._attempts[call.id], self._calls[call.id]
            self.result.abandoned += 1
            self.result.hung_up += hung_up
            self._settled(True)
            self._tell(Kind.ABANDON, call.id)
            self._wake()

    def _settled(self, abandoned: bool) -> None:
        recent = self._recent
        recent.append((self.at, abandoned))
        if self._keep:
            self.result.fates.append((self.at, abandoned))
        self._recent_bad += abandoned
        while recent[0][0] < self.at - ROLLING_S:
            self._recent_bad -= recent.popleft()[1]
        if self.at > ROLLING_S:
            self.result.worst_half_hour = max(self.result.worst_half_hour, self._recent_bad / len(recent))

    # ---- agents

    def _now(self, agent: _Agent, state: str) -> None:
        spent = self.at - agent.since
        if agent.state in (Working.TALKING, Working.WRAP_UP):
            self.result.busy_s += spent
        elif agent.state == Working.IDLE:
            self.result.idle_s += spent
        agent.state, agent.since = state, self.at
        if state:
            self._seen[agent.id] = AgentSeen(agent.id, state, self.at)

    def _sign_in(self, agent: _Agent) -> None:
        self._tell(Kind.SIGN_IN, None, agent.id)
        self._free(agent)

    def _free(self, agent: _Agent) -> None:
        """Idle, if no break is due; a waiting caller is served."""
        if agent.breaks and agent.breaks[0][0] <= self.at:
            self._break(agent, agent.breaks.pop(0)[1])
            return
        length = 0.0
        while agent.pauses and agent.pauses[0][0] <= self.at:
            length = agent.pauses.popleft()[1]
        if length:
            self._break(agent, length)
            return
        self._now(agent, Working.IDLE)
        self._idle[agent.id] = agent
        self._tell(Kind.IDLE, None, agent.id)
        if self._waiting:
            self._connect(self._waiting.pop(next(iter(self._waiting))), agent)
        elif agent.pauses:
            self._later(max(0.0, agent.pauses[0][0] - self.at), self._pauses, agent, agent.since)
        self._wake()

    def _pauses(self, agent: _Agent, since: float) -> None:
        """A pause that nobody announced, out of idleness."""
        if agent.state == Working.IDLE and agent.since == since:
            del self._idle[agent.id]
            self._free(agent)

    def _break(self, agent: _Agent, length: float) -> None:
        self._now(agent, Working.BREAK)
        self._tell(Kind.BREAK_START, None, agent.id)
        self._later(length, self._back, agent)
        self._wake()

    def _back(self, agent: _Agent) -> None:
        self._tell(Kind.BREAK_END, None, agent.id)
        self._free(agent)

    def _connect(self, call: _Call, agent: _Agent) -> None:
        of, draws = self.scenario, call.draws
        del self._attempts[call.id]
        self._idle.pop(agent.id, None)
        agent.call = call
        self._now(agent, Working.TALKING)
        self._tell(Kind.CONNECT, call.id, agent.id)
        self.result.connected += 1
        self.result.waits.append(self.at - call.live_at)
        self._settled(False)
        if call.person:
            self._talked.add(call.lead)
            self.result.right_party += 1
            mean, spread = of.talk_s, of.talk_spread
            if draws[4] < of.talk_short_share:
                mean, spread = of.talk_short_s, 0.6
            length = mean * exp(spread * draws[8] - spread**2 / 2) * agent.speed
        else:
            length = 4.0 + 4.0 * draws[4]
        wrap = of.wrap_s * exp(of.wrap_spread * draws[9] - of.wrap_spread**2 / 2) * agent.speed
        wrap = wrap if call.person else 3.0
        agent.free_at = self.at + length + wrap
        self._later(length, self._talk_ends, call, agent, wrap)

    def _talk_ends(self, call: _Call, agent: _Agent, wrap: float) -> None:
        agent.call = None
        del self._calls[call.id]
        self._now(agent, Working.WRAP_UP)
        self._tell(Kind.TALK_END, call.id, agent.id)
        self._later(wrap, self._wrap_ends, call, agent)
        self._wake()

    def _wrap_ends(self, call: _Call, agent: _Agent) -> None:
        self._tell(Kind.WRAP_END, call.id, agent.id)
        self._free(agent)
