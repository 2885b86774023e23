"""One node's settings: read whole or not at all, the secrets from the environment only."""

from pathlib import Path

import pytest

from dialer.adapters.asterisk_settings import read_settings
from dialer.errors import ConfigError

ENV = {"SANTUN_AMI_SECRET": "hush", "SANTUN_ARI_PASSWORD": "quiet"}
NODE = """
node = "pbx1"
run = "/var/lib/santun/pbx1"
modules = "/usr/lib/asterisk/modules"
sounds = "/var/lib/santun/sounds"
recordings = "/var/lib/santun/recordings"
sip_host = "192.0.2.10"
[[trunks]]
name = "carrier"
host = "198.51.100.7"
[[phones]]
agent = "1001"
password = "phone-secret"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pbx1.toml"
    path.write_text(NODE)
    path.chmod(0o600)
    return path


def test_the_readmes_own_example(file: Path) -> None:
    node = read_settings(file, ENV)
    assert (node.node, node.run, node.ami_secret, node.ari_password) == (
        "pbx1", Path("/var/lib/santun/pbx1"), "hush", "quiet",
    )  # fmt: skip
    assert (node.trunks[0].host, node.phones[0].agent) == ("198.51.100.7", "1001")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('ami_secret = "x"', "take ami_secret out of the file, set SANTUN_AMI_SECRET instead"),
        ('colour = "x"', "unknown key colour"),
        ("sip_port = 'x'", "sip_port"),
        ("[", "cannot be read"),
    ],
)
def test_a_fault_names_the_place(file: Path, more: str, says: str) -> None:
    file.write_text(more + "\n" + NODE)
    with pytest.raises(ConfigError, match=r"pbx1\.toml") as told:
        read_settings(file, ENV)
    assert says in str(told.value)
    assert "phone-secret" not in str(told.value)


@pytest.mark.parametrize(("mode", "open_to_others"), [(0o644, True), (0o660, True), (0o640, False), (0o400, False)])
def test_passwords_are_for_nobody_else_to_read(file: Path, mode: int, open_to_others: bool) -> None:
    file.chmod(mode)
    if open_to_others:
        with pytest.raises(ConfigError, match=r"pbx1\.toml holds passwords .*chmod 600 .*pbx1\.toml"):
            read_settings(file, ENV)
    else:
        assert read_settings(file, ENV).phones
    file.write_text(NODE.partition("[[phones]]")[0])
    assert not read_settings(file, ENV).phones, "without any it may be open"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_settings(tmp_path / "no.toml", ENV)
