"""The manager link to one Asterisk (ports.Telephony): panoramisk, one Manager per session, kept up by a loop of ours.

Why a Manager never lives longer than its session: panoramisk's own reconnect sends every unanswered action again, and a
second Originate calls a debtor twice. Here an action whose session goes fails with LinkDown and is never sent again.

It leans on these internals of panoramisk 1.4: AMIProtocol.data_received, .handle_message, .close, .connection_lost,
.responses; Manager.connection_made, .connection_lost, .dispatch, .login, .ping.
"""

import asyncio
import logging
import random
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import structlog
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager
from panoramisk.message import Message

from dialer.adapters import ami_words
from dialer.errors import AckTimeout, ActionRefused, LinkDown, TelephonyError
from dialer.mask import mask_text
from dialer.model import Event, LiveChannel, Order, Seen
from dialer.ports import Clock, LinkHealth

_END = b"\r\n\r\n"
_REST_MAX = 1 << 20  # bytes without an end of message: whoever talks there is no Asterisk
_STEADY_S = 10.0  # a session that lasted this long starts the back-off anew
_WINDOW_S = 60.0

# panoramisk logs whole actions, secret and numbers included; what matters is logged here
_PANORAMISK_LOG = logging.getLogger("dialer.panoramisk")
_PANORAMISK_LOG.addHandler(logging.NullHandler())
_PANORAMISK_LOG.propagate = False

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AmiSettings:
    """Where the manager interface is, and how long to wait for what."""

    node: str
    host: str
    port: int
    user: str
    secret: str = field(repr=False)
    connect_s: float = 5.0
    boot_s: float = 60.0
    ack_s: float = 5.0
    list_s: float = 15.0
    ping_s: float = 2.0
    silence_s: float = 8.0
    pause_s: float = 0.2
    pause_max_s: float = 5.0
    backlog_max: int = 20_000


def pause_s(settings: AmiSettings, tries: int, chance: float) -> float:
    """How long to wait before the next session: doubled each time, and spread so that not all engines come at once."""
    longest = min(settings.pause_max_s, settings.pause_s * 2.0 ** min(tries, 16))
    return longest * (0.5 + chance / 2)


class Inbox:
    """The bounded queue between the link and its one reader.

    Full, it behaves like a broken link: LINK_DOWN, then nothing until the reader has caught up, then LINK_UP, so that
    what was lost in between is reconciled like everything else that was missed.
    """

    def __init__(self, limit: int, clock: Clock) -> None:
        self.lost = 0
        self._limit = limit
        self._clock = clock
        self._events: deque[Event] = deque()
        self._some = asyncio.Event()
        self._up = False  # the link itself
        self._told_up = False  # as the reader will have heard when he has read everything
        self._booted = False  # not yet told
        self._closed = False

    @property
    def full(self) -> bool:
        return self._up and not self._told_up

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: Event) -> None:
        if not self.full and len(self._events) < self._limit:
            self._add(event)
            return
        self.lost += 1
        if self._told_up:
            self._tell(False)
            log.warning("events come faster than they are read", action="inbox_full", backlog=len(self._events))

    def link(self, up: bool, booted: bool = False) -> None:
        """The link came up or went; `booted`: Asterisk has started since the last session."""
        held_back = self.full
        self._up = up
        self._booted = self._booted or booted
        if up and not held_back and len(self._events) < self._limit:
            self._catch_up()
        elif not up and self._told_up:
            self._tell(False)

    def close(self) -> None:
        self._closed = True
        self._some.set()

    async def read(self) -> AsyncIterator[Event]:
        while True:
            while self._events:
                yield self._events.popleft()
            if self.full:
                self._catch_up()
            elif self._closed:
                return
            else:
                self._some.clear()
                await self._some.wait()

    def _catch_up(self) -> None:
        self._tell(True)
        if self._booted:
            self._booted = False
            self._add(Event(Seen.BOOTED, self._clock.now()))

    def _tell(self, up: bool) -> None:
        self._told_up = up
        self._add(Event(Seen.LINK_UP if up else Seen.LINK_DOWN, self._clock.now()))

    def _add(self, event: Event) -> None:
        self._events.append(event)
        self._some.set()


