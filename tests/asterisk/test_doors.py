"""Who gets in: a stranger is no trunk and no agent, and an agent pushed by ARI is one at once."""

import asyncio
import re
import socket

import aiohttp
import pytest

from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_process import AsteriskProcess

from .ami_client import AmiClient

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]


async def ask(settings: AsteriskSettings, method: str, user: str, to: str, source: str = "127.0.0.4") -> int:
    """The status of the first final answer to one SIP request from this address."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.setblocking(False)
        ours.bind((source, 0))
        port = ours.getsockname()[1]
        head = [
            f"{method} sip:{to}@127.0.0.1:{settings.sip_port} SIP/2.0",
            f"Via: SIP/2.0/UDP {source}:{port};branch=z9hG4bK{port};rport",
            f"From: <sip:{user}@127.0.0.1>;tag={port}",
            f"To: <sip:{to}@127.0.0.1>",
            f"Call-ID: {port}@test",
            f"CSeq: 1 {method}",
            f"Contact: <sip:{user}@{source}:{port}>",
            "Max-Forwards: 70",
            "Content-Length: 0",
        ]
        await loop.sock_sendto(ours, "\r\n".join([*head, "", ""]).encode(), ("127.0.0.1", settings.sip_port))
        async with asyncio.timeout(60):
            while True:
                status = re.match(rb"SIP/2.0 (\d+)", await loop.sock_recv(ours, 4096))
                assert status
                if int(status[1]) >= 200:
                    return int(status[1])


@pytest.mark.parametrize("user", ["carrier", "agent1001", "santun", "anonymous"])
@pytest.mark.parametrize("to", ["02150001234", "*1", "s", "1001"])
async def test_a_stranger_cannot_call(pbx: AsteriskProcess, settings: AsteriskSettings, user: str, to: str) -> None:
    """`carrier` is the trunk's name: in From it proves nothing."""
    assert await ask(settings, "INVITE", user, to) == 401


async def test_a_stranger_cannot_register(pbx: AsteriskProcess, settings: AsteriskSettings) -> None:
    assert await ask(settings, "REGISTER", "agent1001", "agent1001") == 401


async def test_a_wrong_secret_is_refused_by_the_manager(pbx: AsteriskProcess, settings: AsteriskSettings) -> None:
    with pytest.raises(AssertionError, match="Authentication failed"):
        await AmiClient.login(settings.ami_host, settings.ami_port, settings.ami_user, "wrong")


async def test_ari_pushes_an_agent_and_takes_him_away(pbx: AsteriskProcess, settings: AsteriskSettings) -> None:
    base = f"http://127.0.0.1:{settings.http_port}/ari/asterisk/config/dynamic/res_pjsip"
    name, password = "agent2001", "pushed-at-sign-in"
    objects: dict[str, dict[str, str]] = {
        "auth": {"auth_type": "userpass", "username": name, "password": password},
        "aor": {"max_contacts": "1", "remove_existing": "yes"},
        "endpoint": {"auth": name, "aors": name, "webrtc": "yes", "transport": "ws", "context": "santun-from-agent"}
        | {"disallow": "all", "allow": "ulaw"},
    }
    who = {"Authorization": aiohttp.encode_basic_auth(settings.ari_user, settings.ari_password)}
    async with aiohttp.ClientSession(headers=who) as session:
        for kind, values in objects.items():
            fields = [{"attribute": key, "value": value} for key, value in values.items()]
            async with session.put(f"{base}/{kind}/{name}", json={"fields": fields}) as answer:
                assert answer.status == 200, await answer.text()
        assert "DTLS-SRTP" not in (shown := await pbx.console(f"pjsip show endpoint {name}"))
        assert "webrtc" in shown
        for kind in reversed(objects):
            async with session.delete(f"{base}/{kind}/{name}") as answer:
                assert answer.status == 204
    assert "Unable to find" in await pbx.console(f"pjsip show endpoint {name}")


@pytest.mark.parametrize("path", ["channels", "bridges", "endpoints", "applications"])
async def test_no_other_part_of_ari_is_there(pbx: AsteriskProcess, settings: AsteriskSettings, path: str) -> None:
    who = {"Authorization": aiohttp.encode_basic_auth(settings.ari_user, settings.ari_password)}
    async with (
        aiohttp.ClientSession(headers=who) as session,
        session.get(f"http://127.0.0.1:{settings.http_port}/ari/{path}") as answer,
    ):
        assert answer.status == 404


async def test_ari_asks_for_the_password(pbx: AsteriskProcess, settings: AsteriskSettings) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{settings.http_port}/ari/asterisk/info") as answer,
    ):
        assert answer.status == 401
