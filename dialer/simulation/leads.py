"""People on an invented list: what becomes of each of their calls, and what was before today.

A lead's fate comes from the seed alone and not from what the pacer does: two pacers in the same world meet the same
people (common random numbers), and differ by when they call them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dialer.forecast import Try
from dialer.model import Contact, History, Number
from dialer.pace.snapshot import Kind
from dialer.simulation.scenario import Scenario

STOPPED_SHARE = 0.005  # of the list: must not be called any more
ZONE_UNKNOWN_SHARE = 0.05
PAST_DAYS = 60
PAST_TRIES = 6.0
DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one try; seconds from one step to the next.

    `ends`: before anybody picks up, as failed, busy or no_answer; None: somebody or something does. `live`: it is
    passed on to agents, as a person or as a machine taken for one. Talk and wrap-up: of an agent of usual pace.
    """

    ends: Kind | None
    delay_s: float
    ring_s: float = 0.0
    person: bool = False
    live: bool = False
    detect_s: float = 0.0
    patience_s: float = inf
    talk_s: float = 0.0
    wrap_s: float = 0.0

    @property
    def live_after_s(self) -> float:
        """Seconds from the call's start until it is passed on; inf: never."""
        return self.delay_s + self.ring_s + self.detect_s if self.live else inf


class People(Protocol):
    """A list, invented or recorded: leads are numbered in the order of calling."""

    @property
    def size(self) -> int: ...

    def fate(self, lead: int, tries: int, at: float) -> Fate:
        """Of a call at second `at` of the shift, after so many `tries`."""

    def contact(self, lead: int) -> Contact: ...

    def history(self, lead: int, begin: float) -> History:
        """What was before the shift, which began at the epoch second `begin`."""


class Leads:
    """The list of a scenario: as long as a team that is never idle needs."""

    def __init__(self, scenario: Scenario, seed: int, zones: Sequence[str] = ("",)) -> None:
        self._of, self._seed, self._zones = scenario, seed, zones
        self._block = int(400 + scenario.agents * 900)
        mean_s = scenario.talk_s * (1 - scenario.talk_short_share) + scenario.talk_short_s * scenario.talk_short_share
        need = scenario.agents * scenario.hours * 3600 / ((mean_s + scenario.wrap_s) * scenario.answer_rate)
        blocks = [_Block(scenario, (seed, 1, *_more(n)), self._block) for n in range(1 + int(need / self._block))]
        self.own = np.concatenate([block.own for block in blocks])
        self.hour = np.concatenate([block.hour for block in blocks])
        self.size = len(self.own)
        self._draws: dict[tuple[int, int], NDArray[np.float64]] = {}
        self._past: _Past | None = None
        self._most = 1.0 - scenario.fail_share - scenario.busy_share

    def chance(self, lead: int, at: float) -> float:
        """That this lead answers a call of now, a fraction of all attempts."""
        of = self._of
        near = 1.0 + of.own_hours * np.cos(2 * np.pi * (at / 3600 - self.hour[lead]) / 12)
        return float(min(self._most, self.own[lead] * near * of.rate_factor(at)))

    def draws(self, lead: int, tries: int) -> list[float]:
        """Uniform: fate, machine, detection, error, hump, patience; normal: delay, answer, talk, wrap-up."""
        number, place = divmod(lead, self._block)
        if (tries, number) not in self._draws:
            chance = np.random.default_rng((self._seed, 2, tries, *_more(number)))
            uniform, normal = chance.random((self._block, 6)), chance.standard_normal((self._block, 4))
            self._draws[tries, number] = np.hstack([uniform, normal])
        drawn: list[float] = self._draws[tries, number][place].tolist()
        return drawn

    def fate(self, lead: int, tries: int, at: float) -> Fate:
        """Of a call at second `at` of the shift, after so many `tries`."""
        of = self._of
        if of.is_out(at):
            return Fate(Kind.FAILED, 0.4)
        drawn = self.draws(lead, tries)
        delay = of.delay_s * exp(of.delay_spread * drawn[6] - of.delay_spread**2 / 2)
        if drawn[0] >= 1.0 - of.fail_share:
            return Fate(Kind.FAILED, delay)
        if drawn[0] >= self._most:
            return Fate(Kind.BUSY, delay)
        person = drawn[0] < self.chance(lead, at)
        answer = inf
        if person:
            answer = of.answer_s * exp(of.answer_spread * drawn[7] - of.answer_spread**2 / 2)
        elif drawn[1] < of.machine_share / max(0.01, 1.0 - of.answer_rate):
            answer = of.machine_s * exp(0.15 * drawn[7])
        if answer >= of.ring_timeout_s:
            return Fate(Kind.NO_ANSWER, delay, of.ring_timeout_s)
        return self._answered(drawn, person, delay, answer)

    def _answered(self, drawn: list[float], person: bool, delay: float, answer: float) -> Fate:
        of = self._of
        detect = of.detect_s[0] + (of.detect_s[1] - of.detect_s[0]) * drawn[2]
        if not (drawn[3] >= of.person_missed if person else drawn[3] < of.machine_missed):
            return Fate(None, delay, answer, person, False, detect)
        patience = -of.patience_s * log(max(1e-9, drawn[5]))
        if not person:
            return Fate(None, delay, answer, False, True, detect, patience, 4.0 + 4.0 * drawn[4], 3.0)
        mean, spread = (of.talk_short_s, 0.6) if drawn[4] < of.talk_short_share else (of.talk_s, of.talk_spread)
        talk = mean * exp(spread * drawn[8] - spread**2 / 2)
        wrap = of.wrap_s * exp(of.wrap_spread * drawn[9] - of.wrap_spread**2 / 2)
        return Fate(None, delay, answer, True, True, detect, patience, talk, wrap)

    # ---- who they are, and what was before

    def contact(self, lead: int) -> Contact:
        """With one number; of some the zone is not known."""
        where = lead * 7919 % 1000 / 1000
        zone = "" if where < ZONE_UNKNOWN_SHARE else self._zones[lead % len(self._zones)]
        return Contact(str(lead), f"p{lead}", (Number(f"+62811{lead:07d}", f"n{lead}"),), zone=zone)

    def history(self, lead: int, begin: float) -> History:
        """Calls of earlier days; a few must not be called again."""
        if self._past is None:
            self._past = _Past(self, self._of, self._seed)
        times, answered = self._past.of(lead)
        attempts = tuple(begin - day * DAY_S + hour * 3600 for day, hour in times)
        talks = tuple(attempt for attempt, was in zip(attempts, answered, strict=True) if was)
        return History(attempts, talks, stop=lead * 104_729 % 10_000 < STOPPED_SHARE * 10_000)

    def past(self, misleading: bool = False) -> list[Try]:
        """What earlier shifts have left behind: some six tries a lead; `misleading`: every lead has another one's."""
        past = _Past(self, self._of, self._seed, misleading)
        return [
            Try(str(lead), int(hour), float(day), bool(was))
            for lead in range(self.size)
            for (day, hour), was in zip(*past.of(lead), strict=True)
        ]


