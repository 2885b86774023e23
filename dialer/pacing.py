"""3/8 pace: how many calls to start now. Snapshot -> Decision(start, end, reason, numbers).

The pacer learns from `observe`d events and decides on a frozen `Snapshot`: no I/O, no clock, deterministic for a seed.
Any simulator may drive it by the names below; plain strings do wherever a StrEnum stands.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from dialer.abandon import Abandons, Fate, Rate, Window, budget
from dialer.model import Campaign, Mode


class Kind(StrEnum):
    """Kinds of pacing events. Every attempt's: launch first, one of live, machine, busy, failed, no_answer last; a live
    one goes on to exactly one of connect, abandon, overflow."""

    LAUNCH = "launch"
    RING = "ring"
    ANSWER = "answer"  # picked up, by whom is not yet known
    LIVE = "live"  # a person (without detection: at the answer)
    MACHINE = "machine"
    BUSY = "busy"
    FAILED = "failed"  # no ringing, no answer: number or network
    NO_ANSWER = "no_answer"  # rang out, or was ended by us
    CONNECT = "connect"  # agent and debtor are joined: the talk begins
    ABANDON = "abandon"  # a live one that got no agent, hang-ups while waiting included
    OVERFLOW = "overflow"  # a live one that went on to the IVR
    TALK_END = "talk_end"
    WRAP_END = "wrap_end"
    IDLE = "idle"
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    BREAK_START = "break_start"
    BREAK_END = "break_end"


@dataclass(frozen=True, slots=True)
class PacingEvent:
    """One thing that happened. `at`: seconds, any epoch; `answer_probability`: 0..1, known at launch, or None."""

    at: float
    kind: Kind | str
    attempt: str | None = None
    agent: str | None = None
    answer_probability: float | None = None


class Working(StrEnum):
    """States of an agent, as the pacer sees them; who is signed out is not in the snapshot."""

    IDLE = "idle"
    RESERVED = "reserved"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    BREAK = "break"


class Flight(StrEnum):
    """States of an attempt that is not yet with an agent, nor reserved for one."""

    DIALING = "dialing"
    RINGING = "ringing"
    DETECTING = "detecting"  # answered, being detected
    WAITING = "waiting"  # live, no agent yet


@dataclass(frozen=True, slots=True)
class AgentSeen:
    """One agent: `since` is when the state began; `leaving`: goes on break or signs out at the next free moment."""

    agent: str
    state: Working | str
    since: float
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class AttemptSeen:
    """One attempt in flight: `since` is when the state began; `launched_at` 0.0: as the events told, else `since`."""

    attempt: str
    state: Flight | str
    since: float
    launched_at: float = 0.0
    answer_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number that may be called next, in order of calling; `answer_probability` 0..1 from the forecast, or None."""

    contact: str
    answer_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """Live answers that came to their end, in the window the law names. `abandoned`: as the law counts them."""

    live: int = 0
    abandoned: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is true at `at` (seconds).

    `counters` None: the pacer counts for itself, by its events. `lines`, `calls_per_second` None: those of the limits;
    else the smaller holds. `other_lines`: lines in use that are neither in `attempts` nor with a talking or reserved
    agent (IVR, message, held, inbound). `candidates` may be empty: nothing is known of the numbers; an empty list is a
    hold.
    `waiting_first`: inbound calls and call-backs that are served before new ones. `holds`: sentences why no call may
    start now. `draining`: the shift ends, no call any more.
    """

    at: float
    agents: tuple[AgentSeen, ...] = ()
    attempts: tuple[AttemptSeen, ...] = ()
    counters: Counters | None = None
    lines: int | None = None
    calls_per_second: float | None = None
    other_lines: int = 0
    candidates: tuple[Candidate, ...] = ()
    waiting_first: int = 0
    holds: tuple[str, ...] = ()
    draining: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Start `start` new calls, end the ringing attempts `end`.

    `reason`: a sentence for a supervisor; `numbers`: what is behind it. `chosen`:
    contacts out of the candidates, at most `start`; empty: take them in order.
    """

    start: int
    end: tuple[str, ...]
    reason: str
    numbers: Mapping[str, float]
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What the pacer must keep. Rates are fractions of live answers: 0.03 is 3 %.

    `ratio`: lines per free agent in Mode.RATIO. `lines_max`: all lines, talks included. `lines_per_agent_max`: attempts
    in flight per working agent. `target`: the abandon rate that predictive steers to; 0.0: a little under
    `abandon_rate_max`. `window`: where the abandon rate is measured. `overflow_counts`: the law counts an overflow to
    the IVR as abandoned.
    `connect_limit_s`: how long a live call may wait. `ring_min_s`: no ringing call is ended before.
    """

    mode: Mode = Mode.PROGRESSIVE
    ratio: float = 1.0
    lines_max: int = 30
    lines_per_agent_max: float = 3.0
    calls_per_second: float = 5.0
    abandon_rate_max: float = 0.03
    target: float = 0.0
    window: Window = Window.CAMPAIGN
    overflow_counts: bool = True
    connect_limit_s: float = 2.0
    ring_min_s: float = 15.0

    @classmethod
    def of(cls, campaign: Campaign, window: Window = Window.CAMPAIGN, overflow_counts: bool = True) -> Self:
        """The limits that a campaign's settings and its rule pack (`window`, `overflow_counts`) ask for."""
        return cls(
            mode=campaign.mode,
            ratio=campaign.ratio,
            lines_max=campaign.lines_max,
            lines_per_agent_max=campaign.lines_per_agent_max,
            calls_per_second=campaign.calls_per_second,
            abandon_rate_max=campaign.abandon_rate_max,
            window=window,
            overflow_counts=overflow_counts,
            connect_limit_s=campaign.connect_limit_ms / 1000,
        )


