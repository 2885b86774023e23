"""Rule packs: what comes along is sound and cited, and no broken pack gets through."""

import math
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from dialer.errors import ConfigError
from dialer.law.abandon import Window
from dialer.law.number_plan import NumberType
from dialer.law.rulebook import Of, Pack, all_caps, cited, history_s, with_holidays
from dialer.law.rulebook_form import spans
from dialer.law.rulebook_reading import parse_pack
from dialer.model import NumberKind
from tests.draw_rules import PAGE, page
from tests.packs import DIALER, demo, indonesia, shipped, toml, uk, us

Data = dict[str, Any]


def test_the_indonesian_pack_says_what_the_rules_say() -> None:
    pack = indonesia()
    assert pack.label == f"indonesia@{pack.version}"
    assert pack.prefixes == ("+62",)
    assert pack.hours.days == (((480, 1200),),) * 6 + ((),)
    assert pack.holiday_rule is not None
    assert (pack.holiday_rule.country, pack.holiday_rule.categories) == ("ID", ("public",))
    assert pack.kinds == {NumberKind.DEBTOR, NumberKind.CO_BORROWER}
    assert (pack.ring_min_s, pack.margin_s, pack.connect_limit_ms) == (15, 60, 2000)
    assert (pack.abandon_rate_max, pack.abandon_window) == (0.03, Window.CAMPAIGN)
    assert pack.overflow_counts
    assert pack.caller_id_required
    assert not pack.only_trunk_loopback
    assert {"Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"} <= set(pack.zones)


def test_the_american_pack_says_what_the_rules_say() -> None:
    pack = us()
    assert pack.hours.days == (((480, 1260),),) * 7
    assert pack.number_zone
    assert pack.holiday_rule is None
    assert pack.conversation.seconds == 7 * 86_400
    assert {cap.name: cap.count for cap in pack.caps}["person_cap_7d"] == 7
    florida, massachusetts = pack.regions
    assert florida.provinces == {"fl", "florida"}
    assert florida.hours
    assert florida.hours.days == (((480, 1200),),) * 7
    assert [(cap.name, cap.count, cap.window_s) for cap in florida.caps] == [("person_cap_24h_florida", 3, 86_400)]
    assert [(cap.name, cap.count) for cap in massachusetts.caps] == [("person_cap_7d_massachusetts", 2)]
    assert pack.consent_types == {NumberType.MOBILE, NumberType.FIXED_LINE_OR_MOBILE}
    assert (pack.abandon_rate_max, pack.abandon_window, pack.ring_min_s) == (0.03, Window.CAMPAIGN, 15)
    assert len(pack.provinces) == 2 * 51


def test_the_british_pack_says_what_the_rules_say() -> None:
    pack = uk()
    assert pack.hours.days == (((480, 1260),),) * 6 + ((),)
    assert (pack.after_abandoned.seconds, pack.after_abandoned.agent_lifts) == (72 * 3600, True)
    assert (pack.after_machine.seconds, pack.after_machine.agent_lifts) == (24 * 3600, True)
    assert (pack.abandon_rate_max, pack.abandon_window, pack.ring_min_s) == (0.03, Window.DAY, 15)
    for rule in ("after_abandoned", "after_machine", "ring", "abandon"):
        assert "until 2017" in pack.sources[rule] or "no longer fixed" in pack.sources[rule]
    assert pack.sources["hours"].startswith("Operator's choice: no law gives hours")


@pytest.mark.parametrize("pack", [*shipped(), demo()], ids=lambda pack: pack.id)
def test_every_rule_of_a_pack_cites_its_source(pack: Pack) -> None:
    wanted = {"hours", "numbers", "stop", "conversation", "ring", "abandon", "caller_id"}
    wanted |= {cap.name for cap in all_caps(pack)}
    wanted |= {name for name in ("callback", "consent", "after_abandoned") if name in toml(pack.id)}
    wanted |= {region.hours.name for region in pack.regions if region.hours}
    assert wanted <= set(pack.sources)
    assert all(len(source) >= 10 for source in pack.sources.values())
    assert ("holidays" in pack.sources) == (pack.holiday_rule is not None)


def test_what_no_law_says_is_called_the_operators_choice() -> None:
    sources = indonesia().sources
    for rule in ("abandon", "ring", "conversation", "caller_id", "person_cap_1d", "number_cap_7d"):
        assert sources[rule].startswith("Operator's choice")
    assert "POJK 22/2023 art. 62(2)" in sources["hours"]


