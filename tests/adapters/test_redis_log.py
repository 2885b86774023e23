"""The log of decisions: one line per decision, in one chain, by the leader alone, whatever is killed or erased."""

import asyncio
import re
from contextlib import suppress
from dataclasses import replace
from math import inf
from pathlib import Path
from random import Random

import pytest

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_keys import campaign_keys, number_keys, person_keys
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_scripts import RedisCommand
from dialer.adapters.redis_store import RedisStore
from dialer.errors import NotLeader, StoreDown
from dialer.law import decisionlog
from dialer.law.decisionlog import CHANGED, START, Anchor, Decision, read
from dialer.model import Attempt, Contact, History, Number, Refused
from dialer.ports import Held
from tests.adapters.redis_lives import (
    AT,
    CAMPAIGN,
    FAULT,
    ROOT,
    Cut,
    attempt,
    begin,
    contacts,
    finish,
    link_of,
    placed_in,
    with_link,
)  # fmt: skip

pytestmark = pytest.mark.redis
KEYS = campaign_keys(CAMPAIGN)
NOBODY = History()
HOURS = Refused("hours", AT + 3600)


def note(one: Attempt, contact: Contact) -> str:
    return decisionlog.allowed(one, contact, NOBODY, NOBODY)


async def place(store: RedisStore, token: int, people: list[Contact], at: float = AT) -> list[Attempt]:
    """Locked and claimed with a note each."""
    attempts = [attempt(one, at=at) for one in people]
    await store.lock(attempts, at)
    notes = [note(one, person) for one, person in zip(attempts, people, strict=True)]
    assert all(await store.claim(token, attempts, at, notes))
    return attempts


async def refuse(store: RedisStore, token: int, person: Contact, why: Refused = HOURS, at: float = AT) -> None:
    await store.refuse(token, CAMPAIGN, [(person, person.numbers[0], why)], at, "pack 1")


async def decisions(store: RedisStore, campaign: str = CAMPAIGN) -> list[Decision]:
    found = [read(entry.body) for _, entry in (await store.log(campaign, limit=100_000)).entries]
    return [one for one in found if one is not None]


async def test_each_decision_is_one_line_of_one_chain(store: RedisStore) -> None:
    people = contacts(3)
    token = await begin(store, listed=people)
    (one, two) = await place(store, token, people[:2])
    for _ in range(3):
        await refuse(store, token, people[2])
    assert await store.claim(token, [one], AT, [note(one, people[0])]) == [True], "its answer was lost"
    told = await decisions(store)
    assert [(each.kind, each.attempt or each.rule, each.alias) for each in told] == [
        ("allowed", one.id, "aalias0"), ("allowed", two.id, "aalias1"), ("refused", "hours", "aalias2"),
    ]  # fmt: skip
    assert {each.pack for each in told} == {"demo", "pack 1"}
    assert await store.verify_log(CAMPAIGN) is None
    page = await store.log(CAMPAIGN, limit=2)
    assert [entry.seq for _, entry in (await store.log(CAMPAIGN, page.last)).entries] == [3]
    assert (await store.log(CAMPAIGN, "9999999999999-0")).last == ""
    raw = set(re.findall(r"\w+", str([entry.body for _, entry in page.entries])))
    assert not [word for word in raw if re.match(r"(a000|ap0|an0)$|62811", word)]


async def test_a_call_that_an_agent_wanted_is_told_and_leaves_him_where_he_was(store: RedisStore) -> None:
    (person,) = contacts(1)
    token = await begin(store, listed=[person])
    for _ in range(2):
        changed = replace(person, tries=7)
        await store.refuse(token, CAMPAIGN, [(changed, person.numbers[0], HOURS)], AT, "pack 1", aside=False)
    assert [(each.kind, each.rule) for each in await decisions(store)] == [("refused", "hours")]
    assert (await store.counters(CAMPAIGN))["refused:hours"] == 2
    assert [told["rule"] for _, told in await store.tail(CAMPAIGN, 10, "refusals")] == ["hours"]
    assert await placed_in(store, person) == ["ready"]
    kept = await store.contact(CAMPAIGN, person.id)
    assert kept is not None
    assert kept.tries == person.tries


