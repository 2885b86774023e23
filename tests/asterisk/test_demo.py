"""The demo as people start it: to its end, with a list of their own, two at once, and ended at any moment."""

import asyncio
import contextlib
import os
import pty
import re
import signal
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from dialer.demo.carrier import CarrierCall, parse_call

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
LINE_LIMIT_S = 120.0
END_LIMIT_S = 180.0
SMALL = ("--agents", "3", "--contacts", "30")
CALLING = "calling; your own list: . "
OWN_NUMBERS = {"+6281211112222", "+6281398765432"}  # of docs/examples/debtors.csv, in no table of the carrier's


class Demo:
    """One demo and what it has said; `home` is where a careless program would leave its files."""

    def __init__(self, process: asyncio.subprocess.Process, output: asyncio.StreamReader, home: Path) -> None:
        self.process, self.home, self.said = process, home, ""
        self._output = output

    async def until(self, words: str) -> str:
        """The line that has these words; all of it is kept in `said`."""
        async with asyncio.timeout(LINE_LIMIT_S):
            while line := (await self._output.readline()).decode(errors="replace"):
                self.said += line
                if words in line:
                    return line.rstrip()
        raise AssertionError(f"it never said {words!r}:\n{self.said}")

    async def run_folder(self) -> Path:
        """Once it is calling."""
        line = await self.until(CALLING)
        return (ROOT / line.partition(CALLING)[2].partition(";")[0]).parent

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    async def end(self) -> int:
        """Its exit code, with everything said until then."""
        async with asyncio.timeout(END_LIMIT_S):
            with contextlib.suppress(OSError):  # a terminal's end
                self.said += (await self._output.read()).decode(errors="replace")
            return await self.process.wait()


@asynccontextmanager
async def demo(home: Path, *words: str, terminal: int | None = None) -> AsyncIterator[Demo]:
    """Started; its process is ended here if the test has not."""
    await asyncio.to_thread(home.mkdir)
    env = os.environ | {"HOME": str(home), "TMPDIR": str(home), "COLUMNS": "100", "PYTHONUNBUFFERED": "1"}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dialer.demo", *words,
        cwd=ROOT, env=env, stdin=asyncio.subprocess.DEVNULL, stdout=terminal or pipe, stderr=terminal or pipe,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield Demo(process, process.stdout or _nothing(), home)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def _nothing() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_eof()
    return reader


def processes_of(run: Path) -> Iterator[int]:
    """Every process that works in the run folder, or was told of it."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                where = Path(os.readlink(entry / "cwd"))
                if f"{run}/".encode() in told or where.is_relative_to(run):
                    yield int(entry.name)


def nothing_left(one: Demo, run: Path) -> None:
    """No process, no file outside the run folder, no secret in it."""
    assert not list(processes_of(run))
    assert not list(one.home.rglob("*"))
    assert not (run / "env").exists()
    assert not (run / "pids").exists()
    assert not (run / "log-ins").exists()


def calls_of(run: Path) -> list[CarrierCall]:
    return [parse_call(line) for line in (run / "carrier" / "calls.log").read_text().splitlines()]


async def signs_in(run: Path) -> dict[str, str]:
    """What the web says to the supervisor's log-in, as it is printed."""
    told = (run / "log-ins").read_text()
    assert stat.S_IMODE((run / "log-ins").stat().st_mode) == 0o600
    address, password = re.findall(r"http://\S+", told)[0], re.findall(r"supervisor +(\S+)", told)[0]
    body = {"name": "supervisor", "password": password}
    async with ClientSession() as client, client.post(f"{address}api/v1/sign-in", json=body) as answer:
        said: dict[str, str] = await answer.json()
        return said


async def load_own_list(run: Path) -> str:
    """As the README says it."""
    words = f". {run}/env; {sys.executable} -m dialer load docs/examples/debtors.csv --campaign demo"
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", words, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    return (await process.communicate())[0].decode()


async def test_two_at_once_one_with_a_list_of_ones_own(tmp_path: Path) -> None:
    """A short one to its end, the books agree; another beside it, whose last calls nobody waits for."""
    async with (
        demo(tmp_path / "a", "--agents", "4", "--contacts", "4", "--minutes", "0.7") as first,
        demo(tmp_path / "b", *SMALL, "--minutes", "0.1", "--seed", "2") as second,
    ):
        run, other = await first.run_folder(), await second.run_folder()
        assert run != other
        assert stat.S_IMODE((run / "env").stat().st_mode) == 0o600
        assert len(list(processes_of(run))) in (5, 6)  # the keeper of recordings may be a moment later
        assert (await signs_in(run))["step"] == "password"  # to be changed at once
        loaded = await load_own_list(run)
        assert "11 new debtors in demo; 0 rows and 0 single values not used." in loaded
        await second.until("no new calls any more")
        second.signal(signal.SIGINT)
        assert await second.end() == 128 + signal.SIGINT, second.said
        assert "has exactly one matching outcome" in second.said
        nothing_left(second, other)
        assert await first.end() == 0, first.said
    nothing_left(first, run)
    assert "has exactly one matching outcome" in first.said
    assert "From answer to agent: " in first.said
    answered = {call.number for call in calls_of(run) if call.answered_at}
    assert answered >= OWN_NUMBERS


@pytest.mark.parametrize(
    ("words", "number"), [("Redis is up", signal.SIGINT), ("the dialer's Asterisk is up", signal.SIGTERM)]
)
async def test_it_may_be_stopped_while_it_starts(tmp_path: Path, words: str, number: int) -> None:
    async with demo(tmp_path / "a", *SMALL) as one:
        await one.until(words)
        runs = [folder for folder in (ROOT / ".run").glob("demo*") if (folder / "pids").exists()]
        one.signal(number)
        assert await one.end() == 128 + number, one.said
    assert "Stopped before its time" in one.said
    assert "Traceback" not in one.said
    for run in runs:
        if not (run / "pids").exists():
            nothing_left(one, run)


async def test_twice_ends_it_at_once(tmp_path: Path) -> None:
    async with demo(tmp_path / "a", *SMALL) as one:
        run = await one.run_folder()
        await one.until("lines,")
        one.signal(signal.SIGINT)
        await one.until("no new calls any more")
        one.signal(signal.SIGINT)
        assert await one.end() == 128 + signal.SIGINT, one.said
    assert "Traceback" not in one.said
    nothing_left(one, run)


async def test_it_ends_with_its_terminal(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    before = set((ROOT / ".run").glob("demo*/pids"))
    async with demo(tmp_path / "a", *SMALL, terminal=theirs) as one:
        os.close(theirs)
        screen = ""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(LINE_LIMIT_S):
            while " to call" not in screen:
                screen += (await loop.run_in_executor(None, os.read, ours, 65_536)).decode(errors="replace")
        runs = [path.parent for path in (ROOT / ".run").glob("demo*/pids") if path not in before]
        os.close(ours)
        one.signal(signal.SIGHUP)  # as the kernel does for a session whose terminal has gone
        assert await one.end() == 128 + signal.SIGHUP
    for run in runs:
        nothing_left(one, run)
