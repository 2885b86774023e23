"""What the web counts and writes down in Redis: tries against a throttle, answers by idempotency key, the audit."""

import hashlib
from collections.abc import Mapping

import msgspec

from dialer.adapters.redis_codec import encode, text
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import call
from dialer.adapters.redis_web_keys import AUDIT, once_key, rate_key
from dialer.users import Deed, Done

DONE = msgspec.json.Decoder(Done)
KEY_KEPT_S = 24 * 3600
BUSY_KEPT_S = 120  # a process that was killed in between frees its key
AUDIT_KEPT_DAYS = 400.0
# kind -> (seconds between tries, tries at once)
TRIES: Mapping[str, tuple[float, int]] = {
    "name": (30.0, 5),  # wrong passwords of one name
    "address": (10.0, 100),  # wrong passwords, tokens from one address: a whole office may share it
    "code": (120.0, 5),
    "visitor": (0.2, 200),
}


def _hashed(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode(errors="replace")).hexdigest()


class RedisThrottle:
    """Behind the web's door Throttle."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def take(self, kind: str, whose: str, at: float) -> float:
        """Count one try; seconds to wait (0.0: none)."""
        return await self._count(kind, whose, at, 1) / 1000

    async def give_back(self, kind: str, whose: str, at: float) -> None:
        """It was none that counts."""
        await self._count(kind, whose, at, -1)

    async def _count(self, kind: str, whose: str, at: float, cost: int) -> int:
        each_s, burst = TRIES[kind]
        words = (round(at * 1000), round(each_s * 1000), burst, cost)
        return int(await self._link.one(call("web_rate", (rate_key(kind, _hashed(whose)),), *words)))


class RedisOnce:
    """Behind the web's door Once."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def begin(self, whose: str, key: str, print_: str) -> Done | None:
        """None: it is new, and is this request's from now on."""
        place = once_key(_hashed(whose, key))
        busy = encode(Done(print_, 0, b""))
        if await self._link.one(("SET", place, busy, "NX", "EX", BUSY_KEPT_S)):
            return None
        raw = await self._link.one(("GET", place))
        found = self._link.reader.one(DONE, raw, place, "answer")
        return found if found is not None else await self.begin(whose, key, print_)

    async def done(self, whose: str, key: str, done: Done) -> None:
        """Kept for a day."""
        await self._link.one(("SET", once_key(_hashed(whose, key)), encode(done), "EX", KEY_KEPT_S))

    async def drop(self, whose: str, key: str) -> None:
        """It came to nothing."""
        await self._link.one(("DEL", once_key(_hashed(whose, key))))


class RedisAudit:
    """Behind the web's door Audit: a stream of flat entries, the names as in Deed."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def write(self, deed: Deed) -> None:
        """One entry more; those past their time go."""
        oldest = f"{max(0, int((deed.at - AUDIT_KEPT_DAYS * 86400.0) * 1000))}-0"
        fields = [str(part) for pair in msgspec.to_builtins(deed).items() for part in pair]
        await self._link.one(("XADD", AUDIT, "MINID", "~", oldest, "*", *fields))

    async def read(self, count: int, before: str = "") -> tuple[tuple[str, Deed], ...]:
        """Newest first, older than the entry `before`."""
        last = f"({before}" if before else "+"
        found = []
        for entry, flat in await self._link.one(("XREVRANGE", AUDIT, last, "-", "COUNT", count)):
            fields = {text(name): text(value) for name, value in zip(flat[::2], flat[1::2], strict=False)}
            try:
                found.append((text(entry), msgspec.convert(fields, Deed, strict=False)))
            except msgspec.ValidationError as error:
                self._link.reader.complain(AUDIT, text(entry), str(error))
        return tuple(found)
