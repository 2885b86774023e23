"""Promises and payments on a real Redis: kept, broken, paid; each once, whatever is repeated or cut."""

from dataclasses import replace
from datetime import date

import pytest

from dialer.adapters.redis_index import Place
from dialer.adapters.redis_keys import PAYMENTS, campaign_keys
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_promises import PromisePage
from dialer.adapters.redis_store import RedisStore
from dialer.debts.history import What
from dialer.debts.payments import KEPT_DAYS, Told
from dialer.debts.promises import Promise, State
from dialer.errors import BadInput, StoreDown
from dialer.model import Contact
from dialer.ports import Held
from tests.adapters.redis_lives import (
    AT,
    CAMPAIGN,
    Cut,
    attempt,
    begin,
    claimed,
    contacts,
    finish,
    link_of,
    outcomes,
    placed_in,
    with_link,
)  # fmt: skip

pytestmark = pytest.mark.redis
DAY = 86_400.0
ENDS = AT + 2 * DAY
OTHER = "second"


def debtors(count: int = 1) -> list[Contact]:
    return [
        replace(one, lender="Bank Maju", account=f"A-{turn}", amount=1_000_000, zone="Asia/Jakarta")
        for turn, one in enumerate(contacts(count))
    ]


async def promised(store: RedisStore, people: list[Contact], amount: int = 500_000) -> tuple[int, list[Promise]]:
    """Each has promised in a call, and waits for later."""
    token = await begin(store, listed=people)
    attempts = await claimed(store, token, people)
    made = [
        Promise(one.id, CAMPAIGN, one.contact, one.person, amount, "IDR", date(2027, 1, 17), ENDS, AT, "101")
        for one in attempts
    ]
    verdict = finish(attempts[0], None).verdict
    done = [
        replace(finish(one, person, replace(verdict, retry_at=AT + 7 * DAY)), promise=promise)
        for one, person, promise in zip(attempts, people, made, strict=True)
    ]
    assert await store.write(token, CAMPAIGN, [], done) == len(people)
    return token, made


def paid(amount: int = 500_000, name: str = "1", at: float = AT + 100, account: str = "A-0") -> Told:
    return Told("bank", name, at, amount, "IDR", "bank maju", account)


async def counts(store: RedisStore) -> dict[str, int]:
    return {
        name.removeprefix("promise:"): count
        for name, count in (await store.counters(CAMPAIGN)).items()
        if name.startswith("promise:") and name.count(":") == 1 and count
    }


async def test_a_broken_promise_comes_back_before_others(store: RedisStore) -> None:
    people = debtors(2)
    await promised(store, people[:1])
    await store.add_contacts(CAMPAIGN, people[1:], AT)
    assert await store.fall_due(CAMPAIGN, ENDS - 1) == 0
    assert await store.fall_due(CAMPAIGN, ENDS) == 1
    (promise,) = await store.promises("ap0", ENDS)
    assert (promise.state, promise.ended_at) == (State.BROKEN, ENDS)
    found = await store.candidates(CAMPAIGN, ENDS, 9)
    assert [(one.id, one.broken_at) for one in found] == [("a000", ENDS), ("a001", 0.0)]
    assert [line.what for line in await store.history("ap0", ENDS)] == [What.CALL, What.BROKEN]
    assert await counts(store) == {"made": 1, "broken": 1}
    assert await store.fall_due(CAMPAIGN, ENDS + 9) == 0
    assert await store.promises_page(CAMPAIGN, ENDS, ended=True) == PromisePage((promise,), "")


async def test_what_was_cut_short_is_done_once(redis_process: RedisProcess, store: RedisStore) -> None:
    people = debtors(2)
    await promised(store, people)
    for commands in range(1, 16):
        dying = with_link(redis_process.url, Cut(redis_process.url, commands))
        try:
            await dying.fall_due(CAMPAIGN, ENDS)
        except StoreDown:
            pass
        finally:
            await dying.close()
    await store.fall_due(CAMPAIGN, ENDS)
    assert await counts(store) == {"made": 2, "broken": 2}
    for person in ("ap0", "ap1"):
        assert [line.what for line in await store.history(person, ENDS)] == [What.CALL, What.BROKEN]
    assert [one.broken_at for one in await store.candidates(CAMPAIGN, ENDS, 9)] == [ENDS, ENDS]


async def test_who_was_spoken_with_since_is_not_hurried(store: RedisStore) -> None:
    (person,) = debtors()
    await promised(store, [person])
    await link_of(store).one(("ZADD", campaign_keys(CAMPAIGN).later, repr(ENDS + 5 * DAY), person.id))
    await store._updates.change(CAMPAIGN, person.id, lambda one: replace(one, last_at=ENDS + 1))
    assert await store.fall_due(CAMPAIGN, ENDS + 2) == 1
    assert await store.candidates(CAMPAIGN, ENDS + 2, 9) == ()
    assert await counts(store) == {"made": 1, "broken": 1}


async def test_a_payment_keeps_a_promise_and_takes_him_off_the_list(store: RedisStore) -> None:
    people = debtors(2)
    _, (promise, _) = await promised(store, people)
    found = await store.pay(paid(), AT + 200)
    assert not found.repeated
    assert [(place, one.amount) for place, one in found.accounts] == [(Place(CAMPAIGN, "a000"), 500_000)]
    assert [(one.id, one.state) for one in found.changed] == [(promise.id, State.KEPT)]
    assert (found.relieved, found.withdrawn, found.calling) == (True, 1, ())
    assert [await placed_in(store, one) for one in people] == [["rest"], ["later"]]
    assert await counts(store) == {"made": 2, "kept": 1}
    assert [line.what for line in await store.history("ap0", AT)] == [What.CALL, What.PAYMENT, What.KEPT]
    again = await store.pay(paid(), AT + 300)
    assert (again.repeated, again.relieved, again.withdrawn, again.changed) == (True, True, 0, ())
    assert again.accounts == found.accounts
    assert await counts(store) == {"made": 2, "kept": 1}
    assert len(await store.history("ap0", AT)) == 3
    assert await link_of(store).one(("XLEN", PAYMENTS)) == 1
    assert await store.fall_due(CAMPAIGN, ENDS) == 1  # the other one's
    assert await counts(store) == {"made": 2, "kept": 1, "broken": 1}
    held = await store.lock([attempt(people[0])], AT + 400)
    assert isinstance(held[0], Held)
    assert held[0].person.silent_until > AT + 400  # whatever else he owes: not today


async def test_a_part_is_taken_off_and_he_stays(store: RedisStore) -> None:
    (person,) = debtors()
    await promised(store, [person])
    found = await store.pay(paid(200_000), AT + 200)
    assert (found.relieved, found.withdrawn, found.changed) == (False, 0, ())
    assert await placed_in(store, person) == ["later"]
    kept = await store.contact(CAMPAIGN, person.id)
    assert kept is not None
    assert kept.amount == 800_000
    await store.replace_contacts(
        CAMPAIGN, [replace(person, name="Siti")]
    )  # the lender's list is newer than the payment
    await store.pay(paid(200_000), AT + 250)  # said again
    known = await store.contact(CAMPAIGN, person.id)
    assert known is not None
    assert (known.amount, known.name) == (1_000_000, "Siti")
    await store.fall_due(CAMPAIGN, ENDS)
    assert await counts(store) == {"made": 1, "part": 1}


async def test_money_that_we_hear_of_late_mends_a_broken_promise(store: RedisStore) -> None:
    await promised(store, debtors())
    await store.fall_due(CAMPAIGN, ENDS)
    assert await counts(store) == {"made": 1, "broken": 1}
    found = await store.pay(paid(at=ENDS - 60), ENDS + 3600)
    assert [one.state for one in found.changed] == [State.KEPT]
    assert await counts(store) == {"made": 1, "kept": 1}


