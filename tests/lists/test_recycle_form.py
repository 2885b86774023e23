"""Rules of recycling as an operator writes them: read, ranges, every fault at once."""

import json
from contextlib import suppress
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import BadInput
from dialer.lists.recycle_form import EXAMPLE, faults, read_rules
from dialer.lists.recycling import DEFAULTS
from dialer.model import DayPart, NextNumber, Outcome, Recycle

FILE = """
[campaign]
lines_max = 40

[campaign.recycle.no_answer]
after = "4h"
factor = 1.5
times = 6
number = "next"
day_part = "other"

[campaign.recycle.busy]
after = 1200
"""
NO_ANSWER = Recycle(14_400, 1.5, 6, NextNumber.NEXT, DayPart.OTHER)


def test_a_campaigns_file_a_line_of_toml_and_json_say_the_same() -> None:
    assert read_rules(FILE) == {"no_answer": NO_ANSWER, "busy": Recycle(1200)}
    assert read_rules(EXAMPLE) == {"no_answer": NO_ANSWER}
    assert read_rules(json.dumps({"no_answer": asdict(NO_ANSWER)})) == {"no_answer": NO_ANSWER}
    assert read_rules("") == {}


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("20m", 1200), ("4h", 14_400), ("2 d", 172_800)])
def test_durations(text: str, seconds: int) -> None:
    assert read_rules(f'busy = {{after = "{text}"}}')["busy"].after_s == seconds


def test_every_fault_at_once() -> None:
    with pytest.raises(BadInput) as told:
        read_rules(
            """
            [bussy]
            after = "4h"
            [busy]
            after = "soon"
            factor = "big"
            [no_answer]
            times = 2.5
            number = "last"
            day_part = "night"
            when = 3
            [machine]
            after = 0
            factor = 0.5
            times = 99
            """
        )
    for part in (
        "recycle.bussy: unknown outcome; use one of connected, ivr",
        "recycle.busy.after = 'soon': use seconds, or \"90s\"",
        "recycle.busy.factor = 'big': use a number",
        'set recycle.no_answer.after, as "4h"',
        "recycle.no_answer.times = 2.5: use a whole number",
        "recycle.no_answer.number = 'last': use one of stay, next, best",
        "recycle.no_answer.day_part = 'night': use one of any, other, best",
        "recycle.no_answer.when: unknown; use after, factor, times, number, day_part",
        "recycle.machine.after = 0: use 1 to 2592000 seconds",
        "recycle.machine.factor = 0.5: use 1 to 10",
        "recycle.machine.times = 99: use 1 to 50",
    ):
        assert part in str(told.value)


@pytest.mark.parametrize("text", ["{", "[", "busy = 3", '{"busy": [1]}', "[1]", '{"recycle": 3}', "campaign = 1"])
def test_no_guess_is_made(text: str) -> None:
    with pytest.raises(BadInput):
        read_rules(text)


@given(st.text())
def test_nothing_but_bad_input_comes_of_any_text(text: str) -> None:
    with suppress(BadInput):
        assert isinstance(read_rules(text), dict)


def test_the_defaults_would_be_accepted() -> None:
    assert faults({outcome.value: rule for outcome, rule in DEFAULTS.items()}) == []
    assert set(DEFAULTS) == set(Outcome)
    assert faults({"busy": Recycle(60, float("nan"))}) == ["recycle.busy.factor = nan: use 1 to 10"]
