"""No sequence of claims, ends, stops and deaths, by however many at once, lets a wrong call out: on a real Redis.

Rivals (claims_rivals.py) leave a trace in Redis; a judge (claims_judge.py) who knows nothing of the gate reads it.
"""

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_scripts import RedisCommand
from dialer.adapters.redis_store import RedisStore
from dialer.law.decisionlog import ALLOWED, read
from dialer.model import Allowed, Attempt, Campaign, History, Permission, Refused
from dialer.ports import Finish, Held
from dialer.running.placing import Placer, Ready
from tests.adapters.claims_judge import Entry, faults
from tests.adapters.claims_rivals import (
    BEGIN,
    CAMPAIGNS,
    CLOCK,
    DEAD,
    MODES,
    OPERATIONS,
    TRACE,
    Guard,
    Rival,
    Watched,
    World,
    entry,
    live,
)  # fmt: skip
from tests.adapters.redis_lives import ROOT, Cut, link_of, placed_in, until

pytestmark = pytest.mark.redis
DAY_S = 86_400.0
LIMIT_S = 100.0  # four processes that start on a busy machine
TRIALS = 64  # most guards are missed in the first few; real schedules differ from run to run
NO_PAST = History()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """One for all: each trial empties it."""
    process = RedisProcess(redis_server(ROOT), tmp_path_factory.mktemp("claims") / "redis", "no")
    with asyncio.Runner() as runner:
        runner.run(process.start())
        yield process
        runner.run(process.kill())


async def begin(url: str, world: World, history: int = 0) -> None:
    """An empty Redis, the lists in it, and what happened to some of the debtors in the month before."""
    store = RedisStore(url)
    link = link_of(store)
    await link.run([("FLUSHALL",), ("SET", CLOCK, repr(BEGIN - 30 * DAY_S))])
    for campaign in CAMPAIGNS:
        await store.save_campaign(Campaign(campaign, campaign, mode=MODES[campaign]))
        await store.add_contacts(campaign, world.listed(campaign), BEGIN - 31 * DAY_S)
    await store.close()
    if history:
        before = Rival(url, world, Random(world.seed), "before", past=True)
        moments = sorted(before.random.uniform(BEGIN - 30 * DAY_S, BEGIN) for _ in range(history))
        for moment in moments:
            await link_of(before.store).one(("SET", CLOCK, repr(moment)))
            await before.do("claim_whatever_the_law")
            await before.do("finish")
        while before.mine:
            await before.do("finish")
        await before.close()
    store = RedisStore(url)
    await link_of(store).one(("SET", CLOCK, repr(BEGIN)))
    await store.close()


async def verdict_on(url: str, world: World) -> tuple[list[str], list[Entry]]:
    """All rivals gone, what they left ended: what the judge finds, and that nobody of the list was lost or doubled."""
    last = Rival(url, world, Random(0), "last")
    store, link = last.store, link_of(last.store)
    nodes = {one.node for campaign in CAMPAIGNS for one in await store.open_attempts(campaign)}
    await link.run([("SADD", DEAD, node) for node in nodes])
    for campaign in CAMPAIGNS:
        await last.sweep_all(campaign)
    trace = [json.loads(fields[1]) for _, fields in await link.one(("XRANGE", TRACE, "-", "+"))]
    records: dict[str, dict[str, str]] = {}
    found: list[str] = []
    noted: set[str] = set()
    for campaign in CAMPAIGNS:
        for _, fields in await store.tail(campaign, 100_000):
            one = dict(fields)
            found += [f"two outcomes: {one}"] if one["attempt"] in records else []
            records[one["attempt"]] = one
        broken = await store.verify_log(campaign)
        found += [f"{campaign}: its log is broken at entry {broken}"] if broken is not None else []
        noted |= await allowed_by(store, campaign)
        for contact in world.listed(campaign):
            places = await placed_in(store, contact, campaign)
            found += [f"{campaign} {contact.id} stands in {places}"] if len(places) != 1 else []
    found += [f"no outcome: {one}" for one in trace if one["what"] == "placed" and one["attempt"] not in records]
    unnoted = [one for one in trace if one["what"] == "placed" and not one["past"] and one["attempt"] not in noted]
    found += [f"nothing in the log allows it: {one}" for one in unnoted]
    await last.close()
    return found + faults(trace, records, world.law()), trace


async def allowed_by(store: RedisStore, campaign: str) -> set[str]:
    """Attempts that the log of decisions allows."""
    found, after = set[str](), "0"
    while page := (await store.log(campaign, after)).entries:
        said = [read(entry.body) for _, entry in page]
        found |= {one.attempt for one in said if one is not None and one.kind == ALLOWED}
        after = page[-1][0]
    return found


