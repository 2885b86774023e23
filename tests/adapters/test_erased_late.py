"""Changes of an erased person's calls that waited for Redis: nothing of him comes back, his word not to be called
counts, and each call has one outcome."""

from dataclasses import replace
from datetime import date

import msgspec
import pytest

from dialer.adapters.redis_ivr import IvrStore
from dialer.adapters.redis_keys import UNWANTED, campaign_keys, facts_key, person_keys
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.redis_upkeep import DAY_S, ERASED_DAYS, Upkeep
from dialer.debts.promises import Promise
from dialer.forms.privacy import Privacy
from dialer.model import Attempt, CallState, Campaign, Contact, Fact, Verdict
from dialer.ports import Finish, Unwritten
from dialer.stream import late_correction, record
from tests.adapters.redis_lives import AT, begin, claimed, link_of
from tests.adapters.test_redis_erasure import (
    AGAIN,
    E164,
    KEYS,
    NAME,
    PERSON,
    SECOND,
    TALKED,
    accounts,
    left_of_him,
)

pytestmark = pytest.mark.redis
SETTINGS = Campaign("first", "First", record=True)
QUIET = replace(TALKED, stop=False)
GAVE = Fact(1, AT, "new_number", SECOND)
STOPPED = {person_keys(PERSON).state, f"{{n:{KEYS[E164]}}}:state"}


def ended(call: Attempt, contact: Contact, verdict: Verdict) -> Finish:
    """As the engine saw it that could not write it."""
    over = replace(
        call, state=CallState.ENDED, placed_at=AT, answered_at=AT + 5, joined_at=AT + 6, ended_at=AT + 60, cause=16
    )
    promise = Promise(call.id, "first", contact.id, PERSON, 5, "IDR", date(2027, 1, 20), AT + 9e5, AT, "101")
    told = record(over, verdict, (), contact, SETTINGS) | {"new_number": SECOND}
    return Finish(over, verdict, told, contact, promise)


def change(finish: Finish, token: int) -> Unwritten:
    return Unwritten("first", finish.attempt.id, token, AT + 61, finish=finish)


async def called(store: RedisStore) -> tuple[int, Contact, Attempt]:
    """He is on the line."""
    one, _ = accounts()
    token = await begin(store, "first", [one])
    (call,) = await claimed(store, token, [one], "first")
    return token, one, call


async def over_unseen(store: RedisStore, token: int, call: Attempt, contact: Contact) -> None:
    """Another engine found the call gone."""
    gone = replace(call, state=CallState.ENDED, ended_at=AT + 90)
    await store.write(token, "first", [], [Finish(gone, AGAIN, record(gone, AGAIN, (), contact, SETTINGS), contact)])


async def test_what_waits_of_a_call_that_is_over_goes_and_does_not_come_back(store: RedisStore) -> None:
    token, one, call = await called(store)
    late = change(ended(call, one, QUIET), token)
    await over_unseen(store, token, call, one)
    await store.hand_over([late])
    assert {NAME, PERSON, E164} <= {mark for marks in (await left_of_him(link_of(store))).values() for mark in marks}
    await store.erase(PERSON)
    for _ in range(2):
        assert await store.handed_over("first") == ()
        assert await left_of_him(link_of(store)) == {}
        await store.hand_over([late])  # of a machine that was away
    assert not await store.is_known(PERSON)


async def test_what_waits_of_a_call_that_is_open_ends_it_and_names_nobody(store: RedisStore) -> None:
    token, one, call = await called(store)
    late = change(ended(call, one, QUIET), token)
    await store.hand_over([late])
    await store.erase(PERSON)
    for _ in range(2):
        assert [one.finish for one in await store.handed_over("first")] != [late.finish]
        await store.hand_over([late])
    (bare,) = await store.handed_over("first")
    assert bare.finish
    assert (bare.finish.contact, bare.finish.promise) == (None, None)
    raw = msgspec.json.encode(bare)
    assert not [mark for mark in (NAME, "KTA-99-123456", "Melati", SECOND) if mark.encode() in raw]
    assert await store.write(token, "first", [], [bare.finish]) == 1
    await store.taken(token, "first", [bare])
    assert await left_of_him(link_of(store)) == {}
    (told,) = [entry for _, entry in await store.tail("first", 10) if entry["type"] == "outcome"]
    assert (told["outcome"], told["cause"], told["person"], told["number"]) == ("connected", "16", "", "")


