"""Any flow that passes the proof: no keys make it crash, tell a stranger of a debt, or go on for ever."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialer.dialplan import IvrResult
from ivr import flow_check
from ivr.dialogue import DebtUntold, Dialogue, between
from ivr.flow import Choice, End, Flow, Item, Step, item
from ivr.shipped import shipped
from ivr.words import ACTIONS, ENTRIES, FACTS
from tests.ivr.people import TALKS

FLOW = shipped()
NAMES = sorted(FLOW.steps)
KEYED = st.lists(st.sampled_from(["", *"0123456789", "*", "1234", "9999", "2511", "1000", "081234567890"]), max_size=50)
PEOPLE = st.sampled_from(sorted(TALKS))


def faults(flow: Flow) -> list[str]:
    """But those of texts that nobody says any more."""
    found = list(flow_check.names(flow)) or flow_check.proof(flow)
    return [fault.text for fault in found]


def play(one: Dialogue, keyed: list[str]) -> int:
    """Turns until the end."""
    turn, count = one.begin(), 0
    for keys in [*keyed, *[""] * (one.flow.repeats + 1)]:
        if turn.end:
            break
        if turn.must:
            assert one.not_stored(turn.state).end
        turn, count = one.hear(turn.state, keys), count + 1
    assert turn.end
    return count


@st.composite
def changed(draw: st.DrawFn) -> Flow:
    """The shipped flow with some of its ways bent."""
    steps = dict(FLOW.steps)
    for _ in range(draw(st.integers(1, 3))):
        name, target = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES))
        step = steps[name]
        if step.choices:
            at = draw(st.integers(0, len(step.choices) - 1))
            when = draw(st.sampled_from([step.choices[at].when, item("x").when]))
            bent = replace(step.choices[at], to=target, when=when)
            steps[name] = replace(step, choices=(*step.choices[:at], bent, *step.choices[at + 1 :]))
        elif step.on:
            steps[name] = replace(step, on={**step.on, draw(st.sampled_from(sorted(step.on))): target})
        elif step.next:
            steps[name] = replace(step, next=(*step.next[:-1], Item(target)), verifies=draw(st.booleans()))
        else:
            steps[name] = replace(step, say=(*step.say, Item(draw(st.sampled_from(sorted(FLOW.texts["id"]))))))
    return replace(FLOW, steps=steps)


COUNTED: Counter[bool] = Counter()


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(changed(), KEYED, PEOPLE)
def test_a_bent_flow_that_passes_is_safe(flow: Flow, keyed: list[str], name: str) -> None:
    sound = not faults(flow)
    COUNTED[sound] += 1
    if sound:
        assert play(between(flow, TALKS[name]), keyed) <= flow.turns


def test_some_passed_and_some_did_not() -> None:
    """Otherwise the test above proves nothing."""
    if not COUNTED:
        pytest.skip("runs after the one above")
    assert COUNTED[True] > 10
    assert COUNTED[False] > 10


TEXTS = sorted(FLOW.texts["id"].keys() - FLOW.parts)


@st.composite
def steps(draw: st.DrawFn, names: list[str]) -> Step:
    """Any step at all that leads to some of these."""
    target = st.sampled_from(names)
    say = tuple(Item(name) for name in draw(st.lists(st.sampled_from(TEXTS), max_size=3)))
    kind = draw(st.sampled_from(["choices", "entry", "next", "end"]))
    if kind == "choices":
        keys = draw(st.lists(st.sampled_from("0123456789"), min_size=1, max_size=4, unique=True))
        return Step(say=say, choices=tuple(Choice(key, draw(target)) for key in keys))
    if kind == "entry":
        entry = draw(st.sampled_from(sorted(ENTRIES)))
        return Step(say=say, entry=entry, on={found: draw(target) for found in ENTRIES[entry].results})
    if kind == "end":
        return Step(say=say, end=End(IvrResult.DONE, "end"))
    facts = tuple(draw(st.lists(st.sampled_from([name for name, one in FACTS.items() if not one.own]), max_size=2)))
    does = draw(st.sampled_from(["", *ACTIONS]))
    return Step(say=say, next=(Item(draw(target)),), facts=facts, does=does, verifies=draw(st.booleans()))


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """A flow out of nothing, most of them nonsense; `last` ends."""
    names = [f"s{number}" for number in range(draw(st.integers(1, 6)))]
    made = {name: draw(steps([*names, "last"])) for name in names}
    made["last"] = Step(end=FLOW.steps["enough"].end)
    return replace(FLOW, start=names[0], quiet="last", enough="last", not_stored="last", turns=20, steps=made)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(flows(), KEYED, PEOPLE)
def test_a_flow_out_of_nothing(flow: Flow, keyed: list[str], name: str) -> None:
    """One with a loop of its own is refused; in any other the machine refuses what the proof would have."""
    wrong = faults(flow)
    if any("loop" in fault for fault in wrong):
        return
    try:
        play(between(flow, TALKS[name]), keyed)
    except DebtUntold:
        assert wrong
