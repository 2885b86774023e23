"""How each cost grows: with agents from 10 to 500 (an attempt, an answered call, a pacing decision, on twins) and with
debtors from 1,000 to a million (a real Redis): `./run bench growth [--debtors 1000000]`.

CPU times, so that other work on the machine does not count; an answered call is also timed by the clock.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

from dialer.engine import Engine
from dialer.errors import SetupError
from dialer.model import Event, Mode, Seen, Status
from dialer.running.run import Run
from tests.bench import bench_hot_path, bench_pacing, redis_lists
from tests.bench.meter import percentile
from tests.site import CAMPAIGN, contacts
from tests.twins import TwinClock, TwinStore

AGENTS = (10, 50, 200, 500)
ATTEMPTS = 5_000
ANSWERS = 300
DEBTORS = 1_000_000
GIVEN_WITHIN_S = 0.5
TURNS = 5  # of the loop without anything to write
LEFT_OUT = 0.1  # at most so many of the calls
ROOT = Path(__file__).parents[2]


class Heard(bench_hot_path.Mute):
    """Notes when somebody was brought together."""

    def __init__(self) -> None:
        self.redirects = 0

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        self.redirects += 1


async def answers(agents: int, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds from an answer to the order that joins him and an agent: by the clock, and of CPU. All agents are
    signed in and all but ten are in talks."""
    clock, phone = TwinClock(), Heard()
    store = TwinStore(TwinClock())
    engine = Engine(bench_hot_path.engine_site(), store, {"a": phone}, clock)
    await store.save_campaign(replace(CAMPAIGN, mode=Mode.RATIO, lines_max=2000, ratio=1.0))
    await engine._look()
    run = engine.runs["c1"]
    await store.set_status("c1", run.token, Status.RUNNING)  # where the engine will look for it
    run.status, run.due, run.reconciled = Status.RUNNING, 1, True
    for number in range(agents):
        _, _, actions = run.floor.team.sign_in(f"{number + 100}", clock.now())
        engine._hands.perform(run, actions)
        leg = actions[1].leg  # type: ignore[union-attr]
        engine._heard(phone, Event(Seen.JOINED, clock.now(), leg, f"agent-{number + 100}"))
    await run.writes.flush()
    took: list[float] = []
    cpu: list[float] = []
    up: list[str] = []
    for contact in contacts(agents - 10 + count):
        run.lease_until = clock.monotonic() + 10
        one = bench_hot_path.ready(run, contact, clock.now())
        run.contacts[one.attempt.id] = contact
        store.books["c1"].open[one.attempt.id] = one.attempt  # as claimed
        run.floor.claimed(one.attempt, clock.now())
        engine.do(engine._hands.originate(run, one))
        await asyncio.sleep(0)
        engine._heard(phone, Event(Seen.DIALLED, clock.now(), one.attempt.id))
        before, began, cpu_began = phone.redirects, time.perf_counter(), time.process_time()
        engine._heard(phone, Event(Seen.ANSWERED, clock.now(), one.attempt.id))
        engine._heard(phone, Event(Seen.READY, clock.now(), one.attempt.id))
        if not await _within(partial(_more, phone, before)):  # the twin of Redis still had his agent as busy
            engine._heard(phone, Event(Seen.HANGUP, clock.now(), one.attempt.id, cause=16, result="up"))
            await _settled(run)
            continue
        took.append(1000 * (time.perf_counter() - began))
        cpu.append(1000 * (time.process_time() - cpu_began))
        await _talks(engine, phone, run, one.attempt.id, up, agents - 10)
        await _settled(run)
    if len(took) < (1 - LEFT_OUT) * (agents - 10 + count):
        raise SetupError(f"only {len(took)} calls found an agent: this bench does not fit the engine any more.")
    return took[-count:], cpu[-count:]


async def _settled(run: Run) -> None:
    """Nothing is left to be written, and nobody is about to add to it."""
    quiet = 0
    while quiet < TURNS:
        quiet = 0 if run.writes else quiet + 1
        await run.writes.flush()
        await asyncio.sleep(0)


def _more(phone: Heard, before: int) -> bool:
    return phone.redirects > before


async def _within(over: Callable[[], bool]) -> bool:
    ends = time.monotonic() + GIVEN_WITHIN_S
    while time.monotonic() < ends:
        if over():
            return True
        await asyncio.sleep(0)
    return False


async def _talks(engine: Engine, phone: Heard, run: Run, attempt: str, up: list[str], most: int) -> None:
    """He talks; the one who has talked longest hangs up, and his agent is free at once."""
    clock = engine._clock
    agent = run.floor.attempts[attempt].agent
    engine._heard(phone, Event(Seen.JOINED, clock.now(), attempt, f"agent-{agent}"))
    up.append(attempt)
    if len(up) > most:
        oldest = up.pop(0)
        whose = run.floor.attempts[oldest].agent
        engine._heard(phone, Event(Seen.LEFT, clock.now(), oldest, f"agent-{whose}"))
        engine._heard(phone, Event(Seen.HANGUP, clock.now(), oldest, cause=16, result="up"))
        engine._hands.perform(run, run.floor.team.wrapped(whose, clock.now()))
    await asyncio.sleep(0)


async def _apart(agents: int, count: int) -> tuple[list[float], list[float]]:
    """`answers` in a process of its own: what another engine has left to do is not in its figures."""
    words = ("-m", "tests.bench.bench_growth", "--answers", str(agents), str(count))
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    took, cpu = json.loads(said)
    return took, cpu


async def by_agents(attempts: int, count: int, sizes: Sequence[int], console: Console) -> None:
    table = Table(
        "agents", "attempt, CPU ms", "answer to order, ms p50", "p99", "CPU ms", "pacing decision, CPU ms", "worst",
        title="With agents",
    )  # fmt: skip
    for agents in sizes:
        attempt_ms = await bench_hot_path.measure(attempts, agents)
        took, cpu = await _apart(agents, count)
        pace = bench_pacing.measure(agents)
        table.add_row(
            str(agents), f"{attempt_ms:.3f}", f"{percentile(took, 0.5):.2f}", f"{percentile(took, 0.99):.2f}",
            f"{sum(cpu) / len(cpu):.3f}", f"{pace.mean_ms:.2f}", f"{pace.worst_ms:.2f}",
        )  # fmt: skip
    console.print(table)


async def main(debtors: int, quick: bool = False) -> None:
    """Both."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    console = Console(width=120)
    sizes = AGENTS[:2] if quick else AGENTS
    await by_agents(ATTEMPTS // (10 if quick else 1), ANSWERS // (10 if quick else 1), sizes, console)
    with tempfile.TemporaryDirectory(prefix="santun-bench-", dir=ROOT / ".cache") as folder:
        await redis_lists.lists(debtors, Path(folder), console)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="./run bench growth", description=__doc__)
    parser.add_argument("--debtors", type=int, default=DEBTORS, help="the longest list")
    parser.add_argument("--quick", action="store_true", help="a smoke test")
    parser.add_argument("--answers", type=int, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.answers:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
        print(json.dumps(asyncio.run(answers(*asked.answers))))
        raise SystemExit
    asyncio.run(main(5_000 if asked.quick else asked.debtors, asked.quick))
