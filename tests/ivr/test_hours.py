"""When a debtor may be called back: never outside the lender's hours, nor outside the campaign's own."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.debts.plans import Limits
from dialer.model import Campaign
from ivr import entries
from ivr.dialogue import between
from ivr.hours import open_on, own_hours
from ivr.preparing import prepared
from ivr.shipped import shipped
from ivr.talk import Talk
from tests.ivr.people import TODAY
from tests.ivr.twins import CAMPAIGN, CONTACT, KEY

WEEK = {"sat": "09:00-12:00", "mon": "09:00-12:00, 13:00-17:00", "tue": "closed", "thu": "00:00-24:00"}


def talk(minute: int = 10 * 60, today: date = TODAY, **fields: object) -> Talk:
    """`today` is a Saturday unless told."""
    campaign = replace(CAMPAIGN, **{"week": WEEK, **fields})  # type: ignore[arg-type]
    now = datetime(today.year, today.month, today.day, minute // 60, minute % 60, tzinfo=ZoneInfo("Asia/Jakarta"))
    return prepared(CONTACT, campaign, now, "id", KEY, Limits())


@pytest.mark.parametrize(
    ("minute", "asked", "found"),
    [
        (600, 11 * 60, "2026-11-21T11:00"),  # Saturday
        (600, 11 * 60 + 30, "2026-11-21T11:30"),
        (600, 11 * 60 + 31, "2026-11-25T11:31"),  # too near to its end, and to Monday's pause; Tuesday is closed
        (600, 12 * 60 + 30, "2026-11-25T12:30"),  # Wednesday has the lender's hours
        (600, 16 * 60, "2026-11-23T16:00"),
        (600, 8 * 60 + 30, "2026-11-25T08:30"),
        (600, 19 * 60 + 30, "2026-11-25T19:30"),
        (600, 19 * 60 + 31, ""),
        (23 * 60, 11 * 60, "2026-11-23T11:00"),
    ],
)
def test_an_hour_within_the_campaigns_own(minute: int, asked: int, found: str) -> None:
    when = entries.call_at(talk(minute), asked)
    assert (when.isoformat(timespec="minutes")[:16] if when else "") == found


def test_soon_waits_for_the_campaigns_next_hour() -> None:
    found = [entries.soon(talk(minute)) for minute in (10 * 60, 11 * 60 + 20, 7 * 60)]
    shown = [when.isoformat(timespec="minutes")[:16] for when in found if when]
    assert shown == ["2026-11-21T10:15", "2026-11-23T09:00", "2026-11-21T09:00"]


@pytest.mark.parametrize(
    ("fields", "minute", "found"),
    [
        ({"last_day": "2026-11-21"}, 600, "2026-11-21T11:00"),
        ({"last_day": "2026-11-21"}, 720, "2026-11-23T11:00"),  # it has no more: by the lender's hours
        ({"first_day": "2026-11-26"}, 600, "2026-11-26T11:00"),
        ({"week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "closed")}, 600, "2026-11-21T11:00"),
    ],
)
def test_a_campaigns_first_and_last_day(fields: dict[str, Any], minute: int, found: str) -> None:
    when = entries.call_at(talk(minute, **fields), 11 * 60)
    assert when
    assert when.isoformat(timespec="minutes")[:16] == found


def test_he_is_told_the_hours_that_count() -> None:
    open_late = between(shipped(), talk(week=dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat"), "10:00-17:00")))
    assert entries.told_hours(open_late.talk) == (10 * 60, 16 * 60 + 30)
    turn = open_late.begin()
    for keys in ("1", "1234", "4", "3", "4", "1700"):
        turn = open_late.hear(turn.state, keys)
    assert str(turn.say[0]).endswith("antara pukul, sepuluh, pagi, dan pukul, empat, lewat, tiga puluh, menit, sore.")


def test_a_promise_is_within_the_lenders_limit_and_the_campaigns() -> None:
    assert talk().limits.promise_days == 14
    assert talk(promise_days_max=7).last == TODAY + timedelta(days=7)


SPANS = st.sampled_from(["closed", "09:00-12:00, 13:00-17:00", "00:00-24:00", "10:00-10:20", "18:00-23:00"])


@given(
    st.dictionaries(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), SPANS),
    st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 6),
)  # fmt: skip
def test_whatever_is_asked_for_lies_in_both(week: dict[str, str], now: int, asked: int, ahead: int) -> None:
    one = talk(now, TODAY + timedelta(days=ahead), week=week)
    own = own_hours(Campaign("c", "C", week=week))
    whens = [entries.soon(one), entries.call_at(one, entries.nearest(one, asked)), entries.call_at(one, asked)]
    for when in whens[:2]:
        assert when, "there is always one"
    for when in filter(None, whens):
        minute = when.hour * 60 + when.minute
        assert one.limits.open_minute <= minute <= one.limits.close_minute
        assert when.weekday() not in one.limits.closed_days
        days = [TODAY + timedelta(days=day) for day in range(7)]
        if any(open_on(one.limits, own, day) for day in days):
            assert any(a <= minute <= b for a, b in own.on(when.date()))
