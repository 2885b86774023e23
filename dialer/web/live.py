"""The /live WebSocket: boards as a snapshot and numbered deltas, an agent's desk notes; slow readers skip, never queue.

`/live?campaign=april` (more than once for several), `/live?desk=1` (one's own desk); each message is a JSON object:
    {type: snapshot, campaign, seq, at, data}    the whole board; `agents` is an object by agent id
    {type: delta, campaign, seq, at, data}       a merge patch for the one before; one that misses a number
                                                 sends {type: resync} (or {type: resync, campaign}) and gets a snapshot
    {type: desk, at, note}                       a note or message (dialer/floor/desknote.py); the last note first
    {type: beat, at}                             nothing new, but alive
Closed with 4401 when the session ended, 4403 where a right is missing, 4408 when nothing could be sent for too long.
"""

import asyncio
import contextlib
import json
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from aiohttp import WSMsgType, web

from dialer.errors import StoreError
from dialer.model import CAMPAIGN_ID
from dialer.web.access import Right, Who
from dialer.web.alerts import alerts
from dialer.web.doors import Office
from dialer.web.guard import tell_faults
from dialer.web.patch import difference, whole
from dialer.web.problems import Problem

log = structlog.get_logger(__name__)

HIDDEN = frozenset({"kept"})  # for the next leader, not for people
BEAT_S = 4.0
SEND_S = 10.0
SESSION_LOOK_S = 30.0
CAMPAIGNS_MAX = 50
SOCKETS_MAX = 20  # of one session or token
MESSAGES_KEPT = 20  # of one reader who does not read
HEARD_MAX = 4096
ENDED, FORBIDDEN, TOO_SLOW, TOO_MUCH, GOING = 4401, 4403, 4408, 4429, 1001
SAID_PER_S, SAID_BURST = 2.0, 20.0  # what a page may say
encode = msgspec.json.Encoder().encode


class _Said(msgspec.Struct):
    """What a page says; what else stands in it is passed over."""

    type: str = ""
    campaign: str | None = None


_SAID = msgspec.json.Decoder(_Said).decode


def shown(raw: bytes) -> dict[str, Any] | None:
    """A published board as it is sent: nothing hidden, agents by id; None: it makes no sense."""
    try:
        board = msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    agents = board.get("agents", [])
    if not isinstance(agents, list) or not all(isinstance(one, dict) and "id" in one for one in agents):
        return None
    seen = {name: value for name, value in board.items() if name not in HIDDEN}
    result: dict[str, Any] = whole(seen | {"agents": {str(one["id"]): one for one in agents}})
    return result


@dataclass(slots=True, eq=False)
class Board:
    """One campaign as this process knows it. Frames are made once, however many read them."""

    campaign: str
    seq: int = 0
    at: float = 0.0
    data: dict[str, Any] = field(default_factory=dict)
    delta: bytes = b""  # from seq - 1 to seq
    readers: set["Reader"] = field(default_factory=set)
    _whole: bytes = b""

    def take(self, data: dict[str, Any], at: float) -> None:
        """What was published last."""
        patch = difference(self.data, data)
        self.seq += 1
        self.data, self.at, self._whole = data, at, b""
        self.delta = self._frame("delta", patch)

    def snapshot(self) -> bytes:
        """All of it, encoded at the first call."""
        if not self._whole:
            self._whole = self._frame("snapshot", self.data)
        return self._whole

    def _frame(self, kind: str, data: dict[str, Any]) -> bytes:
        return encode({"type": kind, "campaign": self.campaign, "seq": self.seq, "at": self.at, "data": data})


@dataclass(slots=True, eq=False)
class Reader:
    """One socket: which boards it reads, up to which number it has them, and what waits for it."""

    boards: dict[str, int] = field(default_factory=dict)  # campaign -> seq that was sent; -1: wants a snapshot
    desk: str = ""
    note: bytes = b""  # the newest alone: each is whole
    messages: deque[bytes] = field(default_factory=lambda: deque(maxlen=MESSAGES_KEPT))
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    code: int = 0  # why it is to be closed

    def close(self, code: int) -> None:
        """Soon."""
        self.code = self.code or code
        self.woken.set()


