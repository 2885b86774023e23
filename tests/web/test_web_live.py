"""Live updates: what is sent is what was published, each number once, one subscription, and slow readers skip."""

import asyncio
import contextlib
import json
import socket as sockets
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.redis_link import Link
from dialer.users import Role
from dialer.web import live
from dialer.web.live import Board, Hub, Reader, shown
from dialer.web.patch import difference, merged, whole
from tests.patience import PATIENCE
from tests.web.house import EPOCH, House

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
NAMES = st.sampled_from("abcd")
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4))
BOARDS = st.dictionaries(NAMES, VALUES, max_size=4)


@given(BOARDS, BOARDS)
def test_a_patch_makes_the_one_of_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    one, other = whole(before), whole(after)
    patch = json.loads(json.dumps(difference(one, other)))
    assert merged(one, patch) == other
    assert difference(other, other) == {}


def test_a_board_is_shown_by_agent_and_without_what_is_hidden() -> None:
    raw = json.dumps({"campaign": "a", "kept": {"x": 1}, "agents": [{"id": "1001", "state": "idle", "note": None}]})
    assert shown(raw.encode()) == {"campaign": "a", "agents": {"1001": {"id": "1001", "state": "idle"}}}
    for broken in (b"", b"[]", b"\xff", b'{"agents": 5}', b'{"agents": [5]}'):
        assert shown(broken) is None


def test_a_slow_reader_gets_the_newest_and_nothing_grows() -> None:
    hub = Hub(None)  # type: ignore[arg-type] # nothing is asked of it
    board, slow = Board("a"), Reader({"a": -1})
    hub._boards["a"] = board
    board.take({"n": 0}, EPOCH)
    assert json.loads(hub.frames(slow)[0])["type"] == "snapshot"
    board.take({"n": 1}, EPOCH)
    [delta] = hub.frames(slow)
    assert json.loads(delta) == {"type": "delta", "campaign": "a", "seq": 2, "at": EPOCH, "data": {"n": 1}}
    for number in range(100_000):
        board.take({"n": number}, EPOCH)
    [frame] = hub.frames(slow)
    assert (json.loads(frame)["type"], json.loads(frame)["data"]) == ("snapshot", {"n": 99_999})
    assert hub.frames(slow) == []
    for number in range(100):
        slow.messages.append(b"%d" % number)
    assert len(hub.frames(slow)) == live.MESSAGES_KEPT


# ---- on a real Redis ------------------------------------------------------------------------------------------------

pytestmark = pytest.mark.redis


async def heard(socket: ClientWebSocketResponse, limit_s: float = 5.0) -> dict[str, Any]:
    """The next message that is no beat."""
    async with asyncio.timeout(limit_s * PATIENCE):
        while True:
            message = await socket.receive()
            assert message.type is WSMsgType.TEXT, message
            told: dict[str, Any] = json.loads(message.data)
            if told["type"] != "beat":
                return told


