"""Everything the demo needs, started and stopped: Redis, the dialer's Asterisk, a carrier, the IVR, the engine."""

import asyncio
import fcntl
import secrets
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO

from dialer.adapters.asterisk_check import Asterisk
from dialer.adapters.asterisk_conf import CONF, AsteriskSettings, Phone, Trunk, render
from dialer.adapters.asterisk_install import find
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.sealed import new_key
from dialer.demo.carrier import Carrier, CarrierSettings
from dialer.demo.debtors import keys
from dialer.demo.folder import Folder, free_port, run_folder
from dialer.demo.program import ROOT, Program, run_to_end
from dialer.demo.voice import Voice
from dialer.dialplan import endpoint
from dialer.errors import SetupError

__all__ = ["CALLER_ID", "COMPANY", "NODE", "ROOT", "TRUNK", "Program", "World", "free_port", "open_world"]

NODE, TRUNK = "demo", "carrier"
PBX_HOST, CARRIER_HOST, PHONES_HOST = "127.0.0.1", "127.0.0.2", "127.0.0.3"
CALLER_ID = "+622150001234"
COMPANY = "Koperasi Contoh"
LIMITS = Path(__file__).with_name("limits_demo.toml")
READY_S = 30.0
LOOK_S = 0.05

Say = Callable[[str], None]
Fill = Callable[["World"], Awaitable[None]]  # campaigns and lists, as soon as Redis is up


@dataclass(frozen=True, slots=True)
class World:
    """What is running. `env` and `config` are what the commands of the product need."""

    run: Path
    config: Path
    env: Mapping[str, str]
    redis: RedisProcess
    pbx: AsteriskProcess
    carrier: Carrier
    dialer: Program
    ivr: Program
    http_port: int
    env_file: Path = field(default=Path("env"))

    async def command(self, *words: str) -> str:
        """Run one command of the product to its end; what it printed. Raises SetupError with its last words."""
        return await run_to_end(("dialer", *words, "--config", str(self.config)), self.env)

    async def stop(self) -> None:
        """Those first who would complain that the others are gone."""
        await asyncio.gather(self.dialer.stop(), self.ivr.stop())
        await asyncio.gather(self.carrier.stop(), self.pbx.stop())
        await self.redis.stop()


@asynccontextmanager
async def open_world(
    agents: tuple[str, ...], today: date, say: Say, fill: Fill, closing: Callable[[], None]
) -> AsyncIterator[World]:
    """Start everything, at once where nothing waits for another; stop everything, whatever happens.

    `closing` is called when it begins to stop: nothing may interrupt from then on.
    """
    asterisk = find(ROOT)
    phones = tuple(Phone(agent, secrets.token_hex(8)) for agent in agents)
    with run_folder(ROOT) as folder:
        settings = _settings(asterisk, folder.run, ROOT / ".cache" / "sounds", phones)
        world = _world(asterisk, settings, folder, today)
        try:
            await _start(world, settings, folder, say, fill)
            yield world
        finally:
            closing()
            await world.stop()


def _world(asterisk: Asterisk, settings: AsteriskSettings, folder: Folder, today: date) -> World:
    run, http_port = folder.run, free_port(PBX_HOST, socket.SOCK_STREAM)
    redis = RedisProcess(redis_server(ROOT), run / "redis", port=free_port(PBX_HOST, socket.SOCK_STREAM))
    config = _config(run, settings)
    env = {
        "SANTUN_CONFIG": str(config),
        "SANTUN_AMI_SECRET": settings.ami_secret,
        "SANTUN_ARI_PASSWORD": settings.ari_password,
        "SANTUN_PERSON_KEY": secrets.token_hex(32),
        "SANTUN_REDIS_URL": redis.url,
        "SANTUN_SITE_KEYS": new_key(),
    }
    listen = f"{settings.ivr_host}:{settings.ivr_port}"
    offered = ("--limits", str(_limits(run)), "--drain-s", "1")
    ivr = Program("ivr", ("ivr", "serve", "--prompts", str(settings.sounds), "--listen", listen, *offered), env, run)
    dialer = Program("dialer", ("dialer", "serve", "--listen", f"{PBX_HOST}:{http_port}"), env, run)
    pbx = AsteriskProcess(asterisk, settings.run, settings.sounds)
    carrier = _carrier(asterisk, settings, run, today)
    return World(run, config, env, redis, pbx, carrier, dialer, ivr, http_port, folder.write_env(env))


