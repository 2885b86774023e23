"""Two engines as they are deployed, processes of their own, on one Redis and one Asterisk: one leads, one stands by."""

import asyncio
import os
import secrets
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.demo.carrier import Carrier
from dialer.demo.program import Program, run_to_end
from dialer.errors import SetupError
from dialer.keyed import secret_key
from dialer.model import Attempt, Kind, Mode
from dialer.ports import Held

from .ami_client import AmiClient
from .ami_tap import Tap
from .conftest import ROOT, TRUNK, free_port
from .office import CAMPAIGN, LIMIT_S, Office
from .waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk, pytest.mark.redis]

NAME = "demo"  # the only one that may have the demo's rules, which know no hours
LEASE_KEPT_MS = 60_000


class Process(Program):
    """One `dialer engine`, which reaches Asterisk over a tap."""

    def __init__(self, letter: str, site: "Site") -> None:
        self.tap = Tap(site.office.settings.ami_host, site.office.settings.ami_port)
        self.port = free_port("127.0.0.1", socket.SOCK_STREAM)
        self.config = site.folder / f"{letter}.toml"
        super().__init__(f"engine-{letter}", ("dialer", "engine", "--config", str(self.config)), site.env, site.folder)
        self._site = site

    async def begin(self) -> None:
        """It stands by, or leads, when this returns."""
        await self.tap.start()
        self.config.write_text(self._site.toml(self.tap.port, self.port))
        await self.start()
        await until(self.ready, f"{self.name} is ready: {self.last_lines()}", 4 * LIMIT_S)

    async def ready(self) -> bool:
        """As its own page says."""
        return await asyncio.to_thread(self._page) == 200

    def _page(self) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def ended(self) -> int:
        """Its exit code."""
        assert self._process is not None
        async with asyncio.timeout(LIMIT_S):
            return await self._process.wait()

    def has_said(self, action: str) -> bool:
        return f'"action": "{action}"' in self.log.read_text(errors="replace")

    async def finish(self) -> None:
        """Whatever state it is in."""
        if self.alive:
            self.send(signal.SIGCONT)
        await self.stop()
        await self.tap.close()


class Site:
    """The office, with engines that are no part of this process."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.office, self.folder = office, folder
        self.engines: list[Process] = []
        self.env: Mapping[str, str] = {
            "SANTUN_AMI_SECRET": office.settings.ami_secret,
            "SANTUN_PERSON_KEY": secrets.token_hex(32),
            "SANTUN_REDIS_URL": office.redis_url,
        }

    def toml(self, ami_port: int, page_port: int) -> str:
        config = self.office.settings
        return f"""
