"""The pages that Prometheus and probes read, over real HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from dialer.adapters.ami import Ami, AmiSettings
from dialer.adapters.clock import SystemClock
from dialer.adapters.metrics import Meters, Pages
from dialer.adapters.metrics_loop import pages_of, served
from dialer.errors import ConfigError
from dialer.metrics import ENGINE, Kind, Sample
from dialer.running.measured import Health
from dialer.running.run import Run
from tests.running.test_run import led

from .scripted_ami import SECRET, ScriptedAmi


class Shown:
    """An engine, as far as it is shown."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {"c1": led()}
        self.error = ""
        self.heard: list[float] = []
        self.on_decision: Callable[[float], None] = self.heard.append

    def health(self) -> Health:
        return Health(0.05, 0.5, 0.001, self.error, False, 0, {"c1": ("the list is empty",)})


@pytest.fixture
async def phone() -> AsyncIterator[Ami]:
    async with ScriptedAmi() as far:
        far.replies["Hangup"] = lambda far, fields: far.answer(fields, "Response: Success")
        phone = Ami(AmiSettings("a", "127.0.0.1", far.port, "santun", SECRET), SystemClock())
        await phone.start()
        async with asyncio.timeout(60):
            while not phone.health().up:  # noqa: ASYNC110 - a bounded look
                await asyncio.sleep(0.01)
        yield phone
        await phone.close()


async def test_the_pages_of_an_engine(phone: Ami) -> None:
    shown = Shown()
    pages = pages_of(shown, {"a": phone}, SystemClock())
    shown.on_decision(0.0002)
    await phone.hang_up("nobody")
    async with served(pages, "127.0.0.1:0") as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as web:
        text = await (await web.get("/metrics")).text()
        alive, ready, other = [(await web.get(path)).status for path in ("/healthz", "/readyz", "/else")]
        assert (alive, ready, other) == (200, 200, 404)
        shown.error = "refused"
        answer = await web.get("/readyz")
        assert answer.status == 503
        assert await answer.text() == "Redis fails: refused\n"
        assert (await web.get("/healthz")).status == 200
        assert (await web.post("/metrics")).status == 405
    found = {sample.name: sample for family in text_string_to_metric_families(text) for sample in family.samples}
    families = {family.name: family.type for family in text_string_to_metric_families(text)}
    for one in ENGINE:
        if not one.name.startswith("santun_stream_"):  # measured once a minute
            assert families[one.name.removesuffix("_total")] == one.kind.value
    assert found["santun_decision_seconds_count"].value == 1
    assert found["santun_manager_ack_seconds_count"].value >= 1
    assert found["santun_manager_link_up"].labels == {"node": "a"}
    assert found["process_resident_memory_bytes"].value > 1e6


async def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError, match="use a port that is free here"):
            async with served(Pages(Meters((), tuple), list, list), place):
                pass


def test_a_value_of_no_metric_is_an_error() -> None:
    def wrong() -> Iterable[Sample]:
        yield "santun_typo", (), 1.0

    with pytest.raises(KeyError):
        Meters(ENGINE, wrong).text()


def test_a_histogram_has_the_buckets_of_the_table() -> None:
    text = Meters(ENGINE, tuple).text().decode()
    for one in ENGINE:
        if one.kind is Kind.HISTOGRAM and not one.labels:
            assert text.count(f"{one.name}_bucket") == len(one.buckets) + 1
