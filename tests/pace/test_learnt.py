"""What the pacer learns, against cases that can be counted by hand, and its sums against brute force."""

import random
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.pace.learnt import HORIZONS, Answers, Busy
from dialer.pace.sums import EXACT, excess, scaled, sum_at_least


def learnt(calls: int = 400, every: int = 4, age: float = 10.0) -> Answers:
    """Every 4th call live at 10 s, of which 3 s dialing; the others ring out at 28 s."""
    answers = Answers()
    for number in range(calls):
        live = number % every == 0
        answers.early(live)
        answers.end(live, age if live else 28.0, (age if live else 28.0) - 3.0, answered=live)
    return answers


def test_the_answer_rate_begins_high_and_becomes_what_was_seen() -> None:
    assert Answers().rate == 0.5
    assert learnt().rate == pytest.approx(0.25, abs=0.01)


def test_the_past_is_forgotten() -> None:
    answers = learnt(4000, every=2)
    for _ in range(2000):
        answers.early(False)
        answers.end(False, 28.0, 25.0, answered=False)
    assert answers.rate < 0.05


def test_a_list_that_jumps_is_followed_within_a_hundred_calls() -> None:
    answers = learnt(3000)
    for number in range(120):
        answers.early(number % 2 == 0)
    assert 0.4 < answers.rate < 0.6
    assert answers.gain > 2


def test_a_forecast_is_believed_as_far_as_it_was_right() -> None:
    chance = random.Random(1)
    good, useless = Answers(), Answers()
    for _ in range(600):
        told = chance.choice([0.05, 0.2, 0.6])
        good.early(chance.random() < told, told)
        useless.early(chance.random() < 0.28, told)
    assert good.trust.slope > 0.7
    assert abs(useless.trust.slope) < 0.2
    low, high = good.gains(np.array([0.05, 0.6]))
    assert high > 5 * low


@pytest.mark.parametrize("seed", range(8))
def test_a_forecast_that_misleads_changes_nothing(seed: int) -> None:
    """From the first hundred calls on every number is as likely to answer as the list."""
    chance, useless, off = random.Random(seed), Answers(), []
    for number in range(1500):
        useless.early(chance.random() < 0.28, chance.choice([0.05, 0.2, 0.6]))
        if number >= 100:
            off.append(np.abs(np.log(useless.gains(np.array([0.05, 0.2, 0.6])) / useless.gain)).mean())
    assert np.mean(off) < 0.04


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), max_size=60), st.floats(0, 1))
def test_whatever_was_told_chances_stay_chances(calls: list[tuple[bool, float]], told: float) -> None:
    answers = Answers()
    for live, said in calls:
        answers.early(live, said)
    assert 0 < answers.rate < 1
    assert np.all(np.isfinite(answers.gains(np.array([told]))))
    moved = scaled(np.array([0.0, 0.3, 1.0]), answers.gains(np.array([told])))
    assert np.all((moved >= 0) & (moved <= 1))


def test_more_calls_than_agents_are_counted() -> None:
    sure = np.ones((5, HORIZONS))
    assert excess(sure, 3) == pytest.approx(2.0, abs=0.01)
    assert excess(0.5 * sure, 5) < 0.1
    assert excess(np.zeros((0, HORIZONS)), -2) == 2.0


def test_calls_of_their_own_chances_are_summed_in_turn() -> None:
    chances, each = np.full((4, HORIZONS), 0.4), np.linspace(0.1, 0.6, 6)[:, None] * np.ones(HORIZONS)
    found = sum_at_least(chances, each, 4, 6)
    for k in range(7):
        by_hand = sum_at_least(np.vstack([chances, each[:k]]), each[:1], 4, 0)[0]
        assert found[k] == pytest.approx(by_hand)
    many = np.full((EXACT + 1, HORIZONS), 0.4)
    in_turn, at_once = sum_at_least(many, each, 25, 8), sum_at_least(np.vstack([many, each]), each[-1], 25, 2)
    assert in_turn[6:] == pytest.approx(at_once)


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


def test_a_rate_that_is_not_sure_makes_large_sums_wider() -> None:
    chances = np.full((EXACT + 52, HORIZONS), 0.2)
    more = np.full(HORIZONS, 0.1)
    sure, unsure = (sum_at_least(chances, more, 30, 5, shared=100, unsure=u) for u in (0.0, 0.04))
    assert np.all(unsure > sure)
    few = np.full((10, HORIZONS), 0.2)
    assert sum_at_least(few, more, 5, 2, shared=10, unsure=0.04)[0] == sum_at_least(few, more, 5, 2)[0]


@given(st.lists(st.floats(0.0, 1.0), max_size=20), st.floats(0.0, 1.0), st.integers(0, 12), st.integers(0, 8))
def test_what_is_too_many_rises_with_every_call(chances: list[float], more: float, needed: int, calls: int) -> None:
    """And is no less than the mean says (Jensen)."""
    events = np.repeat(np.array(chances).reshape(-1, 1), HORIZONS, axis=1)
    found = excess(events, needed, np.full(HORIZONS, more), calls)
    assert len(found) == calls + 1
    assert (np.diff(found) >= -1e-6).all()
    assert (found >= sum(chances) + more * np.arange(calls + 1) - needed - 1e-6).all()
