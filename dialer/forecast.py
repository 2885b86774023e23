"""Who is likely to answer, and when: a number's own past, shrunk to the list's, as far as today proves it right.

A number's answers are Beta-Binomial with a prior pooled over the list (J. G. Skellam, J. R. Stat. Soc. B 10 (1948)
257-261); the hour of the day shifts the log-odds. Today's outcomes decide, call by call, between that and the list's
plain rate of today (Bayesian mixture of the two, with a fixed share): a past that misleads is soon not believed.

No I/O, no clock; never the future: `fit` and `observe` are told what is over. Times are epoch seconds, hours 0..23 of
the zone that `zone_s` names.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PARTS = 6  # stretches of the day, each with counts of its own
OTHER_PART = 0.6  # what a try in another part of the day counts
HALF_LIFE_DAYS = 60.0
CONCENTRATIONS = (0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 8.0, 13.0, 25.0, 60.0, 200.0)
LEAST, MOST = 0.005, 0.95
_SHARED = 0.002


@dataclass(frozen=True, slots=True)
class Try:
    """One call of the past. `hour`: 0..23; `answered`: by a person."""

    number: str
    hour: int
    days_ago: float
    answered: bool


class Forecast:
    """`probability(number, at)` that a call of now reaches a person; learns by `fit` (the past) and `observe`."""

    def __init__(self, zone_s: float = 0.0) -> None:
        self._zone_s = zone_s
        self._own: dict[str, list[float]] = {}  # number -> answered and tried, by part of the day
        self._hours = [[0.0, 0.0] for _ in range(24)]
        self._rate = 0.3
        self._concentration = 8.0
        self._effects = [0.0] * 24
        self._today = [15.0, 50.0]
        self._believed = 0.7

    # ---- the past

    def fit(self, past: Iterable[Try]) -> None:
        """Take over a history; what was known before stays."""
        for one in past:
            if 0 <= one.hour < 24:
                self._count(one.number, one.hour, one.answered, 0.5 ** (max(0.0, one.days_ago) / HALF_LIFE_DAYS))
        answered, tried = (sum(row[n] for row in self._hours) for n in (0, 1))
        self._rate = (answered + 3.0) / (tried + 10.0)
        self._concentration = _concentration(list(self._own.values()), self._rate)
        self._effects = [_log_odds((a + 50 * self._rate) / (n + 50)) - _log_odds(self._rate) for a, n in self._hours]
        self._today = [50 * self._rate, 50.0]

    def _count(self, number: str, hour: int, answered: bool, weight: float) -> None:
        own = self._own.setdefault(number, [0.0] * (2 * PARTS))
        part = 2 * (hour * PARTS // 24)
        own[part] += weight * answered
        own[part + 1] += weight
        self._hours[hour][0] += weight * answered
        self._hours[hour][1] += weight

    # ---- the forecast

    def probability(self, number: str, at: float) -> float:
        """0..1, for a call that starts at `at`."""
        pooled = _log_odds(self._today[0] / self._today[1])
        return _chance(pooled + self._believed * (self._today_by_past(number, self._hour(at)) - pooled))

    def best_hour(self, number: str, hours: Sequence[int]) -> int:
        """Which of these hours promises most; the first of equals."""
        return max(hours, key=lambda hour: self._by_past(number, hour % 24))

    @property
    def believed(self) -> float:
        """How far the past is believed today: 0 not at all, 1 wholly."""
        return self._believed

    def _today_by_past(self, number: str, hour: int) -> float:
        """Log-odds: the number's past, moved by as much as today differs from the past of all."""
        today = _log_odds(self._today[0] / self._today[1]) - _log_odds(self._rate)
        return _log_odds(self._by_past(number, hour)) + today

    def _by_past(self, number: str, hour: int) -> float:
        answered = self._concentration * self._rate
        tried = self._concentration
        own = self._own.get(number)
        if own is not None:
            part = 2 * (hour * PARTS // 24)
            answered += OTHER_PART * sum(own[0::2]) + (1 - OTHER_PART) * own[part]
            tried += OTHER_PART * sum(own[1::2]) + (1 - OTHER_PART) * own[part + 1]
        return _chance(_log_odds(answered / tried) + self._effects[hour])

    def _hour(self, at: float) -> int:
        return int((at + self._zone_s) // 3600) % 24 if math.isfinite(at) else 0

    # ---- today

    def observe(self, number: str, at: float, answered: bool) -> None:
        """A call that started about `at` is over."""
        hour = self._hour(at)
        by_past = _chance(self._today_by_past(number, hour))
        plain = _within(self._today[0] / self._today[1])
        if not answered:
            by_past, plain = 1.0 - by_past, 1.0 - plain
        right = self._believed * by_past / (self._believed * by_past + (1.0 - self._believed) * plain)
        self._believed = (1.0 - _SHARED) * right + _SHARED * 0.5
        self._today = [0.99 * self._today[0] + answered + 0.005, 0.99 * self._today[1] + 1.01]
        self._count(number, hour, answered, 1.0)


def _concentration(own: list[list[float]], rate: float) -> float:
    """How alike the numbers are: the pooled prior's weight in tries, by likelihood over a grid."""
    cells: dict[tuple[int, int], int] = {}
    for counts in own:
        answered, tried = round(sum(counts[0::2])), round(sum(counts[1::2]))
        if tried:
            cells[min(answered, tried), tried] = cells.get((min(answered, tried), tried), 0) + 1
    if sum(cells.values()) < 30:
        return 8.0

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


def _chance(log_odds: float) -> float:
    return _within(1.0 / (1.0 + math.exp(-log_odds)))
