"""The manager link against a real Asterisk: what it does, and what it tells."""

import asyncio
import itertools
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

import pytest
import pytest_asyncio

from dialer.adapters.ami import Ami, AmiSettings
from dialer.adapters.asterisk_check import Asterisk
from dialer.adapters.asterisk_conf import CONF, AsteriskSettings, Trunk, render
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.clock import SystemClock
from dialer.demo.carrier import Carrier, number
from dialer.dialplan import Context, Var, endpoint, room
from dialer.errors import ActionRefused, LinkDown
from dialer.model import Event, Order, Seen

from .ami_client import AmiClient
from .conftest import TRUNK, free_port

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]

_serial = itertools.count(70_000)


@dataclass(slots=True)
class Link:
    """An Ami whose events are all kept; `until` waits for one, those already seen included."""

    ami: Ami
    seen: list[Event] = field(default_factory=list)
    placed: list[str] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        async for event in self.ami.events():
            self.seen.append(event)
            self._changed.set()

    async def where(self, wanted: Callable[[Event], bool], limit_s: float = 10.0) -> Event:
        try:
            async with asyncio.timeout(limit_s):
                while True:
                    self._changed.clear()
                    if found := next(filter(wanted, self.seen), None):
                        return found
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not seen; last events: {self.seen[-15:]}") from None

    async def until(self, kind: Seen, channel: str = "", limit_s: float = 10.0) -> Event:
        return await self.where(lambda event: (event.kind, event.channel) == (kind, channel), limit_s)

    async def times(self, kind: Seen, number: int) -> None:
        await self.where(lambda _: sum(event.kind is kind for event in self.seen) >= number, 20.0)

    def kinds(self, channel: str) -> set[Seen]:
        return {event.kind for event in self.seen if event.channel == channel}

    async def call(self, behaviour: str, delay_s: float = 0.5, timeout_ms: int = 10_000, **changes: str) -> str:
        """Call a subscriber of the carrier; returns the channel's id at the ack."""
        channel = f"ami-{secrets.token_hex(8)}"
        self.placed.append(channel)
        order = Order(
            channel_id=channel,
            channel=f"PJSIP/{number(behaviour, next(_serial), delay_s)}@{TRUNK}",
            context=changes.pop("context", Context.ANSWERED),
            exten=changes.pop("exten", "agents"),
            timeout_ms=timeout_ms,
            caller_id="+62215550100",
            variables=((Var.ATTEMPT, channel), (Var.CONNECT_LIMIT_MS, "5000"), *changes.items()),
        )
        await self.ami.originate(order)
        return channel


def manager(settings: AsteriskSettings) -> AmiSettings:
    return AmiSettings(
        settings.node, settings.ami_host, settings.ami_port, settings.ami_user, settings.ami_secret,
        pause_s=0.05, pause_max_s=0.2, ping_s=0.2, silence_s=1.0,
    )  # fmt: skip


async def open_link(settings: AmiSettings) -> AsyncIterator[Link]:
    link = Link(Ami(settings, SystemClock()))
    reading = asyncio.create_task(link.read())
    await link.ami.start()
    await link.until(Seen.LINK_UP)
    yield link
    for channel in link.placed:
        await link.ami.hang_up(channel)
    await link.ami.close()
    await reading


@pytest_asyncio.fixture(loop_scope="session")
async def link(settings: AsteriskSettings, carrier: Carrier) -> AsyncIterator[Link]:
    async for link in open_link(manager(settings)):
        yield link


# ---- calls ----------------------------------------------------------------------------------------------------------


async def test_a_call_from_originate_to_hang_up(link: Link) -> None:
    channel = await link.call("listens")
    dialled = await link.until(Seen.DIALLED, channel)
    ringing = await link.until(Seen.RINGING, channel)
    answered = await link.until(Seen.ANSWERED, channel)
    assert dialled.at <= ringing.at < answered.at
    assert answered.result == "4"
    row = next(row for row in await link.ami.channels() if row.id == channel)
    assert (row.up, row.context, row.application, row.room) == (True, Context.ANSWERED, "Playback", "")
    assert await link.ami.hang_up(channel)
    gone = await link.until(Seen.HANGUP, channel)
    assert (gone.cause, gone.sip_code) == (16, 0)
    assert not await link.ami.hang_up(channel)
    with pytest.raises(ActionRefused):
        await link.ami.redirect(channel, Context.ROOM, "1001")
    assert channel not in {row.id for row in await link.ami.channels()}
    health = link.ami.health()
    assert health.up
    assert 0 < health.ack_p99_ms < 5000


@pytest.mark.parametrize(
    ("behaviour", "cause", "sip_code"), [("busy", 17, 486), ("invalid", 1, 404), ("congested", 34, 503)]
)
async def test_a_call_that_fails_tells_why(link: Link, behaviour: str, cause: int, sip_code: int) -> None:
    channel = await link.call(behaviour)
    failed = await link.until(Seen.FAILED, channel)
    gone = await link.until(Seen.HANGUP, channel)
    assert (failed.result, gone.cause, gone.sip_code) == ("0", cause, sip_code)


async def test_a_call_that_rings_out(link: Link) -> None:
    channel = await link.call("rings_out", timeout_ms=1000)
    failed = await link.until(Seen.FAILED, channel)
    gone = await link.until(Seen.HANGUP, channel)
    assert (failed.result, gone.cause, gone.sip_code) == ("3", 19, 480)
    assert Seen.RINGING in link.kinds(channel)


async def test_a_place_that_is_not_there_is_refused_and_nobody_is_called(link: Link) -> None:
    with pytest.raises(ActionRefused, match="Extension does not exist"):
        await link.call("listens", context="santun-nowhere")
    assert link.placed[-1] not in {row.id for row in await link.ami.channels()}
    assert link.kinds(link.placed[-1]) == set()


