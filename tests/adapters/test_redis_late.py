"""What was kept on the disk reaches Redis once: restart, freeze, full memory, a killed engine, a newer leader."""

from dataclasses import replace

import pytest

from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_store import RedisStore
from dialer.errors import NotLeader
from dialer.ports import Unwritten
from tests.adapters.redis_lives import (
    AT,
    CAMPAIGN,
    begin,
    claimed,
    contacts,
    finish,
    link_of,
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
