"""What a measurement runs on: Redis, the dialer's Asterisk, the demo's carrier, IVR and engine, as real processes."""

import asyncio
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dialer.adapters.asterisk_conf import CONF, AsteriskSettings, Phone, Trunk, render, section
from dialer.adapters.asterisk_install import find
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.clock import SystemClock
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.sounds import write_plain
from dialer.demo.carrier import Carrier, CarrierSettings
from dialer.demo.debtors import keys
from dialer.demo.voice import Voice
from dialer.demo.world import CALLER_ID, NODE, ROOT, TRUNK, Program, World, free_port
from dialer.dialplan import endpoint
from dialer.errors import SetupError

# Not the demo's addresses: both may run at once, and RTP ports are shared by address.
PBX_HOST, CARRIER_HOST, PHONES_HOST = "127.0.0.11", "127.0.0.12", "127.0.0.13"
LOCAL = "127.0.0.1"
ATTEMPT_HEADER = "X-Santun-Attempt"
WATCHER = "watcher"
READY_S = 30.0
LOOK_S = 0.1
SOCKET_ROOM = 60  # characters of a run folder that leave room for a control socket's path


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
    profile: Path | None

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
    profile: bool = False  # the engine under cProfile


@asynccontextmanager
async def open_bench(wanted: Wanted, say: Callable[[str], None]) -> AsyncIterator[Bench]:
    """Start everything, in order; stop everything, in reverse, whatever happens."""
    asterisk = find(ROOT)
    phones = tuple(Phone(agent, secrets.token_hex(8)) for agent in wanted.agents)
    sounds = ROOT / ".cache" / "sounds"
    async with AsyncExitStack() as stack:
        run = _run_folder(stack)
        settings = _settings(asterisk.modules, run, sounds, phones)
        env = {"SANTUN_AMI_SECRET": settings.ami_secret, "SANTUN_PERSON_KEY": secrets.token_hex(32)}
        say("Starting Redis, two Asterisks, the IVR and the engine")
        await _render_sounds(sounds, env)
        redis = RedisProcess(redis_server(ROOT), run / "redis")
        stack.push_async_callback(redis.stop)
        await redis.start()
        env["SANTUN_REDIS_URL"] = redis.url
        pbx, manager = _pbx(asterisk, settings)
        stack.push_async_callback(pbx.stop)
        await pbx.start()
        carrier = Carrier(asterisk, _carrier(settings, run))
        stack.push_async_callback(carrier.stop)
        await carrier.start(Voice())
        config, http_port = _config(run, settings, wanted), free_port(LOCAL, socket.SOCK_STREAM)
        listen = f"{settings.ivr_host}:{settings.ivr_port}"
        ivr = Program("ivr", ("ivr", "serve", "--prompts", str(sounds), "--listen", listen, "--drain-s", "1"), env, run)
        words = ("dialer", "serve", "--config", str(config), "--listen", f"{LOCAL}:{http_port}")
        profile = run / "engine.profile" if wanted.profile else None
        dialer = Program("dialer", ("cProfile", "-o", str(profile), "-m", *words) if profile else words, env, run)
        for program in (ivr, dialer):
            stack.push_async_callback(program.stop)
            await program.start()
        world = World(run, config, env, redis, pbx, carrier, dialer, ivr, http_port)
        await _ready(world, phones, settings.ivr_port)
        yield Bench(world, manager, profile)


def _run_folder(stack: AsyncExitStack) -> Path:
    """Logs stay behind in .run/bench, the last measurement's."""
    keep = ROOT / ".run" / "bench"
    shutil.rmtree(keep, ignore_errors=True)
    keep.mkdir(parents=True)
    if len(str(keep)) < SOCKET_ROOM:
        return keep
    short = Path(tempfile.mkdtemp(prefix="santun-"))
    stack.callback(shutil.rmtree, short, True)
    return short


def _settings(modules: Path, run: Path, sounds: Path, phones: tuple[Phone, ...]) -> AsteriskSettings:
    (run / "recordings").mkdir()
    return AsteriskSettings(
        node=NODE,
        run=run / "pbx",
        modules=modules,
        sounds=sounds,
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


def _pbx(asterisk: object, settings: AsteriskSettings) -> tuple[AsteriskProcess, Manager]:
    """The product's own configuration, and beside it a manager user that sees the moment of an answer."""
    from dialer.adapters.asterisk_check import Asterisk

    assert isinstance(asterisk, Asterisk)
    etc = settings.run / "etc"
    render(settings, CONF, etc)
    manager = Manager(settings.ami_host, settings.ami_port, WATCHER, secrets.token_hex(16))
    rights = {"deny": "0.0.0.0/0.0.0.0", "permit": settings.ami_permit, "read": "system,call,user"}
    text = section(WATCHER, secret=manager.secret, **rights, write="originate,call,reporting")
    names = ("FullyBooted", "Newstate", "OriginateResponse", "BridgeEnter", "Hangup", "UserEvent")
    lines = "".join(f"eventfilter(action(include),name({name})) =\n" for name in names)
    with (etc / "manager.conf").open("a") as file:
        file.write("\n" + text.rstrip() + "\n" + lines)
    return AsteriskProcess(asterisk, settings.run, settings.sounds), manager


def _carrier(settings: AsteriskSettings, run: Path) -> CarrierSettings:
    return CarrierSettings(
        run=run / "carrier",
        pbx_host=PBX_HOST,
        pbx_port=settings.sip_port,
        port=settings.trunks[0].port,
        host=CARRIER_HOST,
        phones_host=PHONES_HOST,
        phones=settings.phones,
        keys=keys(_today()),
    )


def _today() -> date:
    return SystemClock().today()


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


async def _render_sounds(sounds: Path, env: Mapping[str, str]) -> None:
    await asyncio.to_thread(write_plain, sounds)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ivr", "prompts", "render", "--out", str(sounds), "--company", "Koperasi Contoh",
        env={**os.environ, **env}, cwd=ROOT, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    said = (await process.communicate())[0].decode(errors="replace").strip()
    if process.returncode:
        raise SetupError(f"the prompts could not be rendered: {said}")


async def _ready(world: World, phones: tuple[Phone, ...], ivr_port: int) -> None:
    names = [f"{endpoint(phone.agent)}@" for phone in phones]

    async def registered() -> bool:
        contacts = await world.pbx.console("pjsip show contacts")
        return all(name in contacts for name in names)

    await until("the agents' phones", registered, READY_S)
    await until("the IVR", lambda: _listens(ivr_port), READY_S)
    await until("the engine", lambda: _listens(world.http_port), READY_S)


async def until(what: str, ready: Callable[[], Awaitable[bool]], limit_s: float) -> None:
    """Wait for it; SetupError when it takes longer."""
    try:
        async with asyncio.timeout(limit_s):
            while not await ready():
                await asyncio.sleep(LOOK_S)
    except TimeoutError as error:
        raise SetupError(f"{what} did not come up within {limit_s:.0f} s; see .run/bench.") from error


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOCAL, port)
    except OSError:
        return False
    writer.close()
    return True
