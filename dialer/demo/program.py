"""One process of the product, as the demo runs it: in the background with a log, or to its end."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping
from pathlib import Path

from dialer.errors import SetupError

ROOT = Path(__file__).parents[2]
STOP_S = 8.0
LINES_SHOWN = 5


class Program:
    """In the background, its log in the run folder, stopped by its own pid."""

    def __init__(self, name: str, words: tuple[str, ...], env: Mapping[str, str], run: Path) -> None:
        self.name, self.log = name, run / f"{name}.log"
        self._words, self._env = words, env
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        if self._process is None:
            raise SetupError(f"{self.name} is not running.")
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Started, and not ended since."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it; whether it is ready is for others to find out."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self._words, env={**os.environ, **self._env}, cwd=ROOT,
                stdin=DEVNULL, stdout=log, stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo: it ends calls first
            )  # fmt: skip

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL."""
        if self._process is not None:
            await _end(self._process)

    def last_lines(self) -> str:
        """For errors."""
        lines = self.log.read_text(errors="replace").splitlines()[-LINES_SHOWN:] if self.log.exists() else []
        return " | ".join(lines) or "it said nothing"


async def run_to_end(words: tuple[str, ...], env: Mapping[str, str]) -> str:
    """What it printed. Raises SetupError with that where it failed; never leaves it behind."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *words, env={**os.environ, **env}, cwd=ROOT,
        stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        said = (await process.communicate())[0].decode(errors="replace").strip()
    finally:
        await _end(process)
    if process.returncode:
        raise SetupError(f"{' '.join(words)}: {said}")
    return said


async def _end(process: Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await process.wait()
