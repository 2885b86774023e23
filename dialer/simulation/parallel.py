"""Shifts side by side in processes of their own; an interrupt ends them at once, a crash is told."""

import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from dialer.errors import DialerError

Task = TypeVar("Task")
Done = TypeVar("Done")


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def spread(work: Callable[[Task], Done], tasks: Iterable[Task], jobs: int) -> Generator[tuple[Task, Done], None, None]:
    """Every task with what `work` made of it, in the order of their ends; `work` is a function of a module.

    A task is taken from `tasks` when a process is free for it, so an endless iterator may stop when time is up.
    """
    if jobs <= 1:
        for task in tasks:
            yield task, work(task)
        return
    coming = iter(tasks)
    with _Workers(work) as workers:
        for task in coming:
            workers.give(task, jobs)
            if len(workers.busy) == jobs:
                yield from workers.done()
        while workers.busy:
            yield from workers.done()


class _Workers(Generic[Task, Done]):
    def __init__(self, work: Callable[[Task], Done]) -> None:
        self._work = work
        self._processes: list[BaseProcess] = []
        self._free: list[Connection] = []
        self.busy: dict[Connection, Task] = {}

    def __enter__(self) -> "_Workers[Task, Done]":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()
        for line in (*self._free, *self.busy):
            line.close()

    def give(self, task: Task, jobs: int) -> None:
        """To a free process, or a new one."""
        if not self._free and len(self._processes) < jobs:
            self._free.append(self._start())
        line = self._free.pop()
        line.send(task)
        self.busy[line] = task

    def done(self) -> Iterator[tuple[Task, Done]]:
        """At least one task that has ended."""
        ready = wait(list(self.busy))
        for line in [one for one in self.busy if one in ready]:
            task = self.busy.pop(line)
            self._free.append(line)
            try:
                found = line.recv()
            except EOFError:
                raise DialerError(f"the process that simulated {task} died; is there memory enough?") from None
            if isinstance(found, BaseException):
                raise found
            yield task, found

    def _start(self) -> Connection:
        context = get_context("spawn")  # a fork would keep the other processes' pipes open
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._work), daemon=True)
        process.start()
        theirs.close()
        self._processes.append(process)
        return ours


def _serve(line: Connection, work: Callable[[object], object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    while True:
        try:
            task = line.recv()
        except EOFError:
            return
        try:
            line.send(work(task))
        except Exception as error:
            line.send(error)
