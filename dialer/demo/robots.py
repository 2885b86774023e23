"""Robot agents: they sign in, talk, wrap up and take breaks through the same commands that a desk sends."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

TALK_MEDIAN_S = 14.0
TALK_SIGMA = 0.5
TALK_LEAVING_S = 5.0  # the last talk of a shift is brought to its end
WRAP_S = (2.0, 6.0)
BREAK_CHANCE = 0.1
BREAK_S = (6.0, 12.0)
LOOK_S = 0.3
AGAIN_S = 3.0  # an order that changed nothing in so long is given again
DISPOSITIONS = ("promise", "no_money", "call_back", "dispute", "promise")
OUT = ("", "signed_out")

Say = Callable[[str, Mapping[str, str]], Awaitable[object]]  # command, args
Look = Callable[[], Mapping[str, Any]]  # the live snapshot, as the board sees it


@dataclass(slots=True)
class Robot:
    """One robot. Its eyes are the live snapshot, its hands are commands."""

    agent: str
    say: Say
    look: Look
    seed: int
    leaving: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self) -> None:
        """Until leave(); ends signed out, with no call left behind."""
        chance = random.Random(f"{self.agent} {self.seed}")
        await self._do("sign_in")
        done_with = ""
        while not self.leaving.is_set():
            await asyncio.sleep(LOOK_S)
            state, attempt = self._now()
            if state == "talking" and attempt != done_with:
                done_with = attempt
                await self._talk(chance, attempt)
            elif state == "wrap_up":
                await self._wrap_up(chance)
            elif state == "break":
                await self._wait(chance.uniform(*BREAK_S), "break")
                await self._do("back")
        await self._go_home()

    def leave(self) -> None:
        """End the shift, after the call he is in."""
        self.leaving.set()

    async def _talk(self, chance: random.Random, attempt: str) -> None:
        await self._wait(TALK_MEDIAN_S * chance.lognormvariate(0.0, TALK_SIGMA), "talking", attempt)
        if self._now() == ("talking", attempt) and not self.leaving.is_set():
            if chance.random() < BREAK_CHANCE:
                await self._do("break")  # before he is free again: no call is placed for one who then goes
            await self._do("hang_up")

    async def _wrap_up(self, chance: random.Random) -> None:
        await self._wait(chance.uniform(*WRAP_S), "wrap_up")
        if self.leaving.is_set():
            return
        await self._do("wrapped", disposition=chance.choice(DISPOSITIONS))

    async def _go_home(self) -> None:
        """Signs out; the talk he is in comes to its end, and is wrapped up."""
        await self._wait(TALK_LEAVING_S, "talking", at_once=False)
        while (state := self._now()[0]) not in OUT:
            if state == "talking":
                await self._do("hang_up")
            await self._do("wrapped", disposition=DISPOSITIONS[0])
            await self._do("sign_out")
            await self._wait(AGAIN_S, state, at_once=False)

    async def _wait(self, seconds: float, state: str, attempt: str = "", at_once: bool = True) -> None:
        """So long, or until the state is another one, or, `at_once`, he is to leave."""
        for _ in range(round(seconds / LOOK_S)):
            if at_once and self.leaving.is_set():
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
