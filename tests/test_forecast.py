"""The forecast per number: a good past is believed, a misleading one is not, and it is always a probability."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.forecast import Forecast, Try

NUMBERS = 400


def chances(seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [chance.betavariate(0.4, 1.0) for _ in range(NUMBERS)]


def history(own: list[float], seed: int = 2) -> list[Try]:
    chance = random.Random(seed)
    return [Try(str(n), 8 + t, 5.0, chance.random() < p) for n, p in enumerate(own) for t in range(8)]


def lived(forecast: Forecast, own: list[float], calls: int = 1500, seed: int = 3) -> tuple[float, float]:
    """Log loss per call of the forecast, and of the plain rate, over the second half of a day."""
    chance = random.Random(seed)
    mean = sum(own) / len(own)
    loss, plain, counted = 0.0, 0.0, 0
    for call in range(calls):
        number = chance.randrange(NUMBERS)
        at = 8 * 3600.0 + 10.0 * call
        told, answered = forecast.probability(str(number), at), chance.random() < own[number]
        if call > calls // 2:
            loss -= math.log(told if answered else 1 - told)
            plain -= math.log(mean if answered else 1 - mean)
            counted += 1
        forecast.observe(str(number), at, answered)
    return loss / counted, plain / counted


def test_nothing_known_is_a_plain_rate() -> None:
    forecast = Forecast()
    assert forecast.probability("1", 0.0) == pytest.approx(0.3)
    assert forecast.probability("2", 4e9) == forecast.probability("1", 0.0)


def test_a_number_that_answered_is_likelier_than_one_that_never_did() -> None:
    forecast = Forecast()
    forecast.fit(history(chances()))
    forecast.fit([Try("good", 9, 1.0, True)] * 6 + [Try("bad", 9, 1.0, False)] * 6)
    new = forecast.probability("new", 9 * 3600.0)
    assert forecast.probability("good", 9 * 3600.0) > new + 0.2
    assert forecast.probability("bad", 9 * 3600.0) < new - 0.1


def test_an_old_past_counts_less() -> None:
    forecast = Forecast()
    forecast.fit([Try("fresh", 9, 1.0, True)] * 3 + [Try("stale", 9, 400.0, True)] * 3)
    assert forecast.probability("fresh", 0.0) > forecast.probability("stale", 0.0)


def test_a_good_hour_is_learnt_for_all() -> None:
    forecast = Forecast()
    forecast.fit([Try(str(n), hour, 1.0, hour == 18 and n % 2 == 0) for n in range(300) for hour in (10, 18)])
    assert forecast.best_hour("9999", (10, 18)) == 18
    assert forecast.probability("9999", 18 * 3600.0) > 2 * forecast.probability("9999", 10 * 3600.0)
    assert Forecast(zone_s=0).best_hour("1", (11, 10)) == 11


def test_a_good_past_foretells_better_than_the_rate() -> None:
    forecast, own = Forecast(), chances()
    forecast.fit(history(own))
    loss, plain = lived(forecast, own)
    assert loss < plain - 0.05
    assert forecast.believed > 0.6


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_misleading_past_costs_nothing(seed: int) -> None:
    forecast, own = Forecast(), chances()
    others = list(own)
    random.Random(seed).shuffle(others)
    forecast.fit(history(others))
    loss, plain = lived(forecast, own, seed=seed)
    assert loss < plain + 0.01


def test_a_day_unlike_all_others_is_followed() -> None:
    forecast = Forecast()
    forecast.fit(history(chances()))
    for call in range(500):
        forecast.observe(f"new{call}", 9 * 3600.0 + call, False)
    assert forecast.probability("new", 10 * 3600.0) < 0.05


TRIES = st.builds(Try, st.sampled_from("abc"), st.integers(-3, 30), st.floats(allow_nan=False), st.booleans())


@given(
    st.lists(TRIES, max_size=40),
    st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 4e9), st.booleans()), max_size=40),
    st.floats(),
)
def test_it_is_always_a_probability(past: list[Try], today: list[tuple[str, float, bool]], at: float) -> None:
    forecast = Forecast(7 * 3600)
    forecast.fit(past)
    for number, when, answered in today:
        forecast.observe(number, when, answered)
    assert all(0.0 < forecast.probability(number, at) < 1.0 for number in "abcdef")
    assert 0.0 <= forecast.believed <= 1.0


@given(st.lists(TRIES, max_size=40))
def test_the_order_of_the_past_does_not_matter(past: list[Try]) -> None:
    one, other = Forecast(), Forecast()
    one.fit(past)
    other.fit(past[::-1])
    assert one.probability("a", 36000.0) == pytest.approx(other.probability("a", 36000.0))
