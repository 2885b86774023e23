"""A call-back is promised only when the gate's windows are open: holidays, Sundays, joint leave, the last minute."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.rule_files import closed_days, load_overrides, read_pack
from dialer.compliance import may_call
from dialer.debts.plans import Limits
from dialer.law.places import Rules
from dialer.law.rulebook import JOINT_LEAVE, HolidayRule, Pack
from dialer.law.schedule import scheduled
from dialer.lists.outlook import NO_PAST
from dialer.model import Allowed, Campaign, Contact
from ivr import entries, session
from ivr.talk import Talk
from tests import packs
from tests.ivr import twins

JAKARTA = "Asia/Jakarta"
LONG_DAY = Limits(open_minute=0, close_minute=24 * 60 - 1, closed_days=frozenset())  # a lender who knows no law
CHRISTMAS = date(2026, 12, 25)  # a Friday
ID = packs.indonesia(CHRISTMAS)
NUMBERED = replace(twins.CONTACT, numbers=(packs.NUMBER,))


def rules(pack: Pack, campaign: Campaign = twins.CAMPAIGN) -> Rules:
    return Rules(pack, scheduled(pack, campaign), packs.CALL_S)


def talk_at(
    text: str, known: Rules | None, limits: Limits = LONG_DAY, contact: Contact = NUMBERED, **fields: Any
) -> Talk:
    """On the debtor's clock; the capital's where his zone is not known."""
    clock, campaign = twins.Clock(), replace(twins.CAMPAIGN, **fields)
    clock.at = packs.moment(text, contact.zone or JAKARTA)
    desk = replace(
        twins.desk(twins.Store()), clock=clock, limits=limits, rules_of={campaign.id: known}.get,
        zone_of=lambda name: ZoneInfo(name or JAKARTA),
    )  # fmt: skip
    found = session.dialogue_of(twins.CALL, desk, campaign, contact)
    assert found
    return found.talk


def shown(when: datetime | None) -> str:
    return when.isoformat(timespec="minutes")[:16] if when else ""


NEAR_YEAR = Limits(open_minute=9 * 60, close_minute=17 * 60)


@pytest.mark.parametrize(
    ("now", "asked", "known", "limits", "found"),
    [
        ("2026-12-24 18:00:00", 10 * 60, ID, LONG_DAY, "2026-12-26T10:00"),  # the eve of a holiday
        ("2026-12-24 18:00:00", 10 * 60, packs.indonesia(), LONG_DAY, "2026-12-25T10:00"),
        ("2026-12-24 18:00:00", 10 * 60, None, LONG_DAY, "2026-12-25T10:00"),  # the pack is not known
        ("2026-12-24 18:00:00", 19 * 60, ID, LONG_DAY, "2026-12-24T19:00"),  # his eve itself is open
        ("2026-12-24 18:00:00", 10 * 60, ID, NEAR_YEAR, "2026-12-26T10:00"),
        ("2026-11-21 18:00:00", 10 * 60, ID, LONG_DAY, "2026-11-23T10:00"),  # Saturday: not on Sunday
        ("2026-11-21 18:00:00", 10 * 60, None, LONG_DAY, "2026-11-22T10:00"),
        ("2026-11-21 18:00:00", 19 * 60 + 58, ID, LONG_DAY, "2026-11-21T19:58"),  # the last open minute
        ("2026-11-21 18:00:00", 19 * 60 + 59, ID, LONG_DAY, ""),  # it would ring past 20:00 with the margin
        ("2026-11-21 18:00:00", 8 * 60, ID, LONG_DAY, "2026-11-23T08:00"),
        ("2026-11-21 18:00:00", 7 * 60 + 59, ID, LONG_DAY, ""),
        ("2026-11-21 18:00:00", 19 * 60 + 58, ID, Limits(), ""),  # the lender ends at 19:30
    ],
)
def test_an_hour_that_the_gate_opens(now: str, asked: int, known: Pack | None, limits: Limits, found: str) -> None:
    assert shown(entries.call_at(talk_at(now, rules(known) if known else None, limits), asked)) == found


@pytest.mark.parametrize(
    ("now", "found"),
    [
        ("2026-12-24 19:40:00", "2026-12-24T19:55"),
        ("2026-12-24 19:44:00", "2026-12-26T08:00"),  # 19:59, in fives 20:00
        ("2026-12-25 10:00:00", "2026-12-26T08:00"),  # who calls us on a holiday
        ("2026-12-26 19:50:00", "2026-12-28T08:00"),
    ],
)
def test_soon_is_when_the_gate_opens_next(now: str, found: str) -> None:
    assert shown(entries.soon(talk_at(now, rules(ID)))) == found


@pytest.mark.parametrize(("joint_leave", "found"), [(False, "2026-12-24T10:00"), (True, "2026-12-26T10:00")])
def test_joint_leave_closes_where_the_site_says_so(joint_leave: bool, found: str) -> None:
    rule = read_pack("indonesia").holiday_rule
    assert rule
    both = HolidayRule(rule.country, (*rule.categories, JOINT_LEAVE), rule.subdivisions)
    days = closed_days(both if joint_leave else rule, packs.YEARS)
    assert (date(2026, 12, 24) in days) == joint_leave
    assert shown(entries.call_at(talk_at("2026-12-23 18:00:00", rules(packs.indonesia(*days))), 10 * 60)) == found


def test_a_day_that_the_operator_closes_or_opens(tmp_path: Any) -> None:
    file = tmp_path / "holidays.toml"
    file.write_text(
        '[[closed]]\ndate = 2026-12-24\nname = "Election day"\n[[open]]\ndate = 2026-12-25\ncountry = "ID"\n'
        'reason = "the gate of a test is to be open"\nsigned_by = "A. Tester"\n'
    )
    rule = read_pack("indonesia").holiday_rule
    assert rule
    pack = packs.indonesia(*closed_days(rule, packs.YEARS, load_overrides(file)))
    assert shown(entries.call_at(talk_at("2026-12-23 18:00:00", rules(pack)), 10 * 60)) == "2026-12-25T10:00"


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        (JAKARTA, 8 * 60, 19 * 60 + 58),
        ("Asia/Jayapura", 8 * 60, 19 * 60 + 58),  # on his own clock
        ("", 8 * 60, 17 * 60 + 58),  # anywhere from WIB to WIT: 20:00 in Jayapura is 18:00 in Jakarta
    ],
)
def test_where_his_zone_is_unknown_all_of_them_have_to_agree(zone: str, first: int, last: int) -> None:
    talk = talk_at("2026-11-23 06:00:00", rules(ID), contact=replace(NUMBERED, zone=zone))
    assert entries.told_hours(talk) == (first, last)
    assert entries.call_at(talk, last)
    assert entries.call_at(talk, last + 1) is None


def test_the_campaigns_own_hours_hold_in_all_zones_too() -> None:
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat"), "09:00-17:00")
    known = rules(ID, replace(twins.CAMPAIGN, week=week))
    unknown = talk_at("2026-11-23 06:00:00", known, contact=replace(NUMBERED, zone=""), week=week)
    assert entries.told_hours(unknown) == (9 * 60, 14 * 60 + 58)
    assert entries.told_hours(talk_at("2026-11-23 06:00:00", known, week=week)) == (9 * 60, 16 * 60 + 30)


@pytest.mark.parametrize(
    ("pack", "limits", "fields", "found"),
    [
        # a week of holidays: the first day after it
        (packs.indonesia(*(date(2026, 12, 21) + timedelta(days) for days in range(14))), Limits(), {},
         "2027-01-04T10:00"),
        # the campaign has ended: another of the lender's may call, if the law lets it
        (ID, Limits(), {"last_day": "2026-12-24"}, "2026-12-26T10:00"),
        # the lender opens only when the law does not: the law's word
        (ID, Limits(open_minute=21 * 60, close_minute=22 * 60), {}, "2026-12-26T10:00"),
        # nothing is known of the days to come: as without rules
        (replace(ID, hours=replace(ID.hours, years=frozenset({2025}))), Limits(), {}, "2026-12-25T10:00"),
    ],
)  # fmt: skip
def test_there_is_always_a_day(pack: Pack, limits: Limits, fields: dict[str, Any], found: str) -> None:
    known = rules(pack, replace(twins.CAMPAIGN, **fields))
    assert shown(entries.call_at(talk_at("2026-12-24 20:00:00", known, limits, **fields), 10 * 60)) == found


def test_a_region_and_all_his_numbers_count() -> None:
    us = packs.us()
    east = Contact(
        "c", "p", (packs.NEW_YORK, replace(packs.NEW_YORK, e164="+13105550123", key="n4")), name="Ann",
        zone="America/New_York", province="NY", consents=packs.AGREED,
    )  # fmt: skip
    talk = talk_at("2026-11-23 06:00:00", rules(us), contact=east)
    one = talk_at("2026-11-23 06:00:00", rules(us), contact=replace(east, numbers=east.numbers[:1]))
    assert entries.told_hours(talk)[0] == entries.told_hours(one)[0] + 180  # Los Angeles sleeps


def test_who_called_us_is_told_the_hours_of_his_own_row() -> None:
    """A conversation with one who proves nothing knows neither province nor numbers; the hours are theirs."""
    clock, us = twins.Clock(), packs.us()
    clock.at = packs.moment("2026-11-23 12:00:00", "America/New_York")
    row = Contact(
        "c", "p", (replace(packs.NEW_YORK, e164="+13105550123"),), zone="America/New_York", province="NY",
        consents=packs.AGREED,
    )  # fmt: skip
    store = twins.Store(contact=row, inbound=True)
    known = rules(us)
    desk = replace(
        twins.desk(store), clock=clock, limits=LONG_DAY, zone_of=lambda name: ZoneInfo(name), rules_of=lambda _: known
    )
    found = session.learn(twins.CALL, desk)
    assert found
    assert found.flow.id == "wish"
    assert entries.told_hours(found.talk)[0] == 11 * 60


DAYS = st.integers(0, 120).map(lambda days: date(2026, 11, 21) + timedelta(days))
MINUTES = st.integers(0, 24 * 60 - 1)


@given(
    DAYS, MINUTES, MINUTES, st.lists(DAYS, max_size=40),
    st.sampled_from(["", JAKARTA, "Asia/Makassar", "Asia/Jayapura"]),
    st.sampled_from([{}, {"mon": "09:00-12:00, 13:00-17:00", "tue": "closed"}, {"sat": "10:00-10:05"}]),
)  # fmt: skip
def test_the_gate_lets_it_be(
    today: date, now: int, asked: int, holidays: list[date], zone: str, week: dict[str, str]
) -> None:
    campaign = replace(twins.CAMPAIGN, week=week)
    known, contact = rules(packs.indonesia(*holidays), campaign), replace(NUMBERED, zone=zone)
    talk = talk_at(f"{today} {now // 60:02}:{now % 60:02}:00", known, contact=contact, week=week)
    whens = [entries.soon(talk), entries.call_at(talk, entries.nearest(talk, asked)), entries.call_at(talk, asked)]
    assert whens[0]
    assert whens[1]
    for when in filter(None, whens):
        said = may_call(
            contact, packs.NUMBER, NO_PAST, NO_PAST, known.scheduled, when.timestamp(), packs.CALL_S, campaign="c"
        )
        assert isinstance(said, Allowed), (when, said)