@pytest.mark.parametrize("when", ["waits", "comes", "corrects"])
async def test_his_word_not_to_be_called_counts_all_the_same(store: RedisStore, when: str) -> None:
    """It waits for a leader while he is erased, or comes later, or the leader has just read it."""
    token, one, call = await called(store)
    finish = ended(call, one, TALKED)
    late = change(finish, token)
    await over_unseen(store, token, call, one)
    ((_, told),) = await store.tail("first", 1)
    if when == "waits":
        await store.hand_over([late])
    await store.erase(PERSON)
    if when == "comes":
        await store.hand_over([late])
    if when == "corrects":
        entry = late_correction(told, finish.record, AT + 61, "spool")
        await store.correct("first", token, entry, replace(finish, contact=None))
    assert set(await left_of_him(link_of(store))) == STOPPED
    assert await store.stops_of([PERSON], [KEYS[E164]]) == [("",), ("",)]
    assert (await store.history(PERSON, AT + 99), await store.promises(PERSON, AT + 99)) == ((), ())
    assert [entry["type"] for _, entry in await store.tail("first", 10)] == ["erasure"]


async def test_an_agents_word_in_a_state_counts(store: RedisStore) -> None:
    token, one, call = await called(store)
    await over_unseen(store, token, call, one)
    await store.erase(PERSON)
    said = replace(call, disposition="wrong_person")
    await store.hand_over([Unwritten("first", call.id, token, AT, said)])
    assert await store.stops_of([PERSON], [KEYS[E164]]) == [(), ("",)], "the number is somebody else's"


async def test_who_was_erased_in_a_call_is_not_in_its_correction(store: RedisStore) -> None:
    """Another engine closed it blank; who saw its end would say more of him."""
    token, one, call = await called(store)
    await store.erase(PERSON)
    await over_unseen(store, token, call, one)
    ((_, told),) = await store.tail("first", 1)
    finish = ended(call, one, QUIET)
    entry = late_correction(told, finish.record, AT + 61, "spool")
    assert entry["new_number"] == SECOND
    await store.correct("first", token, entry, finish)
    assert await left_of_him(link_of(store)) == {}
    assert [entry["type"] for _, entry in await store.tail("first", 10)] == ["outcome"]


async def test_facts_of_the_ivr_come_in_only_while_the_call_is_open(
    redis_process: RedisProcess, store: RedisStore
) -> None:
    ivr = IvrStore(redis_process.url)
    token, one, call = await called(store)
    await store.erase(PERSON)
    assert ivr.report("first", call.id, GAVE)
    assert [fact.name for fact in await store.facts("first", call.id)] == ["new_number"]
    await over_unseen(store, token, call, one)
    for send in (ivr.report, ivr.report_once):
        assert not send("first", call.id, GAVE)
    assert not await link_of(store).one(("EXISTS", facts_key("first", call.id)))
    assert ivr.report_once("first", "somebody-else", GAVE)
    ivr.close()


async def test_an_export_has_what_waits(store: RedisStore) -> None:
    token, one, call = await called(store)
    await over_unseen(store, token, call, one)
    other = Unwritten("first", "x1", token, AT, replace(call, id="x1", person="of", contact="others", number=KEYLESS))
    facts = Unwritten("first", call.id, at=AT, facts=True)
    await store.hand_over([change(ended(call, one, QUIET), token), other, facts])
    (waits,) = (await store.held(PERSON, AT + 100))["waiting"]
    assert (waits["attempt_id"], waits["finish"]["record"]["number"]) == (call.id, E164)
    assert waits["finish"]["contact"]["name"] == NAME


KEYLESS = replace(accounts()[0].numbers[0], e164="+6281200000009", key="bb01" * 8)


async def test_who_is_in_nothing_but_what_waits_is_known_and_erased(store: RedisStore) -> None:
    token, one, call = await called(store)
    link = link_of(store)
    late = change(ended(call, one, QUIET), token)
    await link.one(("FLUSHALL",))
    await begin(store, "first")
    await store.hand_over([late])
    assert await store.is_known(PERSON)
    await store.erase(PERSON)
    assert await left_of_him(link) == {}
    assert await link.one(("ZRANGE", UNWANTED, 0, -1)) == [call.id.encode()]


async def test_what_is_kept_of_an_erasure_names_nobody_and_ends(store: RedisStore) -> None:
    token, one, call = await called(store)
    await over_unseen(store, token, call, one)
    link, key = link_of(store), campaign_keys("first").erased
    await store.erase(PERSON)
    assert await link.one(("ZRANGE", key, 0, -1)) == [call.id.encode()]
    since = float(await link.one(("ZSCORE", key, call.id)))
    upkeep = Upkeep(link, store, Privacy())
    for days, there in ((ERASED_DAYS - 1, 1), (ERASED_DAYS + 1, 0)):
        await upkeep.run(since + days * DAY_S)
        assert await link.one(("ZCARD", key)) == there
