"""Rows read in several processes: in order, in bounded memory, and ended by nothing but themselves or us."""

import asyncio
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dialer.adapters.list_pool import AHEAD, ListPool, RowFailed
from dialer.adapters.list_worker import Job
from dialer.contacts import ListRules
from dialer.errors import BadInput
from dialer.lists.columns import read_header
from dialer.lists.importing import RawChunk

JOB = Job(read_header(["nik", "hp", "jumlah"]), ListRules(bytes(range(32))))


def chunks(count: int, size: int = 3, bad: int = -1) -> Iterator[RawChunk]:
    line = 2
    for number in range(count):
        if number == bad:
            raise BadInput("the file ends in the middle")
        rows = [(line + i, [f"N{line + i}", f"0812{line + i:08d}", "1"]) for i in range(size)]
        line += size
        yield RawChunk(number, [*rows], line, 2 + count * size)


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_results_come_in_the_files_order(processes: int) -> None:
    with ListPool(JOB, processes) as pool:
        found = list(pool.results(chunks(17)))
        pids = pool.pids
    assert [one.number for one in found] == list(range(17))
    assert [line for one in found for line in one.lines] == list(range(2, 2 + 51))
    assert found[0].contacts[0].numbers[0].e164 == "+6281200000002"
    assert list(found[0].raw(3)) == ["N3", "081200000003", "1"]
    assert list(found[0].raw(99)) == []
    assert gone(pids)


def test_every_contact_has_an_alias_of_its_own() -> None:
    with ListPool(JOB, 1) as pool:
        found = [contact.alias for one in pool.results(chunks(5)) for contact in one.contacts]
    assert len(set(found)) == len(found) == 15
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{16}", alias) for alias in found)


def test_the_file_is_read_no_further_than_a_few_chunks_ahead() -> None:
    read = 0

    def counted() -> Iterator[RawChunk]:
        nonlocal read
        for one in chunks(50):
            read += 1
            yield one

    with ListPool(JOB, 2) as pool:
        results = pool.results(counted())
        for taken, _ in enumerate(results, 1):
            assert read <= taken + 2 * AHEAD + 1
    assert read == 50


def test_what_reading_raises_comes_after_what_was_read() -> None:
    with ListPool(JOB, 2) as pool:
        results = pool.results(chunks(9, bad=5))
        assert [next(results).number for _ in range(5)] == [0, 1, 2, 3, 4]
        with pytest.raises(BadInput, match="in the middle"):
            next(results)


def test_a_mistake_of_ours_names_the_row_and_shows_nothing_of_it() -> None:
    job = replace_currency("XXX")
    with ListPool(job, 2) as pool, pytest.raises(RowFailed) as caught:
        list(pool.results(chunks(4)))
    assert "row 2: KeyError in values.py, line" in str(caught.value)
    assert "N2" not in str(caught.value)


def replace_currency(currency: str) -> Job:
    return Job(JOB.columns, replace(JOB.rules, currency=currency))


def test_a_process_that_is_killed_names_the_row_it_was_at() -> None:
    with ListPool(JOB, 1) as pool:
        results = pool.results(chunks(10_000, size=50))
        next(results)
        os.kill(pool.pids[0], signal.SIGKILL)
        with pytest.raises(RowFailed, match=r"row [0-9]+: its process ended \(signal 9\)"):
            list(results)


def test_who_leaves_early_leaves_nothing_behind() -> None:
    async def some() -> list[int]:
        with ListPool(JOB, 2) as pool:
            pids = pool.pids
            stream = pool.stream(chunks(100_000))
            async for one in stream:
                if one.number == 3:
                    break
            await stream.aclose()
            return pids

    threads = threading.active_count()
    began = time.monotonic()
    assert gone(asyncio.run(some()))
    assert threading.active_count() == threads
    assert time.monotonic() - began < 20


def test_who_is_cancelled_leaves_nothing_behind() -> None:
    async def cancelled() -> list[int]:
        begun, pids = asyncio.Event(), list[int]()

        async def work() -> None:
            with ListPool(JOB, 2) as pool:
                pids.extend(pool.pids)
                async for _ in pool.stream(chunks(100_000)):
                    begun.set()

        task = asyncio.create_task(work())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return pids

    assert gone(asyncio.run(cancelled()))


def test_who_leaves_does_not_wait_for_a_spreadsheet_that_takes_long_to_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.adapters.list_pool.FEEDER_WAIT_S", 0.1)
    opened, left = threading.Event(), threading.Event()

    def slow() -> Iterator[RawChunk]:
        yield from chunks(1)
        opened.set()
        left.wait(30)

    async def some() -> None:
        with ListPool(JOB, 1) as pool:
            stream = pool.stream(slow())
            await anext(stream)
            await asyncio.to_thread(opened.wait)
            await stream.aclose()

    asyncio.run(some())
    left.set()
