"""Reading along, and the IVR's side of the store."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import TypeVar

import pytest

from dialer.adapters.redis_ivr import IvrStore
from dialer.adapters.redis_keys import campaign_keys, facts_key
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.redis_streams import DAY_S, KEPT_DAYS
from dialer.errors import BadInput, StoreDown
from dialer.model import Campaign, Command, Fact, Refused
from tests.adapters.redis_lives import AT, CAMPAIGN, begin, claimed, contacts, link_of

pytestmark = pytest.mark.redis
KEYS = campaign_keys(CAMPAIGN)
Value = TypeVar("Value")


async def some(source: AsyncGenerator[Value, None], count: int) -> list[Value]:
    """The next ones, or a failure after five seconds."""
    found: list[Value] = []
    async with asyncio.timeout(60):
        while len(found) < count:
            found.append(await anext(source))
    return found


async def tell(store: RedisStore, token: int, *names: str) -> None:
    for name in names:
        await store.correct(CAMPAIGN, token, {"attempt": name})


async def test_outcomes_are_followed_from_where_one_wants(store: RedisStore) -> None:
    token = await begin(store)
    await tell(store, token, "a", "b")
    (first, _), (last, _) = await store.tail(CAMPAIGN, 9)
    async with aclosing(store.follow(CAMPAIGN, "0")) as reader:
        assert [fields["attempt"] for _, fields in await some(reader, 2)] == ["a", "b"]
        await tell(store, token, "c")
        assert [fields["attempt"] for _, fields in await some(reader, 1)] == ["c"]
    async with aclosing(store.follow(CAMPAIGN, first)) as reader:
        assert (await some(reader, 1))[0][0] == last
    assert [fields["attempt"] for _, fields in await store.tail(CAMPAIGN, 1)] == ["c"]
    with pytest.raises(BadInput):
        await store.tail(CAMPAIGN, 1, "gossip")


async def test_from_now_on_means_from_the_first_look(store: RedisStore) -> None:
    token = await begin(store)
    await tell(store, token, "a")
    async with aclosing(store.follow(CAMPAIGN)) as reader:
        waiting = asyncio.create_task(some(reader, 1))
        for _ in range(100):  # the reader may take its first look before or after some of these
            await tell(store, token, f"b{_}")
            await asyncio.sleep(0)
        ((_, fields),) = await waiting
    assert fields["attempt"].startswith("b")


async def test_nothing_unread_is_trimmed(store: RedisStore) -> None:
    token = await begin(store)
    link = link_of(store)
    assert await store.trim(CAMPAIGN, 2e9) == 0
    await link.one(("XGROUP", "CREATE", KEYS.outcomes, "history", "0", "MKSTREAM"))
    await tell(store, token, "a", "b", "c", "d")
    far = 4e9
    assert await store.trim(CAMPAIGN, far) == 0
    read = await link.one(("XREADGROUP", "GROUP", "history", "x", "COUNT", 3, "STREAMS", KEYS.outcomes, ">"))
    ids = [entry for entry, _ in read[0][1]]
    assert await store.trim(CAMPAIGN, far) == 0
    await link.one(("XACK", KEYS.outcomes, "history", ids[0], ids[2]))
    assert await store.trim(CAMPAIGN, far) == 1, "b is read and not acknowledged"
    await link.one(("XACK", KEYS.outcomes, "history", ids[1]))
    assert await store.trim(CAMPAIGN, 0) == 0
    assert await store.trim(CAMPAIGN, far) == 1, "up to the last one delivered"
    assert [fields["attempt"] for _, fields in await store.tail(CAMPAIGN, 9)] == ["c", "d"]


async def test_each_stream_is_kept_for_its_own_time_and_has_a_size(store: RedisStore) -> None:
    token = await begin(store, listed=contacts(2))
    assert {(one.entries, one.bytes) for one in (await store.stream_sizes(CAMPAIGN)).values()} == {(0, 0)}
    await tell(store, token, "a", "b")
    (one, two) = contacts(2)
    await store.refuse(token, CAMPAIGN, [(one, one.numbers[0], Refused("hours", AT + 5))], AT)
    await claimed(store, token, [two])
    sizes = await store.stream_sizes(CAMPAIGN)
    assert set(sizes) == {"outcomes", "refusals", "log", "pacing", "commands"}
    assert {name: one.entries for name, one in sizes.items() if one.entries} == {"outcomes": 2, "refusals": 1, "log": 1}
    assert sizes["log"].kept_days == KEPT_DAYS["log"] == 400
    assert all(one.bytes > 100 for one in sizes.values() if one.entries)
    now = float((await link_of(store).one(("TIME",)))[0])
    assert await store.trim(CAMPAIGN, now + 20 * DAY_S) == 0
    assert await store.trim(CAMPAIGN, now + 31 * DAY_S) == 1, "the refusals"
    assert await store.trim(CAMPAIGN, now + 91 * DAY_S) == 2, "the outcomes"
    assert await store.trim(CAMPAIGN, now + 399 * DAY_S) == 0
    assert await store.trim(CAMPAIGN, now + 401 * DAY_S) == 1
    assert await store.verify_log(CAMPAIGN) is None


async def test_snapshots_are_sent_and_kept(store: RedisStore) -> None:
    token = await begin(store)
    assert await store.published(CAMPAIGN) is None
    async with aclosing(store.live(CAMPAIGN)) as reader:
        waiting = asyncio.create_task(some(reader, 1))
        while not waiting.done():
            await store.publish(CAMPAIGN, token, b'{"n":1}')
            await asyncio.wait({waiting}, timeout=0.01)
        assert await waiting == [b'{"n":1}']
    assert await store.published(CAMPAIGN) == b'{"n":1}'


async def test_a_reader_hears_that_redis_is_gone(redis_process: RedisProcess, store: RedisStore) -> None:
    await begin(store)
    async with aclosing(store.told(CAMPAIGN)) as told, aclosing(store.follow(CAMPAIGN)) as reader:
        assert await some(told, 1) == [""]
        waiting = [asyncio.create_task(some(told, 1)), asyncio.create_task(some(reader, 1))]
        await asyncio.sleep(0)
        await redis_process.kill()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(answer) for answer in answers] == [StoreDown, StoreDown]


# ---- the IVR


@pytest.fixture
def ivr(redis_process: RedisProcess) -> IvrStore:
    return IvrStore(redis_process.url)


async def test_the_ivr_learns_whose_call_it_is(store: RedisStore, ivr: IvrStore) -> None:
    (person,) = contacts(1)
    person = replace(person, lender="Bank", amount=5)
    token = await begin(store, listed=[person])
    await store.save_campaign(Campaign(CAMPAIGN, "One", language="en", caller_name="Santun"))
    (one,) = await claimed(store, token, [person])
    called = await asyncio.to_thread(ivr.debtor, CAMPAIGN, one.id)
    assert called is not None
    assert (called.contact, called.language, called.lender, called.caller_name) == (person, "en", "Bank", "Santun")
    assert replace(called, contact=replace(person, language="id")).language == "id"
    assert await asyncio.to_thread(ivr.debtor, CAMPAIGN, "unknown") is None
    await link_of(store).one(("HSET", KEYS.contacts, person.id, "{"))
    assert await asyncio.to_thread(ivr.debtor, CAMPAIGN, one.id) is None
    assert ivr.reader.broken == {KEYS.contacts: 1}
    ivr.check()
    ivr.close()


async def test_facts_arrive_in_order_and_once_and_wake_the_engine(store: RedisStore, ivr: IvrStore) -> None:
    facts = [Fact(0, AT, "step", "verify"), Fact(1, AT + 1, "promise", "2026-12-01;5"), Fact(10, AT + 2, "closed")]
    async with aclosing(store.told(CAMPAIGN)) as told:
        assert await some(told, 1) == [""]
        for fact in (facts[2], facts[0], facts[1]):
            assert await asyncio.to_thread(ivr.report, CAMPAIGN, "x", fact)
        assert not await asyncio.to_thread(ivr.report, CAMPAIGN, "x", replace(facts[0], value="again"))
        assert await some(told, 3) == ["x"] * 3
        assert await store.send(Command("c", CAMPAIGN, "pause", "t", AT, AT), 0.01) is None
        assert await some(told, 1) == [""]
    assert await store.facts(CAMPAIGN, "x") == tuple(facts)
    assert await link_of(store).one(("PTTL", facts_key(CAMPAIGN, "x"))) > 6 * 86_400_000
    await link_of(store).one(("HSET", facts_key(CAMPAIGN, "x"), "3", "nonsense"))
    assert await store.facts(CAMPAIGN, "x") == tuple(facts)
    assert await store.facts(CAMPAIGN, "nobody") == ()
    ivr.close()


async def test_heartbeats(store: RedisStore, ivr: IvrStore) -> None:
    await asyncio.to_thread(ivr.beat, "one", AT)
    await asyncio.to_thread(ivr.beat, "two", AT + 1)
    assert await store.ivr_beats() == {"one": AT, "two": AT + 1}
    await asyncio.to_thread(ivr.retire, "one")
    assert await store.ivr_beats() == {"two": AT + 1}
    ivr.close()


async def test_the_ivr_hears_that_redis_is_gone(redis_process: RedisProcess, ivr: IvrStore) -> None:
    await redis_process.kill()
    for what in (
        lambda: ivr.debtor(CAMPAIGN, "x"), lambda: ivr.report(CAMPAIGN, "x", Fact(0, AT, "step")),
        lambda: ivr.beat("one", AT), lambda: ivr.retire("one"), ivr.check,
    ):  # fmt: skip
        with pytest.raises(StoreDown):
            await asyncio.to_thread(what)
    ivr.close()
