"""A private Redis for each test that asks for one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def redis_process(tmp_path: Path) -> AsyncIterator[RedisProcess]:
    """Started; without its safety on disk, which most tests do not ask about."""
    process = RedisProcess(redis_server(ROOT), tmp_path / "redis", "no")
    await process.start()
    yield process
    await process.kill()  # its own goodbye takes a tenth of a second


@pytest.fixture
async def store(redis_process: RedisProcess) -> AsyncIterator[RedisStore]:
    """A store on it."""
    store = RedisStore(redis_process.url)
    yield store
    await store.close()
