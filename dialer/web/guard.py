"""Around every request: right host, security headers, problems in one form, one line of log without secrets."""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from dialer.errors import DialerError
from dialer.web import problems
from dialer.web.doors import Office
from dialer.web.listening import CROWD, client_of
from dialer.web.problems import Problem

log = structlog.get_logger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OPEN = frozenset({"/health", "/ready"})  # a load balancer asks by address
LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
SECURE_COOKIE = "__Host-santun"
PLAIN_COOKIE = "santun"  # http on loopback only

# Scripts and styles come from files of ours alone; sound may be a blob (recordings, ring tones made in the page).
POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
        "connect-src 'self'", "media-src 'self' blob:", "worker-src 'self'", "manifest-src 'self'",
        "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
    )
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), display-capture=(), payment=(), usb=()",
}
STRICT_TRANSPORT = "max-age=31536000"


@dataclass(slots=True)
class Visit:
    """What is learnt of one request on its way."""

    secure: bool
    who: str = ""

    @staticmethod
    def of(request: web.Request) -> "Visit":
        """Of this request; made by guard()."""
        return request[VISIT]

    def session_cookie(self, request: web.Request) -> str:
        """What the browser says who it is; empty: nothing."""
        return request.cookies.get(SECURE_COOKIE if self.secure else PLAIN_COOKIE, "")

    def cookie(self, response: web.StreamResponse, value: str | None) -> None:
        """Give the browser its new session, or take the old one away; None: leave it."""
        if value is None:
            return
        name = SECURE_COOKIE if self.secure else PLAIN_COOKIE
        words: dict[str, Any] = {"path": "/", "httponly": True, "samesite": "Strict", "secure": self.secure}
        if value:
            response.set_cookie(name, value, **words)
        else:
            response.del_cookie(name, **words)


ELSEWHERE = Problem(421, "wrong_host", "This name is not served here; see [web] hosts.")
VISIT: web.RequestKey[Visit] = web.RequestKey("visit", Visit)


def guard(office: Office) -> Any:
    """The outermost middleware."""

    behind: Counter[str] = Counter()  # clients behind a proxy, whose connections are the proxy's

    @web.middleware
    async def run(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = office.clock.monotonic()
        visit = request[VISIT] = Visit(is_secure(office, request))
        try:
            here = request.path in OPEN or is_here(office, request)
            with _crowding(office, request, behind) as crowded:
                refused = CROWD if crowded else None if here else ELSEWHERE
                response = await _answer(request, handler) if refused is None else told(refused)
        except asyncio.CancelledError:
            _line(request, visit, 499, office.clock.monotonic() - began)
            raise
        _line(request, visit, response.status, office.clock.monotonic() - began)
        return response

    return run


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as problem:
        return told(problem)
    except web.HTTPRedirection as error:
        return error
    except web.HTTPException as error:
        response = told(Problem(error.status, error.reason.lower().replace(" ", "_"), ""))
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except DialerError as error:
        meant = problems.of_error(error)
        if meant.status >= 500:
            log.error("a request failed", action="request_failed", reason=str(error), path=route_of(request))
        return told(meant)
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception as error:
        log.error("a request failed", action="bug", path=route_of(request), exc_info=error)
        return told(Problem(500, "fault", "Something went wrong here; it has been logged."))


def told(problem: Problem) -> web.Response:
    """A problem as a response."""
    response = web.Response(body=problems.body_of(problem), status=problem.status, content_type=problems.TYPE)
    if problem.retry_after_s > 0:
        response.headers["Retry-After"] = str(max(1, round(problem.retry_after_s + 0.5)))
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


async def dress(request: web.Request, response: web.StreamResponse) -> None:
    """Security headers on whatever is sent: to be hung on on_response_prepare."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    visit = request.get(VISIT)
    if visit is not None and visit.secure:
        response.headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
    static = request.path.startswith("/static/")
    response.headers.setdefault("Cache-Control", "no-cache" if static else "no-store")
    response.headers.popall("Server", None)


def route_of(request: web.Request) -> str:
    """The route's own path, without what the request put into it."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


def _line(request: web.Request, visit: Visit, status: int, took_s: float) -> None:
    log.info(
        "request", action="request", method=request.method, path=route_of(request), status=status, who=visit.who,
        took_ms=round(took_s * 1000, 1),
    )  # fmt: skip


def tell_faults(ended: Iterable[object], path: str) -> None:
    """Of a websocket's tasks, as gathered: a fault of ours is logged; that the other side went away is none."""
    for one in ended:
        if isinstance(one, Exception) and not isinstance(one, ConnectionError | TimeoutError | DialerError):
            log.error("a websocket failed", action="bug", path=path, exc_info=one)


@contextmanager
def _crowding(office: Office, request: web.Request, behind: Counter[str]) -> Iterator[bool]:
    """Whether a client behind a proxy has too many requests and sockets under way; he is counted in the block."""
    address = address_of(office, request)
    if address == request.remote:  # listening.py counts his connections
        yield False
        return
    client = client_of(address)
    if behind[client] >= office.config.web.connections_per_address:
        yield True
        return
    behind[client] += 1
    try:
        yield False
    finally:
        behind[client] -= 1
        if not behind[client]:
            del behind[client]


# ---- where a request comes from, and whether it is for us -----------------------------------------------------------


def address_of(office: Office, request: web.Request) -> str:
    """The sender's address; a stated proxy's word is believed, nobody else's."""
    web_settings = office.config.web
    address = request.remote or ""
    if address in web_settings.proxies:
        said = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        try:
            return str(ipaddress.ip_address(said))
        except ValueError:
            return address
    return address


def is_secure(office: Office, request: web.Request) -> bool:
    """Whether the browser speaks TLS: to us, or to a stated proxy."""
    if office.config.web.tls_cert:
        return True
    by_proxy = (request.remote or "") in office.config.web.proxies
    return by_proxy and request.headers.get("X-Forwarded-Proto", "") == "https"


def is_here(office: Office, request: web.Request) -> bool:
    """Whether the Host is one of ours: a page of somebody else's name must not reach a server on loopback."""
    name = request.host.rpartition(":")[0] if request.host.rpartition("]")[2].count(":") else request.host
    settings = office.config.web
    if settings.hosts:
        return name in LOCAL or name.lower() in settings.hosts
    return name in LOCAL or not settings.loopback
