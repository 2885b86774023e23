"""A floor at work for pages to be looked at: a real engine, Redis and web; only Asterisk and its people are twins."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, cast
from urllib.parse import urlsplit

import pyotp
from playwright.async_api import Browser, BrowserContext, Page

from dialer.adapters.clock import SystemClock
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_keys import campaign_keys, desk_key
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.site import OpenSite, new_id
from dialer.config import Config, read_config
from dialer.engine import Engine
from dialer.law.abandon import Abandons, Fate
from dialer.model import AgentState, Campaign, Command, Contact, Kind, Mode, Number, NumberState, Order, Overflow
from dialer.pace.snapshot import Decision, PacingEvent, Snapshot
from dialer.pacing import Limits, Pacer
from dialer.running.run import Site, Trunk
from dialer.service import open_office, sockets_of
from dialer.simulation.scenario import SCENARIOS
from dialer.simulation.world import World
from dialer.users import Phone, Role
from dialer.web.accounts import Accounts
from dialer.web.application import make_app
from dialer.web.doors import Office
from dialer.web.serving import Served
from tests.twins import Debtor, TwinAsterisk, TwinClock

from .pages import LIMIT_MS

ROOT = Path(__file__).parents[2]
PASSWORD = "a quiet river at noon"
ENV = {"SANTUN_AMI_SECRET": "invented", "SANTUN_PERSON_KEY": "ab" * 32}
CAMPAIGN = Campaign(
    "demo", "Pengingat November", pack="demo", mode=Mode.PREDICTIVE, trunk="carrier",
    caller_id="+622150001234", caller_name="Santun", wrap_up_max_s=12, overflow=Overflow.IVR, lines_max=40,
)  # fmt: skip
OTHER = replace(CAMPAIGN, id="demo-ivr", name="Ingatkan lewat IVR", kind=Kind.IVR, mode=Mode.IVR)
NAMES = "Budi Siti Agus Dewi Rina Joko Wati Hendra Lestari Putri Yusuf Ratna Bambang Sri Eko Maya".split()
SURNAMES = "Santoso Rahayu Wijaya Lestari Hidayat Kusuma Pratama Siregar Nasution Halim".split()
LENDERS = "Bank Maju|Kredit Sejahtera|Pinjam Aman".split("|")
SAYS = (
    "promise:{day};{sum}", "promise:{day};{sum}", "call_back:{day}T10:00", "refuses", "hardship", "paid_claim",
    "not_at_home", "wrong_number", "no_result", "dispute",
)  # fmt: skip
SHIFT_S = 4 * 3600
STATES = [NumberState.UNTRIED] * 14 + [NumberState.DEAD, NumberState.WRONG_PERSON, NumberState.STOP]


def people(count: int, seed: int = 7) -> list[Contact]:
    """Debtors with names, debts and one or two numbers."""
    chance = Random(seed)
    found = []
    for at in range(count):
        numbers = [
            Number(f"+62812{chance.randrange(10**7, 10**8)}", f"{seed}{at}n{turn}", state=chance.choice(STATES))
            for turn in range(chance.choice((1, 1, 2)))
        ]
        found.append(
            Contact(
                f"K{seed}{at:04d}",
                f"{seed}p{at}",
                tuple(numbers),
                name=f"{chance.choice(NAMES)} {chance.choice(SURNAMES)}",
                zone=chance.choice(("Asia/Jakarta", "Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")),
                lender=chance.choice(LENDERS),
                product="Kredit motor",
                amount=chance.randrange(200, 9000) * 1000,
                due=datetime.now(UTC).date() - timedelta(days=chance.randrange(1, 90)),
                account=f"88{at:08d}",
            )
        )
    return found


class Floor:
    """What the twins of debtors and agents do."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)

    def debtor(self, order: Order) -> Debtor:
        """About two in five answer."""
        chance = self.chance
        return Debtor(
            answers=chance.random() < 0.4,
            dials_s=chance.uniform(0.2, 1.0),
            rings_s=chance.uniform(1.0, 9.0),
            ends=chance.choice([(17, 486), (1, 404), (19, 480), (21, 603)]),
            patience_s=chance.uniform(8.0, 45.0),
        )

    def says(self) -> str:
        """The result of a talk."""
        day = datetime.now(UTC).date() + timedelta(days=self.chance.randrange(2, 9))
        return self.chance.choice(SAYS).format(day=day, sum=self.chance.randrange(2, 30) * 50_000)


