"""Reads the rows of a list in several processes, in order and in bounded memory.

A thread reads the file and hands the chunks round; whoever asks for results gets them in the file's order. No more than
a few chunks are under way. A process that ends by itself is an error that names the row it was at.
"""

import asyncio
import contextlib
import mmap
import os
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import BinaryIO, Self, cast

from dialer.adapters.frames import decoder, encode, read_frame, write_frame
from dialer.adapters.list_worker import LINE, Job, Read, Rows
from dialer.errors import DialerError
from dialer.lists.importing import RawChunk, ReadChunk

AHEAD = 2  # chunks under way for each process
PROCESSES_MAX = 8
FEEDER_WAIT_S = 2.0
_CURE = "its chunk and those behind it were not brought. Take the row out, load again, and report it."


class RowFailed(DialerError):
    """A row could not be read because of a mistake in Santun itself:"""


class _Worker:
    """One process."""

    def __init__(self, job: bytes) -> None:
        self._line_file = tempfile.TemporaryFile()  # noqa: SIM115 # end() closes it
        self._line_file.truncate(LINE.size)
        number = self._line_file.fileno()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dialer.adapters.list_worker", str(number)], pass_fds=(number,),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self._in, self._out = cast(BinaryIO, self.process.stdin), cast(BinaryIO, self.process.stdout)
        self.give(job)

    def give(self, raw: bytes) -> None:
        """A message; one that ended is found out by take()."""
        with contextlib.suppress(BrokenPipeError):
            write_frame(self._in, raw)

    def take(self) -> bytes | None:
        return read_frame(self._out)

    def line(self) -> int:
        """The row that it is at."""
        with mmap.mmap(self._line_file.fileno(), LINE.size) as at_line:
            return int(LINE.unpack_from(at_line, 0)[0])

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self._in, self._out, self._line_file):
            with contextlib.suppress(OSError):
                pipe.close()


class ListPool:
    """The processes for one list. Close it: they end with it."""

    def __init__(self, job: Job, processes: int = 0) -> None:
        self._job = encode(job)
        self._count = processes or max(1, min(PROCESSES_MAX, os.cpu_count() or 1))
        self._workers: list[_Worker] = []
        self._feeder: threading.Thread | None = None
        self._room = threading.Semaphore(self._count * AHEAD)
        self._ended = threading.Event()
        self._news = threading.Condition()
        self._under_way: deque[RawChunk] = deque()
        self._all_given = False
        self._failure: BaseException | None = None
        self._decode: Callable[[bytes], Read] = decoder(Read).decode

    def __enter__(self) -> Self:
        try:
            for _ in range(self._count):
                self._workers.append(_Worker(self._job))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """The processes, to measure them."""
        return [worker.process.pid for worker in self._workers]

    def close(self) -> None:
        """End the processes, whatever they are at."""
        self._ended.set()
        for _ in range(self._count * AHEAD + 1):
            self._room.release()
        for worker in self._workers:
            worker.process.kill()  # a feeder that waits for a full pipe goes on with a broken one
        if self._feeder is not None:
            self._feeder.join(FEEDER_WAIT_S)  # it may wait for a spreadsheet to open: its process ends with ours
        for worker in self._workers:
            worker.end()
        self._workers = []

    def results(self, chunks: Iterator[RawChunk]) -> Iterator[ReadChunk]:
        """What became of every chunk, in order. Raises what reading the file raises, and RowFailed."""
        self._feeder = threading.Thread(target=self._feed, args=(chunks,), daemon=True)
        self._feeder.start()
        place = 0
        while (chunk := self._next()) is not None:
            worker = self._workers[place % self._count]
            raw = worker.take()
            if self._ended.is_set():
                return
            if raw is None:
                raise RowFailed(f"row {worker.line()}: its process ended ({_how(worker.process)}); {_CURE}")
            self._room.release()
            yield self._result(chunk, self._decode(raw))
            place += 1

    async def stream(self, chunks: Iterator[RawChunk]) -> AsyncGenerator[ReadChunk, None]:
        """The same for a loop that must not wait: one result is fetched while the last one is used."""
        results = self.results(chunks)
        coming = asyncio.create_task(asyncio.to_thread(next, results, None))
        try:
            while (result := await asyncio.shield(coming)) is not None:
                coming = asyncio.create_task(asyncio.to_thread(next, results, None))
                yield result
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise asyncio.CancelledError  # redis-py may have swallowed it
        finally:
            self._ended.set()
            for worker in self._workers:
                worker.process.kill()  # ends the thread that waits for it
            with self._news:
                self._news.notify_all()
            with contextlib.suppress(Exception):  # what it raises now is of no interest: we are being left
                await coming

    def _feed(self, chunks: Iterator[RawChunk]) -> None:
        try:
            for place, chunk in enumerate(chunks):
                self._room.acquire()
                if self._ended.is_set():
                    break
                with self._news:
                    self._under_way.append(chunk)
                    self._news.notify_all()
                self._workers[place % self._count].give(encode(Rows(chunk.number, chunk.rows)))
        except BaseException as error:  # handed to the thread that asks for results
            self._failure = error
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
            with self._news:
                self._all_given = True
                self._news.notify_all()

    def _next(self) -> RawChunk | None:
        with self._news:
            while not self._under_way:
                if self._ended.is_set():
                    return None
                if self._all_given:
                    if self._failure is not None:
                        raise self._failure
                    return None
                self._news.wait()
            return self._under_way.popleft()

    @staticmethod
    def _result(chunk: RawChunk, found: Read) -> ReadChunk:
        if found.fault:
            raise RowFailed(f"row {found.line}: {found.fault}; {_CURE}")

        def raw(line: int) -> Sequence[str]:
            cells = next((cells for number, cells in chunk.rows if number == line), "")
            return () if isinstance(cells, str) else cells

        return ReadChunk(
            found.number, len(chunk.rows), found.contacts, found.lines, found.rejected, found.restored,
            found.restored_count, chunk.done, chunk.total, raw,
        )  # fmt: skip


def _how(process: "subprocess.Popen[bytes]") -> str:
    code = process.wait()
    return f"signal {-code}" if code < 0 else f"exit code {code}"
