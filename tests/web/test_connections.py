"""Open connections of one client have a limit, and nobody else suffers: real sockets from 127.0.0.1 and 127.0.0.2."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from dialer.config import Web
from dialer.errors import ConfigError
from dialer.web.listening import client_of
from dialer.web.serving import Served
from tests.adapters.certificates import Authority
from tests.web.house import House, opened

pytestmark = pytest.mark.redis
MOST = 10
ONE, OTHER = "127.0.0.1", "127.0.0.2"
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
LIMIT_S = 60.0
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def limited(**more: object) -> Web:
    return Web.model_validate({"listen": "127.0.0.1:0", "connections_per_address": MOST, **more})


async def dialled(house: House, source: str, tls: ssl.SSLContext | None = None) -> Streams:
    port = int(house.base.rpartition(":")[2])
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0), ssl=tls)


async def asked(house: House, source: str, tls: ssl.SSLContext | None = None, request: bytes = HEALTH) -> bytes:
    """The whole answer to a request on a connection of its own; empty: it was closed."""
    try:
        async with asyncio.timeout(LIMIT_S):
            reader, writer = await dialled(house, source, tls)
            with contextlib.closing(writer):
                writer.write(request)
                return await reader.read()
    except (ConnectionError, ssl.SSLError):
        return b""


@contextlib.asynccontextmanager
async def holding(house: House, source: str, count: int = MOST) -> AsyncIterator[list[Streams]]:
    """So many connections on which nothing is said."""
    held = [await dialled(house, source) for _ in range(count)]
    try:
        yield held
    finally:
        for _, writer in held:
            writer.close()


async def until_answered(house: House, source: str, tls: ssl.SSLContext | None = None, request: bytes = HEALTH) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not (await asked(house, source, tls, request)).startswith(b"HTTP/1.1 200 "):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_one_too_many_is_told_so_and_others_are_served(tmp_path: Path) -> None:
    async with opened(tmp_path, limited()) as house:
        for _ in range(3):  # what is closed is off the count
            async with holding(house, ONE) as held:
                head, _, body = (await asked(house, ONE, request=b"")).partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 429 Too many requests\r\n")
                assert b"Retry-After: 5" in head
                assert b"Content-Type: application/problem+json" in head
                assert json.loads(body)["kind"] == "too_many_connections"
                assert (await asked(house, OTHER)).startswith(b"HTTP/1.1 200 ")
                async with holding(house, OTHER):
                    assert (await asked(house, OTHER, request=b"")).startswith(b"HTTP/1.1 429 ")
                held[0][1].close()
                await until_answered(house, ONE)
            await until_answered(house, ONE)


async def test_who_refuses_to_listen_is_closed_all_the_same(tmp_path: Path) -> None:
    """A hundred more than there may be, none of which reads or ends: no descriptor is spent on them."""
    async with opened(tmp_path, limited()) as house, holding(house, ONE, MOST + 100) as held:
        async with asyncio.timeout(LIMIT_S):
            told = [await reader.read() for reader, _ in held[MOST:]]
        assert {one.partition(b"\r\n")[0] for one in told} == {b"HTTP/1.1 429 Too many requests"}
        assert len(house.served.connections) == MOST
        assert (await asked(house, OTHER)).startswith(b"HTTP/1.1 200 ")


async def test_handshakes_that_do_not_come_count(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.sign("web")
    settings = limited(tls_cert=str(pair.cert), tls_key=str(pair.key))
    tls = ssl.create_default_context(cafile=str(authority.ca))
    async with opened(tmp_path, settings) as house:
        async with holding(house, ONE):
            assert await asked(house, ONE, tls) == b""
            assert (await asked(house, OTHER, tls)).startswith(b"HTTP/1.1 200 ")
        await until_answered(house, ONE, tls)
        for _ in range(2 * MOST):  # each is off the count, also where the client will not trust us
            with contextlib.suppress(ssl.SSLError):
                await dialled(house, ONE, ssl.create_default_context())
        await until_answered(house, ONE, tls)


async def test_behind_a_proxy_each_client_has_his_own(tmp_path: Path) -> None:
    async with opened(tmp_path, limited(proxies=[ONE])) as house:
        boards = await house.program("board:see")

        def request(client: str, path: str = "/health", *more: str) -> bytes:
            lines = [f"GET {path} HTTP/1.1", "Host: localhost", *([f"X-Forwarded-For: {client}"] if client else [])]
            return "\r\n".join((*lines, *more, "", "")).encode()

        upgrade = (
            "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Authorization: Bearer {boards.token}",
        )  # fmt: skip
        async with holding(house, ONE, 2 * MOST) as held:
            for reader, writer in held[:MOST]:
                writer.write(request("192.0.2.7", "/live?campaign=april", *upgrade))
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
            last = "Connection: close"
            refused = await asked(house, ONE, request=request("192.0.2.7", "/health", last))
            assert refused.startswith(b"HTTP/1.1 429 ")
            assert b"too_many_connections" in refused
            for client in ("192.0.2.8", ""):
                told = await asked(house, ONE, request=request(client, "/health", last))
                assert told.startswith(b"HTTP/1.1 200 "), client
            lies = request("192.0.2.7", "/health", last)  # who is no proxy is not believed
            assert (await asked(house, OTHER, request=lies)).startswith(b"HTTP/1.1 200 ")
        await until_answered(house, ONE, request=lies)  # his sockets are closed


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("::1", "::/64"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"), ("", ""), ("unknown", "unknown"),
    ],
)  # fmt: skip
def test_whose_an_address_is(address: str, client: str) -> None:
    assert client_of(address) == client


async def test_it_listens_on_each_address_of_its_name_and_says_what_is_taken(tmp_path: Path) -> None:
    async with opened(tmp_path, limited(listen="localhost:0")) as house:
        assert (await asked(house, ONE)).startswith(b"HTTP/1.1 200 ")
        taken = limited(listen=house.base.removeprefix("http://"))
        with pytest.raises(ConfigError, match="in use"):
            async with Served(web.Application(), taken):
                pass
    with pytest.raises(ConfigError, match=r"listen = .*192\.0\.2\.1"):
        async with Served(web.Application(), limited(listen="192.0.2.1:0", proxies=[ONE])):
            pass
