"""The web application: the routes' tables between the browser and their handlers."""

import asyncio
import contextlib
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
import structlog
from aiohttp import web

from dialer.errors import DialerError, StoreError
from dialer.mask import mask_text
from dialer.users import Deed, Done, Role, Session, Step, User
from dialer.web import live, problems
from dialer.web.access import RIGHTS, Right, Who, token_rights
from dialer.web.api import tables
from dialer.web.doors import Office
from dialer.web.guard import Handler, Visit, address_of, dress, guard
from dialer.web.in_parts import InParts
from dialer.web.openapi import API, document
from dialer.web.pages import PAGES, STATIC, Page, home
from dialer.web.problems import Problem
from dialer.web.route import Asked, Download, Raw, Replay, Route, Upload

log = structlog.get_logger(__name__)
BODY_READ_S = 20.0
CANCEL_AGAIN_S = 0.2
CSRF = "X-CSRF-Token"
KEY = "Idempotency-Key"
OFFICE: web.AppKey[Office] = web.AppKey("office", Office)
HUB: web.AppKey[live.Hub] = web.AppKey("hub", live.Hub)
SILENT: web.AppKey[set[Any]] = web.AppKey("silent")  # connections whose first request has not come yet
Socket = Callable[[web.Request, Who, Office], Awaitable[web.StreamResponse]]
Doorway = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(office: Office, sockets: Mapping[str, tuple[Right, Socket]] | None = None) -> web.Application:
    """All of it: API, pages, files, sockets (`sockets`: path -> right, handler), health."""
    app = web.Application(middlewares=[_spoke, guard(office)], client_max_size=0)
    app[OFFICE], app[HUB], app[SILENT] = office, live.Hub(office), set()
    office.live = app[HUB]
    app.on_response_prepare.append(dress)
    app.cleanup_ctx.append(_hearing)
    resources = tables()
    told = msgspec.json.encode(document(resources))
    app.router.add_get(f"{API}/openapi.json", _told(office, told))
    for table in resources.values():
        for route in table:
            app.router.add_route(route.method, API + route.path, _serve(office, route))
    app.router.add_get("/live", _socket(office, None, live.socket(app[HUB], lambda asks: identify(office, asks, 0))))
    for path, (right, run) in (sockets or {}).items():
        app.router.add_get(path, _socket(office, right, run))
    for path, page in PAGES.items():
        app.router.add_get(path, _page(office, page))
    app.router.add_get("/", _home(office))
    app.router.add_get("/health", _health)
    app.router.add_get("/ready", _ready)
    if STATIC.is_dir():
        app.router.add_static("/static", STATIC)
    return app


@web.middleware
async def _spoke(request: web.Request, handler: Handler) -> web.StreamResponse:
    request.app[SILENT].discard(request.protocol)
    return await handler(request)


async def _hearing(app: web.Application) -> AsyncIterator[None]:
    """The hub hears while the application runs."""
    task = asyncio.create_task(app[HUB].run())
    yield
    while not task.done():  # again: a library may swallow a cancellation that comes in the wrong moment
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_AGAIN_S)


# ---- one operation --------------------------------------------------------------------------------------------------


def _serve(office: Office, route: Route) -> Doorway:
    async def run(request: web.Request) -> web.StreamResponse:
        if route.changes:
            _check_origin(request)
        who, session = await _who(office, request, route)
        if route.changes and not route.signed and session is not None:
            _check_csrf(request, session)
        asked = await _asked(office, route, request, who, session)
        deed = _Deed(office, route, asked, _print(request, asked) if _is_once(route, asked) else "")
        if (before := await deed.answered_before()) is not None:
            return before
        try:
            async with asyncio.timeout(route.limit_s):
                answer = await route.run(office, asked)
            response = _response(route, answer)
        except TimeoutError:
            await deed.failed()
            detail = "This took too long; look whether it was done before you ask again."
            raise Problem(504, "too_slow", detail) from None
        except (Problem, DialerError) as error:
            problem = error if isinstance(error, Problem) else problems.of_error(error)
            if problem.status >= 500:
                await deed.failed()
                raise
            await deed.done(problem.status, problems.body_of(problem))
            raise problem from error
        except BaseException:
            await deed.failed()
            raise
        body = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
        await deed.done(response.status, body)
        Visit.of(request).cookie(response, asked.set_cookie)
        return response

    return run


