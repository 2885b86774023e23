"""Changes that were handed over wait for whoever leads, once each; many are taken in parts."""

from dataclasses import replace

import pytest

from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_scripts import digest
from dialer.adapters.redis_store import RedisStore
from dialer.errors import NotLeader
from dialer.ports import Unwritten
from tests.adapters.redis_lives import (
    AT,
    CAMPAIGN,
    Recorded,
    begin,
    claimed,
    contacts,
    finish,
    link_of,
    outcomes,
    with_link,
)

pytestmark = pytest.mark.redis


async def test_a_change_waits_for_whoever_leads_and_goes_when_he_has_it(store: RedisStore) -> None:
    people = contacts(2)
    token = await begin(store, listed=people)
    one, two = await claimed(store, token, people)
    early = Unwritten(CAMPAIGN, one.id, token, AT, replace(one, agent="101"))
    late = Unwritten(CAMPAIGN, one.id, token, AT + 1, finish=finish(one, people[0]))
    older = Unwritten(CAMPAIGN, two.id, token - 1, AT + 2, two)
    facts = Unwritten(CAMPAIGN, two.id, at=AT, facts=True)
    for _ in range(2):
        await store.hand_over([early, late, older, facts])
    assert await store.handed_over(CAMPAIGN) == (facts, older, late)
    with pytest.raises(NotLeader):
        await store.taken(token - 1, CAMPAIGN, [late])
    await store.taken(token, CAMPAIGN, [early])  # something newer stands there
    assert await store.handed_over(CAMPAIGN) == (facts, older, late)
    await store.taken(token, CAMPAIGN, [facts, late])
    assert await store.handed_over(CAMPAIGN) == (older,)
    await store.taken(token, CAMPAIGN, [])


async def test_nonsense_is_left_out(store: RedisStore) -> None:
    await begin(store)
    await link_of(store).one(("HSET", campaign_keys(CAMPAIGN).late, "x", b"\x00"))
    good = Unwritten(CAMPAIGN, "y", facts=True)
    await store.hand_over([good])
    assert await store.handed_over(CAMPAIGN) == (good,)


async def test_after_a_long_time_without_redis_no_script_takes_too_long(redis_process: RedisProcess) -> None:
    link = Recorded(redis_process.url)
    store = with_link(redis_process.url, link)
    people = contacts(450)
    token = await begin(store, listed=people)
    attempts = []
    for start in range(0, len(people), 50):
        await store.candidates(CAMPAIGN, AT, 50)
        attempts += await claimed(store, token, people[start : start + 50])
    changes = [Unwritten(CAMPAIGN, one.id, token, AT, finish=finish(one, person))
               for one, person in zip(attempts, people, strict=True)]  # fmt: skip
    await store.hand_over(changes)
    link.sent.clear()
    found = await store.handed_over(CAMPAIGN)
    assert await store.write(token, CAMPAIGN, [], [one.finish for one in found if one.finish]) == len(people)
    await store.taken(token, CAMPAIGN, found)
    assert await store.handed_over(CAMPAIGN) == ()
    assert len(await outcomes(store)) == len(people)
    for name in ("write", "taken"):
        assert sum(command[:2] == ("EVALSHA", digest(name)) for command in link.sent) == 3
    await store.close()
