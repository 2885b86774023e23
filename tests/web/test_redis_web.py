"""The web's scripts: their keys share a slot, throttles are exact, idempotency keys are one request's."""

import pytest
from redis.crc import key_slot

from dialer.adapters.redis_deeds import TRIES, RedisOnce, RedisThrottle
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import RedisCommand, digest
from dialer.users import Done, Role
from tests.adapters.redis_lives import Recorded
from tests.web.house import EPOCH, House

pytestmark = pytest.mark.redis


async def test_the_keys_of_each_script_share_a_slot(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[RedisCommand] = []
    run = Link.run

    async def recorded(self: Link, commands: "list[RedisCommand]") -> list[object]:
        sent.extend(commands)
        return await run(self, commands)

    monkeypatch.setattr(Link, "run", recorded)
    client = await house.signed_in("ani", Role.ADMIN)
    await client.get("/me")
    await client.post("/sign-out")
    calls = [command for command in sent if command[0] == "EVALSHA"]
    assert {digest(name) for name in ("web_rate", "web_session", "web_swap")} == {call[1] for call in calls}
    for call in calls:
        assert len({key_slot(str(key).encode()) for key in call[3 : 3 + int(call[2])]}) == 1, call
    for command in sent:
        if command[0] == "DEL":
            assert len({key_slot(str(key).encode()) for key in command[1:]}) == 1, command


@pytest.mark.parametrize("kind", TRIES)
async def test_so_many_tries_and_then_one_each(house: House, kind: str) -> None:
    link = Recorded(house.redis.url)
    throttle = RedisThrottle(link)
    each_s, burst = TRIES[kind]
    assert [await throttle.take(kind, "x", EPOCH) for _ in range(burst)] == [0.0] * burst
    wait_s = await throttle.take(kind, "x", EPOCH)
    assert 0 < wait_s <= each_s
    assert await throttle.take(kind, "x", EPOCH + wait_s - 0.002) > 0  # one that comes too early costs nothing
    assert await throttle.take(kind, "x", EPOCH + wait_s) == 0.0
    assert await throttle.take(kind, "y", EPOCH) == 0.0
    await throttle.give_back(kind, "x", EPOCH + wait_s)
    assert await throttle.take(kind, "x", EPOCH + wait_s) == 0.0
    for _ in range(3):  # more given back than taken is no credit
        await throttle.give_back(kind, "y", EPOCH)
    assert [await throttle.take(kind, "y", EPOCH) for _ in range(burst)][-1] == 0.0
    assert await throttle.take(kind, "y", EPOCH) > 0
    assert not any(part == "x" for command in link.sent for part in command)  # names are hashed
    await link.close()


async def test_an_idempotency_key_is_one_requests(house: House) -> None:
    link = Link(house.redis.url)
    once = RedisOnce(link)
    assert await once.begin("ani", "key-0001", "print") is None
    assert await once.begin("ani", "key-0001", "print") == Done("print", 0, b"")
    assert await once.begin("budi", "key-0001", "print") is None  # of another sender
    await once.done("ani", "key-0001", Done("print", 201, b"{}"))
    assert await once.begin("ani", "key-0001", "other") == Done("print", 201, b"{}")
    [place] = [key for key in await link.one(("KEYS", "{i:*")) if 86_000 < await link.one(("TTL", key)) <= 86_400]
    assert b"ani" not in place
    await once.drop("ani", "key-0001")
    assert await once.begin("ani", "key-0001", "other") is None
    await link.close()
