"""1,000 conversations at once in one `ivr serve`, against a scripted Asterisk: memory, CPU, and that none is lost."""

import asyncio
import os
import secrets
import socket
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dialer.adapters.clock import SystemClock
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.demo.folder import free_port
from dialer.demo.program import ROOT, Program, run_to_end
from dialer.demo.world import COMPANY
from dialer.dialplan import Var
from dialer.errors import SetupError
from dialer.keyed import secret_key
from dialer.law import decisionlog
from dialer.model import Attempt, Campaign, Contact, Fact, History, Kind, Number, attempt_id
from tests.bench.bench_redis import people
from tests.bench.crowd import Crowd, Way, gather
from tests.bench.meter import Usage, threads, usage
from tests.bench.world import LOCAL, READY_S

AT_ONCE = 1000
PER_S = 50.0
LIMIT_MB = 100
KINDS = 40  # debtors who differ; their sentences are rendered before
BATCH = 100
CAMPAIGN = "conversations"
NODE, TRUNK = "pbx1", "trunk"
HANGS_UP_S = 40.0
# verify, promise, a day that is keyed, confirm / nothing / away in the middle of it
WAYS = (Way("promise", "1123423{day}1"), Way("no_input"), Way("hung_up", "11234", HANGS_UP_S))
MIX = (0, 0, 0, 1, 2)
VARIABLES = {Var.CAMPAIGN.value: CAMPAIGN, Var.LANGUAGE.value: "id"}


class Load:
    """What was seen of the server while all were talking."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.most_mb = 0.0
        self.most_threads = 0
        self.before = usage(pid)
        self.began = time.monotonic()

    def look(self) -> None:
        self.most_mb = max(self.most_mb, self.now().rss_mb)
        self.most_threads = max(self.most_threads, threads(self.pid))

    def now(self) -> Usage:
        return usage(self.pid)


async def main(quick: bool, console: Console) -> None:
    """A private Redis, the real command, one campaign. Quick: few, and files play four times as fast."""
    at_once, speed = (50, 4.0) if quick else (AT_ONCE, 1.0)
    key = secrets.token_hex(32)
    sounds = ROOT / ".cache" / "sounds"
    with tempfile.TemporaryDirectory(prefix="santun-bench-", dir=ROOT / ".cache") as folder:
        await run_to_end(("ivr", "prompts", "render", "--out", str(sounds), "--company", COMPANY), {})
        redis = RedisProcess(redis_server(ROOT), Path(folder) / "redis")
        await redis.start()
        store = RedisStore(redis.url)
        env = {"SANTUN_PERSON_KEY": key, "SANTUN_REDIS_URL": redis.url}
        try:
            kinds = min(KINDS, at_once)
            attempts = await claimed(store, at_once + kinds, key)
            async with serving(Path(folder), sounds, env, at_once) as (_, address):
                crowd = Crowd(address, VARIABLES, speed=1000)
                await gather(crowd, [(attempt, _ways()[0]) for attempt in attempts[:kinds]], 10, lambda: None)
            async with serving(Path(folder), sounds, env, at_once) as (program, address):
                await _measure(program.pid, Crowd(address, VARIABLES, speed), attempts[kinds:], store, console, redis)
        finally:
            await store.close()
            await redis.stop()


def _ways() -> Sequence[Way]:
    """The day is one within the lender's limit."""
    day = datetime.fromtimestamp(SystemClock().now(), UTC) + timedelta(days=3)
    return [replace(way, keys=way.keys.format(day=f"{day:%d%m}")) for way in WAYS]


async def claimed(store: RedisStore, count: int, key: str) -> list[str]:
    """A campaign of so many open attempts; every KINDS-th debtor is like another."""
    now = SystemClock().now()
    await store.save_campaign(Campaign(CAMPAIGN, "bench", kind=Kind.IVR, caller_name="Dana Sejahtera"))
    token = await store.lead(CAMPAIGN, "bench", 600_000) or 0
    await store.add_contacts(CAMPAIGN, [_like(one, i % KINDS, key) for i, one in enumerate(people(count))], now)
    found: list[str] = []
    past = History((), ())
    while batch := await store.candidates(CAMPAIGN, now, BATCH):
        attempts = [_attempt(one, now) for one in batch]
        await store.lock(attempts, now)
        notes = [decisionlog.allowed(one, who, past, past) for one, who in zip(attempts, batch, strict=True)]
        if not all(await store.claim(token, attempts, now, notes)):
            raise SetupError("an attempt could not be claimed.")
        found += [one.id for one in attempts]
    return found