[asterisk.{config.node}]
host = "127.0.0.1"
port = {ami_port}
user = "{config.ami_user}"
[trunk.{TRUNK}]
endpoint = "{TRUNK}"
host = "127.0.0.2"
lines = 50
calls_per_second = 20
caller_ids = ["{CAMPAIGN.caller_id}"]
attempt_header = "X-Santun-Attempt"
[ivr]
host = "{config.ivr_host}"
port = {config.ivr_port}
[metrics]
listen = "127.0.0.1:{page_port}"
"""

    async def open(self, *agents: str, **settings: Any) -> tuple[Process, Process]:
        """A campaign, an engine that leads it, one that stands by, these agents in their rooms."""
        office = self.office
        office.campaign = replace(CAMPAIGN, id=NAME, **settings)
        await office.store.save_campaign(office.campaign)
        one, other = await asyncio.gather(self.engine("a"), self.engine("b"))
        for agent in agents:
            await office.sign_in(agent)
        return (one, other) if await self.led(one) else (other, one)

    async def engine(self, letter: str) -> Process:
        process = Process(letter, self)
        self.engines.append(process)
        await process.begin()
        return process

    async def led(self, process: Process) -> bool:
        """Whether this engine has the lease."""
        leaders = await self.office.store.leaders([NAME])
        return leaders[NAME].endswith(f":{process.pid}")

    async def taken_over(self, process: Process) -> None:
        await until(lambda: self.led(process), f"{process.name} leads", LIMIT_S)

    async def kept(self) -> dict[bytes, bytes]:
        """All that Redis holds, but for what he saw and can only tell (docs/decisions/0120)."""
        link, evidence = self.office.store._link, campaign_keys(NAME).late.encode()
        keys = sorted(key for key in await link.one(("KEYS", "*")) if key != evidence)
        found = await link.run([("DUMP", key) for key in keys])
        return {key: dump for key, dump in zip(keys, found, strict=True) if dump is not None}

    async def dialer(self, *words: str) -> str:
        """A command of the product, to its end."""
        return await run_to_end(("dialer", *words, "--config", str(self.engines[0].config)), self.env)

    async def close(self) -> None:
        for process in self.engines:
            await process.finish()
        await self.office.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def redis(scratch: Path) -> AsyncIterator[RedisProcess]:
    process = RedisProcess(redis_server(ROOT), scratch / "redis-standby", "no")
    await process.start()
    yield process
    await process.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def site(
    settings: AsteriskSettings,
    pbx: AsteriskProcess,
    carrier: Carrier,
    ami: AmiClient,
    redis: RedisProcess,
    tmp_path: Path,
) -> AsyncIterator[Site]:
    store = RedisStore(redis.url)
    await store._link.one(("FLUSHALL",))
    site = Site(Office(settings, pbx, carrier, ami, store, redis.url), tmp_path)
    yield site
    await site.close()
    await store.close()


async def test_a_standby_takes_over_from_a_leader_that_is_killed(site: Site) -> None:
    """A talk goes on; who answers while nobody leads is known by what the standby heard; and what the killed leader had
    written arrives when another leads: its debtor has been locked all the time, and is called once."""
    office = site.office
    leader, heir = await site.open("1001", "1002", "1003", connect_limit_ms=500)
    talks, hears, late = office.debtor("human"), office.debtor("human", 1.0), office.debtor("human")
    await office.add(talks)
    await office.order("start")
    attempt = await office.talking("1001")
    await office.known_as("1001", "talking")
    acts = len(leader.tap.acts)
    await office.add(hears)
    gap = (await office.ringing(hears)).id
    leader.tap.hold()
    await office.add(late)

    async def written() -> bool:
        return leader.tap.acts[acts:] == ["Originate", "Originate"]

    await until(written, "the second call is on its way")
    leader.send(signal.SIGKILL)
    await site.taken_over(heir)
    assert await heir.ready()
    await office.boards(3)
    (sent,) = [one for one in await office.store.open_attempts(NAME) if one.contact == late.id]
    (held,) = await office.store.lock([Attempt("probe", **office.of(late))], sent.claimed_at)
    assert not isinstance(held, Held)
    assert sent.id not in {call.attempt for call in office.calls()}
    leader.tap.let_go()
    assert await office.talking("1002") == sent.id
    assert not office.has_left(attempt)
    assert (await office.known_as("1001", "talking")).attempt == attempt
    assert "Originate" not in heir.tap.acts
    after = office.debtor("human")
    await office.add(after)
    assert await office.talking("1003")
    for agent in ("1001", "1002", "1003"):
        await office.end_talk(agent, "told")
    books = await office.books(4)
    agents = {one.id: books[one.id]["agent"] for one in (talks, late, after) if books[one.id]["outcome"] == "connected"}
    assert agents == {talks.id: "1001", late.id: "1002", after.id: "1003"}
    assert (books[hears.id]["outcome"], books[hears.id]["attempt"]) == ("abandoned", gap)
    assert "" < books[hears.id]["answered_at"] < books[after.id]["placed_at"]


async def test_an_old_leader_that_wakes_up_writes_nothing_and_does_nothing(site: Site) -> None:
    """He was stopped with calls up, so he wants to do a lot of things; his heir stands still until he has found out."""
    office = site.office
    leader, heir = await site.open("1001", "1002")
    talks, answers, rings = office.debtor("human"), office.debtor("human", 4), office.debtor("human", 5)
    await office.add(talks)
    await office.order("start")
    await office.talking("1001")
    await office.known_as("1001", "talking")
    await office.add(answers)
    await office.ringing(answers)
    leader.send(signal.SIGSTOP)
    await site.taken_over(heir)
    await office.talking("1002")
    await office.known_as("1002", "talking")
    await office.end_talk("1001", "told")
    office.forget()
    await office.add(rings)
    await office.ringing(rings)
    heir.send(signal.SIGSTOP)
    lease = campaign_keys(NAME).lease
    assert await office.store._link.one(("PEXPIRE", lease, LEASE_KEPT_MS))  # as if he went on
    before, said = await site.kept(), len(leader.tap.acts)
    leader.send(signal.SIGCONT)

    async def dethroned() -> bool:
        return leader.has_said("dethroned") and await leader.ready()

    await until(dethroned, "he knows that he leads no more", LIMIT_S)
    assert leader.tap.acts[said:] == []
    assert await site.kept() == before
    heir.send(signal.SIGCONT)
    await office.talking("1001")
    for agent in ("1001", "1002"):
        await office.end_talk(agent, "told")
    books = await office.books(3)
    assert {books[one.id]["outcome"] for one in (talks, answers)} == {"connected"}
    assert leader.tap.acts[said:] == []


async def test_engines_are_replaced_one_after_the_other_and_nobody_notices(site: Site) -> None:
    """A talk and two who answer while one engine hands over to the other: each gets his agent."""
    office = site.office
    first, second = await site.open("1001", "1002", "1003")
    talks, one, other = office.debtor("human"), office.debtor("human", 1.5), office.debtor("human", 1.5)
    await office.add(talks)
    await office.order("start")
    attempt = await office.talking("1001")
    await office.known_as("1001", "talking")
    for leader, heir, debtor, agent in ((first, second, one, "1002"), (second, None, other, "1003")):
        heir = heir or await site.engine("c")
        await office.add(debtor)
        rings = (await office.ringing(debtor)).id
        leader.send(signal.SIGTERM)
        assert await leader.ended() == 0
        assert await office.talking(agent) == rings
        assert await site.led(heir)
        await office.known_as(agent, "talking")
    assert not office.has_left(attempt)
    for agent in ("1001", "1002", "1003"):
        await office.end_talk(agent, "told")
    books = await office.books(3)
    assert {(books[who.id]["outcome"], books[who.id]["agent"]) for who in (talks, one, other)} == {
        ("connected", "1001"), ("connected", "1002"), ("connected", "1003")
    }  # fmt: skip


async def test_a_campaign_is_drained_and_then_a_whole_engine(site: Site) -> None:
    """One not in time: its talk goes on under the other engine, which then is drained, ends its call, and ends."""
    office = site.office
    first, second = await site.open("1001")
    talks, later = office.debtor("human"), office.debtor("human")
    await office.add(talks)
    await office.order("start")
    attempt = await office.talking("1001")
    await office.known_as("1001", "talking")
    with pytest.raises(SetupError, match="were up went on under the next leader"):
        await site.dialer("drain", "--campaign", NAME, "--limit", "0.5")
    assert await site.led(second)
    assert await first.ready()
    draining = asyncio.create_task(site.dialer("drain", "--limit", "60"))

    async def drains() -> bool:
        return any(hold.startswith("draining: 1 calls") for hold in (await office.board())["holds"])

    await until(drains, "the board says that it drains", LIMIT_S)
    await office.add(later)

    async def turned_away() -> bool:
        return not await second.ready()

    await until(turned_away, "its own page says so", LIMIT_S)
    assert await site.led(second)
    assert not office.has_left(attempt)
    office.forget()
    await office.end_talk("1001", "told")
    said = await draining
    assert said.rstrip().endswith(f":{first.pid}")
    assert f"{NAME}: handed over to" in said
    assert await second.ended() == 0
    assert second.has_said("drained")
    assert await office.talking("1001")
    await office.end_talk("1001")
    books = await office.books(2)
    assert [books[one.id]["outcome"] for one in (talks, later)] == ["connected", "connected"]
    assert "Originate" not in second.tap.acts


async def test_an_ivr_is_replaced_while_debtors_speak_with_it(site: Site, scratch: Path) -> None:
    """The new process takes the new calls, the old one ends with its last."""
    office, config = site.office, site.office.settings
    listen = f"{config.ivr_host}:{config.ivr_port}"
    words = ("ivr", "serve", "--prompts", str(scratch / "prompts"), "--listen", listen, "--redis", office.redis_url)
    old, new = (Program(f"ivr-{age}", words, site.env, site.folder) for age in ("old", "new"))

    async def conversation() -> str:
        debtor = office.debtor("keys_none", secret=secret_key(bytes.fromhex(site.env["SANTUN_PERSON_KEY"]), "1234"))
        await office.add(debtor)
        attempt = (await office.ringing(debtor)).id

        async def asked() -> bool:
            return any(fact.value == "person" for fact in await office.store.facts(office.campaign.id, attempt))

        await until(asked, "the IVR asks who he is", LIMIT_S)
        return attempt

    try:
        for program in (old, new):
            await program.start()
            await until(lambda one=program: _waits(one), f"{program.name} waits for calls", 4 * LIMIT_S)  # type: ignore[misc]
            if program is old:
                await office.open(kind=Kind.IVR, mode=Mode.IVR)
                await office.order("start")
                first = await conversation()
        os.kill(old.pid, signal.SIGTERM)
        second = await conversation()
        assert old.alive
        await office.hang_up(first)
        await until(lambda: _is_gone(old), "the old one has ended", LIMIT_S)
        await office.hang_up(second)
        books = await office.books(2)
        assert {(record["attempt"], record["outcome"], record["ivr_end"]) for record in books.values()} == {
            (first, "ivr", "hung_up"), (second, "ivr", "hung_up")
        }  # fmt: skip
    finally:
        await asyncio.gather(old.stop(), new.stop())


async def _waits(program: Program) -> bool:
    return '"action": "serve"' in program.log.read_text(errors="replace")


async def _is_gone(program: Program) -> bool:
    return not program.alive
