"""A bare manager session, without our engine: the base line, and the eyes of a measurement."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from dialer.adapters.ami_words import Fields, headers
from tests.bench.world import Manager

_END = b"\r\n\r\n"
_READ = 1 << 18


class Bare:
    """Sends actions, counts what comes back; nothing else."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def send(self, fields: Fields) -> None:
        """One action, not waited for."""
        lines = [
            f"{name}: {text}"
            for name, value in fields.items()
            for text in (value if isinstance(value, list) else (value,))
        ]
        self._writer.write("\r\n".join(lines).encode() + _END)


@asynccontextmanager
async def open_manager(at: Manager, take: Callable[[Mapping[str, str]], None]) -> AsyncIterator[Bare]:
    """Logged in; `take` gets the headers of every message."""
    reader, writer = await asyncio.open_connection(at.host, at.port)
    bare = Bare(writer)
    await reader.readline()
    reading = asyncio.create_task(_read(reader, take))
    try:
        bare.send({"Action": "Login", "Username": at.user, "Secret": at.secret})
        yield bare
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        writer.close()


async def _read(reader: asyncio.StreamReader, take: Callable[[Mapping[str, str]], None]) -> None:
    rest = b""
    while data := await reader.read(_READ):
        *blocks, rest = (rest + data).split(_END)
        for block in blocks:
            take(headers(block))
