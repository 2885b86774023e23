"""A campaign's own days and hours: never looser than the law, told by their own rule, and open again at once."""

import asyncio
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.compliance import may_call
from dialer.config import validate_campaign
from dialer.law import schedule
from dialer.law.rulebook import WEEKDAYS, Pack, cited
from dialer.model import Allowed, Campaign, History, Refused
from tests import packs
from tests.site import CAMPAIGN, staged
from tests.test_config import TRUNK
from tests.twins import EPOCH, play, until

LAW = packs.indonesia(date(2026, 12, 25))
NO_PAST = History()


def one(**settings: Any) -> Campaign:
    return Campaign("c1", "c1", trunk="trunk", caller_id="+62215551234", **settings)


def asked(pack: Pack, at: float, zone: str = "Asia/Jakarta") -> Allowed | Refused:
    who = packs.contact(zone)
    return may_call(who, who.numbers[0], NO_PAST, NO_PAST, pack, at, packs.CALL_S)


WEEK = one(week={"mon": "09:00-12:00, 13:00-17:00", "tue": "closed"}, first_day="2026-11-23", last_day="2026-12-04")


@pytest.mark.parametrize(
    ("clock", "rule", "until"),
    [
        ("2026-11-21 10:00:00", "campaign_days", "2026-11-23 09:00:00"),  # before its first day
        ("2026-11-23 08:30:00", "campaign_hours", "2026-11-23 09:00:00"),
        ("2026-11-23 09:00:00", "", ""),
        ("2026-11-23 11:59:00", "campaign_hours", "2026-11-23 13:00:00"),  # it would ring past noon
        ("2026-11-23 13:00:00", "", ""),
        ("2026-11-24 10:00:00", "campaign_days", "2026-11-25 08:00:00"),  # closed; then the law's own hours
        ("2026-11-25 08:00:00", "", ""),
        ("2026-11-25 07:00:00", "hours", "2026-11-25 08:00:00"),  # the law is named before the schedule
        ("2026-11-29 10:00:00", "weekday", "2026-11-30 09:00:00"),
        ("2026-12-04 10:00:00", "", ""),
    ],
)
def test_the_gate_by_a_schedule(clock: str, rule: str, until: str) -> None:
    found = asked(schedule.scheduled(LAW, WEEK), packs.moment(clock))
    if not rule:
        assert isinstance(found, Allowed)
        return
    assert isinstance(found, Refused)
    assert (found.rule, found.until) == (rule, packs.moment(until))
    assert cited(LAW, found.rule)


def test_after_its_last_day_nobody_is_called() -> None:
    found = asked(schedule.scheduled(LAW, WEEK), packs.moment("2026-12-05 10:00:00"))
    assert isinstance(found, Refused)
    assert found.rule == "campaign_days"


def test_its_hours_are_the_debtors() -> None:
    pack = schedule.scheduled(LAW, WEEK)
    in_papua = packs.moment("2026-11-23 09:00:00", "Asia/Jayapura")
    assert isinstance(asked(pack, in_papua, "Asia/Jayapura"), Allowed)
    assert isinstance(asked(pack, in_papua), Refused)


SPANS = st.sampled_from(("closed", "08:00-20:00", "09:00-12:00, 13:00-17:00", "10:30-10:45", "19:00-20:00"))


@given(
    st.dictionaries(st.sampled_from(WEEKDAYS[:6]), SPANS), st.sampled_from(("", "2026-11-25")),
    st.sampled_from(("", "2026-12-02")), st.integers(0, 14 * 24 * 4), st.sampled_from(("", "Asia/Makassar")),
)  # fmt: skip
def test_it_only_ever_forbids(week: dict[str, str], first: str, last: str, quarter: int, zone: str) -> None:
    campaign = one(week=week, first_day=first, last_day=last)
    assert not list(schedule.faults(campaign, LAW))
    pack, at = schedule.scheduled(LAW, campaign), packs.moment("2026-11-21 00:00:00") + quarter * 900.0
    law, own = asked(LAW, at, zone), asked(pack, at, zone)
    if isinstance(own, Allowed):
        assert isinstance(law, Allowed)
        assert own.must_start_by <= law.must_start_by
    if schedule.hold(pack, at):
        assert isinstance(own, Refused), "a hold is never a call lost"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"week": {"mon": "07:00-20:00"}}, "week.mon = '07:00-20:00' is not within the pack's '08:00-20:00'"),
        ({"week": {"sun": "09:00-12:00"}}, "week.sun = '09:00-12:00' is not within the pack's 'closed'"),
        ({"week": {"mon": "9-12"}}, "week.mon = '9-12': use hours such as"),
        ({"week": {"monday": "closed"}}, "week: monday: use mon"),
        ({"shifts": {"mon": "24:30"}}, "shifts.mon = '24:30': use a time such as 17:30"),
        ({"first_day": "1 December"}, "first_day = '1 December': use a day such as 2026-12-01"),
        ({"first_day": "2026-12-02", "last_day": "2026-12-01"}, "last_day = 2026-12-01 is before"),
    ],
)
def test_what_is_looser_or_senseless_is_refused(settings: dict[str, Any], sentence: str) -> None:
    found = validate_campaign(replace(one(), **settings), LAW, TRUNK)
    assert len(found) == 1
    assert found[0].startswith(sentence)


def test_a_shift_by_its_day() -> None:
    campaign = one(shift_ends="17:30", shifts={"sat": "13:00", "mon": ""})
    ends = [
        schedule.shift_ends(campaign, "Asia/Jakarta", packs.moment(f"2026-11-{day} 10:00:00")) for day in (21, 23, 24)
    ]
    assert ends == ["13:00", "", "17:30"]


def test_a_day_as_it_is_open() -> None:
    pack = schedule.scheduled(LAW, WEEK)
    shown = {day: schedule.shown(schedule.open_on(pack, date(2026, 11, day))) for day in (21, 23, 24, 25)}
    assert shown == {21: "closed", 23: "09:00-12:00, 13:00-17:00", 24: "closed", 25: "08:00-20:00"}


@pytest.mark.parametrize("asked_about", [False, True], ids=["shut everywhere", "open in another zone"])
def test_a_schedule_holds_and_opens_while_the_campaign_runs(asked_about: bool) -> None:
    """Shut everywhere, nobody is asked about and so nobody set aside; whoever is, comes back when it is widened."""

    def pack_of(campaign: Campaign) -> Pack:
        return schedule.scheduled(packs.demo(), campaign)

    async def scene() -> None:
        here = datetime.fromtimestamp(EPOCH, ZoneInfo(packs.demo().zones[0]))
        today = WEEKDAYS[here.weekday()]
        there = here.astimezone(ZoneInfo("Asia/Jayapura")).hour  # later than in Jakarta, where everybody lives
        shut = replace(CAMPAIGN, week={today: f"{there:02}:00-{there + 1:02}:00" if asked_about else "closed"})
        async with staged(shut, listed=50, agents=("101", "102"), pack_of=pack_of) as stage:
            await asyncio.sleep(20.0)
            assert stage.placed() == []
            held = "outside the campaign's own hours until" in stage.run.decision.reason
            refused = {why.rule for _, _, why in stage.books.refusals}
            assert (held, refused) == ((False, {"campaign_hours"}) if asked_about else (True, set()))
            await stage.store.save_campaign(CAMPAIGN)
            await until(lambda: len(stage.placed()) >= 2, 20.0)
            assert stage.run.recalls is False

    play(scene())
