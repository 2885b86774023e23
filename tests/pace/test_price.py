"""The price of a further call: it follows the abandons in hand, and what the state of the team makes a call worth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.pace.price import PRICE_FIRST, PRICE_MAX, PRICE_MIN, Price, Recent, care


def test_no_budget_no_price() -> None:
    assert Price().at(1.5, 10, 0, 0.0) == 0.0
    assert Price().at(-20.0, 10, 0, 0.0) == 0.0


def test_at_the_reserve_the_price_is_its_level() -> None:
    assert Price().at(1.2 * 10**0.65, 10, 0, 0.0) == pytest.approx(PRICE_FIRST)


@given(st.floats(-50, 500), st.floats(-50, 500), st.integers(1, 500))
def test_more_in_hand_is_never_a_lower_price(one: float, other: float, working: int) -> None:
    low, high = sorted((one, other))
    assert Price().at(low, working, 0, 0.0) <= Price().at(high, working, 0, 0.0)


@pytest.mark.parametrize(("left", "bound"), [(500.0, PRICE_MAX), (-500.0, PRICE_MIN)])
def test_the_level_drifts_within_its_bounds(left: float, bound: float) -> None:
    price = Price()
    for _ in range(20_000):
        price.at(left, 10, 0, 0.0)
        price.steer()
    at_reserve = 1.2 * 10**0.65
    assert price.at(at_reserve, 10, 0, 0.0) == pytest.approx(bound)


@given(st.integers(0, 600), st.integers(0, 600), st.floats(0, 600))
def test_idle_agents_make_a_call_worth_less(working: int, free: int, soon: float) -> None:
    assert 0.0 <= care(working, free + 1, soon) <= care(working, free, soon) <= 1.0
    assert care(working, free, soon + 1.0) <= care(working, free, soon)


def half_hour(working: int, lives: int, abandoned: int, seconds: float = 1800.0) -> Recent:
    """One with the abandons first."""
    recent = Recent()
    for number in range(lives):
        at = number * seconds / lives
        recent.seen(at, working)
        recent.add(at, number < abandoned)
    return recent


@pytest.mark.parametrize("working", [5, 20, 200])
def test_a_bad_half_hour_is_forgotten_after_it(working: int) -> None:
    recent = half_hour(working, 50, 10)
    assert recent.ease(1764.0, working, 0.03) == 0.0
    recent.seen(1764.0 + 1801.0, working)
    assert recent.ease(1764.0 + 1801.0, working, 0.03) == 1.0


def test_a_large_team_is_held_to_a_stricter_half_hour() -> None:
    large, small = half_hour(12, 100, 5), half_hour(11, 100, 5)
    assert large.ease(1800.0, 12, 0.03) < small.ease(1800.0, 11, 0.03)


def test_a_half_hour_is_bad_before_its_rate_shows_it_when_the_floor_has_left() -> None:
    """Four of 254 are nothing; in the half hour that they began there will be few more."""
    recent = half_hour(20, 250, 0)
    for _ in range(4):
        recent.add(1800.0, True)
    assert recent.ease(1800.0, 20, 0.03) > 0.9
    recent.seen(1800.0, 4)
    assert recent.ease(1800.0, 4, 0.03) == 0.0


def test_a_team_on_its_break_is_still_a_large_one() -> None:
    recent = half_hour(20, 250, 0)
    recent.seen(1800.0, 5)
    small = half_hour(5, 62, 0)
    for one in (recent, small):
        one.add(1800.0, True)
        one.add(1800.0, True)
    assert recent.ease(1800.0, 5, 0.03) < small.ease(1800.0, 5, 0.03) == 1.0


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.booleans(), st.integers(0, 300)), max_size=60), st.floats(-1e6, 1e6))
def test_whatever_the_clock_does_the_ease_is_a_share(told: list[tuple[float, bool, int]], at: float) -> None:
    recent = Recent()
    for when, abandoned, working in told:
        recent.seen(when, working)
        recent.add(when, abandoned)
    assert 0.0 <= recent.ease(at, 20, 0.03) <= 1.0
