"""A choice that was confirmed while Redis was away is in Redis afterwards: frozen, killed or full, and we with it."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_ivr import IvrStore
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.spool import SpoolFile
from dialer.adapters.spooled_facts import KIND, send_left
from dialer.errors import StoreDown
from dialer.model import Fact
from dialer.ports import Unwritten
from ivr import session
from ivr.adapters.clock import SystemClock
from ivr.adapters.spooled import SpooledReports
from tests.adapters.redis_lives import ROOT, link_of, until
from tests.ivr import twins
from tests.ivr.peer import Peer
from tests.ivr.test_ivr_cli import open_attempt, serving
from tests.ivr.test_session_paths import CONTACT, SETTLED, desk, pressed
from tests.ivr.twins import CALL, Phone, Store

LIMIT_S = 0.3  # of Redis, for the test's patience
FACTS = [Fact(1, 1.5, "verified"), Fact(2, 2.5, "promise", "2027-01-10;500000")]

Fault = Callable[[RedisProcess, RedisStore], Awaitable[None]]


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisProcess]:
    process = RedisProcess(redis_server(ROOT), tmp_path / "redis", "always")
    await process.start()
    yield process
    if process.alive:
        os.kill(process.pid, signal.SIGCONT)
    await process.kill()


class Server:
    """The IVR's side of a conversation; `file` is where facts wait."""

    def __init__(self, url: str, folder: Path, most_bytes: int = 10**6) -> None:
        self.store = IvrStore(url, LIMIT_S)
        self.file = SpoolFile(folder, KIND, most_bytes)
        self.reports = SpooledReports(self.store, self.file, SystemClock())

    def close(self) -> None:
        self.file.close()
        self.store.close()


async def facts_in(redis: RedisProcess, attempt: str = CALL.attempt) -> list[tuple[str, str]]:
    store = RedisStore(redis.url)
    found = await store.facts(CALL.campaign, attempt)
    assert [fact.seq for fact in found] == list(range(1, len(found) + 1))
    await store.close()
    return [(fact.name, fact.value) for fact in found]


async def frozen(redis: RedisProcess, store: RedisStore) -> None:
    os.kill(redis.pid, signal.SIGSTOP)


async def thawed(redis: RedisProcess, store: RedisStore) -> None:
    os.kill(redis.pid, signal.SIGCONT)


async def killed(redis: RedisProcess, store: RedisStore) -> None:
    await redis.kill()


async def started(redis: RedisProcess, store: RedisStore) -> None:
    await RedisProcess.start(redis)


async def full(redis: RedisProcess, store: RedisStore) -> None:
    await link_of(store).one(("CONFIG", "SET", "maxmemory", "1"))


async def emptied(redis: RedisProcess, store: RedisStore) -> None:
    await link_of(store).one(("CONFIG", "SET", "maxmemory", "0"))


FAULTS: dict[str, tuple[Fault, Fault]] = {
    "frozen": (frozen, thawed), "killed": (killed, started), "full": (full, emptied)
}  # fmt: skip


@pytest.mark.redis
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("how", ["promise", "wrong_person", "stop"])
async def test_what_was_confirmed_is_there_when_redis_is_back(fault: str, how: str, tmp_path: Path) -> None:
    redis = RedisProcess(redis_server(ROOT), tmp_path / "redis", "always", port=_port())
    await redis.start()
    watch = RedisStore(redis.url)
    breaks, mends = FAULTS[fault]
    server = Server(redis.url, tmp_path / "spool")
    try:
        await breaks(redis, watch)
        here = replace(desk(Store(contact=CONTACT)), reports=server.reports)
        phone = Phone(pressed(SETTLED[how]))
        assert await asyncio.to_thread(session.play, CALL, phone, here) == how
        waited = server.reports.waiting
        assert waited > 3
        assert not await asyncio.to_thread(server.reports.drain)
        assert (server.reports.waiting, len(server.file.read())) == (waited, waited)
        await mends(redis, watch)
        assert await asyncio.to_thread(server.reports.drain)
        assert (server.reports.waiting, list((tmp_path / "spool").iterdir())) == (0, [])
        told = await facts_in(redis)
        assert len(told) == waited
        assert how in [name for name, _ in told]
        assert told[-1][0] == "closed"
        late = await watch.handed_over(CALL.campaign)
        assert [(one.attempt_id, one.facts) for one in late] == [(CALL.attempt, True)]
        assert await asyncio.to_thread(server.reports.report, "c", "x", FACTS[0])  # straight to Redis again
        assert server.reports.waiting == 0
    finally:
        server.close()
        await watch.close()
        if redis.alive:
            os.kill(redis.pid, signal.SIGCONT)
        await redis.kill()


