"""How well it paces, and at what CPU: `./run bench pacing [--minutes 15] [--jobs 2] [--full] [--file pacing.json]`.

A cell is a policy, a number of agents and a scenario. Shifts are simulated (`dialer.simulate`), a little of every cell
first, until the minutes are used up; each is written to the file, so what was cut short goes on where it stopped.
`--table` only prints.
"""

import argparse
import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from time import monotonic, process_time

from dialer.law.abandon import upper_bound
from dialer.model import Mode
from dialer.pacing import AgentSeen, AttemptSeen, Counters, Flight, Kind, Limits, Pacer, PacingEvent, Snapshot, Working
from dialer.simulate import OURS, mean_of, scaled, shift
from dialer.simulation.parallel import cores, spread
from dialer.simulation.scenario import SCENARIOS

SIZES = (3, 5, 10, 20, 50, 100, 200, 500)
SHIFTS = {3: 60, 5: 60, 10: 60, 20: 60, 50: 60, 100: 20, 200: 20, 500: 5}  # of every cell
SAMPLE = {3: 3, 5: 3, 10: 3, 20: 2, 50: 2, 100: 1, 200: 1, 500: 1}
AIMS = {5: 70.0, 10: 78.0, 20: 85.0, 50: 92.0, 100: 95.0, 200: 96.7, 500: 97.9}
TARGET = 0.03
TICK_S = 1.0  # a decision a second; events in between wait for it, as a busy engine's do
LINES_PER_AGENT = 2.5
DECISIONS = 400
SHIFT_CPU_S = 5.0  # of three agents, and for every further one:
AGENT_CPU_S = 0.2

Row = Mapping[str, float]
Cell = tuple[str, int, str, int]  # policy, size, scenario, seed


def cells(full: bool, sizes: Sequence[int], policies: Sequence[str], scenarios: Sequence[str]) -> list[Cell]:
    """What is wanted, in an order in which all cells fill alike; policies and sizes meet the same people."""
    wanted, names = SHIFTS if full else SAMPLE, list(SCENARIOS)
    found = [
        ((shift_number + place / len(names)) / wanted[size], size, policy, name, shift_number * len(names) + place + 1)
        for size in sizes
        for place, name in enumerate(names)
        if name in scenarios
        for shift_number in range(wanted[size])
        for policy in policies
    ]
    return [(policy, size, name, seed) for _, size, policy, name, seed in sorted(found)]


def key_of(cell: Cell) -> str:
    """Its row's name in the file."""
    return "/".join(map(str, cell))


def one_shift(cell: Cell) -> Row:
    """Simulate it."""
    policy, size, scenario, seed = cell
    name, _, forecast = policy.partition("+")
    begin = process_time()
    one = shift(name, scaled(SCENARIOS[scenario], size), seed, TARGET, forecast, TICK_S)
    return {
        "utilisation": one.utilisation,
        "abandon_rate": one.abandon_rate,
        "half_hour": one.worst_half_hour,
        "live": one.live,
        "launched": one.launched,
        "reached": one.reached,
        "tried_share": one.tried_share,
        "passed_over": one.passed_over,
        "tries_per_lead": one.tries_per_lead,
        "right_party_per_hour": one.right_party_per_hour,
        "cpu_s": process_time() - begin,
    }


def run(path: Path, minutes: float, wanted: Sequence[Cell], jobs: int) -> None:
    """Simulate what is missing in the file."""
    rows: dict[str, Row] = json.loads(path.read_text()) if path.exists() else {}
    missing = [cell for cell in wanted if key_of(cell) not in rows]
    begin = monotonic()
    end = begin + 60 * minutes

    def in_time() -> Iterator[Cell]:
        for cell in missing:
            if monotonic() + SHIFT_CPU_S + AGENT_CPU_S * cell[1] < end:
                yield cell

    for done, (cell, row) in enumerate(spread(one_shift, in_time(), jobs), 1):
        rows[key_of(cell)] = row
        _write(path, rows)
        told = f"{key_of(cell)}: {row['utilisation']:.1%} busy, {row['abandon_rate']:.2%} abandoned"
        print(f"{done:,} of {len(missing):,} after {(monotonic() - begin) / 60:.1f} min: {told}", flush=True)
    left = sum(key_of(cell) not in rows for cell in wanted)
    if left:
        print(f"Out of time, {left:,} shifts are left; start again to go on.")