async def heard_until(socket: ClientWebSocketResponse, good: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first message that is as wanted."""
    while not good(told := await heard(socket)):
        pass
    return told


class Engine:
    """Publishes as the engine does."""

    def __init__(self, house: House) -> None:
        self.store = house.store
        self.link = Link(house.redis.url)

    async def board(self, campaign: str, **data: Any) -> None:
        token = await self.store.lead(campaign, "engine", 60_000)
        assert token is not None
        raw = json.dumps({"campaign": campaign, "agents": [], "kept": {}} | data).encode()
        await self.store.publish(campaign, token, raw)

    async def desk(self, agent: str, note: dict[str, Any]) -> None:
        raw = json.dumps(note)
        key = f"{{a:{agent}}}:desk"
        await self.link.run([("SET", key, raw), ("PUBLISH", key, raw)])

    async def subscribers(self, channel: str) -> int:
        return int((await self.link.one(("PUBSUB", "NUMSUB", channel)))[1])

    async def until_subscribers(self, channel: str, count: int) -> None:
        async with asyncio.timeout(60):
            while await self.subscribers(channel) != count:  # noqa: ASYNC110 - Redis tells nobody
                await asyncio.sleep(0.02)


@pytest.fixture
async def engine(house: House) -> Any:
    engine = Engine(house)
    yield engine
    await engine.link.close()


async def test_a_board_from_snapshot_to_delta(house: House, engine: Engine) -> None:
    await engine.board("april", lines=1, agents=[{"id": "1001", "state": "idle"}, {"id": "1002", "state": "idle"}])
    program = await house.program("board:see")
    async with program.live("campaign=april") as socket:
        first = await heard(socket)
        assert (first["type"], first["data"]["lines"]) == ("snapshot", 1)
        assert "kept" not in first["data"]
        await engine.until_subscribers("{april}:live", 1)
        await engine.board("april", lines=2, agents=[{"id": "1001", "state": "talking"}])
        delta = await heard_until(socket, lambda told: told["data"] != {})
        assert (delta["type"], delta["seq"]) == ("delta", first["seq"] + 1)
        assert delta["data"] == {"lines": 2, "agents": {"1001": {"state": "talking"}, "1002": None}}
        await socket.send_json({"type": "resync"})
        again = await heard(socket)
        assert (again["type"], again["seq"]) == ("snapshot", delta["seq"])
        assert again["data"] == merged(first["data"], delta["data"])


async def test_one_subscription_however_many_browsers(house: House, engine: Engine) -> None:
    await engine.board("april", lines=1)
    program = await house.program("board:see")
    async with program.live("campaign=april") as one, program.live("campaign=april&campaign=may") as other:
        first = await heard(one)
        assert (await heard_until(other, lambda told: told["campaign"] == "april"))["data"] == first["data"]
        await engine.until_subscribers("{april}:live", 1)
        await engine.until_subscribers("{may}:live", 1)
        await engine.board("may", lines=7)  # nobody led it when they asked
        await heard_until(other, lambda told: told["campaign"] == "may" and told["data"].get("lines") == 7)
    await engine.until_subscribers("{april}:live", 0)
    await engine.until_subscribers("{may}:live", 0)


async def test_a_desk_is_ones_own(house: House, engine: Engine) -> None:
    await engine.desk("1001", {"note": "state", "agent": "1001", "state": "idle", "seq": 1})
    budi = await house.signed_in("budi", Role.AGENT, "1001")
    async with budi.live("desk=1") as socket:
        first = await heard(socket)
        assert (first["type"], first["note"]["state"]) == ("desk", "idle")  # the last one, at once
        await engine.until_subscribers("{a:1001}:desk", 1)
        await engine.desk("1001", {"note": "state", "agent": "1002", "state": "talking", "seq": 2})  # never
        await engine.desk("1001", {"note": "message", "agent": "1001", "text": "lunch", "seq": 3})
        told = await heard_until(socket, lambda told: told["note"] != first["note"])
        assert told["note"]["text"] == "lunch"
    for query, status in (("campaign=april", 403), ("", 400), ("campaign=April", 400)):
        with pytest.raises(WSServerHandshakeError) as refused:
            async with budi.live(query):
                pass
        assert refused.value.status == status
    boss = await house.signed_in("sari", Role.SUPERVISOR)
    with pytest.raises(WSServerHandshakeError):
        async with boss.live("desk=1"):  # no extension
            pass
    with pytest.raises(WSServerHandshakeError):
        async with house.client().live("campaign=april"):
            pass


async def test_pages_of_others_get_no_socket(house: House) -> None:
    budi = await house.signed_in("budi", Role.AGENT, "1001")
    with pytest.raises(WSServerHandshakeError) as refused:
        async with budi.http.ws_connect(f"{house.base}/live?desk=1", headers={"Origin": "http://evil.example"}):
            pass
    assert refused.value.status == 403


async def test_the_socket_ends_with_the_session(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SESSION_LOOK_S", 0.1)
    budi = await house.signed_in("budi", Role.AGENT, "1001")
    async with budi.live("desk=1") as socket:
        await house.office.sessions.close_all("budi")
        async with asyncio.timeout(60):
            while (message := await socket.receive()).type is WSMsgType.TEXT:
                pass
        assert (message.type, message.data) == (WSMsgType.CLOSE, live.ENDED)


async def test_it_goes_on_after_redis_was_away(house: House, engine: Engine) -> None:
    """A subscription that was cut is made again, and what was missed meanwhile is looked up."""
    await engine.board("april", lines=1)
    program = await house.program("board:see")
    async with program.live("campaign=april") as socket:
        await heard(socket)
        await engine.until_subscribers("{april}:live", 1)
        await engine.link.one(("CLIENT", "KILL", "TYPE", "pubsub"))
        await engine.board("april", lines=2)
        await heard_until(socket, lambda told: told["data"].get("lines") == 2)
        await engine.until_subscribers("{april}:live", 1)


async def test_who_does_not_read_is_cut(house: House, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SEND_S", 0.3)
    await engine.board("april", lines=1)
    program = await house.program("board:see")
    raw = sockets.create_connection(("127.0.0.1", house.served.port))
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    head = (
        f"GET /live?campaign=april HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {program.token}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    raw.sendall(head.encode())
    try:
        async with asyncio.timeout(60):
            while not house.office.live.readers:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)
            number = 0
            while house.office.live.readers:
                number += 1
                await engine.board("april", lines=number, text=f"{number} " * 50_000)  # another one each time
                await asyncio.sleep(0.02)
    finally:
        raw.close()
    assert number < 400
    async with program.live("campaign=april") as socket:  # others are served as before
        assert (await heard(socket))["data"]["lines"] == number


async def test_sockets_end_when_the_process_goes(house: House) -> None:
    budi = await house.signed_in("budi", Role.AGENT, "1001")
    async with budi.live("desk=1") as socket:
        house.office.live.close()
        async with asyncio.timeout(60):
            while (message := await socket.receive()).type is WSMsgType.TEXT:
                pass
        assert (message.type, message.data) == (WSMsgType.CLOSE, live.GOING)


async def test_one_session_has_only_so_many_sockets(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SOCKETS_MAX", 2)
    budi, other = await house.signed_in("budi", Role.AGENT, "1001"), await house.signed_in("citra", Role.AGENT, "1002")
    async with budi.live("desk=1"), other.live("desk=1"):
        async with budi.live("desk=1"):
            with pytest.raises(WSServerHandshakeError) as refused:
                async with budi.live("desk=1"):
                    pass
            assert refused.value.status == 429
        async with asyncio.timeout(60):
            while True:  # the one that was closed makes room
                with contextlib.suppress(WSServerHandshakeError):
                    async with budi.live("desk=1"):
                        break
                await asyncio.sleep(0.02)
