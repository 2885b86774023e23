"""Who is likely to answer, and when: a number's own past, shrunk to the list's, as far as today proves it right.

A number's answers are Beta-Binomial with a prior pooled over the list (J. G. Skellam, J. R. Stat. Soc. B 10 (1948)
257-261); the hour of the day shifts the log-odds. Today's outcomes decide, call by call, between that and the list's
plain rate of today (Bayesian mixture of the two, with a fixed share): a past that misleads is soon not believed.

No I/O, no clock; never the future: `fit`, `observe` and `learn` are told what is over. Times are epoch seconds, hours
0..23 where the debtor lives. A number's past comes as a value (`chance`, `learn`), or is kept here by the number's name
(`fit`, `probability`, `observe`): for a simulator, a list of a million would be too large.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from dialer.errors import BadInput
from dialer.lists.past import HALF_LIFE_DAYS, PARTS, UNDATED, Past, add, day_of, hour_of

OTHER_PART = 0.6  # what a try in another part of the day counts
CONCENTRATIONS = (0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 8.0, 13.0, 25.0, 60.0, 200.0)
LEAST, MOST = 0.005, 0.95
_SHARED = 0.002
_LOOK_AGAIN = 200  # calls after which rate, hours and concentration are looked at anew
_RATE, _CONCENTRATION, _CELLS_LEAST = 0.3, 8.0, 30  # while little is known
_NEW = Past()


@dataclass(frozen=True, slots=True)
class Try:
    """One call of the past. `hour`: 0..23; `answered`: by a person."""

    number: str
    hour: int
    days_ago: float
    answered: bool


class Forecast:
    """The chance that a call of now reaches a person.

    Of the list it keeps the pooled rate, what the hours do, how alike the numbers are, and how far the past is right
    today: `dump` gives this to a successor.
    """

    def __init__(self, zone_s: float = 0.0) -> None:
        self._zone_s = zone_s
        self._own: dict[str, Past] = {}
        self._hours = [[0.0, 0.0] for _ in range(24)]  # answered, tried
        self._cells: dict[tuple[int, int], int] = {}  # (answered, tried) of a number -> how many such there are
        self._day = UNDATED
        self._rate = _RATE
        self._concentration = _CONCENTRATION
        self._effects = [0.0] * 24
        self._today = [15.0, 50.0]
        self._believed = 0.7
        self._look_in: float = _LOOK_AGAIN

    # ---- the forecast

    def chance(self, past: Past, at: float, zone: tzinfo) -> float:
        """0..1, for a call that starts at `at` to a number with this past, on the debtor's clock."""
        return self._chance(past.aged(day_of(at)), hour_of(at, zone))

    def probability(self, number: str, at: float) -> float:
        """0..1, for a call that starts at `at`."""
        return self._chance(self._own.get(number, _NEW).aged(day_of(at)), self._hour(at))

    def best_hour(self, number: str, hours: Sequence[int]) -> int:
        """Which of these hours promises most; the first of equals."""
        return self.best_hour_of(self._own.get(number, _NEW), hours)

    def best_hour_of(self, past: Past, hours: Sequence[int]) -> int:
        """The same for a number with this past."""
        return max(hours, key=lambda hour: self._by_past(past, hour % 24))

    @property
    def believed(self) -> float:
        """How far the past is believed today: 0 not at all, 1 wholly."""
        return self._believed

    def _chance(self, past: Past, hour: int) -> float:
        pooled = _log_odds(self._today[0] / self._today[1])
        return _of_odds(pooled + self._believed * (self._today_by_past(past, hour) - pooled))

    def _today_by_past(self, past: Past, hour: int) -> float:
        """Log-odds: the number's past, moved by as much as today differs from the past of all."""
        today = _log_odds(self._today[0] / self._today[1]) - _log_odds(self._rate)
        return _log_odds(self._by_past(past, hour)) + today

    def _by_past(self, past: Past, hour: int) -> float:
        part = 2 * (hour * PARTS // 24)
        here_answered, here_tried = past.counts[part], past.counts[part + 1]
        answered = self._concentration * self._rate + OTHER_PART * past.answered + (1 - OTHER_PART) * here_answered
        tried = self._concentration + OTHER_PART * past.tried + (1 - OTHER_PART) * here_tried
        return _of_odds(_log_odds(answered / tried) + self._effects[hour])

    def _hour(self, at: float) -> int:
        return int((at + self._zone_s) // 3600) % 24 if math.isfinite(at) else 0

    # ---- the past

    def fit(self, past: Iterable[Try]) -> None:
        """Take over a history; what was known before stays, and what it says of the list holds for today."""
        grown: dict[str, list[float]] = {}
        for one in past:
            if 0 <= one.hour < 24:
                weight = 0.5 ** (max(0.0, one.days_ago) / HALF_LIFE_DAYS)
                counts = grown.get(one.number)
                if counts is None:
                    counts = grown[one.number] = list(self._own.get(one.number, _NEW).counts)
                add(counts, one.hour, one.answered, weight)
                self._count(one.hour, one.answered, weight)
        for number, counts in grown.items():
            known = self._own.get(number, _NEW)
            self._own[number] = Past(known.day, tuple(counts))
            self._move(known, self._own[number])
        self._look()
        self._look_in = math.inf
        self._today = [50 * self._rate, 50.0]

    # ---- today

    def observe(self, number: str, at: float, answered: bool) -> None:
        """A call that started about `at` is over."""
        known, day, hour = self._own.get(number, _NEW), day_of(at), self._hour(at)
        self._judge(known.aged(day), hour, answered)
        self._own[number] = known.then(day, hour, answered)
        self._keep(known, self._own[number], day, hour, answered)

    def learn(self, past: Past, at: float, zone: tzinfo, answered: bool) -> Past:
        """The same of a number with this past; how its past goes on."""
        day, hour = day_of(at), hour_of(at, zone)
        self._judge(past.aged(day), hour, answered)
        after = past.then(day, hour, answered)
        self._keep(past, after, day, hour, answered)
        return after

    def _judge(self, past: Past, hour: int, answered: bool) -> None:
        """Whether its past or the plain rate was right."""
        by_past = _of_odds(self._today_by_past(past, hour))
        plain = _within(self._today[0] / self._today[1])
        if not answered:
            by_past, plain = 1.0 - by_past, 1.0 - plain
        right = self._believed * by_past / (self._believed * by_past + (1.0 - self._believed) * plain)
        self._believed = (1.0 - _SHARED) * right + _SHARED * 0.5
        self._today = [0.99 * self._today[0] + answered + 0.005, 0.99 * self._today[1] + 1.01]

    def _keep(self, before: Past, after: Past, day: int, hour: int, answered: bool) -> None:
        if day > self._day:
            if self._day != UNDATED:
                self._age(0.5 ** ((day - self._day) / HALF_LIFE_DAYS))
            self._day = day
        self._count(hour, answered, 1.0)
        self._move(before, after)
        self._look_in -= 1
        if self._look_in <= 0:
            self._look()
            self._look_in = _LOOK_AGAIN

    # ---- the list

    def _count(self, hour: int, answered: bool, weight: float) -> None:
        self._hours[hour][0] += weight * answered
        self._hours[hour][1] += weight

    def _age(self, keep: float) -> None:
        self._hours = [[keep * answered, keep * tried] for answered, tried in self._hours]

    def _move(self, before: Past, after: Past) -> None:
        """A number goes from one cell of the histogram to another; one that was never counted comes in."""
        cells, left, reached = self._cells, before.cell, after.cell
        if left in cells:
            cells[left] -= 1
            if not cells[left]:
                del cells[left]
        if reached[1]:
            cells[reached] = cells.get(reached, 0) + 1

    def _look(self) -> None:
        answered, tried = (sum(row[n] for row in self._hours) for n in (0, 1))
        self._rate = (answered + 3.0) / (tried + 10.0)
        self._concentration = _concentration(self._cells, self._rate)
        self._effects = [_log_odds((a + 50 * self._rate) / (n + 50)) - _log_odds(self._rate) for a, n in self._hours]

    # ---- for a successor

    def dump(self) -> dict[str, object]:
        """What was learnt of the list, as plain values; the numbers' pasts are with the numbers."""
        return {
            "v": 1,
            "day": self._day,
            "hours": [[round(answered, 2), round(tried, 2)] for answered, tried in self._hours],
            "cells": [[answered, tried, many] for (answered, tried), many in self._cells.items()],
            "today": [round(one, 3) for one in self._today],
            "believed": round(self._believed, 4),
        }

    def load(self, kept: Mapping[str, Any]) -> None:
        """Take over what `dump` gave. Raises BadInput, and changes nothing, when it is not that."""
        try:
            if kept["v"] != 1:
                raise ValueError(f"v is {kept['v']}, not 1")
            hours = [[_sure(row[0], row[1]), _sure(row[1])] for row in kept["hours"]]
            cells = {(int(_sure(a, n)), int(_sure(n))): int(_sure(many)) for a, n, many in kept["cells"]}
            today = [_sure(kept["today"][0], kept["today"][1]), _sure(kept["today"][1])]
            believed, day = _sure(kept["believed"], 1.0), int(_sure(kept["day"]))
            if len(hours) != 24 or not 0.0 < today[0] < today[1]:
                raise ValueError("24 hours, and a rate of today between 0 and 1")
        except (KeyError, ValueError, TypeError, IndexError, OverflowError) as error:
            raise BadInput(f"the kept forecast cannot be read ({error!r}): delete it to learn anew") from error
        self._hours, self._today, self._day = hours, today, day
        self._cells = {cell: many for cell, many in cells.items() if many and cell[1]}
        self._believed = min(1.0 - _SHARED / 2, max(_SHARED / 2, believed))
        self._look()


def _sure(value: Any, most: float = 1e12) -> float:
    number = float(value)
    if not 0.0 <= number <= most:
        raise ValueError(f"{value!r} is not from 0 to {most}")
    return number


def _concentration(cells: Mapping[tuple[int, int], int], rate: float) -> float:
    """How alike the numbers are: the pooled prior's weight in tries, by likelihood over a grid."""
    if sum(cells.values()) < _CELLS_LEAST:
        return _CONCENTRATION

    def likelihood(weight: float) -> float:
        a, b = weight * rate, weight * (1 - rate)
        base = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
        return sum(
            many * (math.lgamma(a + s) + math.lgamma(b + n - s) - math.lgamma(a + b + n) - base)
            for (s, n), many in cells.items()
        )

    return max(CONCENTRATIONS, key=likelihood)


def _within(chance: float) -> float:
    return min(MOST, max(LEAST, chance))


def _log_odds(chance: float) -> float:
    some = _within(chance)
    return math.log(some / (1.0 - some))


def _of_odds(log_odds: float) -> float:
    return _within(1.0 / (1.0 + math.exp(-log_odds)))
