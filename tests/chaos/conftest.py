"""The Asterisk, carrier and office of tests/asterisk, with a Redis that may be killed and a wire that may be cut."""

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest_asyncio
import redis.asyncio

from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.demo.carrier import Carrier
from tests.asterisk.ami_client import AmiClient
from tests.asterisk.conftest import ROOT, ami, asterisk, carrier, free_port, pbx, scratch, settings
from tests.asterisk.office import Office
from tests.chaos.wire import Wire

__all__ = ["ami", "asterisk", "carrier", "pbx", "scratch", "settings"]  # fixtures of the same house


@dataclass(frozen=True, slots=True)
class House:
    """An office whose engine reaches Asterisk by `wire`, and what may be broken besides."""

    office: Office
    wire: Wire
    redis: RedisProcess

    async def memory(self, size: str) -> None:
        """Redis's maxmemory; `1` is full."""
        async with redis.asyncio.Redis.from_url(self.redis.url) as link:
            await link.config_set("maxmemory", size)

    def holds(self) -> tuple[str, ...]:
        """Why the leader places no call."""
        (led,) = self.office.engines
        return led.engine.health().holds[self.office.campaign.id]


@pytest_asyncio.fixture(loop_scope="session")
async def house(
    settings: AsteriskSettings, pbx: AsteriskProcess, carrier: Carrier, ami: AmiClient, tmp_path: Path
) -> AsyncIterator[House]:
    port = free_port("127.0.0.1", socket.SOCK_STREAM)
    process = RedisProcess(redis_server(ROOT), tmp_path / "redis", port=port)
    wire = Wire(free_port("127.0.0.1", socket.SOCK_STREAM), settings.ami_port)
    await process.start()
    await wire.start()
    store = RedisStore(process.url)
    office = Office(replace(settings, ami_port=wire.port), pbx, carrier, ami, store, process.url)
    yield House(office, wire, process)
    await office.close()
    await store.close()
    await wire.stop()
    await process.stop()
