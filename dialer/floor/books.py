"""The books of a campaign's floor: attempts, what is kept in mind of each, and what the pacer has been told of it.

Rules of this file: of each live answer the pacer hears one fate, the first; what an attempt leaves behind goes with it.
"""

from collections.abc import Callable

from dialer.calls import NEEDS_AGENT, SETTLED, UNANSWERED, Word
from dialer.floor.deadlines import Deadlines
from dialer.model import INBOUND, Attempt, CallState, Kind

Told = Callable[[str, str, str, float], None]  # pacing event kind, attempt, agent, at


class Notes:
    """What is kept in mind of a call besides its attempt."""

    __slots__ = (
        "closing",
        "failed_with",
        "fell",
        "given",
        "in_room_since",
        "left_at",
        "live",
        "moving",
        "sent_off_at",
        "told_live",
        "waiting_end",
        "was_up",
    )

    def __init__(self) -> None:
        self.given = True  # Asterisk may know of it
        self.failed_with: frozenset[str] = frozenset()  # agents who did not get him
        self.fell: Word | None = None  # an overflow that began while the Redirect was under way
        self.in_room_since = 0.0
        self.moving = ""  # where his agent has sent him: moves.py
        self.left_at = 0.0  # when he left the room for it
        self.told_live = False
        self.live = False  # a live answer of which no fate is told yet
        self.waiting_end = False  # hung up before anything said whether it had been answered
        self.was_up = False  # its channel had been answered when it hung up
        self.closing = False
        self.sent_off_at = 0.0  # when he was last sent out of an IVR that stands still


class Books:
    """Attempts by id, with an index of those who need an agent."""

    def __init__(self, told: Told) -> None:
        self.attempts: dict[str, Attempt] = {}  # to be changed by put() alone
        self.notes: dict[str, Notes] = {}
        self.deadlines = Deadlines()
        self.told = told
        self._waiting: dict[str, None] = {}

    def begin(self, attempt: Attempt) -> Notes:
        """A new attempt."""
        self.notes[attempt.id] = notes = Notes()
        self.put(attempt)
        return notes

    def put(self, attempt: Attempt) -> None:
        """The attempt as it is now."""
        self.attempts[attempt.id] = attempt
        if attempt.state in NEEDS_AGENT:
            self._waiting[attempt.id] = None
        elif attempt.id in self._waiting:
            del self._waiting[attempt.id]

    def drop(self, attempt_id: str) -> None:
        """It is on the books no more."""
        self.attempts.pop(attempt_id, None)
        self.notes.pop(attempt_id, None)
        self._waiting.pop(attempt_id, None)
        self.deadlines.drop(attempt_id)

    def waiting(self) -> list[Attempt]:
        """Those who need an agent: who was held or asked for one before new answers, of each the most urgent first."""
        return sorted((self.attempts[one] for one in self._waiting), key=_urgency)

    # ---- what the pacer hears

    def live(self, attempt_id: str, at: float) -> None:
        """A person answered."""
        notes = self.notes[attempt_id]
        if not notes.told_live:
            notes.told_live = notes.live = True
            self.told("live", attempt_id, "", at)

    def fate(self, attempt_id: str, kind: str, agent: str, at: float) -> None:
        """What became of a live answer: connect, served, overflow, abandon, hung_up."""
        notes = self.notes[attempt_id]
        if notes.live:
            notes.live = False
            self.told(kind, attempt_id, agent, at)

    def ended(self, was: CallState, attempt: Attempt, kind: Kind, at: float) -> None:
        """The call is over; `was`: its last state."""
        if was in UNANSWERED and not attempt.answered_at:
            self.told(_unanswered(attempt), attempt.id, "", at)
            return
        if attempt.detection != "machine":
            self.live(attempt.id, at)
        fell = self.notes[attempt.id].fell
        if fell is Word.OVERFLOW_MESSAGE or fell is Word.MESSAGE:
            self.fate(attempt.id, "abandon", "", at)
        elif fell is not None or attempt.wanted_agent or (was is CallState.IN_IVR and attempt.ivr_at):
            self.fate(attempt.id, "served" if kind is Kind.IVR else "overflow", "", at)
        else:
            self.fate(attempt.id, "hung_up", "", at)

    def adopt(self, attempt: Attempt) -> None:
        """An attempt of the engine before us, with what that one will have told."""
        notes = self.begin(attempt)
        if attempt.state in (CallState.TALKING, CallState.ON_HOLD):
            notes.in_room_since = max(attempt.joined_at, attempt.left_at)
        notes.told_live = bool(attempt.answered_at)
        had_fate = attempt.joined_at or attempt.overflow_at or attempt.detection == "machine"
        is_ours = attempt.kind != INBOUND  # who called us can neither be abandoned nor answer
        notes.live = is_ours and bool(attempt.answered_at) and not had_fate and attempt.state not in SETTLED


def _urgency(attempt: Attempt) -> tuple[bool, float]:
    """As all who wait for the same wait equally long, the most urgent has waited longest."""
    return attempt.state is CallState.WAITING, attempt.waits_until


def _unanswered(attempt: Attempt) -> str:
    if attempt.cause == 17:
        return "busy"
    return "no_answer" if attempt.ringing_at else "failed"
