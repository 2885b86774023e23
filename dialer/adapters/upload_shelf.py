"""Uploads on disk, where every web process that has the folder finds them: a folder each, its state beside the file.

ROOT/.open               held by every process that uses the folder: the last one that leaves takes all away
ROOT/UPLOAD/upload.json  how it stands
ROOT/UPLOAD/lock         held by the process that reads it; free: nobody does, whatever the state says
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from dialer.errors import ConfigError

STATE, LOCK, OPEN = "upload.json", "lock", ".open"


class State(msgspec.Struct):
    """How an upload stands, for every process. `looked`: what its columns mean; `owner`: who sent it."""

    id: str
    owner: str
    name: str
    at: float
    size: int = 0
    state: str = "new"
    looked: msgspec.Raw = msgspec.Raw(b"{}")
    summary: dict[str, Any] = {}
    error: str = ""
    campaign: str = ""


_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(State).decode


class Held:
    """A lock on a file for as long as this lives, also across processes; given back when a process dies."""

    def __init__(self, path: Path, shared: bool = False) -> None:
        """Raises BlockingIOError where somebody else has it, OSError where there is no such place."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BaseException:
            os.close(self._file)
            raise

    def share(self, shared: bool = True) -> bool:
        """For others too, or for us alone; False: others have it."""
        try:
            fcntl.flock(self._file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give it back."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class Shelf:
    """The folder. What a crash of all processes left is taken away by the first one that comes."""

    def __init__(self, root: Path) -> None:
        self.root = _private(root)
        try:
            self._open = Held(root / OPEN)
            for one in self._folders():
                shutil.rmtree(one, ignore_errors=True)
            self._open.share()
        except BlockingIOError:
            self._open = Held(root / OPEN, shared=True)

    def close(self) -> None:
        """Whoever is last leaves nothing: the files hold personal data."""
        if self._open.share(False):
            shutil.rmtree(self.root, ignore_errors=True)
        self._open.release()

    def folder(self, upload: str) -> Path:
        """Of an upload, there or not."""
        return self.root / upload

    def make(self, one: State) -> None:
        """A place for a new one."""
        self.folder(one.id).mkdir(mode=0o700)
        self.save(one)

    def save(self, one: State) -> bool:
        """False: it has been dropped meanwhile, and stays so."""
        path = self.folder(one.id) / STATE
        part = path.with_name(f".{STATE}.{os.getpid()}")
        try:
            part.write_bytes(_encode(one))
            os.replace(part, path)
        except FileNotFoundError:
            return False
        return True

    def all(self) -> list[State]:
        """Every one that can be read, the oldest first."""
        found = [self.read(path.name) for path in self._folders()]
        return sorted((one for one in found if one is not None), key=lambda one: (one.at, one.id))

    def read(self, upload: str) -> State | None:
        """How it stands; None: there is none."""
        if "/" in upload or upload.startswith("."):
            return None
        try:
            return _decode((self.folder(upload) / STATE).read_bytes())
        except (OSError, ValueError):
            return None

    def hold(self, upload: str) -> Held:
        """To read it. Raises BlockingIOError while somebody does, OSError where it is gone."""
        return Held(self.folder(upload) / LOCK)

    def is_held(self, upload: str) -> bool:
        """Whether somebody reads it now."""
        try:
            self.hold(upload).release()
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def drop(self, upload: str) -> None:
        """Whoever reads it finds it gone."""
        shutil.rmtree(self.folder(upload), ignore_errors=True)

    def _folders(self) -> list[Path]:
        with contextlib.suppress(OSError):
            return [path for path in self.root.iterdir() if path.is_dir() and not path.is_symlink()]
        return []


def default_root(site: str) -> Path:
    """One for each user and site of this machine; `site`: what tells sites apart."""
    name = hashlib.sha256(site.encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"santun-uploads-{os.getuid()}-{name}"


def _private(root: Path) -> Path:
    """Ours alone: others may make folders where it lies."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        seen = root.lstat()
    except OSError as error:
        raise ConfigError(f"[web] uploads = {root}: {error.strerror}.") from error
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid() or seen.st_mode & 0o077:
        raise ConfigError(f"[web] uploads = {root}: use a folder of this user alone (mode 0700), and no link.")
    return root
