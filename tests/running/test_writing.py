"""Writing behind: one batch under way, the latest state of each counts, nothing is lost by a failure."""

import asyncio

import pytest

from dialer.errors import NotLeader, StoreDown
from dialer.model import Agent, AgentState, Attempt, CallState, Contact, Outcome, Side, Verdict
from dialer.ports import Finish
from dialer.running.writing import WriteBehind
from tests.floor.test_floor import attempt
from tests.site import CAMPAIGN, contacts
from tests.twins import EPOCH, TwinClock, TwinStore, play


async def begun(*calls: str) -> tuple[TwinStore, WriteBehind]:
    store = TwinStore(TwinClock())
    await store.save_campaign(CAMPAIGN)
    token = await store.lead("c1", "e1", 4000)
    assert token
    await store.add_contacts("c1", contacts(1), EPOCH)
    for call in calls:
        store.books["c1"].open[call] = attempt(call, EPOCH)
    return store, WriteBehind(store, "c1", token)


def has_failed(writes: WriteBehind) -> bool:
    return writes.failed


def moved(call: str, state: CallState) -> Attempt:
    return attempt(call, EPOCH, state=state)


def finish(call: str) -> Finish:
    contact: Contact = contacts(1)[0]
    return Finish(moved(call, CallState.GONE), Verdict(Outcome.BUSY, Side.DEBTOR, "user_busy"), {}, contact)


def test_the_latest_state_counts_and_after_the_outcome_none() -> None:
    async def scene() -> None:
        store, writes = await begun("a", "b")
        for state in (CallState.WAITING, CallState.TALKING):
            writes.save(moved("a", state), 1.0)
            writes.save(moved("b", state), 1.0)
        writes.finish(finish("b"), 2.0)
        writes.save(moved("b", CallState.TALKING), 3.0)
        await writes.flush()
        assert store.calls.count("write") == 1
        assert store.books["c1"].open["a"].state is CallState.TALKING
        assert [one.attempt.id for one in store.books["c1"].outcomes] == ["b"]
        assert not writes
        assert writes.lag_s(9.0) == 0.0

    play(scene())


@pytest.mark.parametrize("answer_lost", [False, True])
def test_what_failed_is_written_later_and_once(answer_lost: bool) -> None:
    async def scene() -> None:
        store, writes = await begun("a")
        writes.save_agent(Agent("101", "a", "c1", AgentState.IDLE), 1.0)
        writes.finish(finish("a"), 1.0)
        store.down, store.deaf = not answer_lost, {"write"} if answer_lost else set()
        with pytest.raises(StoreDown):
            await writes.flush()
        assert has_failed(writes)
        assert writes.lag_s(3.5) == 2.5
        writes.save_agent(Agent("101", "a", "c1", AgentState.BREAK), 4.0)
        store.down, store.deaf = False, set()
        await writes.flush()
        assert not has_failed(writes)
        assert len(store.books["c1"].outcomes) == 1
        assert store.books["c1"].agents["101"].state is AgentState.BREAK

    play(scene())


def test_a_cancelled_write_is_put_back() -> None:
    async def scene() -> None:
        store, writes = await begun("a")
        writes.finish(finish("a"), 1.0)
        store.slow_s = 10.0
        task = asyncio.create_task(writes.flush())
        await asyncio.sleep(1.0)
        assert writes.lag_s(5.0) == 4.0
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        store.slow_s = 0.0
        await writes.flush()
        assert len(store.books["c1"].outcomes) == 1

    play(scene())


def test_an_old_leader_writes_nothing() -> None:
    async def scene() -> None:
        store, writes = await begun("a")
        store.books["c1"].fence += 1
        writes.finish(finish("a"), 1.0)
        with pytest.raises(NotLeader):
            await writes.flush()
        assert store.books["c1"].outcomes == []

    play(scene())


def test_a_reservation_is_not_overwritten_by_what_still_waits() -> None:
    async def scene() -> None:
        store, writes = await begun("a")
        writes.save_agent(Agent("101", "a", "c1", AgentState.IDLE), 1.0)
        writes.save(moved("a", CallState.WAITING), 1.0)
        writes.supersede(moved("a", CallState.JOINING), Agent("101", "a", "c1", AgentState.RESERVED))
        writes.supersede(moved("x", CallState.JOINING), Agent("109", "a", "c1", AgentState.RESERVED))
        await writes.flush()
        assert store.books["c1"].open["a"].state is CallState.JOINING
        assert {name: one.state for name, one in store.books["c1"].agents.items()} == {"101": AgentState.RESERVED}

    play(scene())
