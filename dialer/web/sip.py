"""Agents' soft-phones: one-time SIP passwords, and a pipe from each agent's page to his Asterisk's websocket."""

import asyncio
import base64
import contextlib
import hmac
import re
import secrets
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import aiohttp
import structlog
from aiohttp import web

from dialer.dialplan import endpoint
from dialer.errors import DialerError
from dialer.web.access import Who
from dialer.web.doors import Office
from dialer.web.guard import tell_faults
from dialer.web.problems import Problem

log = structlog.get_logger(__name__)

REALM = "santun"
TAKEN, NO_ASTERISK, KICKED, TOO_MUCH = 4001, 4002, 4003, 4008  # close codes; js/softphone.js knows the first and third
MESSAGE_MAX = 16 * 1024
PER_S, BURST = 30.0, 120.0  # messages from a page
HEARTBEAT_S = 15.0  # a closed lid is noticed after one and a half
SESSION_LOOK_S = 10.0
SWEEP_S = 120.0  # a page that does not come back: its password goes
CONNECT_S = 3.0
GOODBYE_S = 2.0  # a page that floods does not answer a close
TURN_S = 12 * 3600
_GOODBYE = aiohttp.ClientWSTimeout(ws_close=0.2)  # Asterisk does not answer a websocket's close

_START = re.compile(r"([A-Z]+) \S+ SIP/2\.0\r?")
_FROM, _TO = (re.compile(rf"^(?:{names})[ \t]*:([^\r\n]*)", re.I | re.M) for names in ("From|f", "To|t"))
_USER = re.compile(r"\bsips?:([^@;>\s]*)@", re.I)
_TAGGED = re.compile(r";[ \t]*tag=", re.I)
_IN_CALL = frozenset({"ACK", "BYE", "CANCEL", "INFO", "INVITE", "UPDATE", "PRACK"})


def may_send(text: str, user: str) -> bool:
    """Whether a page may send this: its own registration, answers, and what belongs to a call that it was given."""
    if text.startswith("SIP/2.0 ") or not text.strip():  # an answer; two empty lines keep the link open
        return True
    start = _START.match(text)
    whose, whom = _FROM.findall(text), _TO.findall(text)
    if start is None or len(whose) != 1 or len(whom) != 1:
        return False
    if start[1] == "REGISTER":
        return (
            _USER.findall(whose[0]) == [user] == _USER.findall(whom[0])
        )  # one address each: no name that looks like one
    return start[1] in _IN_CALL and bool(_TAGGED.search(whom[0]))


def ice_servers(turn: Sequence[str], secret: str, agent: str, at: float) -> list[dict[str, str]]:
    """As a browser wants them. A TURN server with the same secret (coturn: use-auth-secret) lets him in for a shift."""
    name = f"{int(at + TURN_S)}:{agent}"
    proof = base64.b64encode(hmac.digest(secret.encode(), name.encode(), "sha1")).decode()
    known = {"username": name, "credential": proof} if secret else {}
    return [{"urls": one} | (known if one.startswith("turn") else {}) for one in turn]


class Telephone(Protocol):
    """Who knows passwords: one Asterisk node."""

    async def push(self, agent: str, password: str) -> None: ...
    async def take_away(self, agent: str) -> None: ...


@dataclass(frozen=True, slots=True)
class PhoneNode:
    """One Asterisk for browsers. `turn`: STUN and TURN servers for agents at home; `relay`: by TURN alone."""

    telephone: Telephone
    websocket: str
    turn: tuple[str, ...] = ()
    turn_secret: str = ""
    relay: bool = False
    tls: ssl.SSLContext | None = None  # for wss; none: by the system's CAs


@dataclass(slots=True)
class Allowance:
    """So many at once, then so many a second."""

    left: float = BURST
    at: float = 0.0

    def take(self, at: float) -> bool:
        """Whether one more may come; `at` in seconds that never jump."""
        self.left = min(BURST, self.left + max(0.0, at - self.at) * PER_S)
        self.at = at
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(eq=False, slots=True)
class Pipe:
    """One page's websocket and Asterisk's."""

    agent: str
    page: web.WebSocketResponse
    allowance: Allowance = field(default_factory=Allowance)


