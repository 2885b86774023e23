"""Everything the demo needs, started and stopped: Redis, the dialer's Asterisk, a carrier, the IVR, the engine."""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dialer.adapters.asterisk_check import Asterisk
from dialer.adapters.asterisk_conf import CONF, AsteriskSettings, Phone, Trunk, render
from dialer.adapters.asterisk_install import find
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.demo.carrier import Carrier, CarrierSettings
from dialer.demo.debtors import keys
from dialer.demo.voice import Voice
from dialer.dialplan import endpoint
from dialer.errors import SetupError

ROOT = Path(__file__).parents[2]
NODE, TRUNK = "demo", "carrier"
PBX_HOST, CARRIER_HOST, PHONES_HOST = "127.0.0.1", "127.0.0.2", "127.0.0.3"
CALLER_ID = "+622150001234"
COMPANY = "Koperasi Contoh"
READY_S = 20.0
LOOK_S = 0.05
STOP_S = 8.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class World:
    """What is running. `env` and `config` are what the commands of the product need."""

    run: Path
    config: Path
    env: Mapping[str, str]
    redis: RedisProcess
    pbx: AsteriskProcess
    carrier: Carrier
    dialer: "Program"
    ivr: "Program"
    http_port: int

    async def command(self, *words: str) -> str:
        """Run one command of the product to its end; what it printed. Raises SetupError with its last words."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "dialer", *words, "--config", str(self.config),
            env={**os.environ, **self.env}, cwd=ROOT, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        said = (await process.communicate())[0].decode(errors="replace").strip()
        if process.returncode:
            raise SetupError(f"dialer {' '.join(words)}: {said}")
        return said


class Program:
    """One process of the product, its log in the run folder, stopped by its own pid."""

    def __init__(self, name: str, words: tuple[str, ...], env: Mapping[str, str], run: Path) -> None:
        self.name, self.log = name, run / f"{name}.log"
        self._words, self._env = words, env
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        if self._process is None:
            raise SetupError(f"{self.name} is not running.")
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Started, and not ended since."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it; whether it is ready is for others to find out."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self._words,
                env={**os.environ, **self._env}, cwd=ROOT, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo: it ends calls first
            )  # fmt: skip

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await process.wait()
                    return

    def last_lines(self) -> str:
        """For errors."""
        lines = self.log.read_text(errors="replace").splitlines()[-5:] if self.log.exists() else []
        return " | ".join(lines) or "it said nothing"


@asynccontextmanager
async def open_world(agents: tuple[str, ...], today: date, say: Say) -> AsyncIterator[World]:
    """Start everything, in order; stop everything, in reverse, whatever happens."""
    asterisk = find(ROOT)
    phones = tuple(Phone(agent, secrets.token_hex(8)) for agent in agents)
    sounds = ROOT / ".cache" / "sounds"
    async with AsyncExitStack() as stack:
        run = _run_folder(stack)
        settings = _settings(asterisk, run, sounds, phones)
        env = _secrets(settings)
        say("Rendering prompts (kept for the next time)")
        await _render_sounds(sounds, env)
        say("Starting Redis")
        redis = RedisProcess(redis_server(ROOT), run / "redis")
        stack.push_async_callback(redis.stop)
        await redis.start()
        env["SANTUN_REDIS_URL"] = redis.url
        say("Starting the dialer's Asterisk")
        pbx = AsteriskProcess(asterisk, settings.run, settings.sounds)
        settings.recordings.mkdir(parents=True, exist_ok=True)
        render(settings, CONF, settings.run / "etc")
        stack.push_async_callback(pbx.stop)
        await pbx.start()
        say("Starting the carrier: a second Asterisk with its subscribers")
        carrier = _carrier(asterisk, settings, run, today)
        stack.push_async_callback(carrier.stop)
        await carrier.start(Voice())
        say("Starting the IVR and the engine")
        config, http_port = _config(run, settings), free_port(PBX_HOST, socket.SOCK_STREAM)
        listen = f"{settings.ivr_host}:{settings.ivr_port}"
        ivr = Program("ivr", ("ivr", "serve", "--prompts", str(sounds), "--listen", listen, "--drain-s", "2"), env, run)
        words = ("dialer", "serve", "--config", str(config), "--listen", f"{PBX_HOST}:{http_port}")
        dialer = Program("dialer", words, env, run)
        for program in (ivr, dialer):
            stack.push_async_callback(program.stop)
            await program.start()
        world = World(run, config, env, redis, pbx, carrier, dialer, ivr, http_port)
        await _ready(world, phones, listen)
        yield world


def _run_folder(stack: AsyncExitStack) -> Path:
    """Short, because a control socket's path is limited; logs stay behind in .run/demo for those who want to look."""
    keep = ROOT / ".run" / "demo"
    shutil.rmtree(keep, ignore_errors=True)
    keep.mkdir(parents=True)
    if len(str(keep)) < 60:
        return keep
    short = Path(tempfile.mkdtemp(prefix="santun-"))
    stack.callback(shutil.rmtree, short, True)
    return short


