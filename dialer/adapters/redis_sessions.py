"""Sessions and API tokens in Redis: their secrets only as hashes, their requests counted in the same step."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace

import msgspec

from dialer.adapters.redis_codec import encode, pairs, text
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import RedisCommand, call
from dialer.adapters.redis_users import RedisUsers
from dialer.adapters.redis_web_keys import TOKENS, rate_key, session_keys, sessions_key
from dialer.users import ApiToken, Session, Step, User

SESSION = msgspec.json.Decoder(Session)
TOKEN = msgspec.json.Decoder(ApiToken)
UNFINISHED_S = 900.0  # to change the password and show a code in
_PREFIX = "santun"


def digest(shown: str) -> str:
    """What is kept of a random secret: there is nothing to guess, so one hash is enough."""
    return hashlib.sha256(shown.encode(errors="replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Limits:
    """`idle_s` without a request and `day_s` in all end a session; one request each `each_s`, `burst` at once."""

    idle_s: float = 3600.0
    day_s: float = 12 * 3600.0
    each_s: float = 0.1
    burst: int = 60


class RedisSessions:
    """Behind the web's door Sessions."""

    def __init__(self, link: Link, users: RedisUsers, limits: Limits) -> None:
        self._link, self._users, self._limits = link, users, limits

    async def open(self, user: User, step: Step, address: str, at: float) -> tuple[str, Session]:
        """(what the cookie says, the session)."""
        cookie = secrets.token_urlsafe(32)
        session = Session(digest(cookie), user.name, step, secrets.token_urlsafe(32), at, address)
        key = session_keys(session.key)[0]
        longest = self._limits.day_s if step is Step.DONE else UNFINISHED_S
        ends_ms = round((at + longest) * 1000)
        idle_ms = round(min(longest, self._limits.idle_s) * 1000)
        own = sessions_key(user.name)
        await self._link.run(
            [
                ("HSET", key, "session", encode(session), "until", ends_ms),
                ("PEXPIRE", key, idle_ms),
                ("ZREMRANGEBYSCORE", own, "-inf", round(at * 1000)),
                ("ZADD", own, ends_ms, session.key),
                ("PEXPIRE", own, round(self._limits.day_s * 1000) + 1000),
            ]
        )
        return cookie, session

    async def find(self, cookie: str, at: float, cost: int = 1) -> tuple[User, Session, float] | None:
        """Whose it is, and seconds to wait (0.0: none). None: no such session, run out, or its user is gone."""
        if not 20 <= len(cookie) <= 100:
            return None
        keys = session_keys(digest(cookie))
        limits = self._limits
        words = (round(at * 1000), round(limits.idle_s * 1000), round(limits.each_s * 1000), limits.burst, cost)
        found = await self._link.one(call("web_session", keys, *words))
        if not found:
            return None
        session = self._link.reader.one(SESSION, found[0], keys[0], "session")
        user = await self._users.user(session.user) if session else None
        return None if session is None or user is None else (user, session, found[1] / 1000)

    async def move(self, session: Session, user: User, step: Step, at: float) -> tuple[str, Session]:
        """The next step under a new id; the old one is gone."""
        await self.close(session)
        return await self.open(user, step, session.address, at)

    async def close(self, session: Session) -> None:
        """End it."""
        await self._link.run([("DEL", *session_keys(session.key)), ("ZREM", sessions_key(session.user), session.key)])

    async def close_all(self, user: str, but: str = "") -> int:
        """Every session of a user, but for the one with this key; how many."""
        own = sessions_key(user)
        keys = [text(one) for one in await self._link.one(("ZRANGE", own, 0, -1))]
        gone: list[RedisCommand] = []
        for key in keys:
            if key != but:
                gone += [("DEL", *session_keys(key)), ("ZREM", own, key)]
        await self._link.run(gone)
        return len(gone) // 2

    async def of(self, user: str) -> tuple[Session, ...]:
        """His sessions that have not ended."""
        keys = [text(one) for one in await self._link.one(("ZRANGE", sessions_key(user), 0, -1))]
        raws = await self._link.run([("HGET", session_keys(key)[0], "session") for key in keys])
        entries = [(key.encode(), raw) for key, raw in zip(keys, raws, strict=True)]
        return tuple(self._link.reader.many(SESSION, entries, sessions_key(user)))


class RedisTokens:
    """Behind the web's door Tokens. What is shown once: santun_<id>_<secret>."""

    def __init__(self, link: Link, limits: Limits) -> None:
        self._link, self._limits = link, limits

    async def make(self, token: ApiToken) -> str:
        """Written down under a new id with the hash of a new secret; what is shown once."""
        secret = secrets.token_hex(32)
        made = replace(token, id=secrets.token_hex(6), secret=digest(secret))
        await self._link.one(("HSET", TOKENS, made.id, encode(made)))
        return f"{_PREFIX}_{made.id}_{secret}"

    async def find(self, shown: str, at: float, cost: int = 1) -> tuple[ApiToken, float] | None:
        """The token and seconds to wait; None: unknown, revoked, run out."""
        prefix, _, rest = shown.partition("_")
        name, _, secret = rest.partition("_")
        if prefix != _PREFIX or len(name) != 12 or len(secret) != 64:
            return None
        token = self._link.reader.one(TOKEN, await self._link.one(("HGET", TOKENS, name)), TOKENS, name)
        if token is None or not hmac.compare_digest(token.secret, digest(secret)) or 0 < token.until <= at:
            return None
        words = (round(at * 1000), round(self._limits.each_s * 1000), self._limits.burst, cost)
        wait_ms = await self._link.one(call("web_rate", (rate_key("token", name),), *words)) if cost else 0
        return token, wait_ms / 1000

    async def all(self) -> tuple[ApiToken, ...]:
        """By name."""
        found = self._link.reader.many(TOKEN, pairs(await self._link.one(("HGETALL", TOKENS))), TOKENS)
        return tuple(sorted(found, key=lambda one: (one.name, one.id)))

    async def revoke(self, token: str) -> bool:
        """False: there was none."""
        return bool(await self._link.one(("HDEL", TOKENS, token)))