async def test_a_call_taken_back_is_told(store: RedisStore) -> None:
    (person,) = contacts(1)
    token = await begin(store, listed=[person])
    one = attempt(person)
    await store.lock([one], AT)
    await store.stop([person.person], [])
    assert await store.claim(token, [one], AT, [note(one, person)]) == [False]
    assert [(each.kind, each.rule, each.attempt) for each in await decisions(store)] == [
        ("allowed", "", one.id), ("refused", CHANGED, one.id),
    ]  # fmt: skip
    assert await store.verify_log(CAMPAIGN) is None


async def test_an_old_leader_appends_nothing(store: RedisStore) -> None:
    people = contacts(3)
    old = await begin(store, listed=people)
    await place(store, old, people[:1])
    await store.resign(CAMPAIGN, "engine", old)
    token = await store.lead(CAMPAIGN, "standby", 60_000) or 0
    one = attempt(people[1])
    for write in (store.claim(old, [one], AT, [note(one, people[1])]), refuse(store, old, people[2])):
        with pytest.raises(NotLeader):
            await write
    await store.lock([one], AT)
    assert await store.claim(token, [one], AT, [note(one, people[1])]) == [True]
    await refuse(store, token, people[2])
    assert len(await decisions(store)) == 3
    assert await store.verify_log(CAMPAIGN) is None


async def harm(store: RedisStore, way: str) -> None:
    link = link_of(store)
    ((first, _), (second, entry), *_), raw = (await store.log(CAMPAIGN)).entries, await link.one(("XLEN", KEYS.log))
    match way:
        case "cut":
            last = (await store.log(CAMPAIGN)).entries[raw - 1][0]
            await link.one(("XDEL", KEYS.log, last))
        case "drop":
            await link.one(("XDEL", KEYS.log, second))
        case "trim":
            await link.one(("XDEL", KEYS.log, first))
        case "head":
            await link.one(("SET", KEYS.log_head, f"{raw} {'0' * 40}"))
        case "add":
            await link.one(("XADD", KEYS.log, "*", "seq", raw + 1, "prev", entry.hash, "hash", entry.hash, "body", "x"))
        case "nonsense":
            await link.one(("XADD", KEYS.log, "*", "what", "\xff"))


@pytest.mark.parametrize(
    ("way", "seq"), [("cut", 6), ("drop", 2), ("trim", 1), ("head", 6), ("add", 7), ("nonsense", 7)]
)
async def test_harm_is_found(store: RedisStore, way: str, seq: int) -> None:
    people = contacts(6)
    token = await begin(store, listed=people)
    await place(store, token, people)
    assert await store.verify_log(CAMPAIGN) is None
    await harm(store, way)
    assert await store.verify_log(CAMPAIGN) == seq


async def test_trimmed_it_hangs_on_its_anchor(store: RedisStore) -> None:
    people = contacts(6)
    token = await begin(store, listed=people)
    await place(store, token, people[:4])
    link = link_of(store)
    entries = (await store.log(CAMPAIGN)).entries
    for far in (0.0, 1e9):
        assert await store.trim(CAMPAIGN, far) == 0
    assert await store.log_ends(CAMPAIGN) == (START, Anchor(4, entries[3][1].hash))
    await link.one(("XGROUP", "CREATE", KEYS.log, "archive", "0"))
    assert await store.trim(CAMPAIGN, 9e9) == 0, "the group has read nothing"
    await link.one(("XGROUP", "SETID", KEYS.log, "archive", entries[1][0]))
    assert await store.trim(CAMPAIGN, 9e9) == 1, "the group has read the second and no further"
    assert (await store.log_ends(CAMPAIGN))[0] == Anchor(1, entries[0][1].hash)
    assert await store.verify_log(CAMPAIGN) is None
    await link.one(("XGROUP", "DESTROY", KEYS.log, "archive"))
    assert await store.trim(CAMPAIGN, 9e9) == 3
    assert await store.log_ends(CAMPAIGN) == (Anchor(4, entries[3][1].hash),) * 2
    assert await store.verify_log(CAMPAIGN) is None
    await place(store, token, people[4:])
    assert [entry.seq for _, entry in (await store.log(CAMPAIGN)).entries] == [5, 6]
    assert await store.verify_log(CAMPAIGN) is None


