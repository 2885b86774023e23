"""The books: what agrees, and that every cooked disagreement is found."""

from dataclasses import replace

import pytest

from dialer.demo.carrier import CarrierCall, number
from dialer.demo.reconcile import faults
from dialer.model import Outcome

HUMAN, BUSY, ANNOUNCED = number("human", 1, 1), number("busy", 2, 0), number("announcement", 3, 0)
TALKED = CarrierCall("a1", HUMAN, "+6221", "00", 100.0, 101.0, 115.0, "")
WAS_BUSY = CarrierCall("a2", BUSY, "+6221", "30", 100.0, None, 100.1, "")
CALLS = (TALKED, WAS_BUSY)


def record(attempt: str, called: str, outcome: str, reason: str = "why") -> dict[str, str]:
    return {"attempt": attempt, "number": called, "outcome": outcome, "reason": reason}


GOOD = [record("a1", HUMAN, "connected"), record("a2", BUSY, "busy")]


def test_books_that_agree() -> None:
    assert faults(GOOD, CALLS) == []
    assert faults([*GOOD, record("a3", HUMAN, "not_placed")], CALLS) == []


@pytest.mark.parametrize(
    ("outcomes", "calls", "says"),
    [
        (GOOD[:1], CALLS, "call a2 has no outcome"),
        ([*GOOD, GOOD[0]], CALLS, "attempt a1 has 2 outcomes"),
        (GOOD, (*CALLS, replace(WAS_BUSY, began_at=200.0, ended_at=200.1)), "saw attempt a2 2 times"),
        ([*GOOD, record("a3", HUMAN, "connected")], CALLS, "a3 is connected, and the carrier never saw it"),
        ([GOOD[0], record("a2", BUSY, "connected")], CALLS, "a2: connected (why), but the subscriber was busy"),
        ([record("a1", HUMAN, "no_answer"), GOOD[1]], CALLS, "a1: no_answer (why), but the subscriber was human"),
        ([record("a1", BUSY, "connected"), GOOD[1]], CALLS, "we called another number"),
        (GOOD, (*CALLS, replace(TALKED, attempt="a3", began_at=110.0)), "was called twice at once"),
        (GOOD, (*CALLS, replace(WAS_BUSY, attempt="")), "has no outcome"),
    ],
)
def test_a_cooked_one_is_found(outcomes: list[dict[str, str]], calls: tuple[CarrierCall, ...], says: str) -> None:
    assert any(says in fault for fault in faults(outcomes, calls))


def test_an_answer_that_crossed_our_cancel_is_both() -> None:
    crossed = replace(TALKED, ended_at=101.3)
    assert faults([record("a1", HUMAN, "no_answer")], [crossed]) == []


def test_what_we_cut_off_may_have_ended_in_any_way() -> None:
    heard = CarrierCall("a4", ANNOUNCED, "+6221", "35", 100.0, None, 103.0, "")
    cut = [record("a4", ANNOUNCED, "network_fault")]
    assert faults(cut, [heard])
    assert faults(cut, [heard], cut_at=102.9) == []
    assert faults([record("a4", ANNOUNCED, "connected")], [heard], cut_at=102.9)


def test_every_outcome_is_one_that_can_be_judged() -> None:
    for outcome in Outcome:
        faults([record("a1", HUMAN, outcome)], CALLS)
