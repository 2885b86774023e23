"""A number's past as a value: kept in few characters, aged by days, and no text of anybody's making hurts."""

from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.lists.past import CELL_MOST, TRIED_MOST, Past, day_of, hour_of

AT = 1_794_980_000.0  # 2026-11-18 05:33:20 UTC, half past twelve in Jakarta
DAY = 86400.0
JAKARTA, JAYAPURA = ZoneInfo("Asia/Jakarta"), ZoneInfo("Asia/Jayapura")

CALLS = st.lists(st.tuples(st.floats(AT, AT + 400 * DAY), st.booleans()), max_size=60)
CELLS = st.from_regex(r"[0-6]:[0-9]{1,4}(\.[0-9]{1,3})?/[0-9]{1,3}(\.[0-9]{1,4})?", fullmatch=True)
TEXTS = st.text() | st.builds(
    lambda day, cells: " ".join([str(day), *cells]), st.integers(), st.lists(CELLS, max_size=8)
)


def lived(calls: list[tuple[float, bool]]) -> Past:
    past = Past()
    for at, answered in calls:
        past = past.after(at, answered, JAKARTA)
    return past


def test_a_past_in_words() -> None:
    past = Past().after(AT, True, JAKARTA).after(AT + 60, False, JAKARTA).after(AT + 6 * 3600, False, JAKARTA)
    assert past.text == "20775 3:1/2 4:0/1"
    assert (past.answered, past.tried, past.cell) == (1, 3, (1, 3))
    assert Past.parse(past.text) == past
    assert Past().text == ""


def test_the_part_of_the_day_is_the_debtors_own() -> None:
    assert Past().after(AT, True, JAYAPURA).text == "20775 3:1/1"
    assert Past().after(AT + 2 * 3600, True, JAYAPURA).text == "20775 4:1/1"
    assert Past().after(AT, True, UTC).text == "20775 1:1/1"


def test_half_of_it_counts_after_two_months() -> None:
    past = Past().after(AT, True, JAKARTA)
    assert past.aged(day_of(AT + 60 * DAY)).tried == pytest.approx(0.5)
    assert past.after(AT + 60 * DAY, False, JAKARTA).text == "20835 3:0.5/1.5"
    assert past.aged(0) == past
    assert Past(counts=past.counts).aged(99_999).tried == 1.0


def test_a_clock_that_steps_back_makes_nothing_younger() -> None:
    past = Past().after(AT, True, JAKARTA).after(AT - 30 * DAY, True, JAKARTA)
    assert past.text == "20775 3:2/2"


def test_a_number_called_for_ever_stays_small() -> None:
    past = lived([(AT, turn % 2 == 0) for turn in range(2500)])
    assert past.tried == pytest.approx(TRIED_MOST)
    assert past.answered == pytest.approx(TRIED_MOST / 2, rel=0.01)
    assert past.cell == (CELL_MOST, CELL_MOST)
    assert len(past.text) < 30


@given(CALLS)
def test_its_text_says_all_of_it(calls: list[tuple[float, bool]]) -> None:
    past = lived(calls)
    read = Past.parse(past.text)
    assert read.text == past.text
    assert read.counts == pytest.approx(past.counts, abs=0.0011)
    assert len(past.text) <= 110


@given(TEXTS)
def test_whatever_the_text_says_it_is_a_past(text: str) -> None:
    past = Past.parse(text)
    assert Past.parse(past.text).text == past.text
    assert 0.0 <= past.answered <= past.tried <= 6 * TRIED_MOST + 6
    assert past.after(AT, True, JAKARTA).tried > 0.0


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "20775", "x 1:1/1", "-1 1:1/1", "20775 1:2/1", "20775 7:1/1", "20775 1:1/1 1:1/1", "20775 1:0/0",
        "20775  1:1/1", "20775 1:1e3/1", "20775 1:nan/1", "٢٠ 1:1/1", "20775 1:1/1" + " 1:1/1" * 99, "999999 1:1/1",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_no_past(text: str) -> None:
    assert Past.parse(text).tried == 0.0


@given(st.floats())
def test_what_is_no_time_is_hour_nought(at: float) -> None:
    assert 0 <= hour_of(at, timezone(timedelta(hours=7))) <= 23
    assert 0 <= day_of(at) <= 99_999
