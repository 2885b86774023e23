"""What an Asterisk of ours listens on: what its settings say and nothing else; its manager over TLS."""

import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
import pytest_asyncio

from dialer.adapters.ami import Ami
from dialer.adapters.ami_session import AmiSettings
from dialer.adapters.asterisk_check import Asterisk
from dialer.adapters.asterisk_conf import CONF, AsteriskSettings, Trunk, render
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.clock import SystemClock
from dialer.adapters.tls import client_context
from tests.adapters.certificates import Authority
from tests.listeners import Listener, listeners

from .ami_client import AmiClient
from .conftest import TRUNK, free_port
from .waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]

HERE = "127.0.0.5"


@pytest.fixture(scope="session")
def authority(scratch: Path) -> Authority:
    folder = scratch / "certificates"
    folder.mkdir()
    return Authority(folder)


@pytest.fixture(scope="session")
def closed(settings: AsteriskSettings, authority: Authority) -> AsteriskSettings:
    """A whole one: manager and HTTP, both with TLS beside it, a trunk."""
    pair = authority.sign("asterisk", HERE)
    return replace(
        settings,
        node="test5",
        run=settings.run.with_name("closed"),
        ami_host=HERE,
        ami_port=free_port(HERE, socket.SOCK_STREAM),
        ami_permit="127.0.0.0/8",
        ami_tls_port=free_port(HERE, socket.SOCK_STREAM),
        ami_tls_host=HERE,
        ami_tls_cert=pair.cert,
        ami_tls_key=pair.key,
        sip_host=HERE,
        sip_port=free_port(HERE, socket.SOCK_DGRAM),
        http_host=HERE,
        http_port=free_port(HERE, socket.SOCK_STREAM),
        http_tls_port=free_port(HERE, socket.SOCK_STREAM),
        http_tls_host=HERE,
        http_tls_cert=pair.cert,
        http_tls_key=pair.key,
        trunks=(Trunk(TRUNK, "127.0.0.2", free_port("127.0.0.2", socket.SOCK_DGRAM)),),
        phones=(),
    )


@pytest_asyncio.fixture(loop_scope="session")
async def process(asterisk: Asterisk, closed: AsteriskSettings, pbx: AsteriskProcess) -> AsyncIterator[AsteriskProcess]:
    """`pbx` has made the sounds."""
    render(closed, CONF, closed.run / "etc")
    found = AsteriskProcess(asterisk, closed.run, closed.sounds)
    await found.start()
    yield found
    await found.stop()


async def fault_of(settings: AsteriskSettings, port: int, ca: Path | None) -> str:
    """Why there is no session at this port; empty: there is one, and it can be worked with."""
    tls = client_context(str(ca)) if ca else None
    where = AmiSettings(settings.node, HERE, port, settings.ami_user, settings.ami_secret, connect_s=3.0, tls=tls)
    ami = Ami(where, SystemClock())

    async def known() -> bool:
        return ami.health().up or bool(ami.fault)

    await ami.start()
    try:
        await until(known, "a session, or why there is none", 20)
        if not ami.fault:
            assert await ami.channels() == ()
        return ami.fault
    finally:
        await ami.close()


async def test_it_opens_what_it_was_told_and_nothing_else(process: AsteriskProcess, closed: AsteriskSettings) -> None:
    told = {
        Listener("tcp", HERE, closed.ami_port),
        Listener("tcp", HERE, closed.ami_tls_port),
        Listener("tcp", HERE, closed.http_port),
        Listener("tcp", HERE, closed.http_tls_port),
        Listener("udp", HERE, closed.sip_port),
    }
    found = listeners(process.pid)
    assert told <= found
    # PJSIP's resolver: it asks DNS servers from here, and takes answers to its own questions alone
    resolver = found - told
    assert {(one.kind, one.host) for one in resolver} == {("udp", "0.0.0.0"), ("udp", "::")}
    assert len(resolver) == 2


