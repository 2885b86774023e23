"""Settings out of an operator's words: what is given, over what is there, every fault at once."""

import pytest

from dialer.campaigns import changes, described, from_file, settings, words
from dialer.errors import BadInput
from dialer.model import Campaign, DayPart, Kind, Mode, NextNumber, Overflow, Recycle, Retry

TRUNKS = {"one": ("+622150001234", "+622150001235"), "two": ("+622160001234",)}


def test_a_new_one_takes_the_first_trunk_and_its_first_number() -> None:
    made = settings("april", {}, None, TRUNKS)
    assert made == Campaign("april", "april", trunk="one", caller_id="+622150001234")


def test_kind_and_mode_go_together() -> None:
    ivr = settings("april", {"kind": "ivr"}, None, TRUNKS)
    assert ivr.mode is Mode.IVR
    back = settings("april", {"kind": "agents"}, ivr, TRUNKS)
    assert (back.kind, back.mode) == (Kind.AGENTS, Mode.PROGRESSIVE)


def test_what_is_not_given_stays() -> None:
    known = settings("april", {"mode": "predictive", "lines_max": "40", "overflow": "ivr"}, None, TRUNKS)
    changed = settings("april", {"ring_s": "30"}, known, TRUNKS)
    assert (changed.mode, changed.lines_max, changed.overflow) == (Mode.PREDICTIVE, 40, Overflow.IVR)
    assert changes(known, changed) == ["ring_s 25 -> 30"]


def test_another_trunk_brings_a_number_of_its_own() -> None:
    known = settings("april", {"caller_id": "+622150001235"}, None, TRUNKS)
    assert settings("april", {"trunk": "one"}, known, TRUNKS).caller_id == "+622150001235"
    assert settings("april", {"trunk": "two"}, known, TRUNKS).caller_id == "+622160001234"


def test_every_kind_of_value() -> None:
    given = {
        "record": "true",
        "ratio": "1.5",
        "caller_name": "Koperasi",
        "retries": '{"busy": {"after_s": 9, "times": 2}}',
    }
    made = settings("april", given, None, TRUNKS)
    assert (made.record, made.ratio, made.caller_name, made.retries) == (True, 1.5, "Koperasi", {"busy": Retry(9, 2)})
    assert {name: described(made)[name] for name in given} == given


def test_a_file_with_rules_of_recycling() -> None:
    text = """
        [campaign]
        lines_max = 40
        record = true
        name = "April"
        [campaign.recycle.no_answer]
        after = "4h"
        factor = 1.5
        day_part = "other"
    """
    made = settings("april", from_file(text, "april.toml"), None, TRUNKS)
    assert (made.lines_max, made.record, made.name) == (40, True, "April")
    assert made.recycle == {"no_answer": Recycle(14_400, 1.5, 6, NextNumber.NEXT, DayPart.OTHER)}
    again = settings("april", {"recycle": described(made)["recycle"]}, None, TRUNKS)
    assert again.recycle == made.recycle
    assert changes(made, settings("april", {"recycle": ""}, made, TRUNKS))[0].startswith("recycle {")


@pytest.mark.parametrize("text", ["", "[campaign", "campaign = 3", "lines_max = 3", "[campaign]\nlast = 2026-12-01"])
def test_a_file_that_is_none(text: str) -> None:
    with pytest.raises(BadInput, match=r"april\.toml"):
        from_file(text, "april.toml")


def test_every_fault_is_named_at_once() -> None:
    given = {"lines_max": "many", "kind": "robot", "record": "maybe", "retries": "{", "linesmax": "3", "ratio": "x"}
    given["recycle"] = 'bussy = {after = "4h"}\nbusy = {after = "soon"}'
    with pytest.raises(BadInput) as told:
        settings("april", given, None, TRUNKS)
    said = str(told.value)
    for part in (
        "lines_max = 'many': use a whole number",
        "kind = 'robot': use one of agents, ivr",
        "record = 'maybe': use true or false",
        "retries = '{': use JSON like",
        "recycle.bussy: unknown outcome",
        "recycle.busy.after = 'soon': use seconds",
        "linesmax: unknown; use one of name, kind",
        "ratio = 'x': use a number",
    ):
        assert part in said


@pytest.mark.parametrize(
    "given", [{"retries": "[]"}, {"retries": '{"busy": 3}'}, {"lines_max": "1.5"}, {"id": "other"}]
)
def test_no_guess_is_made(given: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        settings("april", given, None, TRUNKS)


@pytest.mark.parametrize("name", ["April", "", "a" * 41, "a b", "-a"])
def test_an_id_that_is_none(name: str) -> None:
    with pytest.raises(BadInput, match="is no campaign id"):
        settings(name, {}, None, TRUNKS)


def test_words_are_pairs() -> None:
    assert words(["lines_max=3", "name = a=b"]) == {"lines_max": "3", "name": "a=b"}
    with pytest.raises(BadInput, match="use name=value"):
        words(["lines_max"])
