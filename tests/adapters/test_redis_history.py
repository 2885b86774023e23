"""A person's history in Redis: written with the outcome, once, capped, forgotten with the person."""

from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.redis_history import KEPT_S, decode_entry, encode_entry
from dialer.adapters.redis_keys import campaign_keys, history_key, person_keys
from dialer.adapters.redis_store import RedisStore
from dialer.debts.history import ENTRIES_MAX, Entry, What, note
from dialer.debts.promises import Promise
from dialer.model import NumberKind, Side
from tests.adapters.redis_lives import AT, CAMPAIGN, begin, claimed, contacts, finish, link_of

TEXT = st.text(max_size=30)
ENTRIES = st.builds(
    Entry, st.sampled_from(What), TEXT, st.integers(0, 2**32 - 1), TEXT, TEXT, TEXT, st.sampled_from(["", *Side]),
    TEXT, TEXT, st.integers(0, 10**15), TEXT, st.none() | st.dates(), TEXT, st.integers(0, 10**6),
    st.sampled_from(["", *NumberKind]), TEXT, TEXT, TEXT,
)  # fmt: skip


@given(ENTRIES)
def test_an_entry_comes_back(entry: Entry) -> None:
    assert decode_entry(encode_entry(entry)) == entry


@given(st.binary(max_size=60))
def test_nonsense_is_refused(raw: bytes) -> None:
    try:
        assert isinstance(decode_entry(raw), Entry)
    except (ValueError, OverflowError):
        return


def promise_in(attempt: str, person: str, contact: str, made_at: float = AT) -> Promise:
    return Promise(attempt, CAMPAIGN, contact, person, 500_000, "IDR", date(2027, 1, 17), AT + 172_800, made_at, "101")


@pytest.mark.redis
async def test_an_outcome_leaves_a_line_and_its_promise(store: RedisStore) -> None:
    people = contacts(2)
    token = await begin(store, listed=people)
    one, other = await claimed(store, token, people)
    promise = promise_in(one.id, one.person, one.contact)
    done = [replace(finish(one, people[0]), promise=promise), finish(other, people[1])]
    for _ in range(3):
        await store.write(token, CAMPAIGN, [], done)
        await store._settling.settle(CAMPAIGN, [])
    (line,) = await store.history(one.person, AT)
    assert (line.what, line.id, line.outcome, line.at) == (What.CALL, one.id, "busy", int(AT + 30))
    assert len((await store.histories([one.person, other.person], AT))[1]) == 1
    keys = campaign_keys(CAMPAIGN)
    assert await link_of(store).one(("ZRANGE", keys.promised, 0, -1)) == [f"{one.id} {one.person}".encode()]
    assert (await store.counters(CAMPAIGN))["promise:made"] == 1


@pytest.mark.redis
async def test_effects_given_twice_leave_one_line(store: RedisStore) -> None:
    """What a new leader finds unsettled may have been settled already."""
    (person,) = contacts(1)
    token = await begin(store, listed=[person])
    (one,) = await claimed(store, token, [person])
    link, keys = link_of(store), campaign_keys(CAMPAIGN)
    kept: list[bytes] = []
    settle = store._settling.settle

    async def remembered(campaign: str, effects: object) -> None:
        kept.extend(await link.one(("HGETALL", keys.unsettled)))
        await settle(campaign, effects)  # type: ignore[arg-type] # as it was given

    store._settling.settle = remembered  # type: ignore[method-assign] # looks at it on the way
    await store.write(token, CAMPAIGN, [], [replace(finish(one, person), promise=promise_in(one.id, "ap0", "a000"))])
    await store.remember(one.person, note("n1", AT + 60, "sari", "friendly"))
    await link.one(("HSET", keys.unsettled, *kept))
    await store._settling.settle_left(CAMPAIGN)
    assert [line.what for line in await store.history(one.person, AT)] == [What.CALL, What.NOTE]
    assert await link.one(("HLEN", f"{{p:{one.person}}}:promises")) == 1


@pytest.mark.redis
async def test_it_is_capped_and_the_old_goes(store: RedisStore) -> None:
    for turn in range(ENTRIES_MAX + 20):
        assert await store.remember("p", note(f"n{turn}", AT + turn, "sari", "x"))
    assert not await store.remember("p", note(f"n{ENTRIES_MAX}", AT + ENTRIES_MAX, "sari", "x"))
    found = await store.history("p", AT)
    assert [line.id for line in found] == [f"n{turn}" for turn in range(20, ENTRIES_MAX + 20)]
    assert all(line.at < after.at for line, after in pairwise(found))
    late = AT + KEPT_S + 100
    await store.remember("p", note("late", late, "sari", "x"))
    assert [line.id for line in await store.history("p", late)] == [*(f"n{i}" for i in range(100, 120)), "late"]
    assert await link_of(store).one(("LLEN", history_key("p"))) == 21
    assert await store.history("p", late + KEPT_S + 1) == ()
    assert KEPT_S * 990 < await link_of(store).one(("PTTL", history_key("p"))) <= KEPT_S * 1000


@pytest.mark.redis
async def test_nonsense_in_a_history_is_left_out_and_named(store: RedisStore) -> None:
    await store.remember("p", note("n1", AT, "sari", "x"))
    await link_of(store).run([("RPUSH", history_key("p"), raw) for raw in (b"", b"\xff\xff\xff\xff\x80", b"abc")])
    await store.remember("p", note("n2", AT, "sari", "x"))
    assert [line.id for line in await store.history("p", AT)] == ["n1", "n2"]
    assert sum(store.broken.values()) == 3


@pytest.mark.redis
async def test_who_is_erased_has_no_history_and_a_call_under_way_leaves_none(store: RedisStore) -> None:
    people = contacts(2)
    token = await begin(store, listed=people)
    one, other = await claimed(store, token, people)
    await store.write(token, CAMPAIGN, [], [replace(finish(one, people[0]), promise=promise_in(one.id, "ap0", "a000"))])
    assert await store.erase(one.person) == 1
    assert await store.erase(other.person) == 1  # in a call
    await store.write(
        token, CAMPAIGN, [], [replace(finish(other, people[1]), promise=promise_in(other.id, "ap1", "a001"))]
    )
    assert await store.history(one.person, AT) == await store.history(other.person, AT) == ()
    link = link_of(store)
    left = await link.run([("EXISTS", f"{{p:{who}}}:promises") for who in ("ap0", "ap1")])
    assert left == [0, 0]
    assert await link.one(("HGET", person_keys(other.person).state, "forgotten")) is None
    assert await link.one(("ZCARD", campaign_keys(CAMPAIGN).promised)) == 0
