"""One process put together: manager links, engine, web; until a signal says stop."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from dialer.adapters import logs
from dialer.adapters.ari import Ari
from dialer.adapters.flow_proof import FlowProofs
from dialer.adapters.keeper_process import kept_beside
from dialer.adapters.limit_text import LimitText
from dialer.adapters.list_jobs import ListJobs
from dialer.adapters.metrics_loop import pages_of, served
from dialer.adapters.passwords import HashPool
from dialer.adapters.recording_shelf import Shelf
from dialer.adapters.redis_deeds import RedisAudit, RedisOnce, RedisThrottle
from dialer.adapters.redis_ear import RedisEar
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_sessions import Limits, RedisSessions, RedisTokens
from dialer.adapters.redis_sheets import RedisSheets
from dialer.adapters.redis_users import RedisUsers
from dialer.adapters.site import OpenSite, ari_of, check_key, limits_of, new_id, open_site, phones_of, seals_of, tls_of
from dialer.adapters.spool import DiskSpool
from dialer.adapters.tls import pair_faults
from dialer.adapters.tls_faults import why
from dialer.config import Asterisk, Config, MetricsPages, web_of
from dialer.engine import Engine
from dialer.errors import ConfigError, StoreError
from dialer.ports import Telephony
from dialer.running import run
from dialer.web.access import Right
from dialer.web.application import Socket, identify, make_app
from dialer.web.doors import Office
from dialer.web.serving import Served
from dialer.web.sip import PhoneNode, SoftPhones
from dialer.web.sip import socket as sip_socket

MB = 1024 * 1024
BURST_S = 6.0  # a page asks for several things at once when it opens


async def serve(path: Path, listen: str | None, metrics: str = "") -> None:
    """The engine of the site at `path`, and its web: where the settings say, or at `listen`; None: no web. `metrics`:
    instead of the settings' own, for a second engine beside the first."""
    log_to_stderr()
    async with open_site(path) as site:
        await _check_key(site)
        phones = phones_of(site)
        spool = DiskSpool(Path(site.config.spool.folder), site.config.spool.most_mb * MB)
        engine = Engine(engine_site(site), site.store, phones, site.clock, spool)
        on_signals(engine.stop)
        try:
            await spool.start()
            async with contextlib.AsyncExitStack() as open_pages:
                if place := _pages_at(metrics) or site.config.metrics.listen:
                    await open_pages.enter_async_context(served(pages_of(engine, phones, site.clock), place))
                for phone in phones.values():
                    await phone.start()
                if listen is not None:
                    await open_pages.enter_async_context(kept_beside(path))
                    await open_pages.enter_async_context(web_of_site(site, listen, phones))
                await engine.run()
        finally:
            for phone in phones.values():
                await phone.close()
            await spool.close()


def _pages_at(metrics: str) -> str:
    try:
        return MetricsPages(listen=metrics).listen
    except ValueError as error:
        raise ConfigError(f"--metrics {metrics}: use host:port.") from error


async def serve_web(path: Path, listen: str) -> None:
    """The web of the site at `path` alone; any number of such processes may run."""
    log_to_stderr()
    stopping = asyncio.Event()
    async with open_site(path) as site:
        await _check_key(site)
        on_signals(stopping.set)
        async with kept_beside(path), web_of_site(site, listen, {}):
            await stopping.wait()


async def _check_key(site: OpenSite) -> None:
    with contextlib.suppress(StoreError):  # it is away: nobody is called before it is back, and none is listed
        await check_key(site, from_now=True)


@asynccontextmanager
async def web_of_site(site: OpenSite, listen: str, phones: Mapping[str, Telephony]) -> AsyncIterator[Served]:
    """The site's web, served until the end of the block. Raises ConfigError, OSError."""
    config = site.config.model_copy(update={"web": web_of(site.config.web, listen)}) if listen else site.config
    if wrong := pair_faults(config.web.tls_cert, config.web.tls_key):
        raise ConfigError(f"[web] {'; '.join(wrong)}.")
    async with (
        open_office(site, config, phones) as office,
        Served(make_app(office, sockets_of(office)), config.web) as served,
    ):
        yield served


def sockets_of(office: Office) -> Mapping[str, tuple[Right, Socket]]:
    """The websockets beside /live."""
    soft_phones: SoftPhones = office.parts["soft_phones"]
    return {"/sip": (Right.DESK, sip_socket(soft_phones, lambda asks: identify(office, asks, 0)))}


@asynccontextmanager
async def open_office(site: OpenSite, config: Config, phones: Mapping[str, Telephony]) -> AsyncIterator[Office]:
    """All that the web's handlers use."""
    link, passwords, web = Link(config.redis.url), HashPool(1 if phones else 2), config.web
    lists = ListJobs(config)
    each_s = 1 / web.requests_per_second
    limits = Limits(web.idle_minutes * 60.0, web.day_hours * 3600.0, each_s, max(1, round(BURST_S / each_s)))
    seals = seals_of(config.privacy)
    users = RedisUsers(link, seals)
    shelf = Shelf(Path(web.recordings), seals, config.privacy.plain_recordings) if web.recordings else None
    aris = [ari for name, node in config.asterisk.items() if (ari := ari_of(name, node)) is not None]
    soft_phones = SoftPhones(
        {ari.node: _phone_node(ari, config.asterisk[ari.node]) for ari in aris}, config.node_of_agent, why
    )
    try:
        yield Office(
            config=config,
            books=site.store,
            clock=site.clock,
            users=users,
            sessions=RedisSessions(link, users, limits),
            tokens=RedisTokens(link, limits),
            throttle=RedisThrottle(link),
            audit=RedisAudit(link),
            once=RedisOnce(link),
            passwords=passwords,
            ear=RedisEar(link),
            new_id=new_id,
            pack_of=site.pack_of,
            phones=phones,
            limits_of=limits_of(config),
            parts={
                "soft_phones": soft_phones,
                "lists": lists,
                "sheets": RedisSheets(link),
                "proofs": FlowProofs(config.ivr.prompts),
                "limits": LimitText(Path(config.offers.limits) if config.offers.limits else None),
            }
            | ({"recordings": shelf} if shelf else {}),
        )
    finally:
        if shelf is not None:
            shelf.close()
        await lists.close()
        await soft_phones.shut()
        for ari in aris:
            await ari.close()
        passwords.close()
        await link.close()


def _phone_node(ari: Ari, node: Asterisk) -> PhoneNode:
    return PhoneNode(ari, node.sip_websocket, node.turn, node.turn_secret, node.relay_only, tls_of(node))


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
    return run.Site(
        name, trunks, site.pack_of, new_id, ivr_address(site.config), rules.number_of, limits_of(site.config)
    )


def ivr_address(config: Config) -> str:
    """Where the IVR is, as it names itself in its heartbeat."""
    return f"{config.ivr.host}:{config.ivr.port}"


def on_signals(stop: Callable[[], None]) -> None:
    """SIGTERM and SIGINT end it."""
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(name, stop)


def log_to_stderr() -> None:
    """One JSON object a line."""
    logs.to_stderr()
