"""What our own processes listen on: what they were told and nothing else, and by their defaults on loopback alone."""

import asyncio
import inspect
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.config import Asterisk, Ivr, MetricsPages, Redis, Web
from dialer.demo.folder import free_port
from ivr.cli import serve
from tests.asterisk.waiting import until_now
from tests.listeners import Listener, listeners
from tests.web.house import ENV, SITE

ROOT = Path(__file__).parents[1]
LOCAL = "127.0.0.1"


def free() -> int:
    return free_port(LOCAL, socket.SOCK_STREAM)


def with_children(pid: int) -> Iterator[int]:
    yield pid
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            yield from with_children(int(child))


def doors(pid: int) -> set[Listener]:
    """Of a process and all that it started; some may have ended meanwhile."""
    found: set[Listener] = set()
    for one in list(with_children(pid)):
        try:
            found |= listeners(one)
        except FileNotFoundError:
            continue
    return found


@asynccontextmanager
async def started(words: Sequence[str], folder: Path, env: dict[str, str]) -> AsyncIterator[int]:
    log = folder / "log"
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *words, cwd=ROOT, env=os.environ | ENV | env, stdin=asyncio.subprocess.DEVNULL,
            stdout=said, stderr=said,
        )  # fmt: skip
    try:
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(60):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def until_open(pid: int, told: set[Listener]) -> None:
    await until_now(lambda: told <= doors(pid), "all doors open", 90)


@pytest.mark.redis
async def test_each_process_opens_what_it_was_told_and_nothing_else(tmp_path: Path) -> None:
    redis = RedisProcess(redis_server(ROOT), tmp_path / "redis", "no")
    await redis.start()
    ports = {name: free() for name in ("web", "engine", "pages", "ivr", "told")}
    site = tmp_path / "santun.toml"
    site.write_text(f'[redis]\nurl = "{redis.url}"\n{SITE}\n[metrics]\nlisten = "{LOCAL}:{ports["engine"]}"\n')
    ivr = ("--prompts", str(tmp_path / "sounds"), "--redis", redis.url)
    commands: dict[tuple[str, ...], set[int]] = {
        ("dialer", "serve", "--config", str(site), "--listen", f"{LOCAL}:{ports['web']}"): {
            ports["web"], ports["engine"],
        },
        ("dialer", "web", "--config", str(site), "--listen", f"{LOCAL}:{ports['pages']}"): {ports["pages"]},
        ("ivr", "serve", *ivr, "--listen", f"{LOCAL}:{ports['ivr']}", "--metrics", f"{LOCAL}:{ports['told']}"): {
            ports["ivr"], ports["told"],
        },
    }  # fmt: skip
    try:
        for words, expected in commands.items():
            folder = tmp_path / "-".join(words[:2])
            folder.mkdir()
            async with started(words, folder, {"HOME": str(tmp_path)}) as pid:
                told = {Listener("tcp", LOCAL, port) for port in expected}
                await until_open(pid, told)
                assert doors(pid) == told, words
        assert doors(redis.pid) == {Listener("tcp", LOCAL, int(redis.url.rpartition(":")[2].partition("/")[0]))}
    finally:
        await redis.kill()


def test_by_their_defaults_all_of_it_is_on_loopback() -> None:
    said = inspect.signature(serve).parameters
    places = [Web().listen, said["listen"].default, f"{Ivr().host}:{Ivr().port}"]
    places += [Redis().url.removeprefix("redis://").partition("/")[0], f"{Asterisk(secret='x').host}:1"]
    assert all(ip_address(one.rpartition(":")[0]).is_loopback for one in places), places
    assert (MetricsPages().listen, said["metrics"].default) == ("", ""), "nowhere"
