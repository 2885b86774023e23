"""Offers: a table, then for any debt and any limits that sums are exact and no limit is passed."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.limit_files import LimitFile
from dialer.debts.plans import DEFER, EARLY, LONG, SHORT, Debt, Limits, debt_of, fault, for_contact, loose, offers
from dialer.errors import ConfigError
from dialer.model import Contact
from ivr.adapters.limit_files import load_limits
from ivr.terms import Terms

TODAY = date(2026, 11, 21)
PLANS = Limits(parts=3, part_least=100_000, first_percent=30, first_days=3, round_to=1000)


@pytest.mark.parametrize(
    ("debt", "limits", "found"),
    [
        (Debt(1_000_000), Limits(), []),
        (Debt(0), PLANS, []),
        (Debt(1_000_000, incentive=80_000), Limits(early_days=3, early_percent=10), ["early;2026-11-24=920000"]),
        (Debt(1_000_000, incentive=180_000), Limits(early_days=3, early_percent=10), ["early;2026-11-24=900000"]),
        (Debt(1_000_000), Limits(early_days=3, early_percent=10), []),
        (
            Debt(1_000_001),
            PLANS,
            [
                "short;2026-11-24=500001;2026-12-24=500000",
                "long;2026-11-24=334001;2026-12-24=333000;2027-01-23=333000",
            ],
        ),
        (Debt(1_000_000, minimum=700_000), PLANS, ["short;2026-11-24=700000;2026-12-24=300000",
            "long;2026-11-24=700000;2026-12-24=150000;2027-01-23=150000"]),
        (Debt(150_000), PLANS, []),
        (
            Debt(1_000_000, interest=100_000),
            Limits(parts=2, interest_cut_percent=50, parts_fee=10_000),
            ["short;2026-11-24=480000;2026-12-21=480000".replace("12-21", "12-24")],
        ),
        (Debt(1_000_000), Limits(defer_days=14, defer_fee=25_000), ["defer;2026-12-05=1025000"]),
    ],
)  # fmt: skip
def test_offers(debt: Debt, limits: Limits, found: list[str]) -> None:
    assert [str(offer) for offer in offers(debt, limits, TODAY)] == found


SUMS = st.integers(0, 10**12)
PERCENT = st.integers(0, 100)
DAYS = st.integers(0, 60)
LIMITS = st.builds(
    Limits, early_days=DAYS, early_percent=PERCENT, parts=st.integers(0, 24), part_days=st.integers(1, 60),
    part_least=st.integers(0, 10**7), first_percent=PERCENT, first_days=DAYS, interest_cut_percent=PERCENT,
    parts_fee=st.integers(0, 10**6), defer_days=DAYS, defer_fee=st.integers(0, 10**6),
    round_to=st.sampled_from([1, 100, 1000]),
)  # fmt: skip


@given(st.builds(Debt, SUMS, SUMS, SUMS, SUMS), LIMITS, st.dates(date(2020, 1, 1), date(2090, 1, 1)))
def test_sums_are_exact_and_no_limit_is_passed(debt: Debt, limits: Limits, today: date) -> None:
    found = offers(debt, limits, today)
    names = [offer.name for offer in found]
    assert len(set(names)) == len(names)
    for offer in found:
        assert offer.total == debt.amount - offer.waived + offer.fee
        assert all(payment.amount > 0 for payment in offer.payments)
        assert 0 <= offer.waived <= debt.amount
        days = [payment.day for payment in offer.payments]
        assert days == sorted(set(days))
        assert days[0] >= today
        if offer.name == EARLY:
            assert 0 < offer.waived <= min(debt.incentive, debt.amount * limits.early_percent // 100)
            assert (len(days), offer.fee, days[0]) == (1, 0, today + timedelta(days=limits.early_days))
        if offer.name in (SHORT, LONG):
            first, *rest = [payment.amount for payment in offer.payments]
            assert 2 <= len(days) <= limits.parts
            assert offer.waived <= min(debt.interest, debt.amount) * limits.interest_cut_percent // 100
            assert offer.fee == limits.parts_fee
            assert first * 100 >= offer.total * limits.first_percent
            assert first >= max(debt.minimum, limits.part_least)
            assert len(set(rest)) == 1
            assert rest[0] >= limits.part_least
            assert rest[0] % limits.round_to == 0
            assert days[0] == today + timedelta(days=limits.first_days)
        if offer.name == DEFER:
            assert (offer.waived, offer.fee, len(days)) == (0, limits.defer_fee, 1)
            assert days[0] == today + timedelta(days=limits.defer_days)


def test_nothing_is_offered_unless_the_lender_says_so() -> None:
    assert offers(Debt(10**9, 1, 10**6, 10**6), Limits(), TODAY) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("parts = 3\nround_to = 1000\nclosed_days = [5, 6]", ""),
        ("partz = 3", "unknown key partz"),
        ("parts = 'three'", "parts"),
        ("parts = -1", "use 0 or more"),
        ("parts = 25", "at most 24"),
        ("early_percent = 120", "at most 100"),
        ("promise_days = 61", "60 days ahead"),
        ("open_minute = 1200", "minutes of the day"),
        ("round_to = 0", "use 1 or more"),
        ("closed_days = [0, 1, 2, 3, 4, 5, 6]", "leave one open"),
        ("parts =", "limits.toml"),
    ],
)
def test_limits_from_a_file(text: str, told: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("limits") / "limits.toml"
    path.write_text(text)
    if not told:
        assert load_limits(path) == (Limits(parts=3, round_to=1000, closed_days=frozenset({5, 6})), Terms())
        return
    with pytest.raises(ConfigError, match=told):
        load_limits(path)


def test_the_defaults_are_sound() -> None:
    assert not list(loose(Limits()))
    assert load_limits(None) == (Limits(), Terms())


# ---- one debtor's

OWES = Contact("k1", "p1", (), amount=1_000_000, minimum=50_000, custom=(("interest", "100.000"),))


def test_the_debt_is_what_the_list_tells() -> None:
    assert debt_of(OWES) == Debt(1_000_000, 50_000, 0, 100_000)
    assert debt_of(replace(OWES, custom=(("interest", "a lot"),))).interest == 0


@pytest.mark.parametrize("days", [0, 1])
def test_an_offer_is_for_the_day_on_which_it_is_made(days: int) -> None:
    for offer in for_contact(OWES, PLANS, TODAY):
        says = fault(str(offer), OWES, PLANS, TODAY + timedelta(days=days))
        assert bool(says) is bool(days)
    assert "offers nothing" in fault("short;2026-11-24=1", OWES, Limits(), TODAY)


@given(st.text(max_size=60))
def test_only_the_lenders_own_words_are_taken(words: str) -> None:
    assert fault(words, OWES, PLANS, TODAY)


def test_a_changed_file_counts_and_a_broken_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text("parts = 3\n[lender.'Bank Maju']\nparts = 6\n")
    file = LimitFile(path)
    assert (file.limits("c1", "").parts, file.limits("c1", "bank maju").parts) == (3, 6)
    path.write_text("parts = 4444\n")
    assert file.limits("c1", "").parts == 3
    path.write_text("parts = 2\n")
    assert (file.limits("c1", "").parts, file.limits("c1", "bank maju").parts) == (2, 2)
    path.unlink()
    assert file.limits("c1", "").parts == 2
    with pytest.raises(ConfigError):
        LimitFile(path)
    assert LimitFile(None).limits("c1", "") == Limits()
