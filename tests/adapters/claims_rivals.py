"""Rivals for the same debtors: each claims, calls, ends, stops, dies and sweeps after others, by a seed of its own.

What they share lies in Redis: the clock (invented), the trace, what Asterisk has up, who has died. As a process:
`python -m tests.adapters.claims_rivals URL WORLD SEED STEPS`.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from math import inf
from random import Random
from types import MappingProxyType
from typing import Any

from dialer.adapters.redis_store import RedisStore
from dialer.errors import NotLeader, StoreDown
from dialer.law.rulebook import Pack, with_holidays
from dialer.law.rulebook_reading import parse_pack
from dialer.model import (
    Allowed,
    Attempt,
    CallState,
    Campaign,
    Contact,
    Mode,
    Number,
    NumberKind,
    Outcome,
    Refused,
    Side,
    Verdict,
    attempt_id,
)  # fmt: skip
from dialer.ports import Finish, Held
from dialer.running.placing import Placer, Ready
from tests import packs
from tests.adapters.claims_judge import Law
from tests.adapters.redis_lives import Cut, link_of, with_link

CLOCK, TRACE, PLACED, DEAD = "trial:clock", "trial:trace", "trial:placed", "trial:dead"
BUSY_S = 20.0  # a process gives up in time on a machine that has no time for it
ENGINE, LEASE_MS = "engine", 600_000
UNHARMED = 10**9
CAMPAIGNS = ("one", "two")
MODES = {"one": Mode.PROGRESSIVE, "two": Mode.PREVIEW}  # in the second an agent is held for each call
KINDS = (NumberKind.DEBTOR,) * 4 + (NumberKind.CO_BORROWER, NumberKind.EMERGENCY, NumberKind.WORKPLACE)
ZONES = ("Asia/Jakarta", "Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "", "Europe/Paris")
HOLIDAYS = (date(2026, 11, 24),)
BEGIN = packs.moment("2026-11-20 07:40:00")
RING_S = 33.0


@dataclass(frozen=True, slots=True)
class World:
    """Debtors and law, made from a seed: the same in each process. `tight`: caps and hours of a small made-up law."""

    seed: int
    persons: int
    contacts: int
    tight: bool

    def law(self) -> Law:
        return Law(self._file(), frozenset(HOLIDAYS), RING_S)

    def pack(self) -> Pack:
        return with_holidays(parse_pack(self._file()), HOLIDAYS, packs.YEARS)

    def _file(self) -> dict[str, Any]:
        data = packs.toml("indonesia")
        if self.tight:
            random = Random(self.seed)
            opens = random.choice((0, 8, 9))
            span = f"{opens:02}:00-{random.choice(('11:00', '13:30', '24:00'))}"
            data["hours"] |= {day: random.choice((span, span, "closed")) for day in ("tue", "wed", "sat", "sun")}
            data["hours"] |= {day: span for day in ("mon", "thu", "fri")}
            data["zones"] = random.sample(data["zones"], 2)
            caps = [("person", random.randint(1, 4), 1), ("person", random.randint(2, 5), 3), ("number", 1, 2)]
            del data["callback"]  # it names caps that this law has not
            row = data["caps"][0]
            data["caps"] = [row | {"of": whose, "count": count, "hours": hours} for whose, count, hours in caps]
            data["conversation"]["silence_hours"] = random.choice((0, 1, 5))
            data["after_abandoned"]["silence_hours"] = random.choice((1, 24))
            data["ring"]["margin_s"] = random.choice((30, 60, 300))
        return data

    def listed(self, campaign: str) -> list[Contact]:
        """Several contacts of one person, numbers that several persons share."""
        random = Random(f"{self.seed} {campaign}")
        found = []
        for i in range(self.contacts):
            person = random.randrange(self.persons)
            numbers = dict.fromkeys(
                random.choice((person, person, person // 2, i)) for _ in range(random.randint(1, 3))
            )
            zone = ZONES[Random(f"{self.seed} {person}").randrange(len(ZONES))]
            found.append(Contact(f"{campaign}{i}", f"p{person}", tuple(map(_number, numbers)), zone=zone))
        return found


def _number(index: int) -> Number:
    kind = KINDS[index % len(KINDS)]
    return Number(f"+{'44' if index % 23 == 22 else '62'}811{index:06}", f"n{index}", kind)


@dataclass(slots=True)
class Guard:
    """What a rival keeps to; the tests take one thing away and see the judge find it."""

    placer: type[Placer] = Placer
    store: type["Watched"] | None = None
    looks_at_the_clock: bool = True


@dataclass(slots=True)
class Rival:
    """One engine after another under one roof: when one dies, the next begins with nothing."""

    url: str
    world: World
    random: Random
    name: str
    guard: Guard = field(default_factory=Guard)
    link_type: Callable[[str, int], Cut] = Cut
    past: bool = False  # what he does is of before, by whatever law
    lives: int = 0
    mine: list[tuple[Attempt, Contact]] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    pack: Pack = field(init=False)
    link: Cut = field(init=False)
    store: RedisStore = field(init=False)

    def __post_init__(self) -> None:
        self.pack = self.world.pack()
        self._begin()

    @property
    def node(self) -> str:
        return f"{self.name}-{self.lives}"

    def _begin(self) -> None:
        self.link = self.link_type(self.url, UNHARMED)
        self.store = with_link(self.url, self.link, self.guard.store or Watched)
        self.mine, self.tokens = [], {}

    async def do(self, name: str) -> None:
        """One thing out of OPERATIONS, whatever becomes of it."""
        try:
            await getattr(self, name)()
        except (NotLeader, StoreDown):
            await self.die()

    async def die(self) -> None:
        """Cut off in the midst of something: what is under way is left to others."""
        await self.store.close()
        gone, self.lives = self.node, self.lives + 1
        self._begin()
        await link_of(self.store).one(("SADD", DEAD, gone))

    async def close(self) -> None:
        await self.store.close()

    # -- what one does

    async def claim(self) -> None:
        campaign = self.random.choice(CAMPAIGNS)
        placer = self.guard.placer(
            self.store, Campaign(campaign, campaign, mode=MODES[campaign]), self.pack, self.node, self._id
        )
        token, at = await self._token(campaign), await self._now()
        ready, _ = await placer.claim(token, self.random.choice((1, 2, 8)), at)
        self.mine += [(one.attempt, one.contact) for one in ready]
        for one in ready:
            await self._place(one)

    async def _place(self, one: Ready) -> None:
        now = await self._now()
        attempt = one.attempt
        if now > one.must_start_by and self.guard.looks_at_the_clock:
            await self._end(attempt, one.contact, _unplaced(now), now)
            return
        number = attempt.number
        seen = {
            "what": "placed", "attempt": attempt.id, "campaign": attempt.campaign, "contact": attempt.contact,
            "at": now, "person": attempt.person, "number": number.e164, "key": number.key, "kind": number.kind,
            "zone": one.contact.zone, "past": self.past, "mode": attempt.kind,
        }  # fmt: skip
        await link_of(self.store).run([("HSET", PLACED, attempt.id, repr(now)), entry(seen)])
        placed = replace(attempt, state=CallState.PLACED, placed_at=now)
        self.mine = [(placed, contact) if known.id == placed.id else (known, contact) for known, contact in self.mine]
        await self.store.write(await self._token(placed.campaign), placed.campaign, [placed], [])

    async def claim_whatever_the_law(self) -> None:
        """As under another law, of before."""
        campaign = self.random.choice(CAMPAIGNS)
        token, now = await self._token(campaign), await self._now()
        await self.store.candidates(campaign, now, 1)
        contact = await self.store.contact(campaign, self.random.choice(self.world.listed(campaign)).id)
        if contact is not None:
            one = Placer(
                self.store, Campaign(campaign, campaign, mode=MODES[campaign]), self.pack, self.node, self._id
            )._attempt(contact, self.random.choice(contact.numbers), Allowed(self.pack.label, inf), now)
            (held,) = await self.store.lock([one], now)
            if isinstance(held, Held) and (await self.store.claim(token, [one], now))[0]:
                self.mine.append((one, contact))
                await self._place(Ready(one, contact, inf))

    async def finish(self) -> None:
        if self.mine:
            attempt, contact = self.mine.pop(self.random.randrange(len(self.mine)))
            now = await self._now()
            judged = self._verdict(now) if attempt.placed_at else _unplaced(now)
            await self._end(attempt, contact, judged, now)
            if self.random.random() < 0.2:  # the answer was late: written again
                await self._end(attempt, contact, judged, now)

    async def _end(self, attempt: Attempt, contact: Contact | None, judged: Verdict, now: float) -> None:
        await self.tell({"what": "ended", "attempt": attempt.id, "at": now})
        self.mine = [(known, kept) for known, kept in self.mine if known.id != attempt.id]
        answered = now if judged.conversation else 0.0
        ended = replace(attempt, state=CallState.ENDED, ended_at=now, left_at=answered)
        ended = replace(ended, answered_at=attempt.placed_at if answered else 0.0)
        kept = None if contact is None else _after(contact, judged)
        while True:
            token = await self._token(attempt.campaign)
            try:
                await self.store.write(
                    token, attempt.campaign, [], [Finish(ended, judged, _record(ended, judged), kept)]
                )
                return
            except NotLeader:
                self.tokens.clear()

    async def sweep(self) -> None:
        """After the dead: Asterisk tells which of their attempts it was given."""
        await self.sweep_all(self.random.choice(CAMPAIGNS))

    async def sweep_all(self, campaign: str) -> None:
        """The whole campaign."""
        dead = {one.decode() for one in await link_of(self.store).one(("SMEMBERS", DEAD))}
        for attempt in await self.store.open_attempts(campaign):
            if attempt.node in dead:
                up = await link_of(self.store).one(("HGET", PLACED, attempt.id))
                now = await self._now()
                lost = replace(_unplaced(now), outcome=Outcome.INTERRUPTED, count=True)
                await self._end(
                    attempt, await self.store.contact(campaign, attempt.contact), lost if up else _unplaced(now), now
                )

    async def stop(self) -> None:
        contact = self._anybody()
        persons = [contact.person] if self.random.random() < 0.6 else []
        numbers = [] if persons else [self.random.choice(contact.numbers).key]
        scope = self.random.choice(("", *(f"campaign:{campaign}" for campaign in CAMPAIGNS)))
        await self.store.stop(persons, numbers, scope)
        await self.tell({"what": "stopped", "persons": persons, "numbers": numbers, "scope": scope})

    async def withdraw(self) -> None:
        contact = self._anybody()
        campaign = self.random.choice(("", *CAMPAIGNS))
        await self.store.withdraw(contact.person, await self._now(), campaign)
        await self.tell({"what": "withdrawn", "person": contact.person, "campaign": campaign})

    async def refuse(self) -> None:
        """As the gate of another engine may, whose look was earlier."""
        campaign, now = self.random.choice(CAMPAIGNS), await self._now()
        contact = self.random.choice(self.world.listed(campaign))
        kept = await self.store.contact(campaign, contact.id)
        if kept is not None:
            refused = Refused("trial", now + self.random.choice((1.0, 60.0, 3600.0)))
            await self.store.refuse(await self._token(campaign), campaign, [(kept, contact.numbers[0], refused)], now)

    async def lock_and_unlock(self) -> None:
        """Somebody who thinks better of it, or dies holding the locks."""
        contact = self._anybody()
        now = await self._now()
        number = self.random.choice(contact.numbers)
        one = Attempt(
            self._id(now), self.random.choice(CAMPAIGNS), self.node, "ivr", "trunk", "", "id", "", contact.id,
            contact.person, number, claimed_at=now,
        )  # fmt: skip
        await self.store.lock([one], now)
        if self.random.random() < 0.5:
            await self.store.unlock([one])

    async def depose(self) -> None:
        """Another leads from now on; here he has the same name."""
        campaign = self.random.choice(CAMPAIGNS)
        await self.store.resign(campaign, ENGINE, await self._token(campaign))
        self.tokens.pop(campaign)

    async def wait(self) -> None:
        jump = self.random.choice((0.5, 1, 5, 20, 31, 60, 600, 1800, 3600, 10_000))
        await link_of(self.store).one(("INCRBYFLOAT", CLOCK, repr(jump * self.random.random())))

    async def cut(self) -> None:
        """Somewhere in the next commands the link breaks for good."""
        self.link.left = self.random.randint(1, 25)

    # -- with what

    async def tell(self, said: dict[str, Any]) -> None:
        await link_of(self.store).one(entry(said))

    async def _now(self) -> float:
        return float(await link_of(self.store).one(("GET", CLOCK)))

    async def _token(self, campaign: str) -> int:
        while campaign not in self.tokens:
            token = await self.store.lead(campaign, ENGINE, LEASE_MS)
            if token is not None:
                self.tokens[campaign] = token
        return self.tokens[campaign]

    def _id(self, at: float) -> str:
        return attempt_id(at, self.random.randbytes(10))

    def _anybody(self) -> Contact:
        return self.random.choice(self.world.listed(self.random.choice(CAMPAIGNS)))

    def _verdict(self, now: float) -> Verdict:
        again = now + self.random.choice((1.0, 60.0, 1800.0, 7200.0))
        busy = Verdict(Outcome.BUSY, Side.DEBTOR, "user_busy", retry_at=again)
        talk = Verdict(Outcome.CONNECTED, Side.DEBTOR, "talked", retry_at=again, live=True, conversation=True)
        return self.random.choices(
            (
                busy, replace(busy, count=False), talk, replace(talk, silent_until=again + 5000),
                replace(talk, stop=True, retry_at=0.0), replace(talk, conversation=False, wrong_person=True),
                replace(busy, outcome=Outcome.INVALID_NUMBER, dead=True), replace(busy, retry_at=0.0),
                replace(busy, outcome=Outcome.ABANDONED, live=True), replace(talk, hardship=True),
            ),
            (40, 10, 10, 10, 2, 2, 2, 2, 4, 4),
        )[0]  # fmt: skip


OPERATIONS = {
    "claim": 30, "finish": 30, "wait": 20, "sweep": 4, "stop": 1, "withdraw": 1, "refuse": 2, "lock_and_unlock": 3,
    "depose": 1, "cut": 2,
}  # fmt: skip


def entry(said: dict[str, Any]) -> tuple[str, ...]:
    """The command that adds it to the trace."""
    return ("XADD", TRACE, "*", "entry", json.dumps(said))


def _unplaced(now: float) -> Verdict:
    return Verdict(Outcome.NOT_PLACED, Side.US, "not_placed", retry_at=now + 60, count=False)


def _after(contact: Contact, judged: Verdict) -> Contact:
    turn = (contact.next_number + 1) % max(1, len(contact.numbers))
    return replace(contact, tries=contact.tries + 1, next_number=turn) if judged.count else contact


def _record(attempt: Attempt, judged: Verdict) -> dict[str, str]:
    flags = {"counted": judged.count, "conversation": judged.conversation, "stop": judged.stop, "dead": judged.dead}
    flags |= {"abandoned": judged.outcome is Outcome.ABANDONED, "hardship": judged.hardship}
    flags |= {"again": judged.retry_at > 0, "wrong_person": judged.wrong_person}
    words = {name: str(int(flag)) for name, flag in flags.items()} | {"silent_until": repr(judged.silent_until)}
    return {"attempt": attempt.id, "outcome": judged.outcome.value, "type": "outcome", **words}


class Watched(RedisStore):
    """Tells the trace of the second look before it is taken, and of contacts refused for good after it is done."""

    async def claim(self, token: int, attempts: Sequence[Attempt], at: float, notes: Sequence[str] = ()) -> list[bool]:
        await self._link.one(entry({"what": "look", "attempts": [one.id for one in attempts]}))
        return await super().claim(token, attempts, at, notes)

    async def refuse(
        self,
        token: int,
        campaign: str,
        refusals: Sequence[tuple[Contact, Number, Refused]],
        at: float,
        pack: str = "",
        aside: bool = True,
    ) -> None:
        await super().refuse(token, campaign, refusals, at, pack, aside)
        for contact, _, refused in refusals:
            if refused.until == inf:
                await self._link.one(entry({"what": "refused", "campaign": campaign, "contact": contact.id}))


async def live(
    rival: Rival, steps: int, operations: Mapping[str, int] = MappingProxyType(OPERATIONS), within_s: float = inf
) -> None:
    """So many things, one after another; fewer on a busy machine."""
    names, weights = list(operations), list(operations.values())
    clock = asyncio.get_running_loop().time
    ends = clock() + within_s
    for _ in range(steps):
        if clock() > ends:
            return
        await rival.do(rival.random.choices(names, weights)[0])


async def _main(url: str, world: dict[str, Any], seed: int, steps: int) -> None:
    rival = Rival(url, World(**world), Random(seed), f"rival{seed}")
    await live(rival, steps, within_s=BUSY_S)
    await rival.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
