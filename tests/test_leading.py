"""Leases by the monotonic clock, takeovers, settings that do not fit, slices of a trunk."""

import asyncio
from dataclasses import replace

import pytest

from dialer.errors import ConfigError, NotLeader, StoreDown
from dialer.leading import LEASE_MARGIN_S, LEASE_MS, TRIM_S, UPKEEP_S, Leader, resign_all, shares
from dialer.model import Agent, AgentState, CallState, Campaign, Status
from dialer.rulebook import Pack
from dialer.run import Run, Site

from . import packs
from .site import CAMPAIGN, TRUNK
from .test_floor import attempt
from .twins import EPOCH, Debtor, TwinAsterisk, TwinClock, TwinStore, new_id, play

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
