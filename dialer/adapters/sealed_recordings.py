"""Recordings at rest: Asterisk writes them plain, here they are encrypted as soon as nobody writes them any more.

Rules of this file: a plain file goes only after its sealed twin is whole and on the disk; whatever is left half done by
a crash is done again. All of it is slow: it runs in a process or a thread of its own. What is sealed lies in a folder
for each day, so that a look at what is new costs no more after a year.
"""

import fcntl
import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import structlog

from dialer.adapters.sealed import Seals
from dialer.model import attempt_ms

log = structlog.get_logger(__name__)
PLAIN, SEALED, PART = ".wav", ".wav.age", ".wav.age.part"
QUIET_S = 900.0  # where the kernel does not tell who writes: so long nothing was added
LOCK = ".santun-keeper"
LAST_MS = 4_102_444_800_000  # no attempt is made after 2099
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(slots=True)
class Swept:
    """What one look did."""

    sealed: int = 0
    removed: int = 0
    failed: int = 0
    waiting: int = 0  # still being written, or quiet for too short a time


def day_of(stem: str, otherwise: float = 0.0) -> str:
    """The folder of a recording: the day (UTC) of its attempt's id; of another name, of `otherwise`."""
    made_ms = attempt_ms(stem)
    at = made_ms / 1000 if 0 < made_ms < LAST_MS else otherwise
    return datetime.fromtimestamp(at, UTC).date().isoformat()


class Folder:
    """Where Asterisk records. `at` in epoch seconds, as file times are."""

    def __init__(self, path: Path, seals: Seals | None) -> None:
        self._path, self._seals = path, seals
        self._lock = -1
        self._told: set[str] = set()

    def take(self) -> bool:
        """Whether this process looks after the folder: one does, until it ends."""
        if self._lock >= 0:
            return True
        try:
            found = os.open(self._path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            self._tell("folder", "the folder of recordings cannot be used", str(error))
            return False
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(found)
            return False
        self._lock = found
        return True

    def close(self) -> None:
        """Somebody else may look after it."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def sweep(self, at: float, unwanted: Collection[str] = ()) -> Swept:
        """Seal what is finished; of `unwanted` attempts remove it."""
        done = Swept()
        for entry in self._files():
            try:
                self._look(entry, at, unwanted, done)
            except FileNotFoundError:
                continue
            except OSError as error:
                done.failed += 1
                self._tell(entry.name, "a recording could not be sealed; it is tried again", str(error))
        return done

    def forget(self, attempts: Collection[str]) -> int:
        """Sealed recordings of these attempts go; how many there were."""
        gone = 0
        for attempt in attempts:
            try:
                (self._path / day_of(attempt) / (Path(attempt).name + SEALED)).unlink()
                gone += 1
            except FileNotFoundError:
                continue
            except OSError as error:
                self._tell(attempt, "a recording could not be removed; it is tried again", str(error))
        return gone

    def fade(self, before: date) -> int:
        """Sealed recordings of days before this one go; how many."""
        gone = 0
        for folder in sorted(self._days()):
            if folder.name >= before.isoformat():
                break
            for file in list(folder.iterdir()):
                file.unlink()
                gone += 1
            folder.rmdir()
        return gone

    def fade_plain(self, before: float) -> int:
        """The same of plain ones, where they may stay so."""
        gone = 0
        for entry in self._files():
            if entry.stat(follow_symlinks=False).st_mtime < before:
                Path(entry.path).unlink(missing_ok=True)
                gone += 1
        return gone

    def _days(self) -> Iterator[Path]:
        for entry in self._entries():
            if DAY.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)

    def _look(self, entry: "os.DirEntry[str]", at: float, unwanted: Collection[str], done: Swept) -> None:
        path = Path(entry.path)
        if entry.name.endswith(PART):
            path.unlink()  # of a crash; its plain file is there still
            return
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if not _is_finished(fd, at):
                done.waiting += 1
            elif path.stem in unwanted:
                path.unlink()
                done.removed += 1
            elif self._seals is not None and _seal(fd, path, self._seals):
                done.sealed += 1
        finally:
            os.close(fd)

    def _files(self) -> Iterator["os.DirEntry[str]"]:
        for entry in self._entries():
            if entry.name.endswith((PLAIN, PART)) and entry.is_file(follow_symlinks=False):
                yield entry

    def _entries(self) -> "list[os.DirEntry[str]]":
        try:
            with os.scandir(self._path) as found:
                return list(found)
        except OSError as error:
            self._tell("folder", "the folder of recordings cannot be read", str(error))
            return []

    def _tell(self, what: str, says: str, reason: str) -> None:
        """Once for each file."""
        if what not in self._told:
            self._told.add(what)
            log.error(says, action="recording", file=what, reason=reason)


def _is_finished(fd: int, at: float) -> bool:
    """Nobody has it open for writing. The kernel knows, and tells the file's owner: it grants a lease for reading."""
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        return True
    except BlockingIOError:
        return False
    except OSError:  # another's file, or a file system without leases
        return at - os.fstat(fd).st_mtime > QUIET_S


def _seal(fd: int, path: Path, seals: Seals) -> bool:
    """False: it was written to meanwhile."""
    before = os.fstat(fd)
    if not stat.S_ISREG(before.st_mode):
        return False
    part = path.with_name(path.stem + PART)
    whole = path.parent / day_of(path.stem, before.st_mtime) / (path.stem + SEALED)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(fd, "rb", closefd=False) as plain, open(os.open(part, flags, 0o600), "wb") as sealed:
            seals.seal_stream(plain, sealed)
            sealed.flush()
            os.utime(sealed.fileno(), ns=(before.st_atime_ns, before.st_mtime_ns))
            os.fsync(sealed.fileno())
        after = os.fstat(fd)
        if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            return False
        whole.parent.mkdir(mode=0o700, exist_ok=True)
        os.replace(part, whole)
        _sync(whole.parent)
        _sync(path.parent)
        path.unlink()
        return True
    finally:
        part.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
