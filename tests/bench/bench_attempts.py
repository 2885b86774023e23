"""100 attempts a second for a minute over PJSIP, every outcome in the stream, and what each process pays for it.

The base line comes first, in the same run: the same numbers dialled by a bare manager loop without our engine.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic

from rich.console import Console
from rich.table import Table

from dialer.adapters.ami_words import originate
from dialer.adapters.clock import SystemClock
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.site import new_id
from dialer.demo.carrier import number
from dialer.demo.debtors import invent
from dialer.demo.world import CALLER_ID, NODE, TRUNK
from dialer.model import Attempt, Campaign, Kind, Mode, Number
from dialer.originate import order
from tests.bench import campaign
from tests.bench.manager import open_manager
from tests.bench.meter import Moment, Span, percentile
from tests.bench.world import ATTEMPT_HEADER, Bench, Wanted

RATE = 100
CAMPAIGN = "demo-ivr"
# A debtors' list is mostly silence; the answered ones go to the IVR and hang up.
MIX: Mapping[str, int] = {
    "busy": 35, "invalid": 15, "refuses": 10, "rings_out": 15, "hangs_up_at_once": 15, "hangs_up_soon": 10,
}  # fmt: skip
RING_S, POST_DIAL_S = 15, 4
LINES = 1200
SETTINGS = (
    "--kind", "ivr", *campaign.setting(lines_max=LINES, calls_per_second=RATE, ring_s=RING_S),
    *campaign.setting(post_dial_delay_s=POST_DIAL_S),
)  # fmt: skip
BARE_SERIAL = 90_000
PROCESSES = ("engine", "Redis", "IVR", "PBX", "carrier", "this bench")


@dataclass(slots=True)
class Bare:
    """The base line."""

    span: Span
    sent: int
    seconds: float
    answers_ms: list[float] = field(default_factory=list)  # Originate to OriginateResponse, of those not answered


async def bare_loop(bench: Bench, count: int, mix: Mapping[str, int], delay_s: Callable[[int], float] | None) -> Bare:
    """Originate `count` calls, wait until all have ended."""
    clock, started, ended = SystemClock(), dict[str, float](), set[str]()
    took: list[float] = []

    def take(said: Mapping[str, str]) -> None:
        name, uniqueid = said.get("Event"), said.get("Uniqueid", "")
        if name == "OriginateResponse" and uniqueid in started:
            took.append(1000 * (monotonic() - started[uniqueid]))
        elif name == "Hangup" and uniqueid in started:
            ended.add(uniqueid)

    settings = Campaign("bare", "bare", Kind.IVR, Mode.IVR, ring_s=RING_S, post_dial_delay_s=POST_DIAL_S)
    debtors = list(invent(count, mix, 2, clock.today(), BARE_SERIAL))
    numbers = [
        one.row["telepon"] if delay_s is None else number(one.behaviour, BARE_SERIAL + turn, delay_s(turn))
        for turn, one in enumerate(debtors)
    ]
    async with open_manager(bench.manager, take) as manager:
        before, began = Moment.now(bench.pids), monotonic()
        for turn, called in enumerate(numbers):
            await asyncio.sleep(max(0.0, began + turn / RATE - monotonic()))
            attempt = Attempt(
                f"bare-{new_id(clock.now())}", "bare", NODE, "ivr", TRUNK, CALLER_ID, "id", "demo", "", "",
                Number(called, ""),
            )  # fmt: skip
            started[attempt.id] = monotonic()
            manager.send(originate(order(attempt, settings, f"PJSIP/{{digits}}@{TRUNK}", ATTEMPT_HEADER)))
        seconds = monotonic() - began
        until = monotonic() + RING_S + POST_DIAL_S + 10
        while len(ended) < count and monotonic() < until:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)
        return Bare(Span(before, Moment.now(bench.pids)), count, seconds, took)


def wanted(_: bool) -> Wanted:
    """What it runs on."""
    return Wanted(lines=2 * LINES, calls_per_second=2 * RATE)


async def measure(bench: Bench, store: RedisStore, console: Console, quick: bool) -> None:
    """Base line, then the campaign."""
    seconds, bare_calls = (2, 100) if quick else (60, 2000)
    mix = {name: weight for name, weight in MIX.items() if not (quick and name == "rings_out")}
    asked = campaign.Asked(CAMPAIGN, SETTINGS, mix, RATE * (seconds + 6), delay_s=campaign.soon if quick else None)
    loaded_s = await campaign.load(bench, asked)
    console.print(f"dialer load: {asked.contacts:,} rows in {loaded_s:.1f} s")
    await campaign.led(store, CAMPAIGN)
    console.print(f"Base line: a bare manager loop dials {bare_calls:,} such numbers at {RATE}/s")
    bare = await bare_loop(bench, bare_calls, mix, asked.delay_s)
    console.print(f"The campaign: {RATE} attempts/s for {seconds} s")
    before = Moment.now(bench.pids)
    seen = await campaign.run(bench, store, CAMPAIGN, seconds)
    settled_s = await campaign.settle(bench, store, CAMPAIGN)
    span = Span(before, Moment.now(bench.pids))
    show(console, bare, span, seen, await campaign.books(bench, store, asked), settled_s)


def show(
    console: Console, bare: Bare, span: Span, seen: campaign.Watched, found: campaign.Books, settled_s: float
) -> None:
    """Three tables."""
    attempts = len(found.outcomes)
    rates = found.rates(seen)
    held = sum(rates) / len(rates) if rates else 0.0
    table = Table("attempts over PJSIP", "asked", "held", title="100 attempts/s")
    table.add_row("attempts/s, as the carrier saw them", f"{RATE}", f"{held:.1f}")
    table.add_row("seconds: slowest, median, fastest", "", "/".join(f"{v:.0f}" for v in _spread(rates)))
    table.add_row("outcomes in the stream", "one per attempt", f"{attempts:,}")
    table.add_row("calls in the carrier's own log", "", f"{len(found.calls):,}")
    table.add_row("disagreements", "0", str(len(found.faults)))
    table.add_row("last outcome after the last call was asked for", "", f"{settled_s:.1f} s")
    console.print(table)
    for fault in found.faults[:5]:
        console.print(f"- {fault}")
    console.print("Outcomes: " + _counted(Counter(one["outcome"] for one in found.outcomes)))
    looks = max(1, sum(seen.reasons.values()))
    console.print("What the pacer said, by share of looks:")
    for reason, times in seen.reasons.most_common(4):
        console.print(f"  {times / looks:4.0%} {reason}", highlight=False)
    show_cpu(console, bare, span, max(1, attempts))


def show_cpu(console: Console, bare: Bare, span: Span, attempts: int) -> None:
    """CPU per attempt of each process, beside the base line."""
    table = Table("process", "bare loop: CPU ms/attempt", "campaign: CPU ms/attempt", "RSS MB", title="Cost")
    for name in PROCESSES:
        alone = 1000 * bare.span.cpu_s(name) / bare.sent
        table.add_row(name, f"{alone:.2f}", f"{1000 * span.cpu_s(name) / attempts:.2f}", f"{span.rss_mb(name):.0f}")
    console.print(table)
    own, theirs = 1000 * span.cpu_s("engine") / attempts, 1000 * bare.span.cpu_s("PBX") / bare.sent
    word = "no more than" if own <= theirs else "MORE than"
    console.print(f"The engine's {own:.2f} ms is {word} Asterisk's own {theirs:.2f} ms (bare loop, same numbers).")
    took = bare.answers_ms
    console.print(
        f"Bare loop: {bare.sent / bare.seconds:.0f} calls/s; Originate to its response p50"
        f" {percentile(took, 0.5):.0f} ms (busy, invalid and refused come at once)."
    )
    console.print(f"Load in the bare loop: {bare.span.load()}\nLoad in the campaign: {span.load()}")


def _spread(values: list[int]) -> tuple[float, float, float]:
    floats = [float(value) for value in values]
    return percentile(floats, 0.0), percentile(floats, 0.5), percentile(floats, 1.0)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
