"""Robot agents: they sign in, talk, wrap up and take breaks through the same commands that a desk sends."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

TALK_MEDIAN_S = 14.0
TALK_SIGMA = 0.5
WRAP_S = (2.0, 6.0)
BREAK_CHANCE = 0.06
BREAK_S = (6.0, 12.0)
LOOK_S = 0.3
DISPOSITIONS = ("promise", "no_money", "call_back", "dispute", "promise")

Say = Callable[[str, Mapping[str, str]], Awaitable[object]]  # command, args
Look = Callable[[], Mapping[str, Any]]  # the live snapshot, as the board sees it


@dataclass(slots=True)
class Robot:
    """One robot. Its eyes are the live snapshot, its hands are commands."""

    agent: str
    say: Say
    look: Look
    seed: int
    leaving: bool = False

    async def work(self) -> None:
        """Until leave(); ends signed out, with no call left behind."""
        chance = random.Random(f"{self.agent} {self.seed}")
        await self._do("sign_in")
        done_with = ""
        while not self.leaving:
            await asyncio.sleep(LOOK_S)
            state, attempt = self._now()
            if state == "talking" and attempt != done_with:
                done_with = attempt
                await self._talk(chance, attempt)
            elif state == "wrap_up":
                await self._wrap_up(chance)
        await self._do("hang_up")
        await self._do("wrapped", disposition="")
        await self._do("sign_out")

    def leave(self) -> None:
        """End the shift: what is said now is the last word."""
        self.leaving = True

    async def _talk(self, chance: random.Random, attempt: str) -> None:
        await self._wait(TALK_MEDIAN_S * chance.lognormvariate(0.0, TALK_SIGMA), "talking", attempt)
        if self._now() == ("talking", attempt):
            await self._do("hang_up")

    async def _wrap_up(self, chance: random.Random) -> None:
        await self._wait(chance.uniform(*WRAP_S), "wrap_up")
        if chance.random() < BREAK_CHANCE:
            await self._do("wrapped", disposition=chance.choice(DISPOSITIONS))
            await self._do("break")
            await self._wait(chance.uniform(*BREAK_S), "break")
            await self._do("back")
        else:
            await self._do("wrapped", disposition=chance.choice(DISPOSITIONS))

    async def _wait(self, seconds: float, state: str, attempt: str = "") -> None:
        """So long, or until the state is another one."""
        for _ in range(round(seconds / LOOK_S)):
            if self.leaving:
                return
            await asyncio.sleep(LOOK_S)
            now, with_whom = self._now()
            if now != state or (attempt and with_whom != attempt):
                return

    def _now(self) -> tuple[str, str]:
        for agent in self.look().get("agents", ()):
            if agent["id"] == self.agent:
                return agent["state"], agent["attempt"]
        return "", ""

    async def _do(self, command: str, **args: str) -> None:
        await self.say(command, {"agent": self.agent, **args})