def test_the_demos_pack_says_that_it_is_open_and_for_the_demo() -> None:
    pack = demo()
    assert pack.hours.always
    assert pack.only_trunk_loopback
    assert pack.title.startswith("Demo: open hours")
    assert (pack.abandon_rate_max, pack.ring_min_s) == (indonesia().abandon_rate_max, indonesia().ring_min_s)


def test_no_other_pack_comes_along_that_is_open_always() -> None:
    for path in (DIALER / "rules").glob("*.toml"):
        assert not parse_pack(toml(path.stem)).hours.always


def test_a_pack_is_closed_until_it_has_its_holidays() -> None:
    bare = parse_pack(toml("indonesia"))
    assert bare.hours.years == frozenset()
    full = with_holidays(bare, [date(2026, 12, 25)], [2026])
    assert full.hours.holidays == frozenset({date(2026, 12, 25)})
    assert full.hours.years == frozenset({2026})
    assert with_holidays(demo(), [date(2026, 12, 25)], [2026]).hours.years is None


def test_how_far_back_the_gate_looks() -> None:
    assert history_s(indonesia()) == 30 * 86_400
    assert history_s(demo()) == 86_400


def test_spans() -> None:
    assert spans("08:00-20:30") == ((480, 1230),)
    assert spans("00:00-24:00") == ((0, 1440),)
    assert spans("08:00-12:00, 13:00-20:00") == ((480, 720), (780, 1200))
    assert spans("closed") == ()


def test_a_refusals_rule_is_cited() -> None:
    pack = us()
    assert cited(pack, "weekday") == cited(pack, "zone") == pack.sources["hours"]
    assert cited(pack, "lender_stop") == cited(pack, "silent") == pack.sources["stop"]
    assert cited(pack, "hours_florida").startswith("Florida Statutes")
    assert cited(pack, "expired").startswith("Operator's choice")
    with pytest.raises(KeyError):
        cited(pack, "no_such_rule")


def test_joint_leave_is_a_switch() -> None:
    data = toml("indonesia")
    data["holidays"]["joint_leave"] = True
    rule = parse_pack(data).holiday_rule
    assert rule
    assert rule.categories == ("public", "government")


def change(path: str, value: object) -> Callable[[Data], None]:
    def apply(data: Data) -> None:
        *tables, key = path.split(".")
        place: Any = data
        for table in tables:
            place = place[int(table) if table.isdigit() else table]
        place[key] = value

    return apply


