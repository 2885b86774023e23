"""What the pacer learns, against cases that can be counted by hand, and its sums against brute force."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.learnt import EXACT, HORIZONS, Answers, Busy, sum_at_least


def learnt(calls: int = 400, every: int = 4, age: float = 10.0) -> Answers:
    """Every 4th call live at 10 s, of which 3 s dialing; the others ring out at 28 s."""
    answers = Answers()
    for number in range(calls):
        live = number % every == 0
        answers.end(live, age if live else 28.0, (age if live else 28.0) - 3.0, answered=live)
    return answers


def test_the_answer_rate_begins_high_and_becomes_what_was_seen() -> None:
    assert Answers().rate == 0.5
    assert learnt().rate == pytest.approx(0.25, abs=0.01)


def test_the_past_is_forgotten() -> None:
    answers = learnt(4000, every=2)
    for _ in range(2000):
        answers.end(False, 28.0, 25.0, answered=False)
    assert answers.rate < 0.05


def test_an_old_call_is_not_as_likely_to_be_answered_as_a_young_one() -> None:
    live_by = learnt().live_by()
    assert live_by[0, 0, -1] == pytest.approx(0.25, abs=0.03)  # new: one in four, at 10 s
    assert live_by[0, 9, -1] == pytest.approx(0.25, abs=0.03)
    assert live_by[0, 15, -1] < 0.02  # who has not answered by now will not
    assert live_by[1, 5, 0] == pytest.approx(0.25, abs=0.03)  # by time since ringing: answered at 7 s


def test_horizons_are_when_people_answer() -> None:
    assert learnt().horizons() == pytest.approx(np.full(HORIZONS, 10.5), abs=0.6)


def test_machines_are_no_persons() -> None:
    answers = learnt(100)
    before = answers.person
    for _ in range(50):
        answers.end(False, 20.0, 17.0, answered=True)
    assert answers.person < before


def test_a_wrap_up_timer_is_learnt_to_the_second() -> None:
    busy = Busy()
    for talk in range(100):
        busy.add(30.0 + talk, 15.0)
    chances = busy.free_within(np.array([]), np.array([2.0, 13.0]), np.full(HORIZONS, 4.0))
    assert chances[0, 0] < 0.05
    assert chances[1, 0] > 0.9


def test_a_long_talk_of_a_bounded_length_ends_soon() -> None:
    busy = Busy()
    for number in range(300):
        busy.add(60.0 + number % 60, 1.0)  # between one and two minutes
    young, old = busy.free_within(np.array([5.0, 112.0]), np.array([]), np.full(HORIZONS, 10.0))[:, 0]
    assert young < 0.05
    assert old > 0.7


@given(st.lists(st.floats(0, 1), min_size=0, max_size=6), st.floats(0, 1), st.integers(0, 9), st.integers(0, 3))
def test_sums_against_brute_force(chances: list[float], more: float, needed: int, calls: int) -> None:
    found = sum_at_least(np.array(chances).reshape(-1, 1), np.array([more]), needed, calls)
    for k in range(calls + 1):
        everyone = [*chances, *[more] * k]
        expected = 0.0
        for happened in product((0, 1), repeat=len(everyone)):
            if sum(happened) >= needed:
                expected += float(np.prod([p if h else 1 - p for p, h in zip(everyone, happened, strict=True)]))
        assert found[k] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("needed", [20, 30, 40, 45])
def test_the_normal_law_is_close_to_the_exact_one(needed: int) -> None:
    chances = np.random.default_rng(1).uniform(0.1, 0.9, (EXACT, HORIZONS))
    more = np.full(HORIZONS, 0.3)
    exact = sum_at_least(chances, more, needed, 10)
    extra = np.vstack([chances, np.zeros(HORIZONS)])  # one event more that never happens
    assert sum_at_least(extra, more, needed, 10) == pytest.approx(exact, abs=0.002)


def test_chances_rise_with_every_call_and_end_early() -> None:
    chances = np.full((10, HORIZONS), 0.3)
    found = sum_at_least(chances, np.full(HORIZONS, 0.3), 5, 50)
    assert np.all(np.diff(found) >= -1e-12)
    assert len(found) == 51
    assert len(sum_at_least(chances, np.full(HORIZONS, 0.3), 5, 50, enough=0.5)) < 20
