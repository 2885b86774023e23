"""Both websockets under invented frames: nothing forbidden reaches Asterisk, a neighbour goes on, no fault of ours."""

import asyncio
import contextlib
import json
import random
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from dialer.web import live
from dialer.web.sip import may_send
from tests.web.test_hardening import BINARY, GO_ON, PING, TEXT, dialled, doors, end_of, frame, is_well, shaken
from tests.web.test_sip import request

pytestmark = pytest.mark.redis
AT_ONCE, TURNS = 8, 6
HANGS_UP_S = 1.0
CLOSE = frame(8, b"\x03\xe8")
ME, OTHER = "agent101", "agent102"
WORDS = (
    "resync",
    "type",
    "campaign",
    "april",
    "desk",
    "",
    "\0",
    "\ud7ff",
    "'; DROP",
    "../",
    "0" * 300,
    "sip:agent102@x",
)


def value(chance: random.Random, depth: int = 0) -> object:
    """Any JSON."""
    plain: list[object] = [None, True, -1, 2**70, 1e308, chance.choice(WORDS), chance.random()]
    kind = chance.randrange(4) if depth < 4 else 0
    if kind == 1:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind == 2:
        return {chance.choice(WORDS): value(chance, depth + 1) for _ in range(chance.randrange(4))}
    return chance.choice(plain)


def spoken(chance: random.Random) -> bytes:
    """As our own pages would say it, more or less."""
    methods = ("REGISTER", "INVITE", "BYE", "MESSAGE", "REFER", "SUBSCRIBE", "OPTIONS")
    who, whom = chance.choice((ME, OTHER, "x")), chance.choice((ME, OTHER))
    sip = request(
        chance.choice(methods), who, whom, chance.choice(("", ";tag=b")), chance.choice(("", "f: <sip:agent102@x>\r\n"))
    )
    said = bytearray(
        chance.choice(
            [
                json.dumps({"type": "resync", "campaign": value(chance)}).encode(),
                json.dumps(value(chance)).encode(),
                b"[" * chance.randrange(1, 4000),
                b'{"x":' * chance.randrange(1, 700),
                sip.encode(),
                sip.replace("\r\n", chance.choice(("\n", "\r", "\r\n ", "\r\n\r\n"))).encode(),
                chance.randbytes(chance.randrange(200)),
            ]
        )
    )
    for _ in range(chance.choice((0, 0, 1, 5))):
        if said:
            said[chance.randrange(len(said))] = chance.randrange(256)
    return bytes(said)


def frames(chance: random.Random, door: str) -> bytes:
    """Some, of which each may break each rule of a frame; the first is one that the door takes."""
    found = frame(TEXT, b'{"type":"resync"}' if door == "live" else request("REGISTER", ME, ME).encode())
    for _ in range(chance.randrange(1, 10)):
        body = spoken(chance)
        odd = chance.random() < 0.3
        found += frame(
            chance.choice((TEXT, TEXT, TEXT, BINARY, GO_ON, PING, 10, 3, 11)) if odd else TEXT,
            body,
            fin=not odd or chance.random() < 0.7,
            masked=not odd or chance.random() < 0.8,
            length=chance.choice((-1, -1, len(body) // 2, 2**40)) if odd else -1,
            bits=chance.choice((0, 0, 0x40, 0x20)) if odd else 0,
        )
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("door", ["live", "sip"])
async def test_invented_frames_harm_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, door: str, seed: int
) -> None:
    monkeypatch.setattr("dialer.web.sip.GOODBYE_S", 0.2)
    monkeypatch.setattr(live, "SAID_BURST", 1000.0)  # it is to read all of it
    faults: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.append(str(context)))
    with capture_logs() as logs:
        async with doors(tmp_path) as (house, hands, came):

            async def one(chance: random.Random) -> None:
                async with dialled(house) as (reader, writer):
                    await shaken(reader, writer, hands[door])
                    with contextlib.suppress(ConnectionError, TimeoutError):
                        writer.write(frames(chance, door) + CLOSE)
                        await writer.drain()
                        async with asyncio.timeout(HANGS_UP_S):  # a length that lies may have swallowed the end
                            await end_of(reader)

            async with dialled(house) as (reader, writer):  # who does no harm
                await shaken(reader, writer, hands["live"])
                for turn in range(TURNS):
                    house.clock.at += 60
                    await asyncio.gather(*(one(random.Random(f"{seed} {turn} {n}")) for n in range(AT_ONCE)))
                writer.write(frame(TEXT, b'{"type":"resync"}') + frame(PING, b"still there"))
                async with asyncio.timeout(30):
                    await reader.readuntil(b"still there")
            assert await is_well(house)
    assert [one for one in came if isinstance(one, str) and not may_send(one, ME)] == []
    assert door == "live" or came, "what is allowed went through"
    assert [one for one in logs if one["action"] in ("bug", "request_failed")] == []
    assert faults == []
