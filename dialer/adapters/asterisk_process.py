"""One Asterisk under its own folder: start, wait until it is able, stop by its own pid, and what it costs."""

import asyncio
import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dialer.adapters.asterisk_check import Asterisk
from dialer.adapters.asterisk_conf import CONTROL_SOCKET, directories
from dialer.errors import SetupError

LOG_LINES_SHOWN = 12
KNOCK_S = 0.05
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class AsteriskFailed(SetupError):
    """Asterisk did not start or ended by itself:"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the process has used up to now."""

    cpu_s: float
    rss_bytes: int


class AsteriskProcess:
    """The configuration must already lie in `run`/etc (asterisk_conf.render); `sounds` is what Playback finds."""

    def __init__(self, asterisk: Asterisk, run: Path, sounds: Path) -> None:
        self.run: Final = run
        self._asterisk = asterisk
        self._sounds = sounds
        self._folders = directories(run)
        self._process: asyncio.subprocess.Process | None = None
        self.boot_log: list[str] = []  # messages.log up to the moment it had booted

    @property
    def pid(self) -> int:
        """The process that stop() ends."""
        if self._process is None:
            raise AsteriskFailed("it is not running; start it first.")
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Started, and not ended since."""
        return self._process is not None and self._process.returncode is None

    async def start(self, timeout_s: float = 30.0) -> None:
        """Returns when Asterisk says that it has fully booted; raises AsteriskFailed with its last log lines."""
        prepare(self.run, self._asterisk.data, self._sounds)
        conf = self._folders["SANTUN_ETC"] / "asterisk.conf"
        with self._console_log.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._asterisk.command, "-f", "-C", str(conf),
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.run,
                start_new_session=True,  # Ctrl-C is for us: we end our calls first
            )  # fmt: skip
        try:
            async with asyncio.timeout(timeout_s):
                await self._booted()
            self.boot_log = self.log()
        except TimeoutError as error:
            await self.stop()
            raise AsteriskFailed(f"not ready after {timeout_s:.0f} s. {self.last_lines()}") from error
        except BaseException:
            await self.stop()
            raise

    async def stop(self, timeout_s: float = 5.0) -> None:
        """SIGTERM, then SIGKILL; harmless when it has ended already."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(timeout_s):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def console(self, command: str) -> str:
        """What Asterisk's own console answers, by its control socket: for start, tests and the demo's carrier only."""
        reader, writer = await asyncio.open_unix_connection(self._folders["SANTUN_RUN"] / CONTROL_SOCKET)
        try:
            await reader.readuntil(b"\n")  # host/pid/version
            writer.write(f"cli quit after {command}".encode() + b"\0")
            await writer.drain()
            return (await reader.read()).decode(errors="replace").replace("\0", "").strip()
        finally:
            writer.close()

    def cost(self) -> Cost:
        """CPU seconds and resident memory, from /proc."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])  # utime and stime: fields 14 and 15, counted from 1 with pid and name
        return Cost(ticks / _TICKS_PER_S, int(fields[21]) * os.sysconf("SC_PAGE_SIZE"))

    def log(self) -> list[str]:
        """messages.log up to now."""
        return _lines(self._folders["SANTUN_LOG"] / "messages.log")

    def last_lines(self) -> str:
        """What the operator needs to see when it failed."""
        lines = [*_lines(self._console_log), *self.log()][-LOG_LINES_SHOWN:]
        return "\n  ".join([f"Its last words, in {self._folders['SANTUN_LOG']}:", *(lines or ["none"])])

    @property
    def _console_log(self) -> Path:
        return self._folders["SANTUN_LOG"] / "console.log"

    async def _booted(self) -> None:
        while self.alive:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                if "fully booted" in await self.console("core waitfullybooted"):
                    return
            await asyncio.sleep(KNOCK_S)
        raise AsteriskFailed(f"it ended by itself. {self.last_lines()}")


def prepare(run: Path, data: Path, sounds: Path) -> None:
    """The folders that Asterisk expects below `run`; `data` is where its documentation/ lies."""
    folders = directories(run)
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    (folders["SANTUN_LIB"] / "keys").mkdir(exist_ok=True)  # res_crypto wants it
    # without documentation/ Asterisk ends with "Stasis initialization failed" and no word in its log
    links = {"documentation": data / "documentation", "sounds": sounds}
    for name, target in links.items():
        (folders["SANTUN_DATA"] / name).unlink(missing_ok=True)
        (folders["SANTUN_DATA"] / name).symlink_to(target)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []
