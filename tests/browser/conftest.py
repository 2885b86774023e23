"""The whole house for browsers: Asterisk and its carrier, Redis, an engine, the web, a Chromium with a microphone."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyotp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, expect

from dialer.adapters.asterisk_check import Asterisk
from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.clock import SystemClock
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.site import OpenSite
from dialer.adapters.sounds import Samples, tone
from dialer.config import read_config
from dialer.demo.carrier import Carrier, CarrierSettings
from dialer.service import open_office, sockets_of
from dialer.users import Phone, Role
from dialer.web.accounts import Accounts
from dialer.web.application import make_app
from dialer.web.doors import Office as WebOffice
from dialer.web.serving import Served
from tests.asterisk.ami_client import AmiClient
from tests.asterisk.conftest import ROOT, TRUNK, ami, asterisk, pbx, scratch, settings
from tests.asterisk.office import Office

from .pages import LIMIT_MS, SUPERVISOR_HZ, Tab, browser, chromium, write_microphone

__all__ = ["ami", "asterisk", "pbx", "scratch", "settings"]  # fixtures of the same house

expect.set_options(timeout=LIMIT_MS)
DEBTOR_HZ = 440
HUM_S = 40.0  # without a rest: longer than a test listens
SIP_HZ = 620  # of an agent's plain telephone
PASSWORD = "a quiet river at noon"
PERSON_KEY = "ab" * 32
TURN_SECRET = "of-the-test-turn-server"


def hum(language: str, text: str) -> Samples:
    """Every debtor hums one note, every telephone of an agent another: each is known again wherever it is heard."""
    return tone(SIP_HZ if "petugas" in text or "service" in text else DEBTOR_HZ, HUM_S)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not chromium():
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="no Chromium: ./run test installs it where it may"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def carrier(asterisk: Asterisk, settings: AsteriskSettings, pbx: AsteriskProcess) -> AsyncIterator[Carrier]:
    run, port = settings.run.with_name("carrier"), settings.trunks[0].port
    carrier = Carrier(asterisk, CarrierSettings(run=run, pbx_port=settings.sip_port, port=port, phones=settings.phones))
    await carrier.start(hum)
    yield carrier
    await carrier.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis(scratch: Path) -> AsyncIterator[RedisProcess]:
    process = RedisProcess(redis_server(ROOT), scratch / "redis-browser", "no")
    await process.start()
    yield process
    await process.kill()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chrome(scratch: Path) -> AsyncIterator[Browser]:
    write_microphone(scratch / "microphone.wav")
    async with browser(scratch / "microphone.wav") as started:
        yield started


@dataclass(slots=True)
class House:
    """A campaign that an engine leads, and the web where its agents sign in."""

    floor: Office
    web: WebOffice
    base: str
    chrome: Browser
    tabs: list[Tab] = field(default_factory=list)

    async def user(
        self, name: str, extension: str, role: Role = Role.AGENT, phone: Phone = Phone.BROWSER
    ) -> str:  # fmt: skip
        """One who has done his first sign-in; the secret of his code generator, which agents do not have."""
        accounts = Accounts(self.web.users, self.web.sessions, self.web.passwords)
        user, _ = await accounts.add(name, role, extension, phone, SystemClock().now())
        done = await accounts.set_password(user, PASSWORD, SystemClock().now())
        if role is Role.AGENT:
            return ""
        secret = pyotp.random_base32()
        await self.web.users.change(done, replace(done, totp=secret, enrolled=True))
        return secret

    async def context(self, language: str = "id-ID", scheme: str = "light") -> BrowserContext:
        """A browser of his own."""
        return await self.chrome.new_context(
            viewport={"width": 1366, "height": 768}, locale=language, color_scheme=scheme,  # type: ignore[arg-type]
            permissions=["microphone"],
        )  # fmt: skip

    async def supervisor(self, extension: str = "", name: str = "ratna", phone: Phone = Phone.BROWSER) -> Tab:
        """Signed in with his code, at the board; he speaks in a tone of his own."""
        secret = await self.user(name, extension, Role.SUPERVISOR, phone)
        tab = await Tab.of(await self.context())
        self.tabs.append(tab)
        await tab.speak(SUPERVISOR_HZ)
        await tab.enter(
            self.base, name, PASSWORD, f"/board?campaign={self.floor.campaign.id}", pyotp.TOTP(secret).now()
        )
        return tab

    async def agent(self, extension: str, name: str = "", phone: Phone = Phone.BROWSER) -> Tab:
        """Signed in, at his desk, not ready yet."""
        name = name or f"agen{extension}"
        await self.user(name, extension, phone=phone)
        tab = await Tab.of(await self.context())
        self.tabs.append(tab)
        await tab.enter(self.base, name, PASSWORD)
        await tab.until("desk.info")
        return tab


def site_toml(floor: Office, redis: RedisProcess, node: str = 'media_address = "127.0.0.1"') -> str:
    """The site's settings. `node`: how sound reaches its Asterisk."""
    settings = floor.settings
    return f"""
        [redis]
        url = "{redis.url}"
        [asterisk.{settings.node}]
        port = {settings.ami_port}
        ari = "http://127.0.0.1:{settings.http_port}/ari"
        {node}
        [trunk.{TRUNK}]
        endpoint = "{TRUNK}"
        host = "127.0.0.2"
        lines = 50
        caller_ids = ["+622150001234"]
        [web]
        listen = "127.0.0.1:0"
        requests_per_second = 50
        [privacy]
        plain_recordings = true
    """


def secrets_of(floor: Office) -> dict[str, str]:
    """What its environment holds."""
    return {
        "SANTUN_AMI_SECRET": floor.settings.ami_secret,
        "SANTUN_ARI_PASSWORD": floor.settings.ari_password,
        "SANTUN_PERSON_KEY": PERSON_KEY,
        "SANTUN_TURN_SECRET": TURN_SECRET,
    }


@asynccontextmanager
async def opened(
    floor: Office, redis: RedisProcess, chrome: Browser, node: str = 'media_address = "127.0.0.1"'
) -> AsyncIterator[House]:
    """The web of a floor."""
    config = read_config(site_toml(floor, redis, node), secrets_of(floor))
    async with (
        open_office(OpenSite(config, floor.store, SystemClock()), config, {}) as office,
        Served(make_app(office, sockets_of(office)), config.web) as served,
    ):
        house = House(floor, office, f"http://localhost:{served.port}", chrome)
        try:
            yield house
        finally:
            for tab in house.tabs:
                await tab.page.context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def house(
    settings: AsteriskSettings,
    pbx: AsteriskProcess,
    carrier: Carrier,
    ami: AmiClient,
    redis: RedisProcess,
    chrome: Browser,
) -> AsyncIterator[House]:
    async with a_floor(settings, pbx, carrier, ami, redis) as floor, opened(floor, redis, chrome) as house:
        yield house


@asynccontextmanager
async def a_floor(
    settings: AsteriskSettings, pbx: AsteriskProcess, carrier: Carrier, ami: AmiClient, redis: RedisProcess
) -> AsyncIterator[Office]:
    """A campaign in an empty Redis."""
    store = RedisStore(redis.url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        await store._link.one(("FLUSHALL",))
        floor = Office(settings, pbx, carrier, ami, store, redis.url)
        stack.push_async_callback(floor.close)
        yield floor
