"""The agents' pipe between a page and a real Asterisk: passwords, who gets through, and how it ends."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from dialer.adapters.ari import Ari, AriSettings
from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.tls_faults import why
from dialer.web import sip
from dialer.web.problems import Problem
from dialer.web.sip import KICKED, NO_ASTERISK, TAKEN, PhoneNode, SoftPhones

from .ami_client import AmiClient
from .sip_page import SipPage
from .waiting import until, until_now

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]

AGENT = "2003"


@dataclass
class Door:
    """A web server with nothing but the pipe; `signed_in` is what its session says."""

    phones: SoftPhones
    server: BaseTestServer
    client: aiohttp.ClientSession
    signed_in: dict[str, bool] = field(default_factory=lambda: {"yes": True})

    async def page(self) -> SipPage:
        socket = await self.client.ws_connect(self.server.make_url("/sip"), protocols=("sip",))
        return SipPage(socket, f"agent{AGENT}")


@pytest_asyncio.fixture(loop_scope="session")
async def door(settings: AsteriskSettings, pbx: AsteriskProcess) -> AsyncIterator[Door]:
    where = f"127.0.0.1:{settings.http_port}"
    ari = Ari(AriSettings("test1", f"http://{where}/ari", settings.ari_user, settings.ari_password, "127.0.0.1"))
    nowhere = PhoneNode(ari, "ws://127.0.0.1:9/ws")
    nodes = {"test1": PhoneNode(ari, f"ws://{where}/ws"), "down": nowhere}
    phones = SoftPhones(nodes, lambda agent: {"2004": "down", "2005": "other"}.get(agent, "test1"), why)
    signed_in = {"yes": True}

    async def still() -> bool:
        return signed_in["yes"]

    async def serve(request: web.Request) -> web.StreamResponse:
        return await phones.pipe(request, request.query.get("agent", AGENT), still)

    app = web.Application()
    app.router.add_get("/sip", serve)
    async with TestServer(app) as server, aiohttp.ClientSession() as client:
        yield Door(phones, server, client, signed_in)
        await ari.take_away(AGENT)
        await phones.shut()
        await ari.close()


async def closed_by(page: SipPage) -> int | None:
    """The close code, after what was still on its way."""
    async with asyncio.timeout(60):
        while not page.socket.closed:
            await page.socket.receive()
    return page.socket.close_code


async def test_a_page_registers_through_it(door: Door, pbx: AsteriskProcess) -> None:
    password = await door.phones.give(AGENT)
    page = await door.page()
    assert await page.register(password) == 200
    assert f"agent{AGENT}@" in await pbx.console("pjsip show contacts")
    await page.socket.close()

    async def gone() -> bool:
        return f"agent{AGENT}@" not in await pbx.console("pjsip show contacts")

    await until(gone, "the contact goes with its websocket")
    assert not door.phones.is_open(AGENT)


async def test_a_page_that_came_by_tls_registers_and_is_called(
    door: Door, settings: AsteriskSettings, ami: AmiClient
) -> None:
    """As behind a proxy with TLS: the page says WSS, the pipe to Asterisk is in the clear on loopback."""
    password = await door.phones.give(AGENT)
    page = await door.page()
    page.via = "WSS"
    assert await page.register(password) == 200
    place: dict[str, str | int] = {"Context": "santun-agent", "Exten": AGENT, "Priority": 1}
    await ami.send("Originate", None, Channel=f"PJSIP/agent{AGENT}", Async="true", **place)
    assert "UDP/TLS/RTP/SAVPF" in await page.asked("INVITE")
    await page.socket.close()


async def test_it_lets_nothing_else_through(door: Door) -> None:
    password = await door.phones.give(AGENT)
    page = await door.page()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await page.ask("REGISTER", user="agent1001")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await page.ask("OPTIONS")
    assert await page.register(password) == 200  # it is open all the same
    await page.socket.close()


async def test_the_newer_page_takes_the_desk(door: Door) -> None:
    password = await door.phones.give(AGENT)
    first = await door.page()
    assert await first.register(password) == 200
    password = await door.phones.give(AGENT)
    assert await closed_by(first) == TAKEN
    second = await door.page()
    assert await second.register(password) == 200
    await second.socket.close()


async def test_signing_out_ends_it(door: Door) -> None:
    password = await door.phones.give(AGENT)
    page = await door.page()
    assert await page.register(password) == 200
    await door.phones.take_away(AGENT)
    assert await closed_by(page) == KICKED
    again = await door.page()
    assert await again.register(password) == 401
    await again.socket.close()


async def test_a_session_that_ends_ends_it(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip, "SESSION_LOOK_S", 0.05)
    page = await door.page()
    door.signed_in["yes"] = False
    assert await closed_by(page) == KICKED


async def test_a_page_that_does_not_come_back_loses_its_password(
    door: Door, settings: AsteriskSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sip, "SWEEP_S", 0.05)
    telephone = door.phones.node(AGENT).telephone
    assert isinstance(telephone, Ari)
    await door.phones.give(AGENT)
    await (await door.page()).socket.close()

    async def swept() -> bool:
        return not await telephone.knows(AGENT)

    await until(swept, "the password is gone")


async def test_the_end_of_the_process_leaves_nothing_to_be_done_and_the_password_to_the_next(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sip, "SWEEP_S", 0.0)
    await door.phones.give(AGENT)
    page = await door.page()
    await until_now(lambda: door.phones.is_open(AGENT), "its pipe")
    telephone = door.phones.node(AGENT).telephone
    await door.phones.shut()
    assert await closed_by(page) == aiohttp.WSCloseCode.GOING_AWAY
    assert door.phones._tasks == set()
    assert isinstance(telephone, Ari)
    assert await telephone.knows(AGENT)


async def test_too_large_a_message_closes_it(door: Door) -> None:
    page = await door.page()
    await page.socket.send_str("x" * (sip.MESSAGE_MAX + 1))
    assert await closed_by(page) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_a_flood_closes_it(door: Door) -> None:
    page = await door.page()
    for _ in range(200):
        await page.socket.send_str("\r\n\r\n")
    assert await closed_by(page) == sip.TOO_MUCH


async def test_without_asterisk_the_page_is_told(door: Door) -> None:
    socket = await door.client.ws_connect(door.server.make_url("/sip?agent=2004"), protocols=("sip",))
    assert await closed_by(SipPage(socket, "agent2004")) == NO_ASTERISK


async def test_a_node_without_ari_is_a_problem(door: Door) -> None:
    with pytest.raises(Problem, match="ari"):
        await door.phones.give("2005")
