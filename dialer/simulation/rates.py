"""One shift over its time: the abandon rate in each window, calls per hour, waits."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from dialer.law.abandon import LAST
from dialer.simulate import Summary
from dialer.simulation.result import ROLLING_S, Result

WINDOWS = ("shift so far", "30 minutes", f"last {LAST}")
FEW = 20  # live answers before a rate means anything
WAITS_S = (0.05, 0.5, 1.0, 1.5, 2.0)  # upper ends of the classes of waits; the first is "at once"


def rates(result: Result, end: float, points: int) -> dict[str, list[float | None]]:
    """By window, the abandon rate at `points` moments up to `end`; None: too few answers yet."""
    times = [at for at, _ in result.fates]
    bad = [0]
    for _, abandoned in result.fates:
        bad.append(bad[-1] + abandoned)
    found: dict[str, list[float | None]] = {name: [] for name in WINDOWS}
    for number in range(1, points + 1):
        at = end * number / points
        upto = bisect_right(times, at)
        begins = (0, bisect_right(times, at - ROLLING_S), max(0, upto - LAST))
        for name, begin in zip(WINDOWS, begins, strict=True):
            enough = upto >= FEW and upto > begin
            found[name].append((bad[upto] - bad[begin]) / (upto - begin) if enough else None)
    return found


def calls_per_hour(result: Result, end: float, points: int) -> list[float]:
    """Calls launched per hour, in `points` equal stretches of the shift."""
    counts = [0] * points
    for at in result.starts:
        counts[min(points - 1, int(points * at / end))] += 1
    return [count * 3600 * points / end for count in counts]


def busiest_of(found: Sequence[tuple[Summary, Result]], end: float, points: int) -> float:
    """The most calls per hour in any stretch; who knows the future starts with a burst that would dwarf the others."""
    some = [first for one, first in found if one.name != "clairvoyant"] or [first for _, first in found]
    return max([1.0, *(max(calls_per_hour(first, end, points)) for first in some)])


def waits(result: Result) -> list[float]:
    """Share of live answers by how long they waited: the classes of WAITS_S, longer, abandoned."""
    counts = [0] * (len(WAITS_S) + 1)
    for wait in result.waits:
        counts[next((n for n, most in enumerate(WAITS_S) if wait <= most), len(WAITS_S))] += 1
    every = max(1, len(result.waits) + result.abandoned)
    return [count / every for count in (*counts, result.abandoned)]


def waits_named() -> list[str]:
    """Names of the classes that `waits` gives."""
    return [
        "at once",
        *(f"{low:g}-{high:g} s" for low, high in pairwise(WAITS_S)),
        f"over {WAITS_S[-1]:g} s",
        "abandoned",
    ]
