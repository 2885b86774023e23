"""The price of a further call: it follows the abandons in hand, and what the state of the team makes a call worth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.price import PRICE_FIRST, PRICE_MAX, PRICE_MIN, Price, Recent, care


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


def test_a_bad_half_hour_is_forgotten_after_it() -> None:
    recent = Recent()
    for number in range(50):
        recent.add(float(number), number % 5 == 0)
    assert recent.ease(0.03, large=False) == 0.0
    for number in range(50):
        recent.add(2000.0 + number, abandoned=False)
    assert recent.ease(0.03, large=False) == recent.ease(0.03, large=True) == 1.0


def test_a_large_team_is_held_to_a_stricter_half_hour() -> None:
    recent = Recent()
    for number in range(100):
        recent.add(float(number), number < 7)
    assert recent.ease(0.03, large=True) < recent.ease(0.03, large=False)
