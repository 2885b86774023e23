"""What the pacer has learnt of a campaign: who answers by the age of a call, and when busy agents get free.

Survival estimates from the campaign's own events, exponentially forgotten; no I/O, no clock. Ages are seconds. A call
is a competing risk (it turns live, or ends otherwise): of the calls that lived past age a, the share that turned live
before a + t (Kaplan, Meier, J. Am. Stat. Assoc. 53 (1958) 457-481, less its censoring: calls in flight are few, young).
"""

import math
from collections import deque

import numpy as np

from dialer.pace.sums import Floats

HORIZONS = 12
AGE_MAX = 90  # one bin per second, the last one for all older
HALF_LIFE = 1500.0  # finished calls after which one counts half, in the shape by age
RATE_HALF_LIVES = (40.0, 120.0, 400.0, 1500.0)  # the memories that compete for the answer rate
SAMPLES = 400  # talks remembered
_SHRINK = 2.0  # weight, in calls or talks, of the campaign's average against what was seen at an age


class AnswerRate:
    """The chance that the next call turns live: several memories, each believed by how well it foretold of late.

    Fixed share (Herbster, Warmuth, Machine Learning 32 (1998) 151-178): a list that stays the same is known ever
    better, one that jumps is followed within some 40 calls.
    """

    def __init__(self) -> None:
        self._keep = 2.0 ** (-1.0 / np.array(RATE_HALF_LIVES))
        self._live = np.ones(len(RATE_HALF_LIVES))
        self._all = np.full(len(RATE_HALF_LIVES), 2.0)
        self._trust = np.full(len(RATE_HALF_LIVES), 1.0 / len(RATE_HALF_LIVES))
        self.now = 0.5  # falling while little was seen: too high is the safe side

    def add(self, live: bool) -> None:
        """The next call, in the order of launching: of those that ended soonest too many are live."""
        foretold = self._live / self._all
        self._trust *= foretold if live else 1.0 - foretold
        self._trust *= (1.0 - _SHARED) / self._trust.sum()
        self._trust += _SHARED / len(self._trust)
        self._live *= self._keep
        self._all *= self._keep
        self._live += live + _PRIOR
        self._all += 1.0 + 2.0 * _PRIOR
        self.now = float(self._trust @ (self._live / self._all))

    @property
    def unsure(self) -> float:
        """Relative variance of the rate: how far the memories that are believed differ."""
        return float(self._trust @ (self._live / self._all / self.now - 1.0) ** 2)

    @property
    def highest(self) -> float:
        """By the memory that says most."""
        return float((self._live / self._all).max())

    @property
    def long(self) -> float:
        """By the longest memory alone."""
        return float(self._live[-1] / self._all[-1])


_STORM = 1.5  # odds of an answer in a storm, over the highest remembered
_LATEST = 1e-4  # share of answers too few to count
_SHARED = 0.002
_PRIOR = 0.002  # keeps rates off 0 and 1
_SLOPE_FIRST, _SLOPE_MOST = 0.3, 1.3


class Trust:
    """How far the forecasts given per call are believed: log-odds = pooled + shift + slope * (forecast - its mean).

    Bayesian logistic regression, one Newton step a call (as in a Kalman filter); both drift, so that today counts. A
    forecast that says nothing gets the slope 0 and is the pooled rate: the slope counts less its standard error, the
    shift only as far as there is a slope, for beside useless forecasts it is but noise.
    """

    def __init__(self) -> None:
        self._found = np.array([0.0, _SLOPE_FIRST])
        self._spread = np.diag([0.04, 0.1])
        self._mean, self._count = 0.0, 0.0

    def log_odds(self, told: Floats, pooled: float) -> Floats:
        """Of calls with these forecasts, where the pooled chance is `pooled`."""
        shift, slope = self._found
        sure = max(0.0, min(_SLOPE_MOST, float(slope) - math.sqrt(max(0.0, float(self._spread[1, 1])))))
        centred = log_odds(np.clip(told, 0.01, 0.95)) - self._mean
        found: Floats = log_odds(pooled) + min(1.0, sure) * shift + sure * centred
        return found

    def end(self, live: bool, told: float, pooled: float) -> None:
        """A call that was given the forecast `told` came to its end."""
        said = float(log_odds(min(0.95, max(0.01, told))))
        self._count = min(1000.0, self._count + 1.0)
        self._mean += (said - self._mean) / self._count
        x = np.array([1.0, said - self._mean])
        foretold = chance_of(float(log_odds(pooled)) + float(self._found @ x))
        ahead = self._spread @ x
        gain = ahead / (1.0 / max(1e-3, foretold * (1.0 - foretold)) + float(x @ ahead))
        self._found = self._found + gain * (float(live) - foretold) / max(1e-3, foretold * (1.0 - foretold))
        self._found = np.clip(self._found, [-1.0, -0.5], [1.0, 2.0])
        self._spread = self._spread - np.outer(gain, ahead) + np.diag([2e-5, 1e-5])

    @property
    def slope(self) -> float:
        """0: the forecasts say nothing; 1: they are right."""
        return float(self._found[1])


