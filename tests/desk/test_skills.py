"""Agents who serve several campaigns: they go where there is work, one campaign at a time, whatever breaks."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.agents import COUNTED
from dialer.desk.skills import NONE, PATIENCE_S, Work, moves, waiting, work_of
from dialer.engine import Engine
from dialer.model import Agent, AgentState, Command
from tests.site import CAMPAIGN, Stage, contacts, staged
from tests.twins import Debtor, TimelessLoop, new_id, until

OTHER = replace(CAMPAIGN, id="c2", name="Second")
AT = 1_800_000_000.0


def play(scene: Coroutine[Any, Any, None]) -> None:
    loop = TimelessLoop()
    try:
        loop.run_until_complete(scene)
    finally:
        loop.close()


# ---- who goes where


def board(**more: object) -> bytes:
    seen = {"at": AT, "status": "running", "holds": [], "due": 5, "node": {"name": "a"}, "agents": [{"state": "idle"}]}
    return json.dumps(seen | more).encode()


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (board(), Work("a", 4)),
        (board(due=0), Work("a", 0)),
        (board(status="paused"), Work("a", 0)),
        (board(holds=["Asterisk cannot be reached"]), Work("a", 0)),
        (board(at=AT - 6), Work("a", 0)),
        (None, NONE),
        (b"{}", NONE),
        (b"nothing", NONE),
    ],
)
def test_what_another_campaign_has_to_do(seen: bytes | None, found: Work) -> None:
    assert work_of(seen, AT) == found


def idle(agent: str, since: float, node: str = "a") -> Agent:
    return Agent(agent, node, "c1", AgentState.IDLE, since, leg=f"leg-{agent}")


def test_who_has_waited_longest_goes_first_and_no_more_than_there_is_work() -> None:
    agents = [idle("101", AT - 20), idle("102", AT - 40), idle("103", AT - 2), idle("104", AT - 30, "b")]
    found = waiting(agents, AT)
    assert [one.id for one in found] == ["102", "104", "101"]
    skills = {one: ("c1", "c2", "c3") for one in ("101", "102", "104")}
    assert moves(found, skills, "c1", {"c2": Work("a", 1), "c3": Work("a", 5)}) == [("102", "c2"), ("101", "c3")]
    assert moves(found, {}, "c1", {"c2": Work("a", 9)}) == []
    assert moves(found, skills, "c1", {"c2": Work("a", 0)}) == []


@given(
    st.lists(st.tuples(st.sampled_from(["101", "102", "103", "104"]), st.floats(0, 99)), unique_by=lambda one: one[0]),
    st.dictionaries(st.sampled_from(["101", "102", "103", "104"]), st.permutations(["c1", "c2", "c3"])),
    st.dictionaries(st.sampled_from(["c2", "c3"]), st.integers(0, 3)),
)
def test_nobody_goes_twice_or_to_where_there_is_nothing(
    agents: list[tuple[str, float]], skills: dict[str, list[str]], room: dict[str, int]
) -> None:
    found = waiting([idle(one, AT - since) for one, since in agents], AT)
    gone = moves(found, skills, "c1", {name: Work("a", count) for name, count in room.items()})
    assert len({agent for agent, _ in gone}) == len(gone)
    assert all(AT - one.since >= PATIENCE_S for one in found)
    for name in ("c1", "c2", "c3"):
        assert sum(to == name for _, to in gone) <= room.get(name, 0)
    assert all(to in skills[agent] for agent, to in gone)


# ---- on engines


@asynccontextmanager
async def both(listed: int, there: int, patience_s: float = 8.0, seed: int = 0) -> AsyncIterator[Stage]:
    """Two campaigns, both running, led by one engine; agent 101 serves both and starts in the first."""
    async with staged(debtor=lambda order: Debtor(patience_s=patience_s), listed=listed, seed=seed) as stage:
        stage.store.serves = {"101": ("c1", "c2")}
        await stage.store.save_campaign(OTHER)
        await stage.store.add_contacts("c2", contacts(there, 500), stage.clock.now())
        await until(lambda: "c2" in stage.engine.runs and stage.engine.runs["c2"].reconciled)
        order(stage, "c2", "start")
        await stage.sign_in("101")
        yield stage


def order(stage: Stage, campaign: str, name: str, **args: str) -> str:
    now = stage.clock.now()
    command = Command(new_id(now), campaign, name, "test", now, now + 30.0, args)
    stage.store.books[campaign].commands[command.id] = command
    return command.id


def state(engine: Engine, campaign: str, agent: str = "101") -> AgentState | None:
    run = engine.runs.get(campaign)
    found = run.floor.team.agents.get(agent) if run else None
    return found.state if found else None


def counted(engines: list[Engine], agent: str = "101") -> int:
    """In how many campaigns a pacer reckons with him now."""
    now = asyncio.get_running_loop().time()
    runs = [run for engine in engines for run in engine.runs.values() if now < run.lease_until]
    found = [run.floor.team.agents[agent] for run in runs if agent in run.floor.team.agents]
    return sum(one.state in COUNTED and bool(one.leg) for one in found)


def test_he_goes_over_when_his_list_is_empty_and_is_called_there() -> None:
    async def scene() -> None:
        async with both(listed=0, there=3) as stage:
            await until(lambda: state(stage.engine, "c2") is AgentState.TALKING)
            assert state(stage.engine, "c1") is AgentState.SIGNED_OUT
            assert stage.run.floor.team.agents["101"].moves_to == ""
            told = [note for note in stage.store.desks if note.agent == "101"]
            assert next(note.moves_to for note in told if note.state == "signed_out") == "c2", "his page knows"
            await until(lambda: len(stage.store.books["c2"].outcomes) == 3)

    play(scene())


def test_he_stays_where_there_is_work_or_where_none_is_elsewhere() -> None:
    async def scene() -> None:
        async with both(listed=0, there=0) as stage:
            await asyncio.sleep(60.0)
            assert state(stage.engine, "c1") is AgentState.IDLE
            await stage.store.add_contacts("c1", contacts(2), stage.clock.now())
            await stage.store.add_contacts("c2", contacts(2, 600), stage.clock.now())
            await until(lambda: len(stage.books.outcomes) == 2)
            assert stage.store.books["c2"].outcomes == []
            await until(lambda: len(stage.store.books["c2"].outcomes) == 2)

    play(scene())


@pytest.mark.parametrize("in_call", [False, True])
def test_a_supervisor_sends_him_over_after_his_call(in_call: bool) -> None:
    async def scene() -> None:
        async with both(listed=1 if in_call else 0, there=0) as stage:
            if in_call:
                await until(lambda: state(stage.engine, "c1") is AgentState.TALKING)
            told = order(stage, "c1", "move", agent="101", to="c2")
            await until(lambda: told in stage.store.replies)
            assert stage.store.replies[told] == (True, "after this call" if in_call else "goes over to c2")
            await until(lambda: state(stage.engine, "c2") is AgentState.IDLE)
            assert len(stage.books.outcomes) == in_call
            wrong = order(stage, "c2", "move", agent="101", to="c2")
            await until(lambda: wrong in stage.store.replies)
            assert stage.store.replies[wrong][0] is False

    play(scene())


def test_he_comes_back_where_nobody_takes_him_in() -> None:
    async def scene() -> None:
        async with both(listed=0, there=0) as stage:
            order(stage, "c1", "move", agent="101", to="nowhere")
            await until(lambda: state(stage.engine, "c1") is AgentState.SIGNED_OUT)
            await until(lambda: state(stage.engine, "c1") is AgentState.IDLE)
            assert stage.run.floor.team.agents["101"].moves_to == ""

    play(scene())


def test_who_takes_over_finishes_what_was_under_way() -> None:
    async def scene() -> None:
        async with both(listed=0, there=0) as stage:
            order(stage, "c1", "move", agent="101", to="c2")
            await until(lambda: state(stage.engine, "c1") is AgentState.SIGNED_OUT)
            later = stage.new_engine("e2")
            stage.engine.stop()
            task = asyncio.create_task(later.run())
            try:
                await until(lambda: state(later, "c2") is AgentState.IDLE)
                assert counted([later]) == 1
            finally:
                later.stop()
                await task

    play(scene())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_he_is_never_free_in_two_campaigns(seed: int) -> None:
    """Orders, empty lists, lost legs, a slow store, a second engine: at no moment do two pacers reckon with him."""

    async def scene() -> None:
        chance = Random(seed)
        async with both(listed=chance.randrange(3), there=chance.randrange(3), patience_s=3.0, seed=seed) as stage:
            engines, tasks = [stage.engine], list[asyncio.Task[None]]()
            try:
                for _ in range(25):
                    match chance.randrange(7):
                        case 0 | 1:
                            here, to = chance.sample(["c1", "c2"], 2)
                            order(stage, here, "move", agent="101", to=to)
                        case 2:
                            order(stage, chance.choice(["c1", "c2"]), "sign_in", agent="101")
                        case 3:
                            order(stage, chance.choice(["c1", "c2"]), chance.choice(["pause", "start"]))
                        case 4 if stage.asterisk.legs():
                            stage.asterisk.end(next(iter(stage.asterisk.legs())))
                        case 5:
                            stage.store.slow_s = chance.choice([0.0, 0.3])
                        case 6 if len(engines) == 1:
                            engines.append(stage.new_engine("e2"))
                            tasks.append(asyncio.create_task(engines[-1].run()))
                            stage.engine.stop()
                    for _ in range(chance.randrange(40)):
                        await asyncio.sleep(0.1)
                        assert counted(engines) <= 1
                stage.store.slow_s = 0.0
                order(stage, "c1", "sign_in", agent="101")
                await until(lambda: counted(engines) == 1, 120.0)
            finally:
                for engine in engines[1:]:
                    engine.stop()
                await asyncio.gather(*tasks)

    play(scene())
