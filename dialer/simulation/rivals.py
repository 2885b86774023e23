"""Other ways to pace, to be compared with: fixed ratio, VICIdial's two adaptive modes, and one that knows the future.

VICIdial's are written from its description (AST_VDadapt, AST_VDauto_dial): every 2.5 s as many lines as level * agents,
talks included; every 15 s the level follows the mean surplus of ready agents; drops only brake it.
"""

from collections import deque
from math import floor

from dialer.pace.snapshot import Decision, Flight, Kind, PacingEvent, Snapshot, Working
from dialer.simulation.world import World

_BUSY = (Working.TALKING, Working.RESERVED)
_DROPS_FROM = 50  # live answers before VICIdial looks at its drop rate
_TAPER_FROM_H = 2.0  # shifts begin at 9:00, and before 11:00 it does not brake


def _start(calls: int, reason: str) -> Decision:
    return Decision(max(0, calls), (), reason, {})


class FixedRatio:
    """So many lines per agent who is signed in and not on break, talks included; no brake."""

    def __init__(self, ratio: float, lines: int, calls_per_second: float) -> None:
        self._ratio, self._lines = ratio, lines
        self._bucket = _Bucket(calls_per_second)

    def observe(self, event: PacingEvent) -> None:
        """It learns nothing."""

    def decide(self, snapshot: Snapshot) -> Decision:
        """Fill the lines up."""
        agents = sum(one.state != Working.BREAK for one in snapshot.agents)
        used = len(snapshot.attempts) + sum(one.state in _BUSY for one in snapshot.agents)
        wanted = min(floor(self._ratio * agents), self._lines) - used
        return _start(self._bucket.take(wanted, snapshot.at), "fixed ratio")


class Vicidial:
    """ADAPT_HARD_LIMIT, or ADAPT_TAPERED where `tapered`, with default settings."""

    def __init__(
        self, lines: int, calls_per_second: float, hours: float, tapered: bool = False, limit: float = 0.03
    ) -> None:
        self._lines, self._hours, self._tapered, self._limit = lines, hours, tapered, limit
        self._bucket = _Bucket(calls_per_second)
        self._level, self._dialled_at, self._adapted_at = 1.0, -10.0, 0.0
        self._live = self._dropped = 0
        self._surplus: deque[int] = deque(maxlen=15)
        self._sampled_at = -1.0

    def observe(self, event: PacingEvent) -> None:
        """Counts since midnight."""
        self._live += event.kind == Kind.LIVE
        self._dropped += event.kind == Kind.ABANDON

    def decide(self, snapshot: Snapshot) -> Decision:
        """Lines up to the level."""
        agents = sum(one.state != Working.BREAK for one in snapshot.agents)
        ready = sum(one.state == Working.IDLE for one in snapshot.agents)
        waiting = sum(one.state == Flight.WAITING for one in snapshot.attempts)
        if snapshot.at - self._sampled_at >= 1.0:
            self._surplus.append(ready - waiting)
            self._sampled_at = snapshot.at
        if snapshot.at - self._adapted_at >= 15.0 and agents:
            self._adapted_at = snapshot.at
            mean = sum(self._surplus) / max(1, len(self._surplus))
            self._level = min(3.0, max(1.0, self._level * (1.0 + mean / agents)))
            self._brake(snapshot.at / 3600)
        if snapshot.at - self._dialled_at < 2.5:
            return _start(0, "every 2.5 s")
        self._dialled_at = snapshot.at
        used = len(snapshot.attempts) + sum(one.state in _BUSY for one in snapshot.agents)
        wanted = min(floor(self._level * agents), self._lines) - used
        return _start(self._bucket.take(wanted, snapshot.at), f"level {self._level:.2f}")

    def _brake(self, hour: float) -> None:
        if self._live < _DROPS_FROM or self._dropped <= self._limit * self._live:
            return
        if not self._tapered:
            self._level = 1.0
        elif hour >= _TAPER_FROM_H:
            left = max(0.0, 1.0 - (hour - _TAPER_FROM_H) / max(0.1, self._hours - _TAPER_FROM_H))
            self._level = 1.0 + (self._level - 1.0) * left


class Clairvoyant:
    """Knows who will answer when, and when each agent gets free: what no pacer can pass. Set `world` before use."""

    world: World

    def __init__(self) -> None:
        self._coming: dict[str, float] = {}  # lead or call -> when it turns live

    def observe(self, event: PacingEvent) -> None:
        """It knows already."""

    def decide(self, snapshot: Snapshot) -> Decision:
        """A lead for every agent without one, so that he answers when the agent gets free."""
        at, world = snapshot.at, self.world
        self._coming = {lead: when for lead, when in self._coming.items() if when > at}
        free = sorted(world.free_at(snapshot.at + 40.0))
        for when in sorted(self._coming.values()):
            if free:
                free.pop(0 if free[0] <= when + 0.5 else -1)
        chosen: list[str] = []
        for lead in world.next_leads(40 + 4 * len(free)):
            if not free:
                break
            delay = world.foresee(lead, at)
            if delay is None:
                chosen.append(str(lead))  # everybody is tried
                continue
            fits = [when for when in free if when <= at + delay]
            if fits and (fits[-1] <= at or at + delay <= fits[-1] + 1.0):
                free.remove(fits[-1])
                self._coming[str(lead)] = at + delay
                chosen.append(str(lead))
        return Decision(len(chosen), (), "foreseen", {}, tuple(chosen))


class _Bucket:
    def __init__(self, rate: float) -> None:
        self._rate, self._tokens, self._at = rate, rate, 0.0

    def take(self, wanted: int, at: float) -> int:
        self._tokens = min(max(1.0, 3.0 * self._rate), self._tokens + self._rate * (at - self._at))
        self._at = at
        taken = max(0, min(wanted, floor(self._tokens)))
        self._tokens -= taken
        return taken
