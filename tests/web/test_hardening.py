"""The web against who means harm: slow heads, bodies and readers, endless and huge bodies, hostile websocket frames;
each is over within a stated time, costs a bounded amount, and the web goes on."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from dialer.config import Web
from dialer.forms.privacy import Privacy
from dialer.users import Role
from dialer.web import application, serving
from dialer.web.api import lists
from tests.web.api.kit import FIRST, filled
from tests.web.house import SITE, Client, House, opened

pytestmark = pytest.mark.redis
LIMIT_S = 30.0  # for whatever is to end by itself after less than a second, on a busy machine


@asynccontextmanager
async def dialled(house: House) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(house.base.rpartition(":")[2]))
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def head(line: str, *headers: str) -> bytes:
    return "\r\n".join([line, "Host: localhost", *headers]).encode() + b"\r\n\r\n"


async def dribble(writer: asyncio.StreamWriter, piece: Callable[[], bytes], pause_s: float) -> None:
    """Until the other side has had enough."""
    with contextlib.suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(piece())
            await writer.drain()
            await asyncio.sleep(pause_s)


async def is_well(house: House) -> bool:
    async with asyncio.timeout(LIMIT_S):
        return (await house.client().get("//health")).status == 200


async def end_of(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection is closed."""
    got = b""
    async with asyncio.timeout(LIMIT_S):
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65536):
                got += piece
    return got


# ---- slow -----------------------------------------------------------------------------------------------------------


async def test_heads_that_dribble_in_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of a connection, and one after a request that was in order."""
    monkeypatch.setattr(serving, "HEAD_S", 0.5)
    monkeypatch.setattr(serving, "IDLE_S", 0.5)
    async with opened(tmp_path) as house:
        for first in (b"", head("GET /health HTTP/1.1")):
            async with dialled(house) as (reader, writer):
                writer.write(first + b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
                slow = asyncio.create_task(dribble(writer, lambda: b"X-A: b\r\n", 0.05))
                answer = await end_of(reader)
                slow.cancel()
                assert answer.count(b"200 OK") == bool(first)
        assert await is_well(house)


async def test_a_body_that_dribbles_in_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "BODY_READ_S", 0.5)
    monkeypatch.setattr(serving, "LINGER_S", 0.2)
    async with opened(tmp_path) as house:
        async with dialled(house) as (reader, writer):
            words = ("Content-Type: application/json", "Content-Length: 60000")
            writer.write(head("POST /api/v1/sign-in HTTP/1.1", *words))
            slow = asyncio.create_task(dribble(writer, lambda: b" ", 0.05))
            assert (await end_of(reader)).startswith(b"HTTP/1.1 408 ")
            slow.cancel()
        assert await is_well(house)


async def test_an_upload_that_dribbles_in_ends_with_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "LINGER_S", 0.2)
    monkeypatch.setattr(application, "BODY_READ_S", 0.6)
    async with opened(tmp_path) as house:
        boss = await house.signed_in("boss", Role.ADMIN)
        for pause_s, length in ((0.05, "Transfer-Encoding: chunked"), (5.0, "Content-Length: 1000000")):
            async with dialled(house) as (reader, writer):
                writer.write(head("POST /api/v1/lists/uploads HTTP/1.1", *proof(boss), length))
                slow = asyncio.create_task(dribble(writer, lambda: b"1\r\nx\r\n", pause_s))
                if pause_s > 1:
                    answer = await end_of(reader)
                    assert answer.startswith(b"HTTP/1.1 408 "), answer[:80]
                slow.cancel()
        assert await is_well(house)


async def test_who_reads_nothing_is_cut_by_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page's script, which anybody may ask for, and a recording that is opened while it is sent."""
    monkeypatch.setattr(serving, "UNREAD_S", 0.7)
    folder = tmp_path / "recordings"
    folder.mkdir()
    settings = Web(listen="127.0.0.1:0", recordings=str(folder))
    async with opened(tmp_path, settings, privacy=Privacy(plain_recordings=True)) as house:
        book = await filled(house, 2, 1)
        attempt = book.attempts[0].id
        (folder / f"{attempt}.wav").write_bytes(os.urandom(30_000_000))
        ear = await house.program("recordings:see")
        for path in ("/static/vendor/jssip.min.js", f"/api/v1/campaigns/{FIRST}/recordings/{attempt}"):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            before = len(house.served.connections)
            await loop.sock_connect(sock, ("127.0.0.1", int(house.base.rpartition(":")[2])))
            one = head(f"GET {path} HTTP/1.1", f"Authorization: Bearer {ear.token}")
            await loop.sock_sendall(sock, one * (40 if path.startswith("/static") else 1))
            async with asyncio.timeout(LIMIT_S):
                while len(house.served.connections) <= before:  # noqa: ASYNC110 - the kernel tells nobody
                    await asyncio.sleep(0.02)
                while len(house.served.connections) > before:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            sock.close()
        assert await is_well(house)


