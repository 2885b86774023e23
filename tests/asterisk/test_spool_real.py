"""Redis away under real calls: engines as processes, what ended meanwhile on the disk, and one outcome of each call."""

import asyncio
import os
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.spool import decode_change, records
from dialer.demo.carrier import Carrier

from .ami_client import AmiClient
from .conftest import ROOT, free_port
from .office import LIMIT_S, Office
from .test_standby import Process, Site
from .waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk, pytest.mark.redis]


@pytest_asyncio.fixture(loop_scope="session")
async def redis(tmp_path: Path) -> AsyncIterator[RedisProcess]:
    """As an operator's: what it acknowledged is on the disk; at the same port after a restart."""
    port = free_port("127.0.0.1", socket.SOCK_STREAM)
    process = RedisProcess(redis_server(ROOT), tmp_path / "redis", "always", port)
    await process.start()
    yield process
    if process.alive:
        os.kill(process.pid, signal.SIGCONT)
    await process.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def site(
    settings: AsteriskSettings,
    pbx: AsteriskProcess,
    carrier: Carrier,
    ami: AmiClient,
    redis: RedisProcess,
    tmp_path: Path,
) -> AsyncIterator[Site]:
    store = RedisStore(redis.url)
    site = Site(Office(settings, pbx, carrier, ami, store, redis.url), tmp_path)
    yield site
    await site.close()
    await store.close()


def spooled(site: Site) -> dict[str, bool]:
    """Attempt -> whether its outcome waits on the disk."""
    found: dict[str, bool] = {}
    for path in (site.folder / "spool").glob("*.spool"):
        for _, payload in records(path.read_bytes()):
            change = decode_change(payload)
            assert change is not None
            found[change.attempt_id] = change.finish is not None
    return found


async def on_disk(site: Site, attempts: list[str]) -> None:
    """Each outcome."""

    async def kept() -> bool:
        return spooled(site) == dict.fromkeys(attempts, True)

    await until(kept, f"{attempts} on the disk: {spooled(site)}", LIMIT_S)


async def two_talks(site: Site) -> list[str]:
    """Two agents talk; nobody else is on the list."""
    office = site.office
    debtors = [office.debtor("human"), office.debtor("human")]
    await office.add(*debtors)
    await office.order("start")
    attempts = [await office.talking("1001"), await office.talking("1002")]
    for agent in ("1001", "1002"):
        await office.known_as(agent, "talking")
    return attempts


async def end(site: Site, attempts: list[str]) -> None:
    for attempt in attempts:
        await site.office.hang_up(attempt)


async def told_once(site: Site, attempts: list[str]) -> None:
    """One outcome of each, true by what corrections say; nothing open, nothing left on the disk."""
    office = site.office

    async def settled() -> bool:
        entries = [entry for _, entry in await office.store.tail(office.campaign.id, 1000)]
        return {one["attempt"] for one in entries if one["type"] == "outcome"} == set(attempts) and not (
            await office.store.open_attempts(office.campaign.id)
            or await office.store.handed_over(office.campaign.id)
            or spooled(site)
        )

    await until(settled, "every outcome is in the stream", 2 * LIMIT_S)
    entries = [entry for _, entry in await office.store.tail(office.campaign.id, 1000)]
    now: dict[str, Mapping[str, str]] = {one["attempt"]: one for one in entries if one["type"] == "outcome"}
    assert len([one for one in entries if one["type"] == "outcome"]) == len(attempts)
    for one in entries:
        if one["type"] == "correction":
            now[one["attempt"]] = {**now[one["attempt"]], **one}
    assert {one["outcome"] for one in now.values()} == {"connected"}
    assert {one["cause"] for one in now.values()} == {"16"}  # somebody saw it end
    assert {call.attempt for call in office.calls()} == set(attempts)
    assert len(office.calls()) == len(attempts)


def readyz(process: Process) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{process.port}/readyz", timeout=5) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return str(error.read().decode())


@pytest.mark.parametrize("fault", ["frozen", "full"])
async def test_what_ends_while_redis_is_away_is_on_the_disk_and_written_once(
    site: Site, redis: RedisProcess, fault: str
) -> None:
    leader, standby = await site.open("1001", "1002", wrap_up_max_s=1)
    attempts = await two_talks(site)
    if fault == "frozen":
        os.kill(redis.pid, signal.SIGSTOP)
    else:
        await site.office.store._link.one(("CONFIG", "SET", "maxmemory", "1"))
    await end(site, attempts)
    await on_disk(site, attempts)
    assert "spool: 2 changes wait on the disk for Redis" in await asyncio.to_thread(readyz, leader)
    if fault == "frozen":
        os.kill(redis.pid, signal.SIGCONT)
    else:
        await site.office.store._link.one(("CONFIG", "SET", "maxmemory", "0"))
    await told_once(site, attempts)
    await until(leader.ready, "the leader is ready again", LIMIT_S)
    await until(standby.ready, "the standby is ready again", LIMIT_S)


async def test_engines_killed_with_outcomes_on_the_disk_lose_none(site: Site, redis: RedisProcess) -> None:
    leader, standby = await site.open("1001", "1002", wrap_up_max_s=1)
    attempts = await two_talks(site)
    await redis.kill()
    await end(site, attempts)
    await on_disk(site, attempts)
    for process in (leader, standby):
        process.send(signal.SIGKILL)
        await process.ended()
    await redis.start()
    await site.engine("c")
    await told_once(site, attempts)


async def test_a_kill_before_the_outcome_keeps_what_was_seen(site: Site, redis: RedisProcess) -> None:
    """Killed in the wrap-up: the talk's end is on the disk, and the standby writes the outcome from it."""
    leader, _ = await site.open("1001", "1002", wrap_up_max_s=30)
    attempts = await two_talks(site)
    await redis.kill()
    await end(site, attempts)

    async def kept() -> bool:
        return spooled(site) == dict.fromkeys(attempts, False)

    await until(kept, "both ends on the disk", LIMIT_S)
    leader.send(signal.SIGKILL)
    await leader.ended()
    await redis.start()
    for agent in ("1001", "1002"):
        await site.office.known_as(agent, "wrap_up")
        await site.office.order("wrapped", agent=agent, disposition="refuses")
    await told_once(site, attempts)
