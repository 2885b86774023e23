"""The file in which changes wait while Redis is away: appended to, on the disk before it returns, gone when done with.

One file for each process, locked for as long as it lives: whoever gets the lock of another's file may have what is in
it. A line is `digest number payload`; the digest covers number and payload, so a torn or altered line is left out and
nothing is made up of its pieces. Nothing here is for an event loop: DiskSpool has a thread for it.
"""

import asyncio
import base64
import binascii
import fcntl
import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import structlog

from dialer.errors import SpoolFailed
from dialer.model import CAMPAIGN_ID
from dialer.ports import Unwritten

SUFFIX = ".spool"
DIGEST_BYTES = 8
MOST_BYTES = 64 * 1024 * 1024
MODE = 0o600
FOLDER_MODE = 0o700
STATE_FOLDER = "STATE_DIRECTORY"  # as systemd names a service's own folder

log = structlog.get_logger("spool")

T = TypeVar("T")


def line(number: int, payload: bytes) -> bytes:
    """One record as it stands in the file."""
    body = b"%d %s" % (number, base64.b64encode(payload))
    return _digest(body) + b" " + body + b"\n"


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The whole records of a file's bytes, in order, each number once; what is torn or altered is left out."""
    last = 0
    for one in data.split(b"\n"):
        digest, _, body = one.partition(b" ")
        if digest != _digest(body):
            continue
        number, _, text = body.partition(b" ")
        try:
            found, payload = int(number), base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error):
            continue
        if found > last:
            last = found
            yield found, payload


def default_folder(beside: Path, env: dict[str, str] | None = None) -> Path:
    """Where the settings name none: the service's own folder if systemd gives one, else `beside`."""
    states = (os.environ if env is None else env).get(STATE_FOLDER, "")
    return Path(states.split(":")[0]) / "spool" if states else beside / "spool"


