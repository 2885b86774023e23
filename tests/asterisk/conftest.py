"""A real Asterisk as PBX and a second one as carrier, once per test session, on loopback addresses and free ports."""

import itertools
import secrets
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from dialer.adapters.asterisk_check import Asterisk
from dialer.adapters.asterisk_conf import CONF, AsteriskSettings, Phone, Trunk, render
from dialer.adapters.asterisk_install import find
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.sounds import RATE, Samples, write_messages, write_plain
from dialer.demo.carrier import Carrier, CarrierSettings, number
from dialer.dialplan import TOLD_ANSWERED, Context, Var, endpoint, room
from ivr.adapters.speech import Speech, opened

from .ami_client import AmiClient, Message
from .speech import speak
from .waiting import until

ROOT = Path(__file__).parents[2]
TRUNK = "carrier"
AGENTS = ("1001", "1002", "1003", "10")  # 10 begins 1001: nothing may match by prefix


def free_port(host: str, kind: socket.SocketKind) -> int:
    """A port that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def briefly(language: str, text: str) -> Samples:
    """1.5 s of any sentence will do."""
    return speak(language, text)[: RATE * 3 // 2]


def at_length(language: str, text: str) -> Samples:
    """3 s: AMD must still take a greeting for a greeting."""
    return speak(language, text)[: RATE * 3]


@pytest.fixture(scope="session")
def asterisk() -> Asterisk:
    return find(ROOT)


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """Short, because a control socket's path is limited."""
    folder = Path(tempfile.mkdtemp(prefix="santun-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def settings(asterisk: Asterisk, scratch: Path) -> AsteriskSettings:
    carrier_port = free_port("127.0.0.2", socket.SOCK_DGRAM)
    return AsteriskSettings(
        node="test1",
        run=scratch / "pbx",
        modules=asterisk.modules,
        sounds=scratch / "sounds",
        recordings=scratch / "recordings",
        ami_port=free_port("127.0.0.1", socket.SOCK_STREAM),
        ami_secret=secrets.token_hex(16),
        sip_host="127.0.0.1",
        sip_port=free_port("127.0.0.1", socket.SOCK_DGRAM),
        media_address="127.0.0.1",
        http_port=free_port("127.0.0.1", socket.SOCK_STREAM),
        ari_password=secrets.token_hex(16),
        ivr_port=free_port("127.0.0.1", socket.SOCK_STREAM),
        trunks=(Trunk(TRUNK, "127.0.0.2", carrier_port),),
        phones=tuple(Phone(agent, secrets.token_hex(8)) for agent in AGENTS),
    )


@pytest.fixture(scope="session")
def voice(scratch: Path) -> Speech:
    """All fixed pieces of the IVR, rendered."""
    made = opened(scratch / "prompts")
    made.warm()
    return made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pbx(asterisk: Asterisk, settings: AsteriskSettings) -> AsyncIterator[AsteriskProcess]:
    write_plain(settings.sounds)
    write_messages(settings.sounds, briefly, {"company": "Santun"})
    settings.recordings.mkdir()
    render(settings, CONF, settings.run / "etc")
    process = AsteriskProcess(asterisk, settings.run, settings.sounds)
    await process.start()
    try:
        yield process
    finally:
        await process.stop()


async def contact_of_trunk(pbx: AsteriskProcess) -> str:
    """Its line of `pjsip show contacts`."""
    (contact,) = (row for row in (await pbx.console("pjsip show contacts")).splitlines() if f"{TRUNK}/" in row)
    return contact


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def carrier(asterisk: Asterisk, settings: AsteriskSettings, pbx: AsteriskProcess) -> AsyncIterator[Carrier]:
    run, port = settings.run.with_name("carrier"), settings.trunks[0].port
    carrier = Carrier(asterisk, CarrierSettings(run=run, pbx_port=settings.sip_port, port=port, phones=settings.phones))
    await carrier.start(at_length)

    async def registered() -> bool:
        contacts = await pbx.console("pjsip show contacts")
        return all(f"{endpoint(phone.agent)}@" in contacts for phone in settings.phones)

    async def answers() -> bool:
        return "Avail " in await contact_of_trunk(pbx)

    try:
        await until(registered, "all phones registered", 10)
        await pbx.console(f"pjsip qualify {TRUNK}")  # the first OPTIONS may have gone before it was up
        await until(answers, "the carrier answers OPTIONS", 10)
        yield carrier
    finally:
        await carrier.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def ami(settings: AsteriskSettings, pbx: AsteriskProcess) -> AsyncIterator[AmiClient]:
    client = await AmiClient.login(settings.ami_host, settings.ami_port, settings.ami_user, settings.ami_secret)
    yield client
    await client.close()


_ids = itertools.count(1)


@dataclass(slots=True)
class Line:
    """Places calls and hangs up what is left of them."""

    ami: AmiClient
    placed: list[str]
    pbx: AsteriskProcess

    async def call(
        self,
        behaviour: str = "listens",
        exten: str = "agents",
        context: str = "santun-answered",
        channel: str = "",
        **variables: str,
    ) -> str:
        """Call a subscriber; returns the channel's id when he has answered and may be redirected."""
        to = f"PJSIP/{number(behaviour, next(_ids), 0)}@{TRUNK}"
        channel = await self.dial(to, context, exten, channel, **variables)
        answer = await self.ami.until("OriginateResponse", Uniqueid=channel)
        assert answer["Response"] == "Success", answer
        if context == Context.ANSWERED:
            await self.ami.until("UserEvent", UserEvent=TOLD_ANSWERED, Uniqueid=channel)
        return channel

    async def dial(self, to: str, context: str, exten: str, channel: str = "", **variables: str) -> str:
        """Originate; variables go by the names of dialplan.Var in small letters."""
        channel = channel or f"test-{next(_ids)}-{secrets.token_hex(4)}"
        self.placed.append(channel)
        named = {Var[name.upper()].value: value for name, value in variables.items()}
        header = {"PJSIP_HEADER(add,X-Santun-Attempt)": channel}
        place: dict[str, str | int] = {"Context": context, "Exten": exten, "Priority": 1}
        await until(self.reachable, "the carrier answers OPTIONS")
        answer = await self.ami.send(
            "Originate", header | named, Channel=to, ChannelId=channel, Timeout=30000, Async="true", **place
        )
        assert answer["Response"] == "Success", answer
        return channel

    async def reachable(self) -> bool:
        """False until the next OPTIONS where one went unanswered: before the carrier was up, or on a busy machine."""
        return "Unavail" not in await contact_of_trunk(self.pbx)

    async def agent(self, agent: str) -> str:
        """Raise an agent's leg; returns its channel's id when it is in its room."""
        channel = await self.dial(f"PJSIP/{endpoint(agent)}", "santun-agent", agent)
        await self.ami.until("BridgeEnter", Uniqueid=channel, BridgeName=room(agent))
        return channel

    async def redirect(self, channel: str, context: str, exten: str) -> Message:
        return await self.ami.send("Redirect", Channel=channel, Context=context, Exten=exten, Priority=1)

    async def hang_up(self, channel: str) -> None:
        await self.ami.send("Hangup", Channel=channel, Cause=16)
        await self.ami.until("Hangup", Uniqueid=channel)


@pytest_asyncio.fixture(loop_scope="session")
async def line(ami: AmiClient, carrier: Carrier, pbx: AsteriskProcess) -> AsyncIterator[Line]:
    line = Line(ami, [], pbx)
    yield line
    for channel in line.placed:
        answer = await ami.send("Hangup", Channel=channel, Cause=16)
        if answer["Response"] == "Success":
            await ami.until("Hangup", Uniqueid=channel)  # until then it counts as one of its room
