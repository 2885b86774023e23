"""One private Redis (or Valkey) on a loopback port, its data in its own folder: start, wait for PING, stop by pid."""

import asyncio
import contextlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from dialer.errors import SetupError

Fsync = Literal["always", "everysec", "no"]

HOST = "127.0.0.1"
KNOCK_S = 0.02
KNOCK_LIMIT_S = 0.5
PORTS_TRIED = 5
LOG_LINES_SHOWN = 6
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class RedisFailed(SetupError):
    """Redis did not start or ended by itself:"""


@dataclass(frozen=True, slots=True)
class RedisCost:
    """What the process has used up to now."""

    cpu_s: float
    rss_bytes: int


class RedisProcess:
    """Started again with the same `run` folder it has the same data; the port may be another one unless it is given."""

    def __init__(
        self, server: Path, run: Path, appendfsync: Fsync = "always", port: int = 0, options: tuple[str, ...] = ()
    ) -> None:
        self.run: Final = run.absolute()
        self.port = port
        self._server = server.absolute()  # not resolved: Redis goes by the name it is called
        self._appendfsync = appendfsync
        self._options = options
        self._any_port = port == 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """For RedisStore."""
        return f"redis://{HOST}:{self.port}/0"

    @property
    def pid(self) -> int:
        """The process that stop() ends."""
        if self._process is None:
            raise RedisFailed("it is not running; start it first.")
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Started, and not ended since."""
        return self._process is not None and self._process.returncode is None

    async def start(self, timeout_s: float = 10.0) -> None:
        """Returns when it answers PING, its append-only file read; raises RedisFailed with its last log lines."""
        self.run.mkdir(parents=True, exist_ok=True)
        for _ in range(PORTS_TRIED if self._any_port else 1):
            if self._any_port:
                self.port = _free_port()
            await self._launch()
            try:
                async with asyncio.timeout(timeout_s):
                    if await self._answers():
                        return
            except TimeoutError as error:
                await self.stop()
                raise RedisFailed(f"not ready after {timeout_s:.0f} s. {self.last_lines()}") from error
            except BaseException:
                await self.stop()
                raise
        raise RedisFailed(f"it ended by itself. {self.last_lines()} Cure what it names, then start again.")

    async def stop(self, timeout_s: float = 5.0) -> None:
        """SIGTERM, then SIGKILL; harmless when it has ended already."""
        if not self.alive or self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(timeout_s):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """SIGKILL: nothing is said goodbye to."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def cost(self) -> RedisCost:
        """CPU seconds and resident memory, from /proc."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])  # utime and stime: fields 14 and 15, counted from 1 with pid and name
        return RedisCost(ticks / _TICKS_PER_S, int(fields[21]) * os.sysconf("SC_PAGE_SIZE"))

    def last_lines(self) -> str:
        """What the operator needs to see when it failed."""
        try:
            lines = (self.run / "redis.log").read_text(errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        said = " | ".join(line.strip() for line in lines[-LOG_LINES_SHOWN:])
        return f"Its last words, from {self.run / 'redis.log'}: {said or 'none'}"

    async def _launch(self) -> None:
        options = (
            "--bind", HOST, "--port", str(self.port), "--dir", str(self.run), "--daemonize", "no",
            "--appendonly", "yes", "--appendfsync", self._appendfsync, "--save", "",
            "--maxmemory-policy", "noeviction", "--logfile", str(self.run / "redis.log"),
        )  # fmt: skip
        try:
            self._process = await asyncio.create_subprocess_exec(
                str(self._server), *options, *self._options,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
                cwd=self.run, start_new_session=True,  # Ctrl-C is for us: outcomes are still to be written
            )  # fmt: skip
        except OSError as error:
            raise RedisFailed(f"{self._server} cannot be run ({error}); install redis-server 7 or newer.") from error

    async def _answers(self) -> bool:
        """False: it has ended, as when somebody else has taken the port in between."""
        while self.alive:
            with contextlib.suppress(OSError):  # a TimeoutError is one
                async with asyncio.timeout(KNOCK_LIMIT_S):
                    if await self._knock():
                        return True
            await asyncio.sleep(KNOCK_S)
        return False

    async def _knock(self) -> bool:
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            writer.write(b"PING\r\nCONFIG GET dir\r\n")
            return await self._ours(reader)
        finally:
            writer.close()

    async def _ours(self, reader: asyncio.StreamReader) -> bool:
        """It serves (not: is loading), and it is the one we started: its folder is ours."""
        if await reader.readline() != b"+PONG\r\n":
            return False
        lines = [(await reader.readline()).strip() for _ in range(5)]
        return lines[4].decode(errors="replace") == str(self.run.resolve())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