def _like(one: Contact, kind: int, key: str) -> Contact:
    return replace(
        one, name=f"Debitur {chr(65 + kind % 26)}{'aiueo'[kind % 5]}na", amount=1_250_000 + 125_000 * kind, due=None,
        secret=secret_key(bytes.fromhex(key), "1234"), secret_digits=4,
        custom=(("va_number", f"80770812345678{kind:02}"), ("va_bank", "Bank Maju")),
    )  # fmt: skip


def _attempt(one: Contact, now: float) -> Attempt:
    number: Number = one.numbers[0]
    return Attempt(
        attempt_id(now, os.urandom(10)), CAMPAIGN, NODE, "ivr", TRUNK, "+6221", "id", "demo", one.id, one.person,
        number, claimed_at=now,
    )  # fmt: skip


@asynccontextmanager
async def serving(
    folder: Path, sounds: Path, env: dict[str, str], most: int
) -> AsyncIterator[tuple[Program, tuple[str, int]]]:
    """`ivr serve`, up."""
    address = LOCAL, free_port(LOCAL, socket.SOCK_STREAM)
    words = ("ivr", "serve", "--prompts", str(sounds), "--listen", f"{LOCAL}:{address[1]}", "--most", str(most))
    program = Program("ivr", (*words, "--drain-s", "1"), env, folder)
    await program.start()
    try:
        await _listening(program, address)
        yield program, address
    finally:
        await program.stop()


async def _listening(program: Program, address: tuple[str, int]) -> None:
    ends = time.monotonic() + READY_S
    while time.monotonic() < ends and program.alive:
        try:
            _, writer = await asyncio.open_connection(*address)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        return
    raise SetupError(f"ivr serve did not come up: {program.last_lines()}")


async def _measure(
    pid: int, crowd: Crowd, attempts: list[str], store: RedisStore, console: Console, redis: RedisProcess
) -> None:
    await asyncio.sleep(1)  # until it is all there
    ways = _ways()
    calls = [(attempt, ways[MIX[number % len(MIX)]]) for number, attempt in enumerate(attempts)]
    load, own = Load(pid), time.process_time()
    idle_mb, redis_s = load.before.rss_mb, redis.cost().cpu_s
    await gather(crowd, calls, PER_S, load.look)
    seconds = time.monotonic() - load.began
    cpu_s, own_s = load.now().cpu_s - load.before.cpu_s, time.process_time() - own
    redis_s = redis.cost().cpu_s - redis_s
    await asyncio.sleep(1)  # facts of the last ones who hung up
    lost = [fault for one, way in calls if (fault := _fault(await store.facts(CAMPAIGN, one), way, crowd.results[one]))]
    table = Table("process", "CPU s", "CPU ms per conversation", title=f"{len(calls):,} conversations, {seconds:.0f} s")
    for name, used_s in (("ivr serve", cpu_s), ("Redis", redis_s), ("this peer", own_s)):
        table.add_row(name, f"{used_s:.1f}", f"{1000 * used_s / len(calls):.1f}")
    console.print(table)
    console.print(
        f"At once: {crowd.most_up:,}; {crowd.commands:,} AGI commands. RSS of ivr serve: {idle_mb:.1f} MB idle, at most"
        f" {load.most_mb:.1f} MB (limit {LIMIT_MB}: {'kept' if load.most_mb < LIMIT_MB else 'NOT KEPT'}),"
        f" {1024 * (load.most_mb - idle_mb) / crowd.most_up:.0f} kB per conversation; {load.most_threads:,} threads."
    )
    console.print(f"Outcomes: {dict(Counter(way.ends for _, way in calls))}; lost or wrong: {len(lost)}")
    for fault in lost[:5]:
        console.print(f"- {fault}")


def _fault(facts: tuple[Fact, ...], way: Way, result: str) -> str:
    """What is missing of a conversation that was to end so; empty: nothing."""
    names = [fact.name for fact in facts]
    closed = facts[-1].value.split()[0] if names[-1:] == ["closed"] else "not closed"
    if [fact.seq for fact in facts] != list(range(1, len(facts) + 1)):
        return f"facts are missing: {names}"
    if closed != way.ends:
        return f"{closed} instead of {way.ends}: {names}"
    if (way.ends == "promise") != ("promise" in names) or names.count("closed") != 1:
        return f"{way.ends}: {names}"
    return "" if (result == "done") == (way.ends != "hung_up") else f"{way.ends} with the result {result!r}"
