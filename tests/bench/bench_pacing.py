"""How well it paces, and at what CPU: `python -m tests.bench.bench_pacing [--full] [--file pacing.json]`.

Shifts are simulated (`dialer.simulate`), one cell after the other and seed by seed, until the minutes are used up;
every shift is written to the file, so a run that was cut short goes on where it stopped. `--table` only prints.
"""

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, process_time

from dialer.abandon import upper_bound
from dialer.model import Mode
from dialer.pacing import AgentSeen, AttemptSeen, Counters, Flight, Kind, Limits, Pacer, PacingEvent, Snapshot, Working
from dialer.simulate import OURS, scaled, shift
from dialer.simulation.scenario import SCENARIOS

SIZES = (3, 5, 10, 20, 50, 100, 200, 500)
SHIFTS = {3: 60, 5: 60, 10: 60, 20: 60, 50: 60, 100: 20, 200: 20, 500: 6}
SAMPLE = {3: 6, 5: 6, 10: 6, 20: 6, 50: 6, 100: 3, 200: 1, 500: 0}
AIMS = {5: 70.0, 10: 78.0, 20: 85.0, 50: 92.0, 100: 95.0, 200: 96.7, 500: 97.9}
TARGET = 0.03
TICK_S = 1.0  # a decision a second; events in between wait for it, as a busy engine's do
LINES_PER_AGENT = 2.5
DECISIONS = 400

Row = dict[str, float]


def cells(full: bool, sizes: Sequence[int], policies: Sequence[str]) -> Iterator[tuple[str, int, str, int]]:
    """Policy, size, scenario, seed: a little of everything first."""
    wanted = SHIFTS if full else SAMPLE
    for seed in range(1, 1 + max(wanted.values())):
        for size in sizes:
            names = list(SCENARIOS)
            if seed <= wanted[size]:
                scenario = names[(seed - 1) % len(names)]
                yield from ((policy, size, scenario, seed) for policy in policies)


def run(path: Path, minutes: float, full: bool, sizes: Sequence[int], policies: Sequence[str]) -> None:
    """Simulate what is missing in the file."""
    rows: dict[str, Row] = json.loads(path.read_text()) if path.exists() else {}
    end = monotonic() + 60 * minutes
    for policy, size, scenario, seed in cells(full, sizes, policies):
        key = f"{policy}/{size}/{scenario}/{seed}"
        if key in rows:
            continue
        if monotonic() > end:
            print("Out of time; start again to go on.")
            break
        name, _, forecast = policy.partition("+")
        begin = process_time()
        one = shift(name, scaled(SCENARIOS[scenario], size), seed, TARGET, forecast, TICK_S)
        rows[key] = {
            "utilisation": one.utilisation,
            "abandon_rate": one.abandon_rate,
            "half_hour": one.worst_half_hour,
            "live": one.live,
            "launched": one.launched,
            "reached": one.reached,
            "cpu_s": process_time() - begin,
        }
        path.write_text(json.dumps(rows, indent=0))


def table(rows: dict[str, Row], by_scenario: bool = False) -> str:
    """Markdown, by policy and size (and scenario)."""
    groups: dict[tuple[str, int, str], list[Row]] = {}
    for key, row in rows.items():
        name, agents, kind, _ = key.split("/")
        groups.setdefault((name, int(agents), kind if by_scenario else "all"), []).append(row)
    lines = [
        "| policy | agents | scenario | shifts | utilisation % (95 % interval) | aim | abandons %, mean | worst "
        "| worst 30 min | shifts over 3 % | (at most, 95 %) |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (policy, size, scenario), some in sorted(groups.items(), key=lambda pair: (pair[0][0], pair[0][1], pair[0][2])):
        used = [100 * row["utilisation"] for row in some]
        mean = sum(used) / len(used)
        spread = 1.96 * (sum((one - mean) ** 2 for one in used) / max(1, len(used) - 1) / len(used)) ** 0.5
        rates = [100 * row["abandon_rate"] for row in some]
        over = sum(rate > 100 * TARGET for rate in rates)
        line = [policy, str(size), scenario, str(len(some)), f"{mean:.1f} ± {spread:.1f}"]
        line += [f"{AIMS[size]:g}" if size in AIMS else "", f"{sum(rates) / len(rates):.2f}", f"{max(rates):.2f}"]
        line += [f"{100 * max(one['half_hour'] for one in some):.1f}", str(over), f"{upper_bound(over, len(some)):.0%}"]
        lines.append("| " + " | ".join(line) + " |")
    return "\n".join(lines)


# ---- CPU of a decision ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """Milliseconds of CPU per decision; microseconds per event between two decisions."""

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


def cpu_table() -> str:
    """Markdown."""
    lines = ["| agents | lines | decide, CPU ms mean | worst | one event, CPU us |", "|---|---|---|---|---|"]
    for agents in (10, 50, 200, 500):
        one = measure(agents)
        row = (one.agents, one.lines, f"{one.mean_ms:.2f}", f"{one.worst_ms:.2f}", f"{one.observe_us:.0f}")
        lines.append("| " + " | ".join(str(cell) for cell in row) + " |")
    return "\n".join(lines)


def main(argv: Sequence[str] = ("--cpu",)) -> int:
    """Print the tables; without words only the CPU of a decision."""
    parser = argparse.ArgumentParser(prog="./run bench pacing", description=__doc__)
    parser.add_argument("--full", action="store_true", help="hours: every cell as often as docs/pacing.md says")
    parser.add_argument("--file", type=Path, default=Path("pacing.json"), help="where shifts are kept")
    parser.add_argument("--minutes", type=float, default=0.0, help="at most; 15 without --full")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), choices=SIZES)
    parser.add_argument("--policies", nargs="+", default=[OURS, "progressive"], help="ratio:1.5, predictive+fitted ...")
    parser.add_argument("--table", action="store_true", help="only print what the file holds")
    parser.add_argument("--scenarios", action="store_true", help="print by scenario")
    parser.add_argument("--cpu", action="store_true", help="only the CPU of a decision")
    asked = parser.parse_args(list(argv))
    if asked.cpu:
        print(cpu_table())
        return 0
    if not asked.table:
        minutes = asked.minutes or (1e9 if asked.full else 15.0)
        run(asked.file, minutes, asked.full, asked.sizes, asked.policies)
    print(table(json.loads(asked.file.read_text()), asked.scenarios))
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
