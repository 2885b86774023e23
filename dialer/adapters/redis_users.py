"""Users of the web in Redis: names, roles, hashes of passwords; and which code of theirs has been used.

Secrets of code generators stand there sealed where the site has keys; those of before are read as they are.
"""

from dataclasses import replace

import msgspec
import structlog

from dialer.adapters.redis_codec import encode, pairs, text
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import call
from dialer.adapters.redis_web_keys import EXTENSIONS, USERS, code_key
from dialer.adapters.sealed import TEXT, Seals
from dialer.errors import BadInput
from dialer.users import User

log = structlog.get_logger(__name__)
USER = msgspec.json.Decoder(User)
CODE_KEPT_S = 300  # longer than a code is good for


class RedisUsers:
    """Behind the web's door Users."""

    def __init__(self, link: Link, seals: Seals | None = None) -> None:
        self._link, self._seals = link, seals

    async def user(self, name: str) -> User | None:
        """The user of this name."""
        return self._read(await self._link.one(("HGET", USERS, name)), name)

    async def users(self) -> tuple[User, ...]:
        """All, by name."""
        found = self._link.reader.many(USER, pairs(await self._link.one(("HGETALL", USERS))), USERS)
        return tuple(sorted(map(self._opened, found), key=lambda one: one.name))

    async def reseal(self) -> int:
        """Secrets that stand there unsealed, or sealed by an older key, are written anew; how many."""
        if self._seals is None:
            return 0
        found = self._link.reader.many(USER, pairs(await self._link.one(("HGETALL", USERS))), USERS)
        done = 0
        for kept in found:
            user = self._opened(kept)
            if user.totp and not self._seals.is_newest(kept.totp) and not user.totp.startswith(TEXT):
                done += await self._swap(user.name, await self._as_kept(user), self._encoded(user))
        return done

    async def add(self, user: User) -> None:
        """Raises BadInput where name or extension is taken."""
        taken = await self._take(user)
        if not await self._swap(user.name, b"", self._encoded(user)):
            await self._free(user, taken)
            raise BadInput(f"there is a user {user.name!r} already.")

    async def change(self, before: User, after: User) -> None:
        """Raises BadInput where he has been changed meanwhile or the extension is taken."""
        taken = after.agent != before.agent and await self._take(after)
        if not await self._swap(before.name, await self._as_kept(before), self._encoded(after)):
            await self._free(after, taken)
            raise BadInput(f"user {before.name!r} has been changed meanwhile; look again.")
        if after.agent != before.agent:
            await self._free(before)

    async def remove(self, user: User) -> None:
        """Raises BadInput where he has been changed meanwhile."""
        if not await self._swap(user.name, await self._as_kept(user), b""):
            raise BadInput(f"user {user.name!r} has been changed meanwhile; look again.")
        await self._free(user)

    async def code_used(self, user: str, counter: int) -> bool:
        """True: this code of his has been used before; otherwise it has been now."""
        return await self._link.one(("SET", code_key(user, counter), "1", "NX", "EX", CODE_KEPT_S)) is None

    async def _as_kept(self, user: User) -> bytes:
        """Its very bytes, which another version may have written; none where it says something else by now."""
        raw: bytes | None = await self._link.one(("HGET", USERS, user.name))
        known = self._read(raw, user.name)
        return raw if raw is not None and known == user else b"\xff"

    def _read(self, raw: bytes | None, name: str) -> User | None:
        found = self._link.reader.one(USER, raw, USERS, name)
        return found and self._opened(found)

    def _opened(self, user: User) -> User:
        """One whose secret no key here opens keeps it as it is: no code fits it, and it is not overwritten."""
        if not user.totp.startswith(TEXT):
            return user
        opened = self._seals.open_text(user.totp) if self._seals else None
        if opened is None:
            log.error("no key of the site opens a code generator's secret", action="sealed", who=user.name)
            return user
        return replace(user, totp=opened)

    def _encoded(self, user: User) -> bytes:
        sealed = self._seals.seal_text(user.totp) if self._seals and user.totp else user.totp
        return encode(user if user.totp.startswith(TEXT) else replace(user, totp=sealed))

    async def _swap(self, name: str, before: bytes, after: bytes) -> bool:
        return bool(await self._link.one(call("web_swap", (USERS,), name, before, after)))

    async def _take(self, user: User) -> bool:
        """Whether the extension became his just now; raises BadInput where it is another's."""
        if not user.agent:
            return False
        if await self._link.one(("HSETNX", EXTENSIONS, user.agent, user.name)):
            return True
        holder = text(await self._link.one(("HGET", EXTENSIONS, user.agent)) or b"")
        known = await self.user(holder)
        if known is not None and known.agent == user.agent and holder != user.name:
            raise BadInput(f"extension {user.agent} is {holder!r}'s.")
        if holder == user.name:
            return False
        # left over from a process that was killed
        return bool(await self._link.one(call("web_swap", (EXTENSIONS,), user.agent, holder, user.name)))

    async def _free(self, user: User, taken: bool = True) -> None:
        if user.agent and taken:
            await self._link.one(call("web_swap", (EXTENSIONS,), user.agent, user.name, ""))
