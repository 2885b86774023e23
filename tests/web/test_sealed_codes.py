"""Secrets of code generators as they stand in Redis: sealed, those of before read, keys turned over, none lost."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pyotp
import pytest

from dialer.adapters.redis_link import Link
from dialer.adapters.redis_users import RedisUsers
from dialer.adapters.redis_web_keys import USERS
from dialer.adapters.sealed import new_key, read_keys
from dialer.forms.privacy import Privacy
from dialer.users import Role, User
from tests.web.house import House, opened

OLD, NEW = new_key(), new_key()


async def raw(link: Link, name: str) -> str:
    found: bytes = await link.one(("HGET", USERS, name))
    return found.decode()


async def test_a_secret_is_never_in_redis_as_it_is(tmp_path: Path) -> None:
    async with opened(tmp_path, privacy=Privacy(secret=NEW)) as house:
        boss = house.client()
        shown = await house.user("boss", Role.ADMIN, enrolled=False)
        await boss.enter("boss", shown)
        await boss.step("/me/password", {"old": shown, "new": "a quiet river at noon"})
        link = Link(house.redis.url)
        client = await house.signed_in("sari", Role.SUPERVISOR)  # by a code
        assert (await client.get("/me")).status == 200
        user = await house.office.users.user("sari")
        assert user is not None
        assert len(user.totp) == 32
        kept = await raw(link, "sari")
        assert user.totp not in kept
        assert '"totp":"age:' in kept
        everything = [await link.one(("DUMP", key)) for key in await link.one(("KEYS", "*"))]
        assert not any(user.totp.encode() in one for one in everything if one)
        await link.close()


async def test_secrets_of_before_are_read_and_sealed_in_time(house: House) -> None:
    link = Link(house.redis.url)
    secret = pyotp.random_base32()
    plain = RedisUsers(link)
    await plain.add(User("ani", Role.ADMIN, "hash", totp=secret, enrolled=True))
    await plain.add(User("budi", Role.AGENT, "hash", "1001"))
    assert secret in await raw(link, "ani")
    sealing = RedisUsers(link, read_keys(OLD, "keys"))
    ani = await sealing.user("ani")
    assert ani is not None
    assert ani.totp == secret
    assert (await sealing.reseal(), await sealing.reseal()) == (1, 0)
    assert secret not in await raw(link, "ani")
    assert await sealing.user("ani") == ani
    both = RedisUsers(link, read_keys(f"{OLD}\n{NEW}", "keys"))
    assert await both.user("ani") == ani
    assert await both.reseal() == 1
    only_new = RedisUsers(link, read_keys(NEW, "keys"))
    assert await only_new.user("ani") == ani
    await only_new.change(ani, replace(ani, signed_in_at=5.0))
    assert await only_new.user("ani") == replace(ani, signed_in_at=5.0)
    await link.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A site without keys."""
    async with opened(tmp_path, privacy=Privacy()) as house:
        yield house


async def test_a_key_that_is_gone_locks_out_and_destroys_nothing(house: House) -> None:
    link = Link(house.redis.url)
    await house.user("ani", Role.ADMIN)
    with_key = RedisUsers(link, read_keys(OLD, "keys"))
    ani = await with_key.user("ani")
    assert ani is not None
    assert await with_key.reseal() == 1
    client = house.client()  # this web has no keys
    await client.enter("ani", "a quiet river at noon")
    answer = await client.step("/sign-in/code", {"code": pyotp.TOTP(ani.totp).at(int(house.clock.now()))})
    assert answer.status in (401, 403, 422), answer.body
    lost = RedisUsers(link, read_keys(NEW, "keys"))
    found = await lost.user("ani")
    assert found is not None
    assert await lost.reseal() == 0
    await lost.change(found, replace(found, signed_in_at=7.0))
    assert await with_key.user("ani") == replace(ani, signed_in_at=7.0)
    await link.close()