async def test_what_was_decided_about_a_number_is_found_in_all_campaigns(store: RedisStore) -> None:
    one, two, three = contacts(3)
    work = Number("+6281199", "work")
    two = replace(two, numbers=(work, one.numbers[0]))
    tokens = {name: await begin(store, name, [one, two, three]) for name in (CAMPAIGN, "second")}
    await store.refuse(tokens["second"], "second", [(two, work, HOURS), (two, two.numbers[1], HOURS)], AT, "p")
    await store.refuse(tokens[CAMPAIGN], CAMPAIGN, [(one, one.numbers[0], HOURS), (three, three.numbers[0], HOURS)], AT)
    await store.refuse(tokens["second"], "second", [(two, two.numbers[1], Refused("cap", AT + 5))], AT, "p")
    told = await store.decisions_about(one.numbers[0].key)
    assert [(each.place.campaign, each.place.contact, each.decision.rule, each.of_number) for each in told] == [
        (CAMPAIGN, "a000", "hours", True), ("second", "a001", "cap", True), ("second", "a001", "hours", False),
    ]  # fmt: skip
    assert len(await store.decisions_about(one.numbers[0].key, limit=1)) == 2, "one of each campaign"
    assert await store.decisions_about("unknown") == ()


# ---- erased


async def test_who_is_erased_is_gone_and_the_chain_holds(store: RedisStore) -> None:
    one, two, other = contacts(3)
    shared = Number("+6281155", "shared")
    one, other = replace(one, numbers=(*one.numbers, shared)), replace(other, numbers=(shared,))
    two = replace(two, person=one.person)
    tokens = {name: await begin(store, name, [one, two, other]) for name in (CAMPAIGN, "second")}
    (first,) = await place(store, tokens[CAMPAIGN], [one])
    await store.write(tokens[CAMPAIGN], CAMPAIGN, [], [finish(first, one)])
    await refuse(store, tokens[CAMPAIGN], two)
    await store.stop([], [one.numbers[0].key])
    await store.stop([one.person], [], "lender:Bank")
    assert await store.erase(one.person) == 4
    assert await store.erase(one.person) == 0
    link = link_of(store)
    for key in await link.one(("KEYS", "*")):
        kind = await link.one(("TYPE", key))
        if kind in (b"stream", b"string"):
            continue
        look: RedisCommand = {
            b"hash": ("HGETALL", key), b"zset": ("ZRANGE", key, 0, -1), b"set": ("SMEMBERS", key)
        }[kind]  # fmt: skip
        said = b" ".join(await link.one(look))
        assert not [word for word in (b"a000", b"a001") if word in said], key
    assert await store.contacts_of_person(one.person) == ()
    assert {place.contact for place, _ in await store.contacts_of("shared")} == {"a002"}
    asked: list[RedisCommand] = [("HGETALL", key.state) for key in (person_keys(one.person), number_keys("an0"))]
    assert await link.run(asked) == [[b"stops", b"lender:Bank"], [b"stop", b"1"]]
    assert not await link.one(("EXISTS", person_keys(one.person).attempts, number_keys("an0").attempts))
    assert await link.one(("EXISTS", number_keys("shared").state)) == 0
    assert await store.verify_log(CAMPAIGN) is None
    assert len(await decisions(store)) == 2
    assert await store.decisions_about("an0") == ()
    (again,) = await store.lock([attempt(one)], AT + 60)
    assert isinstance(again, Held)
    assert (again.person, again.number) == (History(stops=("lender:Bank",)), History(stop=True))


async def test_who_is_erased_during_his_call_does_not_come_back(store: RedisStore) -> None:
    one, two = contacts(2)
    token = await begin(store, listed=[one, two])
    first, second = await place(store, token, [one, two])
    await store.erase(one.person)
    await store.write(token, CAMPAIGN, [], [finish(first, one), finish(second, two)])
    await refuse(store, token, one)
    assert await store.contact(CAMPAIGN, one.id) is None
    assert [each.id for each in await store.candidates(CAMPAIGN, AT + 1e6, 9)] == [two.id]
    assert await link_of(store).one(("HEXISTS", KEYS.refused, one.id)) == 0
    assert not store.broken


