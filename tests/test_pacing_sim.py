"""The pacer in a closed loop on invented time: predictive must beat progressive, and keep the abandon limit.

A plain world of its own, not the product's simulator: its purpose is a property over seeds, not a figure.
"""

import heapq
import random
from dataclasses import dataclass, field
from math import exp, log

import pytest

from dialer.model import Mode
from dialer.pacing import AgentSeen, AttemptSeen, Flight, Kind, Limits, Pacer, PacingEvent, Snapshot, Working

WAIT_S = 2.0


@dataclass
class World:
    """Debtors, a network and a team. Talk, wrap-up and answer times are lognormal; every call ends in one way."""

    pacer: Pacer
    agents: int
    seed: int
    answer_rate: float = 0.3
    talk_s: float = 120.0
    wrap_s: float = 15.0
    at: float = 0.0
    states: dict[str, tuple[Working, float]] = field(default_factory=dict)
    calls: dict[str, tuple[Flight, float]] = field(default_factory=dict)
    queue: list[tuple[float, int, str, str, str]] = field(default_factory=list)
    spent: dict[Working, float] = field(default_factory=dict)
    live: int = 0
    abandoned: int = 0
    launched: int = 0
    most_in_flight: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.count = 0
        for number in range(self.agents):
            self.later(self.chance.uniform(0, 120), "sign_in", "", str(100 + number))

    def later(self, delay: float, what: str, call: str, agent: str = "") -> None:
        self.count += 1
        heapq.heappush(self.queue, (self.at + delay, self.count, what, call, agent))

    def told(self, kind: Kind, call: str | None = None, agent: str | None = None) -> None:
        self.pacer.observe(PacingEvent(self.at, kind, call, agent))

    def lognormal(self, mean: float, sigma: float) -> float:
        return exp(self.chance.gauss(log(mean) - sigma * sigma / 2, sigma))

    def now(self, agent: str, state: Working) -> None:
        before, since = self.states.get(agent, (state, self.at))
        self.spent[before] = self.spent.get(before, 0.0) + self.at - since
        self.states[agent] = (state, self.at)

    def run(self, seconds: float) -> "World":
        next_decision = 0.0
        while next_decision < seconds:
            while self.queue and self.queue[0][0] <= next_decision:
                self.at, _, what, call, agent = heapq.heappop(self.queue)
                getattr(self, f"on_{what}")(call, agent)
            self.at = next_decision
            self.decide()
            next_decision += 1.0
        for agent, (state, _) in list(self.states.items()):
            self.now(agent, state)
        return self

    def decide(self) -> None:
        snapshot = Snapshot(
            self.at,
            tuple(AgentSeen(agent, state, since) for agent, (state, since) in self.states.items()),
            tuple(AttemptSeen(call, state, since) for call, (state, since) in self.calls.items()),
        )
        decision = self.pacer.decide(snapshot)
        for _ in range(decision.start):
            self.launch()
        self.most_in_flight = max(self.most_in_flight, len(self.calls))

    def launch(self) -> None:
        self.launched += 1
        call = f"c{self.launched}"
        self.calls[call] = (Flight.DIALING, self.at)
        self.told(Kind.LAUNCH, call)
        dialing = self.lognormal(2.5, 0.4)
        fate = self.chance.random()
        if fate < 0.12:
            self.later(dialing, "failed", call)
        elif fate < 0.18:
            self.later(dialing, "busy", call)
        else:
            self.later(dialing, "ring", call)

    def on_ring(self, call: str, _: str) -> None:
        self.calls[call] = (Flight.RINGING, self.at)
        self.told(Kind.RING, call)
        fate = self.chance.random() * 0.82
        if fate < self.answer_rate:
            self.later(min(24.9, self.lognormal(9.0, 0.5)), "live", call)
        elif fate < self.answer_rate + 0.12:
            self.later(self.chance.uniform(17, 23), "machine", call)
        else:
            self.later(25.0, "no_answer", call)

    def ended(self, kind: Kind, call: str) -> None:
        del self.calls[call]
        self.told(kind, call)

    def on_failed(self, call: str, _: str) -> None:
        self.ended(Kind.FAILED, call)

    def on_busy(self, call: str, _: str) -> None:
        self.ended(Kind.BUSY, call)

    def on_machine(self, call: str, _: str) -> None:
        self.told(Kind.ANSWER, call)
        self.ended(Kind.MACHINE, call)

    def on_no_answer(self, call: str, _: str) -> None:
        self.ended(Kind.NO_ANSWER, call)

    def on_live(self, call: str, _: str) -> None:
        self.live += 1
        self.told(Kind.ANSWER, call)
        self.told(Kind.LIVE, call)
        self.calls[call] = (Flight.WAITING, self.at)
        self.later(WAIT_S, "given_up", call)
        self.serve()

    def on_given_up(self, call: str, _: str) -> None:
        if call in self.calls:
            self.abandoned += 1
            self.ended(Kind.ABANDON, call)

    def serve(self) -> None:
        idle = sorted((since, agent) for agent, (state, since) in self.states.items() if state is Working.IDLE)
        waiting = sorted((since, call) for call, (state, since) in self.calls.items() if state is Flight.WAITING)
        for (_, agent), (_, call) in zip(idle, waiting, strict=False):
            del self.calls[call]
            self.now(agent, Working.TALKING)
            self.told(Kind.CONNECT, call, agent)
            self.later(self.lognormal(self.talk_s, 0.8), "talk_end", call, agent)

    def on_talk_end(self, call: str, agent: str) -> None:
        self.now(agent, Working.WRAP_UP)
        self.told(Kind.TALK_END, call, agent)
        self.later(self.lognormal(self.wrap_s, 0.5), "wrap_end", call, agent)

    def on_wrap_end(self, call: str, agent: str) -> None:
        self.now(agent, Working.IDLE)
        self.told(Kind.WRAP_END, call, agent)
        self.told(Kind.IDLE, None, agent)
        self.serve()

    def on_sign_in(self, _: str, agent: str) -> None:
        self.now(agent, Working.IDLE)
        self.told(Kind.SIGN_IN, None, agent)

    @property
    def utilisation(self) -> float:
        busy = self.spent.get(Working.TALKING, 0.0) + self.spent.get(Working.WRAP_UP, 0.0)
        return busy / (busy + self.spent.get(Working.IDLE, 0.0))

    @property
    def abandon_rate(self) -> float:
        return self.abandoned / self.live if self.live else 0.0


