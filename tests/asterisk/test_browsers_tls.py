"""Browsers' agents on an Asterisk that speaks TLS alone: passwords by https, the pipe by wss, strangers refused."""

import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import LogCapture

from dialer.adapters.ari import Ari, AriSettings
from dialer.adapters.asterisk_check import Asterisk
from dialer.adapters.asterisk_conf import CONF, AsteriskSettings, render
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.reach import faults_of
from dialer.adapters.site import load_config
from dialer.adapters.tls import client_context
from dialer.adapters.tls_faults import why
from dialer.dialplan import endpoint
from dialer.errors import LinkDown
from dialer.web import sip
from dialer.web.sip import NO_ASTERISK, PhoneNode, SoftPhones
from tests.adapters.certificates import Authority

from .ami_client import AmiClient
from .conftest import free_port
from .sip_page import SipPage
from .test_sip_pipe import closed_by

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]

AGENT = "2006"
HERE = "127.0.0.6"
NOT_SIGNED = "its certificate is not signed by the CA given: tls_ca has to be the CA's file"


@pytest.fixture(scope="module")
def authority(scratch: Path) -> Authority:
    folder = scratch / "browsers"
    folder.mkdir()
    return Authority(folder)


@pytest.fixture(scope="module")
def secured(settings: AsteriskSettings, authority: Authority) -> AsteriskSettings:
    """https and wss, and no plain port beside them."""
    pair = authority.sign("asterisk", HERE)
    return replace(
        settings,
        node="test6",
        run=settings.run.with_name("secured"),
        ami_port=free_port("127.0.0.1", socket.SOCK_STREAM),
        sip_port=free_port("127.0.0.1", socket.SOCK_DGRAM),
        http_port=0,
        http_tls_host=HERE,
        http_tls_port=free_port(HERE, socket.SOCK_STREAM),
        http_tls_cert=pair.cert,
        http_tls_key=pair.key,
        phones=(),
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def node(asterisk: Asterisk, secured: AsteriskSettings, pbx: AsteriskProcess) -> AsyncIterator[AsteriskProcess]:
    """`pbx` has made the sounds."""
    render(secured, CONF, secured.run / "etc")
    found = AsteriskProcess(asterisk, secured.run, secured.sounds)
    await found.start()
    yield found
    await found.stop()


@asynccontextmanager
async def phones(secured: AsteriskSettings, ca: Path | None, host: str = HERE) -> AsyncIterator[SoftPhones]:
    """As the web has them, believing this CA; none: the system's."""
    where, trust = f"{host}:{secured.http_tls_port}", client_context(str(ca)) if ca else None
    ari = Ari(AriSettings("test6", f"https://{where}/ari", secured.ari_user, secured.ari_password, "127.0.0.1", trust))
    found = SoftPhones({"test6": PhoneNode(ari, f"wss://{where}/ws", tls=trust)}, lambda _: "test6", why)
    yield found
    await found.shut()
    await ari.close()


@asynccontextmanager
async def page(found: SoftPhones, via: str = "WSS") -> AsyncIterator[SipPage]:
    """A page at the web's own pipe; `via`: how it says it came."""

    async def still() -> bool:
        return True

    async def serve(request: web.Request) -> web.StreamResponse:
        return await found.pipe(request, AGENT, still)

    app = web.Application()
    app.router.add_get("/sip", serve)
    async with TestServer(app) as server, aiohttp.ClientSession() as client:
        yield SipPage(await client.ws_connect(server.make_url("/sip"), protocols=("sip",)), endpoint(AGENT), via)


@pytest.mark.parametrize("via", ["WSS", "WS"])
async def test_a_password_goes_by_https_and_the_page_registers_and_is_called_by_wss(
    node: AsteriskProcess, secured: AsteriskSettings, authority: Authority, via: str
) -> None:
    async with phones(secured, authority.ca) as found:
        password = await found.give(AGENT)
        async with page(found, via) as phone:
            assert await phone.register(password) == 200
            assert f"{endpoint(AGENT)}@" in await node.console("pjsip show contacts")
            ami = await AmiClient.login(secured.ami_host, secured.ami_port, secured.ami_user, secured.ami_secret)
            place: dict[str, str | int] = {"Context": "santun-agent", "Exten": AGENT, "Priority": 1}
            await ami.send("Originate", None, Channel=f"PJSIP/{endpoint(AGENT)}", Async="true", **place)
            invite = await phone.asked("INVITE")
            await ami.close()
        assert re.search(r"^Via: SIP/2.0/WSS? ", invite, re.M)
        assert "UDP/TLS/RTP/SAVPF" in invite
        await found.take_away(AGENT)
        telephone = found.node(AGENT).telephone
        assert isinstance(telephone, Ari)
        assert not await telephone.knows(AGENT)


@pytest.mark.parametrize("who", ["a stranger's CA", "the system's CAs"])
async def test_a_ca_that_did_not_sign_it_is_refused_and_the_password_never_sent(
    node: AsteriskProcess, secured: AsteriskSettings, scratch: Path, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    logs = LogCapture()
    monkeypatch.setattr(sip, "log", structlog.wrap_logger(None, processors=[logs]))
    ca = Authority(scratch, "no-friend").ca if "stranger" in who else None
    async with phones(secured, ca) as found:
        with pytest.raises(LinkDown) as told:
            await found.give(AGENT)
        assert str(told.value) == f"Asterisk cannot be reached. ARI of test6 does not answer: {NOT_SIGNED}."
        async with page(found) as phone:
            assert await closed_by(phone) == NO_ASTERISK
    (said,) = logs.entries
    assert (said["websocket"], said["error"]) == (f"wss://{HERE}:{secured.http_tls_port}/ws", NOT_SIGNED)
    assert AGENT not in await node.console("pjsip show auths")


async def test_the_check_says_what_is_wrong_with_it(
    node: AsteriskProcess,
    secured: AsteriskSettings,
    authority: Authority,
    scratch: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def said(password: str, **changed: object) -> list[str]:
        """Of this node alone: Redis and IVR are not there."""
        table = {"port": secured.ami_port, "ari": f"https://{HERE}:{secured.http_tls_port}/ari", **changed}
        lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in table.items())
        trunk = '[trunk.carrier]\nendpoint = "carrier"\nhost = "192.0.2.7"\nlines = 3\ncaller_ids = ["+622150001234"]\n'
        file = tmp_path / "santun.toml"
        file.write_text(f'[redis]\nurl = "redis://127.0.0.1:9/0"\n[ivr]\nport = 9\n[asterisk.test6]\n{lines}\n{trunk}')
        monkeypatch.setenv("SANTUN_ARI_PASSWORD", password)
        return [fault for fault in await faults_of(load_config(file), file) if fault.startswith("Asterisk test6: ")]

    monkeypatch.setenv("SANTUN_AMI_SECRET", secured.ami_secret)
    monkeypatch.setenv("SANTUN_PERSON_KEY", "ab" * 32)
    known = secured.ari_password
    assert await said(known, tls_ca=str(authority.ca)) == []
    manager = secured.run / "etc" / "manager.conf"
    rights = manager.read_text()
    manager.write_text(rights.replace("write=originate,call,reporting", "write=reporting,user"))
    await node.console("manager reload")
    (told,) = await said(known, tls_ca=str(authority.ca))
    assert "its manager refuses us Hangup, MixMonitorMute, Originate, Redirect. Its manager user needs read=" in told
    manager.write_text(rights)
    await node.console("manager reload")
    assert await said(known, tls_ca=str(authority.ca)) == []
    stranger = Authority(scratch, "another").ca
    for fault, asked in (
        (NOT_SIGNED, said(known, tls_ca=str(stranger))),
        ("says 401 to santun", said("another-password", tls_ca=str(authority.ca))),
        ("does not speak TLS", said(known, ari=f"https://127.0.0.1:{secured.ami_port}/ari")),
        ("ClientConnectorError", said(known, ari=f"https://127.0.0.5:{secured.http_tls_port}/ari")),
    ):
        (told,) = await asked
        assert fault in told
        assert "Look at [asterisk.test6] ari, ari_user and tls_ca" in told
        assert known not in told
