"""The table of calls: total, every state can end, nothing but what it knows, and any order of events has a sane end."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.calls import NEEDS_AGENT, SETTLED, TABLE, UNANSWERED, Word, diagram, evolve, learn, step, told, word_of
from dialer.model import Attempt, CallState, Event, Kind, Number, Seen

from .draw_states import PAGE, page

AT = 1_795_000_000.0
ATTEMPT = Attempt("a1", "c", "n", "progressive", "t", "", "id", "p", "k", "p1", Number("+6281234567890", "n1"))
STATES, WORDS = list(CallState), list(Word)


def test_the_table_is_total() -> None:
    assert set(TABLE) == set(CallState)
    known = {word for row in TABLE.values() for word in row}
    assert known == set(Word)
    assert set(CallState) >= NEEDS_AGENT | UNANSWERED | SETTLED


@pytest.mark.parametrize("state", STATES)
def test_every_state_can_end(state: CallState) -> None:
    seen: set[CallState] = set()
    frontier = {state}
    while frontier - seen:
        seen |= frontier
        frontier = {to for one in frontier for to in TABLE[one].values()}
    assert CallState.ENDED in seen | frontier


@pytest.mark.parametrize("state", [one for one in STATES if one not in SETTLED])
@pytest.mark.parametrize("word", [Word.HANGUP, Word.LOST])
def test_a_hang_up_ends_every_call(state: CallState, word: Word) -> None:
    assert step(replace(ATTEMPT, state=state), word, AT).state is CallState.GONE


@given(st.sampled_from(STATES), st.sampled_from(WORDS))
def test_an_unknown_word_changes_nothing(state: CallState, word: Word) -> None:
    attempt = replace(ATTEMPT, state=state)
    moved = step(attempt, word, AT)
    if word not in TABLE[state]:
        assert moved is attempt
    else:
        assert moved.state is TABLE[state][word]


@given(st.sampled_from(STATES), st.sampled_from(WORDS))
def test_the_same_word_again_keeps_its_first_time(state: CallState, word: Word) -> None:
    once = step(replace(ATTEMPT, state=state), word, AT)
    assert step(replace(once, state=state), word, AT + 5) == once


def test_a_settled_call_never_comes_back() -> None:
    assert set(TABLE[CallState.GONE].values()) == {CallState.GONE, CallState.ENDED}
    assert not TABLE[CallState.ENDED]


ENDS = [Word.ANSWERED, Word.DIALLED, Word.RINGING, Word.HANGUP, Word.JOINED]


@given(st.permutations(ENDS))
def test_any_order_ends(order: list[Word]) -> None:
    attempt = ATTEMPT
    for when, word in enumerate(order):
        attempt = step(attempt, word, AT + when)
    assert attempt.state is CallState.GONE
    first_sign = min(order.index(Word.ANSWERED), order.index(Word.JOINED))
    if first_sign < order.index(Word.HANGUP):
        assert attempt.answered_at == AT + first_sign
    assert attempt.ended_at == AT + order.index(Word.HANGUP)
    if order.index(Word.JOINED) < order.index(Word.HANGUP):
        assert attempt.joined_at


@pytest.mark.parametrize("first", [Word.IVR_BEGIN, Word.OVERFLOW_IVR, Word.JOINED, Word.PERSON])
def test_the_dialplan_may_speak_before_the_manager_tells_of_the_answer(first: Word) -> None:
    attempt = step(replace(ATTEMPT, state=CallState.RINGING), first, AT)
    late = step(attempt, Word.ANSWERED, AT + 1)
    assert late.state is attempt.state
    assert late.answered_at == AT


@pytest.mark.parametrize(
    ("event", "field", "value"),
    [
        (Event(Seen.DIALLED, AT, "a1"), "dialled", True),
        (Event(Seen.FAILED, AT, "a1", result="0"), "failed", True),
        (Event(Seen.HANGUP, AT, "a1", cause=17, sip_code=486), "cause", 17),
        (Event(Seen.HANGUP, AT, "a1", cause=17, sip_code=486), "sip_code", 486),
        (Event(Seen.DETECTED, AT, "a1", result="unsure"), "detection", "unsure"),
        (Event(Seen.OVERFLOWED, AT, "a1", result="ivr"), "overflow_to", "ivr"),
        (Event(Seen.VOICEMAIL, AT, "a1", result="yes"), "voicemail_left", True),
        (Event(Seen.WANTS_AGENT, AT, "a1"), "wanted_agent", True),
        (Event(Seen.IVR_END, AT, "a1", result="done"), "ivr_result", "done"),
    ],
)
def test_what_an_event_tells_besides_the_state(event: Event, field: str, value: object) -> None:
    learnt = learn(ATTEMPT, told(event))
    assert getattr(learnt, field) == value
    assert learn(learnt, told(event)) is learnt
    ended = replace(ATTEMPT, state=CallState.ENDED)
    assert learn(ended, told(event)) is ended


@pytest.mark.parametrize(
    ("event", "kind", "detection", "word"),
    [
        (Event(Seen.ANSWERED, AT), Kind.AGENTS, False, Word.ANSWERED),
        (Event(Seen.READY, AT), Kind.AGENTS, False, Word.ANSWERED),
        (Event(Seen.ANSWERED, AT), Kind.AGENTS, True, Word.ANSWERED_DETECT),
        (Event(Seen.ANSWERED, AT), Kind.IVR, True, Word.ANSWERED_IVR),
        (Event(Seen.DETECTED, AT, result="human"), Kind.AGENTS, True, Word.PERSON),
        (Event(Seen.DETECTED, AT, result="unsure"), Kind.AGENTS, True, Word.PERSON),
        (Event(Seen.DETECTED, AT, result="machine"), Kind.AGENTS, True, Word.MACHINE),
        (Event(Seen.DETECTED, AT, result="hangup"), Kind.AGENTS, True, None),
        (Event(Seen.OVERFLOWED, AT, result="ivr"), Kind.AGENTS, False, Word.OVERFLOW_IVR),
        (Event(Seen.OVERFLOWED, AT, result="message"), Kind.AGENTS, False, Word.OVERFLOW_MESSAGE),
        (Event(Seen.PROGRESS, AT), Kind.AGENTS, False, Word.PROGRESS),
        (Event(Seen.FAILED, AT), Kind.AGENTS, False, None),  # whether a channel was made decides: the floor waits
        (Event(Seen.LINK_UP, AT), Kind.AGENTS, False, None),
    ],
)
def test_words_of_events(event: Event, kind: Kind, detection: bool, word: Word | None) -> None:
    assert word_of(event, kind, detection) is word


def test_early_media_is_written_down() -> None:
    assert step(ATTEMPT, Word.PROGRESS, AT).progress_at == AT


def test_the_page_is_drawn_from_the_tables() -> None:
    assert diagram() in page()
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.draw_states"


def test_evolve_is_replace() -> None:
    changes = {"state": CallState.TALKING, "agent": "101", "joined_at": AT, "number": Number("+1", "x")}
    assert evolve(ATTEMPT, **changes) == replace(ATTEMPT, **changes)  # type: ignore[arg-type]
    assert evolve(ATTEMPT) == ATTEMPT
