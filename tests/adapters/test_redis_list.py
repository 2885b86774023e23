"""The list: order, time, refusals, and entries that make no sense."""

from contextlib import suppress
from dataclasses import replace
from math import inf

import pytest

from dialer.adapters.redis_codec import pairs
from dialer.adapters.redis_index import Index, Place
from dialer.adapters.redis_keys import campaign_keys, chunks_key
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_scripts import RedisCommand
from dialer.adapters.redis_store import RedisStore
from dialer.errors import BadInput, StoreDown
from dialer.model import Contact, Refused
from dialer.stream import REFUSAL_FIELDS
from tests.adapters.redis_lives import (
    AT,
    CAMPAIGN,
    Cut,
    begin,
    claimed,
    contacts,
    finish,
    link_of,
    placed_in,
    with_link,
)  # fmt: skip

pytestmark = pytest.mark.redis
KEYS = campaign_keys(CAMPAIGN)


async def ids(store: RedisStore, at: float = AT, limit: int = 100) -> list[str]:
    return [one.id for one in await store.candidates(CAMPAIGN, at, limit)]


async def test_the_same_contact_again_changes_nothing(store: RedisStore) -> None:
    people = contacts(3)
    assert await store.add_contacts(CAMPAIGN, people, AT) == 3
    changed = [replace(one, name="another") for one in people]
    assert await store.add_contacts(CAMPAIGN, [*changed, *contacts(1, "b")], AT) == 1
    assert await store.contact(CAMPAIGN, "a000") == people[0]
    assert await store.contact(CAMPAIGN, "nobody") is None


async def test_the_order_is_priority_then_due_then_the_lists_own(store: RedisStore) -> None:
    people = [Contact(name, f"p{name}", contacts(1)[0].numbers, priority=p) for name, p in
              (("z", 0), ("y", 0), ("late", -1), ("x", 1), ("a", 0), ("first", -1))]  # fmt: skip
    await store.add_contacts(CAMPAIGN, people, AT)
    assert await ids(store) == ["late", "first", "z", "y", "a", "x"]
    await store.add_contacts(CAMPAIGN, [Contact("sooner", "q", contacts(1)[0].numbers)], AT - 60)
    assert await ids(store) == ["late", "first", "sooner", "z", "y", "a", "x"]
    assert await ids(store, limit=2) == ["late", "first"]
    assert await ids(store, limit=0) == []


async def test_nobody_is_called_before_his_time(store: RedisStore) -> None:
    await store.add_contacts(CAMPAIGN, contacts(5), AT + 60)
    assert await ids(store, AT) == []
    assert await store.remaining(CAMPAIGN, AT) == (0, 5)
    assert len(await ids(store, AT + 60)) == 5
    assert await store.remaining(CAMPAIGN, AT + 60) == (5, 0)


async def test_a_long_list_is_moved_some_at_a_time(store: RedisStore) -> None:
    await store.add_contacts(CAMPAIGN, contacts(1700), AT)
    assert len(await ids(store, limit=3)) == 3
    ready = await link_of(store).one(("ZCARD", KEYS.ready))
    assert ready == 1000
    assert await store.remaining(CAMPAIGN, AT) == (1700, 0)
    assert await ids(store, limit=2000) == [one.id for one in contacts(1700)]


async def test_a_contact_goes_back_or_to_rest(store: RedisStore) -> None:
    people = contacts(2)
    token = await begin(store, listed=people)
    back, rest = (finish(one, replace(person, tries=1)) for one, person in
                  zip(await claimed(store, token, people), people, strict=True))  # fmt: skip
    rest = replace(rest, verdict=replace(rest.verdict, retry_at=0.0))
    await store.write(token, CAMPAIGN, [], [back, rest])
    assert [await placed_in(store, one) for one in people] == [["later"], ["rest"]]
    assert await ids(store, AT + 3599) == []
    assert [one.tries for one in await store.candidates(CAMPAIGN, AT + 3600, 9)] == [1]


