"""`ivr path`: every path of the shipped flow with its outcome and its length."""

from pathlib import Path

import pytest

from ivr.flow_drawing import mermaid
from ivr.flow_words import tables
from ivr.paths import estimated_s, paths
from ivr.shipped import shipped
from tests.ivr.people import TALKS, dialogue

SECRETS = {"birth date": "17081990"}
FLOW = shipped()
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", TALKS)
def test_every_path_has_an_outcome(name: str) -> None:
    one = dialogue(name)
    found = list(paths(one, SECRETS.get(name, "1234")))
    ends = {step.end.how for step in FLOW.steps.values() if step.end}
    assert len({path.keys for path in found}) == len(found)
    for path in found:
        assert path.how in ends or path.how == f"back to {path.steps[-1]}"
        assert 0 < sum(map(estimated_s, path.said)) < 600
        for turn in path.turns:
            assert turn.state.verified or not {sentence.name for sentence in turn.say} & FLOW.debt


def test_with_everything_every_ending_is_found() -> None:
    found = {path.how for path in paths(dialogue("everything"), "1234") if not path.how.startswith("back")}
    ends = {step.end.how for step in FLOW.steps.values() if step.end}
    assert found == ends - {"turn_limit", "not_stored"}


def test_the_shortest_way_to_a_promise_is_short() -> None:
    """With a key at the first chance nothing more is heard than the greeting."""
    found = [path for path in paths(dialogue("everything"), "1234") if path.how == "promise"]
    assert min(len(path.keys) for path in found) == 5


def test_the_drawing_has_every_step_and_way() -> None:
    drawn = mermaid(FLOW)
    for name, step in FLOW.steps.items():
        assert f"    s_{name}" in drawn
        for choice in step.choices:
            assert f's_{name} -->|"{choice.key}' in drawn
    assert 's_menu -->|"1 if va"| s_pay' in drawn
    assert drawn.startswith("---\ntitle: payment_reminder@1\n---\nflowchart TD\n    begins((call)) --> s_greet\n")


def test_the_docs_have_every_word() -> None:
    assert tables() in (ROOT / "docs/ivr-flows.md").read_text(encoding="utf-8")
