"""One process as a service manager sees it: started, looked at, started again a second after it has ended."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dialer.errors import SetupError

RESTART_S = 1.0  # RestartSec of a unit file
LOOK_S = 0.05


class Process(Protocol):
    """RedisProcess, AsteriskProcess and Program are such."""

    @property
    def pid(self) -> int:
        """Of the running process."""

    @property
    def alive(self) -> bool:
        """Started, and not ended since."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a process holds."""

    files: int
    threads: int


def load_of(pid: int) -> Load:
    """From /proc. Raises OSError when it is gone."""
    files = len(os.listdir(f"/proc/{pid}/fd"))
    words = Path(f"/proc/{pid}/status").read_text().split()
    return Load(files, int(words[words.index("Threads:") + 1]))


@dataclass(slots=True, eq=False)
class Service:
    """`start` returns when it is up, or raises SetupError; `note` is told every pid."""

    name: str
    process: Process
    start: Callable[[], Awaitable[None]]
    note: Callable[[int], None]
    wanted: bool = False
    expected: bool = False  # its end: it was killed by us
    ended: list[str] = field(default_factory=list)  # ends that nobody asked for
    killed_at: list[float] = field(default_factory=list)  # epoch
    up_at: float = 0.0  # epoch, of the last start
    frozen: bool = False

    async def up(self) -> None:
        """The first start."""
        await self.start()
        self._started()

    async def keep(self) -> None:
        """Until cancelled: whatever ends is started again, and again."""
        while True:
            await asyncio.sleep(LOOK_S)
            if not self.wanted or self.process.alive:
                continue
            if not self.expected:
                self.ended.append(f"{self.name} ended by itself")
            self.expected = False
            await asyncio.sleep(RESTART_S)
            with contextlib.suppress(SetupError):  # the next turn tries again
                await self.start()
                self._started()

    def kill(self) -> None:
        """-9."""
        self.expected = True
        self.killed_at.append(time.time())
        os.kill(self.process.pid, signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP."""
        os.kill(self.process.pid, signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        """SIGCONT; harmless when it runs, or is gone."""
        self.frozen = False
        if self.process.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGCONT)

    def load(self) -> Load | None:
        """What it holds now; None: it is gone."""
        try:
            return load_of(self.process.pid) if self.process.alive else None
        except OSError:
            return None

    def _started(self) -> None:
        self.wanted = True
        self.up_at = time.time()
        self.note(self.process.pid)