def log_odds(chance: "Floats | float") -> Floats:
    """ln(p / (1 - p))."""
    some = np.asarray(chance, dtype=np.float64)
    found: Floats = np.log(some / (1.0 - some))
    return found


def chance_of(odds_log: float) -> float:
    """The chance whose log-odds these are."""
    return 1.0 / (1.0 + float(np.exp(-odds_log)))


class Answers:
    """Live answers and other ends, by age since launch and since the first ring."""

    def __init__(self) -> None:
        self._live = np.zeros((2, AGE_MAX + 1))  # row 0 since launch, row 1 since ringing
        self._other = np.zeros((2, AGE_MAX + 1))
        self._weight = 1.0
        self._picked = np.array([1.0, 1.0])  # after an answer: live, machine
        self.finished = 0
        self.lives = 0
        self.fast = AnswerRate()
        self.trust = Trust()
        self._slow = 0.5
        self._new = 1
        self._table = np.zeros((2, AGE_MAX + 1, HORIZONS))
        self._horizons = np.linspace(2.0, 24.0, HORIZONS)
        self._latest = 0.0

    def early(self, live: bool, told: float | None = None) -> None:
        """The next call in the order of launching: live within `early_s` of its launch, or not.

        `told`: the chance to be answered that it was launched with, if any.
        """
        if told is not None:
            self.trust.end(live, told, self.fast.now)
        self.fast.add(live)

    def end(self, live: bool, age: float, ring_age: float | None, answered: bool) -> None:
        """One call came to its end `age` seconds after launch, `ring_age` after the first ring (None: never rang)."""
        self._forget()
        counts = self._live if live else self._other
        counts[0, _bin(age)] += self._weight
        if ring_age is not None:
            counts[1, _bin(ring_age)] += self._weight
        if answered:
            self._picked[0 if live else 1] += self._weight
        self.finished += 1
        self.lives += live
        self._new += 1

    def _forget(self) -> None:
        self._weight *= 2.0 ** (1.0 / HALF_LIFE)
        if self._weight > 1e6:
            for counts in (self._live, self._other, self._picked):
                counts /= self._weight
            self._weight = 1.0

    @property
    def rate(self) -> float:
        """Chance that a call turns live, 0..1; 0.5 and falling while little was seen: too high is the safe side."""
        return chance_of(float(log_odds(self._slow_rate())) + self._fast_gain())

    def _fast_gain(self) -> float:
        return float(log_odds(self.fast.now) - log_odds(self.fast.long))

    @property
    def gain(self) -> float:
        """Odds of the answer rate of now over those in `live_by`."""
        return float(np.exp(self._fast_gain()))

    def gains(self, told: Floats) -> Floats:
        """The same for calls with these forecasts."""
        gains: Floats = np.exp(self.trust.log_odds(told, self.fast.now) - log_odds(self.fast.long))
        return gains

    @property
    def storm(self) -> float:
        """Odds of an answer if the rate jumps to the highest that any memory knows, and beyond, over those of now."""
        return max(1.0, _STORM * float(np.exp(log_odds(min(0.97, self.fast.highest)) - log_odds(self.fast.now))))

    def chances(self, told: Floats) -> Floats:
        """That calls with these forecasts turn live."""
        found: Floats = 1.0 / (1.0 + np.exp(-self.trust.log_odds(told, self.fast.now)))
        return found

    @property
    def latest_s(self) -> float:
        """The age up to which calls turned live."""
        self._ready()
        return self._latest

    @property
    def early_s(self) -> float:
        """By this age three in four of those who answer have."""
        self._ready()
        return float(self._horizons[3 * HORIZONS // 4])

    @property
    def person(self) -> float:
        """Chance that an answer is a person."""
        return float(self._picked[0] / self._picked.sum())

    def horizons(self) -> Floats:
        """Ages at which new calls turn live: the middles of HORIZONS equally likely stretches."""
        self._ready()
        return self._horizons

    def live_by(self) -> Floats:
        """[since launch or ringing, age, horizon] -> chance that a call of this age turns live within the horizon."""
        return self._ready()

    def _ready(self) -> Floats:
        if self._new * 50 > min(self.finished, HALF_LIFE):
            self._new = 0
            self._slow = self._slow_rate()
            self._horizons = self._middles()
            some = np.flatnonzero(self._live[0] > _LATEST * self._live[0].sum())
            self._latest = float(some[-1] + 1) if len(some) else 0.0
            self._table = np.stack([self._chances(row) for row in (0, 1)])
        return self._table

    def _slow_rate(self) -> float:
        live, other = self._live[0].sum() / self._weight, self._other[0].sum() / self._weight
        return float((live + 1.0) / (live + other + 2.0))

    def _middles(self) -> Floats:
        live = self._live[0]
        total = live.sum()
        if total <= 0:
            return self._horizons
        shares = (np.arange(HORIZONS) + 0.5) / HORIZONS
        middles: Floats = np.interp(shares, np.cumsum(live) / total, np.arange(AGE_MAX + 1) + 1.0)
        return middles

    def _chances(self, row: int) -> Floats:
        live, other = self._live[row] / self._weight, self._other[row] / self._weight
        lived = np.concatenate(([0.0], np.cumsum(live)))
        beyond = (live + other).sum() - np.concatenate(([0.0], np.cumsum(live + other)))[:-1]
        ages = np.arange(AGE_MAX + 1)
        reached = np.interp(ages[:, None] + self._horizons, np.arange(AGE_MAX + 2), lived)
        within = reached - lived[:-1, None]
        average = self._slow * (np.arange(HORIZONS) + 0.5) / HORIZONS
        chances: Floats = (within + _SHRINK * average) / (beyond[:, None] + _SHRINK)
        return np.clip(chances, 0.0, 1.0)


class Busy:
    """How long agents stay busy: the chance to be free within a horizon, by the time already spent in the state."""

    def __init__(self) -> None:
        self._pairs: deque[tuple[float, float]] = deque(maxlen=SAMPLES)  # talk, talk and wrap-up together
        self._new = 0
        self._key: bytes = b""
        self._talk = self._wrap = (np.zeros(1), np.zeros((1, HORIZONS)))

    def add(self, talk: float, wrap: float) -> None:
        """One call of an agent is over and wrapped up; seconds."""
        self._pairs.append((talk, talk + wrap))
        self._new += 1

    @property
    def seen(self) -> int:
        """How many are remembered."""
        return len(self._pairs)

    def free_within(self, talking: Floats, wrapping: Floats, horizons: Floats) -> Floats:
        """[agent, horizon]: first those talking for these seconds, then those in wrap-up."""
        self._ready(horizons)
        return np.concatenate([_lookup(self._talk, talking), _lookup(self._wrap, wrapping)])

    def _ready(self, horizons: Floats) -> None:
        key = np.round(horizons).tobytes()
        if self._new * 20 < len(self._pairs) and key == self._key:
            return
        self._new, self._key = 0, key
        pairs = np.array(self._pairs).reshape(-1, 2)
        talk, both = pairs[:, 0], pairs[:, 1]
        self._talk = _survival(talk, both, horizons)
        self._wrap = _survival(both - talk, both - talk, horizons)


def _survival(stage: Floats, end: Floats, horizons: Floats) -> tuple[Floats, Floats]:
    """Ages, and by age the chance that `end` comes within each horizon, of those still in `stage` at that age."""
    # evenly spaced for lengths that are all alike (a wrap-up timer), by quantile for those that are not
    by_length = np.sort(stage)
    longest = by_length[int(0.98 * (len(stage) - 1))]
    some = by_length[np.linspace(0, len(stage) - 1, 26).astype(np.intp)[1:-1]]
    ages = np.sort(np.concatenate([np.linspace(0.0, longest, 24), some]))
    still = stage[None, :] > ages[:, None]
    ending = end[None, None, :] <= ages[:, None, None] + horizons[None, :, None]
    left = still.sum(axis=1)[:, None]
    average = 1.0 - np.exp(-horizons / max(1.0, float(end.mean())))
    return ages, ((ending & still[:, None, :]).sum(axis=2) + _SHRINK * average) / (left + _SHRINK)


def _lookup(table: tuple[Floats, Floats], ages: Floats) -> Floats:
    found: Floats = table[1][np.maximum(0, np.searchsorted(table[0], ages, side="right") - 1)]
    return found


def _bin(age: float) -> int:
    return min(AGE_MAX, max(0, int(age)))