async def test_all_of_it_paid_without_a_promise(store: RedisStore) -> None:
    """On every list on which the account stands, while he is being called on one of them."""
    (person,) = debtors()
    token = await begin(store, listed=[person])
    await begin(store, OTHER, [person])
    (one,) = await claimed(store, token, [person])
    found = await store.pay(paid(1_000_000), AT + 5)
    assert {place.campaign: left.amount for place, left in found.accounts} == {CAMPAIGN: 0, OTHER: 0}
    assert (found.relieved, found.withdrawn) == (True, 1)
    assert found.calling == ((CAMPAIGN, person.person),)
    assert await placed_in(store, person, OTHER) == ["rest"]
    assert await store.write(token, CAMPAIGN, [], [finish(one, person)]) == 1
    assert await placed_in(store, person) == ["rest"]
    after = await store.contact(CAMPAIGN, person.id)
    assert after is not None
    assert after.amount == 0  # the engine gave back what it had read before
    assert await outcomes(store) == [one.id]


async def test_a_claim_that_is_half_way_is_refused(store: RedisStore) -> None:
    (person,) = debtors()
    token = await begin(store, listed=[person])
    one = attempt(person)
    assert isinstance((await store.lock([one], AT))[0], Held)
    await store.pay(paid(1_000_000), AT)
    assert await store.claim(token, [one], AT) == [False]
    assert await placed_in(store, person) == ["rest"]


async def test_a_payment_that_was_cut_short_is_said_again(redis_process: RedisProcess, store: RedisStore) -> None:
    (person,) = debtors()
    await promised(store, [person])
    for commands in range(1, 30):
        dying = with_link(redis_process.url, Cut(redis_process.url, commands))
        try:
            await dying.pay(paid(), AT + 200)
        except StoreDown:
            pass
        finally:
            await dying.close()
    found = await store.pay(paid(), AT + 200)
    assert found.repeated
    assert found.accounts[0][1].amount == 500_000
    assert await counts(store) == {"made": 1, "kept": 1}
    assert await placed_in(store, person) == ["rest"]
    assert [line.what for line in await store.history("ap0", AT)] == [What.CALL, What.PAYMENT, What.KEPT]


async def test_an_id_is_told_of_one_payment_only(store: RedisStore) -> None:
    await promised(store, debtors())
    await store.pay(paid(1000), AT)
    with pytest.raises(BadInput, match="told before with other words"):
        await store.pay(paid(2000), AT)
    with pytest.raises(BadInput, match="kept in IDR"):
        await store.pay(replace(paid(name="2"), currency="USD"), AT)
    kept = await store.contact(CAMPAIGN, "a000")
    assert kept is not None
    assert kept.amount == 999_000


async def test_an_account_that_nobody_has_is_told_all_the_same(store: RedisStore) -> None:
    await begin(store, listed=debtors())
    for wanted in (
        paid(account="B"),
        replace(paid(name="2"), account="", contact="nobody"),
        replace(paid(name="3"), account=""),
    ):
        assert (await store.pay(wanted, AT)).accounts == ()
    told = await store.told_payments("0", 10)
    assert [one["id"] for _, one in told] == ["bank:1", "bank:2", "bank:3"]
    assert [one["id"] for _, one in await store.told_payments(told[0][0], 1)] == ["bank:2"]
    assert {one["campaigns"] for _, one in told} == {""}


async def test_an_account_is_found_by_its_contact_and_by_any_spelling(store: RedisStore) -> None:
    (person,) = debtors()
    await begin(store, listed=[person])
    place = Place(CAMPAIGN, person.id)
    assert list(await store.accounts("", "", person.id)) == [place]
    assert list(await store.accounts("BANK  MAJU", " a-0 ")) == [place]
    assert list(await store.accounts("Bank Lain", "A-0")) == []
    await store.replace_contacts(CAMPAIGN, [replace(person, account="A-99")])
    assert list(await store.accounts("Bank Maju", "A-99")) == [place]
    assert list(await store.accounts("Bank Maju", "A-0")) == []
    await store.erase(person.person)
    assert list(await store.accounts("Bank Maju", "A-99")) == []


async def test_ids_and_entries_of_old_payments_go_together(store: RedisStore) -> None:
    link = link_of(store)
    await link.one(("XADD", PAYMENTS, "1-1", "id", "bank:old", "v", "1"))
    await link.one(("HSET", "{santun:payments}:ids", "bank:old", "x"))
    await store.pay(paid(), AT + KEPT_DAYS * DAY)
    assert [one["id"] for _, one in await store.told_payments("0", 10)] == []  # written by Redis's own clock: old, too
    assert await link.one(("HKEYS", "{santun:payments}:ids")) == []
