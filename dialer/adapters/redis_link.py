"""Two clients: commands in pipelines under a time limit and without retry, and blocking reads of their own."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import hiredis
import redis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from dialer.adapters.redis_codec import Reader
from dialer.adapters.redis_scripts import RedisCommand, sources
from dialer.adapters.tls_faults import cure
from dialer.errors import NotLeader, StoreDown, StoreError

COMMAND_LIMIT_S = 2.0
CONNECTIONS = 32
BLOCK_S = 1.0

FAILURES = (redis.RedisError, OSError, TimeoutError)


def translate(error: BaseException, url: str = "") -> StoreError:
    """redis-py's words into ours."""
    said = f"{type(error).__name__}: {error}".removesuffix(": ")
    if means := cure(error):
        said = f"{means} ({said})"
    elif url.startswith("rediss:") and isinstance(error, TimeoutError | redis.exceptions.TimeoutError):
        said = f"{said} over TLS: is this its TLS port?"
    return NotLeader(str(error)) if str(error).startswith("NOTLEADER") else StoreDown(said)


def no_retry() -> Retry:
    """redis-py's own default would send a command again that had already been carried out."""
    return Retry(NoBackoff(), 0)


class Link:
    """The connection to one Redis."""

    def __init__(self, url: str, limit_s: float = COMMAND_LIMIT_S) -> None:
        self._limit_s, self._url = limit_s, url
        self._pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, timeout=limit_s, socket_timeout=limit_s, socket_connect_timeout=limit_s,
            retry=no_retry(), protocol=2,
        )  # fmt: skip
        # blocking reads: any time limit below BLOCK would cut them off
        self.blocking = Redis.from_url(
            url, socket_timeout=None, socket_connect_timeout=limit_s, health_check_interval=15, retry=no_retry(),
            protocol=2,
        )  # fmt: skip
        self.blocking.response_callbacks.clear()  # answers as Redis gives them, as in run()
        self.reader = Reader()

    async def run(self, commands: Sequence[RedisCommand]) -> list[Any]:
        """One round trip; answers in order. Repeated only when Redis, just restarted, did not know our scripts."""
        if not commands:
            return []
        try:
            answers = await self._exchange(commands)
            if any(isinstance(answer, redis.exceptions.NoScriptError) for answer in answers):
                await self._exchange([("SCRIPT", "LOAD", source) for source in sources().values()])
                answers = await self._exchange(commands)
        except FAILURES as error:
            raise translate(error, self._url) from error
        for answer in answers:
            if isinstance(answer, Exception):
                if isinstance(answer, redis.exceptions.ReadOnlyError):
                    # a replica by now: its address may be another server's, and old connections would stay with it
                    await self._pool.disconnect(inuse_connections=False)
                raise translate(answer) from answer
        return answers

    async def one(self, command: RedisCommand) -> Any:
        """The answer to one command."""
        return (await self.run((command,)))[0]

    async def wait(self, command: RedisCommand, block_s: float) -> Any:
        """The answer to a command that blocks by itself for at most `block_s`; a dead link is found out soon after."""
        try:
            async with asyncio.timeout(block_s + self._limit_s):
                return await self.blocking.execute_command(*command)  # type: ignore[no-untyped-call]
        except FAILURES as error:
            raise translate(error) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.disconnect()
        await self.blocking.aclose()

    async def _exchange(self, commands: Sequence[RedisCommand]) -> list[Any]:
        # redis-py's pipeline sets a timer for every single answer; here one covers them all
        async with asyncio.timeout(self._limit_s):
            connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
            try:
                # redis-py's asyncio connection would pack in Python, which takes ten times as long
                packed = b"".join([hiredis.pack_command(one) for one in commands])  # type: ignore[arg-type] # its stub errs
                await connection.send_packed_command(packed, check_health=False)
                return [await self._answer(connection) for _ in commands]
            finally:
                await self._pool.release(connection)

    @staticmethod
    async def _answer(connection: Any) -> Any:
        try:
            return await connection.read_response(timeout=math.inf)
        except redis.ResponseError as error:
            return error