def placed(trace: Sequence[Entry]) -> int:
    return sum(one["what"] == "placed" and not one["past"] for one in trace)


# ---- every schedule, one command at a time --------------------------------------------------------------------------


class Turns:
    """Who goes next: each rival's next round trip waits for its turn, as drawn."""

    def __init__(self, drawn: Sequence[int]) -> None:
        self._drawn = list(drawn)
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._moved = asyncio.Event()

    async def wait(self, rival: int) -> None:
        self._waiting[rival] = asyncio.get_running_loop().create_future()
        self._moved.set()
        await self._waiting[rival]

    async def play(self, works: "Sequence[asyncio.Task[None]]") -> None:
        for work in works:
            work.add_done_callback(lambda _: self._moved.set())
        while living := [i for i, work in enumerate(works) if not work.done()]:
            if any(i not in self._waiting for i in living):
                self._moved.clear()
                await self._moved.wait()
                continue
            turn = self._drawn.pop(0) if self._drawn else 0
            self._waiting.pop(living[turn % len(living)]).set_result(None)
        await asyncio.gather(*works)


class Stepped(Cut):
    """A link whose every round trip waits for its turn."""

    turns: Turns
    rival: int

    async def run(self, commands: Sequence[RedisCommand]) -> list[Any]:
        if commands:
            await self.turns.wait(self.rival)
        return await super().run(commands)


async def scheduled(
    url: str, world: World, plans: Sequence[Sequence[str]], drawn: Sequence[int], seed: int
) -> list[str]:
    """One trial: each rival does what his plan says, the drawn numbers say who goes next."""
    await begin(url, world, history=seed % 3 * 4)
    turns = Turns(drawn)

    async def work(index: int, plan: Sequence[str]) -> None:
        def link(url: str, commands: int) -> Stepped:
            made = Stepped(url, commands)
            made.turns, made.rival = turns, index
            return made

        rival = Rival(url, world, Random(f"{seed} {index}"), f"r{index}", link_type=link)
        try:
            for name in plan:
                await rival.do(name)
        finally:
            await rival.close()

    await turns.play([asyncio.create_task(work(i, plan)) for i, plan in enumerate(plans)])
    found, _ = await verdict_on(url, world)
    return found


WORLDS = st.builds(
    World, seed=st.integers(0, 10_000), persons=st.integers(1, 4), contacts=st.integers(1, 6), tight=st.booleans()
)
PLANS = st.lists(
    st.lists(st.sampled_from([name for name, n in OPERATIONS.items() for _ in range(n)]), max_size=14),
    min_size=2,
    max_size=3,
)


@settings(max_examples=120, suppress_health_check=list(HealthCheck), print_blob=True)
@given(world=WORLDS, plans=PLANS, drawn=st.lists(st.integers(0, 2), max_size=200), seed=st.integers(0, 10_000))
def test_no_schedule_lets_a_wrong_call_out(
    redis: RedisProcess, world: World, plans: list[list[str]], drawn: list[int], seed: int
) -> None:
    assert not asyncio.run(scheduled(redis.url, world, plans, drawn, seed))


# ---- several processes ----------------------------------------------------------------------------------------------


async def hammered(url: str, world: World, processes: int, steps: int) -> tuple[list[str], list[Entry]]:
    """So many processes on the same debtors at the same time, as fast as they can; the first is killed half-way."""
    await begin(url, world, history=40)
    words = (url, json.dumps(asdict(world)))
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.adapters.claims_rivals", *words, str(seed), str(steps), cwd=ROOT
        )
        for seed in range(processes)
    ]
    first, *others = running
    store = RedisStore(url)
    link = link_of(store)
    try:
        async with asyncio.timeout(LIMIT_S):
            before = await link.one(("XLEN", TRACE))

            async def half_way() -> bool:
                return first.returncode is not None or await link.one(("XLEN", TRACE)) > before + 60

            await until(half_way, tries=2000)
            first.kill()
            await first.wait()
            await link.one(("PING",))  # what it had still sent is carried out by now
            await link.one(("SADD", DEAD, *(f"rival0-{life}" for life in range(100))))
            assert [await process.wait() for process in others] == [0] * len(others)
    finally:
        await store.close()
        for process in running:
            if process.returncode is None:
                process.kill()
    return await verdict_on(url, world)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("world", [World(8, 60, 100, tight=False), World(9, 60, 100, tight=True)], ids=("law", "tight"))
