"""The pacing series in Redis: fenced, read by time, and never more than it may keep."""

import pytest

from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_scripts import call
from dialer.adapters.redis_store import RedisStore
from dialer.errors import NotLeader
from tests.adapters.redis_lives import CAMPAIGN, begin, link_of

pytestmark = pytest.mark.redis
KEYS = campaign_keys(CAMPAIGN)


async def test_entries_are_read_back_in_order(store: RedisStore) -> None:
    token = await begin(store)
    for turn in range(5):
        await store.pacing(CAMPAIGN, token, {"at": f"{turn}.000", "start": "2", "reason": "2 calls: 3 agents free"})
    found = await store.pacing_since(CAMPAIGN, 0.0)
    assert [one["at"] for one in found] == ["0.000", "1.000", "2.000", "3.000", "4.000"]
    assert found[0] == {"at": "0.000", "start": "2", "reason": "2 calls: 3 agents free"}
    assert [one["at"] for one in await store.pacing_since(CAMPAIGN, 0.0, 2)] == ["3.000", "4.000"]
    assert await store.pacing_since(CAMPAIGN, 4e9) == ()
    assert await store.pacing_since("other", 0.0) == ()
    assert [entry["at"] for _, entry in await store.tail(CAMPAIGN, 1, "pacing")] == ["4.000"]


async def test_since_is_by_the_time_it_was_written(store: RedisStore) -> None:
    token = await begin(store)
    await store.pacing(CAMPAIGN, token, {"at": "1"})
    (entry, _) = (await store.tail(CAMPAIGN, 1, "pacing"))[0]
    written_at = int(entry.partition("-")[0]) / 1000
    assert len(await store.pacing_since(CAMPAIGN, written_at)) == 1
    assert await store.pacing_since(CAMPAIGN, written_at + 0.01) == ()


async def test_an_old_leader_writes_nothing(store: RedisStore) -> None:
    token = await begin(store)
    await store.resign(CAMPAIGN, "engine", token)
    assert await store.lead(CAMPAIGN, "other", 60_000) == token + 1
    with pytest.raises(NotLeader):
        await store.pacing(CAMPAIGN, token, {"at": "1"})
    assert await store.pacing_since(CAMPAIGN, 0.0) == ()


async def test_what_is_old_or_too_much_goes(store: RedisStore) -> None:
    token, link = await begin(store), link_of(store)
    await link.run([("XADD", KEYS.pacing, f"{1000 + turn}-0", "at", str(turn)) for turn in range(500)])
    await store.pacing(CAMPAIGN, token, {"at": "now"})
    kept = await store.pacing_since(CAMPAIGN, 0.0)
    assert kept[-1] == {"at": "now"}
    assert len(kept) <= 100, "Redis drops whole nodes of its own size"
    for turn in range(1000):
        await link.one(call("pacing", (KEYS.fence, KEYS.pacing), token, 3_600_000, 50, "at", str(turn)))
    assert 50 <= len(await store.pacing_since(CAMPAIGN, 0.0)) <= 200


async def test_a_sample_of_a_shift(store: RedisStore) -> None:
    await begin(store)
    link = link_of(store)
    await link.run([("XADD", KEYS.pacing, f"{turn}000-0", "at", str(turn)) for turn in range(100, 200)])
    found = await store.pacing_sampled(CAMPAIGN, 90.0, 200.0, 11)
    assert [one["at"] for one in found] == [str(at) for at in range(100, 200, 10)]
    assert len(await store.pacing_sampled(CAMPAIGN, 100.0, 200.0, 1000)) == 100
    assert await store.pacing_sampled(CAMPAIGN, 300.0, 400.0, 10) == ()
    assert await store.pacing_sampled(CAMPAIGN, 5.0, 5.0, 10) == ()
