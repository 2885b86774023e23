"""A dead trunk stops new calls and is tried again with growing pauses; busy debtors do not."""

import pytest

from dialer.floor.trunks import FAILURES, PAUSES_S, Breaker
from dialer.model import Outcome, Side, Verdict

T0 = 1_795_000_000.0
DEAD = Verdict(Outcome.TRUNK_DOWN, Side.US, "no_channel")
FULL = Verdict(Outcome.CONGESTION, Side.NETWORK, "service_unavailable")
BUSY = Verdict(Outcome.BUSY, Side.DEBTOR, "user_busy")


def test_a_run_of_failures_opens_it() -> None:
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker.saw(DEAD, T0)
        assert breaker.hold(T0) == ""
    breaker.saw(FULL, T0)
    assert breaker.hold(T0) == "the trunk fails: the next try in 5 s"
    assert breaker.hold(T0 + PAUSES_S[0]) == ""


def test_the_pauses_grow_with_each_failed_try() -> None:
    breaker, at = Breaker(), T0
    for _ in range(FAILURES - 1):
        breaker.saw(DEAD, at)
    for pause_s in (*PAUSES_S, PAUSES_S[-1]):
        breaker.saw(DEAD, at)
        assert breaker.hold(at + pause_s - 0.1)
        at += pause_s
        assert breaker.hold(at) == ""


def test_what_was_under_way_when_it_opened_makes_no_pause_longer() -> None:
    breaker = Breaker()
    for _ in range(FAILURES + 20):
        breaker.saw(DEAD, T0)
    assert breaker.until == T0 + PAUSES_S[0]


@pytest.mark.parametrize("verdict", [BUSY, Verdict(Outcome.CONNECTED, Side.DEBTOR, "talked", live=True)])
def test_a_call_that_got_through_closes_it(verdict: Verdict) -> None:
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker.saw(DEAD, T0)
    breaker.saw(verdict, T0)
    breaker.saw(DEAD, T0)
    assert breaker.hold(T0) == ""


@pytest.mark.parametrize("outcome", [Outcome.NOT_PLACED, Outcome.CANCELLED, Outcome.INTERRUPTED])
def test_what_says_nothing_of_the_trunk_counts_neither_way(outcome: Outcome) -> None:
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker.saw(DEAD, T0)
    breaker.saw(Verdict(outcome, Side.US, "x"), T0)
    assert breaker.failures == FAILURES - 1