@pytest.mark.parametrize("commands", range(14))
async def test_an_erasure_cut_off_anywhere_can_be_repeated(
    redis_process: RedisProcess, store: RedisStore, commands: int
) -> None:
    (one,) = contacts(1)
    token = await begin(store, listed=[one])
    await refuse(store, token, one)
    dying = with_link(redis_process.url, Cut(redis_process.url, commands))
    with suppress(StoreDown):
        await dying.erase(one.person)
    await dying.close()
    await store.erase(one.person)
    assert await store.contacts_of_person(one.person) == await store.contacts_of(one.numbers[0].key) == ()
    assert await store.contact(CAMPAIGN, one.id) is None
    assert await link_of(store).run([("KEYS", "{n:*"), ("KEYS", "{p:*")]) == [[], []]


# ---- killed


@pytest.mark.parametrize("commands", range(1, 20))
async def test_cut_off_after_any_command_the_chain_holds_and_each_open_attempt_has_its_line(
    redis_process: RedisProcess, store: RedisStore, commands: int
) -> None:
    people = contacts(3)
    token = await begin(store, listed=people)
    dying = with_link(redis_process.url, Cut(redis_process.url, commands))
    attempts = [attempt(one) for one in people[:2]]
    notes = [note(one, person) for one, person in zip(attempts, people[:2], strict=True)]
    with suppress(StoreDown):
        await dying.lock(attempts, AT)
        await store.stop([people[1].person], [])  # the second is taken back
        await dying.claim(token, attempts, AT, notes)
        await dying.refuse(token, CAMPAIGN, [(people[2], people[2].numbers[0], HOURS)], AT, "p")
    await dying.close()
    assert await store.verify_log(CAMPAIGN) is None
    left = {one.id for one in await store.open_attempts(CAMPAIGN)}
    told = await decisions(store)
    allowed = [one.attempt for one in told if one.kind == "allowed"]
    back = [one.attempt for one in told if one.rule == CHANGED]
    assert len(allowed) == len(set(allowed))
    assert left == set(allowed) - set(back)


async def test_a_killed_redis_forks_nothing(tmp_path: Path) -> None:
    """Killed again and again while two write; what it said it had it has, in one chain."""
    redis, random = RedisProcess(redis_server(ROOT), tmp_path / "redis", "always"), Random(5)
    people = contacts(60)
    told: list[str] = []
    await redis.start()
    store = RedisStore(redis.url)
    token = await begin(store, listed=people)

    async def work(mine: list[Contact]) -> None:
        while mine:
            (one,) = await place(store, token, [mine[0]], AT + 100 * len(told))
            told.append(one.id)
            await store.write(token, CAMPAIGN, [], [finish(one, mine[0], replace(FAULT, retry_at=0.0))])
            await refuse(store, token, mine.pop(0), Refused("done", inf))

    try:
        for _ in range(4):
            halves = people[: len(people) // 2], people[len(people) // 2 :]
            work_of = [asyncio.create_task(work(list(half))) for half in halves]
            before, quota = len(told), random.randint(3, 8)
            while len(told) < before + quota and not all(task.done() for task in work_of):
                await asyncio.wait(work_of, timeout=0.001)
            await redis.kill()
            await asyncio.gather(*work_of, return_exceptions=True)
            await store.close()
            await redis.start()
            store = RedisStore(redis.url)
            assert await store.verify_log(CAMPAIGN) is None
            allowed = [one.attempt for one in await decisions(store) if one.kind == "allowed"]
            assert len(allowed) == len(set(allowed))
            assert set(told) <= set(allowed), "acknowledged and lost"
            assert {one.id for one in await store.open_attempts(CAMPAIGN)} <= set(allowed)
            left = await store.open_attempts(CAMPAIGN)
            await store.write(token, CAMPAIGN, [], [finish(one, None, FAULT) for one in left])
            people = list(await store.candidates(CAMPAIGN, AT, 100))
        assert len(told) > 12
    finally:
        await store.close()
        await redis.stop()