async def _who(office: Office, request: web.Request, route: Route) -> tuple[Who, Session | None]:
    """Who asks, and may he? Raises Problem 401, 403, 429."""
    found = await identify(office, request, route.cost)
    if found is None:
        if route.right is not None:
            raise Problem(401, "not_signed_in", "Sign in first.")
        address = address_of(office, request)
        await _throttled(office, address)
        return Who("", Role.TOKEN, frozenset(), "", address, f"address:{address}"), None
    who, session = found
    if route.right is not None:
        if session is not None and session.step is not Step.DONE:
            raise Problem(403, "sign_in_unfinished", "Finish signing in first.", more={"step": session.step.value})
        if not who.may(route.right):
            raise Problem(403, "not_allowed", f"This needs the right {route.right.value}.")
    return who, session


async def _throttled(office: Office, address: str) -> None:
    wait_s = await office.throttle.take("visitor", address, office.clock.now())
    if wait_s > 0:
        raise Problem(429, "too_many", "Too many requests from your address.", wait_s)


async def identify(office: Office, request: web.Request, cost: int = 1) -> tuple[Who, Session | None] | None:
    """Who sends this request, by token or cookie; None: nobody known. Raises Problem 401 (a bad token), 429."""
    at, address = office.clock.now(), address_of(office, request)
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer":
            raise Problem(401, "not_signed_in", "Use Authorization: Bearer and a token.")
        known = await office.tokens.find(shown.strip(), at, cost)
        if known is None:
            wait_s = await office.throttle.take("address", address, at)
            raise Problem(429 if wait_s else 401, "bad_token", "This token is unknown or has run out.", wait_s)
        token, wait_s = known
        Visit.of(request).who = f"token:{token.name}"
        _not_too_many(wait_s)
        rights = token_rights(token.rights)
        return Who(f"token:{token.name}", Role.TOKEN, rights, "", address, f"token:{token.id}"), None
    cookie = Visit.of(request).session_cookie(request)
    if not cookie:
        return None
    signed_in = await office.sessions.find(cookie, at, cost)
    if signed_in is None:
        await _throttled(office, address)  # who tries cookies, tries them slowly
        return None
    user, session, wait_s = signed_in
    Visit.of(request).who = user.name
    _not_too_many(wait_s)
    return who_of(user, session, address), session


def who_of(user: User, session: Session, address: str) -> Who:
    """A user in his session; before it is DONE he has no right at all."""
    rights = RIGHTS[user.role] if session.step is Step.DONE else frozenset[Right]()
    return Who(user.name, user.role, rights, user.agent, address, f"session:{session.key}")


def _not_too_many(wait_s: float) -> None:
    if wait_s > 0:
        raise Problem(429, "too_many", "Too many requests; slow down.", wait_s)


def _check_origin(request: web.Request) -> None:
    origin = request.headers.get("Origin", "")
    if (origin and urlsplit(origin).netloc != request.host) or request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Problem(403, "origin", "Changes are taken from our own pages and from programs only.")


def _check_csrf(request: web.Request, session: Session) -> None:
    if not hmac.compare_digest(request.headers.get(CSRF, "").encode(), session.csrf.encode()):
        raise Problem(403, "csrf", f"Send the header {CSRF} with the token that /me gives.")


# ---- decoding -------------------------------------------------------------------------------------------------------


async def _asked(
    office: Office, route: Route, request: web.Request, who: Who, session: Session | None
) -> Asked[Any, Any]:
    key = request.headers.get(KEY, "")
    if key and (not (key.isascii() and key.isprintable()) or not 8 <= len(key) <= 200):
        raise Problem(400, "bad_key", f"{KEY}: use 8 to 200 printable characters.")
    return Asked(
        who, dict(request.match_info), _query(route, request), await _body(route, request), office.clock.now(), key,
        headers=request.headers, session=session,
    )  # fmt: skip


