"""Where the engine's CPU goes while it places 100 attempts a second: cProfile, by part and by function.

cProfile makes small Python functions look dearer than they are: shares count, not seconds.
"""

import pstats
from collections import defaultdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from dialer.adapters.redis_store import RedisStore
from tests.bench import campaign
from tests.bench.bench_attempts import CAMPAIGN, LINES, MIX, RATE, SETTINGS
from tests.bench.world import PROFILE, Bench, Wanted

Function = tuple[str, int, str]  # file, line, name

SECONDS = 30.0
SHOWN = 18
# the first word that is found in a function's file names its part; in order
PARTS = (
    ("/dialer/adapters/ami", "manager link: ours"),
    ("/panoramisk/", "manager link: panoramisk"),
    ("/dialer/adapters/redis", "store: ours"),
    ("/redis/", "store: redis-py"),
    ("/dialer/outcomes", "outcome and record"),
    ("/dialer/stream", "outcome and record"),
    ("/dialer/pacing", "pacing"),
    ("/dialer/pace/", "pacing"),
    ("/dialer/compliance", "gate"),
    ("/dialer/", "calls, floor, engine"),
    ("/asyncio/", "asyncio"),
    ("selectors.py", "asyncio"),
    ("dataclasses.py", "dataclasses"),
    ("<string>", "dataclasses"),
)
BUILT_IN = "~"
WAITING = "poll"  # of select.epoll: the time in which there is nothing to do


def wanted(_: bool) -> Wanted:
    """What it runs on."""
    return Wanted(lines=2 * LINES, calls_per_second=2 * RATE, profile=True)


async def measure(bench: Bench, store: RedisStore, console: Console, quick: bool) -> None:
    """A campaign under cProfile."""
    seconds = 3.0 if quick else SECONDS
    mix = {name: weight for name, weight in MIX.items() if name != "rings_out"}
    contacts = round(RATE * (seconds + 3))
    await campaign.load(bench, campaign.Asked(CAMPAIGN, SETTINGS, mix, contacts, delay_s=campaign.soon))
    await campaign.led(store, CAMPAIGN)
    console.print(f"{RATE} attempts/s for {seconds:.0f} s, the engine under cProfile")
    await campaign.run(bench, store, CAMPAIGN, seconds)
    await campaign.settle(bench, store, CAMPAIGN)
    await bench.world.dialer.stop()
    show(console, pstats.Stats(str(PROFILE)))


def show(console: Console, stats: pstats.Stats) -> None:
    """Two tables."""
    rows: dict[Function, Any] = stats.stats  # type: ignore[attr-defined] # it is there, and in the documentation
    known = {function: row for function, row in rows.items() if WAITING not in function[2]}
    total = sum(row[2] for row in known.values()) or 1.0
    parts: dict[str, float] = defaultdict(float)
    for function, (_, _, own_s, _, callers) in known.items():
        if function[0] == BUILT_IN:  # its time is its callers'
            for caller, (_, _, share_s, _) in callers.items():
                parts[_part(caller[0])] += share_s
        else:
            parts[_part(function[0])] += own_s
    table = Table("part", "own time", title="The engine under load")
    for part, seconds in sorted(parts.items(), key=lambda one: -one[1]):
        table.add_row(part, f"{100 * seconds / total:.1f}%")
    console.print(table)
    table = Table("function", "calls", "own time", title="Hottest functions")
    for (file, line, name), (_, calls, own_s, _, _) in sorted(known.items(), key=lambda one: -one[1][2])[:SHOWN]:
        place = f"{Path(file).parent.name}/{Path(file).name}:{line} {name}" if line else name
        table.add_row(place, f"{calls:,}", f"{100 * own_s / total:.1f}%")
    console.print(table)


def _part(file: str) -> str:
    return next((part for word, part in PARTS if word in file), "the rest of Python and its libraries")
