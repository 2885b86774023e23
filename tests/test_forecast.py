"""The forecast per number: a good past is believed, a misleading one is not, and it is always a probability."""

import json
import math
import random
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import BadInput
from dialer.forecast import CONCENTRATIONS, OTHER_PART, Forecast, Try
from dialer.lists.past import PARTS, Past

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


# ---- as it was when it kept every number itself


class Before:
    """The forecast of before: all counts in lists by number, without a refresh."""

    def __init__(self) -> None:
        self.own: dict[str, list[float]] = {}
        self.hours = [[0.0, 0.0] for _ in range(24)]
        self.rate, self.weight, self.effects = 0.3, 8.0, [0.0] * 24
        self.today, self.believed = [15.0, 50.0], 0.7

    def count(self, number: str, hour: int, answered: bool, weight: float) -> None:
        own = self.own.setdefault(number, [0.0] * 2 * PARTS)
        for counts, place in ((own, 2 * (hour * PARTS // 24)), (self.hours[hour], 0)):
            counts[place] += weight * answered
            counts[place + 1] += weight

    def fit(self, past: list[Try]) -> None:
        for one in past:
            if 0 <= one.hour < 24:
                self.count(one.number, one.hour, one.answered, 0.5 ** (max(0.0, one.days_ago) / 60))
        answered, tried = (sum(row[n] for row in self.hours) for n in (0, 1))
        self.rate = (answered + 3.0) / (tried + 10.0)
        cells = [(min(round(sum(own[0::2])), n), n) for own in self.own.values() if (n := round(sum(own[1::2])))]
        self.weight = self.likeliest(cells) if len(cells) >= 30 else 8.0
        self.effects = [odds((a + 50 * self.rate) / (n + 50)) - odds(self.rate) for a, n in self.hours]
        self.today = [50 * self.rate, 50.0]

    def likeliest(self, cells: list[tuple[int, int]]) -> float:
        def beta(a: float, b: float) -> float:
            return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

        def likelihood(weight: float) -> float:
            a, b = weight * self.rate, weight * (1 - self.rate)
            return sum(beta(a + s, b + n - s) - beta(a, b) for s, n in cells)

        return max(CONCENTRATIONS, key=likelihood)

    def by_past(self, number: str, hour: int) -> float:
        own, part = self.own.get(number, [0.0] * 2 * PARTS), 2 * (hour * PARTS // 24)
        answered = self.weight * self.rate + OTHER_PART * sum(own[0::2]) + (1 - OTHER_PART) * own[part]
        tried = self.weight + OTHER_PART * sum(own[1::2]) + (1 - OTHER_PART) * own[part + 1]
        past = odds(within(1 / (1 + math.exp(-odds(answered / tried) - self.effects[hour]))))
        return past + odds(self.today[0] / self.today[1]) - odds(self.rate)

    def probability(self, number: str, at: float) -> float:
        pooled = odds(self.today[0] / self.today[1])
        by_past = self.by_past(number, int(at // 3600) % 24)
        return within(1 / (1 + math.exp(-pooled - self.believed * (by_past - pooled))))

    def observe(self, number: str, at: float, answered: bool) -> None:
        hour = int(at // 3600) % 24
        past, plain = within(1 / (1 + math.exp(-self.by_past(number, hour)))), within(self.today[0] / self.today[1])
        past, plain = (past, plain) if answered else (1 - past, 1 - plain)
        self.believed = 0.998 * self.believed * past / (self.believed * past + (1 - self.believed) * plain) + 0.001
        self.today = [0.99 * self.today[0] + answered + 0.005, 0.99 * self.today[1] + 1.01]
        self.count(number, hour, answered, 1.0)


def within(chance: float) -> float:
    return min(0.95, max(0.005, chance))


def odds(chance: float) -> float:
    return math.log(within(chance) / (1 - within(chance)))


TODAY = st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 86399), st.booleans()), max_size=60)


@given(st.lists(TRIES, max_size=40), TODAY, st.floats(0, 86399))
def test_the_same_data_says_the_same_as_before(
    past: list[Try], today: list[tuple[str, float, bool]], at: float
) -> None:
    now, before = Forecast(), Before()
    if past:
        now.fit(past)
        before.fit(past)
    for number, when, answered in today:
        now.observe(number, when, answered)
        before.observe(number, when, answered)
    for number in "abcde":
        assert now.probability(number, at) == pytest.approx(before.probability(number, at), rel=1e-9)


def test_a_whole_day_says_the_same_as_before() -> None:
    now, before, own = Forecast(), Before(), chances()
    now.fit(history(own))
    before.fit(history(own))
    assert lived(now, own) == pytest.approx(lived(before, own), rel=1e-9)  # type: ignore[arg-type]


# ---- pasts that come with the numbers

DAY = 20_000 * 86400.0


def campaign(forecast: Forecast, own: list[float], days: int, seed: int = 5) -> tuple[dict[int, str], float, float]:
    """Every number called once a day, its past kept as text; and the log loss of the last day, forecast and plain."""
    chance, pasts = random.Random(seed), dict[int, str]()
    mean = sum(own) / len(own)
    loss = plain = 0.0
    for day in range(days):
        for turn in range(len(own)):
            number, at = (turn * 7 + day) % len(own), DAY + day * 86400.0 + 8 * 3600.0 + 60.0 * turn
            past, answered = Past.parse(pasts.get(number, "")), chance.random() < own[number]
            told = forecast.chance(past, at, UTC)
            if day == days - 1:
                loss -= math.log(told if answered else 1 - told)
                plain -= math.log(mean if answered else 1 - mean)
            pasts[number] = forecast.learn(past, at, UTC, answered).text
    return pasts, loss / len(own), plain / len(own)


def test_a_campaign_learns_its_numbers_by_itself() -> None:
    _, loss, plain = campaign(Forecast(), chances(), 8)
    assert loss < plain - 0.08


def test_the_histogram_is_that_of_the_numbers() -> None:
    forecast = Forecast()
    pasts, _, _ = campaign(forecast, chances(), 6)
    cells: dict[tuple[int, int], int] = {}
    for text in pasts.values():
        cell = Past.parse(text).cell
        cells[cell] = cells.get(cell, 0) + 1
    assert forecast._cells == cells


def test_a_successor_goes_on_with_what_was_learnt() -> None:
    first, second = Forecast(), Forecast()
    pasts, _, _ = campaign(first, chances(), 5)
    second.load(json.loads(json.dumps(first.dump())))
    first._look()  # the successor has just looked
    at = DAY + 5 * 86400.0 + 9 * 3600.0
    for text in pasts.values():
        past = Past.parse(text)
        assert second.chance(past, at, UTC) == pytest.approx(first.chance(past, at, UTC), abs=0.001)
    assert second.dump() == first.dump()
    assert len(json.dumps(first.dump())) < 4000


JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), st.lists, max_leaves=20)


@given(st.dictionaries(st.sampled_from(["v", "day", "hours", "cells", "today", "believed"]), JSON | st.just(1)))
def test_what_is_no_dump_changes_nothing(kept: dict[str, Any]) -> None:
    forecast = Forecast()
    before = forecast.dump()
    with pytest.raises(BadInput):
        forecast.load(kept)
    assert forecast.dump() == before


@given(st.lists(st.tuples(st.text() | st.just("20000 2:1/3"), st.floats(), st.booleans()), max_size=30), st.floats())
def test_a_chance_is_always_a_probability(calls: list[tuple[str, float, bool]], at: float) -> None:
    forecast = Forecast()
    for text, when, answered in calls:
        after = forecast.learn(Past.parse(text), when, UTC, answered)
        assert 0.0 < forecast.chance(after, at, UTC) < 1.0
        assert after.tried > 0.0
