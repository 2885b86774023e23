"""The order of calling, and that the store keeps it."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.redis_contact import HEAD, encode_contact
from dialer.lists import order
from dialer.model import Contact, Number

TODAY = date(2026, 11, 22)
PLAIN = Contact("c1", "p", ())


def contact(priority: int, score: int) -> Contact:
    return Contact("c", "p", (Number("+6281200000000", "n"),), priority=priority, score=score)


@given(st.integers(-(10**6), 10**6), st.integers(-5, 2000))
def test_the_store_keeps_this_order(priority: int, score: int) -> None:
    one = contact(priority, score)
    assert HEAD.unpack_from(encode_contact(one))[2] == order.rank(one)


def test_lower_priority_first_then_the_higher_score() -> None:
    ranked = [contact(1, 0), contact(1, 500), contact(0, 0), contact(2, 999), contact(1, 999)]
    found = [(one.priority, one.score) for one in sorted(ranked, key=order.rank)]
    assert found == [(0, 0), (1, 999), (1, 500), (1, 0), (2, 999)]


def test_the_rank_never_leaves_its_four_bytes() -> None:
    for priority in (-(10**12), 10**12):
        for callback_at in (0.0, 5.0):
            assert abs(order.rank(replace(PLAIN, priority=priority, score=10**12, callback_at=callback_at))) < 2**31
    assert order.rank(replace(PLAIN, priority=99, callback_at=5.0)) < order.rank(replace(PLAIN, priority=-(10**12)))


def test_a_list_without_scores_is_called_by_days_past_due() -> None:
    assert order.score(None, date(2026, 11, 12), TODAY) == 10
    assert order.score(7, date(2026, 11, 12), TODAY) == 7
    assert order.score(0, date(2026, 11, 12), TODAY) == 0
    assert order.score(None, date(2027, 1, 1), TODAY) == 0
    assert order.score(None, date(2000, 1, 1), TODAY) == order.SCORE_MAX
    assert order.score(None, None, TODAY) == order.score(None, date(2026, 1, 1), None) == 0


def test_blocks_of_a_mix() -> None:
    assert order.due(5.0, 7, 0) == 5.0
    places = sorted([(order.due(5.0, i, 3), "a") for i in range(6)] + [(order.due(5.0, i, 1), "b") for i in range(2)])
    assert "".join(name for _, name in places) in ("abaaabaa", "baaabaaa")
