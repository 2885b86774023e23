"""An agent at home whose network lets nothing through but a TURN server: a real one, relay only, sound both ways.

Run it by name where coturn is installed: `./run test -m turn`.
"""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser

from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.redis_process import RedisProcess
from dialer.demo.carrier import Carrier
from tests.asterisk.ami_client import AmiClient
from tests.asterisk.conftest import free_port
from tests.asterisk.waiting import until

from .conftest import DEBTOR_HZ, TURN_SECRET, a_floor, opened

PROGRAM = os.environ.get("SANTUN_TURNSERVER", "") or shutil.which("turnserver") or "turnserver"
HOST = "127.0.0.1"

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.asterisk,
    pytest.mark.redis,
    pytest.mark.timeout(400),
    pytest.mark.turn,  # Debian's coturn starts a server for all the network as it is installed: not for everybody
]


def own_address() -> str:
    """This machine's, seen from its network: the relay and Asterisk must know each other by the same address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))  # nothing is sent
        address: str = probe.getsockname()[0]
        return address


@asynccontextmanager
async def turn_server(secret: str, run: Path) -> AsyncIterator[int]:
    """coturn on the loopback; its port."""
    port = free_port(HOST, socket.SOCK_STREAM)
    words = [
        *("-n", "--no-cli", "--no-tls", "--no-dtls", "--no-multicast-peers", "--allow-loopback-peers"),
        *("--use-auth-secret", f"--static-auth-secret={secret}", "--realm=santun", f"--pidfile={run / 'turn.pid'}"),
        *(f"--listening-ip={HOST}", f"--relay-ip={own_address()}", f"--listening-port={port}", "--log-file=stdout"),
        *("--min-port=28000", "--max-port=28999", f"--userdb={run / 'turn.db'}"),
    ]
    process = await asyncio.create_subprocess_exec(
        PROGRAM, *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )

    async def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, port)) == 0

    try:
        await until(listens, "the TURN server listens")
        yield port
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize("secret", [TURN_SECRET, "another-secret"])
async def test_relay_only(
    settings: AsteriskSettings,
    pbx: AsteriskProcess,
    carrier: Carrier,
    ami: AmiClient,
    redis: RedisProcess,
    chrome: Browser,
    scratch: Path,
    secret: str,
) -> None:
    """With the right secret he is heard; with a wrong one no line comes up, so it was the relay that carried it."""
    async with turn_server(secret, scratch) as port, a_floor(settings, pbx, carrier, ami, redis) as floor:
        # the relay does not reach a socket that is bound to the loopback
        node = f'turn = ["turn:{HOST}:{port}"]\nrelay_only = true\nmedia_address = "{own_address()}"'
        async with opened(floor, redis, chrome, node) as house:
            await floor.open()
            tab = await house.agent("2101")
            if secret != TURN_SECRET:
                await tab.page.get_by_role("button", name="Siap").click()
                await tab.until("desk.note?.state === 'raising' && desk.phone.seen.phone === 'registered'")
                await asyncio.sleep(3)
                assert await tab.desk("desk.phone.seen.leg") is False
                return
            await tab.ready()
            await floor.add(floor.debtor("human"))
            await floor.order("start")
            await tab.until("desk.note.state === 'talking'")
            heard = await tab.hears()
            assert abs(heard["hertz"] - DEBTOR_HZ) < 25, heard
            assert heard["loud"] > 0.02, heard
