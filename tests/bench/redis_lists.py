"""What a long list costs in Redis: bytes per debtor, loading, looking up, claiming where most are refused, the log."""

import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.law import decisionlog
from dialer.model import Attempt, Campaign, Contact, History, Number, NumberKind, Refused, attempt_id
from dialer.ports import Held

ROOT = Path(__file__).parents[2]
CAMPAIGN = "bench"
NOW = 1_800_000_000.0
CHUNK = 1000
WANTED = 100  # callable contacts claimed at a time
SEEN = History((NOW - 9e4,), ())


@dataclass
class Loaded:
    """A list in Redis and what it took."""

    contacts: int
    numbers: int
    wall_s: float
    python_s: float
    redis_s: float
    bytes: float  # per debtor, everything


def debtors(count: int, numbers: int, first: int = 0) -> Iterator[Contact]:
    """As an import makes them: keyed hashes, an account, an address."""
    kinds = (NumberKind.DEBTOR, NumberKind.CO_BORROWER, NumberKind.WORKPLACE)
    for i in range(first, first + count):
        raw = secrets.token_hex(16 * (3 + numbers))
        keys = [raw[32 * n : 32 * n + 32] for n in range(3 + numbers)]
        own = tuple(Number(f"+62812{i * 3 + n:09d}", keys[3 + n], kinds[n]) for n in range(numbers))
        yield Contact(
            keys[0], keys[1], own, f"Siti Aminah {i}", "id", "Asia/Jakarta", "Bank Contoh", "pinjaman", "IDR",
            1_250_000 + i, date(2026, 11, 1), keys[2], 8, alias=keys[0][::-2], account=f"9988{i:08d}",
            province="Jawa Barat", regency="Kota Bandung", post_code="40111", score=i % 1000,
        )  # fmt: skip


@asynccontextmanager
async def redis_store(folder: Path) -> AsyncIterator[tuple[RedisProcess, RedisStore]]:
    """A Redis of its own; its safety on disk is measured elsewhere."""
    redis = RedisProcess(redis_server(ROOT), folder, "no", options=("--appendonly", "no"))
    await redis.start()
    store = RedisStore(redis.url, limit_s=10.0)
    try:
        await store.save_campaign(Campaign(CAMPAIGN, "bench"))
        yield redis, store
    finally:
        await store.close()
        await redis.stop()


async def used(store: RedisStore) -> int:
    """Bytes of all data."""
    told = (await store._link.one(("INFO", "memory"))).decode()
    return int(told.partition("used_memory:")[2].split()[0])


async def load(
    redis: RedisProcess, store: RedisStore, count: int, numbers: int, due: Callable[[int], float] = lambda _: NOW - 10
) -> Loaded:
    """Chunk by chunk, as an import does."""
    before, began, cpu, redis_cpu = await used(store), time.perf_counter(), time.process_time(), redis.cost().cpu_s
    made = 0.0
    for n, start in enumerate(range(0, count, CHUNK)):
        making = time.process_time()
        some = list(debtors(min(CHUNK, count - start), numbers, start))
        made += time.process_time() - making
        await store.add_contacts(CAMPAIGN, some, due(n), f"load:{n}")
    python_s = time.process_time() - cpu - made
    grown = await used(store) - before
    return Loaded(count, numbers, time.perf_counter() - began, python_s, redis.cost().cpu_s - redis_cpu, grown / count)


async def timed(turns: int, what: Callable[[], Awaitable[object]]) -> list[float]:
    """Sorted, in ms."""
    took = []
    for _ in range(turns):
        began = time.perf_counter()
        await what()
        took.append(1000 * (time.perf_counter() - began))
    return sorted(took)


def attempts_of(contacts: Sequence[Contact]) -> list[Attempt]:
    """One each."""
    return [
        Attempt(attempt_id(NOW, os.urandom(10)), CAMPAIGN, "node", "ivr", "trunk", "+6221", "id", "indonesia 2026-11",
                one.id, one.person, one.numbers[0], claimed_at=NOW)
        for one in contacts
    ]  # fmt: skip


async def claim(store: RedisStore, token: int, contacts: Sequence[Contact], log: bool = True) -> tuple[float, float]:
    """Lock and claim; seconds of each."""
    attempts = attempts_of(contacts)
    began = time.perf_counter()
    held = await store.lock(attempts, NOW)
    locked = time.perf_counter()
    if not all(isinstance(one, Held) for one in held):
        raise RuntimeError("somebody is locked already")
    told = zip(attempts, contacts, strict=True)
    notes = [decisionlog.allowed(one, contact, SEEN, SEEN) for one, contact in told] if log else []
    if not all(await store.claim(token, attempts, NOW, notes)):
        raise RuntimeError("not all were to be had")
    return locked - began, time.perf_counter() - locked