@dataclass
class Shift:
    """A running campaign, the web on top of it, and who may look."""

    office: Office
    store: RedisStore
    engine: Engine
    asterisk: TwinAsterisk
    base: str
    chrome: Browser
    another: Callable[[], Engine]  # as a new process would be
    running: asyncio.Task[None]

    async def order(self, name: str, campaign: str = CAMPAIGN.id, **args: str) -> bool:
        """A command to the engine."""
        now = SystemClock().now()
        reply = await self.store.send(Command(new_id(now), campaign, name, "test", now, now + 5, args), 5.0)
        return reply is not None and reply.ok

    @property
    def accounts(self) -> Accounts:
        """Who may sign in."""
        return Accounts(self.office.users, self.office.sessions, self.office.passwords)

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return SystemClock().now()

    @property
    def phone(self) -> Phone:
        """What its users talk with: none of them talks."""
        return Phone.SIP

    @asynccontextmanager
    async def without_engine(self) -> AsyncIterator[None]:
        """It ends in good order; afterwards another one leads."""
        self.engine.stop()
        await self.running
        try:
            yield
        finally:
            self.engine = self.another()
            self.running = asyncio.create_task(self.engine.run())

        async def leads() -> bool:
            return CAMPAIGN.id in self.engine.runs

        await until(leads, 25)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """The engine publishes nothing, as if it hung."""

        async def nothing(campaign: str, token: int, snapshot: bytes) -> None:
            """Unheard."""

        publish = self.store.publish
        self.store.publish = nothing  # type: ignore[method-assign] # as long as it is silent
        try:
            yield
        finally:
            self.store.publish = publish  # type: ignore[method-assign]

    @asynccontextmanager
    async def desk(self, agent: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """What is told to an agent's desk from now on."""
        heard = self.store._link.blocking.pubsub()
        await heard.subscribe(desk_key(agent))

        async def notes() -> AsyncIterator[dict[str, Any]]:
            async for message in heard.listen():
                if message["type"] == "message":
                    yield json.loads(message["data"])

        try:
            yield notes()
        finally:
            await heard.aclose()  # type: ignore[no-untyped-call]

    async def user(self, name: str, role: Role, extension: str = "") -> str:
        """One who has done his first sign-in; his code generator's secret."""
        user, _ = await self.accounts.add(name, role, extension, Phone.SIP, SystemClock().now())
        done = await self.accounts.set_password(user, PASSWORD, SystemClock().now())
        secret = pyotp.random_base32()
        await self.office.users.change(done, replace(done, totp=secret, enrolled=True))
        return secret

    async def context(self, scheme: str = "light", language: str = "id", width: int = 1366) -> BrowserContext:
        """A browser of its own, in a language and a theme."""
        context = await self.chrome.new_context(
            viewport={"width": width, "height": 768}, color_scheme=scheme,  # type: ignore[arg-type]
            timezone_id="Asia/Jakarta",
        )  # fmt: skip
        await context.add_init_script(f"localStorage.setItem('santun.lang', '{language}')")
        return context

    async def enter(self, context: BrowserContext, name: str, secret: str, to: str = "/board") -> Page:
        """Sign in as people do, with the code of now."""
        page = await context.new_page()
        page.set_default_timeout(LIMIT_MS)
        await page.goto(f"{self.base}/sign-in?next={to}")
        await page.locator("input[autocomplete=username]").fill(name)
        await page.locator("input[type=password]").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await page.locator("input[autocomplete=one-time-code]").fill(pyotp.TOTP(secret).now())
        await page.keyboard.press("Enter")
        await page.wait_for_url(lambda url: urlsplit(url).path == urlsplit(to).path)
        return page


@asynccontextmanager
async def at_work(
    folder: Path, chrome: Browser, agents: int = 14, contacts: int = 600, past_s: int = SHIFT_S
) -> AsyncIterator[Shift]:
    """From an empty Redis to a campaign that dials; `past_s`: how much of the shift has gone by, 0: it begins now."""
    redis = RedisProcess(redis_server(ROOT), folder / "redis", "no")
    await redis.start()
    store = RedisStore(redis.url)
    clock, floor = SystemClock(), Floor(3)
    config = config_of(redis.url)
    site = OpenSite(config, store, clock)
    asterisk = TwinAsterisk(cast(TwinClock, clock), floor.debtor, 5, "pbx1")
    trunk = Trunk("carrier", "pbx1", "PJSIP/{digits}@carrier", 60, 20.0)
    names = count(1)

    def another() -> Engine:
        where = Site(f"e{next(names)}", {"carrier": trunk}, site.pack_of, new_id)
        return Engine(where, store, {"pbx1": asterisk}, clock)

    engine = another()
    tasks: list[asyncio.Task[None]] = []
    shift: Shift | None = None
    try:
        await store.save_campaign(CAMPAIGN)
        await store.save_campaign(OTHER)
        await store.add_contacts(CAMPAIGN.id, people(contacts), clock.now())
        await store.add_contacts(OTHER.id, people(40, 9), clock.now())
        if past_s:
            await _morning(store, clock.now(), past_s)
        async with (
            open_office(site, config, {}) as office,
            Served(make_app(office, sockets_of(office)), config.web) as served,
        ):
            running = asyncio.create_task(engine.run())
            base = f"http://127.0.0.1:{served.port}"
            shift = Shift(office, store, engine, asterisk, base, chrome, another, running)
            for agent in range(101, 101 + agents):
                await until(partial(shift.order, "sign_in", agent=str(agent)))
            await until(lambda: shift.order("start"))
            tasks.append(asyncio.create_task(_robots(shift, floor)))
            yield shift
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if shift is not None:
            shift.engine.stop()
            await asyncio.gather(shift.running, return_exceptions=True)
        asterisk.close()
        await store.close()
        await redis.kill()


def config_of(url: str) -> Config:
    """One node, one trunk on loopback, a web on a free port."""
    text = f"""
        [redis]
        url = "{url}"
        [asterisk.pbx1]
        [trunk.carrier]
        endpoint = "carrier"
        host = "127.0.0.1"
        lines = 60
        calls_per_second = 20
        caller_ids = ["+622150001234"]
        [web]
        listen = "127.0.0.1:0"
        requests_per_second = 50
    """
    return read_config(text, ENV)


async def until(asked: Callable[[], Awaitable[Any]], within_s: float = LIMIT_MS / 1000) -> Any:
    """What `asked` gives once it gives something true."""
    ends = asyncio.get_running_loop().time() + within_s
    while not (found := await asked()):
        assert asyncio.get_running_loop().time() < ends, f"not within {within_s:g} s"
        await asyncio.sleep(0.2)
    return found


async def _robots(shift: Shift, floor: Floor) -> None:
    """Agents in wrap-up say what came of the talk; now and then one has a break."""
    while True:
        await asyncio.sleep(0.5)
        run = shift.engine.runs.get(CAMPAIGN.id)
        for agent in list(run.floor.team.agents.values()) if run else ():
            if agent.state is AgentState.WRAP_UP and floor.chance.random() < 0.2:
                await shift.order("wrapped", agent=agent.id, disposition=floor.says())
            elif agent.state is AgentState.IDLE and floor.chance.random() < 0.01:
                await shift.order("break", agent=agent.id, reason="")
            elif agent.state is AgentState.BREAK and floor.chance.random() < 0.05:
                await shift.order("back", agent=agent.id)


class _Spy:
    """A pacer whose decisions of every minute are kept."""

    def __init__(self) -> None:
        limits = Limits(Mode.PREDICTIVE, lines_max=60, lines_per_agent_max=5.0, calls_per_second=5.0)
        self.pacer, self.kept = Pacer(limits, 1), dict[int, Decision]()

    def observe(self, event: PacingEvent) -> None:
        self.pacer.observe(event)

    def decide(self, snapshot: Snapshot) -> Decision:
        decision = self.pacer.decide(snapshot)
        self.kept[int(snapshot.at // 60)] = decision
        return decision


async def _morning(store: RedisStore, now: float, past_s: int) -> None:
    """The pacing series of the hours before, as a simulated shift had it."""
    spy = _Spy()
    World(replace(SCENARIOS["steady"], agents=14, hours=past_s / 3600), spy, 1, gap_s=1.0, keep=False).run()
    await _counted(store, spy.kept[max(spy.kept)], now)
    first = min(spy.kept)
    key = campaign_keys(CAMPAIGN.id).pacing
    for minute, decision in sorted(spy.kept.items()):
        at = now - past_s + (minute - first) * 60
        if at < now - 5:
            numbers = [part for name, value in decision.numbers.items() for part in (name, f"{value:.6g}")]
            entry = ("at", f"{at:.3f}", "reason", decision.reason, *numbers)
            await store._link.one(("XADD", key, f"{int(at * 1000)}-0", *entry))


async def _counted(store: RedisStore, last: Decision, now: float) -> None:
    """The abandon counts with which that shift ended, as an engine before this one left them."""
    abandons = Abandons()
    live, abandoned = int(last.numbers.get("live", 0)), int(last.numbers.get("abandoned", 0))
    for turn in range(live):
        abandons.add(now - 60.0, Fate.ABANDONED if turn < abandoned else Fate.SERVED)
    token = await store.lead(CAMPAIGN.id, "before", 5000)
    assert token is not None
    await store.publish(CAMPAIGN.id, token, json.dumps({"kept": abandons.dump()}).encode())
    await store.resign(CAMPAIGN.id, "before", token)


__all__ = ["CAMPAIGN", "OTHER", "PASSWORD", "Shift", "at_work", "people", "until"]