async def test_a_refusal_sets_aside_and_is_told_once(store: RedisStore) -> None:
    person, other = contacts(2)
    token = await begin(store, listed=[person, other])
    hours = (person, person.numbers[0], Refused("calling_hours", AT + 3600, "It is night."))
    for _ in range(3):
        await store.refuse(token, CAMPAIGN, [hours], AT)
    assert await ids(store) == [other.id]
    assert await ids(store, AT + 3600) == [other.id, person.id]
    ((_, entry),) = await store.tail(CAMPAIGN, 10, "refusals")
    assert entry["rule"] == "calling_hours"
    assert (entry["debtor"], entry["number"], entry["reason"]) == (person.id, "+62811000000", "It is night.")
    assert await link_of(store).one(("HGET", KEYS.refused, person.id)) == f"calling_hours {AT + 3600!r} 3\n".encode()
    await store.refuse(token, CAMPAIGN, [(*hours[:2], replace(hours[2], until=AT + 7200))], AT)
    assert len(await store.tail(CAMPAIGN, 10, "refusals")) == 2
    assert (await store.counters(CAMPAIGN))["refused:calling_hours"] == 4
    for rule, at in (("cap", AT), ("busy", AT + 7200)):
        await store.refuse(token, CAMPAIGN, [(*hours[:2], Refused(rule, at + 60))], at)
    kept = await link_of(store).one(("HGET", KEYS.refused, person.id))
    assert kept.decode().split() == ["busy", repr(AT + 7260), "1"], "what is over by now is forgotten"


async def test_refused_for_good_is_at_rest(store: RedisStore) -> None:
    (person,) = contacts(1)
    token = await begin(store, listed=[person])
    await store.refuse(token, CAMPAIGN, [(person, person.numbers[0], Refused("stop", inf))], AT)
    assert await placed_in(store, person) == ["rest"]
    assert await ids(store, AT + 1e9) == []


async def test_who_is_being_called_is_not_put_back_by_a_refusal(store: RedisStore) -> None:
    (person,) = contacts(1)
    token = await begin(store, listed=[person])
    await claimed(store, token, [person])
    await store.refuse(token, CAMPAIGN, [(person, person.numbers[0], Refused("calling_hours", AT))], AT)
    assert await placed_in(store, person) == ["open"]


@pytest.mark.parametrize("nonsense", [b"", b"{", b'{"id": 5}', b"[]", b"\xff\xfe", b'{"id": "a"}', None])
async def test_a_broken_contact_does_not_stand_in_the_way(store: RedisStore, nonsense: bytes | None) -> None:
    await store.add_contacts(CAMPAIGN, contacts(3), AT)
    link = link_of(store)
    gone: RedisCommand = ("HDEL", KEYS.contacts, "a000")
    await link.one(gone if nonsense is None else ("HSET", KEYS.contacts, "a000", nonsense))
    assert await ids(store, limit=1) == []
    assert await ids(store, limit=1) == ["a001"]
    assert list(store.broken) == [KEYS.contacts if nonsense is not None else KEYS.ready]
    assert await link.one(("ZSCORE", KEYS.rest, "a000")) is not None


async def test_a_chunk_is_taken_once(store: RedisStore) -> None:
    people = contacts(5)
    assert await store.add_contacts(CAMPAIGN, people[:3], AT, "load:0") == 3
    assert await store.add_contacts(CAMPAIGN, people, AT, "load:0") == 0, "nobody may change a chunk on the way"
    assert await store.add_contacts(CAMPAIGN, people[2:], AT, "load:1") == 2
    assert await store.add_contacts(CAMPAIGN, [], AT, "load:2") == 0
    assert await store.chunks(CAMPAIGN, "load") == {0: 3, 1: 2, 2: 0}
    assert await store.chunks(CAMPAIGN, "other") == {}
    assert 6 * 86_400_000 < await link_of(store).one(("PTTL", chunks_key(CAMPAIGN, "load"))) <= 7 * 86_400_000
    for bad in ("load", "load:", "lo ad:1", "{x}:1", "a:b:1", "load:-1"):
        with pytest.raises(BadInput, match="IMPORT:NUMBER"):
            await store.add_contacts(CAMPAIGN, people, AT, bad)
    with pytest.raises(BadInput, match="at most"):
        await store.add_contacts(CAMPAIGN, contacts(1) * 10_001, AT, "load:3")