async def _start(world: World, settings: AsteriskSettings, folder: Folder, say: Say, fill: Fill) -> None:
    try:
        async with asyncio.TaskGroup() as together:
            if not settings.sounds.exists():
                say("rendering the IVR's prompts takes a while the first time; they are kept in .cache")
            together.create_task(_prompts(settings.sounds, world.env, say))
            together.create_task(_asterisks(world, settings, folder, say))
            together.create_task(_product(world, settings, folder, say, fill))
    except* SetupError as failed:
        raise failed.exceptions[0] from None
    await _registered(world, settings.phones)
    say(f"{len(settings.phones)} agents' phones are registered")


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _prompts(sounds: Path, env: Mapping[str, str], say: Say) -> None:
    sounds.parent.mkdir(parents=True, exist_ok=True)
    with sounds.with_suffix(".lock").open("w") as lock:  # of two demos at once the second finds them rendered
        while not _locked(lock):  # noqa: ASYNC110 - another process
            await asyncio.sleep(LOOK_S)
        await run_to_end(("ivr", "prompts", "render", "--out", str(sounds), "--company", COMPANY), env)
    say("the IVR's prompts are there")


async def _asterisks(world: World, settings: AsteriskSettings, folder: Folder, say: Say) -> None:
    settings.recordings.mkdir(parents=True, exist_ok=True)
    render(settings, CONF, settings.run / "etc")
    await world.pbx.start()
    folder.note(world.pbx.pid)
    say("the dialer's Asterisk is up")
    await world.carrier.start(Voice())
    folder.note(world.carrier.process.pid)
    for trunk in settings.trunks:  # the first OPTIONS may have gone before it was up
        await world.pbx.console(f"pjsip qualify {trunk.name}")
    say("the carrier is up: a second Asterisk, with its subscribers")


async def _product(world: World, settings: AsteriskSettings, folder: Folder, say: Say, fill: Fill) -> None:
    await world.redis.start()
    folder.note(world.redis.pid)
    say("Redis is up")
    for program in (world.dialer, world.ivr):
        await program.start()
        folder.note(program.pid)
    await fill(world)
    await _until(world, "the IVR", lambda: _listens(PBX_HOST, settings.ivr_port))
    await _until(world, "the engine", lambda: _listens(PBX_HOST, world.http_port))
    say("engine and IVR are up")


async def _registered(world: World, phones: tuple[Phone, ...]) -> None:
    names = [f"{endpoint(phone.agent)}@" for phone in phones]

    async def registered() -> bool:
        contacts = await world.pbx.console("pjsip show contacts")
        return all(name in contacts for name in names)

    await _until(world, "the agents' phones", registered)


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
        http_port=free_port(PBX_HOST, socket.SOCK_STREAM),
        ari_password=secrets.token_hex(16),
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


def _limits(run: Path) -> Path:
    """What the lender lets us offer, in a copy that a supervisor may edit in the browser."""
    return Path(shutil.copyfile(LIMITS, run / "limits.toml"))


def _config(run: Path, settings: AsteriskSettings) -> Path:
    """The settings file that `dialer` reads, as an operator would write it."""
    trunk = settings.trunks[0]
    path = run / "santun.toml"
    path.write_text(
        f"""[asterisk.{NODE}]
host = "{settings.ami_host}"
port = {settings.ami_port}
user = "{settings.ami_user}"
ari = "http://{PBX_HOST}:{settings.http_port}/ari"

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

[offers]
limits = "{run / "limits.toml"}"

[web]
second_factor = false   # who tries the demo need not have a code generator
recordings = "{settings.recordings}"
"""
    )
    return path
