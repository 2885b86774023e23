"""`dialer web` is stopped and started again under an agent who talks: the sound goes on, the page waits and says so."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect

from dialer.adapters.redis_process import RedisProcess
from dialer.demo.folder import free_port
from tests.patience import PATIENCE

from .conftest import House, secrets_of, site_toml
from .sound import TONES
from .test_desk_more import talking

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk, pytest.mark.redis, pytest.mark.timeout(400)
]  # fmt: skip
LIMIT_S = 8.0 * PATIENCE


@asynccontextmanager
async def web(house: House, redis: RedisProcess, folder: Path, port: int) -> AsyncIterator[Process]:
    """One process of the product at this port; killed where it is still there at the end."""
    config = folder / "santun.toml"
    config.write_text(site_toml(house.floor, redis))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dialer", "web", "--config", str(config), "--listen", f"127.0.0.1:{port}",
        env=os.environ | secrets_of(house.floor), stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    reading: asyncio.Task[bytes] | None = None
    try:
        async with asyncio.timeout(LIMIT_S):
            while b"web_listens" not in (line := await process.stderr.readline()):
                assert line, "it ended"
        reading = asyncio.create_task(process.stderr.read())  # a full pipe would hold it up
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if reading is not None:
            await reading


async def test_the_web_is_started_again_while_an_agent_talks(house: House, redis: RedisProcess, tmp_path: Path) -> None:
    """Nobody is hung up on, nothing typed is lost, what could not be sent is sent afterwards, and the page says what
    happened; the next caller comes to the same page."""
    await house.floor.open(wrap_up_max_s=120, grace_ms=60_000)
    port = free_port("127.0.0.1", socket.SOCK_STREAM)
    house.base = f"http://localhost:{port}"
    async with web(house, redis, tmp_path, port) as process:
        tab = await house.agent("2101")
        page, news = tab.page, tab.page.locator(".desk-news")
        await tab.ready()
        attempt = await talking(house, tab)
        await tab.hears_just(TONES, "debtor")
        await page.get_by_label("Catatan").fill("gajian tanggal 25")
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(LIMIT_S):
            assert await process.wait() == 0
    await tab.until("desk.link.word !== 'live' && desk.phone.seen.phone !== 'registered'")
    await expect(news).to_contain_text("Sambungan ke server putus")
    await tab.hears_just(TONES, "debtor")
    await page.get_by_label("Catatan").fill("gajian tanggal 25, istri sakit")
    await page.get_by_role("button", name="Kesulitan").last.click()
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Server tidak dapat dihubungi")

    async with web(house, redis, tmp_path, port):
        await tab.until("desk.link.word === 'live' && desk.phone.seen.phone === 'registered'")
        await tab.until(f"desk.note.state === 'talking' && desk.note.attempt === '{attempt}' && desk.phone.seen.leg")
        await expect(news).to_contain_text("Telepon tersambung lagi")
        await expect(news).to_contain_text("Sambungan ke server pulih")
        await tab.hears_just(TONES, "debtor")
        assert await page.get_by_label("Catatan").input_value() == "gajian tanggal 25, istri sakit"
        await page.keyboard.press("F9")
        await tab.until("desk.note.state === 'wrap_up'")
        await page.keyboard.press("Control+Enter")
        (record,) = await house.floor.records(1)
        assert (record["attempt"], record["outcome"], record["disposition"], record["agents"]) == (
            attempt, "connected", "hardship", "2101"
        )  # fmt: skip
        await tab.until("desk.note.state === 'idle'")
        again = await talking(house, tab)
        assert again != attempt
        await tab.hears_just(TONES, "debtor")
        await page.keyboard.press("F9")
        await tab.until("desk.note.state === 'wrap_up'")
        await page.keyboard.press("4")
        await page.keyboard.press("Control+Enter")
        await tab.until("desk.note.state === 'idle'")
        await page.get_by_role("button", name="Selesai kerja").click()
        await house.floor.known_as("2101", "signed_out")
