"""Packs and holidays from files; the demo's pack goes to nobody but the demo."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from dialer.adapters.rule_files import closed_days, load_overrides, load_pack
from dialer.compliance import may_call
from dialer.config import Trunk
from dialer.errors import ConfigError
from dialer.law.rulebook import HolidayRule
from dialer.model import Allowed, Campaign, History, Refused
from tests.packs import CALL_S, DIALER, NUMBER, contact, moment

NOW = moment("2026-11-20 12:00:00")
PUBLIC = HolidayRule("ID", ("public",))
CARRIER = Trunk(endpoint="carrier", host="203.0.113.7", lines=30, caller_ids=("+62215551234",))
LOOPBACK = Trunk(endpoint="carrier", host="127.0.0.1", lines=30, caller_ids=("+62215551234",))
CAMPAIGN = Campaign(id="november", name="November", caller_id="+62215551234")
DEMO = replace(CAMPAIGN, id="demo", pack="demo")


def test_the_indonesian_pack_has_this_years_holidays_and_the_next() -> None:
    pack = load_pack(CAMPAIGN, CARRIER, NOW)
    assert pack.hours.years == frozenset({2025, 2026, 2027, 2028})
    assert {date(2026, 8, 17), date(2026, 12, 25), date(2027, 1, 1)} <= pack.hours.holidays
    assert date(2026, 12, 24) not in pack.hours.holidays  # joint leave
    who = contact()
    answers = [
        may_call(who, who.numbers[0], History(), History(), pack, moment(f"{day} 10:00:00"), CALL_S)
        for day in ("2026-12-24", "2026-12-25", "2029-01-02")
    ]
    assert isinstance(answers[0], Allowed)
    assert [answer.rule for answer in answers[1:] if isinstance(answer, Refused)] == ["holiday", "holidays_unknown"]


def test_joint_leave_is_a_switch_of_the_pack() -> None:
    assert date(2026, 12, 24) in closed_days(HolidayRule("ID", ("public", "government")), [2026])


@pytest.mark.parametrize("switch", [False, True])
def test_joint_leave_before_the_gate(tmp_path: Path, switch: bool) -> None:
    file = tmp_path / "site.toml"
    file.write_text(f'id = "site"\nversion = "1"\njoint_leave = {str(switch).lower()}\n', encoding="utf-8")
    pack = load_pack(CAMPAIGN, CARRIER, NOW, stricter=[file])
    answer = may_call(contact(), NUMBER, History(), History(), pack, moment("2026-12-24 10:00:00"), CALL_S)
    assert isinstance(answer, Refused) is switch
    if isinstance(answer, Refused):  # 25 December is a holiday
        assert (answer.rule, answer.until) == ("holiday", moment("2026-12-26 08:00:00"))


@pytest.mark.parametrize(("at", "open_"), [("2026-12-31 19:58:27", True), ("2027-01-01 10:00:00", False)])
def test_a_year_ends(at: str, open_: bool) -> None:
    pack = load_pack(CAMPAIGN, CARRIER, NOW)
    answer = may_call(contact(), NUMBER, History(), History(), pack, moment(at), CALL_S)
    assert isinstance(answer, Allowed) is open_
    late = may_call(contact(), NUMBER, History(), History(), pack, moment("2026-12-31 19:58:28"), CALL_S)
    assert isinstance(late, Refused)
    assert late.until == moment("2027-01-02 08:00:00")


def test_an_estimated_feast_closes_the_days_beside_it_until_it_is_known(tmp_path: Path) -> None:
    days = closed_days(PUBLIC, [2027])
    assert {date(2027, 3, 9), date(2027, 3, 10), date(2027, 3, 11), date(2027, 3, 12)} <= days
    file = tmp_path / "holidays.toml"
    file.write_text(
        '[[open]]\ndate = 2027-03-09\ncountry = "ID"\nreason = "Eid is on 10 March by decree 1/2027"\n'
        'signed_by = "Dewi, compliance"\n'
        '[[closed]]\ndate = 2027-02-14\nname = "Election day"\n'
        '[[closed]]\ndate = 2027-02-15\nname = "Election day"\ncountry = "GB"\n'
        '[[open]]\ndate = 2027-01-01\ncountry = "GB"\nreason = "We work on New Year"\nsigned_by = "Ann"\n',
        encoding="utf-8",
    )
    corrected = closed_days(PUBLIC, [2027], load_overrides(file))
    assert corrected == days - {date(2027, 3, 9)} | {date(2027, 2, 14)}
    pack = load_pack(CAMPAIGN, CARRIER, NOW, corrections=file)
    assert date(2027, 2, 14) in pack.hours.holidays
    assert date(2027, 3, 9) not in pack.hours.holidays


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[open]]\ndate = 2027-03-09\n", ["set open.0.country", "set open.0.reason", "set open.0.signed_by"]),
        ("[[closed]]\ndate = 2027-03-09\n", ["set closed.0.name"]),
        ('[[closed]]\ndate = "soon"\nname = "Nyepi"\n', ["closed.0.date = 'soon'"]),
        ("[[close]]\n", ["unknown key close"]),
        ("[[closed", ["cannot be read"]),
    ],
)
def test_corrections_that_make_no_sense_are_never_passed_over(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "holidays.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_pack(CAMPAIGN, CARRIER, NOW, corrections=file)
    assert all(word in str(caught.value) for word in words)


def test_a_pack_of_several_parts_rests_on_the_holidays_of_each() -> None:
    rule = HolidayRule("GB", ("public",), ("ENG", "NIR", "SCT", "WLS"))
    days = closed_days(rule, [2026])
    assert {date(2026, 4, 6), date(2026, 7, 13), date(2026, 11, 30), date(2026, 12, 25)} <= days
    with pytest.raises(ConfigError, match="GB XYZ"):
        closed_days(HolidayRule("GB", ("public",), ("XYZ",)), [2026])


def test_corrections_that_are_not_there_are_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_pack(CAMPAIGN, CARRIER, NOW, corrections=tmp_path / "none.toml")


def test_holidays_of_an_unknown_country_are_a_fault() -> None:
    with pytest.raises(ConfigError, match="XX"):
        closed_days(HolidayRule("XX", ("public",)), [2026])
    with pytest.raises(ConfigError, match="moon"):
        closed_days(HolidayRule("ID", ("moon",)), [2026])


# ---- the demo -------------------------------------------------------------------------------------------------------


def test_the_demo_gets_its_pack() -> None:
    assert load_pack(DEMO, LOOPBACK, NOW).hours.always
    assert load_pack(DEMO, LOOPBACK.model_copy(update={"host": "::1"}), NOW).hours.always
    assert load_pack(DEMO, LOOPBACK.model_copy(update={"host": "127.8.9.10"}), NOW).hours.always


@pytest.mark.parametrize(
    ("campaign", "host"),
    [
        (replace(DEMO, id="november"), "127.0.0.1"),
        (replace(DEMO, id="demo-2"), "127.0.0.1"),
        (replace(DEMO, id="demo-ivr"), "203.0.113.7"),
        (DEMO, "203.0.113.7"),
        (DEMO, "192.168.1.1"),
        (DEMO, "0.0.0.0"),
        (DEMO, "localhost"),  # a name may mean any address
        (DEMO, "127.0.0.1.example.com"),
        (DEMO, "::ffff:203.0.113.7"),
    ],
)
def test_nobody_else_gets_the_demos_pack(campaign: Campaign, host: str) -> None:
    with pytest.raises(ConfigError, match="only the campaigns demo, "):
        load_pack(campaign, LOOPBACK.model_copy(update={"host": host}), NOW)


def test_a_copy_of_the_demos_pack_under_another_name_is_guarded_too(tmp_path: Path) -> None:
    text = (DIALER / "demo" / "rules_demo.toml").read_text(encoding="utf-8")
    (tmp_path / "night.toml").write_text(text.replace('id = "demo"', 'id = "night"') + SIGNED, encoding="utf-8")
    with pytest.raises(ConfigError, match="only the campaigns demo, "):
        load_pack(replace(CAMPAIGN, pack="night"), CARRIER, NOW, folder=tmp_path)
    (tmp_path / "night.toml").write_text(
        text.replace('id = "demo"', 'id = "night"').replace("only_trunk_loopback = true", "") + SIGNED, encoding="utf-8"
    )
    with pytest.raises(ConfigError, match="only_trunk_loopback"):
        load_pack(replace(CAMPAIGN, pack="night"), CARRIER, NOW, folder=tmp_path)


def test_no_file_of_the_operators_stands_in_for_the_demos_pack(tmp_path: Path) -> None:
    (tmp_path / "demo.toml").write_text("broken", encoding="utf-8")
    assert load_pack(DEMO, LOOPBACK, NOW, folder=tmp_path).id == "demo"


@pytest.mark.parametrize("name", ["us", "uk"])
def test_the_other_packs_load(name: str) -> None:
    pack = load_pack(replace(CAMPAIGN, pack=name), CARRIER, NOW)
    assert pack.label.startswith(f"{name}@")
    assert (date(2026, 12, 25) in pack.hours.holidays) is (name == "uk")


def test_the_demo_may_run_by_a_real_pack() -> None:
    assert load_pack(replace(DEMO, pack="indonesia"), LOOPBACK, NOW).id == "indonesia"


# ---- the operator's own packs ---------------------------------------------------------------------------------------

SIGNED = (
    '\n[signed_off]\nby = "Dewi, compliance"\non = 2026-11-01\nreason = "Agreed with the regulator, letter 12/2026"\n'
)
OURS = (DIALER / "rules" / "indonesia.toml").read_text(encoding="utf-8")
LATER = OURS.replace('mon = "08:00-20:00"', 'mon = "07:00-20:00"')


def test_an_edited_pack_needs_a_signature(tmp_path: Path) -> None:
    (tmp_path / "indonesia.toml").write_text(LATER, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"not as it came along: add \[signed_off\]"):
        load_pack(CAMPAIGN, CARRIER, NOW, folder=tmp_path)


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        (SIGNED.replace('by = "Dewi, compliance"\n', ""), "set signed_off.by"),
        (SIGNED.replace("2026-11-01", '"soon"'), "signed_off.on"),
        (SIGNED.replace("Agreed with the regulator, letter 12/2026", "because"), "signed_off.reason"),
    ],
)
def test_half_a_signature_is_none(tmp_path: Path, signature: str, words: str) -> None:
    (tmp_path / "indonesia.toml").write_text(LATER + signature, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_pack(CAMPAIGN, CARRIER, NOW, folder=tmp_path)


def test_a_signed_pack_comes_first_and_says_so_in_label_and_log(tmp_path: Path) -> None:
    (tmp_path / "indonesia.toml").write_text(LATER + SIGNED, encoding="utf-8")
    with capture_logs() as logs:
        pack = load_pack(CAMPAIGN, CARRIER, NOW, folder=tmp_path)
    assert pack.label == f"indonesia@{pack.version}+operator"
    assert pack.hours.days[0] == ((420, 1200),)
    (entry,) = logs
    assert (entry["log_level"], entry["action"], entry["by"]) == ("warning", "pack_signed_off", "Dewi, compliance")
    assert "letter 12/2026" in entry["reason"]
    answer = may_call(contact(), NUMBER, History(), History(), pack, moment("2026-11-20 12:00:00"), CALL_S)
    assert isinstance(answer, Allowed)
    assert answer.pack == pack.label


def test_a_mere_copy_needs_no_signature(tmp_path: Path) -> None:
    (tmp_path / "indonesia.toml").write_text(f"# our copy\n{OURS}", encoding="utf-8")
    with capture_logs() as logs:
        assert load_pack(CAMPAIGN, CARRIER, NOW, folder=tmp_path).label.endswith("21")
    assert not logs


def test_a_pack_of_another_name_is_the_operators_too(tmp_path: Path) -> None:
    text = OURS.replace('id = "indonesia"', 'id = "bank"')
    (tmp_path / "bank.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="signed_off"):
        load_pack(replace(CAMPAIGN, pack="bank"), CARRIER, NOW, folder=tmp_path)
    (tmp_path / "bank.toml").write_text(text + SIGNED, encoding="utf-8")
    assert load_pack(replace(CAMPAIGN, pack="bank"), CARRIER, NOW, folder=tmp_path).label.startswith("bank@")


def test_a_pack_whose_id_is_not_its_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bank.toml").write_text(OURS + SIGNED, encoding="utf-8")
    with pytest.raises(ConfigError, match="the rules given are 'indonesia'"):
        load_pack(replace(CAMPAIGN, pack="bank"), CARRIER, NOW, folder=tmp_path)


# ---- stricter rules -------------------------------------------------------------------------------------------------

TIGHT = """
id = "site"
version = "2"
[hours]
source = "Works agreement of 2026"
mon = "09:00-18:00"
"""


def test_stricter_rules_hold_for_whom_they_name(tmp_path: Path) -> None:
    site, november, others = tmp_path / "site.toml", tmp_path / "november.toml", tmp_path / "others.toml"
    site.write_text(TIGHT, encoding="utf-8")
    november.write_text(
        'id = "november"\nversion = "1"\ncampaigns = ["november"]\n[[closed]]\ndate = 2026-11-20\nname = "Move"\n',
        encoding="utf-8",
    )
    others.write_text('id = "gb"\nversion = "1"\npacks = ["uk"]\n[ring]\nsource = "Ours alone"\nmin_s = 20\n')
    pack = load_pack(CAMPAIGN, CARRIER, NOW, stricter=[site, november, others])
    assert pack.label == f"indonesia@{pack.version}+site@2+november@1"
    assert pack.hours.days[0] == ((540, 1080),)
    assert date(2026, 11, 20) in pack.hours.holidays
    assert date(2026, 12, 25) in pack.hours.holidays
    elsewhere = load_pack(replace(CAMPAIGN, id="other"), CARRIER, NOW, stricter=[site, november])
    assert elsewhere.label == f"indonesia@{pack.version}+site@2"


def test_a_campaign_has_to_meet_the_stricter_rules(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('id = "s"\nversion = "1"\n[ring]\nsource = "Ours alone"\nmin_s = 30\n')
    with pytest.raises(ConfigError, match="ring_s = 25: the pack asks for 30 or more"):
        load_pack(CAMPAIGN, CARRIER, NOW, stricter=[tmp_path / "s.toml"])


def test_looser_rules_and_missing_files_stop_the_campaign(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(TIGHT.replace("09:00", "07:00"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"hours\.mon = '07:00-18:00'"):
        load_pack(CAMPAIGN, CARRIER, NOW, stricter=[tmp_path / "s.toml"])
    with pytest.raises(ConfigError, match="cannot be read"):
        load_pack(CAMPAIGN, CARRIER, NOW, stricter=[tmp_path / "none.toml"])


@pytest.mark.parametrize("name", ["atlantis", "../demo/rules_demo", "/etc/passwd", ""])
def test_an_unknown_pack_names_those_there_are(name: str) -> None:
    with pytest.raises(ConfigError, match="use one of indonesia"):
        load_pack(replace(CAMPAIGN, pack=name), CARRIER, NOW)


def test_a_campaign_looser_than_its_pack_is_refused_with_every_fault() -> None:
    loose = replace(CAMPAIGN, ring_s=10, abandon_rate_max=0.1, caller_id="")
    with pytest.raises(ConfigError, match=r"ring_s = 10.*abandon_rate_max = 0\.1.*set caller_id"):
        load_pack(loose, CARRIER, NOW)
