"""Health, readiness and the live snapshot over HTTP; reads what Redis holds, decides nothing."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from dialer.errors import StoreError
from dialer.model import CAMPAIGN_ID
from dialer.ports import Store, Telephony

STORE: web.AppKey[Store] = web.AppKey("store")
PHONES: web.AppKey[Mapping[str, Telephony]] = web.AppKey("phones")
HIDDEN = frozenset({"kept"})  # for the next leader, not for people


def make_app(store: Store, phones: Mapping[str, Telephony]) -> web.Application:
    """GET /health, /ready, /api/v1/campaigns, /api/v1/campaigns/{campaign}/live."""
    app = web.Application(client_max_size=64 * 1024)
    app[STORE], app[PHONES] = store, phones
    app.router.add_get("/health", _health)
    app.router.add_get("/ready", _ready)
    app.router.add_get("/api/v1/campaigns", _campaigns)
    app.router.add_get("/api/v1/campaigns/{campaign}/live", _live)
    return app


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"alive": True})


async def _ready(request: web.Request) -> web.Response:
    """200 when calls could be placed: Redis answers and every Asterisk node has a session; else 503 and what lacks."""
    lacks = [f"Asterisk {name}" for name, phone in request.app[PHONES].items() if not phone.health().up]
    try:
        await request.app[STORE].health()
    except StoreError:
        lacks.append("Redis")
    return web.json_response({"ready": not lacks, "lacks": lacks}, status=503 if lacks else 200)


async def _campaigns(request: web.Request) -> web.Response:
    try:
        return web.json_response({"campaigns": list(await request.app[STORE].campaigns())})
    except StoreError as error:
        return _problem(503, str(error))


async def _live(request: web.Request) -> web.Response:
    campaign = request.match_info["campaign"]
    if not CAMPAIGN_ID.fullmatch(campaign):
        return _problem(404, "There is no such campaign.")
    try:
        raw = await request.app[STORE].published(campaign)
    except StoreError as error:
        return _problem(503, str(error))
    if raw is None:
        return _problem(404, "There is no such campaign, or no engine has led it yet.")
    seen: dict[str, Any] = json.loads(raw)
    return web.json_response({name: value for name, value in seen.items() if name not in HIDDEN})


def _problem(status: int, detail: str) -> web.Response:
    body = {"type": "about:blank", "status": status, "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json")
