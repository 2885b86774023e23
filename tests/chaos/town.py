"""What a chaos run breaks: the demo's parts, each a process of its own, kept up by a service manager of ours."""

import asyncio
import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dialer.adapters.asterisk_conf import CONF, AsteriskSettings, Phone, Trunk, render
from dialer.adapters.asterisk_install import find
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.clock import SystemClock
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.demo.carrier import Carrier, CarrierSettings
from dialer.demo.debtors import keys
from dialer.demo.folder import RUN_PATH_MAX, Folder, end_leftovers, free_port
from dialer.demo.program import ROOT, Program, run_to_end
from dialer.demo.voice import Voice
from dialer.demo.world import CALLER_ID, COMPANY, NODE, TRUNK
from dialer.dialplan import endpoint
from dialer.errors import SetupError
from tests.chaos import moved_engine
from tests.chaos.rules import stricter
from tests.chaos.service import Service
from tests.chaos.wire import Wire

LOCAL = "127.0.0.1"
# Not the demo's nor a bench's: RTP ports are shared by address.
PBX_HOST, CARRIER_HOST, NO_PHONES_HOST, DESKS_HOST, PHONES_HOST = (f"127.0.0.{last}" for last in range(41, 46))
ATTEMPT_HEADER = "X-Santun-Attempt"
KEEP = ROOT / ".run" / "chaos"  # logs of the last run
READY_S = 60.0
LOOK_S = 0.1
SHOWN = 100  # characters of a command
TRUNK_RATE = 2.5  # of a campaign's: a trunk is shared evenly, and the agents' campaign waits for its agents
PATIENCE_S = 20  # who gets no packet at all for so long, as from an Asterisk that is no more, hangs up

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Town:
    """Everything that runs, and how it is reached."""

    run: Path
    env: Mapping[str, str]
    config: Path
    clock: Path  # how far the engine's wall clock is off: moved_engine.move
    redis: RedisProcess
    pbx: AsteriskProcess
    carrier: Carrier
    desks: Carrier  # the robots' phones: what befalls the carrier does not befall them
    wire: Wire  # between engine and Asterisk's manager
    ivr_port: int
    web_port: int
    phones: tuple[Phone, ...]
    services: Mapping[str, Service]
    secrets: tuple[str, ...]

    async def command(self, *words: str) -> str:
        """Run one command of the product to its end; what it printed. Raises SetupError with its last words."""
        return await run_to_end(("dialer", *words, "--config", str(self.config)), self.env)

    def logs(self) -> tuple[Path, ...]:
        """Every log of the product and of what it runs on; not the carrier's, which is the debtors' side."""
        own = [*self.run.glob("*.log"), self.run / "redis" / "redis.log", *(self.run / "pbx" / "log").rglob("*")]
        return tuple(path for path in own if path.is_file())

    def strays(self) -> dict[int, str]:
        """Processes of the product that no service knows, by their words: what a killed one has left running."""
        known = {os.getpid()} | {service.process.pid for service in self.services.values() if service.process.alive}
        mark = f"SANTUN_CONFIG={self.config}".encode()
        pids = [pid for pid in _pids() if {pid, _parent(pid)}.isdisjoint(known) and mark in _of(pid, "environ")]
        return {pid: _of(pid, "cmdline").decode(errors="replace").replace("\0", " ")[:SHOWN] for pid in pids}

    async def stop(self) -> None:
        """Everything; those first who would complain that the others are gone."""
        for service in self.services.values():
            service.wanted = False
            service.thaw()
        programs = [self.services[name].process for name in ("engine", "web", "ivr")]
        await asyncio.gather(*(one.stop() for one in programs if isinstance(one, Program)))
        await self.wire.stop()
        await asyncio.gather(self.carrier.stop(), self.desks.stop(), self.pbx.stop())
        await self.redis.stop()
        for pid in self.strays():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def open_town(agents: tuple[str, ...], lines: int, rate: float, keep: Path, say: Say) -> AsyncIterator[Town]:
    """Start everything, at once where nothing waits for another; stop everything, whatever happens."""
    with _run_folder(keep) as folder:
        town = _town(agents, lines, rate, folder)
        say("Starting Redis, three Asterisks, IVR, engine and web")
        try:
            await _start(town, folder)
            yield town
        finally:
            await town.stop()


