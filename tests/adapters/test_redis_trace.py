"""`dialer trace` on a real Redis: a call that is up, one that is over, one that nobody knows."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.adapters.redis_codec import encode
from dialer.adapters.redis_keys import campaign_keys, facts_key
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.redis_trace import READ_AT_ONCE, find
from dialer.cli import app
from dialer.model import CallState, Fact, attempt_id
from dialer.stream import Type, correction, record
from tests.floor.test_floor import T0
from tests.floor.test_timeline import ID, ONE, VERDICT

from ..site import CAMPAIGN
from .test_reach import site

pytestmark = pytest.mark.redis
KEYS = campaign_keys("c1")


async def put(link: Link, at: float, entry: Mapping[str, str]) -> None:
    await link.one(("XADD", KEYS.outcomes, f"{int(at * 1000)}-*", *(word for pair in entry.items() for word in pair)))


async def test_one_that_is_over_is_found_among_many(store: RedisStore, redis_process: RedisProcess) -> None:
    link = Link(redis_process.url)
    await store.save_campaign(CAMPAIGN)
    for turn in range(READ_AT_ONCE + 20):
        other = attempt_id(T0, turn.to_bytes(10, "big"))
        await put(link, T0 + turn / 100, record(replace(ONE, id=other), VERDICT, (), None, CAMPAIGN))
    await put(link, T0 + 70.2, record(ONE, VERDICT, (), None, CAMPAIGN))
    await put(link, T0 + 90, correction(ID, "c1", T0 + 90, "1001", {"disposition": "paid"}))
    await link.one(("HSET", facts_key("c1", ID), "1", encode(Fact(1, T0 + 5, "step", "verify"))))
    found = await find(link, store, ID, T0)
    assert found is not None
    assert found.attempt is None
    assert [(round(at - T0, 1), entry.type) for at, entry in found.entries] == [
        (70.2, Type.OUTCOME),
        (90.0, Type.CORRECTION),
    ]
    assert [fact.value for fact in found.facts] == ["verify"]
    assert await find(link, store, attempt_id(T0, b"\xff" * 10), T0) is None
    await link.close()


async def test_the_command(
    store: RedisStore, redis_process: RedisProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = Link(redis_process.url)
    await store.save_campaign(CAMPAIGN)
    await link.one(("HSET", KEYS.open, ID, encode(replace(ONE, state=CallState.TALKING))))
    await link.close()
    config = site(tmp_path, monkeypatch, redis_process.url, 1, 1)
    log = tmp_path / "engine.log"
    log.write_text(json.dumps({"event": "hello", "attempt": ID, "timestamp": "2026-11-21T03:04:05Z"}) + "\n")

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["trace", *words, "--config", str(config)])
        return result.exit_code, result.stdout + str(result.exception or "")

    code, said = await asyncio.to_thread(run, ID, "--json", "--log", str(log))
    assert code == 0
    told = json.loads(said)
    assert told["campaign"] == "c1"
    assert told["steps"][0]["what"] == "locked and written down"
    assert {step["source"] for step in told["steps"]} == {"claim", "engine", "asterisk", "agent", "log"}
    code, said = await asyncio.to_thread(run, ID.upper())
    assert code == 0
    assert "agent and debtor hear each other" in said
    code, said = await asyncio.to_thread(run, attempt_id(T0, b"\xff" * 10))
    assert code == 1
    assert "nothing is known of" in said
    code, said = await asyncio.to_thread(run, "0812345")
    assert "is no attempt's id" in said