async def test_by_its_defaults_every_listener_but_sip_is_on_loopback(closed: AsteriskSettings) -> None:
    names = ("node", "run", "modules", "sounds", "recordings", "ami_secret")
    plain = AsteriskSettings(**{name: getattr(closed, name) for name in names})
    hosts = {name: getattr(plain, name) for name in AsteriskSettings.__dataclass_fields__ if name.endswith("_host")}
    assert {name for name, host in hosts.items() if not ip_address(host).is_loopback} == {"sip_host"}
    assert plain.ami_permit == "127.0.0.1/32"


async def test_the_manager_over_tls(
    process: AsteriskProcess, closed: AsteriskSettings, authority: Authority, scratch: Path
) -> None:
    assert await fault_of(closed, closed.ami_tls_port, authority.ca) == ""
    stranger = Authority(scratch, "stranger")
    assert "not signed by the CA given" in await fault_of(closed, closed.ami_tls_port, stranger.ca)
    assert "is this its TLS port?" in await fault_of(closed, closed.ami_port, authority.ca)
    assert "Authentication" not in process.log()[-1]


async def test_no_trunk_is_this_machine(process: AsteriskProcess, closed: AsteriskSettings) -> None:
    """By address alone a trunk is known: 127.0.0.1 would make a trunk of every program here, the web's proxy first."""
    matches = [line for line in (await process.console("pjsip show identifies")).splitlines() if "Match:" in line]
    assert matches
    assert not [line for line in matches if "127.0.0.1" in line or "::1" in line]


DENIED = {
    "Command": {"Command": "module load app_system.so"},
    "CreateConfig": {"Filename": "x.conf"},
    "GetConfigJSON": {"Filename": "manager.conf"},
    "ListCategories": {"Filename": "manager.conf"},
    "ModuleCheck": {"Module": "app_system"},
    "DBDel": {"Family": "a", "Key": "b"},
    "DBDelTree": {"Family": "a"},
    "DialplanExtensionAdd": {"Context": "santun-ivr", "Extension": "9", "Priority": "1", "Application": "System"},
    "PJSIPNotify": {"URI": "sip:a@127.0.0.1", "Variable": "Event=x"},
}
# All that our rights allow, in Asterisk 22: `call` is whatever can be done to a channel; `reporting`, without which
# there is no list of channels, brings DBGet, LoggerRotate and PJSIP(Un)Register along.
ALLOWED = frozenset(
    "AbsoluteTimeout Atxfer BlindTransfer Bridge BridgeDestroy BridgeInfo BridgeKick BridgeList BridgeTechnologyList"
    " BridgeTechnologySuspend BridgeTechnologyUnsuspend CancelAtxfer Challenge ConfbridgeKick ConfbridgeList"
    " ConfbridgeListRooms ConfbridgeLock ConfbridgeMute ConfbridgeSetSingleVideoSrc ConfbridgeUnlock ConfbridgeUnmute"
    " CoreSettings CoreShowChannelMap CoreShowChannels CoreStatus DBGet DBGetTree Events ExtensionState"
    " ExtensionStateList Getvar Hangup ListCommands LocalOptimizeAway LoggerRotate Login Logoff MailboxCount"
    " MailboxStatus MixMonitorMute Originate PJSIPHangup PJSIPQualify PJSIPRegister PJSIPShowRegistrationsOutbound"
    " PJSIPUnregister Ping PresenceState Redirect SendText Setvar ShowDialPlan Status StopMixMonitor WaitEvent".split()
)


@pytest.mark.parametrize("action", DENIED)
async def test_what_could_reach_beyond_calls_is_denied(pbx: AsteriskProcess, ami: AmiClient, action: str) -> None:
    answer = await ami.send(action, None, **DENIED[action])
    assert answer["Response"] == "Error"
    assert answer["Message"].startswith(("Permission denied", "Invalid/unknown command")), answer


async def test_every_action_that_we_may_send_is_known(pbx: AsteriskProcess, ami: AmiClient) -> None:
    """A module more, or another Asterisk, may bring new ones: whoever adds one to the list has looked at it."""
    allowed = (await ami.send("ListCommands", None)).keys() - {"Response", "ActionID", "Message"}
    assert {"Originate", "Redirect", "Hangup", "CoreShowChannels"} <= allowed
    assert allowed - ALLOWED == set()
    assert not DENIED.keys() & ALLOWED
