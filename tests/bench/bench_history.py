"""What a person's history costs: per outcome, in memory; a payment; a look through a list for a name.

python -m tests.bench.bench_history [--people 5000]
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_codec import Effects
from dialer.adapters.redis_history import encode_entry
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.debts.history import ENTRIES_MAX, Entry, What
from dialer.debts.payments import Told
from dialer.model import Campaign, Contact, Number, attempt_id

ROOT = Path(__file__).parents[2]
CAMPAIGN = "bench-history"
NOW = 1_800_000_000.0
BATCH = 100


@dataclass(frozen=True, slots=True)
class Cost:
    """Per piece, in ms of CPU: ours, Redis's; and wall."""

    python: float
    redis: float
    wall: float


def person(turn: int) -> Contact:
    """Invented."""
    key = f"{turn:032x}"
    return Contact(
        key, key, (Number(f"+62812{turn:08d}", key),), name=f"Debtor {turn}", lender="Bank Maju", amount=1_000_000,
        account=f"A{turn}", zone="Asia/Jakarta",
    )  # fmt: skip


def line(turn: int, at: float = NOW) -> Entry:
    """As long as a call's entry is that ended in a promise."""
    return Entry(
        What.CALL, attempt_id(at, os.urandom(10)), int(at), CAMPAIGN, f"{turn:032x}", "connected", "debtor", "promise",
        "promise", 500_000, "IDR", date(2027, 1, 17), "101", 54, "debtor",
    )  # fmt: skip


def effects(turn: int, raw: bytes, at: float) -> Effects:
    """Of a conversation."""
    key = f"{turn:032x}"
    return Effects(attempt_id(at, os.urandom(10)), key, key, talk_at=at, tried_at=at, line=raw)


async def cost(redis: RedisProcess, pieces: int, work: Awaitable[object]) -> Cost:
    """Of one piece."""
    began, python, spent = time.perf_counter(), time.process_time(), redis.cost().cpu_s
    await work
    python, wall = time.process_time() - python, time.perf_counter() - began
    return Cost(1000 * python / pieces, 1000 * (redis.cost().cpu_s - spent) / pieces, 1000 * wall / pieces)


async def settle(store: RedisStore, count: int, with_line: bool, at: float) -> None:
    """The second half of an outcome."""
    for start in range(0, count, BATCH):
        turns = range(start, min(start + BATCH, count))
        found = [effects(turn, encode_entry(line(turn, at)) if with_line else b"", at) for turn in turns]
        await store._settling.settle(CAMPAIGN, found)


async def pay(store: RedisStore, count: int) -> None:
    """In full, one after the other."""
    for turn in range(count):
        told = Told("bench", f"p{turn}", NOW, 1_000_000, "IDR", "Bank Maju", f"A{turn}")
        found = await store.pay(told, NOW)
        if not found.relieved:
            raise RuntimeError("not credited")


async def look(store: RedisStore) -> int:
    """Through the whole list."""
    cursor, looked = "", 0
    while True:
        _, cursor, some = await store.find_names(CAMPAIGN, "nobody has this name", cursor)
        looked += some
        if not cursor:
            return looked


async def used(link: Link) -> int:
    """Bytes that Redis holds."""
    told: bytes = await link.one(("INFO", "memory"))
    return int(told.split(b"used_memory:")[1].split()[0])


async def main(people: int) -> None:
    """A Redis of its own."""
    console = Console(width=110)
    with tempfile.TemporaryDirectory(prefix="santun-bench-", dir=ROOT / ".cache") as folder:
        redis = RedisProcess(redis_server(ROOT), Path(folder), "no")
        await redis.start()
        store, link = RedisStore(redis.url), Link(redis.url, 60.0)
        try:
            await store.save_campaign(Campaign(CAMPAIGN, "bench"))
            await store.add_contacts(CAMPAIGN, [person(turn) for turn in range(people)], NOW)
            table = Table("what", "Python ms", "Redis ms", "wall ms", title="Per piece")

            def row(what: str, one: Cost) -> None:
                table.add_row(what, f"{one.python:.3f}", f"{one.redis:.3f}", f"{one.wall:.3f}")

            plain = [await cost(redis, people, settle(store, people, False, NOW + turn)) for turn in range(3)][-1]
            row("effects of an outcome, without a line", plain)
            with_line = [await cost(redis, people, settle(store, people, True, NOW + turn)) for turn in range(3)][-1]
            row("effects of an outcome, with a line", with_line)
            row("the line itself", Cost(*(
                getattr(with_line, name) - getattr(plain, name) for name in ("python", "redis", "wall")
            )))  # fmt: skip
            row("a payment in full", await cost(redis, people // 5, pay(store, people // 5)))
            looked = await cost(redis, people, look(store))
            row("a contact looked at for a name", looked)
            console.print(table)
            sizes = Table("entries of a person", "bytes per person", "bytes per entry", title="Memory of histories")
            await link.one(("FLUSHALL",))
            before, done = await used(link), 0
            for entries in (1, 10, ENTRIES_MAX):
                for turn in range(people // 10):
                    await link.run(
                        [
                            (
                                "RPUSH",
                                f"{{p:{turn:032x}}}:history",
                                *(encode_entry(line(turn, NOW + i)) for i in range(done, entries)),
                            )
                        ]
                    )
                done = entries
                each = (await used(link) - before) / (people // 10)
                sizes.add_row(str(entries), f"{each:,.0f}", f"{each / entries:.0f}")
            console.print(sizes)
            console.print(
                f"an entry as it is written: {len(encode_entry(line(1)))} bytes; a note of it, replaced: "
                f"{len(encode_entry(replace(line(1), text='x' * 100)))} with 100 characters"
            )
        finally:
            await link.close()
            await store.close()
            await redis.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=5000)
    asyncio.run(main(parser.parse_args().people))