async def test_processes_hammer_the_same_debtors(redis: RedisProcess, world: World) -> None:
    found, trace = await hammered(redis.url, world, processes=4, steps=120)
    assert not found
    assert placed(trace) > 5


# ---- the judge would have found it ----------------------------------------------------------------------------------


async def at_once(url: str, world: World, guard: Guard, seed: int) -> list[str]:
    """Three rivals in one process, who all keep to less than they should."""
    await begin(url, world, history=10)
    rivals = [Rival(url, world, Random(seed + i), f"r{i}", guard) for i in range(3)]
    busy = OPERATIONS | {"stop": 15, "cut": 0, "claim": 60}
    await asyncio.gather(*(live(rival, 120, busy) for rival in rivals))
    for rival in rivals:
        await rival.close()
    found, _ = await verdict_on(url, world)
    return found


class Impersonal(Watched):
    """Locks the number alone: as if each attempt were to a person of its own."""

    hidden = "person"

    def _hide(self, one: Attempt) -> Attempt:
        return replace(one, person=one.id) if self.hidden == "person" else _unnumbered(one)

    async def lock(self, attempts: Sequence[Attempt], at: float) -> list[Held | Refused]:
        return await super().lock([self._hide(one) for one in attempts], at)

    async def claim(self, token: int, attempts: Sequence[Attempt], at: float, notes: Sequence[str] = ()) -> list[bool]:
        return await super().claim(token, [self._hide(one) for one in attempts], at, notes)

    async def unlock(self, attempts: Sequence[Attempt]) -> None:
        await super().unlock([self._hide(one) for one in attempts])

    async def write(self, token: int, campaign: str, changed: Sequence[Attempt], finished: Sequence[Finish]) -> int:
        hidden = [replace(one, attempt=self._hide(one.attempt)) for one in finished]
        return await super().write(token, campaign, [self._hide(one) for one in changed], hidden)


class Unnumbered(Impersonal):
    """Locks the person alone."""

    hidden = "number"


def _unnumbered(one: Attempt) -> Attempt:
    return replace(one, number=replace(one.number, key=one.id))


class Interrupted(Watched):
    """Whoever is about to be called says stop just before the second look, every other time."""

    claims = 0

    async def claim(self, token: int, attempts: Sequence[Attempt], at: float, notes: Sequence[str] = ()) -> list[bool]:
        self.claims += 1
        if self.claims % 2:
            persons = [one.person for one in attempts]
            await self.stop(persons, [])
            await self._link.one(entry({"what": "stopped", "persons": persons, "numbers": [], "scope": ""}))
        return await super().claim(token, attempts, at, notes)


class Heedless(Placer):
    """Does not ask the gate about the past."""

    def _judge(self, one: Ready, past: Held | Refused, *rest: Any) -> Permission:
        return super()._judge(
            one, replace(past, person=NO_PAST, number=NO_PAST) if isinstance(past, Held) else past, *rest
        )


class Sleepless(Placer):
    """Asks no gate at all."""

    def _gate(self, *_: Any) -> Permission:
        return Allowed(self.pack.label, inf)


def _tight(seed: int) -> World:
    return World(seed, 30, 40, tight=True)


@pytest.mark.parametrize(
    ("guard", "says"),
    [
        (Guard(store=Impersonal), "two calls at once to a person"),
        (Guard(store=Unnumbered), "two calls at once to a number"),
        (Guard(placer=Heedless), "calls to a person in"),
        (Guard(placer=Heedless), "silence until"),
        (Guard(placer=Sleepless), "outside the hours"),
        (Guard(placer=Sleepless), "another country"),
        (Guard(looks_at_the_clock=False), "outside the hours"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
async def test_without_one_guard_wrong_calls_are_found(redis: RedisProcess, guard: Guard, says: str) -> None:
    for seed in range(2, TRIALS):
        if any(says in fault for fault in await at_once(redis.url, _tight(seed), guard, seed)):
            return
    raise AssertionError(f"nothing was found in {TRIALS} trials")


async def test_without_a_second_look_the_stopped_are_called(
    redis: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = Guard(store=Interrupted)
    assert not await at_once(redis.url, _tight(2), guard, 0)
    monkeypatch.setattr("dialer.adapters.redis_claims._ours", lambda *_: True)
    assert any("stopped at" in fault for fault in await at_once(redis.url, _tight(2), guard, 0))


async def test_with_every_guard_nothing_is_found(redis: RedisProcess) -> None:
    """The same trials, or the judge would find fault with anything."""
    for seed in (2, 3, 4):
        assert not await at_once(redis.url, _tight(seed), Guard(), seed)
