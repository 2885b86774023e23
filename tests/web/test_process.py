"""`dialer web` as a process: beside another, with TLS, ended by a signal with sockets open."""

import asyncio
import os
import signal
import socket
import ssl
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector, WSMsgType

from dialer.adapters.clock import SystemClock
from dialer.demo.folder import free_port
from dialer.users import Role
from tests.web.house import API, ENV, PASSWORD, SITE, House

pytestmark = pytest.mark.redis

# of localhost, for tests alone; good for a hundred years
CERT = """\
-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUQEV5JILRO0aVuunnVDSz668T7e8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjA1MjEwNFoYDzIxMjYxMDI5
MDUyMTA0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARU87g17NQdcUdLxMj8GYbudNw3CaM9kjPn3Q5T8/CsBQZLOHn8qWcv
Sl7tZfe9G6fbiNviW+4DrY/uJUgtoRpto28wbTAdBgNVHQ4EFgQUehvSi4PDfRXD
gfLu2hOHawGEXmEwHwYDVR0jBBgwFoAUehvSi4PDfRXDgfLu2hOHawGEXmEwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgR+b7XBeJR/3E0N5y/psQh9QeFrI0UgE1VAlTAhsDE8MCIDUN
XICTV/4IOX1QT0BOTOUvIUPsxANwF+LwZh2z4Tif
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgvbkifNmuIcCcSSJl
+nXkWHO4OpkKSPa22/THhlblSt+hRANCAARU87g17NQdcUdLxMj8GYbudNw3CaM9
kjPn3Q5T8/CsBQZLOHn8qWcvSl7tZfe9G6fbiNviW+4DrY/uJUgtoRpt
-----END PRIVATE KEY-----
"""


@asynccontextmanager
async def web(house: House, folder: Path, settings: str = "") -> AsyncIterator[tuple[Process, int]]:
    """One process on the house's Redis; its port."""
    port = free_port("127.0.0.1", socket.SOCK_STREAM)
    config = folder / f"{port}.toml"
    config.write_text(f'[redis]\nurl = "{house.redis.url}"\n{SITE}\n[web]\n{settings}\n')
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dialer", "web", "--config", str(config), "--listen", f"127.0.0.1:{port}",
        env=os.environ | ENV, cwd=folder.parents[0], stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            while b"web_listens" not in (line := await process.stderr.readline()):
                assert line, "it ended"
        reading = asyncio.create_task(process.stderr.read())  # a full pipe would hold it up
        yield process, port
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


async def test_it_shares_sessions_and_ends_in_good_order(house: House, tmp_path: Path) -> None:
    """Who signed in at one process is known to the other; a signal ends it with code 0 and closes what is open."""
    house.clock.at = SystemClock().now()  # the other's clock
    client = await house.signed_in("budi", Role.AGENT, "1001")
    async with web(house, tmp_path) as (process, port):
        client.base = f"http://127.0.0.1:{port}"
        assert (await client.get("/me")).body["name"] == "budi"
        assert (await client.get("//ready")).body == {"ready": True, "lacks": []}
        async with client.live("desk=1") as live:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(60):
                while (message := await live.receive()).type is WSMsgType.TEXT:
                    pass
                assert (message.type, message.data) == (WSMsgType.CLOSE, 1001)
                assert await process.wait() == 0


async def test_tls(house: House, tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text(CERT)
    (tmp_path / "key.pem").write_text(KEY)
    (tmp_path / "key.pem").chmod(0o600)
    await house.user("budi", Role.AGENT, "1001")
    trust = ssl.create_default_context(cadata=CERT)
    # paths count from the settings file, wherever it was started
    async with web(house, tmp_path, 'tls_cert = "cert.pem"\ntls_key = "key.pem"') as (_, port):
        async with ClientSession(connector=TCPConnector(ssl=trust)) as client:
            body = {"name": "budi", "password": PASSWORD}
            async with client.post(f"https://localhost:{port}{API}/sign-in", json=body) as answer:
                assert answer.status == 200
                assert answer.headers["Set-Cookie"].startswith("__Host-santun=")
                assert "Secure" in answer.headers["Set-Cookie"]
                assert "max-age" in answer.headers["Strict-Transport-Security"]
            async with client.get(f"https://localhost:{port}{API}/me") as answer:
                assert (await answer.json())["name"] == "budi"
            async with client.ws_connect(f"wss://localhost:{port}/live?desk=1") as live:
                assert (await live.receive()).type is WSMsgType.TEXT
        old = ssl.create_default_context(cadata=CERT)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
        async with (
            ClientSession(connector=TCPConnector(ssl=old)) as client,
            client.get(f"https://localhost:{port}/health") as answer,
        ):
            assert answer.status == 200
