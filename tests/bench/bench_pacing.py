"""CPU of one pacing decision by size of the team, the floor busy and learnt: `python -m tests.bench.bench_pacing`."""

import random
from dataclasses import dataclass
from time import process_time

from dialer.model import Mode
from dialer.pacing import AgentSeen, AttemptSeen, Counters, Flight, Kind, Limits, Pacer, PacingEvent, Snapshot, Working

SIZES = (10, 50, 200, 500)
LINES_PER_AGENT = 2.5
DECISIONS = 400


@dataclass(frozen=True, slots=True)
class Figure:
    """Milliseconds of CPU per decision, events between two decisions included apart."""

    agents: int
    lines: int
    mean_ms: float
    worst_ms: float
    observe_us: float


def learnt(seed: int) -> Pacer:
    """A pacer with a history of 2,000 calls."""
    chance = random.Random(seed)
    limits = Limits(mode=Mode.PREDICTIVE, lines_max=10_000, lines_per_agent_max=10, calls_per_second=100)
    pacer = Pacer(limits, seed)
    for number in range(2000):
        call(pacer, chance, float(number), f"old{number}")
    return pacer


def call(pacer: Pacer, chance: random.Random, at: float, attempt: str) -> None:
    """One call's events, all of them."""
    agent, talk, answer = str(chance.randrange(100, 600)), chance.lognormvariate(4.5, 0.8), chance.uniform(4, 20)
    told = [(0.0, Kind.LAUNCH), (2.5, Kind.RING)]
    if chance.random() < 0.7:
        told.append((25.0, Kind.NO_ANSWER))
    else:
        told += [(answer, Kind.LIVE), (answer, Kind.CONNECT), (answer + talk, Kind.TALK_END)]
        told.append((answer + talk + chance.uniform(5, 30), Kind.WRAP_END))
    for delay, kind in told:
        pacer.observe(PacingEvent(at + delay, kind, attempt, agent))


def floor(chance: random.Random, agents: int, at: float) -> Snapshot:
    """Nine in ten busy, LINES_PER_AGENT lines each."""
    states = chance.choices((Working.TALKING, Working.WRAP_UP, Working.IDLE), (80, 10, 10), k=agents)
    lines = int(LINES_PER_AGENT * agents)
    calls = chance.choices((Flight.DIALING, Flight.RINGING), (20, 80), k=lines)
    return Snapshot(
        at,
        tuple(AgentSeen(str(100 + n), state, at - chance.uniform(0, 90)) for n, state in enumerate(states)),
        tuple(AttemptSeen(f"c{n}", state, at - chance.uniform(0, 20)) for n, state in enumerate(calls)),
        Counters(5000, 120),
    )


def measure(agents: int, seed: int = 1) -> Figure:
    """DECISIONS decisions, with the events of agents / 25 calls between two of them."""
    chance, pacer = random.Random(seed), learnt(seed)
    spent, observed, events = [], 0.0, 0
    for number in range(DECISIONS):
        at = 3000.0 + number
        seen = floor(chance, agents, at)
        begin = process_time()
        for new in range(max(1, agents // 25)):
            call(pacer, chance, at, f"n{number}-{new}")
            events += 4
        between = process_time()
        pacer.decide(seen)
        observed += between - begin
        spent.append(process_time() - between)
    mean = sum(spent) / len(spent)
    return Figure(agents, int(LINES_PER_AGENT * agents), 1e3 * mean, 1e3 * max(spent), 1e6 * observed / events)


def main() -> None:
    """Print the table."""
    print("| agents | lines | decide, CPU ms mean | worst | one event, CPU us |\n|---|---|---|---|---|")
    for agents in SIZES:
        one = measure(agents)
        row = (one.agents, one.lines, f"{one.mean_ms:.2f}", f"{one.worst_ms:.2f}", f"{one.observe_us:.0f}")
        print("| " + " | ".join(str(cell) for cell in row) + " |")


if __name__ == "__main__":
    main()
