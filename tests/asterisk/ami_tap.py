"""A wire between an engine and Asterisk's manager interface that keeps what the engine said, and may hold it back."""

import asyncio
import contextlib

ACTS = frozenset({"Originate", "Redirect", "Hangup", "MixMonitorMute"})


class Tap:
    """Listens on loopback at `port`; `said`: the names of the actions that came, in order."""

    def __init__(self, host: str, port: int) -> None:
        self._to = host, port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()
        self._open.set()
        self.port = 0
        self.said: list[str] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def acts(self) -> list[str]:
        """What would change something."""
        return [name for name in self.said if name in ACTS]

    def hold(self) -> None:
        """What the engine says from now on is on its way, as far as it knows."""
        self._open.clear()

    def let_go(self) -> None:
        """And arrives now."""
        self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._to)
        for work in (self._forth(reader, far_writer), self._back(far_reader, writer)):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forth(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                action = await reader.readuntil(b"\r\n\r\n")
                self.said.append(action.split(b"\r\n", 1)[0].removeprefix(b"Action: ").decode())
                await self._open.wait()
                writer.write(action)
                await writer.drain()
        writer.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()
