"""Claims: one call at a time per person and number, whoever dies between two steps or comes at the same moment."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from dialer.adapters.redis_claims import BUSY_S, STALE_S
from dialer.adapters.redis_keys import campaign_keys, number_keys, person_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_scripts import RedisCommand
from dialer.adapters.redis_store import RedisStore
from dialer.errors import BadInput, NotLeader, StoreDown
from dialer.model import Contact, History, Number, Outcome, Refused, Side, Verdict
from dialer.ports import Held
from tests.adapters.redis_lives import (
    AT,
    BUSY,
    CAMPAIGN,
    FAULT,
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
LATER = AT + STALE_S + 1


async def test_a_first_lock_tells_an_empty_past(store: RedisStore) -> None:
    one = attempt(contacts(1)[0])
    assert await store.lock([one], AT) == [Held(one.id, History(), History())]
    assert await store.lock([one], AT) == [Held(one.id, History(), History())], "the same again changes nothing"


async def test_a_person_is_called_once_at_a_time(store: RedisStore) -> None:
    person = contacts(1)[0]
    elsewhere = replace(person, numbers=(Number("+62899", "another"),))
    first, second, third = attempt(person), attempt(elsewhere, "second"), attempt(elsewhere, "third")
    _, refused = await store.lock([first, second], AT)
    assert refused == Refused("person_busy", AT + BUSY_S, f"attempt {first.id} is under way")
    await store.unlock([second, third])  # not theirs to give back
    assert isinstance((await store.lock([third], AT + 1))[0], Refused)
    await store.unlock([first])
    (held,) = await store.lock([third], AT + 1)
    assert held == Held(third.id, History(), History()), "an attempt given back does not count, nor do losers"


async def test_a_shared_number_is_called_once_at_a_time(store: RedisStore) -> None:
    one, two = contacts(2)
    two = replace(two, numbers=one.numbers)
    first, second = attempt(one), attempt(two)
    _, refused = await store.lock([first, second], AT)
    assert isinstance(refused, Refused)
    assert refused.rule == "number_busy"
    (held,) = await store.lock([attempt(replace(two, numbers=(Number("+1", "own"),)))], AT)
    assert held == Held(held.attempt if isinstance(held, Held) else "", History(), History()), "the loser is free again"


async def test_the_past_is_told_as_far_as_any_law_asks(store: RedisStore) -> None:
    person = contacts(1)[0]
    token = await begin(store, listed=[person])
    talk = Verdict(
        Outcome.CONNECTED, Side.DEBTOR, "talked", retry_at=AT + 1, conversation=True, silent_until=AT + 900, dead=True
    )
    (first,) = await claimed(store, token, [person])
    called = replace(first, placed_at=AT + 2, answered_at=AT + 7)
    assert await store.write(token, CAMPAIGN, [], [finish(called, person, talk)]) == 1
    (held,) = await store.lock([attempt(person)], AT + 100)
    assert isinstance(held, Held)
    assert held.person == History((AT + 2,), (AT + 30,), silent_until=AT + 900), "from the call and the talk's end"
    assert held.number == History((AT + 2,), (AT + 30,), dead=True)
    await store.unlock([attempt(person)])
    later = attempt(contacts(1, "b")[0])
    await store.lock([later], AT)
    (held,) = await store.lock([replace(later, id=later.id)], AT + 32 * 86400)
    assert held == Held(later.id, History(), History())


async def test_our_own_fault_does_not_use_up_attempts(store: RedisStore) -> None:
    person = contacts(1)[0]
    token = await begin(store, listed=[person])
    (first,) = await claimed(store, token, [person])
    await store.write(token, CAMPAIGN, [], [finish(first, person, FAULT)])
    (held,) = await store.lock([attempt(person)], AT + 100)
    assert isinstance(held, Held)
    assert held.person.attempts == held.number.attempts == ()


async def test_a_contact_is_claimed_once(store: RedisStore) -> None:
    (person,) = contacts(1)
    token = await begin(store, listed=[person])
    first = attempt(person)
    await store.lock([first], AT)
    assert await store.claim(token, [first], AT) == [True]
    assert await store.claim(token, [first], AT) == [True], "an answer was lost: asked again"
    assert await placed_in(store, person) == ["open"]
    stranger = attempt(replace(person, person="q", numbers=(Number("+2", "q"),)))
    await store.lock([stranger], AT)
    assert await store.claim(token, [stranger], AT) == [False]
    assert isinstance((await store.lock([replace(stranger, id="z" * 26)], AT))[0], Held), "his locks were given back"


async def test_claims_are_of_one_campaign(store: RedisStore) -> None:
    one, two = contacts(2)
    with pytest.raises(BadInput):
        await store.claim(1, [attempt(one), attempt(two, "second")], AT)
    assert await store.claim(1, [], AT) == []


@pytest.mark.parametrize("whose", ["person", "number"])
async def test_a_stop_between_gate_and_claim_is_seen(store: RedisStore, whose: str) -> None:
    one, two = contacts(2)
    token = await begin(store, listed=[one, two])
    attempts = [attempt(one), attempt(two)]
    await store.lock(attempts, AT)
    await store.stop([one.person] if whose == "person" else [], [one.numbers[0].key] if whose == "number" else [])
    assert await store.claim(token, attempts, AT) == [False, True]
    assert await placed_in(store, one) == ["ready"]
    assert (await store.counters(CAMPAIGN))["attempts"] == 1
    (held,) = await store.lock([attempt(one)], AT)
    assert isinstance(held, Held)
    assert (held.person.stop, held.number.stop) == (whose == "person", whose == "number")


async def test_without_a_lock_nothing_is_claimed(store: RedisStore) -> None:
    (person,) = contacts(1)
    token = await begin(store, listed=[person])
    assert await store.claim(token, [attempt(person)], AT) == [False]
    assert await placed_in(store, person) == ["ready"]


# ---- locks left behind


async def test_a_lock_left_behind_is_broken_when_it_is_old(store: RedisStore) -> None:
    (person,) = contacts(1)
    left = attempt(person)
    await store.lock([left], AT)
    assert isinstance((await store.lock([attempt(person)], AT + STALE_S))[0], Refused)
    (held,) = await store.lock([attempt(person)], LATER)
    assert isinstance(held, Held)
    assert held.person.attempts == (), "it was never placed"


async def test_the_lock_of_an_open_attempt_is_never_broken(store: RedisStore) -> None:
    (person,) = contacts(1)
    token = await begin(store, listed=[person])
    (first,) = await claimed(store, token, [person])
    assert isinstance((await store.lock([attempt(person, "second")], AT + 86400))[0], Refused)
    assert await store.write(token, CAMPAIGN, [], [finish(first, person)]) == 1
    assert isinstance((await store.lock([attempt(person, "second")], AT + 86400))[0], Held)


async def test_a_lock_whose_writer_died_before_giving_it_back_is_settled_first(redis_process: RedisProcess) -> None:
    (person,) = contacts(1)
    stop = Verdict(Outcome.CONNECTED, Side.DEBTOR, "wrong_person", stop=True, conversation=True)
    store, cut = RedisStore(redis_process.url), Cut(redis_process.url, 2)
    dying = with_link(redis_process.url, cut)
    try:
        token = await begin(store, listed=[person])
        (first,) = await claimed(store, token, [person])
        cut.left = 2  # the outcome, the person; not the number, not the tidying up
        with pytest.raises(StoreDown):
            await dying.write(token, CAMPAIGN, [], [finish(first, person, stop)])
        assert await outcomes(store) == [first.id]
        (held,) = await store.lock([attempt(person, "second")], LATER)
        assert isinstance(held, Held)
        assert held.person.stop
        assert held.number.stop
        assert held.number.conversations != ()
    finally:
        await dying.close()
        await store.close()


class Stepped(Link):
    """A link that sends one command at a time, each when its turn has come."""

    def __init__(self, url: str, turns: asyncio.Queue[None], done: asyncio.Event) -> None:
        super().__init__(url)
        self._turns = turns
        self._done = done

    async def run(self, commands: Sequence[RedisCommand]) -> list[Any]:
        """Command by command."""
        answers = []
        for command in commands:
            await self._turns.get()
            answers += await super().run([command])
            self._done.set()
        return answers


class Player:
    """Somebody whose every command waits for its turn."""

    def __init__(self, url: str) -> None:
        self.turns: asyncio.Queue[None] = asyncio.Queue()
        self.done = asyncio.Event()
        self.store = with_link(url, Stepped(url, self.turns, self.done))

    async def turn(self, life: asyncio.Task[bool]) -> None:
        """One command of his, if he has one left."""
        self.done.clear()
        self.turns.put_nowait(None)
        told = asyncio.create_task(self.done.wait())
        await asyncio.wait({told, life}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()


@asynccontextmanager
async def player(url: str) -> AsyncIterator[Player]:
    one = Player(url)
    yield one
    await one.store.close()


async def test_thief_and_late_claimer_never_both_call(redis_process: RedisProcess, store: RedisStore) -> None:
    """Every order in which the claim of a holder who slept may fall between the steps of one who finds his lock old."""
    url, last = redis_process.url, 13  # before its third and after this command the thief has yet to look, or has done
    winners: list[int] = []
    async with player(url) as sleeper, player(url) as thief:
        for n, order in enumerate(combinations(range(2, last), 3)):
            (person,) = contacts(1, f"x{n}-")
            campaigns = (f"s{n}", f"t{n}")
            tokens = [await begin(store, campaign, [person]) for campaign in campaigns]
            slept, stole = (attempt(person, campaign) for campaign in campaigns)
            await store.lock([slept], AT)

            async def steal(one: Any = stole, token: int = tokens[1], by: RedisStore = thief.store) -> bool:
                (held,) = await by.lock([one], LATER)
                return isinstance(held, Held) and (await by.claim(token, [one], LATER))[0]

            async def wake(one: Any = slept, token: int = tokens[0], by: RedisStore = sleeper.store) -> bool:
                return (await by.claim(token, [one], LATER))[0]

            lives = {sleeper: asyncio.create_task(wake()), thief: asyncio.create_task(steal())}
            for step in range(last):
                who = sleeper if step in order else thief
                await who.turn(lives[who])
            for who, life in lives.items():
                for _ in range(20):
                    if not life.done():
                        await who.turn(life)
                while not who.turns.empty():
                    who.turns.get_nowait()
            won = [life.result() for life in lives.values()]
            winners.append(sum(won))
            assert sum(won) <= 1, f"both call, when the sleeper's commands come at {order}"
            for campaign in campaigns:
                assert len(await placed_in(store, person, campaign)) == 1
    assert sum(winners) > len(winners) // 4, "it is not safe by calling nobody"


# ---- many at once


async def rival(url: str, campaign: str, people: Sequence[Contact], rounds: int) -> int:
    """Claims whom he can, proves that nobody else has them, lets them go."""
    store = RedisStore(url)
    link = link_of(store)
    calls = 0
    try:
        token = await begin(store, campaign, people)
        for turn in range(rounds):
            at = AT + turn
            some = await store.candidates(campaign, at, 8)
            attempts = [attempt(one, campaign, at) for one in some]
            held = await store.lock(attempts, at)
            mine = [one for one, lock in zip(attempts, held, strict=True) if isinstance(lock, Held)]
            got = [one for one, won in zip(mine, await store.claim(token, mine, at), strict=True) if won]
            names = [name for one in got for name in (f"on:{one.person}", f"on:{one.number.key}")]
            assert await link.run([("INCR", name) for name in names]) == [1] * len(names), "two at once"
            await asyncio.sleep(0)
            await link.run([("DECR", name) for name in names])
            by_id = {one.id: one for one in some}
            done = [finish(one, by_id[one.contact], replace(BUSY, retry_at=at), at) for one in got]
            assert await store.write(token, campaign, got, done) == len(got)
            calls += len(got)
        assert len(await outcomes(store, campaign)) == calls == len(set(await outcomes(store, campaign)))
        return calls
    finally:
        await store.close()


async def test_rivals_for_the_same_people_never_call_one_at_once(redis_process: RedisProcess) -> None:
    people = contacts(12)
    shared = [replace(one, numbers=(people[i // 2].numbers[0],)) for i, one in enumerate(people)]
    runs = [rival(redis_process.url, f"c{i}", people if i % 2 else shared, 60) for i in range(6)]
    calls = await asyncio.gather(*runs)
    assert all(calls)


# ---- killed between any two steps


@pytest.mark.parametrize("commands", range(1, 26))
async def test_cut_off_after_any_command_nobody_is_lost_or_told_twice(
    redis_process: RedisProcess, store: RedisStore, commands: int
) -> None:
    people = contacts(2)
    await begin(store, listed=people)
    cut = Cut(redis_process.url, commands)
    dying = with_link(redis_process.url, cut)
    token = await store.lead(CAMPAIGN, "engine", 60_000) or 0
    attempts = [attempt(one) for one in people]
    try:
        await dying.lock(attempts, AT)
        await dying.claim(token, attempts, AT)
        await dying.write(token, CAMPAIGN, [replace(one, placed_at=AT) for one in attempts], [])
        done = [finish(one, person) for one, person in zip(attempts, people, strict=True)]
        await dying.write(token, CAMPAIGN, [], done)
    except StoreDown:
        pass
    finally:
        await dying.close()
    await store.resign(CAMPAIGN, "engine", token)
    token = await store.lead(CAMPAIGN, "standby", 60_000) or 0
    with pytest.raises(NotLeader):
        await store.write(token - 1, CAMPAIGN, attempts, [])
    left = await store.open_attempts(CAMPAIGN)
    by_id = {one.id: one for one in people}
    await store.write(token, CAMPAIGN, [], [finish(one, by_id[one.contact], FAULT) for one in left])
    told = await outcomes(store)
    assert len(told) == len(set(told))
    assert await link_of(store).one(("HLEN", campaign_keys(CAMPAIGN).unsettled)) == 0
    for person in people:
        assert await placed_in(store, person) in (["ready"], ["later"])
    assert all(isinstance(one, Held) for one in await store.lock([attempt(one) for one in people], LATER))
    for party in (person_keys(people[0].person), number_keys(people[0].numbers[0].key)):
        assert await link_of(store).one(("HEXISTS", party.state, "thief")) == 0


@pytest.mark.parametrize("kind", ["manual", "preview"])
async def test_by_hand_also_who_is_due_later_and_back_to_where_he_stood(store: RedisStore, kind: str) -> None:
    token = await begin(store)
    (one,) = contacts(1)
    await store.add_contacts(CAMPAIGN, [one], AT + 3600)
    stood = await link_of(store).one(("ZSCORE", campaign_keys(CAMPAIGN).later, one.id))
    asked = replace(attempt(one), kind=kind)
    await store.lock([asked], AT)
    await store.stop([one.person], [])  # between the gate and the claim: it is undone
    assert await store.claim(token, [asked], AT) == [False]
    assert await link_of(store).one(("ZSCORE", campaign_keys(CAMPAIGN).later, one.id)) == stood
    await store.lift([one.person], [], "", "by mistake", "test", AT)
    again = replace(attempt(one), kind=kind)
    await store.lock([again], AT)
    assert await store.claim(token, [again], AT) == [kind == "manual"]
    assert await placed_in(store, one) == (["open"] if kind == "manual" else ["later"])
