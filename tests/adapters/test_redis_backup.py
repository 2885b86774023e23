"""Backup and restore between two real Redises: all comes back, also what older versions wrote; half a file is none."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError
from typer.testing import CliRunner, Result

from dialer.adapters import redis_backup
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.cli import app
from dialer.errors import BadInput, ConfigError, StoreDown
from dialer.model import Campaign

from .redis_lives import AT, CAMPAIGN, ROOT, begin, claimed, contacts, dump, finish, outcomes
from .test_reach import site
from .test_redis_contact import OLD

pytestmark = pytest.mark.redis
KEYS = campaign_keys(CAMPAIGN)


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[RedisProcess]:
    """A second one, empty."""
    process = RedisProcess(redis_server(ROOT), tmp_path / "other", "no")
    await process.start()
    yield process
    await process.kill()


async def written(process: RedisProcess, folder: Path) -> redis_backup.Kept:
    link = redis_backup.client(process.url)
    try:
        return await redis_backup.backup(link, folder, AT)
    finally:
        await link.aclose()


async def read(process: RedisProcess, folder: Path) -> redis_backup.Kept:
    link = redis_backup.client(process.url)
    try:
        return await redis_backup.restore(link, folder)
    finally:
        await link.aclose()


async def test_a_round_trip(
    store: RedisStore, redis_process: RedisProcess, other: RedisProcess, tmp_path: Path
) -> None:
    people = contacts(300)
    token = await begin(store, listed=people)
    attempts = await claimed(store, token, people[:3])
    await store.write(token, CAMPAIGN, [], [finish(attempts[0], people[0])])
    link = redis_backup.client(redis_process.url)
    await link.xgroup_create(KEYS.outcomes, "history", "0")
    await link.hset(KEYS.contacts, "c1", OLD)  # of version 0, as the first Santun wrote it
    await link.zadd(KEYS.later, {"c1": AT - 1})
    await link.set("stranger", "not ours")
    kept = await written(redis_process, tmp_path / "kept")
    assert kept.keys > 10
    assert (tmp_path / "kept" / redis_backup.FILE).stat().st_mode & 0o777 == 0o600
    assert await read(other, tmp_path / "kept") == redis_backup.Kept(kept.keys, kept.bytes + _foot(tmp_path / "kept"))
    back = redis_backup.client(other.url)
    assert {name async for name in back.scan_iter()} == {name async for name in link.scan_iter()} - {b"stranger"}
    for name in [name async for name in back.scan_iter()]:
        assert await back.dump(name) is not None
        assert (await back.pttl(name) > 0) == (await link.pttl(name) > 0), name
    assert [group["name"] for group in await back.xinfo_groups(KEYS.outcomes)] == [b"history"]
    await back.aclose()
    await link.aclose()
    again = RedisStore(other.url)
    assert await outcomes(again) == [attempts[0].id]
    assert {one.id for one in await again.open_attempts(CAMPAIGN)} == {one.id for one in attempts[1:]}
    assert "c1" in {one.id for one in await again.candidates(CAMPAIGN, AT, 500)}
    found = await again.contact(CAMPAIGN, "c1")
    assert found is not None
    assert (found.name, found.amount, found.numbers[0].e164) == ("Budi", 5, "+62812")
    await again.close()


def _foot(folder: Path) -> int:
    return len((folder / redis_backup.FILE).read_bytes().rpartition(b"\0\0\0\0")[2]) + 4


async def test_a_restore_that_is_broken_off_leaves_nobody_to_call(
    store: RedisStore, redis_process: RedisProcess, other: RedisProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What says who must not be called is back before any engine finds a campaign."""
    await begin(store, listed=contacts(20))
    await store.stop([one.person for one in contacts(20)], [])
    kept = await written(redis_process, tmp_path)
    whole = Redis.restore

    for broken_off_at in range(kept.keys):
        done = itertools.count()

        async def some(link: Redis, *words: Any, at: int = broken_off_at, done: Iterator[int] = done) -> None:
            if next(done) == at:
                raise ConnectionError
            await whole(link, *words)

        monkeypatch.setattr(Redis, "restore", some)
        with pytest.raises(StoreDown):
            await read(other, tmp_path)
        link, half = redis_backup.client(other.url), RedisStore(other.url)
        assert await half.campaigns() == ()
        assert await link.dbsize() == broken_off_at
        if broken_off_at:
            with pytest.raises(BadInput, match="restore into an empty one"):
                await read(other, tmp_path)
        await link.flushdb()
        await half.close()
        await link.aclose()


async def test_nothing_is_written_over_what_is_there(
    store: RedisStore, redis_process: RedisProcess, tmp_path: Path
) -> None:
    await begin(store, listed=contacts(1))
    await written(redis_process, tmp_path)
    before = await dump(store)
    with pytest.raises(BadInput, match="restore into an empty one"):
        await read(redis_process, tmp_path)
    assert await dump(store) == before


