"""How long nobody leads: two engine processes, calls up, the leader killed, stopped, or told to end, in turns.

Counted from the signal: until the other engine has the lease, until it first sends a debtor to an agent, until it first
places a call. The books are checked at the end: one outcome for each call, whoever led.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from time import time

from rich.console import Console
from rich.table import Table

from dialer.adapters.redis_store import RedisStore
from dialer.demo.program import Program
from tests.bench import campaign
from tests.bench.bench_connect import sign_in
from tests.bench.manager import open_manager
from tests.bench.world import Bench, Wanted

CAMPAIGN = "demo"
RATE, LINES = 4, 60
AGENTS = tuple(str(1001 + one) for one in range(20))
SETTINGS = campaign.setting(
    mode="progressive", calls_per_second=RATE, lines_max=LINES, ring_s=15, wrap_up_max_s=0, overflow="message"
)
MIX = {"hangs_up_later": 1}  # talks of about 5 s
SERIAL = 70_000  # nobody else's
WAYS = {
    "killed (SIGKILL)": signal.SIGKILL,
    "stopped (SIGSTOP)": signal.SIGSTOP,
    "told to end (SIGTERM)": signal.SIGTERM,
}
TURNS, QUICK_TURNS = 4, 1
FLOW_S = 5.0  # calls are up again
LIMIT_S = 30.0
STEPS = ("the lease", "a debtor to an agent", "a new call")


def wanted(quick: bool) -> Wanted:
    """What it runs on."""
    return Wanted(LINES, RATE, AGENTS)


async def measure(bench: Bench, store: RedisStore, console: Console, quick: bool) -> None:
    """Each way in turns, the engines in turns too."""
    world, turns = bench.world, QUICK_TURNS if quick else TURNS
    contacts = RATE * turns * len(WAYS) * 20
    asked = campaign.Asked(CAMPAIGN, SETTINGS, MIX, contacts, SERIAL, delay_s=lambda one: 0.25 * (one % 8))
    await campaign.load(bench, asked)
    await campaign.led(store, CAMPAIGN)
    engines = [
        world.dialer,
        Program("standby", ("dialer", "engine", "--config", str(world.config)), world.env, world.run),
    ]
    await engines[1].start()
    await _soon(lambda: _stands_by(engines[1], 1))
    starts = dict.fromkeys(engines, 1)
    joined: list[float] = []
    took: dict[str, list[tuple[float, float, float]]] = {way: [] for way in WAYS}
    try:
        await sign_in(store, AGENTS)
        await campaign.order(store, CAMPAIGN, "start")
        async with open_manager(bench.manager, lambda said: _take(said, joined)):
            for _ in range(turns):
                for way, number in WAYS.items():
                    took[way].append(await _turn(store, starts, number, joined))
        await campaign.order(store, CAMPAIGN, "pause")
        await campaign.settle(bench, store, CAMPAIGN)
        found = await campaign.books(bench, store, asked)
    finally:
        for engine in engines[1:]:
            await engine.stop()
    show(console, took, found)


def _take(said: Mapping[str, str], joined: list[float]) -> None:
    if said.get("Event") == "BridgeEnter" and not said.get("Uniqueid", "").startswith("leg-"):
        joined.append(float(said["Timestamp"]))


async def _stands_by(engine: Program, starts: int) -> bool:
    """It has come up as often as it was started."""
    return engine.log.read_text(errors="replace").count("the manager link is up") >= starts


async def _turn(
    store: RedisStore, starts: dict[Program, int], number: signal.Signals, joined: list[float]
) -> tuple[float, float, float]:
    await asyncio.sleep(FLOW_S)
    name = await _leader(store)
    leader = next(one for one in starts if name.endswith(f":{one.pid}"))
    heir = next(one for one in starts if one is not leader)
    began = time()
    os.kill(leader.pid, number)

    async def led() -> bool:
        return (await _leader(store)).endswith(f":{heir.pid}")

    await _soon(led)
    led_at = time()

    async def sent() -> bool:
        return any(at > led_at for at in joined)

    async def placed() -> bool:
        return any(one.claimed_at > led_at for one in await store.open_attempts(CAMPAIGN))

    await asyncio.gather(_soon(sent), _soon(placed))
    first = min(at for at in joined if at > led_at)
    call = min(one.claimed_at for one in await store.open_attempts(CAMPAIGN) if one.claimed_at > led_at)
    with contextlib.suppress(ProcessLookupError):
        os.kill(leader.pid, signal.SIGCONT)
    if number is not signal.SIGSTOP:
        await leader.stop()
        await leader.start()
        starts[leader] += 1
        await _soon(lambda: _stands_by(leader, starts[leader]))
    return led_at - began, first - began, call - began


async def _soon(ready: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not await ready():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)


async def _leader(store: RedisStore) -> str:
    return (await store.leaders([CAMPAIGN]))[CAMPAIGN]


def show(console: Console, took: Mapping[str, list[tuple[float, float, float]]], found: campaign.Books) -> None:
    """Seconds, the shortest and the longest."""
    table = Table("leader", "times", *(f"until {step}, s" for step in STEPS))
    for way, rows in took.items():
        ranges = [f"{min(column):.2f} to {max(column):.2f}" for column in zip(*rows, strict=True)]
        table.add_row(way, str(len(rows)), *ranges)
    console.print(table)
    outcomes: dict[str, int] = {}
    for one in found.outcomes:
        outcomes[one["outcome"]] = outcomes.get(one["outcome"], 0) + 1
    console.print(f"{len(found.outcomes)} calls: {outcomes}; faults in the books: {found.faults or 'none'}")
