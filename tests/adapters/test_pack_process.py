"""Rule packs that another process reads: the very values that the engine goes by, and why there are none."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from dialer.adapters.pack_process import read_rules
from dialer.adapters.rule_files import NO_OVERRIDES, closed_days, read_pack
from dialer.adapters.site import load_config, pack_of
from dialer.errors import ConfigError
from dialer.model import Campaign
from dialer.originate import timeout_s
from tests.packs import moment

SITE = """
[asterisk.pbx1]
[trunk.carrier]
endpoint = "carrier"
host = "192.0.2.7"
lines = 30
caller_ids = ["+622150001234"]
[rules]
holidays = "holidays.toml"
stricter = ["tight.toml"]
"""
APRIL = Campaign("april", "April", trunk="carrier", caller_id="+622150001234", ring_s=22)
MAY = replace(APRIL, id="may", week={"sat": "09:00-12:00"}, first_day="2026-12-01")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SANTUN_AMI_SECRET", "s")
    monkeypatch.setenv("SANTUN_PERSON_KEY", "ab" * 32)
    (tmp_path / "holidays.toml").write_text('[[closed]]\ndate = 2026-12-03\nname = "Election day"\n')
    (tmp_path / "tight.toml").write_text('id = "tight"\nversion = "1"\njoint_leave = true\ncampaigns = ["may"]\n')
    path = tmp_path / "santun.toml"
    path.write_text(SITE)
    return path


def test_they_are_what_the_engine_goes_by(site: Path) -> None:
    found, faults = read_rules(site, [APRIL, MAY, replace(MAY, id="june"), replace(APRIL, id="bad", trunk="none")])
    assert faults.keys() == {"bad"}
    assert "use one of carrier" in faults["bad"]
    config = load_config(site)
    for campaign in (APRIL, MAY):
        theirs, rules = pack_of(config, campaign, moment("2026-11-21 12:00:00")), found[campaign.id]
        assert date(2026, 12, 3) in rules.lawful.hours.holidays
        assert rules.scheduled.label == rules.lawful.label == theirs.label
        assert rules.call_s == timeout_s(campaign)
        assert (rules.lawful.zones, rules.lawful.regions, rules.lawful.margin_s) == (
            theirs.zones, theirs.regions, theirs.margin_s,
        )  # fmt: skip
        assert rules.lawful.hours.days == theirs.hours.days
    assert found["april"].scheduled is found["april"].lawful
    own = found["may"].scheduled.own_hours
    assert own
    assert (own.days[5], own.first) == (((540, 720),), date(2026, 12, 1))
    assert date(2026, 12, 24) in found["may"].lawful.hours.holidays, "joint leave, by the stricter file"
    assert date(2026, 12, 24) not in found["april"].lawful.hours.holidays
    assert found["june"].lawful is found["april"].lawful, "kept once"
    rule = read_pack("indonesia").holiday_rule
    assert rule
    assert closed_days(rule, [2026], NO_OVERRIDES) < found["april"].lawful.hours.holidays


def test_settings_that_cannot_be_read_are_named(site: Path) -> None:
    site.write_text("[asterisk.pbx1\n")
    with pytest.raises(ConfigError, match=r"santun\.toml"):
        read_rules(site, [APRIL])
    with pytest.raises(ConfigError, match="cannot be read"):
        read_rules(site.parent / "none.toml", [APRIL])