def _query(route: Route, request: web.Request) -> Any:
    if route.query is None:
        if request.query_string:
            raise Problem(400, "bad_query", "This operation takes no query parameters.")
        return None
    many = {field.encode_name for field in msgspec.structs.fields(route.query) if _is_many(field.type)}
    given: dict[str, Any] = {}
    for name in dict.fromkeys(request.query):
        values = request.query.getall(name)
        if len(values) > 1 and name not in many:
            raise Problem(400, "bad_query", f"{name}: give it once.")
        given[name] = values if name in many else values[0]
    try:
        return msgspec.convert(given, route.query, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(400, "bad_query", str(error)) from None


def _is_many(kind: Any) -> bool:
    return getattr(kind, "__origin__", kind) in (list, tuple, frozenset, set)


async def _body(route: Route, request: web.Request) -> Any:
    if (request.content_length or 0) > route.body_max:
        raise Problem(413, "too_large", f"At most {route.body_max} bytes.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, "encoded", "Send the body as it is: a small one may unpack to a very large one.")
    if route.takes is Upload:
        name = request.headers.get("X-File-Name", "")[:200]
        return Upload(_chunks(request, route.body_max), request.content_type, name)
    if route.takes is None:
        if request.body_exists and await _read(request, 1024):
            raise Problem(400, "bad_body", "This operation takes no body.")
        return None
    if request.content_type != "application/json":
        raise Problem(415, "not_json", "Send JSON, as application/json.")
    raw = await _read(request, route.body_max)
    try:
        return msgspec.json.decode(raw, type=route.takes)
    except msgspec.ValidationError as error:
        raise Problem(422, "bad_body", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "bad_body", f"This is no JSON: {error}.") from None


async def _read(request: web.Request, limit: int) -> bytes:
    try:
        async with asyncio.timeout(BODY_READ_S):
            return b"".join([chunk async for chunk in _chunks(request, limit)])
    except TimeoutError:
        raise Problem(408, "too_slow", f"The body has to come within {BODY_READ_S:.0f} s.") from None


async def _chunks(request: web.Request, limit: int) -> AsyncIterator[bytes]:
    size = 0
    while True:
        try:
            async with asyncio.timeout(BODY_READ_S):
                chunk = await request.content.readany()
        except TimeoutError:
            raise Problem(408, "too_slow", "Nothing more came of the body.") from None
        if not chunk:
            return
        size += len(chunk)
        if size > limit:
            raise Problem(413, "too_large", f"At most {limit} bytes.")
        yield chunk


# ---- answering ------------------------------------------------------------------------------------------------------


def _response(route: Route, answer: Any) -> web.StreamResponse:
    match answer:
        case None if route.gives is None:
            return web.Response(status=204)
        case Download(content_type, file_name, path, content, parts):
            headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file_name)}"}
            if parts is not None:
                return InParts(parts, headers | {"Content-Type": content_type})
            if path is not None:
                return web.FileResponse(path, headers=headers | {"Content-Type": content_type})
            return web.Response(body=content, content_type=content_type, headers=headers)
        case Raw(content):
            return web.Response(body=content, status=route.status, content_type="application/json")
        case _:
            return web.Response(body=msgspec.json.encode(answer), status=route.status, content_type="application/json")


# ---- once, and written down -----------------------------------------------------------------------------------------


def _is_once(route: Route, asked: Asked[Any, Any]) -> bool:
    return bool(asked.key) and route.changes and route.once is not Replay.NO


def _print(request: web.Request, asked: Asked[Any, Any]) -> str:
    """What was asked, as a hash; of an upload its length alone, for its content is read but once."""
    uploads = isinstance(asked.body, Upload)
    body = str(request.content_length).encode() if uploads else msgspec.json.encode(asked.body)
    return hashlib.sha256(f"{request.method} {request.path_qs}\n".encode() + body).hexdigest()


