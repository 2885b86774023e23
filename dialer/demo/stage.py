"""One demo while it runs: two campaigns, their robots, what is seen of them, and how they end."""

import asyncio
import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dialer.adapters.clock import SystemClock
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.site import new_id
from dialer.demo.beside import beside
from dialer.demo.carrier import CarrierCall
from dialer.demo.debtors import FOR_AGENTS, FOR_IVR, invent
from dialer.demo.page import Books, Paced
from dialer.demo.reconcile import faults
from dialer.demo.robots import Robot
from dialer.demo.screen import View
from dialer.demo.world import COMPANY, TRUNK, Say, World
from dialer.errors import StoreError
from dialer.model import Command

AGENTS_CAMPAIGN, IVR_CAMPAIGN = "demo", "demo-ivr"
CAMPAIGNS = (AGENTS_CAMPAIGN, IVR_CAMPAIGN)
WINDOW = "campaign_30_days"  # of the rule pack `demo`
IVR_SHARE = 0.25  # of the debtors, and of the robots: for those who ask the IVR for an agent
LOOK_S = 0.5
UNSERVED = {"claimed", "placed", "ringing", "detecting", "waiting", "joining"}
COMMAND_S = 5.0
HURRY_S = 2.0  # after Ctrl-C
LAST_OUTCOMES_S = 15.0
EVERYTHING = 1_000_000
RETRIES = '{"no_answer": {"after_s": 40, "times": 2}, "busy": {"after_s": 30, "times": 3}}'
COMMON = ("--pack", "demo", "--trunk", TRUNK, "--caller-name", COMPANY, "--set", f"retries={RETRIES}")
TIMES = tuple("--set ring_s=15 --set post_dial_delay_s=8 --set calls_per_second=10 --set wrap_up_max_s=15".split())
OWN = {
    AGENTS_CAMPAIGN: tuple("--mode predictive --set overflow=ivr --set lines_max=60".split()),
    IVR_CAMPAIGN: tuple("--kind ivr --set ivr_agents=true --set lines_max=12".split()),
}
MIXES = {AGENTS_CAMPAIGN: FOR_AGENTS, IVR_CAMPAIGN: FOR_IVR}


async def fill(world: World, contacts: int, seed: int, say: Say) -> None:
    """Campaigns and lists, by the product's own commands."""
    for_ivr = max(1, round(contacts * IVR_SHARE))
    sizes = {AGENTS_CAMPAIGN: max(1, contacts - for_ivr), IVR_CAMPAIGN: for_ivr}

    async def one(campaign: str, first_serial: int) -> None:
        path = world.run / f"{campaign}.csv"
        write_list(path, sizes[campaign], MIXES[campaign], seed, first_serial)
        await world.command("campaign", "create", campaign, *COMMON, *TIMES, *OWN[campaign])
        say(await world.command("load", str(path), "--campaign", campaign))

    await asyncio.gather(*(one(campaign, number * 50_000) for number, campaign in enumerate(CAMPAIGNS)))


