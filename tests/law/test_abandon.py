"""The abandon rate in each of the law's windows, against counts kept by hand."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import BadInput
from dialer.law.abandon import DAY_S, PERIOD_S, Abandons, Fate, Rate, Window, budget, fate, upper_bound
from dialer.model import Outcome, Side, Verdict

START = datetime(2026, 11, 1, tzinfo=UTC).timestamp()


def kept(*answers: tuple[float, Fate], overflow_counts: bool = False) -> Abandons:
    abandons = Abandons(START, overflow_counts=overflow_counts)
    for at, what in answers:
        abandons.add(START + at, what)
    return abandons


@pytest.mark.parametrize(("abandoned", "live"), [(0, 100), (2, 40), (3, 100), (30, 1000), (5, 5)])
def test_the_bound_is_where_a_score_test_would_just_not_reject(abandoned: int, live: int) -> None:
    bound = upper_bound(abandoned, live)
    if bound < 1.0:
        score = (bound - abandoned / live) / math.sqrt(bound * (1 - bound) / live)
        assert score == pytest.approx(1.6449, abs=0.0001)  # one-sided 95 %


def test_nothing_seen_bounds_nothing() -> None:
    assert upper_bound(0, 0) == 1.0


@given(st.integers(1, 5000), st.data())
def test_the_bound_is_above_the_rate_and_below_one(live: int, data: st.DataObject) -> None:
    abandoned = data.draw(st.integers(0, live))
    assert abandoned / live <= upper_bound(abandoned, live) + 1e-12
    assert upper_bound(abandoned, live) <= 1.0


@pytest.mark.parametrize(
    ("abandoned", "live", "left"), [(0, 0, 0.0), (0, 97, 3.0), (3, 97, -0.0928), (10, 1000, 20.619)]
)
def test_budget(abandoned: int, live: int, left: float) -> None:
    assert budget(abandoned, live, 0.03) == pytest.approx(left, abs=0.001)


@given(st.integers(0, 2000), st.integers(0, 50))
def test_the_whole_budget_spent_keeps_the_limit(live: int, abandoned: int) -> None:
    left = int(max(0.0, budget(abandoned, live, 0.03) + 1e-9))
    if left:
        assert (abandoned + left) / (live + left) <= 0.03 + 1e-12
        assert (abandoned + left + 1) / (live + left + 1) > 0.03 - 1e-12


def test_hang_ups_are_abandoned_and_shown_apart_overflows_are_not() -> None:
    abandons = kept((1, Fate.SERVED), (2, Fate.HUNG_UP), (3, Fate.ABANDONED), (4, Fate.OVERFLOWED))
    assert abandons.rate(Window.CAMPAIGN, START + 5) == Rate(4, 2, 1, 1)
    assert abandons.rate(Window.CAMPAIGN, START + 5).rate == 0.5
    counts = kept((1, Fate.SERVED), (2, Fate.OVERFLOWED), overflow_counts=True)
    assert counts.rate(Window.DAY, START + 5).rate == 0.5
    assert kept().rate(Window.DAY, START).rate == 0.0


def test_each_window_forgets_at_its_own_edge() -> None:
    abandons = kept((3600, Fate.ABANDONED))
    later = START + DAY_S - 1
    assert abandons.rate(Window.DAY, later).live == 1
    assert abandons.rate(Window.DAY, later + 1).live == 0  # midnight
    assert abandons.rate(Window.HOURS_24, START + 3600 + DAY_S).live == 1
    assert abandons.rate(Window.HOURS_24, START + 3660 + DAY_S).live == 0
    assert abandons.rate(Window.CAMPAIGN, START + PERIOD_S - 1).live == 1
    assert abandons.rate(Window.CAMPAIGN, START + PERIOD_S).live == 0  # the next 30 days
    assert abandons.rate(Window.LAST_100, START + PERIOD_S).live == 1


def test_midnight_is_the_zones() -> None:
    jakarta = Abandons(START, timezone(timedelta(hours=7)))
    jakarta.add(START + 16 * 3600, Fate.SERVED)  # 23:00 in Jakarta
    assert jakarta.rate(Window.DAY, START + 16 * 3600 + 3599).live == 1
    assert jakarta.rate(Window.DAY, START + 17 * 3600).live == 0


def test_the_last_hundred_answers() -> None:
    abandons = kept(*[(at, Fate.ABANDONED) for at in range(60)], *[(60 + at, Fate.SERVED) for at in range(80)])
    assert abandons.rate(Window.LAST_100, START + 200) == Rate(100, 20)


def test_a_clock_that_steps_back_loses_no_count() -> None:
    abandons = kept((DAY_S + 60, Fate.ABANDONED), (10, Fate.SERVED))
    assert abandons.rate(Window.CAMPAIGN, START + DAY_S + 61).live == 2
    assert abandons.rate(Window.DAY, START + DAY_S + 61).live == 2


FATES = st.sampled_from(Fate)


@given(st.lists(st.tuples(st.integers(0, 3 * PERIOD_S).map(float), FATES), max_size=60))
def test_windows_against_a_plain_count(answers: list[tuple[float, Fate]]) -> None:
    answers.sort(key=lambda answer: answer[0])
    abandons = kept(*answers)
    now = answers[-1][0] if answers else 0.0
    windows = abandons.rates(START + now)
    this_period = [what for at, what in answers if at // PERIOD_S == now // PERIOD_S]
    today = [what for at, what in answers if at // DAY_S == now // DAY_S]
    day_long = [what for at, what in answers if at // 60 >= now // 60 - 1440]
    expected = {
        Window.CAMPAIGN: this_period, Window.DAY: today, Window.HOURS_24: day_long,
        Window.LAST_100: [what for _, what in answers],
    }  # fmt: skip
    for window, fates in expected.items():
        assert windows[window].live == len(fates)
        assert windows[window].hung_up_waiting == fates.count(Fate.HUNG_UP)
        assert windows[window].abandoned == fates.count(Fate.HUNG_UP) + fates.count(Fate.ABANDONED)
        assert windows[window].overflowed == fates.count(Fate.OVERFLOWED)


@given(st.lists(st.tuples(st.floats(0, 2 * DAY_S), FATES), max_size=40))
def test_what_is_kept_can_be_taken_over(answers: list[tuple[float, Fate]]) -> None:
    answers.sort(key=lambda answer: answer[0])
    before, after = kept(*answers), kept()
    after.load(json.loads(json.dumps(before.dump())))
    assert after.rates(START + 2 * DAY_S) == before.rates(START + 2 * DAY_S)


SHORT = {"v": 1, "period": [1], "day": [], "minutes": [], "last": []}


@pytest.mark.parametrize("broken", [{}, {"v": 2}, {"v": 1, "period": "x"}, SHORT])
def test_what_cannot_be_read_changes_nothing(broken: dict[str, object]) -> None:
    abandons = kept((1, Fate.SERVED))
    with pytest.raises(BadInput, match="delete them"):
        abandons.load(broken)
    assert abandons.rate(Window.CAMPAIGN, START + 2).live == 1


@pytest.mark.parametrize(
    ("outcome", "reason", "live", "expected"),
    [
        (Outcome.CONNECTED, "talked", True, Fate.SERVED),
        (Outcome.IVR, "served", True, Fate.SERVED),
        (Outcome.OVERFLOWED, "no_agent", True, Fate.OVERFLOWED),
        (Outcome.ABANDONED, "hung_up_waiting", True, Fate.HUNG_UP),
        (Outcome.ABANDONED, "message", True, Fate.ABANDONED),
        (Outcome.MACHINE, "machine", False, None),
        (Outcome.BUSY, "user_busy", False, None),
    ],
)
def test_what_a_verdict_means_for_the_rate(outcome: Outcome, reason: str, live: bool, expected: Fate | None) -> None:
    assert fate(Verdict(outcome, Side.DEBTOR, reason, live=live)) is expected


def test_memory_is_bounded() -> None:
    abandons = Abandons(START)
    for minute in range(4000):
        abandons.add(START + 60 * minute, Fate.SERVED)
    dumped = abandons.dump()
    assert len(dumped["minutes"]) <= 1441  # type: ignore[arg-type]
    assert len(dumped["last"]) == 100  # type: ignore[arg-type]
