"""`dialer check --asterisk`: each fault of a PBX is found alone, with its cure; a real one that is well has none."""

import asyncio
import re
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.adapters.asterisk_audit import audit, console_of, diff
from dialer.adapters.asterisk_check import Asterisk
from dialer.adapters.asterisk_conf import CONF, AsteriskSettings, render
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.cli import app
from tests.adapters.certificates import LONG_AGO, Authority

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]

FAULTS = [
    # file, pattern, instead, what is said
    ("modules.conf", r"load=app_confbridge.so\n", "", "app_confbridge.so is not loaded; add `load=app_confbridge.so`"),
    ("modules.conf", r"load=res_timing_timerfd.so\n", "", "no timing module"),
    ("modules.conf", r"load=codec_alaw.so\n", "", "codec_alaw.so is not loaded"),
    ("manager.conf", r"enabled=yes", "enabled=no", "the manager is off"),
    ("manager.conf", r"webenabled=no", "webenabled=yes", "answers over HTTP"),
    ("manager.conf", r"bindaddr=.*", "bindaddr=0.0.0.0", "listens on every address"),
    ("manager.conf", r"\[santun\]", "[other]", "there is no user [santun]"),
    ("manager.conf", r"read=system,call,user", "read=system,call", "lacks read=user"),
    ("manager.conf", r"write=.*reporting", "write=originate", "lacks write=call,reporting"),
    ("manager.conf", r"write=originate", "write=command,originate", "may do more than it needs: write=command"),
    ("manager.conf", r"permit=.*\n", "", "may log in from anywhere"),
    ("manager.conf", r"eventfilter.*\n", "", "gets every event of every call"),
    ("manager.conf", r"permit=.*\n", "permit=0.0.0.0/0\n", "may log in from anywhere"),
    ("manager.conf", r"eventfilter.*Hangup.*\n", "", "[santun] is not told of Hangup; add the eventfilter lines"),
    ("asterisk.conf", r"live_dangerously = no", "live_dangerously = yes", "may run a shell; set live_dangerously=no"),
    ("extensions.conf", r"\[santun-held\]", "[held]", "context [santun-held] is missing"),
    ("extensions.conf", r"exten => detect,1", "exten => detected,1", "[santun-answered] has no extension detect"),
    ("pjsip_trunks.conf", r"match=127.0.0.2", "match=127.0.0.0/8", "[carrier-ip] takes 127.0.0.0/8 for carrier"),
    ("pjsip_trunks.conf", r"\[carrier\]\(trunk\)", "[gone](trunk)", "endpoint [carrier] is missing"),
    ("pjsip.conf", r"allow=ulaw,alaw\ndirect", "allow=gsm\ndirect", "[carrier] allows no codec of ours"),
    ("pjsip.conf", r"context=santun-from-trunk", "context=default", "[carrier] calls into [default]"),
    ("pjsip.conf", r"\[udp\]", "[anonymous]\ntype=endpoint\n[udp]", "[anonymous] lets anybody call in"),
    ("pjsip.conf", r"type=transport", "type=nothing", "there is no transport"),
    ("http.conf", r"enabled=yes", "enabled=no", "http.conf: it is off"),
    ("http.conf", r"bindport=\d+", "bindport=1", "it listens on port 1"),
    ("http.conf", r"bindaddr=.*", "bindaddr=192.0.2.1", "http.conf: it listens on 192.0.2.1; set bindaddr=127.0.0.1"),
    ("ari_users.conf", r"\[santun\]", "[nobody]", "there is no user [santun], who pushes passwords"),
]  # fmt: skip


TLS_FAULTS = [
    ("manager.conf", r"tlsenable=yes", "tlsenable=no", "manager.conf: TLS is off; add the lines"),
    ("http.conf", r"tlsenable=yes", "tlsenable=no", "http.conf: TLS is off; add the lines"),
    ("http.conf", r"tlsbindaddr=.*", "tlsbindaddr=0.0.0.0:8089", "TLS listens on 0.0.0.0:8089; set tlsbindaddr=127."),
    ("http.conf", r"tlsprivatekey=.*", "tlsprivatekey=/none.key", "/none.key: No such file"),
    ("manager.conf", r"tlscertfile=.*", "tlscertfile={other}", "the key is of another certificate"),
    ("http.conf", r"tlscertfile=.*\ntlsprivatekey=.*", "tlscertfile={old}\ntlsprivatekey={old_key}", "has expired"),
    ("http.conf", r"enabled=no\n", "enabled=yes\n", "it answers in the clear beside TLS; set enabled=no"),
]  # fmt: skip


