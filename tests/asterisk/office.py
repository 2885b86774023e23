"""One campaign on a real Asterisk and a real Redis: led by engines in this process, driven by commands and a list."""

import asyncio
import itertools
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dialer.adapters.ami import Ami, AmiSettings
from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.clock import SystemClock
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.site import new_id
from dialer.contacts import ListRules
from dialer.debts.plans import LimitsOf, none_offered
from dialer.demo.carrier import Carrier, CarrierCall, number
from dialer.demo.reconcile import NEVER_SENT, faults
from dialer.dialplan import Told, endpoint, room
from dialer.engine import Engine
from dialer.floor.team import LEG_PREFIX
from dialer.law.abandon import Abandons, Fate
from dialer.model import Agent, Attempt, Campaign, Command, Contact, Number
from dialer.running.leading import LEASE_MS
from dialer.running.run import Site, Trunk
from tests import packs
from tests.patience import PATIENCE

from .ami_client import AmiClient, Message
from .conftest import TRUNK
from .waiting import until

CAMPAIGN = Campaign(
    "real", "Reminder", pack="demo", trunk=TRUNK, wrap_up_max_s=30, ring_s=15, caller_id="+622150001234"
)
PACK = replace(packs.demo(), ring_min_s=1)  # nobody has 15 s to wait for a phone that rings out
LISTS = ListRules(b"a test key, 16 B")
COMMAND_S = 10.0
LIMIT_S = 20.0

Record = Mapping[str, str]

_serials = itertools.count(50_000)


class Mortal(Engine):
    """An engine that may be killed: then nothing more is written, and no lease is given back."""

    killed = False

    async def _shut(self, loops: Iterable["asyncio.Task[Any]"]) -> None:
        if not self.killed:
            await super()._shut(loops)
            return
        left: set[asyncio.Task[Any]] = {*loops}
        while left := left | self._tasks:
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            left = set()


@dataclass(slots=True)
class Led:
    """One engine with links of its own, as a process has them."""

    engine: Mortal
    ami: Ami
    store: RedisStore
    task: "asyncio.Task[None]"

    async def stop(self) -> None:
        """In good order; harmless where it has been killed."""
        self.engine.stop()
        await self._end()

    async def kill(self) -> None:
        """As by SIGKILL: the sockets go, nobody says goodbye."""
        self.cut()
        self.engine.killed = True
        self.task.cancel()
        await self._end()

    def cut(self) -> None:
        """The manager link breaks."""
        session = self.ami._session
        assert session is not None
        session.protocol.transport.abort()

    async def _end(self) -> None:
        (error,) = await asyncio.gather(self.task, return_exceptions=True)
        await self.ami.close()
        await self.store.close()
        if isinstance(error, Exception):
            raise error