class _Deed:
    """A request that may change something: answered once per key, written into the audit; others: nothing of it."""

    def __init__(self, office: Office, route: Route, asked: Asked[Any, Any], print_: str) -> None:
        self._office, self._route, self._asked, self._print = office, route, asked, print_
        self._whose = asked.who.key if asked.who.role is Role.TOKEN else asked.who.name  # nobody: by address

    async def answered_before(self) -> web.Response | None:
        """What this key got before. Raises Problem 409 and 422."""
        if not self._print:
            return None
        before = await self._office.once.begin(self._whose, self._asked.key, self._print)
        if before is None:
            return None
        if before.print != self._print:
            raise Problem(422, "key_used", f"This {KEY} came with another request before.")
        if not before.status:
            raise Problem(409, "key_busy", "The first request with this key is not done yet.", 1)
        if self._route.once is Replay.DONE and before.status < 400:
            raise Problem(409, "shown_once", "This was done before; what it showed then is not kept.")
        kind = None if not before.body else "application/json" if before.status < 400 else problems.TYPE
        headers = {"Idempotency-Replayed": "true"}
        return web.Response(body=before.body or None, status=before.status, content_type=kind, headers=headers)

    async def failed(self) -> None:
        """It came to nothing as far as we know: the same key may come again."""
        if self._print:
            with contextlib.suppress(StoreError):
                await self._office.once.drop(self._whose, self._asked.key)
        await self._write_down(500)

    async def done(self, status: int, body: bytes) -> None:
        """Keep the answer under its key and write the deed down."""
        if self._print:
            kept = b"" if self._route.once is Replay.DONE and status < 400 else body
            await self._office.once.done(self._whose, self._asked.key, Done(self._print, status, kept))
        await self._write_down(status)

    async def _write_down(self, status: int) -> None:
        asked, route = self._asked, self._route
        if not (route.changes and route.audited):
            return
        deed = Deed(
            asked.at, asked.who.name, asked.who.role.value if asked.who.name else "", f"{route.method} {route.path}",
            mask_text(" ".join(f"{name}={value}" for name, value in asked.path.items()))[:300], asked.who.address,
            status, asked.note[:300],
        )  # fmt: skip
        try:
            await self._office.audit.write(deed)
        except StoreError as error:
            log.error(
                "a change could not be written into the audit", action="audit_lost", what=deed.what, who=deed.who,
                status=status, reason=str(error),
            )  # fmt: skip


# ---- pages, sockets, health -----------------------------------------------------------------------------------------


def _page(office: Office, page: Page) -> Doorway:
    html, right = page.html, page.right

    async def run(request: web.Request) -> web.StreamResponse:
        if right is not None:
            found = await identify(office, request)
            if found is None or (found[1] is not None and found[1].step is not Step.DONE):
                return _go(f"/sign-in?next={quote(request.path)}")
            if not found[0].may(right):
                return _go(home(found[0]) if request.path != home(found[0]) else "/sign-in")
        return web.Response(text=html, content_type="text/html")

    return run


def _told(office: Office, content: bytes) -> Doorway:
    """The API's description: no secret, the same for everybody."""

    async def run(request: web.Request) -> web.StreamResponse:
        await _throttled(office, address_of(office, request))
        return web.Response(body=content, content_type="application/json")

    return run


def _home(office: Office) -> Doorway:
    async def run(request: web.Request) -> web.StreamResponse:
        found = await identify(office, request)
        return _go(home(found[0]) if found and found[0].rights else "/sign-in")

    return run


def _go(place: str) -> web.Response:
    return web.Response(status=302, headers={"Location": place})


def _socket(office: Office, right: Right | None, run: Socket) -> Doorway:
    async def serve(request: web.Request) -> web.StreamResponse:
        _check_origin(request)
        found = await identify(office, request)
        if found is None:
            raise Problem(401, "not_signed_in", "Sign in first.")
        who, session = found
        if session is not None and session.step is not Step.DONE:
            raise Problem(403, "sign_in_unfinished", "Finish signing in first.")
        if right is not None and not who.may(right):
            raise Problem(403, "not_allowed", f"This needs the right {right.value}.")
        return await run(request, who, office)

    return serve


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"alive": True})


async def _ready(request: web.Request) -> web.Response:
    """200 when Redis answers and every Asterisk node whose link this process holds has a session; else 503."""
    office = request.app[OFFICE]
    lacks = [f"Asterisk {name}" for name, phone in office.phones.items() if not phone.health().up]
    try:
        await office.books.health()
    except StoreError:
        lacks.append("Redis")
    return web.json_response({"ready": not lacks, "lacks": lacks}, status=503 if lacks else 200)