def _write(path: Path, rows: Mapping[str, Row]) -> None:
    """Whole or not at all: the run may be killed at any moment."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(rows, indent=0))
    os.replace(beside, path)


def table(rows: Mapping[str, Row], by_scenario: bool = False) -> str:
    """Markdown, by policy and size (and scenario)."""
    groups: dict[tuple[str, int, str], list[Row]] = {}
    for key, row in rows.items():
        name, agents, kind, _ = key.split("/")
        groups.setdefault((name, int(agents), kind if by_scenario else "all"), []).append(row)
    lines = [
        "| policy | agents | scenario | shifts | utilisation % (95 % interval) | aim | abandons %, mean | worst "
        "| worst 30 min | shifts over 3 % | (at most, 95 %) | talks with a person per agent hour | leads tried % "
        "| tries per lead |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (policy, size, scenario), some in sorted(groups.items(), key=lambda pair: (pair[0][0], pair[0][1], pair[0][2])):
        used = [100 * row["utilisation"] for row in some]
        mean = sum(used) / len(used)
        rates = [100 * row["abandon_rate"] for row in some]
        over = sum(rate > 100 * TARGET for rate in rates)
        line = [policy, str(size), scenario, str(len(some)), f"{mean:.1f}{_spread(used)}"]
        line += [f"{AIMS[size]:g}" if size in AIMS else "", f"{sum(rates) / len(rates):.2f}", f"{max(rates):.2f}"]
        line += [f"{100 * max(one['half_hour'] for one in some):.1f}", str(over), f"{upper_bound(over, len(some)):.0%}"]
        line += [_mean(some, "right_party_per_hour", 1, 1), _mean(some, "tried_share", 100, 0)]
        line += [_mean(some, "tries_per_lead", 1, 2)]
        lines.append("| " + " | ".join(line) + " |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    spread = mean_of(values)[1]
    return f" ± {spread:.1f}" if isfinite(spread) else ""


def _mean(rows: Sequence[Row], name: str, times: float, digits: int) -> str:
    found = [row[name] for row in rows if name in row]  # a file of an older version lacks some
    return f"{times * sum(found) / len(found):.{digits}f}" if found else ""


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


def main(argv: Sequence[str]) -> int:
    """Print the CPU of a decision, simulate what is missing, print the table."""
    parser = argparse.ArgumentParser(prog="./run bench pacing", description=__doc__)
    parser.add_argument("--full", action="store_true", help="hours: every cell as often as docs/pacing.md says")
    parser.add_argument("--file", type=Path, default=Path("pacing.json"), help="where shifts are kept")
    parser.add_argument("--minutes", type=float, default=0.0, help="at most; 15 without --full")
    parser.add_argument("--jobs", type=int, default=cores(), help="shifts at a time; without it one per processor")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), choices=SIZES)
    parser.add_argument("--policies", nargs="+", default=[OURS, "progressive"], help="ratio:1.5, predictive+fitted ...")
    parser.add_argument("--scenario", nargs="+", default=list(SCENARIOS), choices=list(SCENARIOS), help="only these")
    parser.add_argument("--table", action="store_true", help="only print what the file holds")
    parser.add_argument("--scenarios", action="store_true", help="print by scenario")
    parser.add_argument("--cpu", action="store_true", help="only the CPU of a decision")
    asked = parser.parse_args(list(argv))
    if asked.cpu or not asked.table:
        print(cpu_table(), flush=True)
    if asked.cpu:
        return 0
    if not asked.table:
        minutes = asked.minutes or (1e9 if asked.full else 15.0)
        try:
            run(asked.file, minutes, cells(asked.full, asked.sizes, asked.policies, asked.scenario), asked.jobs)
        except KeyboardInterrupt:
            print("Stopped; start again to go on.")
    if not asked.file.exists():
        print(f"There is no {asked.file} with shifts yet.")
        return 1
    print(table(json.loads(asked.file.read_text()), asked.scenarios))
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