class _Block:
    """A stretch of the list."""

    def __init__(self, of: Scenario, seed: tuple[int, ...], size: int) -> None:
        chance = np.random.default_rng(seed)
        own = np.full(size, of.answer_rate)
        if of.spread > 0:
            own = chance.beta(of.spread * of.answer_rate, of.spread * (1 - of.answer_rate), size)
        self.hour = chance.uniform(0, 12, size)
        if of.segment:
            factors = np.exp(of.segment_spread * chance.standard_normal(size // of.segment + 1))
            own = own * np.repeat(factors, of.segment)[:size]
        self.own = own


def _more(number: int) -> tuple[int, ...]:
    """What sets the seed of a further stretch apart from that of the first."""
    return (number,) if number else ()


class _Past:
    """Tries of the last weeks, none of yesterday: the shift is a Monday's."""

    def __init__(self, leads: Leads, of: Scenario, seed: int, misleading: bool = False) -> None:
        chance, size = np.random.default_rng((seed, 4)), leads.size
        whose = chance.permutation(size) if misleading else np.arange(size)
        many = chance.poisson(PAST_TRIES, size)
        self._ends = np.concatenate([[0], np.cumsum(many)])
        total = int(self._ends[-1])
        other = np.repeat(whose, many)
        hours = chance.uniform(0, of.hours, total)
        near = 1.0 + of.own_hours * np.cos(2 * np.pi * (hours - leads.hour[other]) / 12)
        most = 1.0 - of.fail_share - of.busy_share
        self._answered = chance.random(total) < np.minimum(most, leads.own[other] * near)
        self._hours, self._days = hours, chance.integers(2, PAST_DAYS, total)

    def of(self, lead: int) -> tuple[list[tuple[int, float]], list[bool]]:
        """(days ago, hour of the shift) of each try, and whether it was answered."""
        begin, end = int(self._ends[lead]), int(self._ends[lead + 1])
        when = list(zip(self._days[begin:end].tolist(), self._hours[begin:end].tolist(), strict=True))
        return when, self._answered[begin:end].tolist()
