"""Leases by the monotonic clock, takeovers, settings that do not fit, slices of a trunk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from dialer.engine import Engine
from dialer.errors import ConfigError, NoLease, NotLeader, StoreDown
from dialer.law.rulebook import Pack
from dialer.model import Agent, AgentState, CallState, Campaign, Event, Status
from dialer.originate import order
from dialer.running.leading import LEASE_MARGIN_S, LEASE_MS, PREPARED_S, TRIM_S, UPKEEP_S, Leader, resign_all, shares
from dialer.running.placing import Ready
from dialer.running.run import Run, Site
from dialer.running.succession import ASIDE_S
from tests import packs
from tests.floor.test_floor import attempt
from tests.site import CAMPAIGN, TRUNK, Stage, contacts, staged
from tests.twins import EPOCH, Debtor, TwinAsterisk, TwinClock, TwinStore, new_id, play, until

PACK = packs.demo()


class Desk:
    """Leaders over one store."""

    def __init__(self) -> None:
        self.clock = TwinClock()
        self.store = TwinStore(self.clock)
        self.phone = TwinAsterisk(self.clock, lambda order: Debtor())
        self.trunks = {"trunk": TRUNK, "far": replace(TRUNK, name="far", node="b")}

    def leader(self, name: str = "e1") -> Leader:
        return Leader(Site(name, self.trunks, self._pack, new_id), self.store, {"a": self.phone}, self.clock)

    def _pack(self, campaign: Campaign) -> Pack:
        if campaign.pack != "demo":
            raise ConfigError(f"pack {campaign.pack!r} is unknown.")
        return PACK

    async def led(self, leader: Leader) -> Run:
        await self.store.save_campaign(CAMPAIGN)
        run = await leader.take("c1")
        assert run is not None
        return run


def test_a_lease_ends_by_the_monotonic_clock_counted_from_the_question() -> None:
    async def scene() -> None:
        desk = Desk()
        leader = desk.leader()
        desk.store.slow_s = 0.5
        run = await desk.led(leader)
        asked_at = 1.0  # save_campaign and campaign took half a second each
        assert run.lease_until == pytest.approx(asked_at + LEASE_MS / 1000 - LEASE_MARGIN_S)
        desk.clock.step = 3600.0
        assert run.lease_until == pytest.approx(asked_at + LEASE_MS / 1000 - LEASE_MARGIN_S)
        before = desk.clock.monotonic()
        await leader.renew(run)
        assert run.lease_until == pytest.approx(before + LEASE_MS / 1000 - LEASE_MARGIN_S)

    play(scene())


def test_two_do_not_lead_at_once_and_the_second_gets_a_newer_token() -> None:
    async def scene() -> None:
        desk = Desk()
        first, second = desk.leader("e1"), desk.leader("e2")
        run = await desk.led(first)
        assert await second.take("c1") is None
        await asyncio.sleep(LEASE_MS / 1000 + 0.1)
        assert desk.clock.monotonic() > run.lease_until
        other = await second.take("c1")
        assert other is not None
        assert other.token > run.token
        with pytest.raises(NotLeader):
            await first.renew(run)

    play(scene())


def test_a_lease_given_back_is_free_at_once() -> None:
    async def scene() -> None:
        desk = Desk()
        leader = desk.leader("e1")
        run = await desk.led(leader)
        await resign_all(leader, {"c1": run})
        assert run.lease_until == 0.0
        assert await desk.leader("e2").take("c1") is not None
        desk.store.down = True
        await resign_all(leader, {"c1": run})

    play(scene())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"trunk": "none"}, "trunk 'none' is not configured; add [trunk.none]"),
        ({"trunk": "far"}, "node 'b' is not configured; add [asterisk.b]"),
        ({"pack": "mars"}, "pack 'mars' is unknown"),
    ],
)
def test_what_does_not_fit_is_said_and_left_to_others(changes: dict[str, str], why: str) -> None:
    async def scene() -> None:
        desk = Desk()
        leader = desk.leader()
        await desk.store.save_campaign(replace(CAMPAIGN, **changes))  # type: ignore[arg-type]
        assert await leader.take("c1") is None
        assert why in leader.cannot["c1"]
        assert desk.store.books["c1"].leader is None
        await desk.store.save_campaign(CAMPAIGN)
        assert await leader.take("c1") is not None
        assert leader.cannot == {}

    play(scene())


def test_a_new_leader_finds_what_was_left() -> None:
    async def scene() -> None:
        desk = Desk()
        await desk.store.save_campaign(CAMPAIGN)
        books = desk.store.books["c1"]
        books.status = Status.RUNNING
        books.open["a"] = attempt("a", EPOCH, state=CallState.TALKING, agent="101", joined_at=EPOCH)
        books.agents["101"] = Agent("101", "a", "c1", AgentState.TALKING, EPOCH, "leg-101-x", "a")
        run = await desk.leader().take("c1")
        assert run is not None
        assert run.status is Status.RUNNING
        assert set(run.floor.attempts) == {"a"}
        assert run.floor.team.owns("leg-101-x")
        assert not run.reconciled

    play(scene())


@pytest.mark.parametrize("left", [b"", b"{", b"[]", b'{"kept": 3}', b'{"kept": {"v": 9}}', b'{"sequence": "x"}'])
def test_counts_that_cannot_be_read_do_not_stop_a_takeover(left: bytes) -> None:
    async def scene() -> None:
        desk = Desk()
        await desk.store.save_campaign(CAMPAIGN)
        desk.store.books["c1"].snapshot = left
        assert await desk.leader().take("c1") is not None

    play(scene())


def test_redis_going_in_a_takeover_is_said() -> None:
    async def scene() -> None:
        desk = Desk()
        await desk.store.save_campaign(CAMPAIGN)
        desk.store.down = True
        with pytest.raises(StoreDown):
            await desk.leader().take("c1")

    play(scene())


def test_settings_are_read_again() -> None:
    async def scene() -> None:
        desk = Desk()
        leader = desk.leader()
        run = await desk.led(leader)
        books = desk.store.books["c1"]
        for settings, trouble in (
            (replace(CAMPAIGN, trunk="none"), "trunk 'none' is not configured"),
            (replace(CAMPAIGN, name="New"), ""),
            (replace(CAMPAIGN, pack="mars"), "pack 'mars' is unknown"),
            (CAMPAIGN, ""),
        ):
            books.settings = settings
            await leader.reread(run)
            assert trouble in run.trouble
            assert bool(trouble) == bool(run.trouble)
            assert (run.campaign == settings) is not bool(trouble)
        del desk.store.books["c1"]
        await leader.reread(run)
        assert "gone" in run.trouble

    play(scene())


def test_a_status_that_is_being_changed_is_not_turned_back_by_an_older_look() -> None:
    async def scene() -> None:
        desk = Desk()
        leader = desk.leader()
        run = await desk.led(leader)
        run.status, desk.store.slow_s = Status.RUNNING, 0.1
        look = asyncio.create_task(leader.reread(run))
        await asyncio.sleep(0.05)
        run.status_changes += 1
        run.status = Status.PAUSED
        await look
        seen = [run.status]
        await leader.reread(run)
        assert [*seen, run.status] == [Status.PAUSED, Status.READY]

    play(scene())


def test_a_trunk_is_divided_among_those_who_call() -> None:
    async def scene() -> None:
        desk = Desk()
        runs = []
        for name in ("c1", "c2", "c3"):
            await desk.store.save_campaign(replace(CAMPAIGN, id=name))
            run = await desk.leader().take(name)
            assert run is not None
            runs.append(run)
        parts = {run.campaign.id: share for run, share in shares(runs, 10, 3.0)}
        assert sorted(share.lines for share in parts.values()) == [3, 3, 4]
        runs[1].status, runs[1].due = Status.RUNNING, 5
        parts = {run.campaign.id: share for run, share in shares(runs, 10, 3.0)}
        assert [parts[name].lines for name in ("c1", "c2", "c3")] == [0, 10, 0]
        assert parts["c2"].calls_per_second == 3.0

    play(scene())


# ---- upkeep


def test_streams_are_measured_each_minute_and_trimmed_each_hour() -> None:
    async def scene() -> None:
        desk = Desk()
        leader = desk.leader()
        run = await desk.led(leader)
        began = desk.clock.now()
        for _ in range(2 * 60 + 1):
            assert leader.wants_upkeep(run)
            await leader.upkeep(run)
            assert not leader.wants_upkeep(run)
            await asyncio.sleep(UPKEEP_S)
        assert [at - began for at in desk.store.trimmed] == [0.0, TRIM_S, 2 * TRIM_S]
        assert desk.store.calls.count("stream_sizes") == 121
        assert run.streams["outcomes"].kept_days == 90.0

    play(scene())


def test_upkeep_that_fails_is_tried_again_a_minute_later() -> None:
    async def scene() -> None:
        desk = Desk()
        leader = desk.leader()
        run = await desk.led(leader)
        desk.store.down = True
        with pytest.raises(StoreDown):
            await leader.upkeep(run)
        assert not leader.wants_upkeep(run)
        desk.store.down = False
        await asyncio.sleep(UPKEEP_S)
        assert leader.wants_upkeep(run)
        await leader.upkeep(run)
        assert len(desk.store.trimmed) == 1

    play(scene())


def test_a_standby_has_read_what_it_may_have_to_lead() -> None:
    async def scene() -> None:
        desk = Desk()
        read: list[Campaign] = []

        def pack_of(campaign: Campaign) -> Pack:
            read.append(campaign)
            return PACK

        desk._pack = pack_of  # type: ignore[method-assign]
        leader = desk.leader()
        await desk.store.save_campaign(CAMPAIGN)
        assert not leader.is_prepared("c1")
        await leader.prepare("c1")
        assert leader.is_prepared("c1")
        run = await leader.take("c1")
        assert run is not None
        assert len(read) == 1
        await leader.resign(run)
        await leader.prepare("c1")
        await desk.store.save_campaign(replace(CAMPAIGN, name="New"))
        assert (await leader.take("c1")) is not None
        assert [one.name for one in read] == ["Reminder", "Reminder", "New"]
        await leader.prepare("c1")
        await asyncio.sleep(PREPARED_S)
        assert not leader.is_prepared("c1")
        await leader.prepare("gone")
        assert leader.is_prepared("gone")

    play(scene())


# ---- what a lease allows


def test_when_the_lease_is_over_nothing_goes_to_asterisk_and_nobody_is_locked() -> None:
    async def scene() -> None:
        desk = Desk()
        run = await desk.led(desk.leader())
        asked = [Ready(attempt("a", EPOCH), contacts(1)[0], EPOCH + 60)]
        await run.phone.hang_up("a")
        await asyncio.sleep(LEASE_MS / 1000 - LEASE_MARGIN_S + 0.01)
        for act in (
            lambda: run.phone.originate(order(attempt("a", EPOCH), CAMPAIGN, TRUNK.dial, "")),
            lambda: run.phone.redirect("a", "santun-room", "101"),
            lambda: run.phone.hang_up("a"),
            lambda: run.phone.mute_recording("a", muted=True),
        ):
            with pytest.raises(NoLease):
                await act()
        with pytest.raises(StoreDown, match="another engine may lead"):
            await run.placer.take(run.token, asked, [], EPOCH)
        assert desk.phone.originated == []
        assert desk.phone.hung_up == ["a"]
        assert "lock" not in desk.store.calls
        assert await run.phone.channels() == ()

    play(scene())


def test_a_lease_that_is_given_back_is_not_renewed_behind_our_back() -> None:
    async def scene() -> None:
        desk = Desk()
        leader = desk.leader()
        run = await desk.led(leader)
        await leader.resign(run)
        await leader.renew(run)
        assert desk.store.books["c1"].leader is None
        assert run.lease_until == 0.0

    play(scene())


def test_whoever_leaves_leaves_his_slice_of_the_trunk() -> None:
    async def scene() -> None:
        desk = Desk()
        leader = desk.leader("e1")
        run = await desk.led(leader)
        assert await desk.store.trunk_share("trunk", "e1", 10, 2.0) == (10, 2.0)
        assert await desk.store.trunk_share("trunk", "e2", 10, 2.0) == (0, 0.0)
        await resign_all(leader, {"c1": run})
        assert await desk.store.trunk_share("trunk", "e2", 10, 2.0) == (10, 2.0)

    play(scene())


# ---- one engine after the other


@asynccontextmanager
async def pair(**changes: object) -> AsyncIterator[tuple[Stage, Engine, asyncio.Task[None], TwinAsterisk]]:
    """A stage, its standby with ears of its own, as a second manager session has them."""
    async with staged(replace(CAMPAIGN, **changes), agents=("101", "102"), listed=0) as stage:  # type: ignore[arg-type]
        ears = TwinAsterisk(stage.clock, lambda order: Debtor())
        ears.up = stage.asterisk.up
        told = stage.asterisk._inbox.put_nowait

        def tell_both(item: Event | None) -> None:
            told(item)
            ears._inbox.put_nowait(item)

        stage.asterisk._inbox.put_nowait = tell_both  # type: ignore[method-assign]
        ears.originate, ears.redirect, ears.hang_up = (  # type: ignore[method-assign]
            stage.asterisk.originate,
            stage.asterisk.redirect,
            stage.asterisk.hang_up,
        )
        heir = Engine(Site("e2", stage.trunks, stage.pack_of, new_id), stage.store, {"a": ears}, stage.clock)
        task = asyncio.create_task(heir.run())
        try:
            await asyncio.sleep(1.0)
            yield stage, heir, task, ears
        finally:
            heir.stop()
            await task


async def called(stage: Stage) -> str:
    """Somebody's phone rings."""
    before = len(stage.placed())
    await stage.store.add_contacts("c1", contacts(1, len(stage.books.contacts)), stage.clock.now())
    await until(lambda: len(stage.placed()) > before)
    await until(lambda: stage.run.floor.attempts[stage.placed()[-1]].ringing_at > 0)
    return stage.placed()[-1]