def _settings(asterisk: Asterisk, run: Path, sounds: Path, phones: tuple[Phone, ...]) -> AsteriskSettings:
    return AsteriskSettings(
        node=NODE,
        run=run / "pbx",
        modules=asterisk.modules,
        sounds=sounds,
        recordings=run / "recordings",
        ami_port=free_port(PBX_HOST, socket.SOCK_STREAM),
        ami_secret=secrets.token_hex(16),
        sip_host=PBX_HOST,
        sip_port=free_port(PBX_HOST, socket.SOCK_DGRAM),
        media_address=PBX_HOST,
        ivr_port=free_port(PBX_HOST, socket.SOCK_STREAM),
        trunks=(Trunk(TRUNK, CARRIER_HOST, free_port(CARRIER_HOST, socket.SOCK_DGRAM)),),
        phones=phones,
    )


def _carrier(asterisk: Asterisk, settings: AsteriskSettings, run: Path, today: date) -> Carrier:
    return Carrier(
        asterisk,
        CarrierSettings(
            run=run / "carrier",
            pbx_port=settings.sip_port,
            port=settings.trunks[0].port,
            host=CARRIER_HOST,
            phones_host=PHONES_HOST,
            phones=settings.phones,
            keys=keys(today),
        ),
    )


def _secrets(settings: AsteriskSettings) -> dict[str, str]:
    return {"SANTUN_AMI_SECRET": settings.ami_secret, "SANTUN_PERSON_KEY": secrets.token_hex(32)}


def _config(run: Path, settings: AsteriskSettings) -> Path:
    """The settings file that `dialer` reads, as an operator would write it."""
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
lines = 120
calls_per_second = 20
caller_ids = ["{CALLER_ID}"]
attempt_header = "X-Santun-Attempt"

[ivr]
host = "{settings.ivr_host}"
port = {settings.ivr_port}
"""
    )
    return path


async def _render_sounds(sounds: Path, env: Mapping[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ivr", "prompts", "render", "--out", str(sounds), "--company", COMPANY,
        env={**os.environ, **env}, cwd=ROOT, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    said = (await process.communicate())[0].decode(errors="replace").strip()
    if process.returncode:
        raise SetupError(f"the prompts could not be rendered: {said}")


async def _ready(world: World, phones: tuple[Phone, ...], listen: str) -> None:
    """Every phone registered, the IVR listening, the engine answering."""
    names = [f"{endpoint(phone.agent)}@" for phone in phones]
    host, _, port = listen.rpartition(":")

    async def registered() -> bool:
        contacts = await world.pbx.console("pjsip show contacts")
        return all(name in contacts for name in names)

    await _until(world, "the agents' phones", registered)
    await _until(world, "the IVR", lambda: _listens(host, int(port)))
    await _until(world, "the engine", lambda: _listens(PBX_HOST, world.http_port))


async def _until(world: World, what: str, ready: Callable[[], Awaitable[bool]]) -> None:
    try:
        async with asyncio.timeout(READY_S):
            while not await ready():
                _must_live(world)
                await asyncio.sleep(LOOK_S)
    except TimeoutError as error:
        said = f"dialer: {world.dialer.last_lines()}; ivr: {world.ivr.last_lines()}"
        raise SetupError(f"{what} did not come up within {READY_S:.0f} s. {said}") from error


def _must_live(world: World) -> None:
    for program in (world.dialer, world.ivr):
        if not program.alive:
            raise SetupError(f"{program.name} ended by itself: {program.last_lines()}")


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


def free_port(host: str, kind: socket.SocketKind) -> int:
    """A port that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
