"""From the debtor's answer to the agent in his ear: 20 calls a second, always an agent free, by Asterisk's own clock.

The clock starts at the channel's Newstate Up and stops at its BridgeEnter in the agent's room. A last short run with
Redis's MONITOR counts the round trips that lie between the two.
"""

import asyncio
import random
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from dialer.adapters.redis_scripts import digest, sources
from dialer.adapters.redis_store import RedisStore
from dialer.model import AgentState
from tests.bench import campaign
from tests.bench.manager import open_manager
from tests.bench.meter import Moment, Span, percentile
from tests.bench.world import Bench, Wanted, until

RATE = 20
AGENTS, QUICK_AGENTS = 60, 10
AT_ONCE = 30
CAMPAIGN = "demo"
SETTINGS = campaign.setting(
    mode="progressive", calls_per_second=RATE, lines_max=3 * AGENTS, ring_s=15, wrap_up_max_s=0, overflow="message"
)
RING_S = (0.25, 0.5, 0.75)
MIX = {"hangs_up_soon": 1}
SERIAL = 50_000  # nobody else's
P50_MS, P99_MS = 10, 50
MONITOR_S = 4.0
AWAITED = ("reserve",)  # scripts that the engine waits for before it sends the Redirect
STEPS = ("to the dialplan's word", "from there into the room", "answer to agent")


@dataclass(slots=True)
class Seen:
    """Times of one watch, by channel; Asterisk's own."""

    up: dict[str, float] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)  # SantunAnswered: from here on a Redirect is safe
    joined: dict[str, float] = field(default_factory=dict)

    def take(self, said: Mapping[str, str]) -> None:
        """One manager event."""
        name, channel = said.get("Event", ""), said.get("Uniqueid", "")
        first = {
            "Newstate": self.up if said.get("ChannelState") == "6" else None,
            "UserEvent": self.told if said.get("UserEvent") == "SantunAnswered" else None,
            "BridgeEnter": self.joined,
        }.get(name)
        if first is not None:
            first.setdefault(channel, float(said["Timestamp"]))

    def took_ms(self, attempts: Sequence[str]) -> Mapping[str, list[float]]:
        """By step, of those who were joined."""
        both = [one for one in attempts if one in self.up and one in self.joined]
        told = [one for one in both if one in self.told]
        return {
            STEPS[0]: [1000 * (self.told[one] - self.up[one]) for one in told],
            STEPS[1]: [1000 * (self.joined[one] - self.told[one]) for one in told],
            STEPS[2]: [1000 * (self.joined[one] - self.up[one]) for one in both],
        }


async def sign_in(store: RedisStore, agents: Sequence[str]) -> None:
    """All of them, by the command that a desk sends; wait until they sit in their rooms."""

    async def idle() -> bool:
        return all(agent.state is AgentState.IDLE for agent in await store.agents(CAMPAIGN))

    await all_told(store, "sign_in", agents)
    await until("the agents' legs", idle, 30.0)


async def all_told(store: RedisStore, name: str, agents: Sequence[str]) -> None:
    """The same command for each; not all at once, for each waits on a connection of its own."""
    few = asyncio.Semaphore(AT_ONCE)

    async def tell(agent: str) -> None:
        async with few:
            await campaign.order(store, CAMPAIGN, name, agent=agent)

    await asyncio.gather(*map(tell, agents))


def wanted(quick: bool) -> Wanted:
    """What it runs on."""
    agents = tuple(str(1001 + one) for one in range(QUICK_AGENTS if quick else AGENTS))
    return Wanted(4 * AGENTS, RATE, agents)


