"""1, 100 and 300 conversations with the IVR at once on the real Asterisk: what each process pays, what debtors hear,
and how soon they are answered.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
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

LEVELS = (1, 100, 300)
QUICK_LEVELS = (1, 20)
RATE = 30
CAMPAIGN = "demo-ivr"
MIX = {"keys_none": 10, "keys_right": 75, "keys_wrong": 15}
HOLD_S = 40.0
ANSWER_GOAL_MS = 60.0
SEEN_MOST = 100  # calls that are watched packet by packet


def wanted(_: bool) -> Wanted:
    """What it runs on."""
    return Wanted(2 * LEVELS[-1], RATE)


async def measure(bench: Bench, store: RedisStore, console: Console, quick: bool) -> None:
    """One level after the other, in one campaign; then all that was heard in one table."""
    heard: list[tuple[int, float, Gaps | None]] = []
    first_serial = 0
    for calls in QUICK_LEVELS if quick else LEVELS:
        load, (contacts, gaps) = os.getloadavg()[0], await _level(bench, store, console, calls, first_serial, quick)
        heard.append((calls, load, gaps))
        first_serial += contacts
    show_heard(console, heard)


async def _level(
    bench: Bench, store: RedisStore, console: Console, calls: int, first_serial: int, quick: bool
) -> tuple[int, Gaps | None]:
    """Fill the lines, hold them, end. How many contacts it took, and what was heard."""
    hold_s, rate = (3.0 if quick else HOLD_S), min(RATE, calls)
    ramp_s = calls / rate + (2 if quick or calls == 1 else 8)
    settings = ("--kind", "ivr", *campaign.setting(lines_max=calls, calls_per_second=rate, ring_s=15))
    mix = {"keys_right": 1} if calls == 1 else MIX
    contacts = calls + round(rate * (ramp_s + hold_s))
    asked = campaign.Asked(CAMPAIGN, settings, mix, contacts, first_serial, delay_s=campaign.soon)
    await campaign.load(bench, asked)
    await campaign.led(store, CAMPAIGN)
    console.print(f"{calls} lines, {rate} new calls/s; measured for {hold_s:.0f} s when they are full")
    watching = asyncio.create_task(campaign.run(bench, store, CAMPAIGN, ramp_s + hold_s))
    try:
        await asyncio.sleep(ramp_s)
        before = Moment.now(bench.pids)
        with listening(one_in(calls)) as gaps:
            up = await _hold(bench, hold_s - 1)
        span, thread_count = Span(before, Moment.now(bench.pids)), threads(bench.world.ivr.pid)
        heard = _channel_stats(await bench.world.carrier.process.console("pjsip show channelstats"))
        await watching
    finally:
        watching.cancel()
    await bench.world.carrier.process.console("channel request hangup all")
    await campaign.settle(bench, store, CAMPAIGN)
    console.print(str(gaps) if gaps else "RTP gaps are not measured: that takes the right to read packets (root).")
    books = await campaign.books(bench, store, replace(asked, first_serial=0, contacts=first_serial + contacts))
    show(console, calls, up, span, thread_count, heard, books)
    return contacts, gaps


def one_in(calls: int) -> int:
    """A power of two."""
    return 1 << max(0, (calls - 1) // SEEN_MOST).bit_length()


def show_heard(console: Console, heard: list[tuple[int, float, Gaps | None]]) -> None:
    """One row for each number of calls."""
    table = Table(
        "calls", "load before", "keys", "p50", "p99", "most", "gaps: p99", "largest", "late: p99", "most",
        title="ms from the end of a key to the first sound; RTP gaps; lateness of a 20 ms timer beside it",
    )  # fmt: skip
    for calls, load, gaps in heard:
        if gaps:
            rows = [
                (gaps.answers_ms, (0.5, 0.99, 1)), (gaps.gaps_ms, (0.99, 1)), (gaps.late_ms, (0.99, 1))
            ]  # fmt: skip
            said = [f"{percentile(found, share):.0f}" for found, shares in rows for share in shares]
            table.add_row(str(calls), f"{load:.1f}", str(len(gaps.answers_ms)), *said)
    console.print(table)
    for calls, _, gaps in heard:
        if gaps and calls <= 100 and gaps.answers_ms:
            p99 = percentile(gaps.answers_ms, 0.99)
            kept = "kept" if p99 <= ANSWER_GOAL_MS else "NOT KEPT"
            console.print(f"A key answered within {ANSWER_GOAL_MS:.0f} ms at p99 with {calls} calls: {kept}.")


@contextmanager
def listening(one_in: int) -> Iterator[Gaps | None]:
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