class SoftPhones:
    """Of one web process. `node_of`: where an agent works; `why`: a failed link in words. Close it after use."""

    def __init__(
        self, nodes: Mapping[str, PhoneNode], node_of: Callable[[str], str], why: Callable[[BaseException], str]
    ) -> None:
        self.nodes: Final = nodes
        self._node_of, self._why = node_of, why
        self._pipes: dict[str, set[Pipe]] = {}
        self._client: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False

    def node(self, agent: str) -> PhoneNode:
        """Where his calls come from. Raises Problem 409 where it has nothing for browsers."""
        name = self._node_of(agent)
        node = self.nodes.get(name)
        if node is None:
            raise Problem(
                409, "no_browser_phones", f"Asterisk {name} has no ari: set [asterisk.{name}] ari for browsers."
            )
        return node

    async def give(self, agent: str) -> str:
        """A new password of his, shown once; pages that had another are told that somebody took his desk."""
        node, password = self.node(agent), secrets.token_urlsafe(24)
        await node.telephone.push(agent, password)
        await self.close(agent, TAKEN)
        return password

    async def take_away(self, agent: str) -> None:
        """He is signed out: no password, no pipe."""
        try:
            await self.node(agent).telephone.take_away(agent)
        finally:
            await self.close(agent, KICKED)

    def is_open(self, agent: str) -> bool:
        """Whether a page of his has its pipe here."""
        return bool(self._pipes.get(agent))

    async def close(self, agent: str, code: int) -> None:
        """End his pipes."""
        for pipe in self._pipes.pop(agent, set()):
            self._do(_close(pipe.page, code))  # a page that sleeps must not keep us waiting

    async def shut(self) -> None:
        """The process ends; passwords stay, for the pages to come back to another."""
        for agent in list(self._pipes):
            await self.close(agent, aiohttp.WSCloseCode.GOING_AWAY)
        self._ended = True
        await asyncio.sleep(0)  # the farewells are on their way before they are given up
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    async def pipe(
        self, request: web.Request, agent: str, still: Callable[[], Awaitable[bool]]
    ) -> web.WebSocketResponse:
        """Until one side closes, or `still` (asked now and then: is he signed in?) says no."""
        node, page = self.node(agent), web.WebSocketResponse(
            protocols=("sip",), heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_MAX, compress=False, timeout=GOODBYE_S
        )  # fmt: skip
        if "sip" not in request.headers.get("Sec-WebSocket-Protocol", ""):
            raise Problem(400, "no_sip", "This websocket speaks sip.")
        await page.prepare(request)
        pipe = Pipe(agent, page)
        try:
            async with asyncio.timeout(CONNECT_S):
                asterisk = await self._http().ws_connect(
                    node.websocket,
                    protocols=("sip",),
                    max_msg_size=4 * MESSAGE_MAX,
                    timeout=_GOODBYE,
                    ssl=node.tls or True,
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning(
                "Asterisk's websocket cannot be reached", action="sip", agent=agent, websocket=node.websocket,
                error=self._why(error),
            )  # fmt: skip
            await page.close(code=NO_ASTERISK)
            return page
        self._pipes.setdefault(agent, set()).add(pipe)
        try:
            await self._run(pipe, asterisk, still)
        finally:
            self._pipes.get(agent, set()).discard(pipe)
            await asterisk.close()
            if not page.closed:
                await page.close(code=NO_ASTERISK)
            self._do(self._sweep(agent))
        return page

    async def _run(
        self, pipe: Pipe, asterisk: aiohttp.ClientWebSocketResponse, still: Callable[[], Awaitable[bool]]
    ) -> None:
        ways = {
            asyncio.create_task(_up(pipe, asterisk)),
            asyncio.create_task(_down(asterisk, pipe.page)),
            asyncio.create_task(self._guard(pipe, still)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            tell_faults(await asyncio.gather(*ways, return_exceptions=True), "/sip")

    async def _guard(self, pipe: Pipe, still: Callable[[], Awaitable[bool]]) -> None:
        while True:
            await asyncio.sleep(SESSION_LOOK_S)
            with contextlib.suppress(DialerError):  # Redis is away: nobody is thrown out for that
                if not await still():
                    await pipe.page.close(code=KICKED)
                    return

    async def _sweep(self, agent: str) -> None:
        """His page did not come back: nobody needs the password."""
        await asyncio.sleep(SWEEP_S)
        if not self.is_open(agent):
            with contextlib.suppress(DialerError, Problem):
                await self.node(agent).telephone.take_away(agent)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        if self._ended:
            work.close()
            return
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _http(self) -> aiohttp.ClientSession:
        if self._client is None:
            self._client = aiohttp.ClientSession()
        return self._client


def socket(
    phones: SoftPhones, still_there: Callable[[web.Request], Awaitable[object]]
) -> Callable[[web.Request, Who, Office], Awaitable[web.StreamResponse]]:
    """The handler of /sip. `still_there`: gives None or raises Problem when the request's session has ended."""

    async def run(request: web.Request, who: Who, office: Office) -> web.StreamResponse:
        async def still() -> bool:
            try:
                return await still_there(request) is not None
            except Problem:
                return False

        return await phones.pipe(request, who.agent, still)

    return run


async def _up(pipe: Pipe, asterisk: aiohttp.ClientWebSocketResponse) -> None:
    user, loop = endpoint(pipe.agent), asyncio.get_running_loop()
    async for message in pipe.page:
        if not pipe.allowance.take(loop.time()):
            log.warning("too many SIP messages", action="sip", agent=pipe.agent)
            await pipe.page.close(code=TOO_MUCH)
            return
        if message.type is not aiohttp.WSMsgType.TEXT:
            continue
        if not may_send(message.data, user):
            log.warning("a SIP message was not let through", action="sip", agent=pipe.agent, start=message.data[:12])
            continue
        await asterisk.send_str(message.data)


async def _down(asterisk: aiohttp.ClientWebSocketResponse, page: web.WebSocketResponse) -> None:
    async for message in asterisk:
        if message.type is aiohttp.WSMsgType.TEXT:
            await page.send_str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:  # Asterisk sends SIP so, where it is not plain UTF-8
            await page.send_bytes(message.data)


async def _close(page: web.WebSocketResponse, code: int) -> None:
    await page.close(code=code)
