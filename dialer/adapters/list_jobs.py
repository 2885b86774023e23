"""Uploaded lists: private files, each looked at and loaded by a process of its own, whichever web process it came to.

What is here lives no longer than the last web process that has the folder, and a day at most; what has been loaded is
in Redis.
"""

import asyncio
import contextlib
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import structlog

from dialer.adapters.list_job import Job, Line
from dialer.adapters.loading import UPLOAD_MAX, plain_name
from dialer.adapters.upload_shelf import Held, Shelf, State, default_root
from dialer.config import Config
from dialer.errors import BadInput

KEPT_S = 86_400.0
UPLOADS_MAX = 20
BYTES_MAX = 2 * UPLOAD_MAX
LOOK_LIMIT_S = 60.0
LINE_MAX = 4 << 20
WRITTEN_AT_ONCE = 1 << 20
SAVED_EACH_S = 0.25
ENDED = "its process ended by itself; what was brought stays: load it again"
log = structlog.get_logger(__name__)
_line = msgspec.json.Decoder(Line).decode


@dataclass(slots=True)
class Uploaded:
    """One file. `state`: new, looked_at, loading, loaded, failed; `summary`: the last word of its process."""

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

    @property
    def path(self) -> Path:
        """The file itself."""
        return self.folder / self.name

    @property
    def rejects(self) -> Path:
        """What of it was not used; there when it has been loaded."""
        return self.folder / "rejects.csv"


class ListJobs:
    """All uploads of a site, in a folder that its web processes share. Close it: what this one reads ends with it."""

    def __init__(self, config: Config, folder: Path | None = None) -> None:
        self._config = config
        named = Path(config.web.uploads) if config.web.uploads else default_root(config.redis.url)
        self._shelf = Shelf(folder or named)
        self._tasks: dict[str, asyncio.Task[None]] = {}  # of this process
        self._processes: set[asyncio.subprocess.Process] = set()
        self._turn = asyncio.Semaphore(1)  # a list is read by as many processes as there are cores

    async def close(self) -> None:
        """Nothing is left of what was done here; the last process leaves nothing at all."""
        for task in list(self._tasks.values()):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await asyncio.to_thread(self._shelf.close)

    async def take(self, chunks: AsyncIterator[bytes], name: str, owner: str, at: float) -> Uploaded:
        """Write an upload down. Raises BadInput where there are too many, or they are too large."""
        there = await asyncio.to_thread(self._shelf.all)
        for old in [one for one in there if at - one.at > KEPT_S and one.state != "loading"]:
            await asyncio.to_thread(self._shelf.drop, old.id)
            there.remove(old)
        room = BYTES_MAX - sum(one.size for one in there)
        if len(there) >= UPLOADS_MAX or room <= 0:
            raise BadInput("too many uploads wait here: remove those that are not needed")
        new = secrets.token_urlsafe(12)
        one = Uploaded(
            new.lstrip("-_") or "x", owner, plain_name(name), at, self._shelf.folder(new.lstrip("-_") or "x")
        )
        await asyncio.to_thread(self._shelf.make, _state(one))
        try:
            await self._write(one, chunks, room)
            await asyncio.to_thread(self._save, one)
        except BaseException:
            await self.drop(one)
            raise
        return one

    async def of(self, owner: str) -> list[Uploaded]:
        """His, the newest last."""
        found = await asyncio.to_thread(self._shelf.all)
        return [await asyncio.to_thread(self._uploaded, one) for one in found if one.owner == owner]

    async def find(self, name: str, owner: str) -> Uploaded | None:
        """One of his."""
        one = await asyncio.to_thread(self._shelf.read, name)
        if one is None or not secrets.compare_digest(one.owner.encode(), owner.encode()):
            return None
        return await asyncio.to_thread(self._uploaded, one)

    async def drop(self, one: Uploaded) -> None:
        """Forget it; its process is ended, here at once, elsewhere with the next word of it."""
        task = self._tasks.get(one.id)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(self._shelf.drop, one.id)

    async def look(self, one: Uploaded, mapping: Mapping[str, Any], rows: int, at: float) -> None:
        """What its columns mean; or `error`."""
        one.error = ""
        try:
            async with asyncio.timeout(LOOK_LIMIT_S):
                await self._run(one, self._job(one, mapping, at, rows=rows), saves=False)
        except TimeoutError:
            one.error = f"it could not be read within {LOOK_LIMIT_S:.0f} s"
        now = await asyncio.to_thread(self._shelf.read, one.id)
        if now is not None and now.state != "loading":  # a load that was begun meanwhile says itself what becomes of it
            one.state = "failed" if one.error else "looked_at"
            await asyncio.to_thread(self._save, one)

    def load(self, one: Uploaded, mapping: Mapping[str, Any], at: float, **wanted: Any) -> None:
        """Begin; `summary` grows meanwhile. Raises BadInput while it is under way, here or elsewhere."""
        try:
            held = self._shelf.hold(one.id)
        except OSError as error:
            raise BadInput("it is being loaded already, or gone") from error
        one.state, one.error, one.summary, one.campaign = "loading", "", {}, wanted["campaign"]
        self._save(one)
        job = self._job(one, mapping, at, rejects=str(one.rejects), **wanted)
        task = self._tasks[one.id] = asyncio.create_task(self._load(one, job, held))
        task.add_done_callback(lambda _: self._tasks.pop(one.id, None))

    async def _load(self, one: Uploaded, job: Job, held: Held) -> None:
        try:
            async with self._turn:
                await self._run(one, job, saves=True)
            one.state = "failed" if one.error else "loaded"
        except asyncio.CancelledError:
            one.state, one.error = "failed", ENDED
            raise
        except Exception as error:  # nobody waits for this task: it must say itself what went wrong
            one.state, one.error = "failed", "it could not be loaded; look into the log"
            log.error("a list could not be loaded", action="list_failed", upload=one.id, exc_info=error)
        finally:
            self._save(one)
            held.release()

    def _save(self, one: Uploaded) -> bool:
        return self._shelf.save(_state(one))

    def _uploaded(self, one: State) -> Uploaded:
        found = Uploaded(
            one.id, one.owner, one.name, one.at, self._shelf.folder(one.id), one.size, one.state, _line(one.looked),
            one.summary, one.error, one.campaign,
        )  # fmt: skip
        if found.state == "loading" and not self._shelf.is_held(one.id):
            found.state, found.error = "failed", ENDED
        return found

    async def _run(self, one: Uploaded, job: Job, saves: bool) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "dialer.adapters.list_job", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, limit=LINE_MAX, start_new_session=True,
        )  # fmt: skip
        self._processes.add(process)
        said, saved_at, clock = Line(), 0.0, asyncio.get_running_loop().time
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
                if saves and clock() - saved_at > SAVED_EACH_S:
                    saved_at = clock()
                    if not await asyncio.to_thread(self._save, one):
                        break  # dropped meanwhile, by another process perhaps
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

    async def _write(self, one: Uploaded, chunks: AsyncIterator[bytes], room: int) -> None:
        with one.path.open("xb") as file:
            waiting = bytearray()
            async for chunk in chunks:
                one.size += len(chunk)
                if one.size > min(UPLOAD_MAX, room):
                    raise BadInput(f"{one.name} is too large here: divide the list")
                waiting += chunk
                if len(waiting) >= WRITTEN_AT_ONCE:
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(file.write, bytes(waiting))


def _state(one: Uploaded) -> State:
    looked = msgspec.Raw(msgspec.json.encode(one.looked))
    return State(
        one.id, one.owner, one.name, one.at, one.size, one.state, looked, one.summary, one.error, one.campaign
    )  # fmt: skip