@pytest.fixture
def folder(settings: AsteriskSettings, pbx: AsteriskProcess, tmp_path: Path) -> Path:
    """The configuration of a PBX that is well."""
    render(settings, CONF, tmp_path)
    return tmp_path


async def test_one_that_is_well_has_no_fault_and_no_difference(folder: Path, settings: AsteriskSettings) -> None:
    assert audit(folder, settings) == []
    assert diff(folder, settings) == ""


async def test_one_that_is_written_otherwise_is_as_well(folder: Path, settings: AsteriskSettings) -> None:
    """Files of many hands: folders of parts, comments, other words for the same."""
    manager = folder / "manager.conf"
    (folder / "manager.d").mkdir()
    general, _, user = manager.read_text().partition("[santun]")
    manager.write_text(f'{general.replace("enabled=yes", "enabled = on ; yes")}\n#include "manager.d/*.conf"\n')
    (folder / "manager.d" / "dialer.conf").write_text(f"; ours\n[santun]{user}")
    pjsip = folder / "pjsip.conf"
    pjsip.write_text(
        f";-- once\n[anonymous]\ntype=endpoint\n--;\n{pjsip.read_text()}".replace("ulaw,alaw", "!all,ulaw")
    )
    assert audit(folder, settings) == []
    manager.write_text(manager.read_text().replace(f"bindaddr={settings.ami_host}", "bindaddr=::1"))
    assert audit(folder, settings) == [], "IPv6's loopback is not every address"


async def test_the_diff_is_of_what_has_a_meaning(folder: Path, settings: AsteriskSettings) -> None:
    manager, acl = folder / "manager.conf", folder / "acl.conf"
    acl.write_text("[ours]\npermit=192.0.2.0/24\n")  # where we would write nothing
    manager.write_text(
        f"; a comment\n\n{manager.read_text()}\n; secret=of-a-comment\n".replace("enabled=", "enabled = ")
    )
    assert diff(folder, settings) == ""
    pjsip = folder / "pjsip.conf"
    pjsip.write_text(
        f"{pjsip.read_text()}\n[x]\ntype=auth\npassword=theirs-1\nmd5_cred=theirs-2\nrefresh_token=theirs-3\n"
    )
    changes = diff(folder, settings)
    removed = [line for line in changes.splitlines() if line.startswith("-") and not line.startswith("---")]
    hidden = ["-password=(there is one)", "-md5_cred=(there is one)", "-refresh_token=(there is one)"]
    assert removed == ["-[x]", "-type=auth", *hidden]
    plan = folder / "extensions.conf"
    plan.write_text(f"{plan.read_text()}[theirs]\nexten => 9,1,Dial(IAX2/us:their-password@192.0.2.1/9)\n")
    assert "-exten=>9,1,Dial(IAX2/us:(there is one)@192.0.2.1/9)\n" in diff(folder, settings)


async def test_the_one_that_runs_says_so_itself(settings: AsteriskSettings, pbx: AsteriskProcess) -> None:
    console = await asyncio.to_thread(console_of, settings.run / "etc")
    assert console is not None
    assert "Asterisk 2" in await asyncio.to_thread(console, "core show version")
    assert await asyncio.to_thread(audit, settings.run / "etc", settings, console) == []


@pytest.mark.parametrize(("file", "pattern", "instead", "said"), FAULTS, ids=[fault[3][:40] for fault in FAULTS])
async def test_each_fault(
    folder: Path, settings: AsteriskSettings, file: str, pattern: str, instead: str, said: str
) -> None:
    path = folder / file
    text, count = re.subn(pattern, instead, path.read_text())
    assert count
    path.write_text(text)
    found = audit(folder, settings)
    assert any(said in fault for fault in found), found
    assert all(";" in fault for fault in found)
    changes = diff(folder, settings)
    assert f"+++ {path} (santun)" in changes
    assert settings.ami_secret not in changes
    assert settings.ari_password not in changes
    assert all(phone.password not in changes for phone in settings.phones)