class AckTimes:
    """How long Asterisk took to acknowledge, over the last minute."""

    def __init__(self) -> None:
        self._times: deque[tuple[float, float]] = deque(maxlen=20_000)
        self._p99_ms = 0.0
        self._counted_at = float("-inf")

    def add(self, at: float, ms: float) -> None:
        self._times.append((at, ms))

    def p99_ms(self, at: float) -> float:
        """Counted at most once per second."""
        if at - self._counted_at >= 1.0:
            self._counted_at = at
            while self._times and self._times[0][0] < at - _WINDOW_S:
                self._times.popleft()
            ordered = sorted(ms for _, ms in self._times)
            self._p99_ms = ordered[ceil(len(ordered) * 0.99) - 1] if ordered else 0.0
        return self._p99_ms


class _Protocol(AMIProtocol):  # type: ignore[misc]  # panoramisk is not typed
    """Framing on bytes, so that a character may arrive in two halves; what waits for an answer fails with the link."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if self.factory is None:  # the Manager is not told yet that it is connected
            self._rest = data
            return
        self.factory.heard()
        *blocks, self._rest = data.split(_END)
        for block in blocks:
            self.factory.take(block.lstrip(b"\r\n"))
        if len(self._rest) > _REST_MAX:
            self.connection_lost(LinkDown("what answers there is no manager interface"))

    def connection_lost(self, exc: Exception | None) -> None:
        if self.factory is None:
            self.closed = True
        else:
            super().connection_lost(exc)

    def close(self) -> None:
        waiting = [action.future for action in self.responses.values() if not action.future.done()]
        self.responses.clear()  # or panoramisk would queue them
        for future in waiting:
            if not future.done():
                future.set_exception(LinkDown("the session went before Asterisk answered"))
                future.exception()  # not everyone is waited for: that is no fault
        self.transport.abort()  # close() would still send what is buffered
        super().close()


class _Session(Manager):  # type: ignore[misc]  # panoramisk is not typed
    """One session: connects once, logs in, pings, and says when it ended."""

    def __init__(self, settings: AmiSettings, clock: Clock, take: Callable[[str, bytes], None]) -> None:
        super().__init__(
            host=settings.host,
            port=settings.port,
            username=settings.user,
            secret=settings.secret,
            protocol_factory=_Protocol,
            log=_PANORAMISK_LOG,
            loop=asyncio.get_running_loop(),
        )
        self.ping_delay = self.ping_interval = settings.ping_s
        self.booted: asyncio.Future[bool] = self.loop.create_future()  # True: while we were watching
        self.ended: asyncio.Future[Exception | None] = self.loop.create_future()
        self._silence_s = settings.silence_s
        self._clock = clock
        self._take = take
        self._heard_at = clock.monotonic()

    def connection_made(self, f: "asyncio.Task[Any]") -> None:
        if f.cancelled() or f.exception() is not None:
            return  # the keeper sees it too
        super().connection_made(f)
        if self.protocol.closed:
            self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        # panoramisk would connect again here
        if not self.ended.done():
            self.ended.set_result(exc)
        self.close()

    def close(self) -> None:
        super().close()
        if not self.booted.done():
            self.booted.set_exception(LinkDown("the session went while Asterisk was starting"))
            self.booted.exception()  # not everyone is waited for: that is no fault

    def login(self, future: "asyncio.Future[Any]") -> None:
        """The keeper awaits the answer itself."""

    def ping(self) -> None:
        if self._clock.monotonic() - self._heard_at > self._silence_s:
            self.protocol.connection_lost(LinkDown(f"nothing was heard for {self._silence_s:g} s"))
        else:
            super().ping()

    def heard(self) -> None:
        self._heard_at = self._clock.monotonic()

    def take(self, block: bytes) -> None:
        """One message. Nothing in it may cost the session."""
        try:
            if block.startswith(b"Event: "):
                self._take_event(block)
            elif b"Response: " in block:
                self.protocol.handle_message(Message(ami_words.headers(block)))
        except Exception:  # whatever a message does to us, the next one is another call's
            begins = mask_text(block[:40].decode("ascii", "replace"))
            log.exception("a manager message could not be read", action="message_failed", begins=begins)

    def _take_event(self, block: bytes) -> None:
        name = block[7 : block.find(b"\r\n")].decode("ascii", "replace")
        if name in ami_words.EVENTS:
            self._take(name, block)
        elif name == "FullyBooted":
            if not self.booted.done():
                # the copy sent to each new session carries no time stamp
                self.booted.set_result(b"\r\nTimestamp: " in block)
        elif b"\r\nActionID: " in block:
            self.protocol.handle_message(Message(ami_words.headers(block)))

    def dispatch(self, event: Message) -> None:
        """A row that nobody waits for any more."""


class Ami:
    """One Asterisk node by its manager interface."""

    def __init__(self, settings: AmiSettings, clock: Clock, chance: Callable[[], float] = random.random) -> None:
        self.counts: Counter[str] = Counter()  # sessions, nonsense, timeouts
        self.fault = ""  # why there is no session, in words; empty: there is one
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._inbox = Inbox(settings.backlog_max, clock)
        self._acks = AckTimes()
        self._waiting: dict[str, float] = {}  # action id -> since when
        self._session: _Session | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._contacts = ami_words.Contacts()
        self._started = ""  # when Asterisk started, in its own words
        self._complained: set[tuple[str, str]] = set()

    @property
    def node(self) -> str:
        return self._settings.node

    @property
    def lost(self) -> int:
        """Events that came while the queue was full."""
        return self._inbox.lost

    async def start(self) -> None:
        """Begin to connect. LINK_UP in events() says when there is a session."""
        self._keeper = asyncio.create_task(self._keep(), name=f"ami-{self.node}")

    async def close(self) -> None:
        """End the session, for good; events() ends after what was seen."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        self._inbox.close()

    # -- ports.Telephony

    async def originate(self, order: Order) -> None:
        await self._act(ami_words.originate(order))

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        await self._act(ami_words.redirect(channel, context, exten))

    async def hang_up(self, channel: str, cause: int = 16) -> bool:
        try:
            await self._act(ami_words.hang_up(channel, cause))
        except ActionRefused as refused:
            if refused.detail.endswith(ami_words.NO_SUCH_CHANNEL):
                return False
            raise
        return True

    async def channels(self) -> tuple[LiveChannel, ...]:
        messages = await self._ask(self._live(), {"Action": "CoreShowChannels"}, self._settings.list_s, as_list=None)
        rows, last = messages[1:-1], messages[-1]
        if last.get("ListItems") != str(len(rows)):
            # a channel that is missing here would be taken for one that is gone
            raise TelephonyError(f"CoreShowChannels: {last.get('ListItems')} rows announced, {len(rows)} came")
        try:
            return tuple(ami_words.live_channel(row) for row in rows)
        except ami_words.Nonsense as error:
            raise TelephonyError(f"CoreShowChannels: {error.detail}") from error

    def events(self) -> AsyncIterator[Event]:
        return self._inbox.read()

    def health(self) -> LinkHealth:
        at = self._clock.monotonic()
        waited_s = at - next(iter(self._waiting.values()), at)
        up = self._live() is not None and not self._inbox.full
        return LinkHealth(up, max(self._acks.p99_ms(at), waited_s * 1000), len(self._inbox))

    # -- actions

    def _live(self) -> _Session | None:
        return None if self._session is None or self._session.ended.done() else self._session

    async def _act(self, fields: ami_words.Fields) -> None:
        # as_list: panoramisk takes an Originate for a list that ends with its call
        await self._ask(self._live(), fields, self._settings.ack_s, as_list=False)

    async def _ask(
        self, session: _Session | None, fields: ami_words.Fields, limit_s: float, as_list: bool | None
    ) -> list[Message]:
        """Send once and wait: the answer, or the rows of a list between its first and its last message."""
        if session is None:
            raise LinkDown(f"{fields['Action']} was not sent: {self.fault or 'not started'}")
        action = Action(fields)
        began = self._waiting[action.id] = self._clock.monotonic()
        try:
            future = session.send_action(action, as_list=as_list)
            async with asyncio.timeout(limit_s):
                answer = await future
        except TimeoutError:
            self.counts["timeouts"] += 1
            self._acks.add(began + limit_s, limit_s * 1000)
            raise AckTimeout(f"{fields['Action']}: nothing within {limit_s:g} s") from None
        finally:
            del self._waiting[action.id]
            session.protocol.responses.pop(action.id, None)
        at = self._clock.monotonic()
        self._acks.add(at, (at - began) * 1000)
        messages = answer if isinstance(answer, list) else [answer]
        if not messages[0].success:
            raise ActionRefused(f"{fields['Action']}: {mask_text(messages[0].message)}")
        return messages

    # -- the session

    async def _keep(self) -> None:
        tries = 0
        while True:
            began = self._clock.monotonic()
            await self._one_session()
            tries = 0 if self._clock.monotonic() - began > _STEADY_S else tries + 1
            await asyncio.sleep(pause_s(self._settings, tries, self._chance()))

    async def _one_session(self) -> None:
        session = _Session(self._settings, self._clock, self._take)
        try:
            booted = await self._open(session)
            self._come_up(session, booted)
            self._complain(await session.ended or LinkDown("Asterisk closed the session"))
        except (OSError, TelephonyError) as error:  # a TimeoutError is an OSError
            self._complain(error)
        except Exception as error:  # a fault of ours must not end the link for good
            log.exception("the manager session broke", action="link_broke", node=self.node)
            self._complain(error)
        finally:
            session.close()
            self._session = None
            self._inbox.link(up=False)

    async def _open(self, session: _Session) -> bool:
        """Log in and wait until Asterisk is ready; True: it has started since the last session."""
        async with asyncio.timeout(self._settings.connect_s):
            await session.connect()
            answer = await session.authenticated_future
        if not answer.success:
            raise ActionRefused(f"Login: {answer.message}; compare user and secret with manager.conf")
        async with asyncio.timeout(self._settings.boot_s):
            watched = await session.booted
        (status,) = await self._ask(session, {"Action": "CoreStatus"}, self._settings.ack_s, as_list=False)
        before, self._started = self._started, f"{status['CoreStartupDate']} {status['CoreStartupTime']}"
        return watched or before not in ("", self._started)

    def _come_up(self, session: _Session, booted: bool) -> None:
        self.counts["sessions"] += 1
        self.fault = ""
        self._acks = AckTimes()
        self._contacts.forget()
        self._session = session
        self._inbox.link(up=True, booted=booted)
        log.info("the manager link is up", action="link_up", node=self.node, booted=booted)

    def _complain(self, error: Exception) -> None:
        fault = f"{self._settings.host}:{self._settings.port}: {str(error) or type(error).__name__}"
        if fault != self.fault:  # once, not at each try
            log.warning("no manager link", action="link_down", node=self.node, fault=fault)
        self.fault = fault

    def _take(self, name: str, block: bytes) -> None:
        try:
            event = ami_words.event(name, ami_words.headers(block), self._clock.now())
        except ami_words.Nonsense as error:
            self.counts["nonsense"] += 1
            if (name, error.header) not in self._complained:
                self._complained.add((name, error.header))
                log.warning(
                    "a manager event makes no sense and was left out; is this Asterisk 22 with asterisk-conf/?",
                    action="event_left_out",
                    place=f"{name}: {error.detail}",
                )
            return
        if event is not None and name == ami_words.CONTACT:
            event = self._contacts.told(event)
        if event is not None:
            self._inbox.put(event)
