"""Whether the engine's memory stays flat over 10,000 attempts."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from dialer.adapters.redis_store import RedisStore
from tests.bench import campaign
from tests.bench.bench_attempts import CAMPAIGN, MIX, RATE, SETTINGS
from tests.bench.bench_attempts import wanted as wanted
from tests.bench.world import Bench

ATTEMPTS = 10_000
STEP = 1000
WARM = 2000  # the store of what was closed lately, pools and caches fill first
LIMIT_S = 180.0


async def measure(bench: Bench, store: RedisStore, console: Console, quick: bool) -> None:
    """At full speed, RSS by the thousand."""
    attempts, step, warm = (300, 50, 100) if quick else (ATTEMPTS, STEP, WARM)
    mix = {name: weight for name, weight in MIX.items() if not (quick and name == "rings_out")}

    def done(counters: Mapping[str, int]) -> bool:
        return counters.get("attempts", 0) >= attempts

    delay_s = campaign.soon if quick else None
    await campaign.load(bench, campaign.Asked(CAMPAIGN, SETTINGS, mix, attempts + 3 * RATE, delay_s=delay_s))
    await campaign.led(store, CAMPAIGN)
    console.print(f"{attempts:,} attempts at {RATE}/s")
    seen = await campaign.run(bench, store, CAMPAIGN, LIMIT_S, done)
    await campaign.settle(bench, store, CAMPAIGN)
    seconds = seen.ended_at - seen.began_at
    console.print(f"{seen.sizes[-1][0]:,} attempts in {seconds:.0f} s: {seen.sizes[-1][0] / seconds:.0f}/s")
    show(console, seen.sizes, step, warm)


def show(console: Console, sizes: list[tuple[int, float]], step: int, warm: int) -> None:
    """One column per step, and the slope after the warm-up."""
    steps: dict[int, float] = {}
    for attempts, rss_mb in sizes:
        steps.setdefault(attempts // step * step, rss_mb)
    table = Table("attempts", *(f"{at:,}" for at in steps), title="Memory of the engine")
    table.add_row("RSS MB", *(f"{rss_mb:.1f}" for rss_mb in steps.values()))
    console.print(table)
    after = [(at, rss_mb) for at, rss_mb in sizes if at >= warm]
    if len(after) < 2 or after[-1][0] == after[0][0]:
        console.print("Too few attempts to tell a slope.")
        return
    (first, before_mb), (last, after_mb) = after[0], after[-1]
    grown = 1024 * (after_mb - before_mb) / (last - first)
    console.print(
        f"From {first:,} to {last:,} attempts it grew by {after_mb - before_mb:.1f} MB: {grown:.2f} kB per attempt"
        " (the ids of the last closed calls and the last acknowledgements are kept, up to a limit)."
    )