def shift(mode: Mode, seed: int, agents: int = 20, hours: float = 1.0) -> World:
    limits = Limits(mode=mode, lines_max=12 * agents, lines_per_agent_max=10.0, calls_per_second=20.0)
    return World(Pacer(limits, seed), agents, seed).run(hours * 3600)


SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def shifts() -> dict[tuple[Mode, int], World]:
    return {(mode, seed): shift(mode, seed) for mode in (Mode.PREDICTIVE, Mode.PROGRESSIVE) for seed in SEEDS}


@pytest.mark.parametrize("seed", SEEDS)
def test_predictive_keeps_more_agents_talking(shifts: dict[tuple[Mode, int], World], seed: int) -> None:
    predictive, progressive = shifts[Mode.PREDICTIVE, seed], shifts[Mode.PROGRESSIVE, seed]
    assert predictive.utilisation > progressive.utilisation + 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_predictive_keeps_the_abandon_limit(shifts: dict[tuple[Mode, int], World], seed: int) -> None:
    assert 0 < shifts[Mode.PREDICTIVE, seed].abandon_rate <= 0.03
    assert shifts[Mode.PREDICTIVE, seed].live > 300


@pytest.mark.parametrize("seed", SEEDS)
def test_progressive_never_has_more_calls_than_agents(shifts: dict[tuple[Mode, int], World], seed: int) -> None:
    world = shifts[Mode.PROGRESSIVE, seed]
    assert world.abandoned == 0
    assert world.most_in_flight <= world.agents


def test_the_same_seed_gives_the_same_shift() -> None:
    once, twice = (shift(Mode.PREDICTIVE, 7, agents=5, hours=0.5) for _ in range(2))
    assert (once.launched, once.live, once.abandoned) == (twice.launched, twice.live, twice.abandoned)
    assert once.utilisation == twice.utilisation