@pytest.mark.parametrize("commands", range(15))
async def test_an_import_cut_off_anywhere_is_taken_up_again(
    redis_process: RedisProcess, store: RedisStore, commands: int
) -> None:
    """A chunk is there or not, and who is on the list is in the index."""
    people, index = contacts(6), Index(link_of(store))
    cut = Cut(redis_process.url, commands)
    dying = with_link(redis_process.url, cut)
    with suppress(StoreDown):
        await dying.add_contacts(CAMPAIGN, people, AT, "load:0")
    await dying.close()
    there = await ids(store)
    assert there in ([], [one.id for one in people])
    for one in people if there else []:
        assert await index.of_number(one.numbers[0].key) == (Place(CAMPAIGN, one.id),)
    assert await store.add_contacts(CAMPAIGN, people, AT, "load:0") == len(people) - len(there)
    assert await ids(store) == [one.id for one in people]


async def test_an_alias_is_given_once(store: RedisStore) -> None:
    nameless = replace(contacts(1)[0], alias="")
    for _ in range(2):
        await store.add_contacts(CAMPAIGN, [nameless], AT)
        (first,) = await store.candidates(CAMPAIGN, AT, 1)
    assert len(first.alias) == 16
    assert await store.contact(CAMPAIGN, nameless.id) == first == replace(nameless, alias=first.alias)


async def test_the_score_decides_among_equals_of_priority(store: RedisStore) -> None:
    one = contacts(1)[0]
    wanted = [("low", 0, 5), ("high", 0, 900), ("none", 0, 0), ("first", -1, 0), ("last", 1, 999), ("huge", 0, 10**9)]
    people = [replace(one, id=name, priority=priority, score=score) for name, priority, score in wanted]
    await store.add_contacts(CAMPAIGN, people, AT)
    assert await ids(store) == ["first", "huge", "high", "low", "none", "last"]


async def test_a_call_back_does_not_wait_behind_a_long_list(store: RedisStore) -> None:
    await store.add_contacts(CAMPAIGN, contacts(3000), AT - 3600)
    wish = replace(contacts(1, "wish")[0], callback_at=AT, callback_agent="101")
    await store.add_contacts(CAMPAIGN, [wish], AT)
    assert "wish" not in " ".join(await ids(store, AT - 1))
    assert (await store.candidates(CAMPAIGN, AT, 3))[0] == await store.contact(CAMPAIGN, wish.id)
    (_, *others) = await ids(store, AT, 3)
    assert others == ["a000", "a001"]


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (2, 0, 1)])
async def test_one_batch_is_as_one_refusal_after_the_other(store: RedisStore, order: tuple[int, ...]) -> None:
    """Also where a contact stands in it twice, and where kinds are mixed."""
    one, two, gone = contacts(3)
    kinds = [Refused("hours", AT + 50, "Night."), Refused("cap", AT + 90, "Enough."), Refused("stop", inf, "Stopped.")]
    told = [(one, one.numbers[0], kinds[i]) for i in order] + [(two, two.numbers[0], kinds[0])] * 2
    told += [(gone, gone.numbers[0], kinds[0])]
    seen = []
    for campaign in ("batch", "single"):
        token = await begin(store, campaign, [one, two, gone])
        await store.candidates(campaign, AT, 9)
        await store.erase(gone.person)
        for some in [told] if campaign == "batch" else [[each] for each in told]:
            await store.refuse(token, campaign, some, AT, "pack")
        entries = [entry for _, entry in await store.tail(campaign, 9, "refusals")]
        bodies = [entry["body"] for _, entry in await store.tail(campaign, 9, "log")]
        keys = campaign_keys(campaign)
        asked: list[RedisCommand] = [
            ("ZRANGE", key, 0, -1, "WITHSCORES") for key in (keys.ready, keys.later, keys.rest)
        ]
        places = await link_of(store).run(asked)
        places.append(sorted(pairs(await link_of(store).one(("HGETALL", keys.counters)))))
        counted = [await link_of(store).one(("HGET", keys.refused, each.id)) for each in (one, two, gone)]
        assert await store.verify_log(campaign) is None
        assert [list(entry) for entry in entries] == [list(REFUSAL_FIELDS)] * len(entries)
        seen.append(([{**entry, "campaign": ""} for entry in entries], len(bodies), places, counted))
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == 4, "three of the first, one of the second, none of him who is erased"
    assert [entry["debtor"] for entry in seen[0][0]] == [one.id] * 3 + [two.id]
