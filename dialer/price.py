"""What a further call may risk: the chance of being abandoned up to which it is worth starting.

The price follows the abandons still in hand, and what the team's state makes a call worth; no I/O, no clock.
"""

import math
from collections import deque

PRICE_FIRST, PRICE_MIN, PRICE_MAX = 0.05, 0.004, 0.3
PRICE_CAREFUL = 0.001  # of calls that hardly ever fail: a team without a budget has it back sooner than by idling
_STEP = 0.0006
_LEAN = 0.5
_RESERVE, _RESERVE_POWER = 1.2, 0.65  # abandons to be kept in hand: 1.2 * agents ** 0.65
_EASE_FROM, _EASE = 1.5, 1.0  # with fewer abandons left the price falls to nothing
_IDLE_CARE, _SOON_CARE, _SOON_MOST = 0.6, 0.5, 0.6
_RECENT_S, _RECENT_MIN, _RECENT_MOST = 1800.0, 30, 20_000


class Price:
    """The chance of being abandoned at which a further call is not worth it.

    It rises and falls with the abandons in hand, so that they stay near a reserve which the luck of the next minutes
    cannot eat up; its level drifts until they do.
    """

    def __init__(self) -> None:
        self._level = PRICE_FIRST
        self._lean = 0.0

    def steer(self) -> None:
        """A live answer came to its end: too many abandons in hand make a call cheaper, too few dearer."""
        self._level = min(PRICE_MAX, max(PRICE_MIN, self._level * math.exp(_STEP * self._lean)))

    def at(self, left: float, working: int, free: int, free_soon: float) -> float:
        """The price with `left` abandons in hand, of a team of which `free` are idle and `free_soon` will be."""
        reserve = max(2.0, _RESERVE * working**_RESERVE_POWER)
        self._lean = min(1.0, max(-2.0, _LEAN * (left - reserve) / reserve))
        ease = min(1.0, max(0.0, (left - _EASE_FROM) / _EASE))
        return self._level * math.exp(self._lean) * ease * care(working, free, free_soon)


def care(working: int, free: int, free_soon: float) -> float:
    """With agents idle, or idle soon whatever is done, a call loses less by coming later, so it is risked less."""
    size = math.sqrt(max(1, working))
    return math.exp(-_IDLE_CARE * free / size - _SOON_CARE * min(_SOON_MOST, free_soon / size))


class Recent:
    """Abandons of the last half hour: a bad one is not to become worse."""

    def __init__(self) -> None:
        self._fates: deque[tuple[float, bool]] = deque()
        self._abandoned = 0

    def add(self, at: float, abandoned: bool) -> None:
        """One live answer came to its end."""
        fates = self._fates
        fates.append((at, abandoned))
        self._abandoned += abandoned
        while fates[0][0] < at - _RECENT_S or len(fates) > _RECENT_MOST:
            self._abandoned -= fates.popleft()[1]

    def ease(self, goal: float, large: bool) -> float:
        """1.0 up to 1.4 times the goal, 0.0 from twice the goal, two abandons let pass; stricter in a large team."""
        most, passed = (1.8, 1) if large else (2.0, 2)
        much = (self._abandoned - passed) / max(_RECENT_MIN, len(self._fates)) / max(1e-9, goal)
        return min(1.0, max(0.0, (most - much) / 0.6))
