"""Persons and numbers over all campaigns: stopped at once, everywhere, by scope; found, withdrawn, given newer data."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from math import inf

import pytest

from dialer.adapters.redis_index import Place
from dialer.adapters.redis_keys import campaign_keys, number_keys, person_keys
from dialer.adapters.redis_outcomes import effects_of
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.errors import BadInput, StoreDown
from dialer.model import Contact, History, Number, NumberKind, NumberState, Outcome, Refused, Side, Verdict
from dialer.ports import Held
from tests.adapters.redis_lives import (
    AT,
    BUSY,
    CAMPAIGN,
    Cut,
    attempt,
    begin,
    claimed,
    contacts,
    finish,
    link_of,
    placed_in,
    until,
    with_link,
)  # fmt: skip

pytestmark = pytest.mark.redis
KEYS = campaign_keys(CAMPAIGN)
TALK = Verdict(Outcome.CONNECTED, Side.DEBTOR, "talked", conversation=True)
Change = Callable[[RedisStore, Contact], Awaitable[object]]


async def past(store: RedisStore, person: Contact, at: float = AT + 100) -> Held:
    """What a lock tells; given back at once."""
    one = attempt(person, "elsewhere", at)
    (held,) = await store.lock([one], at)
    await store.unlock([one])
    assert isinstance(held, Held)
    return held


# ---- stop


async def test_a_stop_may_be_for_one_lender_or_campaign_only(store: RedisStore) -> None:
    (person,) = contacts(1)
    for scope in ("lender:Bank Satu", "campaign:first", "lender:Bank Satu", "lender:Bank"):
        await store.stop([person.person], [], scope)
    await store.stop([], [person.numbers[0].key], "campaign:first")
    held = await past(store, person)
    assert held.person == History(stops=("lender:Bank Satu", "campaign:first", "lender:Bank"))
    assert held.number == History(stops=("campaign:first",))
    await store.stop([person.person], [])
    assert (await past(store, person)).person.stop
    assert await link_of(store).one(("PTTL", person_keys(person.person).state)) == -1


@pytest.mark.parametrize("scope", ["bank", "lender:", "lender:a\nb", "campaign:", "campaign:A b", "campaign:x\n"])
async def test_a_scope_that_is_none_is_said(store: RedisStore, scope: str) -> None:
    with pytest.raises(BadInput, match="lender:NAME"):
        await store.stop(["p"], [], scope)


async def other_outcome(store: RedisStore, person: Contact, verdict: Verdict) -> None:
    """Of a call that needed no lock, as when he rang us."""
    one = replace(attempt(person, "inbound"), contact="", kind="inbound")
    await store._settling.settle("inbound", [effects_of(finish(one, None, verdict))])


CHANGES: dict[str, Change] = {
    "stop": lambda s, one: s.stop([one.person], []),
    "stop of the number": lambda s, one: s.stop([], [one.numbers[0].key]),
    "lender": lambda s, one: s.stop([one.person], [], "lender:Bank"),
    "campaign": lambda s, one: s.stop([], [one.numbers[0].key], f"campaign:{CAMPAIGN}"),
    "promise": lambda s, one: other_outcome(s, one, replace(TALK, silent_until=AT + 1e6)),
    "hardship": lambda s, one: other_outcome(s, one, replace(TALK, hardship=True)),
    "talk": lambda s, one: other_outcome(s, one, TALK),
    "wrong person": lambda s, one: other_outcome(s, one, replace(BUSY, wrong_person=True)),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_whatever_comes_between_gate_and_claim_is_asked_about_again(store: RedisStore, name: str) -> None:
    one, two = contacts(2)
    token = await begin(store, listed=[one, two])
    attempts = [attempt(one), attempt(two)]
    await store.lock(attempts, AT)
    await CHANGES[name](store, one)
    assert await store.claim(token, attempts, AT) == [False, True]
    assert await placed_in(store, one) == ["ready"]
    (held,) = await store.lock([attempt(one)], AT + 1)
    assert isinstance(held, Held)
    assert (held.person, held.number) != (History(), History()), "the gate sees it this time"


async def test_what_was_there_at_the_lock_is_the_gates_affair(store: RedisStore) -> None:
    (one,) = contacts(1)
    token = await begin(store, listed=[one])
    await store.stop([one.person], [], "lender:Another")
    await claimed(store, token, [one])


async def test_a_stop_is_lifted_by_scope_and_the_reason_is_kept_first(store: RedisStore) -> None:
    (one,) = contacts(1)
    number = one.numbers[0].key
    for scope in ("", "lender:Bank Satu", "campaign:first"):
        assert await store.stop([], [number], scope) == 1
        assert await store.stop([], [number], scope) == 0
    with pytest.raises(BadInput, match="reason"):
        await store.lift([], [number], "", " ", "me", AT)
    assert await store.lift([], [number], "lender:bank satu", "sold", "me", AT) == 1
    assert await store.stops_of([one.person], [number]) == [(), ("", "campaign:first")]
    assert await store.lift([one.person], [number], "", "asked", "me", AT) == 1
    assert await store.lift([], [number], "", "asked", "me", AT) == 0
    assert (await past(store, one)).number == History(stops=("campaign:first",))
    assert await store.lift([], [number], "campaign:first", "over", "me", AT) == 1
    assert (await past(store, one)).number == History()
    told = [(line["action"], line["scope"], line["reason"], line["number"]) for line in await store.told_stops(9)]
    assert told == [
        ("lift", "lender:Bank Satu", "sold", number),
        ("lift", "", "asked", number),
        ("lift", "campaign:first", "over", number),
    ]


async def test_the_log_of_stops_is_kept_for_400_days(store: RedisStore) -> None:
    for turn in range(300):
        await store.tell_stops({"action": "add"}, AT + turn)
    assert len(await store.told_stops(999)) == 300
    for _ in range(2):
        await store.tell_stops({"action": "add"}, 4e9)  # entries carry Redis's own time
    assert len(await store.told_stops(999)) <= 150


# ---- what outcomes leave


async def test_outcomes_leave_their_marks_on_the_right_ones(store: RedisStore) -> None:
    people = contacts(4)
    token = await begin(store, listed=people)
    attempts = await claimed(store, token, people)
    verdicts = [
        replace(BUSY, wrong_person=True),
        Verdict(Outcome.ABANDONED, Side.US, "no_agent", live=True),
        Verdict(Outcome.MACHINE, Side.DEBTOR, "machine"),
        replace(TALK, hardship=True, silent_until=AT + 900),
    ]
    done = [finish(*each) for each in zip(attempts, people, verdicts, strict=True)]
    await store.write(token, CAMPAIGN, [], done)
    await store.write(token, CAMPAIGN, [], done)
    wrong, abandoned, machine, hardship = [await past(store, one) for one in people]
    assert (wrong.person.stop, wrong.number.stop) == (False, True)
    assert (abandoned.person.abandoned_at, abandoned.number.abandoned_at) == (AT + 30, AT + 30)
    assert (machine.person.machine_at, machine.number.machine_at) == (0.0, AT + 30)
    assert (hardship.person.hardship, hardship.number.hardship) == (True, False)
    assert (hardship.person.silent_until, hardship.number.silent_until) == (AT + 900, 0.0)


async def test_of_two_pasts_the_stricter_stays(store: RedisStore) -> None:
    one = contacts(1)[0]
    people = [replace(one, id=f"x{i}") for i in range(3)]
    token = await begin(store, listed=people)
    lives = [(AT + 50, AT + 900, True), (AT + 20, AT + 500, False), (AT + 70, 0.0, False)]
    for person, (at, silent_until, hard) in zip(people, lives, strict=True):
        (each,) = await claimed(store, token, [person])
        verdict = Verdict(Outcome.ABANDONED, Side.US, "x", silent_until=silent_until, hardship=hard)
        await store.write(token, CAMPAIGN, [], [finish(each, person, verdict, at)])
    held = await past(store, one, AT + 200)
    assert (held.person.abandoned_at, held.person.silent_until, held.person.hardship) == (AT + 70, AT + 900, True)


async def test_marks_go_with_the_past_but_flags_stay(store: RedisStore) -> None:
    people = contacts(2)
    token = await begin(store, listed=people)
    attempts = await claimed(store, token, people)
    verdicts = [Verdict(Outcome.MACHINE, Side.DEBTOR, "machine"), replace(BUSY, hardship=True)]
    await store.write(token, CAMPAIGN, [], [finish(*each) for each in zip(attempts, people, verdicts, strict=True)])
    state = number_keys(people[0].numbers[0].key).state, person_keys(people[1].person).state
    machine, hardship = await link_of(store).run([("PTTL", key) for key in state])
    assert machine > 30 * 86_400_000
    assert hardship == -1


# ---- everywhere within a second


async def test_stop_and_wrong_person_hold_in_all_campaigns_within_a_second(redis_process: RedisProcess) -> None:
    """Two engines, each with a campaign and a connection of its own, claim the same people as fast as they can."""
    people = contacts(40)
    clock = asyncio.get_running_loop().time
    placed: list[tuple[float, str]] = []  # when, whom
    refused: list[tuple[float, str]] = []
    over = asyncio.Event()

    async def engine(campaign: str) -> None:
        store = RedisStore(redis_process.url)
        token = await begin(store, campaign, people)
        turn = 0
        while not over.is_set():
            turn += 1
            at = AT + turn / 10
            some = await store.candidates(campaign, at, 5)
            attempts = [attempt(one, campaign, at) for one in some]
            held = await store.lock(attempts, at)
            mine = []
            for one, lock in zip(attempts, held, strict=True):
                if isinstance(lock, Held) and (lock.person.stop or lock.number.stop):
                    await store.unlock([one])
                    refused.append((clock(), one.person))
                elif isinstance(lock, Held):
                    mine.append(one)
            got = await store.claim(token, mine, at)
            known = {one.id: one for one in some}
            calls = [one for one, won in zip(mine, got, strict=True) if won]
            placed.extend((clock(), one.person) for one in calls)
            await store.write(token, campaign, [], [
                finish(one, known[one.contact], replace(BUSY, retry_at=at), at) for one in calls
            ])  # fmt: skip
            away = [(one, one.numbers[0], Refused("busy", at + 1)) for one in some
                    if one.id not in {each.contact for each in calls}]  # fmt: skip
            await store.refuse(token, campaign, away, at)
        await store.close()

    engines = [asyncio.create_task(engine(name)) for name in (CAMPAIGN, "second")]
    store = RedisStore(redis_process.url)
    stopped: dict[str, float] = {}
    wrong = replace(BUSY, wrong_person=True)

    async def more(count: int) -> None:
        wanted = len(placed) + count

        async def there() -> bool:
            return len(placed) >= wanted

        await until(there)

    for i, person in enumerate(people[:20]):
        await more(10)
        if i % 2:
            await store.stop([person.person], [])
        else:  # as an outcome says it: of the number alone
            await store._settling.settle(CAMPAIGN, [effects_of(finish(attempt(person), None, wrong))])
        stopped[person.person] = clock()
    await more(200)
    over.set()
    await asyncio.gather(*engines)
    await store.close()
    late = [at - stopped[person] for at, person in placed if at > stopped.get(person, inf)]
    assert max(late, default=0.0) < 1.0
    again = {person for at, person in refused if person in stopped}
    assert len(again) > 5, "they were asked for again, and refused"
    assert {person for _, person in placed} == {one.person for one in people}


# ---- found


async def test_a_number_and_a_person_find_their_contacts(store: RedisStore) -> None:
    one, two = contacts(2)
    hexed = "0123456789abcdef0123456789abcdef"
    two = replace(two, id=hexed, person=one.person, numbers=(Number("+1", hexed), one.numbers[0]))
    await store.add_contacts(CAMPAIGN, [one, two], AT)
    await store.add_contacts("second", [two], AT)
    assert await store.contacts_of(hexed) == ((Place(CAMPAIGN, hexed), two), (Place("second", hexed), two))
    found = await store.contacts_of(one.numbers[0].key)
    assert [place for place, _ in found] == [Place(CAMPAIGN, hexed), Place(CAMPAIGN, one.id), Place("second", hexed)]
    assert await store.contacts_of_person(one.person) == found
    assert await store.contacts_of_numbers([hexed, "nobody"]) == [(Place(CAMPAIGN, hexed), Place("second", hexed)), ()]
    assert await store.contacts_of("nobody") == ()


async def test_an_index_with_nonsense_in_it_still_answers(store: RedisStore) -> None:
    (one,) = contacts(1)
    await store.add_contacts(CAMPAIGN, [one], AT)
    link = link_of(store)
    (bucket,) = await link.one(("KEYS", "{n:*}:contacts"))
    (field,) = await link.one(("HKEYS", bucket))
    part = field[: -len(CAMPAIGN)]
    await link.one(("HSET", bucket, field[:4], "", part + b"No Campaign", "", b"", "", b"\xff" * 90, "", part, ""))
    assert [place for place, _ in await store.contacts_of(one.numbers[0].key)] == [Place(CAMPAIGN, one.id)]
    assert store.broken


# ---- withdrawn


async def test_who_is_withdrawn_is_off_the_list_at_once_and_does_not_come_back(store: RedisStore) -> None:
    one, two, other = contacts(3)
    two = replace(two, person=one.person)
    tokens = {name: await begin(store, name, [one, two, other]) for name in (CAMPAIGN, "second")}
    await store.add_contacts("second", [replace(one, id="later")], AT + 500)
    (calling,) = await claimed(store, tokens[CAMPAIGN], [one])
    assert await store.withdraw(one.person, AT, "second") == 3
    assert [each.id for each in await store.candidates("second", AT + 1000, 9)] == [other.id]
    assert await placed_in(store, two) == ["ready"]
    assert await store.withdraw(one.person, AT) == 1
    assert await store.withdraw("nobody", AT) == 0
    assert await placed_in(store, one) == ["open"]
    await store.write(tokens[CAMPAIGN], CAMPAIGN, [], [finish(calling, one)])
    assert [await placed_in(store, each) for each in (one, two, other)] == [["rest"], ["rest"], ["ready"]]


async def test_who_is_withdrawn_between_lock_and_claim_is_not_called(store: RedisStore) -> None:
    (one,) = contacts(1)
    token = await begin(store, listed=[one])
    first = attempt(one)
    await store.lock([first], AT)
    await store.withdraw(one.person, AT)
    assert await store.claim(token, [first], AT) == [False]
    assert await placed_in(store, one) == ["rest"]


# ---- newer data


async def test_newer_data_come_and_what_calls_taught_stays(store: RedisStore) -> None:
    one, same, unknown = contacts(3)
    tried = replace(
        one, tries=2, next_number=1, last_at=AT, callback_at=AT + 5, callback_agent="101", came=(("busy", 2),),
        numbers=(one.numbers[0], Number("+2", "two", state=NumberState.GOOD, past="1/1", not_found_at=3.0)),
    )  # fmt: skip
    await store.add_contacts(CAMPAIGN, [tried, same], AT)
    newer = replace(one, alias="other", amount=9, name="New", numbers=(Number("+3", "three"), Number("+2", "two")))
    assert await store.replace_contacts(CAMPAIGN, [newer, same, unknown]) == 1
    assert await store.replace_contacts(CAMPAIGN, [newer, same, unknown]) == 0
    found = await store.contact(CAMPAIGN, one.id)
    assert found == replace(tried, amount=9, name="New", numbers=(newer.numbers[0], tried.numbers[1]), rev=1)
    assert await store.contact(CAMPAIGN, unknown.id) is None
    assert [place.contact for place, _ in await store.contacts_of("three")] == [one.id]
    assert await store.contacts_of(one.numbers[0].key) == ()
    assert await store.add_contacts(CAMPAIGN, [one], AT) == 0


async def test_a_number_that_the_debtor_gave_is_found_and_outlives_the_next_list(store: RedisStore) -> None:
    (one,) = contacts(1)
    token = await begin(store, listed=[one])
    (call,) = await claimed(store, token, [one])
    mine = Number("+6281234567890", "mine", given_at=AT)
    assert await store.replace_contacts(CAMPAIGN, [replace(one, amount=8)]) == 1  # the list comes during the call
    known = replace(one, numbers=(*one.numbers, mine))
    await store.write(token, CAMPAIGN, [], [replace(finish(call, known), new_numbers=True)])
    assert [place.contact for place, _ in await store.contacts_of("mine")] == [one.id]
    for amount in (8, 9, 9):
        found = await store.contact(CAMPAIGN, one.id)
        assert found is not None
        assert (found.amount, found.numbers) == (amount, (*one.numbers, mine))
        await store.replace_contacts(CAMPAIGN, [replace(one, amount=9)])
    listed = Number(mine.e164, "mine", NumberKind.WORKPLACE)
    await store.replace_contacts(CAMPAIGN, [replace(one, numbers=(*one.numbers, listed))])
    found = await store.contact(CAMPAIGN, one.id)
    assert found is not None
    assert found.numbers == (*one.numbers, listed)


async def test_the_language_that_the_debtor_chose_outlives_a_list_without_one(store: RedisStore) -> None:
    (one,) = contacts(1)
    token = await begin(store, listed=[one])
    (call,) = await claimed(store, token, [one])
    assert await store.replace_contacts(CAMPAIGN, [replace(one, amount=8)]) == 1  # the list comes during the call
    await store.write(token, CAMPAIGN, [], [finish(call, replace(one, language="en"))])
    for listed, kept in (("", "en"), ("id", "id")):
        await store.replace_contacts(CAMPAIGN, [replace(one, amount=9, language=listed)])
        found = await store.contact(CAMPAIGN, one.id)
        assert found is not None
        assert (found.amount, found.language) == (9, kept)


async def test_newer_data_put_the_list_in_order_again(store: RedisStore) -> None:
    people = contacts(3)
    await begin(store, listed=people)
    assert (
        await store.replace_contacts(CAMPAIGN, [replace(people[2], priority=-5), replace(people[0], priority=5)]) == 2
    )
    assert [one.id for one in await store.candidates(CAMPAIGN, AT, 9)] == ["a002", "a001", "a000"]
    assert [one.id for one in await store.candidates(CAMPAIGN, AT - 11, 9)] == ["a002", "a001", "a000"]


@pytest.mark.parametrize("way", ["outcome", "refusal"])
async def test_data_that_come_during_a_call_are_not_overwritten_by_it(store: RedisStore, way: str) -> None:
    (one,) = contacts(1)
    token = await begin(store, listed=[one])
    after = replace(one, tries=1)
    if way == "outcome":
        (calling,) = await claimed(store, token, [one])
    assert await store.replace_contacts(CAMPAIGN, [replace(one, amount=7)]) == 1
    if way == "outcome":
        await store.write(token, CAMPAIGN, [], [finish(calling, after)])
    else:
        await store.refuse(token, CAMPAIGN, [(after, one.numbers[0], Refused("hours", AT + 5))], AT)
    assert await store.contact(CAMPAIGN, one.id) == replace(after, amount=7, rev=1)
    assert await link_of(store).one(("EXISTS", KEYS.behind)) == 0
    assert await placed_in(store, one) == ["later"]


@pytest.mark.parametrize("commands", range(1, 8))
async def test_a_merge_cut_off_is_done_by_the_next_leader(
    redis_process: RedisProcess, store: RedisStore, commands: int
) -> None:
    (one,) = contacts(1)
    token = await begin(store, listed=[one])
    (calling,) = await claimed(store, token, [one])
    await store.replace_contacts(CAMPAIGN, [replace(one, amount=7)])
    dying = with_link(redis_process.url, Cut(redis_process.url, commands))
    with suppress(StoreDown):
        await dying.write(token, CAMPAIGN, [], [finish(calling, replace(one, tries=1))])
    await dying.close()
    await store.open_attempts(CAMPAIGN)
    assert await store.contact(CAMPAIGN, one.id) == replace(one, amount=7, tries=1, rev=1)


async def test_writers_of_the_same_contact_lose_nothing(redis_process: RedisProcess, store: RedisStore) -> None:
    """One list after the other is loaded while calls end."""
    (one,) = contacts(1)
    token = await begin(store, listed=[one])
    stores = [RedisStore(redis_process.url) for _ in range(2)]

    async def load(own: RedisStore) -> None:
        for amount in range(1, 301):
            await own.replace_contacts(CAMPAIGN, [replace(one, amount=amount)])

    loading = [asyncio.create_task(load(own)) for own in stores]
    tries = 0
    while not all(task.done() for task in loading):
        (known,) = await store.candidates(CAMPAIGN, AT + tries, 1)
        calling = attempt(known, at=AT + tries)
        await store.lock([calling], AT + tries)
        assert await store.claim(token, [calling], AT + tries) == [True]
        tries += 1
        after = replace(known, tries=tries)
        await store.write(token, CAMPAIGN, [], [finish(calling, after, replace(BUSY, retry_at=AT + tries), AT + tries)])
    await asyncio.gather(*loading)
    found = await store.contact(CAMPAIGN, one.id)
    assert found is not None
    assert (found.tries, found.amount) == (tries, 300)
    for own in stores:
        await own.close()