# ---- huge -----------------------------------------------------------------------------------------------------------


def proof(client: Client) -> list[str]:
    """Who asks, as raw headers."""
    cookies = "; ".join(f"{one.key}={one.value}" for one in client.http.cookie_jar)
    own = [f"Cookie: {cookies}", f"X-CSRF-Token: {client.csrf}"] if cookies else []
    return own + ([f"Authorization: Bearer {client.token}"] if client.token else [])


@pytest.mark.parametrize("path", ["/api/v1/sign-in", "/api/v1/lists/uploads", "/api/v1/payments", "/api/v1/stops"])
@pytest.mark.parametrize("length", ["Content-Length: 10737418240", "Transfer-Encoding: chunked"])
async def test_bodies_without_end_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, length: str
) -> None:
    """Ten gigabytes that are announced, and chunks for ever: refused, and no more than the limit is taken."""
    monkeypatch.setattr(serving, "LINGER_S", 0.3)
    less = [replace(one, body_max=min(one.body_max, 8_000_000)) for one in lists.ROUTES]  # two gigabytes take a minute
    monkeypatch.setattr(lists, "ROUTES", tuple(less))
    async with opened(tmp_path) as house:
        boss = await house.signed_in("boss", Role.ADMIN)
        block = b"x" * 65536
        frame_ = block if "Length" in length else b"10000\r\n" + block + b"\r\n"
        async with dialled(house) as (reader, writer):
            writer.write(head(f"POST {path} HTTP/1.1", *proof(boss), "Content-Type: application/json", length))
            flood = asyncio.create_task(dribble(writer, lambda: frame_, 0.0))
            answer = await end_of(reader)
            flood.cancel()
        if answer:  # reset while it wrote: refused as well
            assert answer[:12] in (b"HTTP/1.1 413", b"HTTP/1.1 401", b"HTTP/1.1 503"), answer[:80]
        if "Length" in length:
            assert answer.startswith(b"HTTP/1.1 413"), answer[:80]
        assert await is_well(house)


async def test_packed_uploads_are_refused_before_they_are_read(house: House) -> None:
    boss = await house.signed_in("boss", Role.ADMIN)
    for coding in ("gzip", "deflate", "br", "zstd", "gzip, gzip", "x"):
        answer = await boss.post("/lists/uploads", b"\x1f\x8b" + b"x" * 100, headers={"Content-Encoding": coding})
        assert (answer.status, answer.kind) == (415, "encoded"), coding


# ---- websockets -----------------------------------------------------------------------------------------------------


def frame(opcode: int, body: bytes, fin: bool = True, masked: bool = True, bits: int = 0, length: int = -1) -> bytes:
    """One frame as RFC 6455 has it, or as it forbids. `length`: what is said instead of the truth."""
    said = len(body) if length < 0 else length
    first = (0x80 if fin else 0) | bits | opcode
    mask = 0x80 if masked else 0
    long = (
        bytes((mask | 126,)) + struct.pack(">H", said)
        if said < 65536
        else bytes((mask | 127,)) + struct.pack(">Q", said)
    )
    size = bytes((mask | said,)) if said < 126 else long
    key = b"\x11\x22\x33\x44" if masked else b""
    worn = bytes(byte ^ key[place % 4] for place, byte in enumerate(body)) if masked else body
    return bytes((first,)) + size + key + worn


