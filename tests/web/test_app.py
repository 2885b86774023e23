"""Health, readiness and live snapshots over HTTP, on a real Redis."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import ClientSession, web

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.model import Campaign
from dialer.ports import LinkHealth, Telephony
from dialer.web.app import make_app

ROOT = Path(__file__).parents[2]


class Site:
    """The pages, asked by a client; `up`: Asterisk's session."""

    def __init__(self, redis: RedisProcess) -> None:
        self.up = True
        self.redis, self.store = redis, RedisStore(redis.url)
        phone = SimpleNamespace(health=lambda: LinkHealth(self.up, 1.0, 0))
        self.runner = web.AppRunner(make_app(self.store, {"pbx1": cast(Telephony, phone)}))
        self.base = ""

    async def get(self, path: str) -> tuple[int, Any]:
        async with ClientSession() as client, client.get(self.base + path) as answer:
            return answer.status, await answer.json(content_type=None)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    redis = RedisProcess(redis_server(ROOT), tmp_path / "redis", "no")
    await redis.start()
    site = Site(redis)
    await site.runner.setup()
    await web.TCPSite(site.runner, "127.0.0.1", 0).start()
    host, port = site.runner.addresses[0][:2]
    site.base = f"http://{host}:{port}"
    yield site
    await site.runner.cleanup()
    await site.store.close()
    await redis.kill()


async def test_alive_and_ready(site: Site) -> None:
    assert await site.get("/health") == (200, {"alive": True})
    assert await site.get("/ready") == (200, {"ready": True, "lacks": []})


async def test_not_ready_says_what_lacks(site: Site) -> None:
    site.up = False
    await site.redis.kill()
    assert await site.get("/ready") == (503, {"ready": False, "lacks": ["Asterisk pbx1", "Redis"]})
    assert await site.get("/health") == (200, {"alive": True})
    for path in ("/api/v1/campaigns", "/api/v1/campaigns/april/live"):
        status, problem = await site.get(path)
        assert (status, problem["status"]) == (503, 503)
        assert "Redis cannot be reached" in problem["detail"]


async def test_live_without_what_is_for_the_next_leader(site: Site) -> None:
    await site.store.save_campaign(Campaign("april", "April"))
    assert await site.get("/api/v1/campaigns") == (200, {"campaigns": ["april"]})
    assert (await site.get("/api/v1/campaigns/april/live"))[0] == 404
    token = await site.store.lead("april", "test", 1000)
    assert token is not None
    await site.store.publish("april", token, json.dumps({"campaign": "april", "kept": {"v": 1}}).encode())
    assert await site.get("/api/v1/campaigns/april/live") == (200, {"campaign": "april"})


@pytest.mark.parametrize("name", ["nobody", "April", "a%2Fb"])
async def test_a_campaign_that_is_not_there(site: Site, name: str) -> None:
    status, problem = await asyncio.wait_for(site.get(f"/api/v1/campaigns/{name}/live"), 5)
    assert (status, problem["detail"][:22]) == (404, "There is no such campa")
