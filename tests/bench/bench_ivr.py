"""300 conversations with the IVR at once on the real Asterisk: what each process pays, and what the debtors hear."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from statistics import fmean
from time import monotonic

from rich.console import Console
from rich.table import Table

from dialer.adapters.redis_store import RedisStore
from tests.bench import campaign
from tests.bench.gaps import Gaps
from tests.bench.meter import Moment, Span, percentile, threads
from tests.bench.world import CARRIER_HOST, Bench, Wanted

CALLS = 300
RATE = 30
CAMPAIGN = "demo-ivr"
MIX = {"keys_none": 50, "keys_right": 35, "keys_wrong": 15}
HOLD_S = 25.0
ONE_IN = 4  # of the calls, watched packet by packet


def wanted(_: bool) -> Wanted:
    """What it runs on."""
    return Wanted(2 * CALLS, RATE)


async def measure(bench: Bench, store: RedisStore, console: Console, quick: bool) -> None:
    """Fill the lines, hold them, end."""
    calls, hold_s = (20, 3.0) if quick else (CALLS, HOLD_S)
    ramp_s = calls / RATE + (2 if quick else 8)
    settings = ("--kind", "ivr", *campaign.setting(lines_max=calls, calls_per_second=RATE, ring_s=15))
    contacts = calls + round(RATE * (ramp_s + hold_s))
    asked = campaign.Asked(CAMPAIGN, settings, MIX, contacts, delay_s=campaign.soon)
    await campaign.load(bench, asked)
    await campaign.led(store, CAMPAIGN)
    console.print(f"{calls} lines, {RATE} new calls/s; measured for {hold_s:.0f} s when they are full")
    watching = asyncio.create_task(campaign.run(bench, store, CAMPAIGN, ramp_s + hold_s))
    try:
        await asyncio.sleep(ramp_s)
        before = Moment.now(bench.pids)
        with _listening(1 if quick else ONE_IN) as gaps:
            up = await _hold(bench, hold_s - 1)
        span, thread_count = Span(before, Moment.now(bench.pids)), threads(bench.world.ivr.pid)
        heard = _channel_stats(await bench.world.carrier.process.console("pjsip show channelstats"))
        await watching
    finally:
        watching.cancel()
    await bench.world.carrier.process.console("channel request hangup all")
    await campaign.settle(bench, store, CAMPAIGN)
    console.print(str(gaps) if gaps else "RTP gaps are not measured: that takes the right to read packets (root).")
    show(console, calls, up, span, thread_count, heard, await campaign.books(bench, store, asked))


@contextmanager
def _listening(one_in: int) -> Iterator[Gaps | None]:
    """At the carrier; None where this machine does not let us."""
    gaps = Gaps(CARRIER_HOST, one_in)
    try:
        gaps.start()
    except PermissionError:
        yield None
        return
    try:
        yield gaps
    finally:
        gaps.stop()


async def _hold(bench: Bench, seconds: float) -> list[float]:
    """How many channels the PBX has, each second."""
    ends, up = monotonic() + seconds, []
    while monotonic() < ends:
        said = await bench.world.pbx.console("core show channels count")
        up.append(float(said.split()[0]))
        await asyncio.sleep(1.0)
    return up


def _channel_stats(said: str) -> list[tuple[int, int, float]]:
    """(packets received, lost, jitter ms) of each channel of the carrier: what the debtors' telephones heard."""
    found = []
    for line in said.splitlines():
        words = line.split()
        at = next((i for i, word in enumerate(words) if word in ("ulaw", "alaw")), None)
        if at is not None and len(words) > at + 4:
            count, lost, jitter = words[at + 1], words[at + 2], words[at + 4]
            packets = int(float(count.rstrip("K")) * (1000 if count.endswith("K") else 1))
            found.append((packets, int(lost), 1000 * float(jitter)))
    return found


def _ms_between(outcome: dict[str, str], first: str, second: str) -> float:
    began, ended = (datetime.fromisoformat(outcome[name]) for name in (first, second))
    return 1000 * (ended - began).total_seconds()


def show(
    console: Console,
    asked: int,
    up: list[float],
    span: Span,
    thread_count: int,
    heard: list[tuple[int, int, float]],
    found: campaign.Books,
) -> None:
    """Cost by process, what was heard, outcomes."""
    calls = fmean(up) if up else 0.0
    table = Table("process", "CPU, % of one", "CPU ms/s per call", "RSS MB", title=f"{asked} IVR calls at once")
    for name in span.before.used:
        share = span.cpu_s(name) / span.seconds
        table.add_row(name, f"{100 * share:.0f}", f"{1000 * share / max(1.0, calls):.2f}", f"{span.rss_mb(name):.0f}")
    console.print(table)
    console.print(
        f"Up at once: mean {calls:.0f}, least {min(up, default=0):.0f}, most {max(up, default=0):.0f};"
        f" the IVR had {thread_count} threads."
    )
    packets, lost = sum(one[0] for one in heard), sum(one[1] for one in heard)
    jitter = [one[2] for one in heard]
    console.print(
        f"RTP as the carrier received it, {len(heard)} calls: lost {lost} of about {packets:,} packets; jitter p50"
        f" {percentile(jitter, 0.5):.1f} ms, p99 {percentile(jitter, 0.99):.1f} ms (of those up at that moment)."
    )
    began = [_ms_between(dict(one), "answered_at", "ivr_at") for one in found.outcomes if one["ivr_at"]]
    outcomes = Counter(one["outcome"] for one in found.outcomes)
    console.print(
        f"Answer to the IVR's begin: p50 {percentile(began, 0.5):.0f} ms, p99 {percentile(began, 0.99):.0f} ms;"
        " outcomes: "
        + ", ".join(f"{name} {count}" for name, count in outcomes.most_common())
        + f"; disagreements with the carrier: {len(found.faults)}"
    )
    for fault in found.faults[:5]:
        console.print(f"- {fault}")
    console.print(f"Load: {span.load()}")
