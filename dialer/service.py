"""One process put together: manager links, engine, health pages; until a signal says stop."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import structlog
from aiohttp import web

from dialer import run
from dialer.adapters.ami import Ami
from dialer.adapters.site import OpenSite, new_id, open_site, phones_of
from dialer.config import Config
from dialer.engine import Engine
from dialer.errors import ConfigError
from dialer.web.app import make_app

INFO = 20


async def serve(path: Path, listen: str) -> None:
    """The engine of the site at `path`; with `listen` (host:port) its pages too."""
    log_to_stderr()
    async with open_site(path) as site:
        phones = phones_of(site)
        runner = web.AppRunner(make_app(site.store, phones), access_log=None)
        engine = Engine(engine_site(site), site.store, phones, site.clock)
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, engine.stop)
        try:
            for phone in phones.values():
                await phone.start()
            if listen:
                await _listen(runner, listen)
            await engine.run()
        finally:
            await _close(runner, phones)


def engine_site(site: OpenSite) -> run.Site:
    """What an engine is given."""
    trunks = {
        name: run.Trunk(
            name,
            site.config.node_of(trunk),
            trunk.dial,
            trunk.lines,
            trunk.calls_per_second,
            trunk.attempt_header,
        )
        for name, trunk in site.config.trunk.items()
    }
    name = f"{socket.gethostname()}:{os.getpid()}"
    rules = site.config.list_rules()
    return run.Site(name, trunks, site.pack_of, new_id, ivr_address(site.config), rules.number_of)


def ivr_address(config: Config) -> str:
    """Where the IVR is, as it names itself in its heartbeat."""
    return f"{config.ivr.host}:{config.ivr.port}"


def log_to_stderr() -> None:
    """One JSON object a line."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


async def _listen(runner: web.AppRunner, listen: str) -> None:
    host, _, port = listen.rpartition(":")
    if not port.isdigit():
        raise ConfigError(f"--listen {listen}: use host:port.")
    await runner.setup()
    await web.TCPSite(runner, host or "127.0.0.1", int(port)).start()


async def _close(runner: web.AppRunner, phones: Mapping[str, Ami]) -> None:
    await runner.cleanup()
    for phone in phones.values():
        await phone.close()
