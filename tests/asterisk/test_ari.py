"""One-time passwords on a real Asterisk: what is pushed lets a page register, and nothing else does."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import pytest_asyncio

from dialer.adapters.ari import Ari, AriSettings
from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.errors import ActionRefused, BadInput, LinkDown

from .sip_page import SipPage
from .waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]

AGENT = "2002"
SHORT = aiohttp.ClientWSTimeout(ws_close=0.1)  # Asterisk does not say goodbye


def where(settings: AsteriskSettings, password: str = "") -> AriSettings:
    url = f"http://127.0.0.1:{settings.http_port}/ari"
    return AriSettings(settings.node, url, settings.ari_user, password or settings.ari_password, "127.0.0.1")


@pytest_asyncio.fixture(loop_scope="session")
async def ari(settings: AsteriskSettings, pbx: AsteriskProcess) -> AsyncIterator[Ari]:
    ari = Ari(where(settings))
    yield ari
    await ari.take_away(AGENT)
    await ari.close()


@asynccontextmanager
async def page(settings: AsteriskSettings, agent: str = AGENT) -> AsyncIterator[SipPage]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"ws://127.0.0.1:{settings.http_port}/ws", protocols=("sip",), timeout=SHORT) as socket,
    ):
        yield SipPage(socket, f"agent{agent}")


async def test_the_pushed_password_registers(ari: Ari, settings: AsteriskSettings, pbx: AsteriskProcess) -> None:
    await ari.push(AGENT, "once-and-no-more")
    async with page(settings) as phone:
        assert await phone.register("once-and-no-more") == 200
        assert f"agent{AGENT}" in await pbx.console("pjsip show contacts")
    shown = await pbx.console(f"pjsip show endpoint agent{AGENT}")
    assert re.search(r"webrtc +: yes", shown)
    assert re.search(r"allow +: \(ulaw\|opus\)", shown), "without a codec it would ring and never be answered"


async def test_the_old_password_is_refused_after_a_rotation(ari: Ari, settings: AsteriskSettings) -> None:
    await ari.push(AGENT, "the-first-one")
    await ari.push(AGENT, "the-second-one")
    async with page(settings) as phone:
        assert await phone.register("the-first-one") == 401
    async with page(settings) as phone:
        assert await phone.register("the-second-one") == 200


async def test_nobody_registers_after_it_was_taken_away(ari: Ari, settings: AsteriskSettings) -> None:
    await ari.push(AGENT, "soon-gone")
    assert await ari.knows(AGENT)
    await ari.take_away(AGENT)
    assert not await ari.knows(AGENT)
    async with page(settings) as phone:
        assert await phone.register("soon-gone") == 401
    await ari.take_away(AGENT)  # twice is no error


async def test_it_outlives_a_reload(ari: Ari, settings: AsteriskSettings, pbx: AsteriskProcess) -> None:
    await ari.push(AGENT, "outlives-a-reload")
    await pbx.console("module reload res_pjsip.so")

    async def reloaded() -> bool:
        return "carrier" in await pbx.console("pjsip show endpoints")

    await until(reloaded, "endpoints after the reload")
    assert await ari.knows(AGENT)
    async with page(settings) as phone:
        assert await phone.register("outlives-a-reload") == 200


async def test_a_wrong_secret_is_an_error(settings: AsteriskSettings, pbx: AsteriskProcess) -> None:
    stranger = Ari(where(settings, "not-the-password"))
    with pytest.raises(ActionRefused, match="401"):
        await stranger.push(AGENT, "x")
    await stranger.close()


async def test_nobody_there_is_an_error(settings: AsteriskSettings) -> None:
    nowhere = Ari(AriSettings("test1", "http://127.0.0.1:9/ari", "santun", "x"))
    with pytest.raises(LinkDown):
        await nowhere.push(AGENT, "x")
    await nowhere.close()


@pytest.mark.parametrize("agent", ["", "1", "../auth/x", "12345678901", "10 01"])
async def test_only_an_agent_is_pushed(settings: AsteriskSettings, agent: str) -> None:
    with pytest.raises(BadInput):
        await Ari(where(settings)).push(agent, "x")
