"""Chances of counts: how many of many independent events there will be, each with a chance of its own.

Chances are arrays [event, horizon]; the horizons are moments of the next seconds, and do not meet in a sum.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def scaled(chances: Floats, gain: "Floats | float") -> Floats:
    """Chances whose odds are `gain` times as high."""
    found: Floats = chances * gain / (1.0 - chances + chances * gain)
    return found


def excess(chances: Floats, needed: int, more: Floats | None = None, calls: int = 0) -> Floats:
    """[k]: how many events beyond `needed` are expected, at the worst horizon (normal law).

    `chances`: [event, horizon]; k = 0..calls more of `more` among them, as in sum_at_least.
    """
    new = np.zeros((1, chances.shape[1])) if more is None else np.atleast_2d(more)
    over = chances.sum(axis=0) + _running(new, calls) - needed
    spread = np.sqrt(np.maximum((chances * (1.0 - chances)).sum(axis=0) + _running(new * (1.0 - new), calls), 1e-9))
    x = over / spread
    found: Floats = (over * _phi(x) + spread * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)).max(axis=1)
    return found


def sum_at_least(
    chances: Floats,
    more: Floats,
    needed: int,
    calls: int,
    enough: float = 1.0,
    shared: int = 0,
    unsure: float = 0.0,
) -> Floats:
    """[k]: chance of at least `needed` of independent events, with k = 0..calls more of chance `more` among them.

    `chances`: [event, horizon], `more`: [horizon] or, call by call, [call, horizon] (the last stands for all further);
    the mean over the horizons. Rises with k; ends early above `enough`.
    The first `shared` chances and those of `more` are all too high or too low together, by a factor of variance
    `unsure`: this counts in large sums only.
    Up to EXACT events the Poisson-binomial law by convolution, above the normal law with continuity and skewness
    corrected (Volkova, Theory Probab. Appl. 40 (1996) 791-794).
    """
    if needed <= 0:
        return np.ones(calls + 1)
    if len(chances) <= EXACT:
        return _exact(chances, np.atleast_2d(more), needed, calls, enough)
    above: Floats = _normal(chances, np.atleast_2d(more), needed, calls, shared, unsure).mean(axis=1)
    return above


EXACT = 48


def _exact(chances: Floats, more: Floats, needed: int, calls: int, enough: float) -> Floats:
    below = np.zeros((more.shape[1], needed + 1))  # the last column collects `needed` and more
    below[:, 0] = 1.0
    for chance in chances:
        _convolve(below, chance)
    found = [float(below[:, -1].mean())]
    while len(found) <= calls and found[-1] <= enough:
        _convolve(below, more[min(len(found), len(more)) - 1])
        found.append(float(below[:, -1].mean()))
    return np.array(found)


def _convolve(below: Floats, chance: Floats) -> None:
    step = chance[:, None]
    moved = below[:, :-1] * step
    below[:, :-1] -= moved
    below[:, 1:] += moved


def _normal(chances: Floats, more: Floats, needed: int, calls: int, shared: int, unsure: float) -> Floats:
    spread, more_spread = chances * (1 - chances), more * (1 - more)
    new = _running(more, calls)
    mean = chances.sum(axis=0) + new
    together = unsure * (chances[:shared].sum(axis=0) + new) ** 2
    variance = np.maximum(spread.sum(axis=0) + _running(more_spread, calls) + together, 1e-9)
    third = (spread * (1 - 2 * chances)).sum(axis=0) + _running(more_spread * (1 - 2 * more), calls)
    x = (needed - 0.5 - mean) / np.sqrt(variance)
    density = np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    below = _phi(x) + third / variance**1.5 * (1 - x * x) * density / 6
    above: Floats = np.clip(1.0 - below, 0.0, 1.0)
    return above


def _running(rows: Floats, calls: int) -> Floats:
    """[k, horizon]: the sum of the first k rows; the last row stands for all further ones."""
    first = np.vstack([np.zeros((1, rows.shape[1])), np.cumsum(rows[:calls], axis=0)])
    further = np.arange(1, calls + 2 - len(first))[:, None] * rows[-1]
    found: Floats = np.vstack([first, first[-1] + further])
    return found


def _phi(x: Floats) -> Floats:
    """The normal distribution function, within 7.5e-8 (Abramowitz and Stegun, 26.2.17)."""
    t = 1.0 / (1.0 + 0.2316419 * np.abs(x))
    series = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    upper = np.exp(-x * x / 2) / np.sqrt(2 * np.pi) * series
    below: Floats = np.where(x >= 0, 1.0 - upper, upper)
    return below
