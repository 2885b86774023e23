"""The web's listening sockets: connections counted by client as they are accepted, before TLS and before any byte.

One client may have so many, all together CONNECTIONS_MAX; one more is told so and closed, and nobody else suffers.
"""

import asyncio
import errno
import ipaddress
import os
import socket
import weakref
from collections import Counter
from collections.abc import Collection

import structlog

from dialer.web import problems
from dialer.web.problems import Problem

log = structlog.get_logger(__name__)
CONNECTIONS_MAX = 2000
BACKLOG = 100
TOLD_EACH_S = 60.0
_NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})  # localhost has ::1 where there is no IPv6
CROWD = Problem(429, "too_many_connections", "Too many connections from your address.", 5)
FULL = Problem(503, "too_many_connections", "Too many connections at once.", 5)


def client_of(address: str) -> str:
    """Whose an address is: an IPv4 address, or the /64 that one customer gets of IPv6; of another form, itself."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


class Crowd:
    """How many connections each client has open; `of_one` at most, but for `proxies`, who bring many people."""

    def __init__(self, of_one: int, proxies: Collection[str] = (), tls: bool = False) -> None:
        self._of_one, self._proxies, self._tls = of_one, frozenset(map(client_of, proxies)), tls
        self._open: Counter[str] = Counter()
        self._all = 0
        self._told_at = float("-inf")

    def admit(self, address: str) -> Problem | str:
        """The client, counted until `leave`, or why not."""
        client = client_of(address)
        if client not in self._proxies and self._open[client] >= self._of_one:
            return self._refused(CROWD, client)
        if self._all >= CONNECTIONS_MAX:
            return self._refused(FULL, client)
        self._open[client] += 1
        self._all += 1
        return client

    def leave(self, client: str) -> None:
        """One of his is closed."""
        self._all -= 1
        self._open[client] -= 1
        if not self._open[client]:
            del self._open[client]

    def refuse(self, connection: socket.socket, why: Problem) -> None:
        """Said in plain HTTP as far as the kernel takes it at once; where TLS is awaited there is nothing to say."""
        with connection:
            if self._tls:
                return
            try:
                connection.setblocking(False)
                connection.send(_said(why))
                connection.shutdown(socket.SHUT_WR)
            except OSError:  # gone already
                return

    def _refused(self, why: Problem, client: str) -> Problem:
        if not self._open[client]:
            del self._open[client]
        now = asyncio.get_running_loop().time()
        if now - self._told_at >= TOLD_EACH_S:
            self._told_at = now
            log.warning(why.detail, action="web_crowd", address=client, open=self._open.get(client, 0), all=self._all)
        return why


class Listening(socket.socket):
    """What asyncio accepts from: one that is refused is closed, and looks as if it had gone away by itself."""

    crowd: Crowd

    def accept(self) -> tuple[socket.socket, object]:
        """Raises ConnectionAbortedError, which asyncio passes over."""
        plain, address = super().accept()
        admitted = self.crowd.admit(str(address[0]))
        if isinstance(admitted, Problem):
            self.crowd.refuse(plain, admitted)
            raise ConnectionAbortedError
        connection = _Counted(plain.family, plain.type, plain.proto, fileno=plain.detach())
        connection.count(self.crowd, admitted)
        return connection, address


class _Counted(socket.socket):
    """An accepted connection, off the count when it is closed, or forgotten."""

    def count(self, crowd: Crowd, client: str) -> None:
        self._left = weakref.finalize(self, crowd.leave, client)

    def close(self) -> None:
        """Once; again does nothing."""
        super().close()
        self._left()


async def listen(host: str, port: int, crowd: Crowd) -> list[Listening]:
    """A socket for each address that `host` has on this machine. Raises OSError: there is none, or one is taken."""
    loop, found = asyncio.get_running_loop(), []
    places = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    lacking = OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    for family, _, proto, _, place in dict.fromkeys(places):
        try:
            found.append(_bound(family, proto, place))
        except OSError as error:
            if error.errno in _NOT_HERE:
                lacking = error
                continue
            for one in found:
                one.close()
            raise
    if not found:
        raise lacking
    for one in found:
        one.crowd = crowd
    return found


def _bound(family: int, proto: int, place: tuple[object, ...]) -> Listening:
    one = Listening(family, socket.SOCK_STREAM, proto)
    try:
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(place)
    except OSError:
        one.close()
        raise
    return one


def _said(why: Problem) -> bytes:
    body = problems.body_of(why)
    head = (
        f"HTTP/1.1 {why.status} {problems.TITLES[why.status]}",
        f"Content-Type: {problems.TYPE}",
        f"Content-Length: {len(body)}",
        f"Retry-After: {why.retry_after_s:.0f}",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    )
    return "\r\n".join((*head, "", "")).encode() + body
