"""Recordings given out: found by our own names, opened in threads piece by piece, never plain on a disk."""

import asyncio
import os
import stat
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from dialer.adapters.sealed import CHUNK, Seals, plain_size
from dialer.adapters.sealed_recordings import PLAIN, SEALED, day_of
from dialer.errors import StoreDown

log = structlog.get_logger(__name__)
AT_ONCE = 16
AHEAD = 4  # pieces
HAND_OVER_S = 60.0  # a listener who takes no piece for so long is gone


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording that can be read. `size`: of the WAV file in bytes."""

    path: Path
    size: int
    shelf: "Shelf"

    def pieces(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Bytes from `start` to before `stop`. Raises StoreDown where too many listen at once, OSError."""
        return self.shelf.pieces(self, start, stop)


class Shelf:
    """The folder, and who may open what lies in it. `plain`: unencrypted ones are given out, too."""

    def __init__(self, folder: Path, seals: Seals | None, plain: bool) -> None:
        self._folder, self._seals, self._plain = folder, seals, plain
        self._pool = ThreadPoolExecutor(AT_ONCE, "recording")
        self._open = 0

    def find(self, name: str) -> Sound | None:
        """By the name in the outcome, such as ATTEMPT.wav; no link, no other place."""
        stem = name.removesuffix(PLAIN)
        places = [self._folder / day_of(stem) / (stem + SEALED)] + ([self._folder / name] if self._plain else [])
        for path in places:
            try:
                if not stat.S_ISREG(os.lstat(path).st_mode):
                    continue
                if path.suffix == PLAIN:
                    return Sound(path, path.stat().st_size, self)
                with path.open("rb") as file:
                    return Sound(path, plain_size(file), self)
            except FileNotFoundError:
                continue
            except OSError as error:
                log.error("a recording cannot be read", action="recording", file=path.name, reason=str(error))
        return None

    def is_new(self, name: str) -> bool:
        """It lies there plain: the call is under way, or it is sealed in a moment."""
        return not self._plain and stat.S_ISREG(_mode(self._folder / name))

    async def pieces(self, sound: Sound, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """See Sound."""
        if self._open >= AT_ONCE:
            raise StoreDown("too many recordings are being listened to; ask again")
        self._open += 1
        try:
            loop, ready = asyncio.get_running_loop(), asyncio.Queue[bytes | None](AHEAD)
            window = _Window(start, stop, ready, loop)
            work = loop.run_in_executor(self._pool, self._read, sound.path, window)
            try:
                while (piece := await ready.get()) is not None:
                    yield piece
            finally:
                window.closed = True
                while not ready.empty():
                    ready.get_nowait()
                with suppress(_Enough):
                    await work
        finally:
            self._open -= 1

    def close(self) -> None:
        """No more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _read(self, path: Path, window: "_Window") -> None:
        try:
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
                if path.name.endswith(SEALED):
                    if self._seals is None:
                        raise OSError("there are no site keys here")
                    self._seals.open_stream(file, window)
                else:
                    while data := file.read(CHUNK):
                        window.write(data)
            window.flush_out()
        finally:
            window.end()


class _Enough(OSError):
    """All that was asked for is out, or nobody listens any more."""


class _Window:
    """Lets a stretch of a stream through to a queue of the loop, in pieces of CHUNK bytes. Used by one thread."""

    def __init__(
        self, start: int, stop: int, ready: "asyncio.Queue[bytes | None]", loop: asyncio.AbstractEventLoop
    ) -> None:
        self._skip, self._left = start, stop - start
        self._ready, self._loop = ready, loop
        self._kept = bytearray()
        self.closed = False

    def write(self, data: bytes) -> int:
        if self.closed:
            raise _Enough
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        taken = data[skipped : skipped + self._left]
        self._left -= len(taken)
        self._kept += taken
        if len(self._kept) >= CHUNK:
            self.flush_out()
        if self._left <= 0:
            self.flush_out()
            raise _Enough
        return len(data)

    def flush(self) -> None:
        """Asked for by age at the end."""

    def flush_out(self) -> None:
        if self._kept:
            self._put(bytes(self._kept))
            self._kept.clear()

    def end(self) -> None:
        """No more pieces, whatever happened."""
        with suppress(_Enough):
            self._put(None)

    def _put(self, piece: bytes | None) -> None:
        if self.closed:
            raise _Enough
        try:
            given = asyncio.run_coroutine_threadsafe(self._ready.put(piece), self._loop)
        except RuntimeError as error:  # the loop has ended
            raise _Enough from error
        try:
            given.result(HAND_OVER_S)
        except TimeoutError as error:
            given.cancel()
            raise _Enough from error


def _mode(path: Path) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0
