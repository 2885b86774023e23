"""A list looked through: everybody once, with the past that a lock would tell, and nothing touched."""

from collections import Counter
from dataclasses import replace

import pytest

from dialer.adapters import redis_survey
from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_store import RedisStore
from dialer.lists.preview import Case, Standing
from dialer.model import Outcome, Refused, Side, Verdict
from dialer.ports import Held
from tests.adapters.redis_lives import AT, BUSY, CAMPAIGN, attempt, begin, claimed, contacts, dump, finish, link_of

pytestmark = pytest.mark.redis


async def all_of(store: RedisStore, sample: int = 0) -> list[Case]:
    return [case async for batch in store.survey(CAMPAIGN, AT + 60, sample) for case in batch]


@pytest.mark.parametrize("count", [0, 7, 1700])
async def test_everybody_is_seen_once_and_nothing_is_touched(store: RedisStore, count: int) -> None:
    people = contacts(count)
    await begin(store, listed=people)
    before = await dump(store)
    seen = await all_of(store)
    assert Counter(case.contact.id for case in seen) == Counter(one.id for one in people)
    assert await store.listed(CAMPAIGN) == count
    assert await dump(store) == before


async def test_a_sample_has_nobody_twice_and_differs(store: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_survey, "BATCH", 64)
    await begin(store, listed=contacts(1000))
    drawn = [{case.contact.id for case in await all_of(store, 300)} for _ in range(2)]
    assert [len(ids) for ids in drawn] == [300, 300]
    assert drawn[0] != drawn[1]
    assert len(await all_of(store, 900)) == 1000, "nearly all: everybody is read"


async def test_pasts_are_those_that_a_lock_tells(store: RedisStore) -> None:
    one, two = contacts(2)
    token = await begin(store, listed=[one, two])
    talk = Verdict(
        Outcome.CONNECTED, Side.DEBTOR, "talked", retry_at=AT + 1, conversation=True, silent_until=AT + 900, dead=True
    )
    first, second = await claimed(store, token, [one, two])
    await store.write(token, CAMPAIGN, [], [finish(first, one, talk)])
    await store.write(token, CAMPAIGN, [], [finish(second, two, replace(BUSY, stop=True))])
    seen = {case.contact.id: case for case in await all_of(store)}
    for person in (one, two):
        (held,) = await store.lock([attempt(person)], AT + 60)
        assert isinstance(held, Held)
        assert (seen[person.id].person, seen[person.id].numbers) == (held.person, (held.number,))


async def test_where_a_contact_stands(store: RedisStore) -> None:
    people = contacts(4)
    token = await begin(store, listed=people)
    await claimed(store, token, people[:1])
    refusals = [
        (one, one.numbers[0], Refused("trial", until))
        for one, until in zip(people[1:], (AT + 500, float("inf")), strict=False)
    ]
    await store.refuse(token, CAMPAIGN, refusals, AT)
    found = {case.contact.id: (case.standing, case.due) for case in await all_of(store)}
    listed, later = Standing.LISTED, AT + 500
    expected = [(Standing.UNDER_WAY, 0.0), (listed, later), (Standing.RESTS, 0.0), (listed, 0.0)]
    assert [found[one.id] for one in people] == expected


async def test_a_broken_entry_is_passed_over(store: RedisStore) -> None:
    await begin(store, listed=contacts(3))
    await link_of(store).one(("HSET", campaign_keys(CAMPAIGN).contacts, "a001", b"\xff\xff"))
    assert {case.contact.id for case in await all_of(store)} == {"a000", "a002"}
    assert sum(store.broken.values()) == 1
