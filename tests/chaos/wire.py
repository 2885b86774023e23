"""A TCP proxy for one link: passes everything on, drops it all, or stays open and is silent."""

import asyncio
import contextlib
from enum import StrEnum

HOST = "127.0.0.1"
CHUNK = 65_536


class Way(StrEnum):
    """What the wire does."""

    THROUGH = "through"
    CUT = "cut"  # connections are reset, new ones too
    SILENT = "silent"  # half-open: connections stay and new ones are taken, nothing comes through until it heals


class Wire:
    """From `port`, its own, to the port `to`, both on loopback."""

    def __init__(self, port: int, to: int) -> None:
        self.port, self._to = port, to
        self._server: asyncio.Server | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._way = Way.THROUGH
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen until stop()."""
        self._server = await asyncio.start_server(self._accept, HOST, self.port)

    async def stop(self) -> None:
        """Ends every connection."""
        if self._server is not None:
            self._server.close()
        self._reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def turn(self, way: Way) -> None:
        """From now on."""
        self._way = way
        if way is Way.SILENT:
            self._open.clear()
        else:
            self._open.set()
        if way is Way.CUT:
            self._reset()

    def _reset(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            if self._way is not Way.CUT:
                await self._open.wait()
                await self._carry(reader, writer)
        except OSError:
            pass  # nobody there, or gone: the other end sees it
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(HOST, self._to)
        self._writers.add(far_writer)
        both = [asyncio.create_task(self._pump(*ends)) for ends in ((reader, far_writer), (far_reader, writer))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            self._writers.discard(far_writer)
            far_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._open.wait()  # what was on its way when the wire fell silent comes late, as TCP has it
                writer.write(data)
                await writer.drain()
            await self._open.wait()
