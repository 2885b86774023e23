"""Agents in talk on one node, more and more of them: what each talk costs, how soon debtors reach their agents, and
where the node is full: when the sound comes late, or the machine has no more to give.

The carrier and all telephones run on the same machine; what they take is shown apart, and the node is full here long
before it would be on a machine of its own.
"""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from dialer.adapters.redis_store import RedisStore
from dialer.model import AgentState
from tests.bench import campaign
from tests.bench.bench_connect import STEPS, Seen, all_told, sign_in
from tests.bench.bench_ivr import listening, one_in
from tests.bench.gaps import GOAL_MS, Gaps
from tests.bench.manager import open_manager
from tests.bench.meter import Moment, Span, percentile
from tests.bench.world import Bench, Wanted, until

LEVELS = (20, 60, 100, 140, 180, 220, 260, 300)
QUICK_LEVELS = (4, 8)
RATE = 10  # joins a second while the floor fills
HOLD_S, QUICK_HOLD_S = 15.0, 3.0
CAMPAIGN = "demo"
JOINED_GOAL_MS = 300.0  # the limit of the design: later counts as failed
LATE_SHARE = 0.001  # of packets: above it the sound is not good any more


@dataclass(frozen=True, slots=True)
class Level:
    """What so many talks cost, and what was heard in them."""

    agents: int
    talking: int
    span: Span
    joined_ms: Sequence[float]
    gaps: Gaps | None

    @property
    def late(self) -> float:
        """The share of packets that came too late."""
        found = self.gaps.gaps_ms if self.gaps else []
        return sum(gap > GOAL_MS for gap in found) / max(1, len(found))

    @property
    def full(self) -> str:
        """Why there is no room for more; empty: there is."""
        if self.talking < self.agents:
            return f"{self.agents - self.talking} agents found no debtor"
        if percentile(list(self.joined_ms), 0.99) > JOINED_GOAL_MS:
            return f"debtors waited longer than {JOINED_GOAL_MS:.0f} ms"
        return f"{self.late:.1%} of packets came late" if self.late > LATE_SHARE else ""


def wanted(quick: bool) -> Wanted:
    """What it runs on."""
    most = (QUICK_LEVELS if quick else LEVELS)[-1]
    return Wanted(2 * most, 2 * RATE, tuple(str(1001 + one) for one in range(most)))


async def measure(bench: Bench, store: RedisStore, console: Console, quick: bool) -> None:
    """Level after level, until the node is full; then all in one table."""
    agents, levels, serial = wanted(quick).agents, list[Level](), 0
    for count in QUICK_LEVELS if quick else LEVELS:
        level, contacts = await _level(bench, store, console, agents, count, serial, quick)
        levels.append(level)
        serial += contacts
        if level.full:
            break
    show(console, levels)


async def _level(
    bench: Bench, store: RedisStore, console: Console, everybody: Sequence[str], count: int, serial: int, quick: bool
) -> tuple[Level, int]:
    """Everybody talks; and how many contacts that took."""
    agents, contacts = everybody[:count], 2 * count
    lines = campaign.setting(
        mode="progressive", calls_per_second=RATE, lines_max=count, ring_s=15, wrap_up_max_s=0, overflow="message"
    )
    asked = campaign.Asked(CAMPAIGN, lines, {"human": 1}, contacts, serial, delay_s=campaign.soon)
    await campaign.load(bench, asked)
    await campaign.led(store, CAMPAIGN)
    present = {agent.id for agent in await store.agents(CAMPAIGN) if agent.state is not AgentState.SIGNED_OUT}
    await sign_in(store, [agent for agent in agents if agent not in present])
    console.print(f"{count} agents; {RATE} calls/s until all talk, then {QUICK_HOLD_S if quick else HOLD_S:.0f} s")
    seen, load = Seen(), os.getloadavg()[0]

    async def talk() -> int:
        return sum(agent.state is AgentState.TALKING for agent in await store.agents(CAMPAIGN))

    async with open_manager(bench.manager, seen.take):
        running = asyncio.create_task(campaign.run(bench, store, CAMPAIGN, 3 * count / RATE + 20))
        try:
            async with asyncio.timeout(3 * count / RATE + 10):
                while await talk() < count:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.2)
        except TimeoutError:
            pass
        talking, before = await talk(), Moment.now(bench.pids)
        with listening(one_in(count)) as gaps:
            await asyncio.sleep(QUICK_HOLD_S if quick else HOLD_S)
        span = Span(before, Moment.now(bench.pids))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await campaign.order(store, CAMPAIGN, "pause")
    await all_told(store, "hang_up", agents[:talking])
    await campaign.settle(bench, store, CAMPAIGN)

    async def idle() -> bool:
        return await talk() == 0

    await until("the end of the talks", idle, 30.0)
    console.print(f"  {talking} talk; load before {load:.1f}; {span.load()}")
    return Level(count, talking, span, seen.took_ms(list(seen.joined))[STEPS[-1]], gaps), contacts


def show(console: Console, levels: Sequence[Level]) -> None:
    """A row for each level, and what the last one says."""
    names = ("engine", "PBX", "carrier")
    table = Table(
        "agents", "talk", *(f"{name} %" for name in names), "PBX ms/s each", "others %", "joined p99 ms", "RTP p99 ms",
        "late", "full",
        title="Agents in talk; CPU in % of one core; from the answer to the agent; RTP as debtors get it",
    )  # fmt: skip
    for one in levels:
        seconds, ours = one.span.seconds, sum(one.span.cpu_s(name) for name in one.span.before.used)
        others = one.span.after.busy_s - one.span.before.busy_s - ours
        table.add_row(
            str(one.agents),
            str(one.talking),
            *(f"{100 * one.span.cpu_s(name) / seconds:.0f}" for name in names),
            f"{1000 * one.span.cpu_s('PBX') / seconds / max(1, one.talking):.2f}",
            f"{100 * others / seconds:.0f}",
            f"{percentile(list(one.joined_ms), 0.99):.0f}",
            f"{percentile(one.gaps.gaps_ms, 0.99):.0f}" if one.gaps else "?",
            f"{one.late:.2%}",
            one.full or "no",
        )
    console.print(table)
