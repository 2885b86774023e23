"""One session with a manager interface: panoramisk, cured of what makes it call twice, go deaf or die.

A Manager never lives longer than its session: its own reconnect sends every unanswered action again, and a second
Originate calls a debtor twice. Here an action whose session goes fails with LinkDown and is never sent again.

Nor does one wait anywhere: an action goes into the socket whole and at once, right after its lease was asked, or the
session ends. In a buffer of ours it would outlive a process that stands still, and be sent by a leader who is none any
more; what the kernel holds, it gives up after UNHEARD_MS, however long the process stands still (docs/decisions/0100).

It leans on these internals of panoramisk 1.4: AMIProtocol.data_received, .handle_message, .close, .connection_lost,
.responses; Manager.connection_made, .connection_lost, .authenticated_future, .dispatch, .login, .ping; and of asyncio's
TLS: where the transport below it is.
"""

import asyncio
import logging
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager
from panoramisk.message import Message

from dialer.adapters import ami_words
from dialer.errors import LinkDown, NoLease
from dialer.mask import mask_text
from dialer.ports import Clock, Lease

_END = b"\r\n\r\n"
UNHEARD_MS = 5000  # what Asterisk's machine has not confirmed by then is not sent to it any more
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: whoever closes drops what is unsent
_REST_MAX = 1 << 20  # bytes without an end of message: whoever talks there is no Asterisk

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
    tls: ssl.SSLContext | None = None  # none: in the clear, for loopback


class _Protocol(AMIProtocol):  # type: ignore[misc]  # panoramisk is not typed
    """Framing on bytes, so that a character may arrive in two halves; what waits for an answer fails with the link."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._rest = b""
        link = transport.get_extra_info("socket")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_MS)

    def write(self, action: Action, lease: Lease) -> None:
        """Nothing comes between the look at the lease and the kernel. Raises NoLease; LinkDown: the session is over."""
        lines = str(action).encode()
        if _unsent(self.transport):
            self.connection_lost(LinkDown("Asterisk does not read what it is told"))
            raise LinkDown(f"{action['Action']} was not sent: Asterisk does not read what it is told")
        self.responses[action.id] = action
        if not lease():
            raise NoLease(f"{action['Action']} was not sent.")
        self.transport.write(lines)
        if _unsent(self.transport):  # not whole: its end is never sent, so Asterisk does nothing
            self.connection_lost(LinkDown("Asterisk does not read what it is told"))

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
        for action in self.responses.values():
            if not action.future.done():
                action.future.set_exception(LinkDown("the session went before Asterisk answered"))
                action.future.exception()  # not everyone is waited for: that is no fault
        self.transport.abort()  # close() would still send what is buffered
        super().close()


def _unsent(transport: asyncio.WriteTransport) -> int:
    """Bytes that wait in this process."""
    below = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    return transport.get_write_buffer_size() + (below.get_write_buffer_size() if below is not None else 0)


class Session(Manager):  # type: ignore[misc]  # panoramisk is not typed
    """One session: connects once, logs in, pings, and says when it ended."""

    def __init__(self, settings: AmiSettings, clock: Clock, take: Callable[[str, bytes], None]) -> None:
        super().__init__(
            host=settings.host,
            port=settings.port,
            ssl=settings.tls or False,
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

    def write(self, action: Action, lease: Lease) -> None:
        """As the protocol does; its answer comes to action.future."""
        self.protocol.write(action, lease)

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