async def test_a_customer_is_sent_into_a_room(link: Link) -> None:
    leg = f"ami-leg-{secrets.token_hex(4)}"
    link.placed.append(leg)
    header = ("PJSIP_HEADER(add,X-Auto-Answer)", "1")  # a function with a comma: as originate.py sends it
    await link.ami.originate(Order(leg, f"PJSIP/{endpoint('1003')}", Context.AGENT, "1003", 10_000, "", (header,)))
    joined = await link.until(Seen.JOINED, leg)
    assert joined.room == room("1003")
    channel = await link.call("listens")
    await link.until(Seen.ANSWERED, channel)
    await link.ami.redirect(channel, Context.ROOM, "1003")
    assert (await link.until(Seen.JOINED, channel)).room == room("1003")
    rows = {row.id: row.room for row in await link.ami.channels()}
    assert (rows[leg], rows[channel]) == (room("1003"), room("1003"))
    await link.ami.hang_up(channel)
    assert (await link.until(Seen.LEFT, channel)).room == room("1003")


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "a,b=c",
        'O"Neill, Budi (Jr) [x] \\ "',
        "(",
        "],B=evil",
        "${EXTEN} $[1+1] ;|&",
        "  blanks  ",
        "Ünï ☎",
        "x" * 900,
        "",
    ],
)
async def test_a_hostile_value_arrives_as_it_is_and_alone(link: Link, ami: AmiClient, value: str) -> None:
    channel = await link.call("listens", SANTUN_NAME=value, SANTUN_NEXT="next")
    await link.until(Seen.DIALLED, channel)
    for name, expected in (("SANTUN_NAME", value), ("SANTUN_NEXT", "next"), ("B", "")):
        answer = await ami.send("Getvar", Channel=channel, Variable=name)
        assert answer["Value"] == expected.strip()  # the test's client strips


# ---- sessions -------------------------------------------------------------------------------------------------------


def cut(link: Link) -> None:
    """The link breaks under us."""
    session = link.ami._session
    assert session is not None
    session.protocol.transport.abort()


async def test_a_cut_link_comes_back_and_the_answer_of_the_old_session_with_it(link: Link) -> None:
    channel = await link.call("listens", delay_s=2.0)
    await link.until(Seen.DIALLED, channel)
    cut(link)
    await link.until(Seen.LINK_DOWN)
    await link.times(Seen.LINK_UP, 2)
    assert (await link.until(Seen.ANSWERED, channel)).result == "4"
    assert Seen.BOOTED not in {event.kind for event in link.seen}
    assert channel in {row.id for row in await link.ami.channels()}


async def test_a_wrong_secret_is_told_with_its_cure(settings: AsteriskSettings, pbx: AsteriskProcess) -> None:
    ami = Ami(replace(manager(settings), secret="wrong"), SystemClock())
    await ami.start()
    async with asyncio.timeout(60):
        while not ami.fault:  # noqa: ASYNC110 - a fault is no event
            await asyncio.sleep(0.05)
    assert "manager.conf" in ami.fault
    await ami.close()


@pytest_asyncio.fixture(loop_scope="session")
async def own(asterisk: Asterisk, settings: AsteriskSettings, pbx: AsteriskProcess) -> AsyncIterator[AsteriskProcess]:
    """A PBX to be frozen and killed; its trunk leads nowhere."""
    dead = free_port("127.0.0.2", socket.SOCK_DGRAM)
    process = AsteriskProcess(asterisk, own_settings(settings).run, settings.sounds)
    render(replace(own_settings(settings), trunks=(Trunk(TRUNK, "127.0.0.2", dead),)), CONF, process.run / "etc")
    await process.start()
    yield process
    await process.stop()


def own_settings(settings: AsteriskSettings) -> AsteriskSettings:
    return replace(
        settings,
        node="test2",
        run=settings.run.with_name("own"),
        ami_host="127.0.0.4",
        sip_host="127.0.0.4",
        ami_permit="127.0.0.0/8",
        http_port=0,
        phones=(),
    )


@pytest_asyncio.fixture(loop_scope="session")
async def own_link(own: AsteriskProcess, settings: AsteriskSettings) -> AsyncIterator[Link]:
    async for link in open_link(manager(own_settings(settings))):
        yield link


async def test_a_restart_is_told_once_after_the_link_is_up(own: AsteriskProcess, own_link: Link) -> None:
    os.kill(own.pid, signal.SIGKILL)
    await own_link.until(Seen.LINK_DOWN)
    await own.stop()
    await own.start()
    await own_link.until(Seen.BOOTED)
    kinds = [event.kind for event in own_link.seen if not event.channel]
    assert kinds == [Seen.LINK_UP, Seen.LINK_DOWN, Seen.LINK_UP, Seen.BOOTED]
    await own.console(f"pjsip qualify {TRUNK}")
    await own_link.until(Seen.UNREACHABLE, TRUNK)


async def test_a_frozen_asterisk_is_noticed_and_its_waking_is_no_restart(own: AsteriskProcess, own_link: Link) -> None:
    os.kill(own.pid, signal.SIGSTOP)
    try:
        with pytest.raises(LinkDown):
            await own_link.call("listens", timeout_ms=1000)
        await own_link.until(Seen.LINK_DOWN)
        assert not own_link.ami.health().up
    finally:
        os.kill(own.pid, signal.SIGCONT)
    await own_link.times(Seen.LINK_UP, 2)
    assert Seen.BOOTED not in {event.kind for event in own_link.seen}
    # the one that was under way when it froze is placed when it wakes, and once
    await own_link.until(Seen.FAILED, own_link.placed[0], limit_s=15.0)
    assert sum(event.kind is Seen.DIALLED for event in own_link.seen) <= 1
