"""Uploaded lists of one web process: private files, each looked at and loaded by a process of its own.

What is here lives no longer than this process, and a day at most; what has been loaded is in Redis.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import structlog

from dialer.adapters.list_job import Job, Line
from dialer.adapters.loading import UPLOAD_MAX, plain_name
from dialer.config import Config
from dialer.errors import BadInput

KEPT_S = 86_400.0
UPLOADS_MAX = 20
BYTES_MAX = 2 * UPLOAD_MAX
LOOK_LIMIT_S = 60.0
LINE_MAX = 4 << 20
WRITTEN_AT_ONCE = 1 << 20
PREFIX = "santun-lists-"
log = structlog.get_logger(__name__)
_line = msgspec.json.Decoder(Line).decode


@dataclass(slots=True)
class Uploaded:
    """One file. `state`: new, looked_at, loading, loaded, failed; `seen`: the last word of its process."""

    id: str
    owner: str
    name: str
    at: float
    folder: Path
    size: int = 0
    state: str = "new"
    looked: Line = field(default_factory=Line)
    summary: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    campaign: str = ""
    task: asyncio.Task[None] | None = None

    @property
    def path(self) -> Path:
        """The file itself."""
        return self.folder / self.name

    @property
    def rejects(self) -> Path:
        """What of it was not used; there when it has been loaded."""
        return self.folder / "rejects.csv"


class ListJobs:
    """All uploads here. Close it: processes and files end with it."""

    def __init__(self, config: Config, folder: Path | None = None) -> None:
        self._config = config
        place = Path(folder or tempfile.gettempdir())
        _sweep(place)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=place))  # mode 0700
        self._uploads: dict[str, Uploaded] = {}
        self._processes: set[asyncio.subprocess.Process] = set()
        self._turn = asyncio.Semaphore(1)  # a list is read by as many processes as there are cores

    async def close(self) -> None:
        """Nothing is left of it."""
        for one in list(self._uploads.values()):
            await self.drop(one)
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def take(self, chunks: AsyncIterator[bytes], name: str, owner: str, at: float) -> Uploaded:
        """Write an upload down. Raises BadInput where there are too many, or they are too large."""
        for old in [one for one in self._uploads.values() if at - one.at > KEPT_S and one.state != "loading"]:
            await self.drop(old)
        if len(self._uploads) >= UPLOADS_MAX or self._bytes() >= BYTES_MAX:
            raise BadInput("too many uploads wait here: remove those that are not needed")
        new = secrets.token_urlsafe(12)
        one = Uploaded(new, owner, plain_name(name), at, self._folder / new)
        one.folder.mkdir(mode=0o700)
        self._uploads[new] = one
        try:
            await self._write(one, chunks)
        except BaseException:
            await self.drop(one)
            raise
        return one

    def of(self, owner: str) -> list[Uploaded]:
        """His, the newest last."""
        return [one for one in self._uploads.values() if one.owner == owner]

    def find(self, name: str, owner: str) -> Uploaded | None:
        """One of his."""
        one = self._uploads.get(name)
        return one if one is not None and secrets.compare_digest(one.owner.encode(), owner.encode()) else None

    async def drop(self, one: Uploaded) -> None:
        """Forget it; its process is ended."""
        self._uploads.pop(one.id, None)
        if one.task is not None:
            one.task.cancel()
            await asyncio.gather(one.task, return_exceptions=True)
        await asyncio.to_thread(shutil.rmtree, one.folder, ignore_errors=True)

    async def look(self, one: Uploaded, mapping: Mapping[str, Any], rows: int, at: float) -> None:
        """What its columns mean; or `error`."""
        one.error = ""
        try:
            async with asyncio.timeout(LOOK_LIMIT_S):
                await self._run(one, self._job(one, mapping, at, rows=rows))
        except TimeoutError:
            one.error = f"it could not be read within {LOOK_LIMIT_S:.0f} s"
        if one.state != "loading":  # a load that was begun meanwhile says itself what becomes of it
            one.state = "failed" if one.error else "looked_at"

    def load(self, one: Uploaded, mapping: Mapping[str, Any], at: float, **wanted: Any) -> None:
        """Begin; `summary` grows meanwhile. Raises BadInput while it is under way."""
        if one.state == "loading":
            raise BadInput("it is being loaded already")
        one.state, one.error, one.summary, one.campaign = "loading", "", {}, wanted["campaign"]
        job = self._job(one, mapping, at, rejects=str(one.rejects), **wanted)
        one.task = asyncio.create_task(self._load(one, job))

    async def _load(self, one: Uploaded, job: Job) -> None:
        try:
            async with self._turn:
                await self._run(one, job)
            one.state = "failed" if one.error else "loaded"
        except Exception as error:  # nobody waits for this task: it must say itself what went wrong
            one.state, one.error = "failed", "it could not be loaded; look into the log"
            log.error("a list could not be loaded", action="list_failed", upload=one.id, exc_info=error)

    async def _run(self, one: Uploaded, job: Job) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "dialer.adapters.list_job", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, limit=LINE_MAX, start_new_session=True,
        )  # fmt: skip
        self._processes.add(process)
        said = Line()
        try:
            source, out = process.stdin, process.stdout
            if source is None or out is None:
                raise OSError("no pipe")
            with contextlib.suppress(ConnectionError):
                source.write(msgspec.json.encode(job))
                await source.drain()
                source.close()
            async for raw in out:
                said = _line(raw)
                self._heard(one, said)
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()  # its own children end with their pipes
                await asyncio.shield(process.wait())
            self._processes.discard(process)
        if not said.done and not one.error:
            one.error = f"its process ended by itself ({process.returncode}); what was brought stays: load it again"

    @staticmethod
    def _heard(one: Uploaded, said: Line) -> None:
        if said.columns is not None:
            one.looked = said
        if said.summary is not None:
            one.summary = said.summary
        one.error = said.error or one.error

    def _job(self, one: Uploaded, mapping: Mapping[str, Any], at: float, **more: Any) -> Job:
        rules = self._config.list_rules()
        return Job(
            str(one.path), self._config.redis.url, rules.key.hex(), rules.region, tuple(sorted(rules.country_codes)),
            rules.day_first, rules.currency, at, dict(mapping), **more,
        )  # fmt: skip

    async def _write(self, one: Uploaded, chunks: AsyncIterator[bytes]) -> None:
        with one.path.open("xb") as file:
            waiting = bytearray()
            async for chunk in chunks:
                one.size += len(chunk)
                if one.size > UPLOAD_MAX or self._bytes() > BYTES_MAX:
                    raise BadInput(f"{one.name} is too large here: divide the list")
                waiting += chunk
                if len(waiting) >= WRITTEN_AT_ONCE:
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(file.write, bytes(waiting))

    def _bytes(self) -> int:
        return sum(one.size for one in self._uploads.values())


def _sweep(place: Path) -> None:
    """What processes left that were killed: it holds personal data."""
    for folder in place.glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdecimal() and folder.lstat().st_uid == os.getuid() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)
