"""What a standby has heard of calls that it takes over."""

from dialer.floor.overheard import KEPT_S, Overheard
from dialer.model import CallState, Event, Seen
from tests.floor.test_floor import T0, attempt


def heard(*kinds: Seen, channel: str = "a", at: float = T0) -> Overheard:
    overheard = Overheard()
    for number, kind in enumerate(kinds):
        overheard.heard(Event(kind, at + number, channel), number)
    return overheard


LIFE = (Seen.DIALLED, Seen.RINGING, Seen.ANSWERED, Seen.READY, Seen.JOINED, Seen.LEFT, Seen.HANGUP)


def test_of_a_call_that_nobody_had_answered_everything_counts() -> None:
    for state in (CallState.CLAIMED, CallState.PLACED, CallState.RINGING):
        found = heard(*LIFE).of({"a": attempt("a", T0, state=state)})
        assert [event.kind for event in found] == list(LIFE)


def test_of_a_call_that_was_answered_only_its_end_counts() -> None:
    """Where he is the books know, or Asterisk: an event from before would take him back."""
    for state in (CallState.TALKING, CallState.HELD, CallState.ON_HOLD, CallState.IN_IVR, CallState.JOINING):
        found = heard(*LIFE).of({"a": attempt("a", T0, state=state)})
        assert [event.kind for event in found] == [Seen.HANGUP]


def test_others_calls_and_what_is_of_no_call_are_left_out() -> None:
    mine = {"a": attempt("a", T0)}
    assert heard(*LIFE, channel="b").of(mine) == []
    assert heard(Seen.REACHABLE, Seen.UNREACHABLE, Seen.PHONE_KEY).of(mine) == []


def test_what_is_old_and_what_a_broken_link_leaves_is_forgotten() -> None:
    overheard = heard(*LIFE)
    overheard.heard(Event(Seen.DIALLED, T0, "b"), KEPT_S + 2.5)
    found = overheard.of({"a": attempt("a", T0), "b": attempt("b", T0)})
    assert [(event.channel, event.kind) for event in found] == [
        *(("a", kind) for kind in LIFE[3:]),
        ("b", Seen.DIALLED),
    ]
    overheard.forget()
    assert overheard.of({"a": attempt("a", T0)}) == []