def write_list(path: Path, count: int, mix: Mapping[str, int], seed: int, first_serial: int) -> None:
    """A lender's file of invented debtors."""
    rows = [one.row for one in invent(count, mix, seed, SystemClock().today(), first_serial)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


@dataclass(slots=True)
class Stage:
    """What is seen, and the hands to change it. `stop`: somebody has had enough."""

    world: World
    store: RedisStore
    stop: asyncio.Event
    door: tuple[str, ...] = ()  # lines: where people sign in
    clock: SystemClock = field(default_factory=SystemClock)
    seen: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    listed: dict[str, int] = field(default_factory=dict)
    paced: dict[str, Paced] = field(default_factory=dict)
    outcomes: list[Mapping[str, str]] = field(default_factory=list)
    agent_s: float = 0.0
    cut_at: float = math.inf
    robots: list[Robot] = field(default_factory=list)

    def hire(self, agents: Sequence[str], seed: int) -> None:
        """Some for those whom the IVR sends, the others for the agents' campaign."""
        for_ivr = min(len(agents) - 1, max(1, round(len(agents) * IVR_SHARE)))
        for number, agent in enumerate(agents):
            self.robots.append(self._robot(IVR_CAMPAIGN if number < for_ivr else AGENTS_CAMPAIGN, agent, seed))

    def _robot(self, campaign: str, agent: str, seed: int) -> Robot:
        async def say(name: str, args: Mapping[str, str]) -> None:
            await self.command(campaign, name, args)

        return Robot(agent, say, lambda: self.seen.get(campaign, {}), seed)

    async def command(self, campaign: str, name: str, args: Mapping[str, str]) -> None:
        """As a desk would send it; a robot does not mind a refusal."""
        now = self.clock.now()
        with suppress(StoreError):
            order = Command(new_id(now), campaign, name, "demo", now, now + COMMAND_S, dict(args))
            await self.store.send(order, COMMAND_S)

    # ---- watching

    def watchers(self) -> list[asyncio.Task[None]]:
        """None of them ends by itself."""
        return [asyncio.create_task(work) for work in (self._watch(), *map(self._follow, CAMPAIGNS))]

    async def _watch(self) -> None:
        """Keep `seen` fresh, and count the time agents work."""
        before = self.clock.monotonic()
        while True:
            for campaign in CAMPAIGNS:
                with suppress(StoreError):
                    raw = await self.store.published(campaign)
                    self._saw(campaign, json.loads(raw) if raw else {})
            now = self.clock.monotonic()
            self.agent_s += (now - before) * sum(one.get("working", 0) for one in self.seen.values())
            before = now
            await asyncio.sleep(LOOK_S)

    def _saw(self, campaign: str, board: Mapping[str, Any]) -> None:
        if not board:
            self.seen[campaign] = {"campaign": campaign, "reason": "the engine takes it over"}
            return
        self.seen[campaign] = board
        left = board["due"] + board["later"] + board["lines"]
        self.listed[campaign] = max(self.listed.get(campaign, 0), left)
        if campaign == AGENTS_CAMPAIGN and board["status"] == "running":
            self.paced[campaign] = looked(self.paced.get(campaign, Paced()), board)

    async def _follow(self, campaign: str) -> None:
        async for _, entry in self.store.follow(campaign, "0"):
            if entry["type"] == "outcome":
                self.outcomes.append(entry)

    def view(self, says: str) -> View:
        """For the screen."""
        seen = [self.seen[name] for name in CAMPAIGNS if name in self.seen]
        return View(seen, self.outcomes, self.listed, says, WINDOW, self.door)

    # ---- the end

    async def over(self) -> bool:
        """The lists are done, and so is every attempt."""
        done = all(one.get("due", 1) == 0 and one.get("later", 1) == 0 for one in self.seen.values())
        return done and bool(self.outcomes) and not await self.open_attempts()

    async def open_attempts(self) -> int:
        """Attempts without an outcome."""
        return sum([len(await self.store.open_attempts(campaign)) for campaign in CAMPAIGNS])

    async def pause(self) -> None:
        """No new calls; the robots stay for those who may still answer."""
        await asyncio.gather(*(self.command(campaign, "pause", {}) for campaign in CAMPAIGNS))

    def somebody_may_answer(self) -> bool:
        """Whether a call is out that an agent has yet to take."""
        boards = self.seen.values()
        return any(board.get("status") != "paused" or UNSERVED & board["calls"].keys() for board in boards)

    def go_home(self) -> None:
        """The robots' shift ends, after the calls they are in."""
        for robot in self.robots:
            robot.leave()

    async def hang_up(self) -> None:
        """Whatever is still up; then every outcome is waited for."""
        self.cut_at = self.clock.now()
        with suppress(OSError):
            await self.world.pbx.console("channel request hangup all")
        until = self.clock.monotonic() + LAST_OUTCOMES_S
        while await self.open_attempts() and self.clock.monotonic() < until:  # noqa: ASYNC110 - another process
            await asyncio.sleep(LOOK_S)

    async def books(self) -> Books:
        """Every outcome against the carrier's own log."""
        outcomes = [entry for entry in await self._tail("outcomes") if entry["type"] == "outcome"]
        calls = await self._carrier_calls()
        limit = float(self.seen.get(AGENTS_CAMPAIGN, {}).get("abandon_rate_max", 0.03))
        return Books(
            outcomes=outcomes,
            refusals=await self._tail("refusals"),
            calls=len(calls),
            faults=faults(outcomes, calls, self.cut_at),
            agent_hours=self.agent_s / 3600,
            boards=self.seen,
            paced=self.paced,
            window=WINDOW,
            beside=[] if self.stop.is_set() else await asyncio.to_thread(beside, outcomes, AGENTS_CAMPAIGN, limit),
        )

    async def _tail(self, stream: str) -> list[Mapping[str, str]]:
        found: list[Iterable[tuple[str, Mapping[str, str]]]]
        found = [await self.store.tail(name, EVERYTHING, stream) for name in CAMPAIGNS]
        return [entry for entries in found for _, entry in entries]

    async def _carrier_calls(self) -> Sequence[CarrierCall]:
        """The call log, when the carrier has hung up on everybody."""
        await self.world.carrier.process.console("channel request hangup all")
        until = self.clock.monotonic() + COMMAND_S
        while await self.world.carrier.calls_now() and self.clock.monotonic() < until:  # noqa: ASYNC110 - as above
            await asyncio.sleep(LOOK_S / 5)
        return self.world.carrier.calls()


def looked(paced: Paced, board: Mapping[str, Any]) -> Paced:
    """One more look at how it is paced."""
    ahead = "abandon_chance" in board["numbers"]
    why = board["reason"].partition("one call per free agent ")[2] or paced.why_not
    return replace(paced, looks=paced.looks + 1, ahead=paced.ahead + ahead, why_not=why)
