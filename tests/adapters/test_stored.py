"""What earlier versions have stored is read by this one, whole: backups of their demos, frozen in tests/stored.

`python -m tests.adapters.test_stored VERSION` writes down what this version reads; with `--life` it makes the backup,
too, of a person's whole life in a site: tests/stored/README.md.
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

import msgspec
import pytest

from dialer.adapters import redis_backup
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_deeds import RedisAudit, RedisOnce
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_sessions import Limits, RedisTokens
from dialer.adapters.redis_sheets import RedisSheets
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.redis_users import RedisUsers
from dialer.model import Campaign
from dialer.ports import Held, Unwritten
from dialer.stream import read
from dialer.users import ApiToken, Role, User
from tests.asterisk.waiting import until

from .redis_lives import AT, ROOT, attempt, finish, link_of
from .test_redis_erasure import KEYS, PERSON, SECOND, life

STORED = ROOT / "tests" / "stored"
VERSIONS = sorted(path.stem for path in STORED.glob("*.backup"))
LATER_S = 30 * 86_400.0
LIFE = "-life"
LIMITS = Limits(60.0, 60.0, 0.1, 60)

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
            "outcomes": dict(sorted(Counter(one["outcome"] for one in records if "outcome" in one).items())),
            "attempts": [record["attempt"] for record in records],
            "counters": await store.counters(name),
            "histories": sum(len(one) for one in await store.histories(persons, at)),
            "facts": {record["attempt"]: [fact.name for fact in await store.facts(name, record["attempt"])]
                      for record in records},
            "log_unbroken": await store.verify_log(name) is None,
            "pacing": len(await store.pacing_since(name, 0.0)),
        }  # fmt: skip
    return found


async def life_seen(store: RedisStore, at: float) -> dict[str, Any]:
    """What no demo brings about: what was promised, paid, stopped, edited, refused, and came late."""
    link, sheets = link_of(store), RedisSheets(link_of(store))
    found: dict[str, Any] = {
        "promises": await store.promises(PERSON, at),
        "payments": [dict(one) for _, one in await store.told_payments("0", 100)],
        "history": await store.history(PERSON, at),
        "stops": await store.stops_of([PERSON], [KEYS[SECOND]]),
        "stops_told": [dict(one) for one in await store.told_stops(10)],
        "sheets": {name: [one.text for one in await sheets.versions(name)] for name in await sheets.names("scripts")},
        "tokens": [(one.name, one.rights) for one in await RedisTokens(link, LIMITS).all()],
        "audit": [deed for _, deed in await RedisAudit(link).read(10)],
        "answered": await RedisOnce(link).begin("ani", "key-0001", "print"),
        "keyed": (await store.is_keyed_by("the mark"), await store.is_keyed_by("another")),
    }
    for name in await store.campaigns():
        found[name] = {
            "entries": [dict(entry) for _, entry in await store.tail(name, 100)],
            "refusals": [dict(entry) for _, entry in await store.tail(name, 100, "refusals")],
            "call_backs": [(one.id, one.callback_at) for one in await store.call_backs(name, 0.0, 10)],
            "late": [(one.attempt_id, one.facts) for one in await store.handed_over(name)],
        }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found))
    return plain


def lacking(expected: Any, found: Any, place: str = "") -> list[str]:
    """Where what was read then is read otherwise now; fields that have come since are no matter."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [one for key, part in expected.items() for one in lacking(part, found.get(key), f"{place}.{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        parts = enumerate(zip(expected, found, strict=True))
        return [one for at, (part, now) in parts for one in lacking(part, now, f"{place}[{at}]")]
    return [] if expected == found else [f"{place}: {expected!r} is read as {found!r}"]


def test_what_is_read_otherwise_is_told() -> None:
    then = {"a": [{"b": 1, "c": ["x"]}], "d": None}
    assert lacking(then, {"a": [{"b": 1, "c": ["x"], "new": 2}], "d": None, "later": 3}) == []
    assert lacking(then, {"a": [{"b": 2, "c": ["x"]}], "d": 0}) == [".a[0].b: 1 is read as 2", ".d: None is read as 0"]
    assert lacking(then, {"a": [], "d": None}) == [".a: [{'b': 1, 'c': ['x']}] is read as []"]
    assert lacking(then, {"d": None}) == [".a: [{'b': 1, 'c': ['x']}] is read as None"]


async def live(store: RedisStore) -> None:
    """A person's whole life in a site, as the code of today writes it."""
    link = link_of(store)
    _, (call,) = await life(store)
    await store.hand_over([Unwritten("first", call, facts=True)])
    await RedisSheets(link).write("scripts/april", "[early]\nopening = 'Selamat pagi.'\n", 0, "ani", AT)
    await RedisTokens(link, LIMITS).make(ApiToken("", "ledger", "", ("payments:change",), "ani", AT))
    await RedisUsers(link).add(User("ani", Role.ADMIN, "no hash at all", "1001", made_at=AT))
    assert await store.is_keyed_by("the mark", from_now=True)


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_it_stored_is_read_whole(version: str, tmp_path: Path) -> None:
    expected = json.loads((STORED / f"{version}.json").read_text())
    async with restored(version, tmp_path) as (store, at):
        assert await seen(store, at) == expected["campaigns"]
        if "life" in expected:
            assert lacking(expected["life"], await life_seen(store, at)) == []
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
            if version.endswith(LIFE):
                found["life"] = await life_seen(store, at)
            assert store.broken == {}
    (STORED / f"{version}.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


async def _live_through(version: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        process = RedisProcess(redis_server(ROOT), Path(folder) / "redis", "no")
        await process.start()
        store, link = RedisStore(process.url), redis_backup.client(process.url)
        try:
            await live(store)
            await redis_backup.backup(link, Path(folder), AT)
        finally:
            await store.close()
            await link.aclose()
            await process.kill()
        shutil.copyfile(Path(folder) / redis_backup.FILE, STORED / f"{version}.backup")


if __name__ == "__main__":
    name, *more = sys.argv[1:]
    if more == ["--life"]:
        name += LIFE
        asyncio.run(_live_through(name))
    asyncio.run(_write_down(name))
