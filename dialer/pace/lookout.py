"""What the pacer expects: events -> what it has learnt; a snapshot -> the chances of the next seconds."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dialer.law.abandon import Fate
from dialer.pace.learnt import AGE_MAX, HORIZONS, Answers, Busy
from dialer.pace.snapshot import Flight, Kind, PacingEvent, Snapshot, Working
from dialer.pace.sums import Floats, scaled

FATES: dict[str, Fate] = {
    Kind.CONNECT: Fate.SERVED, Kind.ABANDON: Fate.ABANDONED, Kind.OVERFLOW: Fate.OVERFLOWED
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Grouped:
    """A snapshot by states: since when each agent who stays, and each call in flight, is in its state."""

    at: float
    agents: dict[str, list[float]]
    flights: dict[str, list[float]]
    told: dict[str, list[float | None]]  # beside flights: the answer probability each was launched with
    ringing: list[str]  # attempts, beside flights
    in_flight: int
    on_lines: int  # agents with a call or about to get one, those about to leave too

    @classmethod
    def of(cls, seen: Snapshot) -> Self:
        """One pass over agents and calls; a state that nobody knows is not grouped."""
        agents: dict[str, list[float]] = {state: [] for state in Working}
        flights: dict[str, list[float]] = {state: [] for state in Flight}
        told: dict[str, list[float | None]] = {state: [] for state in Flight}
        ringing: list[str] = []
        on_lines = 0
        for agent in seen.agents:
            state = agent.state
            on_lines += state in _ON_LINE
            if not agent.leaving and state in agents:
                agents[state].append(agent.since)
        for attempt in seen.attempts:
            if attempt.state in flights:
                flights[attempt.state].append(attempt.since)
                told[attempt.state].append(attempt.answer_probability)
                if attempt.state == Flight.RINGING:
                    ringing.append(attempt.attempt)
        return cls(seen.at, agents, flights, told, ringing, len(seen.attempts), on_lines)

    def ages(self, state: Working) -> Floats:
        """How long the agents in `state` have been there, seconds."""
        return self.at - np.array(self.agents[state])

    def flight_ages(self, state: Flight) -> Floats:
        """How long the calls in `state` have been there, seconds."""
        return self.at - np.array(self.flights[state])


_ON_LINE = frozenset({Working.TALKING, Working.RESERVED})


@dataclass(slots=True)
class _Call:
    """What is known of an attempt in flight."""

    launched: float
    rang: float | None = None
    answered: bool = False
    told: float | None = None  # its answer probability at launch
    live: bool | None = None  # None: not known yet
    learnt: bool = True  # teaches something of the answer rate


@dataclass(frozen=True, slots=True)
class Forecast:
    """Chances [event, horizon] that a call turns live or a busy agent is still busy.

    `new`: of a new call, [horizon], or [call, horizon] where the candidates have forecasts.
    """

    chances: Floats
    new: Floats
    calls: int  # of `chances`, the first
    unsure: float  # relative variance of the answer rate
    storm: float  # odds of an answer in a storm that may begin any moment, over those of now
    busy: int
    free_soon: float
    live_soon: float


class Lookout:
    """Turns events into samples, and samples into a forecast."""

    def __init__(self) -> None:
        self.answers, self.busy = Answers(), Busy()
        self._calls: dict[str, _Call] = {}
        self._launched: deque[_Call] = deque()  # in order, until it is known whether they were answered early
        self._live: dict[str, float] = {}
        self._talks: dict[str, float] = {}
        self._wraps: dict[str, tuple[float, float]] = {}
        self._failing = 0.0
        self._foretold = False  # any call came with a forecast
        self._settled: dict[str, None] = {}  # calls whose fate is known, the oldest first

    @property
    def cold(self) -> bool:
        """Too little was seen to predict."""
        answers = self.answers
        return answers.finished < _COLD_CALLS or answers.lives < _COLD_LIVES or self.busy.seen < _COLD_LIVES

    @property
    def latest_s(self) -> float:
        """How long after its launch a call may still turn live, seconds."""
        seen = self.answers.latest_s + _LATE_S
        return max(_LATEST_S, seen) if self.cold else seen

    def observe(self, event: PacingEvent) -> None:
        if event.attempt is not None:
            self._call(event, event.attempt)
            self._early(event.at)
        if event.agent is not None:
            self._agent(event, event.agent)

    def _early(self, at: float) -> None:
        """Learn the answer rate in the order of launching."""
        launched, early_s = self._launched, self.answers.early_s
        while launched and (launched[0].live is not None or at - launched[0].launched >= early_s):
            call = launched.popleft()
            if call.learnt:
                self.answers.early(bool(call.live), call.told)
        while len(launched) > _LAUNCHED_MOST:
            launched.popleft()

    def settles(self, event: PacingEvent) -> bool:
        """The first word on what became of this live answer. An abandon counts even if its launch was never told."""
        attempt = event.attempt
        if attempt is None or attempt in self._settled:
            return False
        if self._live.pop(attempt, None) is None and event.kind == Kind.CONNECT:
            return False  # an inbound call, say
        self._settle(attempt)
        return True

    def _settle(self, attempt: str) -> None:
        self._settled[attempt] = None
        if len(self._settled) > _SETTLED_MOST:
            del self._settled[next(iter(self._settled))]

    def _call(self, event: PacingEvent, attempt: str) -> None:
        kind = event.kind
        if kind == Kind.LAUNCH:
            self._calls[attempt] = _Call(event.at, told=_sure(event.answer_probability))
            self._foretold = self._foretold or self._calls[attempt].told is not None
            self._launched.append(self._calls[attempt])
            self._settled.pop(attempt, None)  # a name that is used again
            return
        call = self._calls.get(attempt)
        if call is None:
            return
        if kind == Kind.RING:
            call.rang = event.at if call.rang is None else call.rang
        elif kind == Kind.ANSWER:
            call.answered = True
        elif kind in _ENDS or kind in FATES:
            del self._calls[attempt]
            self._ended(event, call, attempt)

    def _ended(self, event: PacingEvent, call: _Call, attempt: str) -> None:
        live = event.kind == Kind.LIVE or event.kind in FATES
        if live:
            self._live[attempt] = event.at
        else:
            self._settle(attempt)
        # When most calls fail it is a dead trunk, not a bad list: nothing is to be learnt from their failing.
        failed = event.kind == Kind.FAILED
        self._failing += (failed - self._failing) / _FAILURES_SEEN
        call.live, call.learnt = live, not (failed and self._failing > _FAILING)
        if call.learnt:
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

    def forecast(self, seen: Grouped, wait_s: float, told: Sequence[float | None] = ()) -> Forecast:
        """`wait_s`: how long a live call may wait for an agent to get free; `told`: forecasts of the next numbers."""
        self._tidy(seen.in_flight)
        horizons = self.answers.horizons()
        talking = np.concatenate([seen.ages(Working.TALKING), np.zeros(len(seen.agents[Working.RESERVED]))])
        free = self.busy.free_within(talking, seen.ages(Working.WRAP_UP), horizons + wait_s)
        live_by = self.answers.live_by()
        live = np.concatenate(
            [
                self._live_by(live_by[0], seen, Flight.DIALING),
                self._live_by(live_by[1], seen, Flight.RINGING),
                np.full((len(seen.flights[Flight.DETECTING]), HORIZONS), self.answers.person),
            ]
        )
        new = np.repeat(live_by[0, :1], max(1, len(told)), axis=0)
        return Forecast(
            chances=np.concatenate([live, 1.0 - free]),
            new=scaled(new, self._gains(told)),
            calls=len(live),
            unsure=self.answers.fast.unsure,
            storm=self.answers.storm,
            busy=len(free),
            free_soon=float(free.sum()) / HORIZONS,
            live_soon=float(live.sum()) / HORIZONS,
        )

    def _live_by(self, by_age: Floats, seen: Grouped, state: Flight) -> Floats:
        return scaled(by_age[_bins(seen.flight_ages(state))], self._gains(seen.told[state]))

    def gained(self, told: Sequence[float | None]) -> dict[str, float]:
        """What the forecasts say beyond the pooled rate: how far they are believed, lives among these next calls."""
        pooled = self.answers.fast.now
        sure = np.array([one for one in map(_sure, told) if one is not None])
        lives = pooled * (len(told) - len(sure)) + float(self.answers.chances(sure).sum())
        return {
            "forecast_slope": self.answers.trust.slope if self._foretold else 0.0,
            "lives_next": lives,
            "lives_next_pooled": pooled * len(told),
        }

    def _gains(self, told: Sequence[float | None]) -> Floats | float:
        """[call, 1]: odds of each over those in the table; one for all where nothing is forecast."""
        pooled = self.answers.gain
        sure = [_sure(one) for one in told]
        if all(one is None for one in sure):
            return pooled
        values = np.array([np.nan if one is None else one for one in sure])
        found: Floats = np.where(np.isnan(values), pooled, self.answers.gains(np.nan_to_num(values, nan=0.5)))[:, None]
        return found

    def _tidy(self, in_flight: int) -> None:
        """Forget the oldest calls and answers when far more are kept than can be: their end was never told."""
        for kept in (self._calls, self._live):
            while len(kept) > 2 * in_flight + 1000:
                del kept[next(iter(kept))]


def _sure(told: float | None) -> float | None:
    """A probability, or None for whatever is none."""
    return told if told is not None and 0.0 <= told <= 1.0 else None


def _bins(ages: Floats) -> NDArray[np.intp]:
    return np.clip(ages, 0, AGE_MAX).astype(np.intp)


_ENDS = frozenset({Kind.LIVE, Kind.MACHINE, Kind.BUSY, Kind.FAILED, Kind.NO_ANSWER})
_WRAPPED = frozenset({Kind.WRAP_END, Kind.IDLE, Kind.BREAK_START, Kind.SIGN_OUT})
_COLD_CALLS, _COLD_LIVES = 40, 10
_FAILURES_SEEN, _FAILING = 8, 0.5
_LAUNCHED_MOST = _SETTLED_MOST = 10_000
_LATE_S, _LATEST_S = 3.0, 60.0  # beyond the latest answers seen; at the least while little was seen
