"""Which agent, and until when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.calls import NEEDS_AGENT
from dialer.model import Agent, AgentState, CallState
from dialer.routing import REDIRECT_MARGIN_S, choose, longest_idle, may_send
from tests.floor.test_floor import T0, attempt


def agent(name: str, since: float, state: AgentState = AgentState.IDLE, node: str = "a", leg: str = "leg") -> Agent:
    return Agent(name, node, "c1", state, since, leg)


@pytest.mark.parametrize(
    ("agents", "excluded", "chosen"),
    [
        ([], "", None),
        ([agent("101", 5.0), agent("102", 3.0)], "", "102"),
        ([agent("102", 3.0), agent("101", 3.0)], "", "101"),
        ([agent("101", 5.0), agent("102", 3.0)], "102", "101"),
        ([agent("101", 5.0, node="b")], "", None),
        ([agent("101", 5.0, leg="")], "", None),
        ([agent("101", 5.0, AgentState.WRAP_UP), agent("102", 9.0)], "", "102"),
    ],
)
def test_longest_idle(agents: list[Agent], excluded: str, chosen: str | None) -> None:
    found = longest_idle(agents, "a", frozenset({excluded}))
    assert (found and found.id) == chosen


@given(st.lists(st.tuples(st.integers(10, 99), st.floats(0, 100), st.sampled_from(list(AgentState)))))
def test_nobody_idle_waited_longer(many: list[tuple[int, float, AgentState]]) -> None:
    agents = [agent(str(name), since, state) for name, since, state in many]
    found = longest_idle(agents, "a")
    idle = [one for one in agents if one.state is AgentState.IDLE]
    assert (found is None) is (not idle)
    assert found is None or all(found.since <= one.since for one in idle)


@pytest.mark.parametrize("state", list(CallState))
def test_only_who_waits_is_sent(state: CallState) -> None:
    waiting = attempt("a", T0, state=state, waits_until=T0 + 2)
    assert may_send(waiting, T0) is (state in NEEDS_AGENT)
    assert not may_send(waiting, T0 + 2 - REDIRECT_MARGIN_S)
    assert not may_send(attempt("a", T0, state=state), T0)


def test_a_held_one_waits_half_the_grace_for_his_own() -> None:
    held = attempt("a", T0, state=CallState.HELD, agent="101", left_at=T0, waits_until=T0 + 10)
    agents = [agent("101", T0, AgentState.LOST), agent("102", T0 - 60)]
    assert choose(held, agents, T0 + 4.9) is None
    back = choose(held, [agent("101", T0 + 3), agents[1]], T0 + 4)
    assert back is not None
    assert back.id == "101"
    other = choose(held, agents, T0 + 5.1)
    assert other is not None
    assert other.id == "102"
    assert choose(held, agents, T0 + 9.96) is None