class SpoolFile:
    """Of this process. `kind` tells whose it is among others: files of the same kind are handed on. Safe from threads.

    Every method raises SpoolFailed with the place and the cure.
    """

    def __init__(self, folder: Path, kind: str, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._kind, self._most = folder, kind, most_bytes
        self._lock = threading.Lock()
        self._file = -1
        self._path = folder / f"{kind}-{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}{SUFFIX}"
        self._number = 0
        self._held: dict[str, int] = {}  # files of others that we have got: name -> descriptor
        self._odd: set[str] = set()  # those of which not all could be read
        self.bytes = 0  # in our own file

    def ready(self) -> None:
        """The folder is there, ours alone, and may be written."""
        try:
            self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            probe = self._folder / f".{self._path.name}.probe"
            os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, MODE))
            probe.unlink()
        except OSError as error:
            raise SpoolFailed(
                f"{self._folder}: {error.strerror}. Name a folder that this user may write to: [spool] folder, or"
                " `ivr serve --spool`."
            ) from error

    def append(self, payloads: Sequence[bytes]) -> None:
        """All of them, or none, on the disk when it returns."""
        with self._lock:
            self._append(payloads)

    def rewrite(self, payloads: Sequence[bytes]) -> None:
        """These instead of what is there."""
        with self._lock:
            before, file, size = self._path, self._file, self.bytes
            self._path = before.with_name(f"{before.name.removesuffix(SUFFIX)}.{self._number}{SUFFIX}")
            self._file, self.bytes = -1, 0
            try:
                self._append(payloads)
            except SpoolFailed:
                self._drop()
                self._path, self._file, self.bytes = before, file, size
                raise
            if file >= 0:
                self._unlink(before)
                os.close(file)

    def clear(self) -> None:
        """Nothing waits any more: the file goes."""
        with self._lock:
            self._drop()

    def close(self) -> None:
        """What is in the file stays, for whoever comes next."""
        with self._lock:
            for descriptor in (self._file, *self._held.values()):
                if descriptor >= 0:
                    os.close(descriptor)
            self._file, self._held = -1, {}

    def read(self) -> list[bytes]:
        """What waits in our own file."""
        with self._lock:
            return [payload for _, payload in records(self._bytes_of(self._path))] if self._file >= 0 else []

    def left(self) -> tuple[str, list[bytes]] | None:
        """The oldest file of a process that is gone, and its whole records; it is ours until `remove`."""
        with self._lock:
            for path in self._others():
                if self._takes(path):
                    data = self._bytes_of(path)
                    found = [payload for _, payload in records(data)]
                    if data.count(b"\n") > len(found):  # a torn tail is none: its writer was never told that it is kept
                        self.doubt(path.name)
                    return path.name, found
            return None

    def doubt(self, name: str) -> None:
        """Some of this file makes no sense: it is put aside for a person to look at."""
        if name not in self._odd:
            self._odd.add(name)
            log.error("some of it makes no sense: it stays, as *.broken", action="spool_broken", file=name)

    def remove(self, name: str) -> None:
        """What `left` gave is safe elsewhere."""
        with self._lock:
            if name in self._odd:
                (self._folder / name).rename(self._folder / f"{name}.broken")
            self._unlink(self._folder / name)
            descriptor = self._held.pop(name, -1)
            if descriptor >= 0:
                os.close(descriptor)

    def _append(self, payloads: Sequence[bytes]) -> None:
        data = b"".join(line(self._number + count, one) for count, one in enumerate(payloads, 1))
        if self.bytes + len(data) > self._most:
            raise SpoolFailed(
                f"{self._path} holds {self.bytes} of at most {self._most} bytes: bring Redis back, or allow more by"
                " [spool] most_mb."
            )
        try:
            if self._file < 0:
                self._open()
            _write(self._file, data)
            os.fsync(self._file)
        except OSError as error:
            with suppress(OSError):  # half a line is left out when it is read
                if self._file >= 0:
                    os.ftruncate(self._file, self.bytes)
            raise SpoolFailed(f"{self._path}: {error.strerror}. Make room, or name another folder.") from error
        self.bytes += len(data)
        self._number += len(payloads)

    def _open(self) -> None:
        """Under another name until it is locked: nobody takes it for one that was left."""
        self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        early = self._path.with_name(f".{self._path.name}.new")
        file = os.open(early, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, MODE)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            early.rename(self._path)
            self._sync_folder()
        except OSError:
            os.close(file)
            raise
        self._file = file

    def _drop(self) -> None:
        if self._file >= 0:
            self._unlink(self._path)
            os.close(self._file)
        self._file, self.bytes = -1, 0

    def _others(self) -> list[Path]:
        try:
            found = [
                one
                for one in self._folder.iterdir()
                if one.name.startswith(f"{self._kind}-") and one.name.endswith(SUFFIX) and one != self._path
            ]
            return sorted(found, key=lambda one: one.stat().st_mtime)
        except FileNotFoundError:  # no folder yet, or somebody else has just taken one
            return []
        except OSError as error:
            raise SpoolFailed(f"{self._folder}: {error.strerror}.") from error

    def _takes(self, path: Path) -> bool:
        if path.name in self._held:
            return True
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise SpoolFailed(f"{path}: {error.strerror}.") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            gone = os.fstat(file).st_nlink == 0  # its owner, or another heir, was done with it
        except OSError:  # it lives
            gone = True
        if gone:
            os.close(file)
            return False
        self._held[path.name] = file
        return True

    def _bytes_of(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise SpoolFailed(f"{path}: {error.strerror}.") from error

    def _unlink(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
            self._sync_folder()
        except OSError as error:
            raise SpoolFailed(f"{path}: {error.strerror}.") from error

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODER = msgspec.msgpack.Decoder(Unwritten)


def encode_change(change: Unwritten) -> bytes:
    """As files and Redis keep it."""
    return _ENCODE(change)


def decode_change(raw: bytes) -> Unwritten | None:
    """None: it makes no sense; the log says so."""
    try:
        change = _DECODER.decode(raw)
        if not CAMPAIGN_ID.fullmatch(change.campaign):
            raise msgspec.ValidationError("no campaign has such a name")
        return change
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        log.error("a change that was kept makes no sense and is left out", action="spool_broken", error=str(error))
        return None


class DiskSpool:
    """ports.Spool: a SpoolFile with a thread of its own, for an event loop."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._file = SpoolFile(folder, "engine", most_bytes)
        self._thread = ThreadPoolExecutor(1, "spool")

    async def start(self) -> None:
        """Raises SpoolFailed where the folder cannot be used."""
        await self._done(self._file.ready)

    async def keep(self, changes: Sequence[Unwritten]) -> None:
        await self._done(self._file.append, [encode_change(one) for one in changes])

    async def rewrite(self, changes: Sequence[Unwritten]) -> None:
        await self._done(self._file.rewrite, [encode_change(one) for one in changes])

    async def clear(self) -> None:
        await self._done(self._file.clear)

    async def left(self) -> tuple[str, list[Unwritten]] | None:
        found = await self._done(self._file.left)
        if found is None:
            return None
        read = [decode_change(one) for one in found[1]]
        if None in read:
            self._file.doubt(found[0])
        return found[0], [one for one in read if one is not None]

    async def remove(self, name: str) -> None:
        await self._done(self._file.remove, name)

    def size(self) -> int:
        return self._file.bytes

    async def close(self) -> None:
        """The file stays where something waits in it."""
        await self._done(self._file.close)
        self._thread.shutdown(wait=False)

    async def _done(self, work: Callable[..., T], *given: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=DIGEST_BYTES).hexdigest().encode()


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