def test_who_answers_while_one_engine_follows_the_other_gets_his_agent() -> None:
    async def scene() -> None:
        async with pair() as (stage, heir, _, _):
            attempt_id = await called(stage)
            stage.engine.stop()
            await until(lambda: heir.runs)
            run = heir.runs["c1"]
            assert run.floor.attempts[attempt_id].ringing_at > 0, "it has been listening"
            await until(lambda: run.floor.attempts[attempt_id].state is CallState.TALKING)
            assert stage.books.fence == 2
            assert len(stage.asterisk.talks) == 1

    play(scene())


def test_a_call_that_is_claimed_but_not_placed_when_an_engine_ends_never_was() -> None:
    async def scene() -> None:
        async with pair() as (stage, heir, _, _):
            stage.engine._hands.originate = _never  # type: ignore[method-assign]
            await stage.store.add_contacts("c1", contacts(1), stage.clock.now())
            await until(lambda: stage.books.open)
            stage.engine.stop()
            await until(lambda: heir.runs)
            assert [one.verdict.outcome for one in stage.books.outcomes] == ["not_placed"]
            assert not stage.books.open
            assert not stage.store.locks

    play(scene())


async def _never(run: Run, one: Ready) -> None:
    await asyncio.Event().wait()


def test_a_drained_campaign_goes_when_its_calls_have_ended_or_its_time_is_up() -> None:
    async def scene(limit_s: float, calls: int) -> tuple[float, int]:
        async with pair() as (stage, heir, _, _):
            for _ in range(calls):
                attempt_id = await called(stage)
                await until(lambda one=attempt_id: stage.run.floor.attempts[one].state is CallState.TALKING)  # type: ignore[misc]
            began = stage.clock.monotonic()
            stage.engine.drain(stage.run, limit_s)
            await stage.store.add_contacts("c1", contacts(1, 90), stage.clock.now())
            placed = len(stage.placed())
            await until(lambda: heir.runs, 200)
            took = stage.clock.monotonic() - began
            assert not stage.engine.runs
            assert len(stage.placed()) == placed, "nobody new was called meanwhile"
            assert not stage.engine.health().draining, "the engine itself goes on"
            return took, len(heir.runs["c1"].floor.attempts)

    assert play(scene(100.0, 0))[0] < 1.0
    took, left = play(scene(100.0, 1))
    assert 5.0 < took < 40.0  # he talks for 20 s, and is wrapped up for 5
    assert left == 0
    took, left = play(scene(3.0, 1))
    assert 3.0 <= took < 4.0
    assert left == 1


def test_a_drained_engine_ends_and_one_that_nobody_follows_leads_again() -> None:
    async def scene() -> None:
        async with staged(listed=0) as stage:
            stage.engine.drain(stage.run, 10.0)
            await until(lambda: not stage.engine.runs, 2.0)
            await until(lambda: stage.engine.runs, ASIDE_S + 1.0)
            stage.engine.drain(None, 10.0)
            assert stage.engine.health().draining
            await until(stage.engine._stopping.is_set, 2.0)
            assert stage.books.leader is None

    play(scene())


def test_what_another_engine_took_up_meanwhile_is_taken_back_at_once_when_it_goes() -> None:
    async def scene() -> None:
        async with pair() as (stage, heir, _, _):
            stage.engine.drain(stage.run, 10.0)
            await until(lambda: heir.runs, 3.0)
            await asyncio.sleep(1.0)
            heir.drain(None, 10.0)
            await until(lambda: stage.engine.runs, 2.0)

    play(scene())
