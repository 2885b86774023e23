"""Outcomes: exactly one for each attempt, by the leader only, whatever is killed."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_codec import encode
from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.errors import NotLeader, StoreDown
from dialer.model import Agent, AgentState, Attempt, CallState, Command, Refused, Status
from dialer.ports import Held
from tests.adapters.redis_lives import (
    AT,
    BUSY,
    CAMPAIGN,
    FAULT,
    ROOT,
    Cut,
    attempt,
    begin,
    claimed,
    contacts,
    dump,
    finish,
    link_of,
    outcomes,
    placed_in,
    until,
    with_link,
)  # fmt: skip

pytestmark = pytest.mark.redis
KEYS = campaign_keys(CAMPAIGN)


async def test_a_transition_is_kept_while_the_attempt_is_open(store: RedisStore) -> None:
    (person,) = contacts(1)
    token = await begin(store, listed=[person])
    (one,) = await claimed(store, token, [person])
    ringing = replace(one, state=CallState.RINGING, ringing_at=AT + 1)
    assert await store.write(token, CAMPAIGN, [ringing], []) == 0
    assert await store.open_attempts(CAMPAIGN) == (ringing,)
    assert await store.write(token, CAMPAIGN, [], [finish(one, person)]) == 1
    await store.write(token, CAMPAIGN, [ringing], [])
    assert await store.open_attempts(CAMPAIGN) == ()


async def test_an_outcome_is_written_once(store: RedisStore) -> None:
    people = contacts(3)
    token = await begin(store, listed=people)
    attempts = await claimed(store, token, people)
    done = [finish(one, person) for one, person in zip(attempts, people, strict=True)]
    assert await store.write(token, CAMPAIGN, attempts, done[:2]) == 2
    assert await store.write(token, CAMPAIGN, attempts, done) == 1
    assert await store.write(token, CAMPAIGN, [], [replace(done[0], verdict=FAULT)]) == 0
    assert await outcomes(store) == [one.id for one in attempts]
    assert await store.counters(CAMPAIGN) == {"attempts": 3, "outcome:busy": 3}
    assert await store.write(token, CAMPAIGN, [], []) == 0


async def test_hundreds_at_once(store: RedisStore) -> None:
    people = contacts(500)
    token = await begin(store, listed=people)
    attempts = await claimed(store, token, people)
    done = [finish(one, person) for one, person in zip(attempts, people, strict=True)]
    assert await store.write(token, CAMPAIGN, attempts, done) == 500
    assert len(await outcomes(store)) == 500


async def test_an_outcome_without_a_known_contact_loses_nobody(store: RedisStore) -> None:
    (person,) = contacts(1)
    token = await begin(store, listed=[person])
    (one,) = await claimed(store, token, [person])
    assert await store.write(token, CAMPAIGN, [], [finish(one, None)]) == 1
    assert await placed_in(store, person) == ["later"]
    assert await store.contact(CAMPAIGN, person.id) == person


@pytest.mark.parametrize("placed", ["ready", "later", "rest"])
async def test_a_call_that_came_in_leaves_the_list_alone_unless_something_follows(
    store: RedisStore, placed: str
) -> None:
    (person,) = contacts(1)
    token = await begin(store, listed=[person])
    if placed != "ready":
        (one,) = await claimed(store, token, [person])
        verdict = replace(BUSY, retry_at=0.0 if placed == "rest" else AT + 900)
        await store.write(token, CAMPAIGN, [], [finish(one, person, verdict)])
    assert await placed_in(store, person) == [placed]
    asked = replace(person, callback_at=AT + 3600)
    follows = [
        (replace(BUSY, count=False), person, [placed]),
        (replace(BUSY, count=False, callback_at=AT + 3600, retry_at=AT + 3600), asked, ["later"]),
        (replace(BUSY, count=False, rests="dispute", retry_at=0.0), asked, ["rest"]),
    ]
    for number, (verdict, kept, expected) in enumerate(follows):
        came = replace(attempt(person), id=f"n-1.{number}", kind="inbound")
        await link_of(store).one(("HSET", KEYS.open, came.id, encode(came)))
        assert await store.write(token, CAMPAIGN, [], [finish(came, kept, verdict)]) == 1
        assert await placed_in(store, person) == expected
    assert (await store.contact(CAMPAIGN, person.id)) == asked


async def test_an_answer_lost_on_the_way_is_asked_for_again(redis_process: RedisProcess, store: RedisStore) -> None:
    """The effects reach person and number also when the first call broke between the outcome and them."""
    people = contacts(2)
    token = await begin(store, listed=people)
    attempts = await claimed(store, token, people)
    done = [finish(one, person) for one, person in zip(attempts, people, strict=True)]
    for commands in range(1, 7):
        cut = Cut(redis_process.url, commands)
        dying = with_link(redis_process.url, cut)
        try:
            with pytest.raises(StoreDown):
                await dying.write(token, CAMPAIGN, [], done)
        finally:
            await dying.close()
    assert await store.write(token, CAMPAIGN, [], done) == 0
    assert sorted(await outcomes(store)) == sorted(one.id for one in attempts)
    assert all(isinstance(one, Held) for one in await store.lock([attempt(one) for one in people], AT + 1))
    assert await link_of(store).one(("HLEN", KEYS.unsettled)) == 0


async def test_a_correction_is_written_once(store: RedisStore) -> None:
    token = await begin(store)
    late = {"attempt": "x", "disposition": "promise"}
    await store.correct(CAMPAIGN, token, late)
    await store.correct(CAMPAIGN, token, late)
    await store.correct(CAMPAIGN, token, late | {"disposition": "none"})
    assert [fields["disposition"] for _, fields in await store.tail(CAMPAIGN, 9)] == ["promise", "none"]


async def test_a_broken_attempt_is_named_and_the_others_are_found(store: RedisStore) -> None:
    people = contacts(2)
    token = await begin(store, listed=people)
    _, good = await claimed(store, token, people)
    await link_of(store).one(("HSET", KEYS.open, "0nonsense", b'{"id": 1}'))
    assert good in await store.open_attempts(CAMPAIGN)
    assert store.broken == {KEYS.open: 1}


Call = Callable[[RedisStore, int, Attempt], Awaitable[object]]
WRITES: dict[str, Call] = {
    "claim": lambda s, token, _: s.claim(token, [attempt(contacts(2)[1])], AT),  # his locks he gives back
    "write": lambda s, token, one: s.write(token, CAMPAIGN, [replace(one, agent="1")], []),
    "finish": lambda s, token, one: s.write(token, CAMPAIGN, [], [finish(one, contacts(1)[0])]),
    "correct": lambda s, token, one: s.correct(CAMPAIGN, token, {"attempt": one.id}),
    "refuse": lambda s, token, one: s.refuse(token, CAMPAIGN, [(contacts(1)[0], one.number, Refused("hours", AT))], AT),
    "agents": lambda s, token, _: s.save_agents(CAMPAIGN, token, [Agent("101", "n", CAMPAIGN, AgentState.RAISING)]),
    "agents out": lambda s, token, _: s.save_agents(CAMPAIGN, token, [Agent("102", "n", CAMPAIGN)]),
    "reserve": lambda s, token, one: s.reserve(token, Agent("102", "n", CAMPAIGN, AgentState.IDLE), one),
    "status": lambda s, token, _: s.set_status(CAMPAIGN, token, Status.STOPPED),
    "publish": lambda s, token, _: s.publish(CAMPAIGN, token, b"old"),
    "commands": lambda s, token, _: s.commands(CAMPAIGN, token),
    "reply": lambda s, token, _: s.reply(Command("c", CAMPAIGN, "pause", "t", AT, AT), token, True, ""),
}


@pytest.mark.parametrize("name", WRITES)
async def test_an_old_token_writes_nothing(store: RedisStore, name: str) -> None:
    people = contacts(2)
    old = await begin(store, listed=people)
    await store.save_agents(CAMPAIGN, old, [Agent("102", "n", CAMPAIGN, AgentState.RAISING)])
    (one,) = await claimed(store, old, people[:1])
    await store.lock([attempt(people[1])], AT)
    assert await store.send(Command("c", CAMPAIGN, "pause", "t", AT, AT), 0.01) is None
    await store.resign(CAMPAIGN, "engine", old)
    assert await store.lead(CAMPAIGN, "standby", 60_000) == old + 1
    before = await dump(store)
    with pytest.raises(NotLeader):
        await WRITES[name](store, old, one)
    after = await dump(store)
    assert after == {**before, KEYS.lease.encode(): after[KEYS.lease.encode()]}
    assert not await store.renew(CAMPAIGN, "engine", old, 1000)


# ---- kill -9


async def lives(url: str, prefix: str) -> None:
    """A child process: attempt after attempt, until it is killed. Says so when it has begun."""
    store = RedisStore(url)
    token = await store.lead(CAMPAIGN, f"engine-{os.getpid()}", 60_000) or 0
    for turn in range(100_000):
        at = AT + turn
        people = await store.candidates(CAMPAIGN, at, 3)
        attempts = [attempt(one, at=at) for one in people]
        held = await store.lock(attempts, at)
        pairs = [pair for pair, lock in zip(zip(attempts, people, strict=True), held, strict=True)
                 if isinstance(lock, Held)]  # fmt: skip
        got = await store.claim(token, [one for one, _ in pairs], at)
        mine = [pair for pair, won in zip(pairs, got, strict=True) if won]
        await store.write(token, CAMPAIGN, [replace(one, state=CallState.PLACED) for one, _ in mine], [])
        again = replace(BUSY, retry_at=at)
        done = [finish(one, person, again, at) for one, person in mine]
        if await store.write(token, CAMPAIGN, [], done) != len(done):
            raise RuntimeError("an outcome was there already")
        print(prefix, turn, flush=True)


async def child(url: str) -> asyncio.subprocess.Process:
    code = "import asyncio, sys, tests.adapters.test_redis_outcomes as t; asyncio.run(t.lives(*sys.argv[1:]))"
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, url, "turn", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )


async def test_a_killed_engine_loses_nobody_and_tells_nothing_twice(
    redis_process: RedisProcess, store: RedisStore
) -> None:
    people = contacts(9)
    token = await begin(store, listed=people)
    await store.resign(CAMPAIGN, "engine", token)
    for turn in range(4):
        engine = await child(redis_process.url)
        assert engine.stdout is not None
        for _ in range(5 + 3 * turn):
            assert await asyncio.wait_for(engine.stdout.readline(), 20)
        engine.send_signal(signal.SIGKILL)
        await engine.communicate()
        await link_of(store).one(("DEL", KEYS.lease))  # its time is up
        token = await store.lead(CAMPAIGN, "standby", 60_000) or 0
        left = await store.open_attempts(CAMPAIGN)
        by_id = {one.id: one for one in people}
        done = [finish(one, by_id[one.contact], replace(FAULT, retry_at=AT)) for one in left]
        assert await store.write(token, CAMPAIGN, [], done) == len(left)
        await store.resign(CAMPAIGN, "standby", token)
        for person in people:
            assert await placed_in(store, person) in (["ready"], ["later"])
    told = await outcomes(store)
    assert len(told) == len(set(told)) == (await store.counters(CAMPAIGN))["attempts"]
    at = AT + 200_000
    assert all(isinstance(one, Held) for one in await store.lock([attempt(one) for one in people], at))


async def test_a_killed_redis_has_all_that_it_said_it_had(tmp_path: Path) -> None:
    people = contacts(40)
    redis = RedisProcess(redis_server(ROOT), tmp_path / "redis", "always")
    await redis.start()
    store = RedisStore(redis.url)
    told: list[str] = []
    try:
        token = await begin(store, listed=people)
        killer: asyncio.Task[None] | None = None
        try:
            for person in people:
                (one,) = await claimed(store, token, [person])
                await store.write(token, CAMPAIGN, [], [finish(one, person)])
                told.append(one.id)
                if len(told) == 20:
                    killer = asyncio.create_task(redis.kill())
        except StoreDown:
            pass
        assert killer is not None
        await killer
        await store.close()
        await redis.start()
        store = RedisStore(redis.url)
        left = {one.id for one in await store.open_attempts(CAMPAIGN)}
        kept = await outcomes(store)
        assert kept[: len(told)] == told, "acknowledged and lost"
        assert not left & set(kept)
        assert await store.renew(CAMPAIGN, "engine", token, 1000)
        for person in people:
            assert len(await placed_in(store, person)) == 1
    finally:
        await store.close()
        await redis.stop()


async def test_scripts_are_taught_again_after_a_restart(redis_process: RedisProcess, store: RedisStore) -> None:
    token = await begin(store, listed=contacts(1))
    await link_of(store).one(("SCRIPT", "FLUSH"))
    await claimed(store, token, contacts(1))
    await until(lambda: store.open_attempts(CAMPAIGN))
