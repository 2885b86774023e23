"""The table of agents: total, every state can end, nothing but what it knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.agents import BUSY, COUNTED, TABLE, WANTS_LEG, Word, diagram, step
from dialer.model import Agent, AgentState

from .draw_states import page

AT = 1_795_000_000.0
STATES, WORDS = list(AgentState), list(Word)


def agent(state: AgentState, leg: str = "leg-101-x") -> Agent:
    return Agent("101", "a", "c", state, since=AT, leg=leg)


def test_the_table_is_total() -> None:
    assert set(TABLE) == set(AgentState)
    assert {word for row in TABLE.values() for word in row} == set(Word)
    assert set(AgentState) >= BUSY | COUNTED | WANTS_LEG


@pytest.mark.parametrize("state", STATES)
def test_everyone_can_go_home(state: AgentState) -> None:
    seen: set[AgentState] = set()
    frontier = {state}
    while frontier - seen:
        seen |= frontier
        frontier = {to for one in frontier for to in TABLE[one].values()}
    assert AgentState.SIGNED_OUT in seen | frontier


@given(st.sampled_from(STATES), st.sampled_from(WORDS), st.sampled_from(["", "leg-101-x"]))
def test_an_unknown_word_changes_nothing(state: AgentState, word: Word, leg: str) -> None:
    one = agent(state, leg)
    moved = step(one, word, AT + 1)
    to = TABLE[state].get(word)
    if to is None or to is state:
        assert moved is one
    else:
        assert moved.since == AT + 1
        assert moved.state is to or moved.state is AgentState.RAISING


@pytest.mark.parametrize(("state", "word"), [(AgentState.BREAK, Word.BACK), (AgentState.WRAP_UP, Word.WRAPPED)])
def test_nobody_is_idle_without_a_leg(state: AgentState, word: Word) -> None:
    assert step(agent(state), word, AT).state is AgentState.IDLE
    assert step(agent(state, leg=""), word, AT).state is AgentState.RAISING


def test_only_the_idle_are_reserved_and_who_looks_at_an_account() -> None:
    assert [state for state, row in TABLE.items() if Word.RESERVE in row] == [AgentState.IDLE, AgentState.PREVIEW]


def test_a_wrap_up_outlives_the_leg() -> None:
    assert TABLE[AgentState.WRAP_UP][Word.LEG_DOWN] is AgentState.WRAP_UP


def test_the_page_is_drawn_from_the_table() -> None:
    assert diagram() in page()
