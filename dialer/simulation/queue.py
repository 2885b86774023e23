"""Invented time: what happens next happens now. Of things due at one moment the first to be put down comes first."""

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf


class Queue:
    """`at` is the time, in seconds of the shift."""

    def __init__(self) -> None:
        self.at = 0.0
        self._count = 0
        self._coming: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []

    def later(self, delay: float, what: Callable[..., None], *words: object) -> None:
        """`what(*words)` in `delay` seconds."""
        self._count += 1
        heappush(self._coming, (self.at + delay, self._count, what, words))

    @property
    def soonest(self) -> float:
        """When the next thing is due; inf: nothing is."""
        return self._coming[0][0] if self._coming else inf

    def step(self) -> None:
        """Let the next thing happen."""
        self.at, _, what, words = heappop(self._coming)
        what(*words)
