"""200 desks and 20 boards on one web process beside an engine that works: how late they see, what the engine feels.

A real engine (tests/bench/web_engine.py), a real Redis, a real `dialer web`. Update delay: from the engine's own time
in a board or a note to its arrival. The engine's delays are measured with and without the web's load, in turns.
"""

import asyncio
import contextlib
import json
import os
import socket
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from random import uniform
from time import monotonic, time
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, CookieJar, TCPConnector, WSMsgType, WSServerHandshakeError
from rich.console import Console
from rich.table import Table

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_sessions import Limits, RedisSessions, RedisTokens
from dialer.adapters.redis_users import RedisUsers
from dialer.demo.folder import free_port
from dialer.users import ApiToken, Role, Step, User
from tests.bench.meter import Moment, Span, percentile
from tests.bench.web_engine import CAMPAIGN, FIRST_AGENT

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
DESKS, BOARDS = 200, 20
TURNS = 2  # of with and without
TURN_S = 20.0
SETTLE_S = 4.0
READY_S = 60.0
LIMIT_MS = 250.0
SITE = """
[redis]
url = "{url}"
[asterisk.a]
[trunk.trunk]
endpoint = "carrier"
host = "127.0.0.2"
lines = 1000
caller_ids = ["+622150001234"]
[web]
connections_per_address = 2000
"""


@dataclass(slots=True)
class Engine:
    """Its process, and what it tells."""

    process: Process
    told: list[dict[str, float]] = field(default_factory=list)

    async def listen(self) -> None:
        """Until it ends."""
        if self.process.stdout is not None:
            async for line in self.process.stdout:
                self.told.append(json.loads(line))

    def figures(self, name: str, spans: list[tuple[float, float]]) -> list[float]:
        """What it told in these spans."""
        return [one[name] for one in self.told if name in one and any(a <= one["at"] < b for a, b in spans)]


@dataclass(slots=True)
class Load:
    """What the desks and boards saw while it `counts`."""

    counts: bool = False
    boards_ms: list[float] = field(default_factory=list)
    notes_ms: list[float] = field(default_factory=list)
    pops_ms: list[float] = field(default_factory=list)
    resyncs: int = 0
    again: int = 0  # sockets that were refused when all came at once
    refused: dict[int, int] = field(default_factory=dict)


async def main(quick: bool, console: Console) -> None:
    """Measure and show."""
    desks, turn_s = (20, 6.0) if quick else (DESKS, TURN_S)
    with tempfile.TemporaryDirectory(prefix="santun-") as name:
        folder = Path(name)
        redis = RedisProcess(redis_server(ROOT), folder / "redis", "everysec")
        await redis.start()
        try:
            async with _engine(redis, desks) as engine, _web(redis, folder) as (web, port):
                await _busy(engine)
                load, alone, loaded = Load(), [], []
                pids = {"engine": engine.process.pid, "web": web.pid, "Redis": redis.pid, "this bench": os.getpid()}
                before = Moment.now(pids)
                used: list[Span] = []
                for _ in range(1 if quick else TURNS):
                    alone.append(await _span(turn_s))
                    async with _people(redis, port, desks, load):
                        await asyncio.sleep(SETTLE_S)  # the first look of everybody at once is no update
                        load.counts, began = True, Moment.now(pids)
                        loaded.append(await _span(turn_s))
                        load.counts = False
                        used.append(Span(began, Moment.now(pids)))
                _show(console, desks, engine, alone, loaded, load, used)
                console.print(Span(before, Moment.now(pids)).load())
        finally:
            await redis.stop()


async def _span(seconds: float) -> tuple[float, float]:
    began = time()
    await asyncio.sleep(seconds)
    return began, time()


async def _busy(engine: Engine) -> None:
    """Until calls are being connected."""
    until = monotonic() + READY_S
    while not any("connect" in one for one in engine.told):
        if monotonic() > until or engine.process.returncode is not None:
            raise RuntimeError("the engine connects nobody")
        await asyncio.sleep(0.2)
    await asyncio.sleep(SETTLE_S)


@asynccontextmanager
async def _engine(redis: RedisProcess, agents: int) -> AsyncIterator[Engine]:
    words = ("-m", "tests.bench.web_engine", redis.url, str(agents))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True
    )
    engine = Engine(process)
    listening = asyncio.create_task(engine.listen())
    try:
        yield engine
    finally:
        await _end(process)
        await listening


