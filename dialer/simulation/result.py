"""What a shift came to."""

from collections import deque
from dataclasses import dataclass, field

from dialer.law.abandon import LAST

ROLLING_S = 1800.0


@dataclass(slots=True)
class Result:
    """One shift. Seconds of all agents together; calls."""

    idle_s: float = 0.0
    busy_s: float = 0.0
    launched: int = 0
    live: int = 0
    abandoned: int = 0
    hung_up: int = 0
    connected: int = 0
    worst_half_hour: float = 0.0
    worst_last_100: float = 0.0
    most_lines: int = 0
    decisions: int = 0
    waits: list[float] = field(default_factory=list)
    fates: list[tuple[float, bool]] = field(default_factory=list)  # when, abandoned? if they are kept
    starts: list[float] = field(default_factory=list)  # when calls were launched, if they are kept
    leads: int = 0  # on the list
    tried: int = 0  # of these, called at least once
    passed_over: int = 0  # of these, never called though a later one was
    reached: int = 0  # of these, talked to
    right_party: int = 0  # talks with a person; connects with a machine taken for one are none
    refused: dict[str, int] = field(default_factory=dict)  # calls that the gate did not allow, by rule
    outcomes: dict[str, int] = field(default_factory=dict)  # as the product's outcome step names them, if they are kept

    @property
    def utilisation(self) -> float:
        """Share of the agents' time outside breaks that was talk or wrap-up."""
        return self.busy_s / max(1e-9, self.busy_s + self.idle_s)

    @property
    def abandon_rate(self) -> float:
        """Of the live answers passed on; hang-ups while waiting included."""
        return self.abandoned / self.live if self.live else 0.0

    @property
    def tried_share(self) -> float:
        """Share of the list that was called at least once."""
        return self.tried / self.leads if self.leads else 0.0

    @property
    def tries_per_lead(self) -> float:
        """Calls per lead, of those that were called."""
        return self.launched / self.tried if self.tried else 0.0

    @property
    def right_party_per_hour(self) -> float:
        """Talks with a person per agent and hour outside breaks."""
        return 3600 * self.right_party / max(1e-9, self.busy_s + self.idle_s)


class Tally:
    """Counts live answers as they come to their end. `keep`: remember each of them."""

    def __init__(self, result: Result, keep: bool) -> None:
        self._result, self._keep = result, keep
        self._recent: deque[tuple[float, bool]] = deque()
        self._recent_bad = 0
        self._last: deque[bool] = deque()
        self._last_bad = 0

    def launched(self, at: float) -> None:
        """A call was started."""
        if self._keep:
            self._result.starts.append(at)

    def settled(self, at: float, abandoned: bool) -> None:
        """One was served, or was not."""
        recent = self._recent
        recent.append((at, abandoned))
        if self._keep:
            self._result.fates.append((at, abandoned))
        self._recent_bad += abandoned
        while recent[0][0] < at - ROLLING_S:
            self._recent_bad -= recent.popleft()[1]
        self._last.append(abandoned)
        self._last_bad += abandoned
        if len(self._last) > LAST:
            self._last_bad -= self._last.popleft()
        if len(self._last) == LAST:
            self._result.worst_last_100 = max(self._result.worst_last_100, self._last_bad / LAST)
        if at > ROLLING_S:
            self._result.worst_half_hour = max(self._result.worst_half_hour, self._recent_bad / len(recent))
