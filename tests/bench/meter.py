"""What processes and the whole machine used, from /proc: CPU seconds, resident memory, and who else was at work."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Self

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Usage:
    """One process up to now, or between two moments (then `rss_mb` is the later one's)."""

    cpu_s: float
    rss_mb: float


def usage(pid: int) -> Usage:
    """Of a living process, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])  # utime, stime
    return Usage(ticks / _TICKS_PER_S, int(fields[21]) * _PAGE / _MB)


def threads(pid: int) -> int:
    """How many threads it has."""
    return len(os.listdir(f"/proc/{pid}/task"))


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything at one moment."""

    at: float
    used: Mapping[str, Usage]
    busy_s: float  # of all CPUs
    steal_s: float

    @classmethod
    def now(cls, pids: Mapping[str, int]) -> Self:
        """Of these processes, by name."""
        words = Path("/proc/stat").read_text().split("\n", 1)[0].split()
        user, nice, system, _, _, irq, softirq, steal = (int(word) / _TICKS_PER_S for word in words[1:9])
        busy_s = user + nice + system + irq + softirq
        return cls(monotonic(), {name: usage(pid) for name, pid in pids.items()}, busy_s, steal)


@dataclass(frozen=True, slots=True)
class Span:
    """What happened between two moments."""

    before: Moment
    after: Moment

    @property
    def seconds(self) -> float:
        """Wall time."""
        return self.after.at - self.before.at

    def cpu_s(self, name: str) -> float:
        """CPU seconds of one process."""
        return self.after.used[name].cpu_s - self.before.used[name].cpu_s

    def rss_mb(self, name: str) -> float:
        """Its resident memory at the end."""
        return self.after.used[name].rss_mb

    def load(self) -> str:
        """How busy the machine was, and how much of it was not ours."""
        cpus = os.cpu_count() or 1
        ours = sum(self.cpu_s(name) for name in self.before.used)
        others = self.after.busy_s - self.before.busy_s - ours
        stolen = self.after.steal_s - self.before.steal_s
        shares = (100 * one / self.seconds for one in (ours, others, stolen))
        words = zip(("these processes", "others", "stolen"), shares, strict=True)
        return f"{cpus} CPUs; of one CPU: " + ", ".join(f"{name} {share:.0f}%" for name, share in words)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed; nan of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
