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
_SMALL, _EASE_FROM_SMALL = range(4, 12), 2.0  # two answers at once are likely here, and count
_IDLE_CARE, _SOON_CARE, _SOON_MOST = 0.6, 0.5, 0.6
_RECENT_S, _RECENT_MIN, _RECENT_MOST = 1800.0, 30.0, 500
# from so many agents: times the goal at which nothing may be risked any more; abandons of the next moment that are
# counted as if they were there, or let pass
_GUARDS = ((35, 1.7, 1), (12, 2.1, 1), (0, 2.0, -2))
_GUARD_WIDTH = 0.6
_TEAM_S = 4 * 3600.0  # how long a team that has left is remembered
_PACE_LIVES, _PACE_S, _PACE_SURE = 4.0, 560.0, 0.6  # before anything was seen; of the pace, what is counted on
_GAP_S = 60.0  # nobody saw how many agents worked meanwhile


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
        ease_from = _EASE_FROM_SMALL if working in _SMALL else _EASE_FROM
        ease = min(1.0, max(0.0, (left - ease_from) / _EASE))
        return self._level * math.exp(self._lean) * ease * care(working, free, free_soon)


def care(working: int, free: int, free_soon: float) -> float:
    """With agents idle, or idle soon whatever is done, a call loses less by coming later, so it is risked less."""
    size = math.sqrt(max(1, working))
    return math.exp(-_IDLE_CARE * free / size - _SOON_CARE * min(_SOON_MOST, free_soon / size))


class Recent:
    """Abandons of the last half hour: the half hour that began with one of them is not to become a bad one.

    What such a half hour will come to is foretold: its live answers so far, and those of the agents who work now until
    it is over. A floor that half has left gives few of them, and is to be careful long before its rate shows it.
    """

    def __init__(self) -> None:
        self._at: float | None = None
        self._lives = self._counted = 0
        self._abandoned: deque[tuple[float, int]] = deque(maxlen=_RECENT_MOST)  # when, and the live answers before it
        self._pace = (_PACE_LIVES, _PACE_S)  # live answers, and the seconds agents worked for them, both forgotten
        self._team = 0.0  # the agents there were lately, those on a break now too

    def add(self, at: float, abandoned: bool) -> None:
        """One live answer came to its end."""
        if abandoned:
            self._abandoned.append((at, self._lives))
        self._lives += 1

    def seen(self, at: float, working: int) -> None:
        """So many agents work now."""
        passed = 0.0 if self._at is None else max(0.0, at - self._at)
        if 0.0 < passed <= _GAP_S:
            keep = math.exp(-passed / _RECENT_S)
            new = self._lives - self._counted
            self._pace = (keep * self._pace[0] + new, keep * self._pace[1] + passed * working)
        if passed > 0.0 or self._at is None or at < self._at:
            self._at, self._counted = at, self._lives
        self._team = max(float(working), self._team * math.exp(-passed / _TEAM_S))
        while self._abandoned and not at - _RECENT_S <= self._abandoned[0][0]:
            self._abandoned.popleft()

    def ease(self, at: float, working: int, goal: float) -> float:
        """1.0 while half hours will end well, 0.0 where one more abandon would make one of them a bad one."""
        most, more = next((most, more) for least, most, more in _GUARDS if self._team >= least)
        pace = _PACE_SURE * working * self._pace[0] / max(1.0, self._pace[1])
        worst, count = 0.0, len(self._abandoned)
        for number, (began, before) in enumerate(self._abandoned):
            lives = self._lives - before + pace * min(_RECENT_S, max(0.0, began + _RECENT_S - at))
            worst = max(worst, (count - number + more) / max(_RECENT_MIN, lives))
        return min(1.0, max(0.0, (most - worst / max(1e-9, goal)) / _GUARD_WIDTH))
