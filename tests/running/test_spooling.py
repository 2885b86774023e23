"""While Redis is away what happens is kept on the disk; whoever leads next writes it once, or corrects himself."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from dialer.model import CallState, Fact, Kind, Mode, Order
from dialer.ports import Finish, Unwritten
from dialer.running.late import BY_SPOOL
from dialer.running.leading import LEASE_MS
from dialer.running.measured import lacking
from dialer.running.spooling import SOON_S
from tests.site import CAMPAIGN, Stage, contacts
from tests.twins import EPOCH, Debtor, TwinDisk, play, until

IVR = replace(CAMPAIGN, kind=Kind.IVR, mode=Mode.IVR, lines_max=10)
Scene = Callable[[Stage, TwinDisk], Coroutine[Any, Any, None]]


def talks(order: Order) -> Debtor:
    return Debtor(rings_s=1.0, patience_s=10.0)


def on_stage(
    scene: Scene, campaign: Any = CAMPAIGN, debtor: Callable[[Order], Debtor] = talks, listed: int = 3
) -> None:
    """A campaign with a spool and, where agents talk, three of them; started."""

    async def whole() -> None:
        disk = TwinDisk()
        stage = Stage(campaign, debtor, disk=disk)
        await stage.store.save_campaign(campaign)
        await stage.store.add_contacts("c1", contacts(listed), EPOCH)
        tasks = [asyncio.create_task(stage.engine.run())]
        stage.tasks = tasks  # type: ignore[attr-defined] # of this file
        await until(lambda: stage.engine.runs and stage.run.reconciled)
        if campaign.kind is Kind.AGENTS:
            await stage.sign_in("101", "102", "103")
        stage.command("start")
        await scene(stage, disk)
        stage.engine.stop()
        await asyncio.gather(*tasks, return_exceptions=True)

    play(whole())


def kill(stage: Stage, disk: TwinDisk, name: str = "e1") -> None:
    """As with -9."""
    stage.engine._spooling = None
    stage.engine.runs.clear()
    stage.tasks[-1].cancel()  # type: ignore[attr-defined]
    disk.dead.add(name)


async def heir(stage: Stage, name: str = "e2") -> None:
    stage.asterisk._inbox = asyncio.Queue()
    stage.asterisk.join()
    stage.engine = stage.new_engine(name)
    stage.tasks.append(asyncio.create_task(stage.engine.run()))  # type: ignore[attr-defined]
    await until(lambda: stage.engine.runs and stage.run.reconciled, 10.0)


def finishes(disk: TwinDisk, name: str = "e1") -> dict[str, Finish]:
    return {one.attempt_id: one.finish for one in disk.files.get(name, ()) if one.finish}


async def all_ended_without_redis(stage: Stage, disk: TwinDisk) -> list[str]:
    """Three talks, begun with Redis and ended without."""
    await until(lambda: len(stage.asterisk.talks) == 3)
    calls = stage.placed()
    stage.store.down = True
    await until(lambda: len(finishes(disk)) == 3)
    return calls


def test_what_ends_without_redis_is_on_the_disk_soon_and_gone_when_redis_has_it() -> None:
    async def scene(stage: Stage, disk: TwinDisk) -> None:
        calls = await all_ended_without_redis(stage, disk)
        assert "spool: 3 changes wait on the disk for Redis" in lacking(stage.engine.health(), {})
        assert stage.books.outcomes == []
        stage.store.down = False
        await until(lambda: not disk.files, 5.0)
        assert stage.outcomes() == dict.fromkeys(calls, "connected")
        assert stage.books.corrections == []
        assert stage.engine.health().spooled == 0

    on_stage(scene)


def test_a_slow_redis_is_not_waited_for() -> None:
    async def scene(stage: Stage, disk: TwinDisk) -> None:
        await until(lambda: len(stage.asterisk.talks) == 3)
        stage.store.slow_s = 1.9
        await until(lambda: stage.run.writes)
        await asyncio.sleep(SOON_S + 0.3)
        assert disk.files["e1"]
        stage.store.slow_s = 0.0
        await until(lambda: len(stage.books.outcomes) == 3)
        await until(lambda: not disk.files, 10.0)

    on_stage(scene)


def test_a_killed_engines_outcomes_are_written_by_the_next_once() -> None:
    async def scene(stage: Stage, disk: TwinDisk) -> None:
        calls = await all_ended_without_redis(stage, disk)
        kill(stage, disk)
        await asyncio.sleep(LEASE_MS / 1000)
        stage.store.down = False
        await heir(stage)
        await until(lambda: not disk.files and not stage.store.late)
        assert stage.outcomes() == dict.fromkeys(calls, "connected")
        assert [one.attempt.talk_s for one in stage.books.outcomes] == pytest.approx([10.0] * 3, abs=0.5)
        assert stage.run.outcomes == {"connected": 3}
        assert len(stage.books.outcomes) == 3
        assert stage.books.corrections == []

    on_stage(scene)


def test_a_kill_in_the_wrap_up_keeps_what_the_agent_said() -> None:
    async def scene(stage: Stage, disk: TwinDisk) -> None:
        await until(lambda: len(stage.asterisk.talks) == 3)
        stage.store.deaf = {"write"}  # done or not, nobody knows
        for agent in ("101", "102", "103"):
            stage.command("disposition", agent=agent, disposition="refuses")
        await until(lambda: all(one.disposition for one in stage.run.floor.attempts.values()))
        stage.store.down = True
        await until(lambda: all(one.state is CallState.GONE for one in stage.run.floor.attempts.values()))
        await asyncio.sleep(SOON_S + 0.3)
        assert not finishes(disk)
        kill(stage, disk)
        stage.store.down, stage.store.deaf = False, set()
        await asyncio.sleep(LEASE_MS / 1000)
        await heir(stage)
        await until(lambda: len(stage.books.outcomes) == 3)
        assert {one.record["disposition"] for one in stage.books.outcomes} == {"refuses"}
        assert set(stage.outcomes().values()) == {"connected"}

    on_stage(scene)


def test_what_another_engine_closed_unseen_is_corrected_by_who_saw_it() -> None:
    """An engine on another machine leads first and knows no more than that the calls are gone."""

    async def scene(stage: Stage, disk: TwinDisk) -> None:
        calls = await all_ended_without_redis(stage, disk)
        kill(stage, disk)
        disk.dead.clear()  # his machine is not looked at yet
        stage.store.down = False
        await asyncio.sleep(LEASE_MS / 1000)
        await heir(stage)
        await until(lambda: len(stage.books.outcomes) == 3, 120.0)
        assert {one.record["cause"] for one in stage.books.outcomes} == {""}  # nobody saw an end
        disk.dead.add("e1")
        await until(lambda: not disk.files and not stage.store.late)
        assert len(stage.books.outcomes) == 3
        told = {one["attempt"]: one for one in stage.books.corrections}
        assert sorted(told) == sorted(calls)
        assert {(one["type"], one["by"]) for one in told.values()} == {("correction", BY_SPOOL)}
        now = [{**one.record, **told[one.attempt.id]} for one in stage.books.outcomes]
        assert {one["outcome"] for one in now} == {"connected"}
        assert [float(one["talk_s"]) for one in now] == pytest.approx([10.0] * 3, abs=0.5)
        assert "" not in {one["cause"] for one in now}
        assert not {"debtor", "number", "person"} & set(stage.books.corrections[0])

    on_stage(scene)


def test_a_dethroned_engine_hands_over_and_writes_nothing() -> None:
    async def scene(stage: Stage, disk: TwinDisk) -> None:
        calls = await all_ended_without_redis(stage, disk)
        stage.books.fence += 1
        stage.books.leader = ("other", stage.books.fence, stage.clock.monotonic() + 5.0)
        stage.store.down = False
        await until(lambda: not stage.engine.runs, 3.0)
        await until(lambda: stage.store.late and not disk.files, 3.0)
        assert stage.books.outcomes == []
        assert {one.finish.verdict.outcome for one in stage.store.late.values() if one.finish} == {"connected"}
        await until(lambda: stage.engine.runs, 20.0)  # the other one has gone: it leads again, with a newer token
        await until(lambda: not stage.store.late)
        assert stage.outcomes() == dict.fromkeys(calls, "connected")
        assert len(stage.books.outcomes) == 3

    on_stage(scene)


def test_an_older_state_changes_nothing_where_somebody_has_led_since() -> None:
    async def scene(stage: Stage, disk: TwinDisk) -> None:
        await until(lambda: len(stage.asterisk.talks) == 3)
        call = stage.placed()[0]
        old = replace(stage.run.floor.attempts[call], disposition="stop")
        kill(stage, disk)
        stage.books.fence += 3
        await stage.store.hand_over([Unwritten("c1", call, 1, EPOCH, old)])
        await asyncio.sleep(LEASE_MS / 1000)
        await heir(stage)
        await until(lambda: len(stage.books.outcomes) == 3, 120.0)
        assert {one.record["disposition"] for one in stage.books.outcomes} == {""}

    on_stage(scene)


def test_facts_that_come_after_the_outcome_are_a_correction() -> None:
    async def scene(stage: Stage, disk: TwinDisk) -> None:
        await until(lambda: stage.books.outcomes)
        (call,) = stage.placed()
        assert stage.books.outcomes[0].record["promise_due"] == ""
        stage.store.told[call] = [Fact(1, EPOCH, "verified"), Fact(2, EPOCH, "promise", "2027-01-10;500000")]
        for _ in range(2):  # told twice, corrected once
            await stage.store.hand_over([Unwritten("c1", call, at=EPOCH, facts=True)])
            await until(lambda: not stage.store.late)
        (first,) = stage.books.corrections
        assert (first["promise_due"], first["promise_amount"], first["by"]) == ("2027-01-10", "500000", "ivr")
        assert len(stage.books.outcomes) == 1

    on_stage(scene, IVR, lambda order: Debtor(rings_s=1.0), 1)


def test_facts_that_waited_and_came_in_time_correct_nothing() -> None:
    async def scene(stage: Stage, disk: TwinDisk) -> None:
        await until(lambda: stage.placed())
        (call,) = stage.placed()
        said = ("verified", "hardship", "closed")
        stage.store.told[call] = [Fact(seq, EPOCH + seq, name) for seq, name in enumerate(said, 1)]
        await stage.store.hand_over([Unwritten("c1", call, at=EPOCH, facts=True)])
        await asyncio.sleep(3.0)
        assert stage.store.late  # it is on the books: its end is to be seen first
        await until(lambda: stage.books.outcomes)
        assert stage.books.outcomes[0].record["hardship"] == "1"
        await until(lambda: not stage.store.late)
        assert stage.books.corrections == []

    on_stage(scene, IVR, lambda order: Debtor(rings_s=1.0), 1)


def test_at_the_bound_the_newest_state_of_each_call_is_kept() -> None:
    async def scene(stage: Stage, disk: TwinDisk) -> None:
        await until(lambda: len(stage.asterisk.talks) == 3)
        stage.store.down, disk.most = True, 4
        await until(lambda: len(finishes(disk)) == 3)  # each had one state more, at least, before its outcome
        assert len(disk.files["e1"]) <= 4
        assert not stage.engine.health().spool_fault
        stage.store.down = False
        await until(lambda: not disk.files)
        assert len(stage.books.outcomes) == 3

    on_stage(scene)


def test_a_correction_whose_answer_is_lost_is_written_once() -> None:
    async def scene(stage: Stage, disk: TwinDisk) -> None:
        await until(lambda: stage.books.outcomes)
        call = stage.books.outcomes[0].attempt.id
        stage.store.deaf = {"correct"}
        stage.command("correct", attempt=call, disposition="hardship")
        await until(lambda: stage.store.calls.count("correct") > 3)
        stage.store.deaf = set()
        await until(lambda: not stage.books.commands)
        (told,) = stage.books.corrections
        assert told["hardship"] == "1"

    on_stage(scene)


def test_at_the_end_of_the_process_what_redis_has_not_is_on_the_disk() -> None:
    async def scene(stage: Stage, disk: TwinDisk) -> None:
        await until(lambda: len(stage.asterisk.talks) == 3)
        stage.store.down = True
        stage.engine.stop()
        await stage.tasks[-1]  # type: ignore[attr-defined]
        assert {one.attempt_id for one in disk.files["e1"]} == set(stage.placed())
        disk.dead.add("e1")
        stage.store.down = False
        await asyncio.sleep(LEASE_MS / 1000)
        await heir(stage)
        await until(lambda: len(stage.books.outcomes) == 3, 120.0)

    on_stage(scene)


def test_a_full_disk_is_said_and_what_waits_in_memory_is_written_all_the_same() -> None:
    async def scene(stage: Stage, disk: TwinDisk) -> None:
        await until(lambda: len(stage.asterisk.talks) == 3)
        calls = stage.placed()
        disk.full, stage.store.down = True, True
        await until(lambda: stage.engine.health().spool_fault)
        assert any("full" in one for one in lacking(stage.engine.health(), {}))
        await until(lambda: len(stage.run.writes.unwritten()) == 3 and not stage.run.floor.attempts, 60.0)
        disk.full = False
        await until(lambda: len(finishes(disk)) == 3)
        assert not stage.engine.health().spool_fault
        stage.store.down = False
        await until(lambda: not disk.files)
        assert stage.outcomes() == dict.fromkeys(calls, "connected")

    on_stage(scene)