@pytest.mark.parametrize("place", [0.2, 0.5, 0.9, 0.999])
async def test_a_damaged_or_half_file_is_no_backup(
    store: RedisStore, redis_process: RedisProcess, other: RedisProcess, tmp_path: Path, place: float
) -> None:
    await begin(store, listed=contacts(20))
    await written(redis_process, tmp_path)
    file = tmp_path / redis_backup.FILE
    whole = file.read_bytes()
    at = int(len(whole) * place)
    for broken in (whole[:at], whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :]):
        file.write_bytes(broken)
        with pytest.raises(BadInput):
            await read(other, tmp_path)
    link = redis_backup.client(other.url)
    assert await link.dbsize() == 0
    await link.aclose()


async def test_another_version_and_no_redis(tmp_path: Path, redis_process: RedisProcess) -> None:
    await written(redis_process, tmp_path)
    file = tmp_path / redis_backup.FILE
    file.write_bytes(file.read_bytes().replace(b'"v":1', b'"v":9'))
    with pytest.raises(BadInput, match="has version 9"):
        redis_backup.check(file)
    await redis_process.kill()
    with pytest.raises(StoreDown):
        await written(redis_process, tmp_path / "no")
    assert not (tmp_path / "no" / redis_backup.FILE).exists()


async def test_the_commands(
    store: RedisStore,
    redis_process: RedisProcess,
    other: RedisProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await begin(store, listed=contacts(2))
    (tmp_path / "sounds").mkdir()
    (tmp_path / "sounds" / "a1.wav").write_bytes(b"1234")
    (tmp_path / "sounds" / "2026-11-22").mkdir()
    (tmp_path / "sounds" / "2026-11-22" / "a0.wav.age").write_bytes(b"sealed")
    config = site(tmp_path, monkeypatch, redis_process.url, 1, 1)
    config.write_text(config.read_text() + f'[web]\nrecordings = "{tmp_path / "sounds"}"\n')
    folder = str(tmp_path / "kept")
    told = await asyncio.to_thread(CliRunner().invoke, app, ["backup", folder, "--config", str(config)])
    assert told.exit_code == 0, told.exception
    assert (tmp_path / "kept" / redis_backup.RECORDINGS).read_text() == "6\t2026-11-22/a0.wav.age\n4\ta1.wav\n"
    monkeypatch.setenv("SANTUN_REDIS_URL", other.url)
    told = await asyncio.to_thread(CliRunner().invoke, app, ["restore", folder, "--config", str(config)])
    assert told.exit_code == 0, told.exception
    assert told.stdout.endswith("Start the engine: it takes calls that were open for interrupted ones.\n")
    again = RedisStore(other.url)
    assert await again.remaining(CAMPAIGN, AT) == await store.remaining(CAMPAIGN, AT)
    await again.close()


async def test_with_another_person_key_nothing_goes_on(
    store: RedisStore,
    redis_process: RedisProcess,
    other: RedisProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is the one thing that no backup holds: with a new one nobody who must not be called would be found."""
    await store.save_campaign(Campaign(CAMPAIGN, "Real"))
    rows = tmp_path / "list.csv"
    rows.write_text("name,phone,account\nBudi,081234567890,A1\n")
    config = site(tmp_path, monkeypatch, redis_process.url, 1, 1)
    load = ["load", str(rows), "--campaign", CAMPAIGN, "--config", str(config)]
    assert (await _command(load)).exit_code == 0
    assert (await _command(["backup", str(tmp_path / "kept"), "--config", str(config)])).exit_code == 0
    monkeypatch.setenv("SANTUN_REDIS_URL", other.url)
    monkeypatch.setenv("SANTUN_PERSON_KEY", "cd" * 32)
    for words in (
        ["restore", str(tmp_path / "kept"), "--config", str(config)],
        load,
        ["engine", "--config", str(config)],
        ["web", "--config", str(config)],
        ["dnc", "add", "081234567890", "--reason", "asked", "--config", str(config)],
        ["dnc", "list", "081234567890", "--config", str(config)],
        ["why", "081234567890", "--config", str(config)],
        ["erase", "081234567890", "--yes", "--config", str(config)],
    ):
        told = await _command(words)
        assert isinstance(told.exception, ConfigError), (words, told)
        assert "Set the one that was used before" in str(told.exception)
    monkeypatch.setattr("dialer.adapters.reach.WAIT_S", 0.1)
    assert (await _command(["campaign", "list", "--config", str(config)])).exit_code == 0, "no person is looked for"
    told = await _command(["check", "--config", str(config)])
    assert "SANTUN_PERSON_KEY is not the one by which this Redis knows its people" in told.stdout
    monkeypatch.setenv("SANTUN_PERSON_KEY", "ab" * 32)
    told = await _command(["check", "--config", str(config)])
    assert "SANTUN_PERSON_KEY" not in told.stdout
    assert (await _command(load)).exit_code == 0


async def _command(words: list[str]) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, words)
