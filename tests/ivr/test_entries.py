"""Digits that were keyed: days, hours, telephone numbers."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.debts.plans import Limits
from ivr import entries
from tests.ivr.people import FULL, TODAY

KEYED = st.text("0123456789*", max_size=16)


@pytest.mark.parametrize(
    ("keyed", "today", "found"),
    [
        ("2111", TODAY, TODAY),
        ("0512", TODAY, date(2026, 12, 5)),
        ("0612", TODAY, "far"),
        ("2011", TODAY, "past"),
        ("3101", TODAY, "far"),
        ("0101", date(2026, 12, 28), date(2027, 1, 1)),
        ("2712", date(2026, 12, 28), "past"),
        ("2902", date(2028, 2, 20), date(2028, 2, 29)),
        ("2902", date(2027, 2, 20), "far"),
        ("2902", date(2026, 2, 20), "far"),
        ("3002", TODAY, "unreal"),
        ("3104", TODAY, "unreal"),
        ("0000", TODAY, "unreal"),
        ("2513", TODAY, "unreal"),
        ("251", TODAY, "unreal"),
        ("25*1", TODAY, "unreal"),
        ("²511", TODAY, "unreal"),
    ],
)
def test_promise_date(keyed: str, today: date, found: date | str) -> None:
    assert entries.promise_date(keyed, today, 14) == found


@given(KEYED, st.dates(date(2020, 1, 1), date(2090, 1, 1)), st.integers(0, 60))
def test_a_promise_is_never_past_nor_beyond_the_limit(keyed: str, today: date, limit_days: int) -> None:
    found = entries.promise_date(keyed, today, limit_days)
    if isinstance(found, date):
        assert today <= found <= today + timedelta(days=limit_days)
        assert f"{found:%d%m}" == keyed


@pytest.mark.parametrize(
    ("keyed", "minute", "found"),
    [
        ("1000", 9 * 60, "2026-11-21T10:00"),
        ("1000", 9 * 60 + 45, "2026-11-21T10:00"),
        ("1000", 9 * 60 + 46, "2026-11-23T10:00"),  # tomorrow is Sunday
        ("0800", 12 * 60, "2026-11-23T08:00"),
        ("1930", 12 * 60, "2026-11-21T19:30"),
        ("1931", 12 * 60, ""),
        ("0759", 12 * 60, ""),
        ("2400", 12 * 60, None),
        ("1060", 12 * 60, None),
        ("10", 12 * 60, None),
        ("1*00", 12 * 60, None),
    ],
)
def test_an_hour_of_his_day(keyed: str, minute: int, found: str | None) -> None:
    talk = replace(FULL, minute=minute, zone=ZoneInfo("Asia/Makassar"))
    read = entries.minute_of(keyed)
    if found is None:
        assert read is None
        return
    assert read is not None
    when = entries.call_at(talk, read)
    assert (when.isoformat(timespec="minutes") if when else "") == (f"{found}+08:00" if found else "")


@given(
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.frozensets(st.integers(0, 6), max_size=6),
    st.integers(0, 400),
    st.integers(0, 9),
)
def test_a_call_back_is_always_inside_the_hours(
    now: int, asked: int, closed: frozenset[int], ahead: int, within: int
) -> None:
    today = TODAY + timedelta(days=ahead)
    talk = replace(FULL, today=today, minute=now, limits=Limits(closed_days=closed, callback_days=within))
    when = entries.call_at(talk, entries.nearest(talk, asked))
    assert when
    assert talk.limits.open_minute <= when.hour * 60 + when.minute <= talk.limits.close_minute
    assert when.weekday() not in closed
    assert when > datetime.combine(today, datetime.min.time(), talk.zone) + timedelta(minutes=now)


@pytest.mark.parametrize(
    ("keyed", "found"),
    [
        ("081234567890", "+6281234567890"),
        ("6281234567890", "+6281234567890"),
        ("0215001234", "+62215001234"),
        ("0812", ""),
        ("", ""),
        ("0800123456", ""),
        ("08091234567", ""),
        ("110", ""),
        ("14155552671", ""),
        ("0812*4567890", ""),
        ("0812345678901234", ""),
    ],
)
def test_a_number_of_his_own(keyed: str, found: str) -> None:
    assert entries.own_number(keyed, "ID") == found


@given(KEYED)
def test_whatever_is_keyed_is_a_number_of_the_country_or_none(keyed: str) -> None:
    found = entries.own_number(keyed, "ID")
    assert not found or (found.startswith("+62") and found[1:].isdecimal())


@pytest.mark.parametrize(
    ("minute", "found"),
    [
        (9 * 60, "2026-11-21T09:15"),
        (9 * 60 + 1, "2026-11-21T09:20"),
        (3 * 60, "2026-11-21T08:00"),
        (19 * 60 + 15, "2026-11-21T19:30"),
        (19 * 60 + 16, "2026-11-23T08:00"),  # tomorrow is Sunday
        (23 * 60 + 59, "2026-11-23T08:00"),
    ],
)
def test_soon_is_a_quarter_of_an_hour_within_the_hours(minute: int, found: str) -> None:
    when = entries.soon(replace(FULL, minute=minute))
    assert when is not None
    assert when.isoformat(timespec="minutes")[:16] == found


def test_soon_on_a_day_without_calls_and_where_all_are() -> None:
    sunday = replace(FULL, today=date(2026, 11, 22), minute=9 * 60)
    when = entries.soon(sunday)
    assert when is not None
    assert when.isoformat(timespec="minutes")[:16] == "2026-11-23T08:00"
    closed = replace(sunday, limits=replace(sunday.limits, closed_days=frozenset(range(7))))
    assert entries.soon(closed) is None
