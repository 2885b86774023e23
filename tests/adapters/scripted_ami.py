"""A manager interface that does what a test tells it: the far end of the production link, on loopback."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from types import TracebackType
from typing import cast

from tests.patience import PATIENCE

Fields = list[tuple[str, str]]
Reply = Callable[["ScriptedAmi", Fields], None]

SECRET = "s3cret-not-for-logs"
BANNER = b"Asterisk Call Manager/11.0.0\r\n"


def block(*lines: str) -> bytes:
    """One message."""
    return "\r\n".join([*lines, "", ""]).encode()


def value(fields: Fields, name: str) -> str:
    """A header's first value; missing: empty."""
    return next((text for header, text in fields if header == name), "")


class ScriptedAmi:
    """Accepts one session after the other; `replies` says what an action gets, `actions` what came."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.actions: list[Fields] = []
        self.sessions = 0
        self.started = "2026-11-21 21:50:25"
        self.ended = 0
        self.port = 0
        self.replies: dict[str, Reply] = {
            "Login": ScriptedAmi.log_in,
            "CoreStatus": ScriptedAmi.tell_start,
            "Ping": ScriptedAmi.acknowledge,
            "ListCommands": ScriptedAmi.permit,
        }
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._paused: asyncio.Transport | None = None
        self._changed = asyncio.Event()

    async def __aenter__(self) -> "ScriptedAmi":
        await self.listen()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        await self.deafen()

    async def listen(self) -> None:
        """Accept sessions, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 20, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def deafen(self) -> None:
        """Accept no session, drop the present one."""
        if self._server:
            self._server.close()
        self.drop()
        if self._server:
            await self._server.wait_closed()

    # -- what tests do

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        assert self._writer is not None
        self._writer.write(data)

    def event(self, name: str, *lines: str) -> None:
        self.send(block(f"Event: {name}", *lines))

    def drop(self) -> None:
        """Reset the connection."""
        if self._writer and not self._writer.is_closing():
            linger = struct.pack("ii", 1, 0)
            self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._writer.transport.abort()

    def pause(self) -> None:
        """Read nothing of this session any more, until resume()."""
        assert self._writer is not None
        self._paused = cast(asyncio.Transport, self._writer.transport)
        self._paused.pause_reading()

    def resume(self) -> None:
        assert self._paused is not None
        self._paused.resume_reading()

    def named(self, name: str) -> list[Fields]:
        """The actions of this name that came."""
        return [fields for fields in self.actions if value(fields, "Action") == name]

    async def until(self, what: Callable[[], bool], limit_s: float = 5.0) -> None:
        """Wait until `what` holds; it is looked at whenever something came."""
        async with asyncio.timeout(limit_s * PATIENCE):
            while not what():
                self._changed.clear()
                await self._changed.wait()

    async def action(self, name: str, number: int = 1) -> Fields:
        """The action of this name that came as the `number`-th."""
        await self.until(lambda: len(self.named(name)) >= number)
        return self.named(name)[number - 1]

    # -- replies

    def answer(self, fields: Fields, *lines: str) -> None:
        head, *rest = lines
        self.send(block(head, f"ActionID: {value(fields, 'ActionID')}", *rest))

    def acknowledge(self, fields: Fields) -> None:
        self.answer(fields, "Response: Success", "Message: done")

    def permit(self, fields: Fields) -> None:
        permitted = ("Hangup", "MixMonitorMute", "Originate", "Redirect")
        self.answer(fields, "Response: Success", *(f"{name}: what it does  (Priv: call,all)" for name in permitted))

    def log_in(self, fields: Fields) -> None:
        """As Asterisk 22 does: the answer, and FullyBooted without a time stamp in the same breath."""
        if value(fields, "Secret") == SECRET:
            self.answer(fields, "Response: Success", "Message: Authentication accepted")
            self.event("FullyBooted", "Privilege: system,all", "Uptime: 388", "LastReload: 388", "Status: Fully Booted")
        else:
            self.answer(fields, "Response: Error", "Message: Authentication failed")

    def tell_start(self, fields: Fields) -> None:
        date, time = self.started.split(" ")
        self.answer(fields, "Response: Success", f"CoreStartupDate: {date}", f"CoreStartupTime: {time}")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.sessions += 1
        writer.write(BANNER)
        try:
            while True:
                data = (await reader.readuntil(b"\r\n\r\n")).decode().removesuffix("\r\n\r\n")
                pairs = (line.partition(": ") for line in data.split("\r\n"))
                fields = [(name, text) for name, _, text in pairs]
                self.actions.append(fields)
                if reply := self.replies.get(value(fields, "Action")):
                    reply(self, fields)
                self._changed.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.ended += 1
            self._changed.set()
            writer.close()


def rows(server: ScriptedAmi, fields: Fields, *channels: Fields, announced: int | None = None) -> None:
    """A CoreShowChannels list."""
    action_id = f"ActionID: {value(fields, 'ActionID')}"
    server.answer(fields, "Response: Success", "EventList: start", "Message: Channels will follow")
    for channel in channels:
        server.event("CoreShowChannel", action_id, *(f"{name}: {text}" for name, text in channel))
    number = len(channels) if announced is None else announced
    server.event("CoreShowChannelsComplete", action_id, "EventList: Complete", f"ListItems: {number}")
