"""What a run breaks things with: the wire, the service manager, the clock that a file moves, the closed hours."""

import asyncio
import contextlib
import os
import socket
import sys
import tomllib
from asyncio.subprocess import Process, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dialer.adapters.clock import SystemClock
from dialer.demo.folder import free_port
from dialer.law.stricter import parse_stricter, tighten
from tests import packs
from tests.asterisk.waiting import until_now
from tests.chaos.moved_engine import MovedClock, move
from tests.chaos.rules import CAP, EAST, RUN_MAX_MIN, stricter
from tests.chaos.service import Service
from tests.chaos.wire import HOST, Way, Wire

SOON_S = 0.3  # so long nothing comes where nothing is to come


@asynccontextmanager
async def echoing() -> AsyncIterator[Wire]:
    """A wire to somebody who sends everything back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(100):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    wire = Wire(free_port(HOST, socket.SOCK_STREAM), server.sockets[0].getsockname()[1])
    await wire.start()
    yield wire
    await wire.stop()
    server.close()


async def test_a_wire_passes_on_falls_silent_delivers_late_and_is_cut() -> None:
    async with echoing() as wire:
        reader, writer = await asyncio.open_connection(HOST, wire.port)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        wire.turn(Way.SILENT)
        writer.write(b"two")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(3), SOON_S)
        _, late = await asyncio.open_connection(HOST, wire.port)  # half-open: it takes connections
        wire.turn(Way.THROUGH)
        assert await asyncio.wait_for(reader.readexactly(3), 5) == b"two"
        wire.turn(Way.CUT)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), 5)
        writer.close()
        late.close()


class Sleeper:
    """A process that does nothing."""

    process: Process | None = None

    async def start(self) -> None:
        self.process = await create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(60)")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None


async def test_whatever_ends_is_started_again_and_only_what_we_killed_is_expected() -> None:
    sleeper, noted = Sleeper(), list[int]()
    service = Service("sleeper", sleeper, sleeper.start, noted.append)
    await service.up()
    keeper = asyncio.create_task(service.keep())
    try:
        service.kill()
        await until_now(lambda: len(noted) == 2 and sleeper.alive, "it is back", 20)
        assert service.ended == []
        os.kill(sleeper.pid, 15)
        await until_now(lambda: len(noted) == 3 and sleeper.alive, "it is back again", 20)
        assert service.ended == ["sleeper ended by itself"]
    finally:
        keeper.cancel()
        service.wanted = False
        assert sleeper.process is not None
        sleeper.process.kill()
        await sleeper.process.wait()


def test_a_file_moves_the_wall_clock_and_not_the_stopwatch(tmp_path: Path) -> None:
    file, right = tmp_path / "clock", SystemClock()
    move(file, 0.0)
    clock = MovedClock(file)
    assert abs(clock.now() - right.now()) < 5
    move(file, 3600.0)
    assert 3595 < clock.now() - right.now() < 3605
    assert abs(clock.monotonic() - right.monotonic()) < 5
    move(file, -3 * 86_400.0)
    assert clock.today() < right.today()


@pytest.mark.parametrize("hour", range(24))
def test_the_east_is_closed_as_long_as_a_run_may_last_and_nobody_else(hour: int) -> None:
    at = datetime(2026, 11, 22, hour, 17, tzinfo=UTC)
    pack = tighten(packs.demo(), parse_stricter(tomllib.loads(stricter(at)), "stricter.toml"))
    assert {cap.count for cap in pack.caps} == {CAP}
    for minutes in (0.0, RUN_MAX_MIN):
        for zone, is_open in ((EAST, False), ("Asia/Makassar", True), ("Asia/Jakarta", True)):
            local = (at + timedelta(minutes=minutes)).astimezone(ZoneInfo(zone))
            minute = local.hour * 60 + local.minute
            spans = pack.hours.days[local.weekday()]
            assert any(opens <= minute < closes for opens, closes in spans) is is_open, (zone, local)