# two lines as 0.1.0 has written them, the first before lines had a version: files outlive an upgrade
LEFT_BY_VERSION_1 = (
    b"52e6469c85fcc14c 1 g6hjYW1wYWlnbqVmaXJzdKdhdHRlbXB0oXikZmFjdISjc2VxAaJhdMs/+AAAAAAAAKRuYW1lqHZlcmlma"
    b"WVkpXZhbHVloA==\n"
    b"48a0cdf92298031a 2 hKhjYW1wYWlnbqVmaXJzdKdhdHRlbXB0oXikZmFjdISjc2VxAqJhdMtABAAAAAAAAKRuYW1lp3Byb21pc"
    b"2WldmFsdWWxMjAyNy0wMS0xMDs1MDAwMDChdgE=\n"
)


def test_what_version_1_has_left_is_sent(tmp_path: Path) -> None:
    sent: list[object] = []

    class Taken:
        def report_once(self, campaign: str, attempt: str, fact: Fact) -> bool:
            sent.append((campaign, attempt, fact))
            return True

        def came_late(self, campaign: str, attempt: str, at: float) -> None:
            sent.append((campaign, attempt, at))

    (tmp_path / f"{KIND}-gone-1-ab.spool").write_bytes(LEFT_BY_VERSION_1)
    file = SpoolFile(tmp_path, KIND)
    send_left(file, Taken(), lambda: 9.0)
    file.close()
    assert sent == [*(("first", "x", fact) for fact in FACTS), ("first", "x", 9.0)]
    assert list(tmp_path.iterdir()) == []


def _port() -> int:
    """Free a moment ago; the same one after the restart."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


@pytest.mark.redis
async def test_a_server_that_is_killed_leaves_its_facts_to_the_next(redis: RedisProcess, tmp_path: Path) -> None:
    server = Server(redis.url, tmp_path / "spool")
    os.kill(redis.pid, signal.SIGSTOP)
    for fact in FACTS:
        assert await asyncio.to_thread(server.reports.report, CALL.campaign, CALL.attempt, fact)
    server.close()  # its lock goes, as with -9; nothing is sent
    os.kill(redis.pid, signal.SIGCONT)
    for _ in range(2):
        heir = Server(redis.url, tmp_path / "spool")
        assert await asyncio.to_thread(heir.reports.drain)
        heir.close()
        assert list((tmp_path / "spool").iterdir()) == []
        assert await facts_in(redis) == [(fact.name, fact.value) for fact in FACTS]


@pytest.mark.redis
async def test_at_the_bound_nothing_is_called_stored(redis: RedisProcess, tmp_path: Path) -> None:
    server = Server(redis.url, tmp_path / "spool", most_bytes=10)
    os.kill(redis.pid, signal.SIGSTOP)
    with pytest.raises(StoreDown, match=r"of at most 10 bytes"):
        await asyncio.to_thread(server.reports.report, CALL.campaign, CALL.attempt, FACTS[0])
    here = replace(desk(Store(contact=CONTACT)), reports=server.reports)
    phone = Phone(pressed(SETTLED["promise"]))
    assert await asyncio.to_thread(session.play, CALL, phone, here) == "not_stored"
    assert "promise_noted" not in phone.events
    server.close()


@pytest.mark.redis
async def test_redis_frozen_and_the_ivr_killed_in_a_call(redis: RedisProcess, tmp_path: Path) -> None:
    """The whole of it as processes: what the debtor heard confirmed outlives both."""
    attempt = await open_attempt(redis.url)
    variables = {"SANTUN_ATTEMPT": attempt, "SANTUN_CAMPAIGN": twins.CAMPAIGN.id, "SANTUN_LANGUAGE": "id"}
    keys = iter("1" + "1234" + "211")  # himself, his code, a promise, the first day, yes

    def press(path: Path, awaited: str) -> str:
        if path.name != "silence" or not awaited:
            return ""
        key = next(keys, "")
        if key == "2":
            os.kill(redis.pid, signal.SIGSTOP)
        return key

    with serving(redis.url, tmp_path / "prompts") as (process, address):
        peer = Peer(address, variables, press)
        talk = threading.Thread(target=peer.run, daemon=True)
        talk.start()
        await asyncio.to_thread(talk.join, 60)
        assert not talk.is_alive()
        assert peer.set == {"IVR_RESULT": "done"}
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert len(list((tmp_path / "spool").iterdir())) == 1
    os.kill(redis.pid, signal.SIGCONT)
    with serving(redis.url, tmp_path / "prompts") as (process, _):

        async def is_told() -> bool:
            return "closed" in [name for name, _ in await facts_in(redis, attempt)]

        await until(is_told)
        told = await facts_in(redis, attempt)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert "promise" in [name for name, _ in told]
    assert list((tmp_path / "spool").iterdir()) == []
    store = RedisStore(redis.url)
    (late,) = await store.handed_over(twins.CAMPAIGN.id)
    assert late == Unwritten(twins.CAMPAIGN.id, attempt, at=late.at, facts=True)
    await store.close()