@contextmanager
def _run_folder(keep: Path) -> Iterator[Folder]:
    """Ends what a killed run left running; its logs stay until the next one."""
    with contextlib.ExitStack() as stack:
        keep.parent.mkdir(parents=True, exist_ok=True)
        lock = stack.enter_context(keep.with_suffix(".lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError("another chaos run is under way here; two at once would break each other.") from None
        end_leftovers(keep)
        shutil.rmtree(keep, ignore_errors=True)
        keep.mkdir(mode=0o700)
        run = keep
        if len(str(keep)) > RUN_PATH_MAX:
            run = Path(tempfile.mkdtemp(prefix="santun-"))
            stack.callback(shutil.rmtree, run, True)
            stack.callback(_keep_logs, run, keep)
        yield Folder(run, keep)


def _keep_logs(run: Path, keep: Path) -> None:
    for path in run.rglob("*.log"):
        kept = keep / path.relative_to(run)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, kept)


def _town(agents: tuple[str, ...], lines: int, rate: float, folder: Folder) -> Town:
    asterisk, run = find(ROOT), folder.run
    phones = tuple(Phone(agent, secrets.token_hex(8)) for agent in agents)
    settings = _settings(asterisk.modules, run, phones)
    redis = RedisProcess(
        redis_server(ROOT), run / "redis", port=free_port(LOCAL, socket.SOCK_STREAM),
        options=("--auto-aof-rewrite-percentage", "0"),  # the file is read afterwards: all that was ever written
    )  # fmt: skip
    web_port = free_port(LOCAL, socket.SOCK_STREAM)
    wire = Wire(free_port(LOCAL, socket.SOCK_STREAM), settings.ami_port)
    config = _config(run, settings, wire.port, lines, rate)
    render(settings, CONF, settings.run / "etc")
    env = {
        "SANTUN_CONFIG": str(config),
        "SANTUN_AMI_SECRET": settings.ami_secret,
        "SANTUN_PERSON_KEY": secrets.token_hex(32),
        "SANTUN_REDIS_URL": redis.url,
        "HOME": str(run),
    }
    clock = run / "clock"
    moved_engine.move(clock, 0.0)
    listen = f"{settings.ivr_host}:{settings.ivr_port}"
    ivr = Program(
        "ivr", ("ivr", "serve", "--prompts", str(settings.sounds), "--listen", listen, "--drain-s", "1"), env, run
    )
    engine = Program("engine", ("tests.chaos.moved_engine", str(clock)), env, run)
    web = Program("web", ("dialer", "web", "--listen", f"{LOCAL}:{web_port}"), env, run)
    pbx = AsteriskProcess(asterisk, settings.run, settings.sounds)
    carrier, desks = (Carrier(asterisk, one) for one in _carriers(settings, run))
    services = {
        "redis": Service("redis", redis, redis.start, folder.note),
        "asterisk": Service("asterisk", pbx, pbx.start, folder.note),
        "carrier": Service("carrier", carrier.process, carrier.process.start, folder.note),
        "desks": Service("desks", desks.process, desks.process.start, folder.note),
        "ivr": Service("ivr", ivr, ivr.start, folder.note),
        "engine": Service("engine", engine, engine.start, folder.note),
        "web": Service("web", web, web.start, folder.note),
    }
    kept = (settings.ami_secret, env["SANTUN_PERSON_KEY"], *(phone.password for phone in phones))
    return Town(
        run, env, config, clock, redis, pbx, carrier, desks, wire,
        settings.ivr_port, web_port, phones, services, kept,
    )  # fmt: skip


def _settings(modules: Path, run: Path, phones: tuple[Phone, ...]) -> AsteriskSettings:
    (run / "recordings").mkdir()
    return AsteriskSettings(
        node=NODE,
        run=run / "pbx",
        modules=modules,
        sounds=ROOT / ".cache" / "sounds",
        recordings=run / "recordings",
        ami_port=free_port(LOCAL, socket.SOCK_STREAM),
        ami_secret=secrets.token_hex(16),
        sip_host=PBX_HOST,
        sip_port=free_port(PBX_HOST, socket.SOCK_DGRAM),
        media_address=PBX_HOST,
        ivr_port=free_port(LOCAL, socket.SOCK_STREAM),
        trunks=(Trunk(TRUNK, CARRIER_HOST, free_port(CARRIER_HOST, socket.SOCK_DGRAM)),),
        phones=phones,
    )


def _carriers(settings: AsteriskSettings, run: Path) -> tuple[CarrierSettings, CarrierSettings]:
    """The carrier with its debtors; and the agents' desks."""
    pressed = keys(SystemClock().today())
    carrier = CarrierSettings(
        run=run / "carrier", pbx_host=PBX_HOST, pbx_port=settings.sip_port, port=settings.trunks[0].port,
        host=CARRIER_HOST, phones_host=NO_PHONES_HOST, patience_s=PATIENCE_S, keys=pressed,
    )  # fmt: skip
    desks = CarrierSettings(
        run=run / "desks", pbx_host=PBX_HOST, pbx_port=settings.sip_port, port=settings.trunks[0].port,
        host=DESKS_HOST, phones_host=PHONES_HOST, phones=settings.phones, keys=pressed,
    )  # fmt: skip
    return carrier, desks


def _config(run: Path, settings: AsteriskSettings, ami_port: int, lines: int, rate: float) -> Path:
    trunk = settings.trunks[0]
    rules = run / "stricter.toml"
    rules.write_text(stricter(datetime.now(UTC)))
    path = run / "santun.toml"
    path.write_text(
        f"""[asterisk.{NODE}]
host = "{LOCAL}"
port = {ami_port}
user = "{settings.ami_user}"

[trunk.{TRUNK}]
endpoint = "{trunk.name}"
host = "{trunk.host}"
port = {trunk.port}
lines = {lines}
calls_per_second = {rate * TRUNK_RATE:g}
caller_ids = ["{CALLER_ID}"]
attempt_header = "{ATTEMPT_HEADER}"

[ivr]
host = "{settings.ivr_host}"
port = {settings.ivr_port}

[rules]
stricter = ["{rules}"]
"""
    )
    return path


async def _start(town: Town, folder: Folder) -> None:
    try:
        async with asyncio.TaskGroup() as together:
            together.create_task(_asterisks(town, folder))
            together.create_task(_product(town))
    except* SetupError as failed:
        raise failed.exceptions[0] from None
    await until("the agents' phones", lambda: _registered(town))


async def _asterisks(town: Town, folder: Folder) -> None:
    sounds = ROOT / ".cache" / "sounds"
    await run_to_end(("ivr", "prompts", "render", "--out", str(sounds), "--company", COMPANY), town.env)
    await town.services["asterisk"].up()
    await asyncio.gather(town.carrier.start(Voice()), town.desks.start(Voice()))
    for name in ("carrier", "desks"):
        town.services[name].wanted = True
        folder.note(town.services[name].process.pid)


async def _product(town: Town) -> None:
    await town.services["redis"].up()
    await town.wire.start()
    for name in ("ivr", "engine", "web"):
        await town.services[name].up()
    await until("the IVR", lambda: listens(town.ivr_port))
    await until("the web", lambda: listens(town.web_port))


async def _registered(town: Town) -> bool:
    contacts = await town.pbx.console("pjsip show contacts")
    return all(f"{endpoint(phone.agent)}@" in contacts for phone in town.phones)


async def until(what: str, ready: Callable[[], Awaitable[bool]], limit_s: float = READY_S) -> None:
    """Look until it is so. Raises SetupError."""
    try:
        async with asyncio.timeout(limit_s):
            while not await ready():  # noqa: ASYNC110 - another process
                await asyncio.sleep(LOOK_S)
    except TimeoutError as error:
        raise SetupError(f"{what} did not come up within {limit_s:.0f} s.") from error


async def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        _, writer = await asyncio.open_connection(LOCAL, port)
    except OSError:
        return False
    writer.close()
    return True


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _parent(pid: int) -> int:
    words = _of(pid, "stat").rpartition(b")")[2].split()
    return int(words[1]) if words else 0


def _of(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""
