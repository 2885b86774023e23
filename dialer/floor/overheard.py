"""What Asterisk told of calls that this engine does not lead: a standby that takes them over need not guess.

Rules of this file: of a call that nobody had answered on the books everything counts that was heard, in its order; of
any other, whose agent and place the books know better, only its end; a link that went makes all of it worthless.
"""

from collections import deque
from collections.abc import Mapping

from dialer.calls import UNANSWERED
from dialer.model import Attempt, Event, Seen

KEPT_S = 90.0  # longer than a call may ring
MOST = 50_000
_ENDS = frozenset({Seen.HANGUP, Seen.FAILED})
_OF_NO_CALL = frozenset({Seen.REACHABLE, Seen.UNREACHABLE, Seen.PHONE_KEY})


class Overheard:
    """Of one Asterisk node."""

    def __init__(self) -> None:
        self._events: deque[tuple[float, Event]] = deque(maxlen=MOST)

    def heard(self, event: Event, monotonic: float) -> None:
        """`event.at` by our clock."""
        if event.kind not in _OF_NO_CALL:
            self._events.append((monotonic, event))
        while self._events and self._events[0][0] < monotonic - KEPT_S:
            self._events.popleft()

    def forget(self) -> None:
        """Something may have been missed."""
        self._events.clear()

    def of(self, attempts: Mapping[str, Attempt]) -> list[Event]:
        """What the leader of these attempts, as they were written down, may have missed; in order."""
        rings = {name for name, one in attempts.items() if one.state in UNANSWERED}
        return [
            event
            for _, event in self._events
            if event.channel in rings or (event.kind in _ENDS and event.channel in attempts)
        ]
