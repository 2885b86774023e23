"""The web on a real Redis, and browsers and programs that ask it; time stands unless a test moves it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyotp
from aiohttp import ClientResponse, ClientSession, ClientWebSocketResponse, CookieJar

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.sealed import new_key
from dialer.adapters.site import OpenSite
from dialer.config import Config, Web, read_config
from dialer.forms.privacy import Privacy
from dialer.service import open_office, sockets_of
from dialer.users import ApiToken, Phone, Role, User
from dialer.web.accounts import Accounts
from dialer.web.application import make_app
from dialer.web.doors import Office
from dialer.web.serving import Served

ROOT = Path(__file__).parents[2]
API = "/api/v1"
EPOCH = 1_800_000_000.0
ENV = {"SANTUN_AMI_SECRET": "invented", "SANTUN_PERSON_KEY": "ab" * 32}
SITE = """
[asterisk.pbx1]
[trunk.carrier]
endpoint = "carrier"
host = "127.0.0.1"
lines = 10
caller_ids = ["+622150001234"]
"""
PASSWORD = "a quiet river at noon"
HASHES: list[str] = []
KEY = new_key()  # of the site


class HandClock:
    """Stands until it is moved; stopwatches run."""

    def __init__(self) -> None:
        self.at = EPOCH

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def kind(self) -> str:
        """Of a problem."""
        assert self.headers["Content-Type"].startswith("application/problem+json"), self.body
        assert self.body["status"] == self.status
        return str(self.body["kind"])


@dataclass
class Client:
    """A browser with its cookie and CSRF token, or a program with a token."""

    base: str
    http: ClientSession
    csrf: str = ""
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """`path` below /api/v1, or from the root with a leading //."""
        headers = {**self.headers, **more.pop("headers", {})}
        if self.csrf and method != "GET":
            headers.setdefault("X-CSRF-Token", self.csrf)
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            more["data"] = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        address = self.base + (path[1:] if path.startswith("//") else API + path)
        async with self.http.request(method, address, headers=headers, allow_redirects=False, **more) as answer:
            return Answer(answer.status, answer.headers.copy(), await _body(answer))

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return await self.ask("POST", path, body, **more)

    async def enter(self, name: str, password: str) -> Answer:
        """Sign in as far as the password goes."""
        answer = await self.post("/sign-in", {"name": name, "password": password}, headers={"X-CSRF-Token": ""})
        if answer.status == 200:
            self.csrf = answer.body["csrf"]
        return answer

    async def step(self, path: str, body: Any) -> Answer:
        """One step more; its CSRF token is the next."""
        answer = await self.post(path, body)
        if answer.status == 200:
            self.csrf = answer.body["csrf"]
        return answer

    @asynccontextmanager
    async def live(self, query: str) -> AsyncIterator[ClientWebSocketResponse]:
        """The /live socket."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.http.ws_connect(f"{self.base}/live?{query}", headers=headers) as socket:
            yield socket


async def _body(answer: ClientResponse) -> Any:
    raw = await answer.read()
    return json.loads(raw) if raw and "json" in answer.content_type else raw


@dataclass
class House:
    """The web, its Redis, and its clock."""

    redis: RedisProcess
    store: RedisStore
    office: Office
    clock: HandClock
    base: str
    served: Served
    clients: list[ClientSession] = field(default_factory=list)

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.office.users, self.office.sessions, self.office.passwords)

    def client(self) -> Client:
        """A browser that nobody has used."""
        http = ClientSession(cookie_jar=CookieJar(unsafe=True))  # cookies of an address, not of a name
        self.clients.append(http)
        return Client(self.base, http)

    async def user(self, name: str, role: Role, agent: str = "", enrolled: bool = True) -> str:
        """One who has done his first sign-in (enrolled=False: not yet, and this is his one-time password)."""
        at = self.clock.now()
        if not enrolled:
            return (await self.accounts.add(name, role, agent, Phone.BROWSER, at))[1]
        if not HASHES:  # made once: it is slow by purpose
            HASHES.append(await self.office.passwords.hash(PASSWORD))
        codes = role in (Role.SUPERVISOR, Role.ADMIN)
        secret = pyotp.random_base32() if codes else ""
        await self.office.users.add(User(name, role, HASHES[0], agent, totp=secret, enrolled=codes, made_at=at))
        return PASSWORD

    async def code(self, name: str) -> str:
        """What the user's code generator shows now."""
        user = await self.office.users.user(name)
        assert user is not None
        return pyotp.TOTP(user.totp).at(int(self.clock.now()))

    async def signed_in(self, name: str, role: Role, agent: str = "") -> Client:
        """A browser in which a new user has signed in; for one with codes the clock goes on by a minute."""
        client = self.client()
        answer = await client.enter(name, await self.user(name, role, agent))
        if answer.body["step"] == "code":
            self.clock.at += 60  # each code serves once
            answer = await client.step("/sign-in/code", {"code": await self.code(name)})
        assert answer.body["step"] == "done", answer.body
        return client

    async def program(self, *rights: str) -> Client:
        """A program with a token."""
        client = self.client()
        client.token = await self.office.tokens.make(
            ApiToken("", "program", "", rights, "test", self.clock.now(), self.clock.now() + 86400)
        )
        return client


@asynccontextmanager
async def opened(
    folder: Path,
    web: Web | None = None,
    prepare: Callable[[Office], None] = lambda office: None,
    settings: str = SITE,
    privacy: Privacy | None = None,
    env: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[House]:
    """A house of its own. `prepare`: gives the office what a test wants of it, before it opens."""
    redis = RedisProcess(redis_server(ROOT), folder / "redis", "no")
    await redis.start()
    config = read_config(f'[redis]\nurl = "{redis.url}"\n{settings}', {**ENV, **env})
    config = config.model_copy(
        update={"web": web or Web(listen="127.0.0.1:0"), "privacy": privacy or Privacy(secret=KEY)}
    )
    clock = HandClock()
    store = RedisStore(redis.url)
    site = OpenSite(config, store, clock)  # type: ignore[arg-type] # a clock that is moved by hand
    try:
        async with open_office(site, config, {}) as office:
            prepare(office)
            async with Served(make_app(office, sockets_of(office)), config.web) as served:
                house = House(redis, store, office, clock, f"http://127.0.0.1:{served.port}", served)
                try:
                    yield house
                finally:
                    for client in house.clients:
                        await client.close()
    finally:
        await store.close()
        await redis.kill()


__all__ = ["API", "EPOCH", "PASSWORD", "Answer", "Client", "Config", "House", "opened"]
