"""Asterisk with our configuration: boots without an error, grants little, and says why when it does not start."""

from dataclasses import replace
from pathlib import Path

import pytest

from dialer.adapters.asterisk_check import Asterisk
from dialer.adapters.asterisk_conf import CONF, AsteriskSettings, render
from dialer.adapters.asterisk_process import AsteriskFailed, AsteriskProcess
from dialer.demo.carrier import Carrier

from .ami_client import AmiClient
from .conftest import Line

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]


async def test_both_boot_without_error_or_warning(pbx: AsteriskProcess, carrier: Carrier) -> None:
    for process in (pbx, carrier.process):
        assert [line for line in process.boot_log if "ERROR" in line or "WARNING" in line] == []
        assert "fully booted" in await process.console("core waitfullybooted")


async def test_every_module_asked_for_runs(pbx: AsteriskProcess) -> None:
    wanted = [
        line.split("=")[1] for line in (CONF / "modules.conf").read_text().splitlines() if line.startswith("load=")
    ]
    shown = [line.split() for line in (await pbx.console("module show")).splitlines() if ".so" in line]
    running = {line[0] for line in shown if "Running" in line and "Not" not in line}
    assert set(wanted) - running == set()


async def test_cost_is_read_from_the_process(pbx: AsteriskProcess) -> None:
    cost = pbx.cost()
    assert 0.0 < cost.cpu_s < 600.0
    assert 20e6 < cost.rss_bytes < 1e9


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("Command", {"Command": "core show version"}),
        ("Reload", {}),
        ("ModuleLoad", {"LoadType": "load", "Module": "app_system.so"}),
        ("GetConfig", {"Filename": "manager.conf"}),
        ("UpdateConfig", {"SrcFilename": "manager.conf", "DstFilename": "manager.conf"}),
        ("DBPut", {"Family": "a", "Key": "b", "Val": "c"}),
        ("UserEvent", {"UserEvent": "SantunOverflow"}),
        ("MixMonitor", {"Channel": "a", "File": "b", "Command": "c"}),
        ("Filter", {"Operation": "Add", "Filter": "name(VarSet)"}),
        ("Getvar", {"Variable": "SHELL(id)"}),
        ("Setvar", {"Variable": "FILE(/tmp/santun-must-not-exist)", "Value": "x"}),
    ],
)
async def test_what_the_engine_does_not_need_is_denied(ami: AmiClient, action: str, fields: dict[str, str]) -> None:
    assert (await ami.send(action, None, **fields))["Response"] == "Error"


@pytest.mark.parametrize("application", ["System", "TrySystem", "AGI", "EAGI", "Exec", "ExecIf", "MixMonitor"])
async def test_originate_does_not_reach_a_shell(ami: AmiClient, application: str) -> None:
    answer = await ami.send("Originate", Channel="Local/s@santun-message", Application=application, Data="/bin/true")
    assert (answer["Response"], answer["Message"][:26]) == ("Error", "Originate Access Forbidden")


async def test_a_hostile_channel_id_is_no_shell_command(
    ami: AmiClient, line: Line, carrier: Carrier, settings: AsteriskSettings, scratch: Path
) -> None:
    proof = scratch / "proof"
    channel = f"x,b,touch {proof}"
    await line.call(channel=channel, record="yes", connect_limit_ms="500")
    await ami.until("Hangup", Uniqueid=channel)
    assert not proof.exists()
    assert [path.name for path in settings.recordings.glob("xb*.wav")] == [f"xbtouch{str(proof).replace('/', '')}.wav"]


async def test_a_failed_start_shows_the_last_words(
    asterisk: Asterisk, settings: AsteriskSettings, scratch: Path
) -> None:
    twin = replace(settings, run=scratch / "broken")
    render(twin, CONF, twin.run / "etc")
    (twin.run / "etc" / "pjsip.conf").unlink()
    (twin.run / "etc" / "asterisk.conf").write_text("[directories]\nastmoddir => /nowhere\n")
    process = AsteriskProcess(asterisk, twin.run, twin.sounds)
    with pytest.raises(AsteriskFailed, match=r"did not start|last words"):
        await process.start(timeout_s=3)
    assert not process.alive