class Hub:
    """Hears once what the engine publishes, and tells all who read it."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._boards: dict[str, Board] = {}
        self._desks: dict[str, set[Reader]] = {}
        self._readers: set[Reader] = set()
        self._sockets: Counter[str] = Counter()  # by whose they are

    async def run(self) -> None:
        """Until cancelled."""
        async with contextlib.aclosing(self._office.ear.heard()) as heard:
            async for kind, name, raw in heard:
                try:
                    await self._hear(kind, name, raw)
                except StoreError as error:
                    log.warning("live updates cannot be read", action="live_missed", reason=str(error))

    def close(self) -> None:
        """Every socket ends: the process goes."""
        for reader in self._readers:
            reader.close(GOING)

    @property
    def readers(self) -> int:
        """How many sockets are open."""
        return len(self._readers)

    @contextlib.contextmanager
    def room_for(self, whose: str) -> Iterator[None]:
        """One more socket of somebody. Raises Problem 429 where he has many."""
        if self._sockets[whose] >= SOCKETS_MAX:
            raise Problem(429, "too_many_sockets", f"At most {SOCKETS_MAX} live sockets of one session or token.")
        self._sockets[whose] += 1
        try:
            yield
        finally:
            self._sockets[whose] -= 1
            if not self._sockets[whose]:
                del self._sockets[whose]

    async def join(self, reader: Reader, campaigns: list[str], desk: str) -> None:
        """Read these from now on. Raises StoreError."""
        self._readers.add(reader)
        for campaign in campaigns:
            reader.boards[campaign] = -1
            board = self._boards.get(campaign)
            if board is None:
                board = self._boards[campaign] = Board(campaign)
                board.readers.add(reader)
                await self._office.ear.want("board", campaign)
            board.readers.add(reader)
            if not board.seq:
                self._board(campaign, await self._office.ear.last("board", campaign))
        if desk:
            reader.desk = desk
            self._desks.setdefault(desk, set()).add(reader)
            await self._office.ear.want("desk", desk)
            self._note(desk, await self._office.ear.last("desk", desk), reader)
        reader.woken.set()

    async def leave(self, reader: Reader) -> None:
        """It reads no more; what nobody reads is not heard any more."""
        self._readers.discard(reader)
        for campaign in reader.boards:
            board = self._boards.get(campaign)
            if board is not None:
                board.readers.discard(reader)
                if not board.readers:
                    del self._boards[campaign]
                    await self._office.ear.leave("board", campaign)
        mine = self._desks.get(reader.desk)
        if mine is not None:
            mine.discard(reader)
            if not mine:
                del self._desks[reader.desk]
                await self._office.ear.leave("desk", reader.desk)

    def frames(self, reader: Reader) -> list[bytes]:
        """What it has not got yet; a reader who is one behind gets the delta, any other the whole."""
        found: list[bytes] = []
        if reader.note:
            found.append(reader.note)
            reader.note = b""
        while reader.messages:
            found.append(reader.messages.popleft())
        for campaign, seq in reader.boards.items():
            board = self._boards.get(campaign)
            if board is not None and seq != board.seq:
                found.append(board.delta if board.delta and seq == board.seq - 1 >= 0 else board.snapshot())
                reader.boards[campaign] = board.seq
        return found

    async def _hear(self, kind: str, name: str, raw: bytes | None) -> None:
        if raw is None:
            raw = await self._office.ear.last(kind, name)
        if kind == "board":
            self._board(name, raw)
        else:
            for reader in self._desks.get(name, ()):
                self._note(name, raw, reader)

    def _board(self, campaign: str, raw: bytes | None) -> None:
        board = self._boards.get(campaign)
        data = shown(raw) if raw is not None else None
        if board is None:
            return
        if data is not None:
            at = self._office.clock.now()
            data["alerts"] = alerts(data, at)
            if data != board.data:
                board.take(data, at)
        for reader in board.readers:
            reader.woken.set()

    def _note(self, agent: str, raw: bytes | None, reader: Reader) -> None:
        try:
            note = json.loads(raw) if raw else None
        except ValueError:
            note = None
        if not isinstance(note, dict) or str(note.get("agent", "")) != agent:
            return  # of somebody else: never
        frame = encode({"type": "desk", "at": self._office.clock.now(), "note": note})
        if note.get("note") == "state":
            reader.note = frame
        else:
            reader.messages.append(frame)
        reader.woken.set()


Again = Callable[[web.Request], Awaitable[object]]


def socket(hub: Hub, still_there: Again) -> Callable[[web.Request, Who, Office], Awaitable[web.StreamResponse]]:
    """The handler of /live. `still_there`: gives None or raises Problem when the request's session has ended."""

    async def run(request: web.Request, who: Who, office: Office) -> web.StreamResponse:
        campaigns, desk = _wanted(request, who)
        with hub.room_for(who.key):
            return await _serve(hub, request, office, campaigns, desk, still_there)

    return run