@pytest.fixture
def secured(settings: AsteriskSettings, tmp_path: Path) -> AsteriskSettings:
    """A node whose manager and browsers come by TLS."""
    pair = Authority(tmp_path).sign("node")
    manager = replace(settings, ami_tls_port=5039, ami_tls_cert=pair.cert, ami_tls_key=pair.key)
    return replace(manager, http_port=0, http_tls_port=8089, http_tls_cert=pair.cert, http_tls_key=pair.key)


@pytest.mark.parametrize(
    ("file", "pattern", "instead", "said"), TLS_FAULTS, ids=[fault[3][:40] for fault in TLS_FAULTS]
)
async def test_each_fault_of_tls(
    secured: AsteriskSettings, pbx: AsteriskProcess, tmp_path: Path, file: str, pattern: str, instead: str, said: str
) -> None:
    """`pbx` has made the sounds."""
    render(secured, CONF, tmp_path / "etc")
    assert audit(tmp_path / "etc", secured) == []
    assert diff(tmp_path / "etc", secured) == ""
    authority = Authority(tmp_path, "second")
    old, other = authority.sign("old", end=LONG_AGO), authority.sign("other")
    path = tmp_path / "etc" / file
    instead = instead.format(old=old.cert, old_key=old.key, other=other.cert)
    text, count = re.subn(pattern, instead, path.read_text())
    assert count
    path.write_text(text)
    (fault,) = audit(tmp_path / "etc", secured)
    assert said in fault
    assert fault.startswith(f"{file}: ")
    assert f"+++ {path} (santun)" in diff(tmp_path / "etc", secured)


async def test_a_folder_without_asterisk_and_sounds_that_are_missing(
    folder: Path, settings: AsteriskSettings, tmp_path: Path
) -> None:
    assert "there is no asterisk.conf" in audit(tmp_path / "no", settings)[0]
    (fault,) = audit(folder, replace(settings, sounds=tmp_path / "none"))
    assert "run `ivr prompts render" in fault
    modules = tmp_path / "modules"
    modules.mkdir()
    for module in settings.modules.glob("*.so"):
        (modules / module.name).touch()
    assert audit(folder, replace(settings, modules=modules)) == []
    (modules / "app_amd.so").unlink()
    (fault,) = audit(folder, replace(settings, modules=modules))
    assert fault == f"modules: app_amd.so is not in {modules}; install the package of Asterisk's that has it."


async def test_a_running_one_that_lacks_a_module_and_a_context(
    asterisk: Asterisk, settings: AsteriskSettings, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real thing, broken in two places, by the command itself; its files are right again before it is asked."""
    broken = replace(settings, run=scratch / "broken", ami_port=_free(), sip_port=_free(), http_port=_free())
    etc = broken.run / "etc"
    render(broken, CONF, etc)
    for name, old, new in (("modules", "load=app_mixmonitor.so\n", ""), ("extensions", "[santun-held]", "[held]")):
        file = etc / f"{name}.conf"
        file.write_text(file.read_text().replace(old, new))
    process = AsteriskProcess(asterisk, broken.run, broken.sounds)
    await process.start()
    try:
        render(broken, CONF, etc)
        console = await asyncio.to_thread(console_of, etc)
        found = await asyncio.to_thread(audit, etc, broken, console)
    finally:
        await process.stop()
    assert [fault.split(";")[0] for fault in found] == [
        "modules.conf: app_mixmonitor.so is not loaded",
        "Asterisk has not read [santun-held]",
    ]
    assert console_of(etc) is None
    monkeypatch.setenv("SANTUN_AMI_SECRET", "another-secret")
    (scratch / "node.toml").write_text(
        f'node = "test1"\nrun = "{broken.run}"\nmodules = "{broken.modules}"\nsounds = "{broken.sounds}"\n'
        f'recordings = "{broken.recordings}"\nsip_host = "127.0.0.1"\n'
    )
    words = ["check", "--asterisk", "--node", str(scratch / "node.toml"), "--pbx", str(etc)]
    result = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert result.stderr == f"The files of {etc} alone were read: their Asterisk does not run, or not for this user.\n"
    assert "What `dialer conf` would write instead, secrets left out:" in result.stdout
    assert settings.ami_secret not in result.stdout
    assert "another-secret" not in result.stdout


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