async def next_hundred(store: RedisStore, token: int, share_callable: int) -> None:
    """As placing.py goes through the list, one in `share_callable` callable; the gate's own time is bench_gate's."""
    taken: list[Contact] = []
    looked = 0
    while len(taken) < WANTED:
        share = len(taken) / looked if looked else 0.75
        some = await store.candidates(CAMPAIGN, NOW, min(1000, int(1.2 * (WANTED - len(taken)) / max(share, 0.05))))
        looked += len(some)
        if not some:
            raise RuntimeError("the list is empty")
        good = [one for one in some if one.amount % share_callable == 0][: WANTED - len(taken)]
        bad = [one for one in some if one.amount % share_callable]
        refused = [(one, one.numbers[0], Refused("hours", NOW + 3600, "It is night there.")) for one in bad]
        taken += good
        await claim(store, token, good)
        await store.refuse(token, CAMPAIGN, refused, NOW, "indonesia 2026-11")


def _row(name: str, took: Sequence[float]) -> tuple[str, str, str]:
    return name, f"{took[len(took) // 2]:.2f}", f"{took[min(len(took) - 1, int(0.99 * len(took)))]:.2f}"


async def lists(contacts: int, folder: Path, console: Console) -> None:
    """All of it, for lists up to so many contacts. CPU: Python's and Redis's, where others are at work here too."""
    sizes = sorted({min(1000, contacts), min(100_000, contacts), contacts})
    loads = Table("contacts", "numbers", "bytes per debtor", "Redis s", "Python s", "wall s", title="Loading a list")
    steps = Table("contacts", "what", "p50 ms", "p99 ms", "CPU ms", title=f"Working on it ({WANTED} at a time)")
    for size in sizes:
        async with redis_store(folder / f"list-{size}") as (redis, store):
            # nine tenths set aside: due later, as a refusal leaves them
            one = await load(redis, store, size, 1, lambda n: NOW - 10 if n % 10 == 0 else NOW + 86_400)
            loads.add_row(*_loaded(one))
            await _work(redis, store, size, steps)
    async with redis_store(folder / "three") as (redis, store):
        loads.add_row(*_loaded(await load(redis, store, min(100_000, contacts), 3)))
    console.print(loads)
    console.print(steps)


def _loaded(one: Loaded) -> tuple[str, ...]:
    figures = (f"{one.bytes:.0f}", f"{one.redis_s:.1f}", f"{one.python_s:.1f}", f"{one.wall_s:.1f}")
    return (f"{one.contacts:,}", str(one.numbers), *figures)


async def _work(redis: RedisProcess, store: RedisStore, size: int, table: Table) -> None:
    token = await store.lead(CAMPAIGN, "bench", 600_000) or 0

    def row(name: str, took: Sequence[float], cpu: str = "") -> None:
        table.add_row(f"{size:,}", *_row(name, took), cpu)

    row("first look at the list", await timed(1, lambda: store.candidates(CAMPAIGN, NOW, WANTED)))
    row("look at the list, while it is moved", await timed(20, lambda: store.candidates(CAMPAIGN, NOW, WANTED)))
    while (await store._link.one(("ZCOUNT", f"{{{CAMPAIGN}}}:later", "-inf", repr(NOW)))) > 0:
        await store.candidates(CAMPAIGN, NOW, 1)
    row("look at the list", await timed(50, lambda: store.candidates(CAMPAIGN, NOW, WANTED)))
    (someone, *_) = await store.candidates(CAMPAIGN, NOW, 1)
    row("contacts of a number", await timed(200, lambda: store.contacts_of(someone.numbers[0].key)))
    if size < 20_000:
        return
    for name, turns, share in (("next 100, 90 % set aside", 15, 1), ("next 100, 90 % of the head refused", 6, 10)):
        cpu, redis_cpu = time.process_time(), redis.cost().cpu_s
        took = await timed(turns, lambda share=share: next_hundred(store, token, share))  # type: ignore[misc]
        cpu, redis_cpu = time.process_time() - cpu, redis.cost().cpu_s - redis_cpu
        row(name, took, f"{1000 * cpu / turns:.1f} + {1000 * redis_cpu / turns:.1f}")
    for name, log in (("without the log", False), ("with the log", True)):
        locks, claims = [], []
        for _ in range(15):
            lock_s, claim_s = await claim(store, token, await store.candidates(CAMPAIGN, NOW, WANTED), log)
            locks.append(1000 * lock_s)
            claims.append(1000 * claim_s)
        row(f"lock, then claim {name}: claim", sorted(claims))
        row(f"lock, then claim {name}: both", sorted(map(sum, zip(locks, claims, strict=True))))
    for name, one in (await store.stream_sizes(CAMPAIGN)).items():
        if one.entries:
            table.add_row(f"{size:,}", f"stream {name}: {one.bytes / one.entries:.0f} bytes per entry", "", "", "")
