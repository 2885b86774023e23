"""A clock that is off is no age; an event that waited keeps its age."""

import pytest

from dialer.floor.skew import WINDOW_S, Skew

NOW = 1_795_000_000.0


@pytest.mark.parametrize("off_s", [-3600.0, -2.5, 0.0, 0.4, 86_400.0])
def test_a_clock_that_is_off_does_not_count(off_s: float) -> None:
    skew = Skew()
    for turn in range(200):
        now = NOW + turn
        assert skew.ours(now + off_s - 0.002, now) == pytest.approx(now, abs=0.003)


def test_what_waited_is_old() -> None:
    skew = Skew()
    skew.ours(NOW - 5.001, NOW)
    assert skew.ours(NOW + 1 - 5.0, NOW + 4) == pytest.approx(NOW + 1, abs=0.01)


def test_it_is_old_after_a_long_silence_too() -> None:
    skew = Skew()
    skew.ours(NOW, NOW)
    later = NOW + 100 * WINDOW_S
    assert skew.ours(later, later + 3) == pytest.approx(later, abs=0.01)


def test_a_clock_set_back_is_understood_in_time() -> None:
    skew = Skew()
    skew.ours(NOW, NOW)
    ages = [now - skew.ours(now - 7, now) for now in (NOW + turn for turn in range(1, 60))]
    assert ages[0] == pytest.approx(7)
    assert ages[-1] == pytest.approx(0)


def test_what_cannot_have_been_proves_that_a_clock_was_set() -> None:
    skew = Skew()
    skew.ours(NOW, NOW)
    assert skew.ours(NOW + 1 - 7, NOW + 1, earliest=NOW + 0.9) == NOW + 1
    assert skew.ours(NOW + 2 - 7, NOW + 2) == NOW + 2