async def measure(bench: Bench, store: RedisStore, console: Console, quick: bool) -> None:
    """The measured run, then the one that counts."""
    rate, seconds = (3, 3) if quick else (RATE, 40)
    agents = wanted(quick).agents
    chance = random.Random(1)
    settings = (*SETTINGS, *campaign.setting(calls_per_second=rate))
    contacts = 2 * rate * (seconds + 10)
    asked = campaign.Asked(CAMPAIGN, settings, MIX, contacts, SERIAL, delay_s=lambda _: chance.choice(RING_S))
    await campaign.load(bench, asked)
    await campaign.led(store, CAMPAIGN)
    await sign_in(store, agents)
    console.print(f"{len(agents)} agents are in their rooms; {rate} calls/s for {seconds} s")
    seen = Seen()
    async with open_manager(bench.manager, seen.take):
        before = Moment.now(bench.pids)
        watched = await campaign.run(bench, store, CAMPAIGN, seconds)
        await campaign.settle(bench, store, CAMPAIGN)
        span = Span(before, Moment.now(bench.pids))
        found = await campaign.books(bench, store, asked)
        async with monitored(bench) as lines:
            await campaign.run(bench, store, CAMPAIGN, MONITOR_S / 4 if quick else MONITOR_S)
            await campaign.settle(bench, store, CAMPAIGN)
    show(console, seen, watched, found, span, rate)
    first = {one["attempt"] for one in found.outcomes}
    later = await campaign.books(bench, store, asked)
    steps(console, seen, [one["attempt"] for one in later.outcomes if one["attempt"] not in first], lines)


def show(
    console: Console, seen: Seen, watched: campaign.Watched, found: campaign.Books, span: Span, asked: float
) -> None:
    """Latency by step, outcomes, cost."""
    attempts = [one["attempt"] for one in found.outcomes]
    took = seen.took_ms(attempts)
    table = Table("step", "calls", "p50 ms", "p90 ms", "p99 ms", "worst ms", "wanted", title="Answer to agent")
    for step in STEPS:
        figures = [f"{percentile(took[step], share):.1f}" for share in (0.5, 0.9, 0.99, 1.0)]
        wanted = f"p50 <= {P50_MS}, p99 <= {P99_MS}" if step == STEPS[-1] else ""
        table.add_row(step, str(len(took[step])), *figures, wanted)
    console.print(table)
    rates = found.rates(watched)
    outcomes = Counter(one["outcome"] for one in found.outcomes)
    console.print(
        f"Calls/s: asked {asked}, held {sum(rates) / max(1, len(rates)):.1f}; outcomes: "
        + ", ".join(f"{name} {count}" for name, count in outcomes.most_common())
        + f"; disagreements with the carrier: {len(found.faults)}"
    )
    for fault in found.faults[:5]:
        console.print(f"- {fault}")
    looks = max(1, sum(watched.reasons.values()))
    for reason, times in watched.reasons.most_common(2):
        console.print(f"  {times / looks:4.0%} {reason}", highlight=False)
    cost = Table("process", "CPU ms/call", "RSS MB", title="Cost, agents' rooms and speech included")
    for name in span.before.used:
        cost.add_row(name, f"{1000 * span.cpu_s(name) / max(1, len(attempts)):.2f}", f"{span.rss_mb(name):.0f}")
    console.print(cost)
    console.print(f"Load: {span.load()}")


# ---- Redis between answer and Redirect -------------------------------------------------------------------------------

_LINE = re.compile(r'\+?([0-9.]+) \[[0-9]+ (?!lua)[^\]]+\] "([^"]+)"(?: "([0-9a-f]{40})")?')


@asynccontextmanager
async def monitored(bench: Bench) -> AsyncIterator[list[str]]:
    """Every command that reaches Redis meanwhile, as MONITOR tells it."""
    lines: list[str] = []
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.world.redis.port, limit=1 << 24)

    async def read() -> None:
        while line := await reader.readline():
            lines.append(line.decode(errors="replace"))

    writer.write(b"MONITOR\r\n")
    reading = asyncio.create_task(read())
    try:
        yield lines
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        writer.close()


def steps(console: Console, seen: Seen, attempts: Sequence[str], lines: Sequence[str]) -> None:
    """Commands about an attempt between its answer and its joining."""
    scripts = {digest(name): name for name in sources()}
    told: dict[str, list[tuple[float, str]]] = defaultdict(list)
    joined = [one for one in attempts if one in seen.up and one in seen.joined]
    for line in lines:
        found = _LINE.match(line)
        if found:
            name = scripts.get(found[3] or "", found[2].lower())
            for one in joined:
                if one in line:
                    told[one].append((float(found[1]), name))
    between = Counter(name for one in joined for at, name in told[one] if seen.up[one] <= at <= seen.joined[one])
    said = ", ".join(
        f"{name} {count / len(joined):.2f} ({'waited for' if name in AWAITED else 'written behind, not waited for'})"
        for name, count in between.most_common()
    )
    console.print(f"Redis commands per call between answer and agent, of {len(joined)} calls: {said or 'none'}")
