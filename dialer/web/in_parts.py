"""A response whose bytes are made while it is sent, whole or by one range (RFC 9110, 14); nobody is waited for long."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING

from aiohttp import web

from dialer.errors import StoreError
from dialer.web.route import Parts

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.web_request import BaseRequest

TAKE_S = 30.0  # a client that takes no piece for so long is cut off


class InParts(web.StreamResponse):
    """Sends itself when aiohttp prepares it, as its FileResponse does."""

    def __init__(self, parts: Parts, headers: Mapping[str, str]) -> None:
        super().__init__(headers={**headers, "Accept-Ranges": "bytes"})
        self._parts = parts

    async def prepare(self, request: "BaseRequest") -> "AbstractStreamWriter | None":
        """Head and body."""
        size = self._parts.size
        found = _range(request, size)
        if found is None:
            self.set_status(416)
            self.headers["Content-Range"] = f"bytes */{size}"
            self.content_length = 0
            return await super().prepare(request)
        start, stop = found
        if (start, stop) != (0, size):
            self.set_status(206)
            self.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        self.content_length = stop - start
        async with aclosing(self._parts.pieces(start, stop)) as pieces:
            try:
                first = await anext(pieces, b"")  # before the head: what cannot be read at all is no 200
            except (OSError, StoreError) as error:
                self.set_status(503 if isinstance(error, StoreError) else 500)
                self.headers.popall("Content-Range", None)
                self.content_length = 0
                return await super().prepare(request)
            writer = await super().prepare(request)
            try:
                await self._send(first)
                async for piece in pieces:
                    await self._send(piece)
            except (OSError, TimeoutError):  # a short answer tells the client that something is wrong
                if request.transport is not None:
                    request.transport.abort()
                return writer
        await self.write_eof()
        return writer

    async def _send(self, piece: bytes) -> None:
        if piece:
            async with asyncio.timeout(TAKE_S):
                await self.write(piece)


def _range(request: "BaseRequest", size: int) -> tuple[int, int] | None:
    """From and to before; None: there is nothing of it. Several ranges, and what is no range, count as none asked."""
    said = request.headers.get("Range", "")
    if not said.startswith("bytes=") or "," in said or "If-Range" in request.headers:
        return 0, size
    try:
        wanted = request.http_range
    except ValueError:
        return None
    start, stop, _ = wanted.indices(size)
    return (start, stop) if start < stop else None
