"""Who works during a chaos run: robot agents at desks that survive any fault, and what they were told is noted."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from dialer.adapters.clock import SystemClock
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.site import new_id
from dialer.demo.robots import OUT, Robot
from dialer.demo.stage import AGENTS_CAMPAIGN, CAMPAIGNS, IVR_CAMPAIGN, IVR_SHARE
from dialer.errors import StoreError
from dialer.model import Command

LOOK_S = 0.3
COMMAND_S = 5.0
OUT_S = 4.0  # so long out of the shift without having asked for it: sign in again
PAY_IN = timedelta(days=3)


@dataclass(slots=True)
class Crew:
    """`noted`: attempt -> the result that the engine has told a robot to be kept."""

    store: RedisStore
    seed: int
    clock: SystemClock = field(default_factory=SystemClock)
    seen: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    noted: dict[str, str] = field(default_factory=dict)
    robots: list[Robot] = field(default_factory=list)
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def hire(self, agents: tuple[str, ...]) -> None:
        """Some for those whom the IVR sends, the others for the agents' campaign; they begin at once."""
        for_ivr = max(1, round(len(agents) * IVR_SHARE))
        self._tasks.append(asyncio.create_task(self._watch()))
        for number, agent in enumerate(agents):
            campaign = IVR_CAMPAIGN if number < for_ivr else AGENTS_CAMPAIGN
            robot = self._robot(campaign, agent)
            self.robots.append(robot)
            self._tasks += [asyncio.create_task(robot.work()), asyncio.create_task(self._stay(campaign, robot))]

    def _robot(self, campaign: str, agent: str) -> Robot:
        async def say(name: str, args: Mapping[str, str]) -> None:
            await self._say(campaign, agent, name, dict(args))

        return Robot(agent, say, lambda: self.seen.get(campaign, {}), self.seed)

    async def _say(self, campaign: str, agent: str, name: str, args: dict[str, str]) -> None:
        attempt = self.state(campaign, agent)[1]
        if args.get("disposition") == "promise":
            args["disposition"] = f"promise:{self.clock.today() + PAY_IN}"
        told = await self.order(campaign, name, args)
        if told and attempt and name == "wrapped":
            self.noted.setdefault(attempt, args["disposition"])

    async def order(self, campaign: str, name: str, args: Mapping[str, str]) -> bool:
        """As a desk would send it: whether the engine said yes."""
        now = self.clock.now()
        with suppress(StoreError):
            order = Command(new_id(now), campaign, name, "chaos", now, now + COMMAND_S, dict(args))
            reply = await self.store.send(order, COMMAND_S)
            return reply is not None and reply.ok
        return False

    async def surely(self, name: str, limit_s: float = 30.0) -> bool:
        """An order to both campaigns, again and again until it is carried out."""
        for campaign in CAMPAIGNS:
            until = self.clock.monotonic() + limit_s
            while not await self.order(campaign, name, {}):
                if self.clock.monotonic() > until:
                    return False
                await asyncio.sleep(LOOK_S)
        return True

    def state(self, campaign: str, agent: str) -> tuple[str, str]:
        """As his board shows him: state, attempt."""
        for one in self.seen.get(campaign, {}).get("agents", ()):
            if one["id"] == agent:
                return one["state"], one["attempt"]
        return "", ""

    async def open_attempts(self) -> int:
        """Attempts without an outcome; -1: nobody knows."""
        with suppress(StoreError):
            return sum([len(await self.store.open_attempts(campaign)) for campaign in CAMPAIGNS])
        return -1

    async def go_home(self, limit_s: float) -> int:
        """The shift ends; how many did not get out."""
        for robot in self.robots:
            robot.leave()
        working = self._tasks[1::2]
        await asyncio.wait(working, timeout=limit_s)
        left = sum(not task.done() for task in working)
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=COMMAND_S)
        for task in working:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error
        return left

    async def _watch(self) -> None:
        while True:
            for campaign in CAMPAIGNS:
                with suppress(StoreError):
                    raw = await self.store.published(campaign)
                    self.seen[campaign] = json.loads(raw) if raw else {}
            await asyncio.sleep(LOOK_S)

    async def _stay(self, campaign: str, robot: Robot) -> None:
        """Whoever finds himself signed out signs in again, as people do."""
        out_s = 0.0
        while not robot.leaving.is_set():
            await asyncio.sleep(LOOK_S)
            out_s = out_s + LOOK_S if self.state(campaign, robot.agent)[0] in OUT else 0.0
            if out_s >= OUT_S:
                out_s = 0.0
                await self._say(campaign, robot.agent, "sign_in", {"agent": robot.agent})