@asynccontextmanager
async def _web(redis: RedisProcess, folder: Path) -> AsyncIterator[tuple[Process, int]]:
    port = free_port(HOST, socket.SOCK_STREAM)
    config = folder / "santun.toml"
    config.write_text(SITE.format(url=redis.url))
    env = os.environ | {"SANTUN_AMI_SECRET": "invented", "SANTUN_PERSON_KEY": "ab" * 32}
    words = ("-m", "dialer", "web", "--config", str(config), "--listen", f"{HOST}:{port}")
    with (folder / "web.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, cwd=ROOT, env=env, stdin=DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until = monotonic() + READY_S
        while not await _listens(port):
            if monotonic() > until or process.returncode is not None:
                raise RuntimeError((folder / "web.log").read_text())
            await asyncio.sleep(0.1)
        yield process, port
    finally:
        await _end(process)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def _people(redis: RedisProcess, port: int, desks: int, load: Load) -> AsyncIterator[None]:
    """Signed in, their sockets open."""
    link = Link(redis.url)
    users = RedisUsers(link)
    sessions = RedisSessions(link, users, Limits())
    cookies = []
    for number in range(desks):
        agent = str(FIRST_AGENT + number)
        user = await users.user(f"agent{agent}")
        if user is None:
            user = User(f"agent{agent}", Role.AGENT, "none", agent)
            await users.add(user)
        cookies.append((await sessions.open(user, Step.DONE, HOST, time()))[0])
    tokens = RedisTokens(link, Limits())
    token = await tokens.make(ApiToken("", "boards", "", ("board:see",), "bench", time()))
    base = f"http://{HOST}:{port}"
    async with ClientSession(connector=TCPConnector(limit=0), cookie_jar=CookieJar(unsafe=True)) as client:
        ready = asyncio.Semaphore(0)
        works = [asyncio.create_task(_board(client, base, token, load, ready)) for _ in range(BOARDS)]
        works += [asyncio.create_task(_desk(client, base, cookie, load, ready)) for cookie in cookies]
        try:
            async with asyncio.timeout(READY_S):
                for _ in works:
                    while not await _acquired(ready):
                        _all_open(works)
            yield
            _all_open(works)
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
            await link.close()


async def _acquired(ready: asyncio.Semaphore) -> bool:
    with contextlib.suppress(TimeoutError):
        return await asyncio.wait_for(ready.acquire(), 1.0)
    return False


def _all_open(works: list[asyncio.Task[None]]) -> None:
    for work in works:
        if work.done():
            work.result()
            raise RuntimeError("a socket was closed")


async def _connected(client: ClientSession, url: str, headers: dict[str, str], load: Load) -> ClientWebSocketResponse:
    """As pages do: whoever finds no room tries again a moment later."""
    while True:
        try:
            return await client.ws_connect(url, headers=headers, max_msg_size=0)
        except WSServerHandshakeError as error:
            if error.status != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            load.again += 1
            await asyncio.sleep(uniform(0.5, 1.5))


async def _board(client: ClientSession, base: str, token: str, load: Load, ready: asyncio.Semaphore) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    seq = 0
    async with await _connected(client, f"{base}/live?campaign={CAMPAIGN.id}", headers, load) as ws:
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                break
            told: dict[str, Any] = json.loads(message.data)
            if told["type"] == "snapshot":
                load.resyncs += bool(seq and load.counts)
                if not seq:
                    ready.release()
            if told["type"] in ("snapshot", "delta"):
                seq = told["seq"]
                if load.counts and "at" in told["data"]:
                    load.boards_ms.append(1000 * (time() - told["data"]["at"]))


async def _desk(client: ClientSession, base: str, cookie: str, load: Load, ready: asyncio.Semaphore) -> None:
    headers = {"Cookie": f"santun={cookie}"}
    attempt, first = "", True
    asking: set[asyncio.Task[None]] = set()
    try:
        async with await _connected(client, f"{base}/live?desk=1", headers, load) as ws:
            async for message in ws:
                if message.type is not WSMsgType.TEXT:
                    break
                told = json.loads(message.data)
                if first:
                    ready.release()
                if told["type"] == "desk" and load.counts:
                    load.notes_ms.append(1000 * (time() - told["note"]["at"]))
                if told["type"] == "desk" and told["note"]["attempt"] not in ("", attempt):
                    attempt = told["note"]["attempt"]  # a call: the page asks who it is
                    asked = asyncio.create_task(_pop(client, base, headers, load))
                    asking.add(asked)
                    asked.add_done_callback(asking.discard)
                first = False
    finally:
        for one in asking:
            one.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def _pop(client: ClientSession, base: str, headers: dict[str, str], load: Load) -> None:
    began = monotonic()
    async with client.get(f"{base}/api/v1/desk/pop", headers=headers) as answer:
        await answer.read()
        load.refused[answer.status] = load.refused.get(answer.status, 0) + 1
        if answer.status == 200 and load.counts:
            load.pops_ms.append(1000 * (monotonic() - began))


def _show(
    console: Console, desks: int, engine: Engine, alone: list[tuple[float, float]], loaded: list[tuple[float, float]],
    load: Load, used: list[Span],
) -> None:  # fmt: skip
    title = f"{desks} desks and {BOARDS} boards on one web process"
    table = Table("ms", "n", "p50", "p99", "most", title=title)
    for name, values in (
        ("board: engine's time to arrival", load.boards_ms),
        ("desk note: engine's time to arrival", load.notes_ms),
        ("who is on the line (GET /desk/pop)", load.pops_ms),
        ("engine, timer of 50 ms late, without web", engine.figures("turn", alone)),
        ("engine, timer of 50 ms late, with web", engine.figures("turn", loaded)),
        ("engine, answer to Redirect, without web", engine.figures("connect", alone)),
        ("engine, answer to Redirect, with web", engine.figures("connect", loaded)),
    ):
        shares = [f"{percentile(values, share):.1f}" for share in (0.5, 0.99, 1.0)]
        table.add_row(name, f"{len(values):,}", *shares)
    console.print(table)
    seconds = sum(span.seconds for span in used)
    for process in ("web", "engine", "Redis", "this bench"):
        share = 100 * sum(span.cpu_s(process) for span in used) / seconds
        console.print(f"{process}: {share:.0f}% of one CPU, {used[-1].rss_mb(process):.0f} MB")
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(load.refused.items()))
    console.print(f"sockets refused when all came at once: {load.again}; snapshots sent again: {load.resyncs}")
    console.print(f"answers to /desk/pop: {statuses}")
    worst = max(percentile(load.boards_ms, 0.99), percentile(load.notes_ms, 0.99))
    verdict = "kept" if worst <= LIMIT_MS else "NOT kept"
    console.print(f"update delay p99 {worst:.0f} ms, asked for: {LIMIT_MS:.0f} ms: {verdict}")
