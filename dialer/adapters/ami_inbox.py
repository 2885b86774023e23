"""What the manager link remembers: the bounded queue to its one reader, and how fast Asterisk acknowledges."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from math import ceil

import structlog

from dialer.model import Event, Seen
from dialer.ports import Clock

_WINDOW_S = 5.0  # a minute would hold calls for a minute after a moment of slowness: a held dialer asks for no new ack

log = structlog.get_logger()


class Inbox:
    """The bounded queue between the link and its one reader.

    Full, it behaves like a broken link: LINK_DOWN, then nothing until the reader has caught up, then LINK_UP, so that
    what was lost in between is reconciled like everything else that was missed.
    """

    def __init__(self, limit: int, clock: Clock) -> None:
        self.lost = 0
        self._limit = limit
        self._clock = clock
        self._events: deque[Event] = deque()
        self._some = asyncio.Event()
        self._up = False  # the link itself
        self._told_up = False  # as the reader will have heard when he has read everything
        self._booted = False  # not yet told
        self._closed = False

    @property
    def full(self) -> bool:
        return self._up and not self._told_up

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: Event) -> None:
        if not self.full and len(self._events) < self._limit:
            self._add(event)
            return
        self.lost += 1
        if self._told_up:
            self._tell(False)
            log.warning("events come faster than they are read", action="inbox_full", backlog=len(self._events))

    def link(self, up: bool, booted: bool = False) -> None:
        """The link came up or went; `booted`: Asterisk has started since the last session."""
        held_back = self.full
        self._up = up
        self._booted = self._booted or booted
        if up and not held_back and len(self._events) < self._limit:
            self._catch_up()
        elif not up and self._told_up:
            self._tell(False)

    def close(self) -> None:
        self._closed = True
        self._some.set()

    async def read(self) -> AsyncIterator[Event]:
        while True:
            while self._events:
                yield self._events.popleft()
            if self.full:
                self._catch_up()
            elif self._closed:
                return
            else:
                self._some.clear()
                await self._some.wait()

    def _catch_up(self) -> None:
        self._tell(True)
        if self._booted:
            self._booted = False
            self._add(Event(Seen.BOOTED, self._clock.now()))

    def _tell(self, up: bool) -> None:
        self._told_up = up
        self._add(Event(Seen.LINK_UP if up else Seen.LINK_DOWN, self._clock.now()))

    def _add(self, event: Event) -> None:
        self._events.append(event)
        self._some.set()


class AckTimes:
    """How long Asterisk took to acknowledge, over the last five seconds."""

    def __init__(self) -> None:
        self._times: deque[tuple[float, float]] = deque(maxlen=20_000)
        self._p99_ms = 0.0
        self._counted_at = float("-inf")

    def add(self, at: float, ms: float) -> None:
        self._times.append((at, ms))

    def p99_ms(self, at: float) -> float:
        """Counted at most once per second."""
        if at - self._counted_at >= 1.0:
            self._counted_at = at
            while self._times and self._times[0][0] < at - _WINDOW_S:
                self._times.popleft()
            ordered = sorted(ms for _, ms in self._times)
            self._p99_ms = ordered[ceil(len(ordered) * 0.99) - 1] if ordered else 0.0
        return self._p99_ms