class Pacer:
    """Decides for one campaign. `limits` may be replaced at any time; what was learnt stays."""

    def __init__(self, limits: Limits, seed: int = 0) -> None:
        self.limits = limits
        self._seed = seed  # nothing is drawn by chance yet; the interface promises it
        self._bucket = _Bucket()
        self._abandons: Abandons | None = None

    def observe(self, event: PacingEvent) -> None:
        """Learn from one event. Events may be missing or late; an unknown kind is ignored."""
        fate = _FATES.get(event.kind)
        if fate is not None and event.attempt is not None:
            if self._abandons is None:
                self._abandons = Abandons(event.at, overflow_counts=self.limits.overflow_counts)
            self._abandons.add(event.at, fate)

    def decide(self, snapshot: Snapshot) -> Decision:
        """How many calls to start now; takes them out of the calls per second, so call it only to act on it."""
        room = _Room.of(snapshot, self.limits)
        numbers = room.numbers()
        self._bucket.refill(snapshot.at, room.calls_per_second)
        stop = _stop(snapshot, room, self.limits.mode)
        if stop:
            return Decision(0, (), f"No calls: {stop}", numbers)
        wanted, why = self._wanted(snapshot, room, numbers)
        start, cut = self._capped(wanted, room)
        numbers["wanted"], numbers["start"] = float(wanted), float(start)
        self._bucket.take(start)
        return Decision(start, (), _sentence(start, why, cut), numbers)

    def _counters(self, snapshot: Snapshot) -> Counters:
        if snapshot.counters is not None:
            return snapshot.counters
        rate = self._abandons.rate(self.limits.window, snapshot.at) if self._abandons else Rate()
        return Counters(rate.live, rate.counted)

    def _wanted(self, snapshot: Snapshot, room: "_Room", numbers: dict[str, float]) -> tuple[int, str]:
        if self.limits.mode is Mode.IVR:
            return room.lines_left, f"{room.lines_used} of {room.lines} lines in use"
        counters = self._counters(snapshot)
        left = budget(counters.abandoned, counters.live, self.limits.abandon_rate_max)
        numbers |= {"live": float(counters.live), "abandoned": float(counters.abandoned), "budget": left}
        progressive = room.free - room.in_flight
        seen = f"{_agents(room.free)} free, {room.in_flight} calls under way"
        if self.limits.mode is Mode.RATIO and left >= 1.0:
            wanted = math.floor(self.limits.ratio * room.free) - room.in_flight
            return wanted, f"{seen}, {self.limits.ratio:g} lines for each"
        return progressive, seen

    def _capped(self, wanted: int, room: "_Room") -> tuple[int, str]:
        limits = self.limits
        caps = [(self._bucket.whole(), f"{room.calls_per_second:g} calls per second")]
        caps.append((room.lines_left, f"{room.lines} lines"))
        if limits.mode is not Mode.IVR:
            caps.append((room.per_agent_left, f"{limits.lines_per_agent_max:g} lines per agent"))
        start, cut = max(0, wanted), ""
        for cap, name in caps:
            if start > max(0, cap):
                start, cut = max(0, cap), name
        return start, cut


_FATES: dict[str, Fate] = {
    Kind.CONNECT: Fate.SERVED, Kind.ABANDON: Fate.ABANDONED, Kind.OVERFLOW: Fate.OVERFLOWED
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Room:
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
    _numbers: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, seen: Snapshot, limits: Limits) -> Self:
        staying = [agent for agent in seen.agents if not agent.leaving and agent.state != Working.BREAK]
        talking = sum(agent.state == Working.TALKING for agent in seen.agents)
        reserved = sum(agent.state == Working.RESERVED for agent in seen.agents)
        lines = limits.lines_max if seen.lines is None else min(limits.lines_max, seen.lines)
        rate = limits.calls_per_second
        return cls(
            free=max(0, sum(agent.state == Working.IDLE for agent in staying) - seen.waiting_first),
            working=len(staying),
            in_flight=len(seen.attempts),
            ringing=sum(attempt.state == Flight.RINGING for attempt in seen.attempts),
            waiting=sum(attempt.state == Flight.WAITING for attempt in seen.attempts),
            lines=max(0, lines),
            lines_used=len(seen.attempts) + talking + reserved + seen.other_lines,
            per_agent=math.floor(limits.lines_per_agent_max * len(staying)),
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


class _Bucket:
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


def _stop(seen: Snapshot, room: _Room, mode: Mode) -> str:
    if seen.holds:
        return "; ".join(seen.holds)
    if seen.draining:
        return "the shift ends"
    if mode is not Mode.IVR and room.working == 0:
        return "no agent is working"
    return ""


def _agents(count: int) -> str:
    return "1 agent" if count == 1 else f"{count} agents"


def _sentence(start: int, why: str, cut: str) -> str:
    calls = "No calls" if start == 0 else "1 call" if start == 1 else f"{start} calls"
    return f"{calls}: {why}" + (f"; held to {cut}" if cut else "")
