"""The application on its socket: TLS, limits for slow and for too many connections, a clean end."""

import asyncio
import contextlib
import logging
import socket
import ssl
from types import TracebackType
from typing import Self

import structlog
from aiohttp import web

from dialer.config import Web
from dialer.errors import ConfigError
from dialer.web.application import HUB, SILENT
from dialer.web.listening import BACKLOG, Crowd, listen

log = structlog.get_logger(__name__)

HEAD_S = 15.0  # from the connection to the end of the first request's head
IDLE_S = 75.0
HEADERS_MAX = 100
HEADER_BYTES = 8190
CLOSE_S = 5.0
LINGER_S = 2.0  # so long what still comes of a refused body is taken off the line
UNREAD_S = 30.0  # a client that takes nothing of what was sent for so long is cut off, by the kernel


class Served:
    """`async with Served(app, settings)`: listening inside the block. `port` is the one that was given by the system
    where the settings say 0."""

    def __init__(self, app: web.Application, settings: Web) -> None:
        self._settings = settings
        self._app = app
        self._runner = web.AppRunner(
            app, access_log=None, logger=_quiet(), keepalive_timeout=IDLE_S, max_line_size=HEADER_BYTES,
            max_field_size=HEADER_BYTES, max_headers=HEADERS_MAX, shutdown_timeout=CLOSE_S,
            auto_decompress=False, lingering_time=LINGER_S,
        )  # fmt: skip
        self._servers: list[asyncio.Server] = []
        self.port = settings.port

    async def __aenter__(self) -> Self:
        tls = _tls(self._settings)
        await self._runner.setup()
        try:
            await self._listen(tls)
        except OSError as error:
            for server in self._servers:
                server.close()
            await self._runner.cleanup()
            raise ConfigError(f"[web] listen = {self._settings.listen!r}: {error.strerror or error}.") from error
        self.port = self._servers[0].sockets[0].getsockname()[1]
        log.info("the web listens", action="web_listens", host=self._settings.host, port=self.port, tls=tls is not None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()
        self._app[HUB].close()
        await self._runner.cleanup()

    @property
    def connections(self) -> list[web.RequestHandler]:
        """Those that are open."""
        return [] if self._runner.server is None else self._runner.server.connections

    async def _listen(self, tls: ssl.SSLContext | None) -> None:
        loop, settings = asyncio.get_running_loop(), self._settings
        crowd = Crowd(settings.connections_per_address, settings.proxies, tls is not None)
        greeting_s = HEAD_S if tls else None
        for listening in await listen(settings.host, settings.port, crowd):
            with contextlib.suppress(OSError, AttributeError):  # Linux has it; connections inherit it
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(UNREAD_S * 1000))
            self._servers.append(
                await loop.create_server(
                    self._connection, sock=listening, ssl=tls, ssl_handshake_timeout=greeting_s, backlog=BACKLOG
                )
            )

    def _connection(self) -> asyncio.BaseProtocol:
        """aiohttp waits for ever for the first request's head: here the connection ends if it does not come."""
        server = self._runner.server
        if server is None:
            raise RuntimeError("not set up")
        protocol: web.RequestHandler = server()
        self._app[SILENT].add(protocol)
        asyncio.get_running_loop().call_later(HEAD_S, self._look, protocol)
        return protocol

    def _look(self, protocol: web.RequestHandler) -> None:
        silent = self._app[SILENT]
        if protocol in silent:
            silent.discard(protocol)
            _cut(protocol)


def _cut(protocol: web.RequestHandler) -> None:
    transport = protocol.transport
    if isinstance(transport, asyncio.Transport):
        transport.abort()


def _quiet() -> logging.Logger:
    """aiohttp would log what it cannot parse, numbers and all; faults of handlers are logged by guard.py."""
    quiet = logging.Logger("aiohttp.server")
    quiet.addHandler(logging.NullHandler())
    return quiet


def _tls(settings: Web) -> ssl.SSLContext | None:
    if not settings.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"[web] tls_cert and tls_key: {error}.") from error
    return context
