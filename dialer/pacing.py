"""3/8 pace: how many calls to start now. Snapshot -> Decision(start, end, reason, numbers).

The pacer learns from `observe`d events and decides on a frozen `Snapshot`: no I/O, no clock, deterministic for a seed.
Any simulator may drive it by the names below; plain strings do wherever a StrEnum stands.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

import numpy as np

from dialer.abandon import Abandons, Fate, Rate, Window, budget
from dialer.learnt import AGE_MAX, HORIZONS, Answers, Busy, Floats, sum_at_least
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
        self._learner = _Learner()
        self._price = _PRICE_FIRST

    def observe(self, event: PacingEvent) -> None:
        """Learn from one event. Events may be missing, late or doubled; an unknown kind is ignored."""
        self._learner.observe(event)
        fate = _FATES.get(event.kind)
        if fate is not None and self._learner.settles(event):
            if self._abandons is None:
                self._abandons = Abandons(event.at, overflow_counts=self.limits.overflow_counts)
            self._abandons.add(event.at, fate)
            self._steer(fate is Fate.ABANDONED or (fate is Fate.OVERFLOWED and self.limits.overflow_counts))

    def _steer(self, abandoned: bool) -> None:
        """Dual ascent on the price of an abandoned call: too many abandons make it dearer, too few cheaper."""
        target = self.limits.target or _UNDER_LIMIT * self.limits.abandon_rate_max
        self._price *= math.exp(_STEP * (target - abandoned))
        self._price = min(_PRICE_MAX, max(_PRICE_MIN, self._price))

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
        """Calls wanted before the caps, and why. Over the abandon limit every mode is progressive."""
        mode = self.limits.mode
        if mode is Mode.IVR:
            return room.lines_left, f"{room.lines_used} of {room.lines} lines in use"
        counters = self._counters(snapshot)
        left = budget(counters.abandoned, counters.live, self.limits.abandon_rate_max) + 1e-9
        numbers |= {"live": float(counters.live), "abandoned": float(counters.abandoned), "budget": left}
        progressive = room.free - room.in_flight
        seen = f"{_agents(room.free)} free, {room.in_flight} under way"
        if mode is Mode.PROGRESSIVE:
            return progressive, seen
        if left < 1.0:
            return progressive, f"{seen}, one call per free agent because {_no_budget(counters, self.limits)}"
        if mode is Mode.RATIO:
            return math.floor(
                self.limits.ratio * room.free
            ) - room.in_flight, f"{seen}, {self.limits.ratio:g} lines each"
        if self._learner.cold:
            return progressive, f"{seen}, one call per free agent until enough answers were seen"
        most = min(self._bucket.whole(), room.lines_left, room.per_agent_left)
        predicted, soon = self._predict(snapshot, room, left, max(0, most), numbers)
        rate = self._learner.answers.rate
        why = f"{_agents(room.free)} free and {soon:.1f} soon, {room.in_flight} under way, answer rate {rate:.0%}"
        return max(progressive, predicted), f"{why}, {_abandons(math.floor(left))} left in the budget"

    def _predict(
        self, snapshot: Snapshot, room: "_Room", left: float, most: int, numbers: dict[str, float]
    ) -> tuple[int, float]:
        """How many new calls are each worth their chance to be abandoned; and how many agents will be free in time."""
        forecast = self._learner.forecast(snapshot, self.limits.connect_limit_s)
        needed = room.free + forecast.busy - room.waiting
        # one column per age at which a new call may turn live, all equally likely
        chances = sum_at_least(forecast.chances, forecast.new, needed, max(0, most - 1)).mean(axis=1)
        price = self._price * min(1.0, left / _BUDGET_EASY)
        numbers |= {
            "answer_rate": self._learner.answers.rate,
            "free_soon": forecast.free_soon,
            "live_soon": forecast.live_soon,
            "price": price,
            "abandon_chance": float(chances[0]),
        }
        return min(most, int(np.searchsorted(chances, price, side="right"))), forecast.free_soon

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


_PRICE_FIRST, _PRICE_MIN, _PRICE_MAX = 0.05, 0.001, 0.5  # chance of being abandoned at which a call is not started
_STEP = 0.2
_UNDER_LIMIT = 0.93
_BUDGET_EASY = 4.0  # with fewer abandons left in the budget the price falls

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


@dataclass(slots=True)
class _Call:
    """What is known of an attempt in flight."""

    launched: float
    rang: float | None = None
    answered: bool = False


@dataclass(frozen=True, slots=True)
class _Forecast:
    """Chances [event, horizon] that a call turns live or a busy agent is still busy, and [horizon] for a new call."""

    chances: Floats
    new: Floats
    busy: int
    free_soon: float
    live_soon: float


class _Learner:
    """Turns events into samples, and samples into a forecast."""

    def __init__(self) -> None:
        self.answers, self.busy = Answers(), Busy()
        self._calls: dict[str, _Call] = {}
        self._live: dict[str, float] = {}
        self._talks: dict[str, float] = {}
        self._wraps: dict[str, tuple[float, float]] = {}
        self._failures = 0

    @property
    def cold(self) -> bool:
        """Too little was seen to predict."""
        answers = self.answers
        return answers.finished < _COLD_CALLS or answers.lives < _COLD_LIVES or self.busy.seen < _COLD_LIVES

    def observe(self, event: PacingEvent) -> None:
        if event.attempt is not None:
            self._call(event, event.attempt)
        if event.agent is not None:
            self._agent(event, event.agent)

    def settles(self, event: PacingEvent) -> bool:
        """The first word on what became of this live answer."""
        return event.attempt is not None and self._live.pop(event.attempt, None) is not None

    def _call(self, event: PacingEvent, attempt: str) -> None:
        kind = event.kind
        if kind == Kind.LAUNCH:
            self._calls[attempt] = _Call(event.at)
            return
        call = self._calls.get(attempt)
        if call is None:
            return
        if kind == Kind.RING:
            call.rang = event.at if call.rang is None else call.rang
        elif kind == Kind.ANSWER:
            call.answered = True
        elif kind in _ENDS or kind in _FATES:
            del self._calls[attempt]
            self._ended(event, call, attempt)

    def _ended(self, event: PacingEvent, call: _Call, attempt: str) -> None:
        live = event.kind == Kind.LIVE or event.kind in _FATES
        if live:
            self._live[attempt] = event.at
        # A row of failures is a dead trunk, not a bad list: nothing is to be learnt from it.
        self._failures = self._failures + 1 if event.kind == Kind.FAILED else 0
        if self._failures <= _FAILURES_LEARNT:
            ring_age = None if call.rang is None else event.at - call.rang
            self.answers.end(live, event.at - call.launched, ring_age, call.answered or live)

    def _agent(self, event: PacingEvent, agent: str) -> None:
        if event.kind == Kind.CONNECT:
            self._talks[agent] = event.at
        elif event.kind == Kind.TALK_END and agent in self._talks:
            self._wraps[agent] = (event.at, event.at - self._talks.pop(agent))
        elif event.kind in _WRAPPED and agent in self._wraps:
            since, talk = self._wraps.pop(agent)
            self.busy.add(max(0.0, talk), max(0.0, event.at - since))

    def forecast(self, seen: Snapshot, wait_s: float) -> _Forecast:
        """`wait_s`: how long a live call may wait for an agent to get free."""
        self._tidy(seen)
        horizons = self.answers.horizons()
        staying = [agent for agent in seen.agents if not agent.leaving]
        talking = [seen.at - agent.since for agent in staying if agent.state == Working.TALKING]
        talking += [0.0 for agent in staying if agent.state == Working.RESERVED]
        wrapping = [seen.at - agent.since for agent in staying if agent.state == Working.WRAP_UP]
        free = self.busy.free_within(np.array(talking), np.array(wrapping), horizons + wait_s)
        live = self._live_by(seen)
        return _Forecast(
            chances=np.concatenate([live, 1.0 - free]),
            new=self.answers.live_by()[0, 0],
            busy=len(free),
            free_soon=float(free.mean(axis=1).sum()),
            live_soon=float(live.mean(axis=1).sum()),
        )

    def _live_by(self, seen: Snapshot) -> Floats:
        """[attempt, horizon]: chance that it turns live in time; those waiting are counted elsewhere."""
        rows, ages, detecting = [], [], 0
        for attempt in seen.attempts:
            if attempt.state == Flight.DETECTING:
                detecting += 1
            elif attempt.state != Flight.WAITING:
                ringing = attempt.state == Flight.RINGING
                rows.append(1 if ringing else 0)
                ages.append(seen.at - (attempt.since if ringing else self._launched(attempt)))
        index = np.clip(np.array(ages, dtype=np.float64), 0, AGE_MAX).astype(np.intp)
        answered = np.full((detecting, HORIZONS), self.answers.person)
        return np.concatenate([self.answers.live_by()[np.array(rows, dtype=np.intp), index], answered])

    def _launched(self, attempt: AttemptSeen) -> float:
        call = self._calls.get(attempt.attempt)
        return call.launched if call is not None else attempt.launched_at or attempt.since

    def _tidy(self, seen: Snapshot) -> None:
        """Forget calls and answers whose end was never told."""
        if len(self._calls) > 2 * len(seen.attempts) + 500:
            up = {attempt.attempt for attempt in seen.attempts}
            self._calls = {attempt: call for attempt, call in self._calls.items() if attempt in up}
        while len(self._live) > 2 * len(seen.attempts) + 500:
            del self._live[next(iter(self._live))]


_ENDS = frozenset({Kind.LIVE, Kind.MACHINE, Kind.BUSY, Kind.FAILED, Kind.NO_ANSWER})
_WRAPPED = frozenset({Kind.WRAP_END, Kind.IDLE, Kind.BREAK_START, Kind.SIGN_OUT})
_COLD_CALLS, _COLD_LIVES = 40, 10
_FAILURES_LEARNT = 5


def _stop(seen: Snapshot, room: _Room, mode: Mode) -> str:
    if seen.holds:
        return "; ".join(seen.holds)
    if seen.draining:
        return "the shift ends"
    if mode is not Mode.IVR and room.working == 0:
        return "no agent is working"
    return ""


def _no_budget(counters: Counters, limits: Limits) -> str:
    if counters.live == 0:
        return "nobody has answered yet"
    limit = f"the limit of {limits.abandon_rate_max:.1%}"
    return f"one more abandon would pass {limit} ({counters.abandoned} of {counters.live} answers)"


def _abandons(count: int) -> str:
    return "1 abandon" if count == 1 else f"{count} abandons"


def _agents(count: int) -> str:
    return "1 agent" if count == 1 else f"{count} agents"


def _sentence(start: int, why: str, cut: str) -> str:
    calls = "No calls" if start == 0 else "1 call" if start == 1 else f"{start} calls"
    return f"{calls}: {why}" + (f"; held to {cut}" if cut else "")