TEXT, BINARY, GO_ON, PING = 1, 2, 0, 9
FRAMES: dict[str, Callable[[], bytes]] = {
    "a huge one": lambda: frame(TEXT, b"x" * 200_000),
    "one that says it is endless": lambda: frame(TEXT, b"x" * 100, length=2**62),
    "one that says more than there can be": lambda: frame(TEXT, b"x" * 100, length=2**63 + 5),
    "pieces without end": lambda: frame(TEXT, b"x" * 1000, fin=False) + frame(GO_ON, b"x" * 1000, fin=False) * 100,
    "a piece of nothing": lambda: frame(GO_ON, b"x") * 3,
    "two beginnings": lambda: frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"),
    "no UTF-8": lambda: frame(TEXT, b"\xff\xfe\xfd"),
    "half a UTF-8": lambda: frame(TEXT, b"\xc3", fin=False) + frame(GO_ON, b"\x28"),
    "no mask": lambda: frame(TEXT, b"x" * 200_000, masked=False),
    "reserved bits": lambda: frame(TEXT, b"x", bits=0x70),
    "an unknown kind": lambda: frame(3, b"x"),
    "a long ping": lambda: frame(PING, b"x" * 126),
    "a ping in pieces": lambda: frame(PING, b"x", fin=False),
    "a close that is none": lambda: frame(8, b"\x03"),
    "a close with a code that is none": lambda: frame(8, struct.pack(">H", 5)),
    "nonsense": lambda: os.urandom(5000),
}  # fmt: skip
FLOODS: dict[str, bytes] = {
    "words": frame(TEXT, b'{"type":"resync"}'),
    "bytes": frame(BINARY, b"x"),
    "nothing": frame(TEXT, b""),
    "brackets": frame(TEXT, b"[" * 4000),
    "a list for a name": frame(TEXT, b'{"type":"resync","campaign":[]}'),
}


@asynccontextmanager
async def asterisk() -> AsyncIterator[tuple[int, list[object]]]:
    """Another end for /sip that counts what comes through, and gives the endpoints' passwords a home."""
    came: list[object] = []

    async def ws(request: web.Request) -> web.WebSocketResponse:
        socket_ = web.WebSocketResponse(protocols=("sip",))
        await socket_.prepare(request)
        async for message in socket_:
            came.append(message.data)
        return socket_

    app = web.Application()
    app.router.add_get("/ws", ws)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1], came
    finally:
        await runner.cleanup()


@asynccontextmanager
async def doors(tmp_path: Path) -> AsyncIterator[tuple[House, dict[str, bytes], list[object]]]:
    """A house, the handshakes of both its websockets, and what came through to Asterisk."""
    async with asterisk() as (port, came):
        text = SITE.replace("[asterisk.pbx1]", f'[asterisk.pbx1]\nari = "http://127.0.0.1:{port}/ari"')
        async with opened(tmp_path, settings=text, env={"SANTUN_ARI_PASSWORD": "invented"}) as house:
            await filled(house)
            watcher = await house.program("board:see")
            agent = await house.signed_in("budi", Role.AGENT, "101")
            up = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
            key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
            yield house, {
                "live": head(f"GET /live?campaign={FIRST} HTTP/1.1", *up, key, *proof(watcher)),
                "sip": head("GET /sip HTTP/1.1", *up, key, "Sec-WebSocket-Protocol: sip", *proof(agent)),
            }, came  # fmt: skip


async def shaken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hand: bytes) -> None:
    writer.write(hand)
    async with asyncio.timeout(LIMIT_S):
        answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101 "), answer


@pytest.mark.parametrize("door", ["live", "sip"])
async def test_hostile_frames_end_their_own_socket_alone(tmp_path: Path, door: str) -> None:
    async with doors(tmp_path) as (house, hands, came):
        for what, make in FRAMES.items():
            house.clock.at += 5
            async with dialled(house) as (reader, writer):
                await shaken(reader, writer, hands[door])
                writer.write(make())
                if what in ("one that says it is endless", "reserved bits"):
                    writer.write(b"x" * 100_000)
                try:
                    await end_of(reader)
                except TimeoutError:
                    pytest.fail(f"{what}: it was waited for")
        assert not [one for one in came if one], came
        assert await is_well(house)


@pytest.mark.parametrize("door", ["live", "sip"])
async def test_a_flood_of_frames_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, door: str) -> None:
    monkeypatch.setattr("dialer.web.sip.GOODBYE_S", 0.2)
    async with doors(tmp_path) as (house, hands, came):

        async def flood(frames: bytes) -> None:
            async with dialled(house) as (reader, writer):
                await shaken(reader, writer, hands[door])
                with contextlib.suppress(ConnectionError):
                    for _ in range(40):
                        writer.write(frames * 50)
                        await writer.drain()
                await end_of(reader)

        await asyncio.gather(*(flood(frames) for frames in FLOODS.values()))
        assert len(came) <= 121 * len(FLOODS), "what is let through is counted"
        assert await is_well(house)
