"""What a snapshot leaves room for: lines, lines per agent, calls per second. No I/O, no clock."""

import math
from dataclasses import dataclass
from typing import Self

from dialer.pace.lookout import Grouped
from dialer.pace.snapshot import Flight, Limits, Snapshot, Working


@dataclass(frozen=True, slots=True)
class Room:
    """What the snapshot leaves room for."""

    free: int  # idle agents who stay
    working: int  # idle, reserved, talking or in wrap-up, and stay
    in_flight: int
    ringing: int
    waiting: int
    lines: int
    lines_used: int
    per_agent: int
    calls_per_second: float

    @classmethod
    def of(cls, seen: Snapshot, grouped: Grouped, limits: Limits) -> Self:
        working = sum(len(since) for state, since in grouped.agents.items() if state != Working.BREAK)
        lines = limits.lines_max if seen.lines is None else min(limits.lines_max, seen.lines)
        rate = limits.calls_per_second
        return cls(
            free=max(0, len(grouped.agents[Working.IDLE]) - seen.waiting_first),
            working=working,
            in_flight=grouped.in_flight,
            ringing=len(grouped.flights[Flight.RINGING]),
            waiting=len(grouped.flights[Flight.WAITING]),
            lines=max(0, lines),
            lines_used=grouped.in_flight + grouped.on_lines + seen.other_lines,
            per_agent=math.floor(limits.lines_per_agent_max * working),
            calls_per_second=rate if seen.calls_per_second is None else min(rate, seen.calls_per_second),
        )

    @property
    def lines_left(self) -> int:
        return self.lines - self.lines_used

    @property
    def per_agent_left(self) -> int:
        return self.per_agent - self.in_flight

    def numbers(self) -> dict[str, float]:
        names = ("free", "working", "in_flight", "ringing", "waiting", "lines", "lines_used", "calls_per_second")
        return {name: float(getattr(self, name)) for name in names}


class Bucket:
    """Calls per second, as a token bucket of one second's worth: starts in T seconds <= rate * T + max(1, rate)."""

    def __init__(self) -> None:
        self._tokens = 0.0
        self._at: float | None = None

    def refill(self, at: float, rate: float) -> None:
        size = max(1.0, rate) if rate > 0 else 0.0
        if self._at is None:
            self._tokens = size
        else:
            self._tokens = min(size, self._tokens + max(0.0, at - self._at) * max(0.0, rate))
        self._at = at

    def whole(self) -> int:
        return math.floor(self._tokens + 1e-9)

    def take(self, calls: int) -> None:
        self._tokens = max(0.0, self._tokens - calls)