@dataclass(slots=True)
class Office:
    """The campaign `real`; `ami` watches from outside."""

    settings: AsteriskSettings
    pbx: AsteriskProcess
    carrier: Carrier
    ami: AmiClient
    store: RedisStore
    redis_url: str
    campaign: Campaign = CAMPAIGN
    dial: str = f"PJSIP/{{e164}}@{TRUNK}"
    make_store: Callable[[str], RedisStore] = RedisStore
    pause_s: float = 0.2  # before the manager link is tried again
    engines: list[Led] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)
    limits_of: LimitsOf = none_offered

    # ---- before it starts

    async def open(self, *agents: str, **settings: Any) -> Led:
        """The campaign with these settings, an engine that leads it, these agents in their rooms; not yet started."""
        self.campaign = replace(CAMPAIGN, **settings)
        await self.store.save_campaign(self.campaign)
        led = await self.engine("first")
        for agent in agents:
            await self.sign_in(agent)
        return led

    async def has_counted(self, answers: int) -> None:
        """As if so many had been served before: within the law's budget a ratio may be dialled."""
        campaign = replace(self.campaign, id=CAMPAIGN.id)
        await self.store.save_campaign(campaign)
        abandons = Abandons(0.0)
        for _ in range(answers):
            abandons.add(SystemClock().now(), Fate.SERVED)
        token = await self.store.lead(campaign.id, "earlier", LEASE_MS)
        assert token is not None
        await self.store.publish(campaign.id, token, json.dumps({"kept": abandons.dump()}).encode())
        await self.store.resign(campaign.id, "earlier", token)

    async def engine(self, name: str) -> Led:
        """One more engine on this campaign; the first one that comes leads."""
        config, clock, store = self.settings, SystemClock(), self.make_store(self.redis_url)
        where = AmiSettings(config.node, config.ami_host, config.ami_port, config.ami_user, config.ami_secret)
        ami = Ami(replace(where, pause_s=self.pause_s), clock, chance=lambda: 1.0)
        trunk = Trunk(TRUNK, config.node, self.dial, 50, 20.0, "X-Santun-Attempt")
        site = Site(
            name, {TRUNK: trunk}, lambda _: PACK, new_id, f"{config.ivr_host}:{config.ivr_port}", LISTS.number_of,
            self.limits_of,
        )  # fmt: skip
        engine = Mortal(site, store, {config.node: ami}, clock)
        await ami.start()
        led = Led(engine, ami, store, asyncio.create_task(engine.run()))
        self.engines.append(led)
        return led

    def debtor(self, behaviour: str, delay_s: float = 0.25, secret: str = "") -> Contact:
        """Somebody new who behaves like this."""
        serial = next(_serials)
        e164 = number(behaviour, serial, delay_s)
        self.numbers.add(e164)
        known = {"secret": secret, "secret_digits": 4} if secret else {}
        return Contact(f"k{serial}", f"p{serial}", (Number(e164, f"n{serial}"),), zone="Asia/Jakarta", **known)  # type: ignore[arg-type]

    def of(self, contact: Contact) -> dict[str, Any]:
        """What an attempt to call him says besides its id."""
        known = {"campaign": self.campaign.id, "node": self.settings.node, "kind": self.campaign.mode.value}
        known |= {"trunk": TRUNK, "caller_id": "", "language": "id", "pack": "", "contact": contact.id}
        return known | {"person": contact.person, "number": contact.numbers[0]}

    async def add(self, *contacts: Contact) -> None:
        """Onto the list, due now."""
        assert await self.store.add_contacts(self.campaign.id, contacts, SystemClock().now()) == len(contacts)

    # ---- orders

    async def order(self, name: str, **args: str) -> str:
        """A command as a supervisor or an agent sends it; what the engine says to it."""
        now = SystemClock().now()
        command = Command(new_id(now), self.campaign.id, name, "test", now, now + COMMAND_S, args)
        reply = await self.store.send(command, COMMAND_S)
        assert reply is not None, f"nobody obeys {name}"
        assert reply.ok, f"{name}: {reply.text}"
        return reply.text

    async def sign_in(self, agent: str) -> str:
        """Returns his leg when it is in his room."""
        await self.order("sign_in", agent=agent)
        return await self.leg(agent)

    async def leg(self, agent: str) -> str:
        """The leg that came into his room, since forget()."""
        entered = await self.entered(agent, lambda channel: channel.startswith(LEG_PREFIX), "his leg")
        return entered["Uniqueid"]

    async def end_talk(self, agent: str, disposition: str = "refuses") -> None:
        """He hangs up, and wraps up."""
        await self.known_as(agent, "talking")
        await self.order("hang_up", agent=agent)
        await self.wrapped(agent, disposition)

    async def wrapped(self, agent: str, disposition: str = "refuses") -> None:
        """As soon as his talk is over."""
        await self.known_as(agent, "wrap_up")
        await self.order("wrapped", agent=agent, disposition=disposition)

    async def known_as(self, agent: str, state: str) -> Agent:
        """The engine knows that this agent is in this state."""
        found: list[Agent] = []

        async def known() -> bool:
            found[:] = [one for one in await self.store.agents(self.campaign.id) if one.id == agent]
            return bool(found) and found[0].state == state

        await until(known, f"{agent} is {state}")
        return found[0]

    # ---- what is seen from outside

    def forget(self) -> None:
        """From here on only new events of Asterisk count."""
        self.ami.events.clear()

    async def entered(self, agent: str, who: Callable[[str], bool], what: str) -> Message:
        """Somebody came into this agent's room."""
        wanted = {"Event": "BridgeEnter", "BridgeName": room(agent)}
        return await self.ami.where(
            lambda event: wanted.items() <= event.items() and who(event["Uniqueid"]), LIMIT_S, f"{what} in {wanted}"
        )

    async def talking(self, agent: str) -> str:
        """The attempt whose debtor came into this agent's room, since forget()."""
        entered = await self.entered(agent, lambda channel: not channel.startswith(LEG_PREFIX), "a debtor")
        return entered["Uniqueid"]

    async def told(self, name: Told, attempt: str) -> Message:
        """The dialplan said so of this attempt."""
        return await self.ami.until("UserEvent", LIMIT_S, UserEvent=name, Uniqueid=attempt)

    def has_told(self, name: Told, attempt: str) -> bool:
        """Whether the dialplan has said so up to now."""
        wanted = {"Event": "UserEvent", "UserEvent": name.value, "Uniqueid": attempt}
        return any(wanted.items() <= event.items() for event in self.ami.events)

    def has_left(self, attempt: str) -> bool:
        """Whether this debtor has been taken out of a room up to now."""
        wanted = {"Event": "BridgeLeave", "Uniqueid": attempt}
        return any(wanted.items() <= event.items() for event in self.ami.events)

    async def ringing(self, contact: Contact) -> Attempt:
        """His phone rings at the moment; his attempt."""
        found: list[Attempt] = []

        async def rings() -> bool:
            open_ = await self.store.open_attempts(self.campaign.id)
            found[:] = [attempt for attempt in open_ if attempt.contact == contact.id]
            return bool(found) and bool(await self._dials(found[0].id, "RINGING"))

        await until(rings, f"{contact.id} rings", LIMIT_S)
        return found[0]

    async def _dials(self, attempt: str, status: str) -> bool:
        wanted = {"Event": "DialState", "DestUniqueid": attempt, "DialStatus": status}
        return any(wanted.items() <= event.items() for event in self.ami.events)

    async def ivr_asks(self, step: str) -> None:
        """The only call that is open has come to this step of the conversation."""

        async def asked() -> bool:
            open_ = await self.store.open_attempts(self.campaign.id)
            facts = [fact for one in open_ for fact in await self.store.facts(self.campaign.id, one.id)]
            return any((fact.name, fact.value) == ("step", step) for fact in facts)

        await until(asked, f"the IVR's step {step}", LIMIT_S)

    async def hang_up(self, channel: str) -> None:
        """As somebody at Asterisk's own console would."""
        await self.ami.send("Hangup", Channel=channel, Cause=16)
        await self.ami.until("Hangup", LIMIT_S, Uniqueid=channel)

    async def board(self) -> Mapping[str, Any]:
        """What the leader publishes for people."""
        raw = await self.store.published(self.campaign.id)
        board: Mapping[str, Any] = json.loads(raw) if raw else {}
        return board

    async def boards(self, count: int) -> Mapping[str, Any]:
        """The board after so many more of the engine's seconds."""
        first = (await self.board())["sequence"]

        async def gone_by() -> bool:
            return bool((await self.board())["sequence"] >= first + count)

        await until(gone_by, f"{count} more boards", LIMIT_S)
        return await self.board()

    async def phone(self, agent: str, *, works: bool) -> None:
        """His phone comes up or goes away, as the registrar sees it."""
        word, name = ("register" if works else "unregister"), endpoint(agent)
        await self.carrier.process.console(f"pjsip send {word} {name}-registration")

        async def done() -> bool:
            return (f"{name}@" in await self.pbx.console("pjsip show contacts")) is works

        await until(done, f"{name}: {word}", LIMIT_S)

    def calls(self) -> list[CarrierCall]:
        """What the carrier has written of this list."""
        return [call for call in self.carrier.calls() if call.number in self.numbers]

    async def records(self, count: int) -> list[Record]:
        """The outcome stream as soon as it has so many."""
        found: list[Record] = []

        async def written() -> bool:
            found[:] = [entry for _, entry in await self.store.tail(self.campaign.id, 1000)]
            return len(found) >= count

        try:
            await until(written, f"{count} outcomes", LIMIT_S)
        except AssertionError as late:
            raise AssertionError(f"{late}: {found}; open: {await self.store.open_attempts(self.campaign.id)}") from None
        assert all(record["type"] == "outcome" for record in found), found
        return found

    async def books(self, count: int) -> dict[str, Record]:
        """By debtor: `count` outcomes in the end, no more, no attempt left open, and the carrier's log agrees."""
        found = await self.records(count)

        async def nothing_open() -> bool:
            return not await self.store.open_attempts(self.campaign.id)

        async def logged() -> bool:
            sent = {record["attempt"] for record in found if record["outcome"] not in NEVER_SENT}
            return sent <= {call.attempt for call in self.calls()}

        await until(nothing_open, "all attempts closed")
        await until(logged, "every call in the carrier's log")
        found = await self.records(count)
        assert len(found) == count, found
        wrong = faults(found, self.calls())
        assert not wrong, (wrong, found, self.calls())
        assert not [record for record in found if record["joined_at"] and record["outcome"] != "connected"]
        return {record["debtor"]: record for record in found}

    # ---- the end

    async def close(self) -> None:
        """Engines and calls."""
        async with asyncio.timeout(LIMIT_S * PATIENCE):  # nobody else ends a test that hangs after it failed
            for led in self.engines:
                await led.stop()
            for process in (self.pbx, self.carrier.process):
                if process.alive:
                    await silenced(process)


async def silenced(process: AsteriskProcess) -> None:
    """Everybody is hung up on."""

    async def none_left() -> bool:
        await process.console("channel request hangup all")
        return "0 active channels" in await process.console("core show channels count")

    await until(none_left, "no call left")


def in_order(record: Record, names: Collection[str]) -> bool:
    """Whether these times are all there, and none before the one named before it."""
    times = [record[name] for name in names]
    return all(times) and times == sorted(times)
