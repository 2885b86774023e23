"""What earlier versions have stored is read by this one, whole: backups of their demos, frozen in tests/stored.

`python -m tests.adapters.test_stored VERSION` writes down what this version reads: tests/stored/README.md.
"""

import asyncio
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from dialer.adapters import redis_backup
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.redis_users import RedisUsers
from dialer.model import Campaign
from dialer.ports import Held
from dialer.stream import read
from tests.asterisk.waiting import until

from .redis_lives import ROOT, attempt, finish

STORED = ROOT / "tests" / "stored"
VERSIONS = sorted(path.stem for path in STORED.glob("*.backup"))
LATER_S = 30 * 86_400.0

pytestmark = pytest.mark.redis


@asynccontextmanager
async def restored(version: str, folder: Path) -> AsyncIterator[tuple[RedisStore, float]]:
    """A Redis that holds what this version left, and when that was."""
    process = RedisProcess(redis_server(ROOT), folder / "redis", "no")
    await process.start()
    kept = folder / "kept"
    kept.mkdir()
    shutil.copy(STORED / f"{version}.backup", kept / redis_backup.FILE)
    link = redis_backup.client(process.url)
    store = RedisStore(process.url)
    try:
        await redis_backup.restore(link, kept)
        yield store, redis_backup.check(kept / redis_backup.FILE)[0].at
    finally:
        await store.close()
        await link.aclose()
        await process.kill()


async def seen(store: RedisStore, at: float) -> dict[str, Any]:
    """Everything that an engine, a web and an operator read, in words that do not change with the code's own."""
    found: dict[str, Any] = {}
    for name in await store.campaigns():
        known = await store.campaign(name)
        assert known is not None
        campaign, status = known
        cases = [case async for batch in store.survey(name, at) for case in batch]
        contacts = [case.contact for case in cases]
        persons = sorted({one.person for one in contacts if one.person})
        records = [record for _, record in await store.tail(name, 1000)]
        assert all(not read(record).unknown for record in records)
        found[name] = {
            "label": campaign.name, "kind": campaign.kind.value, "status": status.value,
            "listed": await store.listed(name), "people": sorted(one.name for one in contacts),
            "owed": sum(one.amount for one in contacts), "numbers": sum(len(one.numbers) for one in contacts),
            "open": sorted(one.id for one in await store.open_attempts(name)),
            "agents": sorted(one.id for one in await store.agents(name)),
            "outcomes": dict(sorted(Counter(record["outcome"] for record in records).items())),
            "attempts": [record["attempt"] for record in records],
            "counters": await store.counters(name),
            "histories": sum(len(one) for one in await store.histories(persons, at)),
            "facts": {record["attempt"]: [fact.name for fact in await store.facts(name, record["attempt"])]
                      for record in records},
            "log_unbroken": await store.verify_log(name) is None,
            "pacing": len(await store.pacing_since(name, 0.0)),
        }  # fmt: skip
    return found


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_it_stored_is_read_whole(version: str, tmp_path: Path) -> None:
    expected = json.loads((STORED / f"{version}.json").read_text())
    async with restored(version, tmp_path) as (store, at):
        assert await seen(store, at) == expected["campaigns"]
        users = RedisUsers(store._link)
        assert sorted(one.name for one in await users.users()) == expected["users"]
        assert store.broken == {}


@pytest.mark.parametrize("version", VERSIONS)
async def test_its_campaigns_go_on(version: str, tmp_path: Path) -> None:
    """Led by an engine of today: who is waiting can be called, and his outcome is written after the old ones."""
    async with restored(version, tmp_path) as (store, at):
        name = (await store.campaigns())[0]
        later = at + LATER_S
        token = await _led(store, name)
        known = await store.campaign(name)
        assert known is not None
        assert isinstance(known[0], Campaign)
        waiting = await store.candidates(name, later, 5)
        assert waiting
        one = attempt(waiting[0], name, later)
        assert all(isinstance(held, Held) for held in await store.lock([one], later))
        assert all(await store.claim(token, [one], later))
        await store.write(token, name, [], [finish(one, waiting[0], at=later + 30)])
        assert (await store.tail(name, 1))[0][1]["attempt"] == one.id
        assert store.broken == {}


async def _led(store: RedisStore, name: str) -> int:
    """The lease of the engine that led then comes back with the rest, and ends."""
    tokens: list[int | None] = []

    async def led() -> bool:
        tokens.append(await store.lead(name, "engine", 60_000))
        return tokens[-1] is not None

    await until(led, "the end of the old lease", 30)
    assert tokens[-1] is not None
    return tokens[-1]


async def _write_down(version: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with restored(version, Path(folder)) as (store, at):
            users = sorted(one.name for one in await RedisUsers(store._link).users())
            found = {"campaigns": await seen(store, at), "users": users}
            assert store.broken == {}
    (STORED / f"{version}.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    asyncio.run(_write_down(sys.argv[1]))
