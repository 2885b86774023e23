"""Promises: the table of states, what may be promised, and the laws that hold for any of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.debts.promises import Limits, Payment, Promise, State, ends, fault, judge, limits_of, of_outcome
from dialer.model import Attempt, Campaign, Contact, Number

MADE = 1_000_000.0
UNTIL = 1_200_000.0
PROMISE = Promise("a", "first", "c1", "p1", 500, "IDR", date(2026, 12, 1), UNTIL, MADE, "101")
DAY = 86_400.0


def paid(amount: int, at: float, contact: str = "c1", currency: str = "IDR") -> Payment:
    return Payment(f"{contact}{amount}{at}", contact, amount, currency, at)


TABLE: list[tuple[str, list[Payment], float, State, int]] = [
    ("just made", [], MADE, State.PENDING, 0),
    ("its last second", [], UNTIL - 1, State.PENDING, 0),
    ("nothing came", [], UNTIL, State.BROKEN, 0),
    ("all came", [paid(500, MADE + 5)], MADE + 5, State.KEPT, 500),
    ("more came", [paid(900, MADE + 5)], UNTIL + 9, State.KEPT, 900),
    ("in two parts", [paid(200, MADE + 5), paid(300, UNTIL - 1)], UNTIL, State.KEPT, 500),
    ("some came, time is left", [paid(499, MADE + 5)], UNTIL - 1, State.PENDING, 499),
    ("some came", [paid(499, MADE + 5)], UNTIL, State.PART, 499),
    ("the rest came late", [paid(499, MADE + 5), paid(1, UNTIL)], UNTIL, State.PART, 499),
    ("it came too late", [paid(500, UNTIL)], UNTIL + 1, State.BROKEN, 0),
    ("it came before", [paid(500, MADE - 1)], UNTIL, State.BROKEN, 0),
    ("on another account", [paid(500, MADE + 5, "c2")], UNTIL, State.BROKEN, 0),
    ("in another currency", [paid(500, MADE + 5, currency="USD")], UNTIL, State.BROKEN, 0),
    ("nothing at all", [paid(0, MADE + 5)], UNTIL, State.BROKEN, 0),
]


@pytest.mark.parametrize(("what", "payments", "at", "state", "so_far"), TABLE, ids=[row[0] for row in TABLE])
def test_the_table(what: str, payments: list[Payment], at: float, state: State, so_far: int) -> None:
    (found,) = judge([PROMISE], payments, at)
    assert (found.state, found.paid) == (state, so_far), what
    assert judge([found], payments, at) == (found,)


def test_any_payment_keeps_a_promise_without_an_amount() -> None:
    (found,) = judge([replace(PROMISE, amount=0)], [paid(1, MADE + 5)], UNTIL)
    assert (found.state, found.ended_at) == (State.KEPT, MADE + 5)


def test_a_newer_promise_replaces_one_that_is_pending() -> None:
    newer = replace(PROMISE, id="b", made_at=MADE + 100, until=UNTIL + DAY)
    other = replace(PROMISE, id="c", made_at=MADE + 50, contact="c2")
    assert [one.state for one in judge([newer, PROMISE, other], [], MADE + 200)] == [
        State.REPLACED, State.PENDING, State.PENDING
    ]  # fmt: skip
    first, second = judge([PROMISE, newer], [paid(500, MADE + 300)], UNTIL)
    assert (first.state, first.ended_at, second.state) == (State.REPLACED, MADE + 100, State.KEPT)
    kept, second = judge([PROMISE, newer], [paid(500, MADE + 5)], UNTIL + DAY)
    assert (kept.state, second.state) == (State.KEPT, State.BROKEN)


def test_one_that_has_ended_is_not_replaced() -> None:
    newer = replace(PROMISE, id="b", made_at=UNTIL, until=UNTIL + DAY)
    assert judge([PROMISE, newer], [], UNTIL)[0].state is State.BROKEN


PROMISES = st.lists(
    st.builds(
        lambda turn, amount, made, lasts, contact: replace(
            PROMISE, id=f"{turn:06d}", amount=amount, made_at=made, until=made + lasts, contact=contact
        ),
        st.integers(0, 999_999), st.integers(0, 1000), st.floats(0, 1e6), st.floats(1, 1e6), st.sampled_from("xyz"),
    ),
    max_size=8, unique_by=lambda one: one.id,
)  # fmt: skip
PAYMENTS = st.lists(
    st.builds(lambda amount, at, contact: paid(amount, at, contact), st.integers(0, 800), st.floats(0, 2e6),
              st.sampled_from("xyz")),
    max_size=12,
)  # fmt: skip
RANK = {State.BROKEN: 0, State.PART: 1, State.KEPT: 2}


@given(PROMISES, PAYMENTS, st.floats(0, 3e6), st.floats(0, 1e6))
def test_laws(promises: list[Promise], payments: list[Payment], at: float, later: float) -> None:
    """Whatever is promised and paid: no rupiah counts twice, time undoes nothing, money only helps."""
    found = judge(promises, payments, at)
    assert sorted(one.id for one in found) == sorted(one.id for one in promises)
    assert found == judge(reversed(promises), reversed(payments), at)
    assert found == judge(found, payments, at)
    for contact in "xyz":
        assert sum(one.paid for one in found if one.contact == contact) <= sum(
            one.amount for one in payments if one.contact == contact
        )
    for before, after in zip(found, judge(promises, payments, at + later), strict=True):
        assert after == before or before.state is State.PENDING or after.state is before.state is State.KEPT
    for before, after in zip(found, judge(promises, [*payments, paid(50, at, "x")], at), strict=True):
        if before.state in RANK and after.state in RANK:
            assert RANK[after.state] >= RANK[before.state]
        else:
            assert after.state is before.state or after.state is State.KEPT


@given(PROMISES, PAYMENTS, st.floats(0, 3e6))
def test_a_promise_ends_in_one_state_at_one_time(promises: list[Promise], payments: list[Payment], at: float) -> None:
    for one in judge(promises, payments, at):
        assert (one.state is State.PENDING) is (one.ended_at == 0.0) or one.made_at == 0.0 or one.ended_at == 0.0
        assert one.state is State.PENDING or one.made_at <= one.ended_at <= one.until
        assert one.state is not State.BROKEN or one.paid == 0
        assert one.state is not State.KEPT or one.paid >= max(one.amount, 1)


# ---- when it ends, and what may be promised -------------------------------------------------------------------------


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("zone", "grace", "end"),
    [
        ("Asia/Jakarta", 0, "2026-12-02T00:00+07:00"),
        ("Asia/Jayapura", 1, "2026-12-03T00:00+09:00"),
        ("America/New_York", 0, "2026-12-02T00:00-05:00"),
        ("", 0, "2026-12-02T00:00-12:00"),
        ("Nowhere/Else", 0, "2026-12-02T00:00-12:00"),
    ],
)
def test_it_ends_with_the_debtors_day_and_grace(zone: str, grace: int, end: str) -> None:
    assert ends(date(2026, 12, 1), zone, grace) == _epoch(end)


def test_the_end_of_time_is_no_fault() -> None:
    assert ends(date.max, "Asia/Jakarta", 3) > 0


CONTACT = Contact(
    "c1", "p1", (Number("+62811", "n"),), zone="Asia/Jakarta", currency="IDR", amount=1_000_000, minimum=100_000
)
ATTEMPT = Attempt(
    "a", "first", "node", "ivr", "trunk", "", "id", "demo", "c1", "p1", CONTACT.numbers[0], claimed_at=MADE,
    agent="101", zone="Asia/Jakarta",
)  # fmt: skip


def test_a_promise_comes_out_of_the_record() -> None:
    campaign = Campaign("first", "First", promise_grace_days=2)
    said = {"promise_due": "2026-12-01", "promise_amount": "500000"}
    by_ivr = of_outcome(ATTEMPT, CONTACT, said, campaign)
    by_agent = of_outcome(replace(ATTEMPT, joined_at=MADE + 5), CONTACT, said, campaign)
    assert by_ivr is not None
    assert by_agent is not None
    assert (by_ivr.by, by_agent.by, by_ivr.until) == ("ivr", "101", _epoch("2026-12-04T00:00+07:00"))
    assert (by_ivr.amount, by_ivr.made_at, by_ivr.state) == (500_000, MADE, State.PENDING)
    assert of_outcome(ATTEMPT, None, said, campaign) is None
    assert of_outcome(ATTEMPT, CONTACT, {}, campaign) is None


TODAY = date(2026, 11, 23)
AT = _epoch("2026-11-22T23:30+00:00")  # already the 23rd in Jakarta


@pytest.mark.parametrize(
    ("amount", "days", "changes", "refused"),
    [
        (500_000, 0, {}, ""),
        (500_000, -1, {}, "past"),
        (500_000, 14, {}, ""),
        (500_000, 15, {}, "too late"),
        (99_999, 1, {}, "less than the lender takes"),
        (100_000, 1, {}, ""),
        (1_000_001, 1, {}, "more than is owed"),
        (0, 1, {}, ""),
        (-5, 1, {}, "no amount"),
        (50_000, 1, {"amount": 50_000}, ""),
        (5_000_000, 1, {"amount": 0}, ""),
    ],
)
def test_what_may_be_promised(amount: int, days: int, changes: dict[str, Any], refused: str) -> None:
    found = fault(amount, TODAY + timedelta(days=days), replace(CONTACT, **changes), Limits(14), AT)
    assert (refused in found) if refused else found == ""


def test_the_campaigns_limits() -> None:
    assert limits_of(Campaign("first", "First", promise_days_max=7, promise_least=5)) == Limits(7, 5)
    assert "less" in fault(250_000, TODAY, CONTACT, Limits(14, 300_000), AT)
    assert (
        fault(
            1, TODAY, replace(CONTACT, zone="", minimum=0), Limits(14), datetime(2026, 11, 23, tzinfo=UTC).timestamp()
        )
        == ""
    )
