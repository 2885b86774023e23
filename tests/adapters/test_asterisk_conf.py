"""The template step: every value checked, every placeholder filled, nothing readable for others."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dialer.adapters.asterisk_conf import (
    CONF,
    EMPTY,
    AsteriskSettings,
    Phone,
    PhoneKind,
    Trunk,
    faults,
    fill,
    render,
)
from dialer.errors import ConfigError

GOOD = AsteriskSettings(
    node="pbx-1",
    run=Path("/tmp/run"),
    modules=Path("/usr/lib/asterisk/modules"),
    sounds=Path("/srv/sounds"),
    recordings=Path("/srv/my recordings"),
    ami_secret="s3cret-of-ami",
    http_port=8088,
    ari_password="s3cret-of-ari",
    trunks=(
        Trunk("carrier", "127.0.0.2", 5061),
        Trunk("other", "sip.example.net", 5060, False, "me", "p4ssword!", True),
    ),
    phones=(Phone("1001", "s3cret-1001"), Phone("1002", "s3cret-1002", PhoneKind.WEBRTC)),
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    render(GOOD, CONF, tmp_path / "etc")
    return tmp_path / "etc"


def test_every_file_is_there_and_no_placeholder_is_left(out: Path) -> None:
    written = {path.name for path in out.iterdir()}
    assert {path.name for path in CONF.glob("*.conf")} <= written
    assert {f"{name}.conf" for name in EMPTY} <= written
    for path in out.iterdir():
        assert not re.search(r"@[A-Z]+_", path.read_text()), path


def test_only_this_user_reads_them(out: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    assert out.stat().st_mode & 0o777 == 0o700


def test_a_file_that_others_could_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "manager.conf").touch(0o644)
    render(GOOD, CONF, tmp_path)
    assert (tmp_path / "manager.conf").stat().st_mode & 0o777 == 0o600


def test_trunks(out: Path) -> None:
    text = (out / "pjsip_trunks.conf").read_text()
    assert "contact=sip:127.0.0.2:5061\nqualify_frequency=10" in text
    assert "contact=sip:sip.example.net:5060\nqualify_frequency=0" in text
    assert "match=127.0.0.2" in text
    assert "client_uri=sip:me@sip.example.net:5060" in text
    assert text.count("type=registration") == 1


def test_phones(out: Path) -> None:
    text = (out / "pjsip_agents.conf").read_text()
    assert "[agent1001](agent-sip)\nauth=agent1001\naors=agent1001" in text
    assert "[agent1002](agent-webrtc)" in text


def test_without_browsers_http_and_ari_are_off(tmp_path: Path) -> None:
    render(replace(GOOD, http_port=0, phones=()), CONF, tmp_path)
    assert "enabled=no" in (tmp_path / "http.conf").read_text()
    assert "enabled=no" in (tmp_path / "ari.conf").read_text()
    assert not (tmp_path / "ari_users.conf").exists()


def test_browsers_by_tls_alone_leave_the_plain_port_off(tmp_path: Path) -> None:
    pair = {"http_tls_cert": Path("/etc/santun/pbx.pem"), "http_tls_key": Path("/etc/santun/pbx.key")}
    render(replace(GOOD, http_port=0, http_tls_host="::1", http_tls_port=8089, **pair), CONF, tmp_path)  # type: ignore[arg-type]
    http = (tmp_path / "http.conf").read_text()
    assert "\nenabled=no\n" in http
    assert "\ntlsenable=yes\ntlsbindaddr=[::1]:8089\ntlscertfile=/etc/santun/pbx.pem\n" in http
    assert "\nenabled=yes\n" in (tmp_path / "ari.conf").read_text()
    assert "password=s3cret-of-ari" in (tmp_path / "ari_users.conf").read_text()


def test_good_settings_have_no_fault() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"node": "a b"}, "node"),
        ({"node": "x\nmaxfiles=1"}, "node"),
        ({"ami_secret": "short"}, "ami_secret"),
        ({"ami_secret": "long enough; but a comment"}, "ami_secret"),
        ({"ami_secret": "line\r\nread=all"}, "ami_secret"),
        ({"ari_password": ""}, "ari_password"),
        ({"ami_permit": "everybody"}, "ami_permit"),
        ({"ami_host": "127.0.0.1\n"}, "ami_host"),
        ({"sip_host": "a;b"}, "sip_host"),
        ({"ivr_host": "host/script,arg"}, "ivr_host"),
        ({"media_address": "1.2.3.4]"}, "media_address"),
        ({"ivr_port": 0}, "ivr_port"),
        ({"sip_port": 65536}, "sip_port"),
        ({"rtp_from": 20000, "rtp_to": 20001}, "rtp_from"),
        ({"call_limit_s": 0}, "call_limit_s"),
        ({"agent_leg_limit_s": 10**6}, "agent_leg_limit_s"),
        ({"recordings": Path("relative")}, "recordings"),
        ({"recordings": Path("/srv/x,b,touch")}, "recordings"),
        ({"sounds": Path("/srv/${SHELL}")}, "sounds"),
        ({"run": Path("/tmp/" + "x" * 100)}, "run"),
        ({"ami_tls_port": 5039}, "ami_tls_port"),
        ({"http_tls_port": 8089}, "http_tls_port"),
        ({"http_tls_port": 8088} | dict.fromkeys(("http_tls_cert", "http_tls_key"), Path("/a.pem")), "http_tls_port"),
        ({"http_tls_host": "a;b"}, "http_tls_host"),
        ({"http_tls_cert": Path("relative")}, "http_tls_cert"),
        ({"trunks": (Trunk("carrier", "127.0.0.1"),)}, "trunk 'carrier' host"),
        ({"trunks": (Trunk("a]\n[b", "10.0.0.1"),)}, "name"),
        ({"trunks": (Trunk("agent5", "10.0.0.1"),)}, "trunk 'agent5' name"),
        ({"trunks": (Trunk("a", "10.0.0.1"), Trunk("a", "10.0.0.2"))}, "trunks: a"),
        ({"trunks": (Trunk("a", "10.0.0.1", register=True),)}, "trunk 'a' register"),
        ({"trunks": (Trunk("a", "10.0.0.1", user="me", password="with;comment"),)}, "trunk 'a' password"),
        ({"phones": (Phone("12a", "s3cret-12a"),)}, "agent '12a'"),
        ({"phones": (Phone("12", "pw"),)}, "agent '12' password"),
        ({"phones": (Phone("12", "s3cret-12"), Phone("12", "s3cret-12"))}, "agents: 12"),
        ({"phones": (Phone("12", "s3cret-12", PhoneKind.WEBRTC),), "http_port": 0}, "agent '12'"),
    ],
    ids=str,
)
def test_a_bad_value_is_named_with_its_cure_and_nothing_is_written(
    tmp_path: Path, changed: dict[str, object], field: str
) -> None:
    settings = replace(GOOD, **changed)  # type: ignore[arg-type]
    (fault,) = faults(settings)
    assert field in fault
    assert re.search(r"; (use|set|choose|remove)\b|; .* (use|set|choose)", fault)
    with pytest.raises(ConfigError, match="not usable"):
        render(settings, CONF, tmp_path / "etc")
    assert not (tmp_path / "etc").exists()


def test_all_faults_come_in_one_message_and_no_secret_is_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        render(replace(GOOD, ami_secret="pw;x", node="", ivr_port=-1), CONF, Path("/nowhere"))
    message = str(caught.value)
    assert all(field in message for field in ("ami_secret", "node", "ivr_port"))
    assert "pw;x" not in message


def test_an_unknown_placeholder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("x=@SANTUN_NODE@ @SANTUN_TYPO@\n")
    with pytest.raises(ConfigError, match=r"a\.conf: @SANTUN_TYPO@"):
        fill(tmp_path, {"SANTUN_NODE": "n"}, tmp_path / "out")


def test_a_value_that_no_file_asks_for_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("x=1\n")
    with pytest.raises(ConfigError, match="@SANTUN_NODE@"):
        fill(tmp_path, {"SANTUN_NODE": "n"}, tmp_path / "out")


def test_a_value_is_not_read_as_a_template(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("@A@ @B@\n")
    fill(tmp_path, {"A": "@B@", "B": "b"}, tmp_path / "out")
    assert (tmp_path / "out/a.conf").read_text() == "@B@ b\n"


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="asterisk-conf"):
        fill(tmp_path, {}, tmp_path / "out")