async def _serve(
    hub: Hub, request: web.Request, office: Office, campaigns: list[str], desk: str, still_there: Again
) -> web.WebSocketResponse:  # fmt: skip
    ws = web.WebSocketResponse(heartbeat=20.0, max_msg_size=4096, compress=False)
    await ws.prepare(request)
    reader = Reader()
    try:
        await hub.join(reader, campaigns, desk)
        await _together(_write(ws, hub, reader, office), _read(ws, hub, reader), _watch(request, reader, still_there))
    except StoreError as error:
        log.warning("live updates cannot be read", action="live_missed", reason=str(error))
    finally:
        await asyncio.shield(_gone(hub, reader))
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(2):
                await ws.close(code=reader.code or GOING)
    return ws


def _wanted(request: web.Request, who: Who) -> tuple[list[str], str]:
    campaigns = list(dict.fromkeys(request.query.getall("campaign", [])))
    if len(campaigns) > CAMPAIGNS_MAX or not all(CAMPAIGN_ID.fullmatch(one) for one in campaigns):
        raise Problem(400, "bad_query", f"campaign: use at most {CAMPAIGNS_MAX} campaign ids.")
    if campaigns and not who.may(Right.BOARD_SEE):
        raise Problem(403, "not_allowed", f"This needs the right {Right.BOARD_SEE.value}.")
    wants_desk = request.query.get("desk", "") == "1"
    if wants_desk and not who.may(Right.DESK):
        raise Problem(403, "not_allowed", "Only an agent has a desk.")
    if not campaigns and not wants_desk:
        raise Problem(400, "bad_query", "Name a campaign, or desk=1.")
    return campaigns, who.agent if wants_desk else ""


async def _gone(hub: Hub, reader: Reader) -> None:
    try:
        await hub.leave(reader)
    except StoreError as error:
        log.warning("a channel could not be left", action="live_missed", reason=str(error))


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """Until one of them ends."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        tell_faults(await asyncio.gather(*tasks, return_exceptions=True), "/live")


async def _write(ws: web.WebSocketResponse, hub: Hub, reader: Reader, office: Office) -> None:
    while not reader.code:
        frames = hub.frames(reader) or [encode({"type": "beat", "at": office.clock.now()})]
        try:
            async with asyncio.timeout(SEND_S):
                for frame in frames:
                    await ws.send_frame(frame, WSMsgType.TEXT)
        except TimeoutError:
            reader.code = TOO_SLOW
            return
        except ConnectionError:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEAT_S):
                await reader.woken.wait()
        reader.woken.clear()


async def _read(ws: web.WebSocketResponse, hub: Hub, reader: Reader) -> None:
    clock = asyncio.get_running_loop().time
    left, at = SAID_BURST, clock()
    async for message in ws:
        now = clock()
        left, at = min(SAID_BURST, left + (now - at) * SAID_PER_S) - 1, now
        if left < 0:  # each may ask for a whole board
            reader.close(TOO_MUCH)
            return
        if message.type is not WSMsgType.TEXT:
            continue
        try:
            said = _SAID(message.data)
        except (msgspec.DecodeError, RecursionError):
            return
        if said.type == "resync":
            for name in [said.campaign] if said.campaign in reader.boards else list(reader.boards):
                reader.boards[name] = -1
            reader.woken.set()


async def _watch(request: web.Request, reader: Reader, still_there: Again) -> None:
    while True:
        await asyncio.sleep(SESSION_LOOK_S)
        try:
            if await still_there(request) is None:
                reader.close(ENDED)
        except Problem:
            reader.close(ENDED)
        except StoreError:
            continue  # not known: look again
