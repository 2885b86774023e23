"""What Redis costs per attempt: Python and Redis CPU, attempts per second, latency, for each appendfsync.

python -m tests.bench.bench_redis [--attempts 4000] [--contacts 100000]
"""

import argparse
import asyncio
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.table import Table

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import Fsync, RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.law import decisionlog
from dialer.model import Attempt, CallState, Campaign, Contact, History, Number, Outcome, Side, Verdict, attempt_id
from dialer.ports import Finish, Held
from tests.bench import redis_lists

BATCHES = (1, 20, 100)
STEPS = ("lock", "claim", "placed", "finish")
ROOT = Path(__file__).parents[2]
CAMPAIGN = "bench"
NOW = 1_800_000_000.0


@dataclass
class Measured:
    """Of one appendfsync and one size of batch."""

    fsync: str
    batch: int
    attempts: int = 0
    wall_s: float = 0.0
    python_s: float = 0.0
    redis_s: float = 0.0
    step_s: dict[str, list[float]] = field(default_factory=lambda: {step: [] for step in STEPS})
    step_cpu_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STEPS, 0.0))

    def percentile(self, step: str, share: float) -> float:
        """In ms."""
        took = sorted(self.step_s[step])
        return 1000 * took[min(len(took) - 1, int(share * len(took)))]


def people(count: int) -> Iterator[Contact]:
    """Invented debtors, a name and an account each."""
    for i in range(count):
        key = f"{i:032x}"
        number = Number(f"+62812{i:08d}", key)
        yield Contact(
            f"A{i:07d}", key, (number,), f"Debtor {i}", "id", "Asia/Jakarta", "Bank", "loan", amount=1_250_000
        )


def record_of(attempt: Attempt) -> dict[str, str]:
    """As many fields as the public record has."""
    known = {"attempt": attempt.id, "campaign": attempt.campaign, "debtor": attempt.contact}
    return known | {f"field_{i}": f"value {i}" for i in range(37)}


async def one_batch(store: RedisStore, token: int, contacts: tuple[Contact, ...], seen: Measured) -> None:
    """All writes of the attempts' lives."""
    attempts = [
        Attempt(attempt_id(NOW, os.urandom(10)), CAMPAIGN, "node", "ivr", "trunk", "+6221", "id", "demo", one.id,
                one.person, one.numbers[0], claimed_at=NOW)
        for one in contacts
    ]  # fmt: skip
    placed = [replace(one, state=CallState.PLACED, placed_at=NOW) for one in attempts]
    verdict = Verdict(Outcome.BUSY, Side.DEBTOR, "user_busy", retry_at=NOW + 3600)
    finished = [
        Finish(replace(one, state=CallState.ENDED, ended_at=NOW), verdict, record_of(one), contact)
        for one, contact in zip(attempts, contacts, strict=True)
    ]
    past = History((NOW - 9e4,), ())
    notes = [decisionlog.allowed(one, contact, past, past) for one, contact in zip(attempts, contacts, strict=True)]
    steps = (
        store.lock(attempts, NOW), store.claim(token, attempts, NOW, notes), store.write(token, CAMPAIGN, placed, []),
        store.write(token, CAMPAIGN, [], finished),
    )  # fmt: skip
    for name, step in zip(STEPS, steps, strict=True):
        began, cpu = time.perf_counter(), time.process_time()
        answer = await step
        seen.step_cpu_s[name] += time.process_time() - cpu
        seen.step_s[name].append(time.perf_counter() - began)
        if isinstance(answer, list) and not all(isinstance(one, Held) or one is True for one in answer):
            raise RuntimeError(f"{name} refused: {answer}")
    seen.attempts += len(attempts)


async def measure(fsync: Fsync, batch: int, attempts: int, folder: Path) -> Measured:
    """A Redis of its own for each measurement."""
    redis = RedisProcess(redis_server(ROOT), folder, fsync)
    await redis.start()
    store = RedisStore(redis.url)
    seen = Measured(fsync, batch)
    try:
        await store.save_campaign(Campaign(CAMPAIGN, "bench"))
        token = await store.lead(CAMPAIGN, "bench", 600_000) or 0
        await store.add_contacts(CAMPAIGN, list(people(attempts)), NOW)
        wall, redis_cpu = 0.0, redis.cost().cpu_s
        while contacts := await store.candidates(CAMPAIGN, NOW, batch):
            began, cpu = time.perf_counter(), time.process_time()
            await one_batch(store, token, contacts, seen)
            wall += time.perf_counter() - began
            seen.python_s += time.process_time() - cpu
        seen.wall_s, seen.redis_s = wall, redis.cost().cpu_s - redis_cpu
        return seen
    finally:
        await store.close()
        await redis.stop()


def fsync_ms(folder: Path, times: int = 200) -> tuple[float, float]:
    """What this disk takes to make 4 KB safe: p50 and p99."""
    took = []
    with (folder / "probe").open("wb") as file:
        for _ in range(times):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(1000 * (time.perf_counter() - began))
    took.sort()
    return took[times // 2], took[int(times * 0.99)]


def show(found: list[Measured], console: Console) -> None:
    """Two tables: the whole life of an attempt, and its steps."""
    whole = Table(
        "appendfsync", "batch", "attempts/s", "Python ms", "of it in the store", "Redis ms", title="Per attempt"
    )
    steps = Table("appendfsync", "batch", "step", "p50 ms", "p99 ms", "Python ms/attempt", title="Per step of a batch")
    for one in found:
        n = one.attempts
        calls = 1000 * sum(one.step_cpu_s.values()) / n
        whole.add_row(
            one.fsync, str(one.batch), f"{n / one.wall_s:,.0f}", f"{1000 * one.python_s / n:.3f}", f"{calls:.3f}",
            f"{1000 * one.redis_s / n:.3f}",
        )  # fmt: skip
        for step in STEPS:
            cpu = 1000 * one.step_cpu_s[step] / n
            words = (f"{one.percentile(step, 0.5):.2f}", f"{one.percentile(step, 0.99):.2f}", f"{cpu:.3f}")
            steps.add_row(one.fsync, str(one.batch), step, *words)
    console.print(whole)
    console.print(steps)


async def main(attempts: int, contacts: int = 100_000) -> None:
    """Single attempts get fewer turns: they are slow, not rare."""
    found = []
    with tempfile.TemporaryDirectory(prefix="santun-bench-", dir=ROOT / ".cache") as folder:
        disk = fsync_ms(Path(folder))
        for fsync in get_args(Fsync):
            for batch in BATCHES:
                count = attempts if batch > 1 else attempts // 8
                found.append(await measure(fsync, batch, count, Path(folder) / f"{fsync}-{batch}"))
        console = Console(width=110)
        await redis_lists.lists(contacts, Path(folder), console)
    show(found, console)
    console.print(f"fdatasync of 4 KB on this disk: p50 {disk[0]:.2f} ms, p99 {disk[1]:.2f} ms")
    console.print(f"largest size of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=4000)
    parser.add_argument("--contacts", type=int, default=100_000)
    words = parser.parse_args()
    asyncio.run(main(words.attempts, words.contacts))
