"""What a measurement runs on: Redis, the dialer's Asterisk, the demo's carrier, IVR and engine, as real processes."""

import asyncio
import contextlib
import fcntl
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dialer.adapters.asterisk_check import Asterisk
from dialer.adapters.asterisk_conf import CONF, AsteriskSettings, Phone, Trunk, render, section
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
from dialer.demo.world import CALLER_ID, COMPANY, NODE, TRUNK, World
from dialer.dialplan import endpoint
from dialer.errors import SetupError

# Not the demo's addresses: both may run at once, and RTP ports are shared by address.
PBX_HOST, CARRIER_HOST, PHONES_HOST = "127.0.0.11", "127.0.0.12", "127.0.0.13"
LOCAL = "127.0.0.1"
ATTEMPT_HEADER = "X-Santun-Attempt"
WATCHER = "watcher"
EVENTS = ("FullyBooted", "Newstate", "OriginateResponse", "BridgeEnter", "Hangup", "UserEvent")
KEEP = ROOT / ".run" / "bench"  # logs of the last measurement
PROFILE = KEEP / "engine.profile"
READY_S = 30.0
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Manager:
    """Where a second manager session, with events of its own choice, gets in."""

    host: str
    port: int
    user: str
    secret: str


@dataclass(frozen=True, slots=True)
class Bench:
    """A world, and what only a measurement needs."""

    world: World
    manager: Manager

    @property
    def pids(self) -> Mapping[str, int]:
        """Every process that a call costs something, and this one."""
        world = self.world
        return {
            "engine": world.dialer.pid,
            "Redis": world.redis.pid,
            "IVR": world.ivr.pid,
            "PBX": world.pbx.pid,
            "carrier": world.carrier.process.pid,
            "this bench": os.getpid(),
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to start."""

    lines: int
    calls_per_second: float
    agents: tuple[str, ...] = ()
    profile: bool = False  # the engine under cProfile, into PROFILE


@asynccontextmanager
async def open_bench(wanted: Wanted, say: Callable[[str], None]) -> AsyncIterator[Bench]:
    """Start everything, at once where nothing waits for another; stop everything, whatever happens."""
    asterisk = find(ROOT)
    phones = tuple(Phone(agent, secrets.token_hex(8)) for agent in wanted.agents)
    with _run_folder() as folder:
        settings = _settings(asterisk.modules, folder.run, phones)
        world, manager = _world(asterisk, settings, folder.run, wanted)
        say("Starting Redis, two Asterisks, the IVR and the engine")
        try:
            await _start(world, settings, folder)
            yield Bench(world, manager)
        finally:
            await world.stop()


@contextmanager
def _run_folder() -> Iterator[Folder]:
    """Ends what a killed bench left running."""
    with contextlib.ExitStack() as stack:
        KEEP.parent.mkdir(exist_ok=True)
        lock = stack.enter_context(KEEP.with_suffix(".lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError("another bench runs here; two at once would measure each other.") from None
        end_leftovers(KEEP)
        shutil.rmtree(KEEP, ignore_errors=True)
        KEEP.mkdir(mode=0o700)
        run = KEEP
        if len(str(KEEP)) > RUN_PATH_MAX:
            run = Path(tempfile.mkdtemp(prefix="santun-"))
            stack.callback(shutil.rmtree, run, True)
        yield Folder(run, KEEP)


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


def _world(asterisk: Asterisk, settings: AsteriskSettings, run: Path, wanted: Wanted) -> tuple[World, Manager]:
    redis = RedisProcess(redis_server(ROOT), run / "redis", port=free_port(LOCAL, socket.SOCK_STREAM))
    config, http_port = _config(run, settings, wanted), free_port(LOCAL, socket.SOCK_STREAM)
    env = {
        "SANTUN_CONFIG": str(config),
        "SANTUN_AMI_SECRET": settings.ami_secret,
        "SANTUN_PERSON_KEY": secrets.token_hex(32),
        "SANTUN_REDIS_URL": redis.url,
    }
    listen, sounds = f"{settings.ivr_host}:{settings.ivr_port}", str(settings.sounds)
    ivr = Program("ivr", ("ivr", "serve", "--prompts", sounds, "--listen", listen, "--drain-s", "1"), env, run)
    words = ("dialer", "serve", "--listen", f"{LOCAL}:{http_port}")
    profiled = ("tests.bench.profiled", str(PROFILE), *words[1:])
    dialer = Program("dialer", profiled if wanted.profile else words, env, run)
    carrier = Carrier(asterisk, _carrier(settings, run))
    pbx = AsteriskProcess(asterisk, settings.run, settings.sounds)
    manager = Manager(settings.ami_host, settings.ami_port, WATCHER, secrets.token_hex(16))
    _configure(settings, manager)
    return World(run, config, env, redis, pbx, carrier, dialer, ivr, http_port), manager


def _configure(settings: AsteriskSettings, manager: Manager) -> None:
    """The product's own configuration, and beside it a manager user that sees the moment of an answer."""
    render(settings, CONF, settings.run / "etc")
    rights = {"deny": "0.0.0.0/0.0.0.0", "permit": settings.ami_permit, "read": "system,call,user"}
    text = section(manager.user, secret=manager.secret, **rights, write="originate,call,reporting").rstrip()
    filters = "".join(f"eventfilter(action(include),name({name})) =\n" for name in EVENTS)
    with (settings.run / "etc" / "manager.conf").open("a") as file:
        file.write(f"\n{text}\n{filters}")


def _carrier(settings: AsteriskSettings, run: Path) -> CarrierSettings:
    return CarrierSettings(
        run=run / "carrier",
        pbx_host=PBX_HOST,
        pbx_port=settings.sip_port,
        port=settings.trunks[0].port,
        host=CARRIER_HOST,
        phones_host=PHONES_HOST,
        phones=settings.phones,
        keys=keys(SystemClock().today()),
    )


def _config(run: Path, settings: AsteriskSettings, wanted: Wanted) -> Path:
    trunk = settings.trunks[0]
    path = run / "santun.toml"
    path.write_text(
        f"""[asterisk.{NODE}]
host = "{settings.ami_host}"
port = {settings.ami_port}
user = "{settings.ami_user}"

[trunk.{TRUNK}]
endpoint = "{trunk.name}"
host = "{trunk.host}"
port = {trunk.port}
lines = {wanted.lines}
calls_per_second = {wanted.calls_per_second}
caller_ids = ["{CALLER_ID}"]
attempt_header = "{ATTEMPT_HEADER}"

[ivr]
host = "{settings.ivr_host}"
port = {settings.ivr_port}
"""
    )
    return path


async def _start(world: World, settings: AsteriskSettings, folder: Folder) -> None:
    try:
        async with asyncio.TaskGroup() as together:
            together.create_task(_asterisks(world, folder))
            together.create_task(_product(world, settings, folder))
    except* SetupError as failed:
        raise failed.exceptions[0] from None
    names = [f"{endpoint(phone.agent)}@" for phone in settings.phones]

    async def registered() -> bool:
        contacts = await world.pbx.console("pjsip show contacts")
        return all(name in contacts for name in names)

    await until("the agents' phones", registered, READY_S, world)


async def _asterisks(world: World, folder: Folder) -> None:
    await world.pbx.start()
    folder.note(world.pbx.pid)
    await world.carrier.start(Voice())
    folder.note(world.carrier.process.pid)
    await world.pbx.console(f"pjsip qualify {TRUNK}")  # the first OPTIONS may have gone before it was up


async def _product(world: World, settings: AsteriskSettings, folder: Folder) -> None:
    await run_to_end(("ivr", "prompts", "render", "--out", str(settings.sounds), "--company", COMPANY), world.env)
    await world.redis.start()
    folder.note(world.redis.pid)
    for program in (world.dialer, world.ivr):
        await program.start()
        folder.note(program.pid)
    await until("the IVR", lambda: _listens(settings.ivr_port), READY_S, world)
    await until("the engine", lambda: _listens(world.http_port), READY_S, world)


async def until(what: str, ready: Callable[[], Awaitable[bool]], limit_s: float, world: World | None = None) -> None:
    """Wait for it; SetupError when it takes longer, or when a program of the world has ended by itself."""
    programs = (world.dialer, world.ivr) if world else ()
    try:
        async with asyncio.timeout(limit_s):
            while not await ready():
                for program in programs:
                    if not program.alive:
                        raise SetupError(f"{program.name} ended by itself: {program.last_lines()}")
                await asyncio.sleep(LOOK_S)
    except TimeoutError as error:
        said = "; ".join(f"{program.name}: {program.last_lines()}" for program in programs)
        raise SetupError(f"{what} did not come up within {limit_s:.0f} s. {said}") from error


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOCAL, port)
    except OSError:
        return False
    writer.close()
    return True
