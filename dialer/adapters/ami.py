"""The manager link to one Asterisk (ports.Telephony): sessions one after the other, actions, events."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable

import structlog
from panoramisk.actions import Action
from panoramisk.message import Message

from dialer.adapters import ami_words
from dialer.adapters.ami_actions import Actions, Leased
from dialer.adapters.ami_inbox import AckTimes, Inbox
from dialer.adapters.ami_session import AmiSettings, Session
from dialer.adapters.tls_faults import cure
from dialer.errors import AckTimeout, ActionRefused, LinkDown, TelephonyError
from dialer.mask import mask_text
from dialer.model import Event, LiveChannel
from dialer.ports import Clock, Lease, LinkHealth, always

__all__ = ["Ami", "AmiSettings"]

_STEADY_S = 10.0  # a session that lasted this long starts the back-off anew

log = structlog.get_logger()


def pause_s(settings: AmiSettings, tries: int, chance: float) -> float:
    """How long to wait before the next session: doubled each time, and spread so that not all engines come at once."""
    longest = min(settings.pause_max_s, settings.pause_s * 2.0 ** min(tries, 16))
    return longest * (0.5 + chance / 2)


def _unheard(seconds: float) -> None:
    """Where nobody wants to know."""


class Ami(Actions):
    """One Asterisk node by its manager interface. Its own actions are under no lease: engines use those of under()."""

    def __init__(self, settings: AmiSettings, clock: Clock, chance: Callable[[], float] = random.random) -> None:
        super().__init__(self._send, always)
        self.counts: Counter[str] = Counter()  # sessions, nonsense, timeouts
        self.on_ack: Callable[[float], None] = _unheard  # seconds until each acknowledgement, or until it was too late
        self.fault = ""  # why there is no session, in words; empty: there is one
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._inbox = Inbox(settings.backlog_max, clock)
        self._acks = AckTimes()
        self._waiting: dict[str, float] = {}  # action id -> since when
        self._session: Session | None = None
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

    def under(self, lease: Lease) -> Leased:
        return Leased(self.node, self._send, lease, self.channels, self.health)

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

    async def permitted(self) -> frozenset[str]:
        """The actions that the manager's user may send. Raises TelephonyError."""
        (answer,) = await self._ask(self._live(), {"Action": "ListCommands"}, self._settings.ack_s, as_list=False)
        return frozenset(answer)

    def events(self) -> AsyncIterator[Event]:
        return self._inbox.read()

    def health(self) -> LinkHealth:
        at = self._clock.monotonic()
        waited_s = at - next(iter(self._waiting.values()), at)
        up = self._live() is not None and not self._inbox.full
        return LinkHealth(up, max(self._acks.p99_ms(at), waited_s * 1000), len(self._inbox))

    # -- actions

    def _live(self) -> Session | None:
        return None if self._session is None or self._session.ended.done() else self._session

    async def _send(self, fields: ami_words.Fields, lease: Lease) -> None:
        # as_list: panoramisk takes an Originate for a list that ends with its call
        await self._ask(self._live(), fields, self._settings.ack_s, as_list=False, lease=lease)

    async def _ask(
        self,
        session: Session | None,
        fields: ami_words.Fields,
        limit_s: float,
        as_list: bool | None,
        lease: Lease = always,
    ) -> list[Message]:
        """Send once and wait: the answer, or the rows of a list between its first and its last message."""
        if session is None:
            raise LinkDown(f"{fields['Action']} was not sent: {self.fault or 'not started'}")
        action = Action(fields)
        began = self._waiting[action.id] = self._clock.monotonic()
        try:
            action.as_list = as_list
            session.write(action, lease)
            async with asyncio.timeout(limit_s):
                answer = await action.future
        except TimeoutError:
            self.counts["timeouts"] += 1
            self._acks.add(began + limit_s, limit_s * 1000)
            self.on_ack(limit_s)
            raise AckTimeout(f"{fields['Action']}: nothing within {limit_s:g} s") from None
        finally:
            del self._waiting[action.id]
            session.protocol.responses.pop(action.id, None)
        at = self._clock.monotonic()
        self._acks.add(at, (at - began) * 1000)
        self.on_ack(at - began)
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
        session = Session(self._settings, self._clock, self._take)
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

    async def _open(self, session: Session) -> bool:
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

    def _come_up(self, session: Session, booted: bool) -> None:
        self.counts["sessions"] += 1
        self.fault = ""
        self._acks = AckTimes()
        self._contacts.forget()
        self._session = session
        self._inbox.link(up=True, booted=booted)
        log.info("the manager link is up", action="link_up", node=self.node, booted=booted)

    def _complain(self, error: Exception) -> None:
        means = cure(error)
        said = f"{means} ({error})" if means else str(error) or type(error).__name__
        fault = f"{self._settings.host}:{self._settings.port}: {said}"
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
