"""Corrections: an outcome found by its id, an entry once, its effects on person, number and list."""

from dataclasses import replace
from datetime import date

import pytest

from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_store import RedisStore
from dialer.debts.promises import Promise, State
from dialer.errors import NotLeader
from dialer.model import Contact, Outcome, Side, Verdict, attempt_id
from dialer.ports import Finish, Held
from tests.adapters.redis_lives import AT, CAMPAIGN, attempt, begin, claimed, contacts, link_of, placed_in

pytestmark = pytest.mark.redis
TALKED = Verdict(Outcome.CONNECTED, Side.DEBTOR, "talked", retry_at=AT + 3600, conversation=True)
STOPPED = replace(TALKED, reason="stop", retry_at=0.0, stop=True, rests="stop")


async def written(store: RedisStore, token: int, one: Contact, verdict: Verdict = TALKED) -> Finish:
    """A call that is over."""
    seconds, _ = await link_of(store).one(("TIME",))
    (placed,) = await claimed(store, token, [one], as_id=attempt_id(float(seconds), one.id.encode() * 10))
    over = replace(placed, joined_at=AT + 5, ended_at=AT + 60, placed_at=AT)
    finish = Finish(over, verdict, {"type": "outcome", "attempt": over.id, "campaign": CAMPAIGN}, one)
    assert await store.write(token, CAMPAIGN, [], [finish]) == 1
    return finish


async def test_an_outcome_is_found_by_its_id_among_others(store: RedisStore) -> None:
    people = contacts(3)
    token = await begin(store, listed=people)
    finished = [await written(store, token, one) for one in people]
    for finish in finished:
        assert await store.outcome(CAMPAIGN, finish.attempt.id) == finish.record
    assert await store.outcome(CAMPAIGN, "0" * 26) is None
    assert await store.outcome(CAMPAIGN, "no id") is None


async def test_a_correction_stops_the_person_and_takes_him_off_the_list(store: RedisStore) -> None:
    (one,) = contacts(1)
    token = await begin(store, listed=[one])
    finish = await written(store, token, one)
    assert await placed_in(store, one) == ["later"]
    entry = {"type": "correction", "attempt": finish.attempt.id, "stop": "1"}
    stopped = replace(finish, verdict=STOPPED, contact=replace(one, tries=1))
    for _ in range(2):
        await store.correct(CAMPAIGN, token, entry, stopped)
    told = [fields for _, fields in await store.tail(CAMPAIGN, 10)]
    assert [fields["type"] for fields in told] == ["outcome", "correction"]
    assert await placed_in(store, one) == ["rest"]
    assert await link_of(store).one(("HLEN", campaign_keys(CAMPAIGN).unsettled)) == 0
    (held,) = await store.lock([attempt(one)], AT + 100)
    assert isinstance(held, Held)
    assert (held.person.stop, held.number.stop) == (True, True)
    kept = await store.contact(CAMPAIGN, one.id)
    assert kept is not None
    assert kept.tries == 1


async def test_who_is_being_called_stays_with_his_call(store: RedisStore) -> None:
    (one,) = contacts(1)
    token = await begin(store, listed=[one])
    finish = await written(store, token, one)
    later = AT + 7200
    await store.candidates(CAMPAIGN, later, 1)
    again = replace(attempt(one), claimed_at=later)
    await store.lock([again], later)
    assert await store.claim(token, [again], later) == [True]
    said = {"type": "correction", "attempt": finish.attempt.id}
    await store.correct(CAMPAIGN, token, said | {"stop": "1"}, replace(finish, verdict=STOPPED))
    assert await placed_in(store, one) == ["open"]
    with pytest.raises(NotLeader):
        await store.correct(CAMPAIGN, token - 1, said | {"stop": "0"}, finish)


async def test_a_promise_that_comes_late_is_on_the_books_like_any_other(store: RedisStore) -> None:
    (one,) = contacts(1)
    token = await begin(store, listed=[one])
    finish = await written(store, token, one)
    until = AT + 3 * 86400
    promise = Promise(
        finish.attempt.id, CAMPAIGN, one.id, one.person, 500_000, "IDR", date(2027, 1, 20), until, AT, "101"
    )
    entry = {"type": "correction", "attempt": finish.attempt.id, "promise_due": "2027-01-20"}
    for _ in range(2):
        await store.correct(CAMPAIGN, token, entry, replace(finish, promise=promise))
    ((known,),) = await store.promises_of_persons([one.person], AT + 60)
    assert (known.id, known.state) == (finish.attempt.id, State.PENDING)
    assert (await store.counters(CAMPAIGN))["promise:made"] == 1
    assert await store.fall_due(CAMPAIGN, until + 1) == 1
    ((known,),) = await store.promises_of_persons([one.person], until + 1)
    assert known.state is State.BROKEN
