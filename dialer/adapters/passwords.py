"""Argon2id in threads: few at a time, so that the loop and the machine stay free; a flood is refused."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from dialer.errors import StoreDown

THREADS = 2
WAITING_MAX = 200
T = TypeVar("T")


class HashPool:
    """Behind the web's door Passwords. 32 MiB and three passes a hash, as OWASP asks and more.

    `threads`: one where an engine runs in the same process.
    """

    def __init__(self, threads: int = THREADS) -> None:
        self._hasher = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
        self._pool = ThreadPoolExecutor(threads, "argon2")
        self._waiting = 0
        self._nobody = ""

    async def hash(self, password: str) -> str:
        """With a salt of its own."""
        return await self._apart(lambda: self._hasher.hash(password))

    async def fits(self, hashed: str, password: str) -> bool:
        """`hashed` empty: nobody's; takes as long and is False."""
        if not hashed and not self._nobody:
            self._nobody = await self.hash("nobody's password")
        fits = await self._apart(lambda: self._verify(hashed or self._nobody, password))
        return fits and bool(hashed)

    def is_old(self, hashed: str) -> bool:
        """Made with other parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    def close(self) -> None:
        """No more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False

    async def _apart(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise StoreDown("too many log-ins at once")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1
