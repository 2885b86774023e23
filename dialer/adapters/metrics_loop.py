"""The pages of an engine, served by its own loop: a loop that stands still answers no probe."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from aiohttp import web

from dialer.adapters.ami import Ami
from dialer.adapters.metrics import Meters, Page, Pages
from dialer.errors import ConfigError
from dialer.metrics import ENGINE, Sample
from dialer.ports import Clock
from dialer.running.measured import Health, lacking, of_engine, of_run, stuck
from dialer.running.run import Run


class Shown(Protocol):
    """The engine, as far as it is shown."""

    runs: dict[str, Run]
    on_decision: Callable[[float], None]

    def health(self) -> Health: ...


def pages_of(engine: Shown, phones: Mapping[str, Ami], clock: Clock) -> Pages:
    """The pages of an engine, which is told where its histograms are."""

    def samples() -> Iterable[Sample]:
        health, now, monotonic = engine.health(), clock.now(), clock.monotonic()
        yield from of_engine(health)
        for name, run in engine.runs.items():
            yield from of_run(run, health.holds.get(name, ()), now, monotonic)
        for node, phone in phones.items():
            yield from _of_link(node, phone)

    meters = Meters(ENGINE, samples)
    engine.on_decision = meters.observer("santun_decision_seconds")
    for node, phone in phones.items():
        phone.on_ack = meters.observer("santun_manager_ack_seconds", node)
    return Pages(
        meters,
        lambda: stuck(engine.health()),
        lambda: lacking(engine.health(), {node: phone.health() for node, phone in phones.items()}),
    )


def _of_link(node: str, phone: Ami) -> Iterable[Sample]:
    health = phone.health()
    yield "santun_manager_link_up", (node,), float(health.up)
    yield "santun_manager_backlog_events", (node,), float(health.backlog)
    yield "santun_manager_events_lost_total", (node,), float(phone.lost)
    yield "santun_manager_sessions_total", (node,), float(phone.counts["sessions"])
    yield "santun_manager_timeouts_total", (node,), float(phone.counts["timeouts"])


@asynccontextmanager
async def served(pages: Pages, listen: str) -> AsyncIterator[int]:
    """Served at `listen` (host:port) until the end of the block; gives the port. Raises ConfigError."""
    runner = web.AppRunner(_application(pages), access_log=None)
    await runner.setup()
    host, _, port = listen.rpartition(":")
    site = web.TCPSite(runner, host.strip("[]"), int(port))
    try:
        await site.start()
        found: int = runner.addresses[0][1]
        yield found
    except OSError as error:
        raise ConfigError(f"[metrics] listen = {listen}: {error.strerror}; use a port that is free here.") from error
    finally:
        await runner.cleanup()


def _application(pages: Pages) -> web.Application:
    async def answer(request: web.Request) -> web.Response:
        page: Page = pages.page(request.path)
        return web.Response(body=page.body, status=page.status, headers={"Content-Type": page.content_type})

    application = web.Application(client_max_size=1024)
    application.router.add_get("/{path:.*}", answer)
    return application
