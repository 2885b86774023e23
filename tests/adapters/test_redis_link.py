"""The link and the private server: every trouble becomes one of our errors, soon, and nothing is half done."""

import asyncio
import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_process import RedisFailed, RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.errors import NotLeader, SetupError, StoreDown
from tests.adapters.redis_lives import AT, CAMPAIGN, ROOT, attempt, begin, claimed, contacts, dump, finish, link_of

pytestmark = pytest.mark.redis


async def test_nobody_there(redis_process: RedisProcess) -> None:
    await redis_process.kill()
    store = RedisStore(redis_process.url)
    with pytest.raises(StoreDown, match="Redis cannot be reached or refuses writes"):
        await store.health()
    await store.close()


async def test_a_frozen_redis_is_found_out_in_time_and_the_link_heals(redis_process: RedisProcess) -> None:
    store = RedisStore(redis_process.url, limit_s=0.2)
    token = await begin(store, listed=contacts(1))
    os.kill(redis_process.pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        with pytest.raises(StoreDown):
            await store.lock([attempt(contacts(1)[0])], AT)
        assert time.monotonic() - began < 5
    finally:
        os.kill(redis_process.pid, signal.SIGCONT)
    assert await store.renew(CAMPAIGN, "engine", token, 1000)
    await store.close()


async def test_a_cancelled_call_leaves_no_answer_for_the_next(redis_process: RedisProcess, store: RedisStore) -> None:
    link = link_of(store)
    await link.run([("SET", f"k{i}", i) for i in range(50)])
    for i in range(30):
        task = asyncio.create_task(link.run([("GET", f"k{j}") for j in range(50)]))
        for _ in range(i % 7):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert await link.run([("GET", f"k{i}"), ("GET", "k1")]) == [str(i).encode(), b"1"]


async def test_many_at_once_share_the_connections(store: RedisStore) -> None:
    link = link_of(store)
    answers = await asyncio.gather(*(link.one(("ECHO", str(i))) for i in range(200)))
    assert answers == [str(i).encode() for i in range(200)]


async def test_a_full_redis_refuses_and_nothing_is_half_done(store: RedisStore) -> None:
    people = contacts(2)
    token = await begin(store, listed=people)
    (one,) = await claimed(store, token, people[:1])
    held = attempt(people[1])
    await store.lock([held], AT)
    before = await dump(store)
    link = link_of(store)
    await link.one(("CONFIG", "SET", "maxmemory", "1"))
    for write in (
        store.lock([attempt(people[1])], AT + 60), store.claim(token, [held], AT),
        store.write(token, CAMPAIGN, [], [finish(one, people[0])]), store.add_contacts(CAMPAIGN, contacts(3, "b"), AT),
    ):  # fmt: skip
        with pytest.raises(StoreDown, match="memory"):
            await write
    await link.one(("CONFIG", "SET", "maxmemory", "0"))
    assert await dump(store) == before
    assert await store.write(token, CAMPAIGN, [], [finish(one, people[0])]) == 1


async def test_a_replica_refuses(store: RedisStore) -> None:
    token = await begin(store)
    await link_of(store).one(("REPLICAOF", "127.0.0.1", "1"))
    with pytest.raises(StoreDown, match="read only"):
        await store.correct(CAMPAIGN, token, {"attempt": "x"})


async def test_a_newer_leader_is_named_as_such(store: RedisStore) -> None:
    await link_of(store).one(("SET", campaign_keys(CAMPAIGN).fence, 7))
    with pytest.raises(NotLeader, match="token 6 is old"):
        await store.correct(CAMPAIGN, 6, {"attempt": "x"})


async def test_a_wrong_type_is_not_a_crash(store: RedisStore) -> None:
    await link_of(store).one(("SET", campaign_keys(CAMPAIGN).open, "x"))
    with pytest.raises(StoreDown, match="WRONGTYPE"):
        await store.open_attempts(CAMPAIGN)


# ---- the private server


async def test_the_data_is_there_after_a_restart(tmp_path: Path) -> None:
    redis = RedisProcess(redis_server(ROOT), tmp_path / "redis")
    for turn in range(2):
        await redis.start()
        link = Link(redis.url)
        assert await link.one(("INCR", "starts")) == turn + 1
        assert await link.one(("CONFIG", "GET", "appendfsync")) == [b"appendfsync", b"always"]
        assert await link.one(("CONFIG", "GET", "bind")) == [b"bind", b"127.0.0.1"]
        await link.close()
        assert redis.alive
        assert redis.cost().rss_bytes > 1_000_000
        await redis.stop()
        await redis.stop()
        assert not redis.alive


async def test_a_port_in_use_is_said_and_not_mistaken_for_ours(tmp_path: Path, redis_process: RedisProcess) -> None:
    second = RedisProcess(redis_server(ROOT), tmp_path / "second", port=redis_process.port)
    with pytest.raises(SetupError, match="Address already in use"):
        await second.start()


async def test_a_port_held_by_something_else(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        redis = RedisProcess(redis_server(ROOT), tmp_path / "r", port=other.getsockname()[1])
        with pytest.raises(RedisFailed):
            await redis.start(timeout_s=3)
        assert not redis.alive


async def test_no_server_and_a_broken_one(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="install redis-server 7 or newer"):
        await RedisProcess(tmp_path / "nothing", tmp_path / "r").start()
    with pytest.raises(SetupError, match="Cure what it names"):
        await RedisProcess(Path("/bin/false"), tmp_path / "r").start()
    with pytest.raises(RedisFailed, match="start it first"):
        _ = RedisProcess(tmp_path / "nothing", tmp_path / "r").pid
    with pytest.raises(RedisFailed, match="not ready after"):
        await RedisProcess(Path("/bin/sh"), tmp_path / "r", options=("-c",)).start(timeout_s=0.0)


# ---- what Redis says when it cannot


async def test_after_a_failover_nobody_stays_with_the_old_master(
    redis_process: RedisProcess, store: RedisStore
) -> None:
    """What is a replica now may have given its address away: the next command connects anew."""
    token, link = await begin(store), link_of(store)
    before = await link.one(("CLIENT", "ID"))
    await link.one(("REPLICAOF", "127.0.0.1", "1"))
    with pytest.raises(StoreDown, match="read only"):
        await store.correct(CAMPAIGN, token, {"attempt": "x"})
    assert await link.one(("CLIENT", "ID")) > before
    await link.one(("REPLICAOF", "NO", "ONE"))
    await store.correct(CAMPAIGN, token, {"attempt": "x"})


async def test_a_script_of_somebody_else_that_never_ends(redis_process: RedisProcess, store: RedisStore) -> None:
    link, other = link_of(store), Link(redis_process.url, 30.0)
    await link.one(("CONFIG", "SET", "busy-reply-threshold", "50"))
    spins = asyncio.create_task(other.one(("EVAL", "while true do end", "0")))
    said = ""
    async with asyncio.timeout(60):
        while not said:
            try:
                await store.health()
            except StoreDown as error:
                said = str(error)
    assert "BUSY" in said
    await link.one(("SCRIPT", "KILL"))
    with pytest.raises(StoreDown):
        await spins
    assert await store.health() < 5.0
    await other.close()


async def test_a_redis_that_still_loads(tmp_path: Path) -> None:
    """It answers, and takes nothing; then it does."""
    slow = ("--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024")
    run = tmp_path / "redis"
    first = RedisProcess(redis_server(ROOT), run)
    await first.start()
    filled = Link(first.url)
    await filled.run([("SET", f"k{i}", "x" * 100) for i in range(5000)])  # it looks up at every 1024th
    await filled.close()
    await first.stop()
    second = RedisProcess(redis_server(ROOT), run, port=first.port, options=slow)
    store = RedisStore(first.url)
    starting = asyncio.create_task(second.start(30.0))
    said = set()
    try:
        while not starting.done():
            try:
                await store.campaigns()
            except StoreDown as error:
                said.add(error.detail)
            await asyncio.sleep(0.01)
        await starting
        assert any("loading the dataset" in one for one in said), said
        assert await store.campaigns() == ()
    finally:
        await store.close()
        await second.kill()
