"""A site put together: settings, the pack of a campaign, links not yet started."""

from datetime import date
from pathlib import Path

import pytest

from dialer.adapters import site
from dialer.adapters.site import load_config, new_id, open_site, phones_of
from dialer.commands.options import shared
from dialer.config import RuleFiles
from dialer.errors import ConfigError
from dialer.model import Campaign

SITE = """
[asterisk.pbx1]
[trunk.carrier]
endpoint = "carrier"
host = "192.0.2.7"
lines = 30
caller_ids = ["+622150001234"]
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SANTUN_AMI_SECRET", "s")
    monkeypatch.setenv("SANTUN_PERSON_KEY", "ab" * 32)
    monkeypatch.delenv("SANTUN_REDIS_URL", raising=False)
    path = tmp_path / "santun.toml"
    path.write_text(SITE)
    return path


async def test_a_campaign_gets_its_pack_or_the_reason(path: Path) -> None:
    async with open_site(path) as opened:
        fits = Campaign("april", "April", trunk="carrier", caller_id="+622150001234")
        assert opened.pack_of(fits).id == "indonesia"
        with pytest.raises(ConfigError, match="use one of carrier"):
            opened.pack_of(Campaign("april", "April", trunk="other"))
        with pytest.raises(ConfigError, match="caller_id"):
            opened.pack_of(Campaign("april", "April", trunk="carrier", caller_id="+62215"))
        assert list(phones_of(opened)) == ["pbx1"]


@pytest.fixture
def with_rules(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings name files beside them; the command is started elsewhere."""
    here = path.parent
    path.write_text(SITE + '[rules]\nfolder = "packs"\nholidays = "holidays.toml"\nstricter = ["tight.toml"]\n')
    (here / "packs").mkdir()
    (here / "holidays.toml").write_text('[[closed]]\ndate = 2027-02-14\nname = "Election day"\n')
    (here / "tight.toml").write_text('id = "tight"\nversion = "1"\njoint_leave = true\n')
    monkeypatch.chdir(here / "packs")
    return path


async def test_paths_of_rules_count_from_the_settings_file(with_rules: Path) -> None:
    async with open_site(with_rules) as opened:
        assert opened.config.rules.folder == str(with_rules.parent / "packs")
        pack = opened.pack_of(Campaign("april", "April", trunk="carrier", caller_id="+622150001234"))
        assert pack.label.endswith("+tight@1")
        assert date(2027, 2, 14) in pack.hours.holidays


def test_no_rule_files_are_none(path: Path) -> None:
    assert load_config(path).rules == RuleFiles()


def test_settings_that_cannot_be_read(tmp_path: Path) -> None:
    for wrong in (tmp_path, tmp_path / "no.toml"):
        with pytest.raises(ConfigError, match="--config or SANTUN_CONFIG"):
            load_config(wrong)
    broken = tmp_path / "latin.toml"
    broken.write_bytes(b"name = '\xe9'")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(broken)


def test_ids_sort_by_time_and_never_repeat() -> None:
    ids = [new_id(float(at)) for at in range(1_800_000_000, 1_800_000_100)]
    assert ids == sorted(ids)
    assert len({new_id(1_800_000_000.0) for _ in range(1000)}) == 1000


def test_the_command_line_names_the_same_variable() -> None:
    assert shared.CONFIG == site.CONFIG
