"""A campaign on twins: an engine, its store, its Asterisk, in one object to be driven by tests and benches."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random

from dialer.engine import Engine
from dialer.law.rulebook import Pack
from dialer.model import AgentState, Campaign, Command, Contact, Mode, Number, Order, Status
from dialer.running.run import Run, Site, Trunk

from . import packs
from .twins import EPOCH, Debtor, Kept, TwinAsterisk, TwinClock, TwinDisk, TwinSpool, TwinStore, new_id, until

CAMPAIGN = Campaign("c1", "Reminder", pack="demo", mode=Mode.PROGRESSIVE, wrap_up_max_s=5)
IVR = "10.0.0.5:4573"
PackOf = Callable[[Campaign], Pack]
TRUNK = Trunk("trunk", "a", "PJSIP/{digits}@carrier", 100, 50.0)


def contacts(number: int, first: int = 0) -> list[Contact]:
    """Persons with one number each."""
    return [
        Contact(f"k{i:05d}", f"p{i}", (Number(f"+62812{i:07d}", f"n{i}"),), priority=0)
        for i in range(first, first + number)
    ]


def mixed(seed: int) -> Callable[[Order], Debtor]:
    """Debtors of all kinds."""
    chance = Random(seed)

    def debtor(order: Order) -> Debtor:
        return Debtor(
            answers=chance.random() < 0.5,
            dials_s=chance.uniform(0.01, 1.0),
            rings_s=chance.expovariate(1 / 8),
            ends=chance.choice([(17, 486), (1, 404), (34, 503), (21, 603)]),
            patience_s=chance.expovariate(1 / 15),
            detection=chance.choice(["", "machine", "unsure"]),
            channel=chance.random() > 0.03,
            hangup_first=chance.random() < 0.05,
            key_for_agent_s=chance.choice([0.0, 3.0]),
        )

    return debtor


def _demo(_: Campaign) -> Pack:
    return packs.demo()


class Stage:
    """One campaign and what is around it."""

    def __init__(
        self,
        campaign: Campaign,
        debtor: Callable[[Order], Debtor],
        seed: int = 0,
        pack_of: PackOf = _demo,
        disk: "TwinDisk | None" = None,
    ) -> None:
        self.clock = TwinClock()
        self.store = TwinStore(self.clock)
        self.asterisk = TwinAsterisk(self.clock, debtor, seed)
        self.campaign, self.pack_of = campaign, pack_of
        self.trunks = {"trunk": TRUNK}
        self.disk: TwinDisk | None = disk
        self.engine = self.new_engine("e1")

    def new_engine(self, name: str) -> Engine:
        """One more engine on the same store and Asterisk."""
        site = Site(name, self.trunks, self.pack_of, new_id, IVR)
        spool = TwinSpool(name, self.disk) if self.disk else None
        return Engine(site, self.store, {"a": self.asterisk}, self.clock, spool)

    @property
    def run(self) -> Run:
        return self.engine.runs[self.campaign.id]

    @property
    def books(self) -> Kept:
        return self.store.books[self.campaign.id]

    def command(self, name: str, deadline_s: float = 30.0, **args: str) -> str:
        """Put a command into the store; its id."""
        now = self.clock.now()
        command = Command(new_id(now), self.campaign.id, name, "test", now, now + deadline_s, args)
        self.books.commands[command.id] = command
        return command.id

    async def sign_in(self, *agents: str) -> None:
        """Agents who are idle before it returns."""
        for agent in agents:
            self.command("sign_in", agent=agent)
        await until(lambda: all(self.state(agent) is AgentState.IDLE for agent in agents))

    def state(self, agent: str) -> AgentState | None:
        found = self.run.floor.team.agents.get(agent)
        return None if found is None else found.state

    def outcomes(self) -> dict[str, str]:
        """Attempt -> outcome."""
        return {one.attempt.id: one.verdict.outcome.value for one in self.books.outcomes}

    def placed(self) -> list[str]:
        """Attempts given to Asterisk."""
        return [
            one.channel_id
            for one in self.asterisk.originated
            if not one.channel_id.startswith(("leg-", "spy.", "link."))
        ]

    async def quiet(self, limit_s: float = 300.0) -> None:
        """No attempt is open any more, with new calls paused."""
        if self.run.status is Status.RUNNING:
            self.command("pause")
        await until(lambda: self.run.status is not Status.RUNNING)
        await until(lambda: not self.run.placing and not self.run.floor.attempts and not self.books.open, limit_s)


@asynccontextmanager
async def staged(
    campaign: Campaign = CAMPAIGN,
    debtor: Callable[[Order], Debtor] = lambda order: Debtor(),
    listed: int = 20,
    agents: tuple[str, ...] = (),
    seed: int = 0,
    pack_of: PackOf = _demo,
    people: Sequence[Contact] = (),
    at: float = EPOCH,
) -> AsyncIterator[Stage]:
    """A running campaign, from `at` on; at the end nothing of the engine is left. `people`: instead of `listed`."""
    stage = Stage(campaign, debtor, seed, pack_of)
    stage.clock.step = at - EPOCH
    await stage.store.save_campaign(campaign)
    await stage.store.add_contacts(campaign.id, people or contacts(listed), at)
    task = asyncio.create_task(stage.engine.run())
    try:
        await until(lambda: stage.engine.runs and stage.run.reconciled)
        if agents:
            await stage.sign_in(*agents)
        stage.command("start")
        await until(lambda: stage.run.status is Status.RUNNING)
        yield stage
    finally:
        stage.engine.stop()
        await task
