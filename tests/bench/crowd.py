"""A crowd of debtors at the other end of FastAGI, in one asyncio loop: files take as long as they play."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ivr.adapters.speech import SILENCE
from ivr.adapters.wavs import HEADER_BYTES, RATE

BEGIN = "agi_network: yes\nagi_network_script: payment_reminder\nagi_uniqueid: {attempt}\n\n"
_BYTES_PER_S = 2 * RATE


@dataclass(frozen=True, slots=True)
class Way:
    """What one debtor does: `keys`, each within a prompt or the silence after it; `hangs_up_s` after the begin."""

    ends: str  # as the IVR should write it down
    keys: str = ""
    hangs_up_s: float = 0.0


@dataclass(slots=True)
class Crowd:
    """Calls in progress; `speed` 1 is that of the files."""

    address: tuple[str, int]
    variables: dict[str, str]
    speed: float = 1.0
    seed: int = 1
    up: int = 0
    most_up: int = 0
    commands: int = 0
    results: dict[str, str] = field(default_factory=dict)  # IVR_RESULT per attempt; empty: it was not set
    lengths_s: dict[str, float] = field(default_factory=dict)

    async def call(self, attempt: str, way: Way) -> None:
        """From the connection to its end."""
        loop = asyncio.get_running_loop()
        _, debtor = await loop.create_connection(lambda: _Debtor(self, attempt, way, loop), *self.address)
        await debtor.ended

    def length_s(self, path: str) -> float:
        """Of a file, looked up once."""
        found = self.lengths_s.get(path)
        if found is None:
            found = self.lengths_s[path] = (Path(path + ".wav").stat().st_size - HEADER_BYTES) / _BYTES_PER_S
        return found


class _Debtor(asyncio.Protocol):
    """One call: answers each command when what it asks for is over."""

    def __init__(self, crowd: Crowd, attempt: str, way: Way, loop: asyncio.AbstractEventLoop) -> None:
        self._crowd = crowd
        self._attempt = attempt
        self._way = way
        self._loop = loop
        self._keys = list(way.keys)
        self._chance = random.Random(f"{crowd.seed} {attempt}")
        self._buffer = b""
        self.ended: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._crowd.up += 1
        self._crowd.most_up = max(self._crowd.most_up, self._crowd.up)
        self._crowd.results[self._attempt] = ""
        transport.write(BEGIN.format(attempt=self._attempt).encode())
        if self._way.hangs_up_s:
            self._loop.call_later(self._way.hangs_up_s / self._crowd.speed, self._hang_up)

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._crowd.commands += 1
            self._asked(line.decode())

    def connection_lost(self, error: Exception | None) -> None:
        self._crowd.up -= 1
        if not self.ended.done():
            self.ended.set_result(None)

    def _asked(self, line: str) -> None:
        verb, *words = line.split('"')
        if verb.startswith("GET"):
            value = self._attempt if words[0] == "SANTUN_ATTEMPT" else self._crowd.variables.get(words[0], "")
            self._say(f"200 result=1 ({value})")
        elif verb.startswith("SET"):
            self._crowd.results[self._attempt] = words[2]
            self._say("200 result=1")
        else:
            self._play(words[0], words[2], int(words[3]))

    def _play(self, path: str, keys: str, offset: int) -> None:
        left_s = self._crowd.length_s(path) - offset / RATE
        key, heard_s = "", left_s
        if keys and self._keys and (path.endswith(SILENCE) or self._chance.random() < 0.3):
            key, heard_s = self._keys.pop(0), left_s * self._chance.uniform(0.1, 0.5)
        end = offset + round(heard_s * RATE)
        answer = f"200 result={ord(key) if key else 0} endpos={end}"
        self._loop.call_later(heard_s / self._crowd.speed, self._say, answer)

    def _say(self, answer: str) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer.encode() + b"\n")

    def _hang_up(self) -> None:
        self._say("HANGUP")
        self._transport.close()


async def gather(crowd: Crowd, ways: Sequence[tuple[str, Way]], per_s: float, look: Callable[[], None]) -> None:
    """All calls, `per_s` new ones a second; `look` is called twice a second until the last has ended."""
    begun = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as calls:
        looking = asyncio.create_task(_looking(look))
        try:
            tasks = []
            for number, (attempt, way) in enumerate(ways):
                await asyncio.sleep(max(0.0, begun + number / per_s - asyncio.get_running_loop().time()))
                tasks.append(calls.create_task(crowd.call(attempt, way)))
            await asyncio.wait(tasks)
        finally:
            looking.cancel()


async def _looking(look: Callable[[], None]) -> None:
    while True:
        look()
        await asyncio.sleep(0.5)