def remove(path: str) -> Callable[[Data], None]:
    def apply(data: Data) -> None:
        *tables, key = path.split(".")
        for table in tables:
            data = data[table]
        del data[key]

    return apply


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (remove("hours"), ["set hours"]),
        (remove("hours.sun"), ["hours:", "name all of mon, tue"]),
        (remove("hours.source"), ["set hours.source"]),
        (remove("ring.source"), ["set ring.source"]),
        (change("hours.source", "law"), ["hours.source = 'law'", "at least 10"]),
        (change("hours.mon", "8-20"), ["hours.mon = '8-20'", 'such as "08:00-20:00"']),
        (change("hours.mon", "20:00-08:00"), ["hours.mon", "an opening before the closing"]),
        (change("hours.mon", "08:00-24:30"), ["hours.mon", "24:00 at the latest"]),
        (change("hours.mun", "08:00-20:00"), ["unknown key hours.mun"]),
        (change("hours.always", True), ["hours:", "either always = true or the seven weekdays"]),
        (change("zones", []), ["zones", "at least 1"]),
        (change("zones", ["Asia/Atlantis"]), ["zones.0 = 'Asia/Atlantis'", "IANA zone"]),
        (change("zones", ["../../etc/passwd"]), ["zones.0"]),
        (change("hours.mon", "08:00-12:00, 11:00-20:00"), ["hours.mon", "in order, with a pause"]),
        (change("numbers.countries", ["+62"]), ["numbers.countries.0 = '+62'"]),
        (change("numbers.types", ["mobile", "premium_rate"]), ["numbers.types.1", "take it out"]),
        (change("consent", {"types": ["pager"], "source": "Operator's"}), ["consent.types.0"]),
        (change("consent", {"types": ["personal"], "source": "Operator's"}), ["personal is none of numbers.types"]),
        (change("callback.overrides", ["hours"]), ["callback.overrides: hours", "rules of cadence"]),
        (change("callback.overrides", ["stop"]), ["callback.overrides: stop"]),
        (change("callback.tolerance_minutes", 600), ["callback.tolerance_minutes = 600"]),
        (change("caps.0.hours", 0), ["caps.0.hours = 0"]),
        (remove("stop"), ["set stop"]),
        (change("numbers.kinds", ["debtor", "emergency"]), ["numbers", "never called for collection"]),
        (change("numbers.kinds", []), ["numbers.kinds"]),
        (change("caps", []), ["caps"]),
        (change("caps.0.count", 0), ["caps.0.count = 0", "at least 1"]),
        (change("caps.0.days", 3), ["caps.0:", "either hours or days"]),
        (change("caps.1.days", 31), ["caps.1.days = 31", "at most 30"]),
        (change("conversation.silence_hours", -1), ["conversation.silence_hours = -1"]),
        (change("ring.margin_s", 0), ["ring.margin_s = 0", "at least 30"]),
        (change("abandon.rate_max", 0.5), ["abandon.rate_max = 0.5", "at most 0.05"]),
        (change("abandon.rate_max", math.nan), ["abandon.rate_max = nan"]),
        (change("abandon.window", "sometimes"), ["abandon.window = 'sometimes'", "campaign_30_days"]),
        (change("abandon.connect_limit_ms", 10_000), ["abandon.connect_limit_ms = 10000"]),
        (change("caller_id.required", False), ["caller_id.required = False"]),
        (change("version", ""), ["version = ''"]),
        (change("id", "../demo"), ["id = '../demo'"]),
        (change("extra", 1), ["unknown key extra"]),
    ],
)
def test_a_broken_pack_names_the_key_and_the_cure(damage: Callable[[Data], None], words: list[str]) -> None:
    data = toml("indonesia")
    damage(data)
    with pytest.raises(ConfigError) as caught:
        parse_pack(data, "rule pack indonesia")
    assert "rule pack indonesia" in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_all_faults_come_in_one_message() -> None:
    data = toml("indonesia")
    for damage in (remove("hours.source"), change("abandon.rate_max", 0.5), change("ring.margin_s", 0)):
        damage(data)
    with pytest.raises(ConfigError, match=r"(?s)hours\.source.*margin_s.*rate_max"):
        parse_pack(data)


def test_a_pack_that_is_open_always_has_to_be_for_loopback_only() -> None:
    data = toml("demo")
    data["only_trunk_loopback"] = False
    with pytest.raises(ConfigError, match="only_trunk_loopback = true"):
        parse_pack(data)


def test_person_and_number_each_have_a_cap() -> None:
    data = toml("indonesia")
    data["caps"] = [cap for cap in data["caps"] if cap["of"] == Of.PERSON]
    with pytest.raises(ConfigError, match='of = "number"'):
        parse_pack(data)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (change("regions.0.provinces", ["Florid"]), ["regions Florida: Florid is not in [provinces]"]),
        (change("regions.0.zones", ["Asia/Jakarta"]), ["regions Florida: Asia/Jakarta is none of the pack's zones"]),
        (change("regions.0.hours.mon", "07:00-20:00"), ["regions Florida: its hours are not within the pack's"]),
        (change("regions", [{"name": "Ohio", "provinces": ["OH"], "zones": ["America/Detroit"]}]), ["of its own"]),
    ],
)
def test_a_broken_region_is_named(damage: Callable[[Data], None], words: list[str]) -> None:
    data = toml("us")
    damage(data)
    with pytest.raises(ConfigError) as caught:
        parse_pack(data)
    assert all(word in str(caught.value) for word in words)


def test_two_caps_of_one_window_are_refused() -> None:
    data = toml("indonesia")
    data["caps"].append(data["caps"][0] | {"count": 5})
    with pytest.raises(ConfigError, match="person_cap_1h is given twice"):
        parse_pack(data)


# ---- the page -------------------------------------------------------------------------------------------------------


def test_the_page_is_drawn_from_the_packs() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.draw_rules"


@pytest.mark.parametrize("pack", shipped(), ids=lambda pack: pack.id)
def test_every_rule_stands_on_the_page(pack: Pack) -> None:
    assert all(f"| `{rule}` |" in page() and source in page() for rule, source in pack.sources.items())
