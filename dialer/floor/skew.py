"""Asterisk's clock against ours: the least delay seen lately is taken for none, so what is later than that is late."""

import math

WINDOW_S = 15.0  # a clock that was set is understood after one or two of them


class Skew:
    """Of one node. An event that waited (a pause of ours, a slow link) keeps its age; a clock that is off is no age."""

    def __init__(self) -> None:
        self._least = self._before = math.inf
        self._since = -math.inf

    def ours(self, at: float, now: float, earliest: float = -math.inf) -> float:
        """When, by our clock, something happened that Asterisk tells as `at` and that we read `now`.

        `earliest`: it cannot have been before, as where it comes of an order of ours; then Asterisk's clock was set.
        """
        delay = now - at
        if not 0 <= now - self._since < WINDOW_S:
            self._before, self._least, self._since = self._least, delay, now
        self._least = min(self._least, delay)
        ours = at + min(self._least, self._before)
        if ours < earliest:
            self._least = self._before = delay
            return now
        return ours
