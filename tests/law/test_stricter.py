"""Stricter rules tighten, whatever they say; what would loosen is named with the field and refused."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.compliance import may_call
from dialer.errors import ConfigError
from dialer.law.rulebook import Pack, cited
from dialer.law.stricter import parse_stricter, tighten
from dialer.model import Allowed, History, NumberKind, Permission, Refused
from tests.packs import CALL_S, NUMBER, contact, demo, indonesia, moment, uk

PACK = indonesia()
NOON = moment("2026-11-20 12:00:00")  # a Friday
DAY = 86_400.0
WHY = "Works agreement of 2026"


def tight(pack: Pack = PACK, **tables: Any) -> Pack:
    return tighten(pack, parse_stricter({"id": "site", "version": "2", **tables}, "site.toml"))


def ask(pack: Pack, at: float = NOON, past: History | None = None) -> Permission:
    past = past or History()
    return may_call(contact(), NUMBER, past, past, pack, at, CALL_S)


def test_hours_quiet_minutes_and_closed_days() -> None:
    prayer = {"source": "Friday prayer", "days": ["fri"], "spans": "11:30-13:00"}
    dusk = {"source": "Maghrib prayer", "spans": "17:45-18:30"}
    pack = tight(
        hours={"source": WHY, "fri": "09:00-20:00", "sat": "closed"},
        quiet=[prayer, dusk],
        closed=[{"date": date(2026, 11, 23), "name": "Inventory"}],
    )
    assert pack.hours.days[4] == ((540, 690), (780, 1065), (1110, 1200))
    assert pack.hours.days[5] == ()
    assert pack.hours.days[0] == ((480, 1065), (1110, 1200))
    for clock, open_ in (
        ("2026-11-20 08:59:59", False),
        ("2026-11-20 09:00:00", True),
        ("2026-11-20 11:28:27", True),  # the ring and its margin end at 11:30
        ("2026-11-20 11:28:28", False),
        ("2026-11-20 12:59:59", False),
        ("2026-11-20 13:00:00", True),
        ("2026-11-21 12:00:00", False),
        ("2026-11-23 12:00:00", False),
        ("2026-11-24 12:00:00", True),
    ):
        assert isinstance(ask(pack, moment(clock)), Allowed) is open_, clock
    answer = ask(pack, moment("2026-11-20 20:00:00"))
    assert isinstance(answer, Refused)
    assert answer.until == moment("2026-11-24 08:00:00")
    assert "Works agreement" in cited(pack, "hours")


def test_caps_silences_and_limits() -> None:
    rules: dict[str, Any] = {
        "caps": [
            {"of": "person", "count": 2, "days": 1, "source": WHY},
            {"of": "person", "count": 4, "days": 3, "source": WHY},
        ],
        "conversation": {"source": WHY, "silence_hours": 72},
        "after_abandoned": {"source": WHY, "silence_hours": 96, "agent_lifts": False},
        "after_machine": {"source": WHY, "silence_hours": 4},
        "numbers": {"source": WHY, "kinds": ["debtor"], "types": ["mobile"]},
        "ring": {"source": WHY, "min_s": 20, "margin_s": 90},
        "abandon": {"source": WHY, "rate_max": 0.01, "connect_limit_ms": 1500},
        "callback": {"source": WHY, "overrides": []},
        "joint_leave": True,
    }
    pack = tight(**rules)
    assert pack.label == f"{PACK.label}+site@2"
    assert {cap.name: cap.count for cap in pack.caps} == {
        **{cap.name: cap.count for cap in PACK.caps},
        "person_cap_1d": 2,
        "person_cap_3d": 4,
    }
    assert (pack.conversation.seconds, pack.after_abandoned.seconds, pack.after_machine.seconds) == (
        72 * 3600,
        96 * 3600,
        4 * 3600,
    )
    assert not pack.after_abandoned.agent_lifts
    assert pack.kinds == {NumberKind.DEBTOR}
    assert {str(one) for one in pack.types} == {"mobile"}
    assert (pack.ring_min_s, pack.margin_s, pack.abandon_rate_max, pack.connect_limit_ms) == (20, 90, 0.01, 1500)
    assert pack.callback is None
    assert pack.holiday_rule
    assert pack.holiday_rule.categories == ("public", "government")
    past = History(attempts=(NOON - 3 * 3600, NOON - 2 * 3600))
    assert isinstance(ask(PACK, past=past), Allowed)
    answer = ask(pack, past=past)
    assert isinstance(answer, Refused)
    assert answer.rule == "person_cap_1d"
    assert cited(pack, answer.rule) == f"Operator's stricter rule site@2: {WHY}"


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        (
            {"hours": {"source": WHY, "mon": "07:59-20:00"}},
            "hours.mon = '07:59-20:00' is not within the pack's '08:00-20:00'",
        ),
        (
            {"hours": {"source": WHY, "sun": "10:00-12:00"}},
            "hours.sun = '10:00-12:00' is not within the pack's 'closed'",
        ),
        (
            {"caps": [{"of": "person", "count": 4, "days": 1, "source": WHY}]},
            "person_cap_1d = 4 is more than the pack's 3",
        ),
        (
            {"conversation": {"source": WHY, "silence_hours": 23}},
            "conversation.silence_hours = 23 is less than the pack's 24",
        ),
        ({"after_abandoned": {"source": WHY, "silence_hours": 71}}, "after_abandoned.silence_hours = 71"),
        (
            {"numbers": {"source": WHY, "kinds": ["debtor", "workplace"]}},
            "numbers.kinds: the pack does not allow work",
        ),
        (
            {"numbers": {"source": WHY, "types": ["premium_rate"]}},
            "numbers.types: the pack does not allow prem",
        ),
        ({"ring": {"source": WHY, "min_s": 14}}, "ring.min_s = 14 is less than the pack's 15"),
        ({"ring": {"source": WHY, "margin_s": 59}}, "ring.margin_s = 59 is less than the pack's 60"),
        ({"abandon": {"source": WHY, "rate_max": 0.04}}, "abandon.rate_max = 0.04 is more than the pack's 0.03"),
        ({"abandon": {"source": WHY, "connect_limit_ms": 2500}}, "abandon.connect_limit_ms = 2500"),
        ({"abandon": {"source": WHY, "overflow_counts": False}}, "abandon.overflow_counts = false"),
    ],
)
def test_what_is_looser_is_refused_with_its_field(tables: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tight(**tables)
    assert words in str(caught.value)
    assert "only a pack edited and signed off may be looser" in str(caught.value)


def test_an_agent_lifts_no_silence_that_the_pack_keeps() -> None:
    firm = replace(uk(), after_machine=replace(uk().after_machine, agent_lifts=False))
    with pytest.raises(ConfigError, match=r"after_machine\.agent_lifts = true"):
        tight(firm, after_machine={"source": WHY, "silence_hours": 48, "agent_lifts": True})


def test_all_that_is_looser_comes_in_one_message() -> None:
    with pytest.raises(ConfigError, match=r"hours\.mon.*ring\.min_s.*abandon\.rate_max"):
        tight(
            hours={"source": WHY, "mon": "07:00-20:00"},
            ring={"source": WHY, "min_s": 1},
            abandon={"source": WHY, "rate_max": 0.05},
        )


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"hour": {}}, "unknown key hour"),
        ({"hours": {"mon": "09:00-18:00"}}, "set hours.source"),
        ({"callback": {"source": WHY, "overrides": ["conversation"]}}, "callback.overrides"),
        ({"quiet": [{"source": WHY, "spans": "12:00-13:00", "days": ["friday"]}]}, "use mon, tue"),
        ({"closed": [{"date": date(2026, 1, 1)}]}, "set closed.0.name"),
        ({"campaigns": ["No Such"]}, "campaigns.0"),
        ({"version": ""}, "version"),
    ],
)
def test_a_file_that_is_not_understood_is_a_fault(tables: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=r"site\.toml") as caught:
        tight(**tables)
    assert words in str(caught.value)


def test_a_pack_that_is_open_always_gets_hours() -> None:
    pack = tight(demo(), hours={"source": WHY, "fri": "09:00-10:00"}, quiet=[{"source": WHY, "spans": "00:00-01:00"}])
    assert not pack.hours.always
    assert pack.hours.days[4] == ((540, 600),)
    assert pack.hours.days[0] == ((60, 1440),)
    with pytest.raises(ConfigError, match="closed: a pack that is open always"):
        tight(demo(), closed=[{"date": date(2026, 1, 1), "name": "New Year"}])
    with pytest.raises(ConfigError, match="joint_leave: the pack knows no holidays"):
        tight(demo(), joint_leave=True)


SPANS = ["closed", "08:00-20:00", "09:00-12:00", "09:00-12:00, 13:00-18:00", "19:00-20:00"]
QUIET = ["00:00-24:00", "12:00-13:00", "07:00-09:00", "11:00-11:01, 19:59-20:00"]


@settings(max_examples=150)
@given(
    hours=st.dictionaries(st.sampled_from(["mon", "fri", "sat"]), st.sampled_from(SPANS)),
    quiet=st.lists(st.sampled_from(QUIET), max_size=2),
    count=st.integers(1, 3),
    silence=st.integers(24, 200),
    at=st.integers(int(NOON - 7 * DAY), int(NOON + 7 * DAY)).map(float),
    ages=st.lists(st.floats(0, 20 * DAY), max_size=4),
)
def test_no_stricter_rules_ever_allow_what_the_pack_refuses(
    hours: dict[str, str], quiet: list[str], count: int, silence: int, at: float, ages: list[float]
) -> None:
    pack = tight(
        hours={"source": WHY, **hours},
        quiet=[{"source": WHY, "spans": spans} for spans in quiet],
        caps=[{"of": "person", "count": count, "days": 1, "source": WHY}],
        conversation={"source": WHY, "silence_hours": silence},
    )
    past = History(attempts=tuple(at - age for age in ages), conversations=tuple(at - age for age in ages[:1]))
    assert not (isinstance(ask(pack, at, past), Allowed) and isinstance(ask(PACK, at, past), Refused))
