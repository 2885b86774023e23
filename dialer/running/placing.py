"""From the list to claimed attempts: candidates -> gate -> lock -> gate again -> claim, in the order design demands.

The gate is asked twice: before the lock with an empty past, so that nobody is locked outside his hours; and under the
lock with his real past, which nobody else can change while it is held.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf

from dialer.compliance import may_call
from dialer.desk.offers import SKIPPED
from dialer.errors import StoreDown
from dialer.forecast import Forecast
from dialer.law import decisionlog
from dialer.law.rulebook import Pack
from dialer.model import (
    CALL_BACK,
    MANUAL,
    OWN_AGENT,
    Allowed,
    Attempt,
    Campaign,
    Contact,
    History,
    Mode,
    Number,
    Permission,
    Refused,
)
from dialer.originate import timeout_s
from dialer.pace.ahead import Ahead
from dialer.ports import Held, Lease, Store, always

NO_PAST = History()
LOOK_AT_MOST = 200  # candidates in one go
SPARE = 2  # candidates looked at per call wanted, as some will be refused

Refusal = tuple[Contact, Number, Refused]


@dataclass(frozen=True, slots=True)
class Ready:
    """An attempt that may be originated, until `must_start_by` (epoch seconds)."""

    attempt: Attempt
    contact: Contact
    must_start_by: float


@dataclass(frozen=True, slots=True)
class Placer:
    """Claims attempts for one campaign on one node. `ahead` None: each claim looks at the list for itself, and nothing
    is foretold. `tell` hears of refusals that were written down, and when. `led` is asked before anybody is locked: a
    person is of no campaign, so no token fences his lock. `doubt` hears of attempts that may be locked, and claimed,
    though no answer said so.
    """

    store: Store
    campaign: Campaign
    pack: Pack
    node: str
    new_id: Callable[[float], str]
    ahead: Ahead | None = None
    tell: Callable[[Sequence[Refused], float], None] | None = None
    led: Lease = always
    doubt: Callable[[Sequence[Attempt]], None] | None = None

    async def claim(self, token: int, wanted: int, at: float, chosen: Sequence[str] = ()) -> tuple[list[Ready], int]:
        """Up to `wanted` attempts, the `chosen` contacts first, locked and written down; and how many candidates were
        looked at.

        Raises StoreDown, NotLeader: then nothing of this batch may be originated.
        """
        if wanted <= 0:
            return [], 0
        ahead = self.ahead or Ahead(self.store, self.campaign.id, Forecast(), self.pack.zones[0])
        try:
            if not ahead.suffices(wanted, at):
                await ahead.look(at)
            return await self._claim(ahead, token, wanted, at, chosen)
        except BaseException:
            ahead.forget()
            raise

    async def _claim(
        self, ahead: Ahead, token: int, wanted: int, at: float, chosen: Sequence[str]
    ) -> tuple[list[Ready], int]:
        limit, looked_at = min(wanted * SPARE, LOOK_AT_MOST), 0
        refusals: list[Refusal] = []
        ready: list[Ready] = []
        while len(ready) < wanted and (some := ahead.take(min(wanted - len(ready), limit - looked_at), chosen)):
            looked_at += len(some)
            asked = [self._ask(contact, at, refusals) for contact in some]
            ready += await self._locked(token, [one for one in asked if one is not None], at, refusals)
        await self.refuse(token, refusals, at)
        return ready, looked_at

    def call_back(self, contact: Contact, at: float, refusals: list[Refusal]) -> Ready | None:
        """A call-back that may be placed by the clock and the law; to be taken by `take`."""
        asked = self._ask(contact, at, refusals)
        return asked and replace(asked, attempt=replace(asked.attempt, kind=CALL_BACK))

    def by_hand(self, contact: Contact, index: int, kind: str, at: float) -> Ready | Refused:
        """A call of this one number as an agent wants it, by the clock and the law; to be taken by `take` or `dial`."""
        number = contact.numbers[index]
        permission = self._gate(contact, number, NO_PAST, NO_PAST, at, guaranteed=True)
        if isinstance(permission, Refused):
            return permission
        attempt = replace(self._attempt(contact, number, permission, at), kind=kind)
        chosen = contact if index == contact.next_number else replace(contact, next_number=index)
        return Ready(attempt, chosen, permission.must_start_by)

    async def dial(self, token: int, asked: Ready, at: float) -> Ready | Refused:
        """Locked and written down. A refused call by hand changes nothing about when he is due. Raises StoreDown,
        NotLeader."""
        refusals: list[Refusal] = []
        ready = await self._locked(token, [asked], at, refusals)
        if asked.attempt.kind != MANUAL:
            await self.refuse(token, refusals, at)
        else:
            await self.only_tell(token, refusals, at)
        if ready:
            return ready[0]
        return refusals[0][2] if refusals else Refused("gone", at, "He is not on the list now.")

    async def skip(self, token: int, contact: Contact, reason: str, until: float, at: float) -> None:
        """An agent did not want this account: due again at `until`, told in the stream of refusals."""
        number = contact.numbers[contact.next_number % len(contact.numbers)]
        await self.refuse(token, [(contact, number, Refused(SKIPPED, until, reason))], at)

    async def take(self, token: int, asked: Sequence[Ready], refusals: list[Refusal], at: float) -> list[Ready]:
        """Those of `asked` that were locked and written down. Raises StoreDown, NotLeader."""
        ready = await self._locked(token, asked, at, refusals)
        await self.refuse(token, refusals, at)
        return ready

    async def refuse(self, token: int, refusals: Sequence[Refusal], at: float) -> None:
        """Set them aside, and tell why."""
        if refusals:
            await self.store.refuse(token, self.campaign.id, refusals, at, self.pack.label)
            if self.tell is not None:
                self.tell([refused for _, _, refused in refusals], at)

    async def only_tell(self, token: int, refusals: Sequence[Refusal], at: float) -> None:
        """Calls that an agent wanted: told and counted like any other refusal, but it changes nothing about when they
        are due."""
        if refusals:
            await self.store.refuse(token, self.campaign.id, refusals, at, self.pack.label, aside=False)
            if self.tell is not None:
                self.tell([refused for _, _, refused in refusals], at)

    def _ask(self, contact: Contact, at: float, refusals: list[Refusal]) -> Ready | None:
        """The first of his numbers, from the one whose turn it is, that may be called by the clock and the law."""
        if not contact.numbers:
            refusals.append((contact, Number("", ""), Refused("no_number", inf, "There is no number.")))
            return None
        permissions: list[tuple[Number, Permission]] = []
        for turn in range(len(contact.numbers)):
            index = (contact.next_number + turn) % len(contact.numbers)
            number = contact.numbers[index]
            permission = self._gate(contact, number, NO_PAST, NO_PAST, at)
            if isinstance(permission, Allowed):
                # the same object where nothing is new: then a refusal under the lock need not write it
                chosen = contact if index == contact.next_number else replace(contact, next_number=index)
                return Ready(self._attempt(chosen, number, permission, at), chosen, permission.must_start_by)
            permissions.append((number, permission))
        refusals.append(_soonest(contact, permissions))
        return None

    def _gate(
        self, contact: Contact, number: Number, person: History, history: History, at: float, guaranteed: bool = False
    ) -> Permission:
        call_s, campaign = timeout_s(self.campaign), self.campaign.id
        return may_call(
            contact, number, person, history, self.pack, at, call_s, campaign=campaign, agent_guaranteed=guaranteed
        )

    def _attempt(self, contact: Contact, number: Number, allowed: Allowed, at: float) -> Attempt:
        campaign = self.campaign
        return Attempt(
            id=self.new_id(at),
            campaign=campaign.id,
            node=self.node,
            kind=campaign.mode.value,
            trunk=campaign.trunk,
            caller_id=campaign.caller_id,
            language=contact.language or campaign.language,
            pack=allowed.pack,
            contact=contact.id,
            person=contact.person,
            number=number,
            tries=contact.tries + 1,
            claimed_at=at,
            zone=contact.zone,
            answer_probability=self.ahead.chance(contact, number, at) if self.ahead else -1.0,
        )

    async def _locked(self, token: int, asked: Sequence[Ready], at: float, refusals: list[Refusal]) -> list[Ready]:
        if not asked:
            return []
        if not self.led():
            raise StoreDown("nobody is locked: another engine may lead by now")
        try:
            return await self._taken(token, asked, at, refusals)
        except BaseException:
            if self.doubt is not None:
                self.doubt([one.attempt for one in asked])
            raise

    async def _taken(self, token: int, asked: Sequence[Ready], at: float, refusals: list[Refusal]) -> list[Ready]:
        held = await self.store.lock([one.attempt for one in asked], at)
        allowed: list[Ready] = []
        notes: list[str] = []
        unlock: list[Attempt] = []
        for one, past in zip(asked, held, strict=True):
            permission = self._judge(one, past, at)
            if isinstance(permission, Refused):
                refusals.append(_other_number(one, permission, at))
                if isinstance(past, Held):
                    unlock.append(one.attempt)
            elif isinstance(past, Held):
                allowed.append(replace(one, must_start_by=permission.must_start_by))
                notes.append(decisionlog.allowed(one.attempt, one.contact, past.person, past.number))
        if unlock:
            await self.store.unlock(unlock)
        taken = await self.store.claim(token, [one.attempt for one in allowed], at, notes) if allowed else []
        return [one for one, got in zip(allowed, taken, strict=True) if got]

    def _judge(self, one: Ready, past: Held | Refused, at: float) -> Permission:
        if isinstance(past, Refused):
            return past
        # one call per idle agent is no guarantee: he may go on a break, or lose his phone, while it rings
        guaranteed = self.campaign.mode is Mode.PREVIEW or one.attempt.kind in OWN_AGENT
        return self._gate(one.contact, one.attempt.number, past.person, past.number, at, guaranteed)


def _other_number(one: Ready, refused: Refused, at: float) -> Refusal:
    """A refusal of this number alone sets the contact aside only for a moment: his next number has its turn.

    A number refused for good leaves the contact, so that what is left decides when he is called again.
    """
    contact, number, index = one.contact, one.attempt.number, one.contact.next_number
    if not refused.of_number or len(contact.numbers) == 1:
        return contact, number, refused
    if refused.until == inf:
        left = tuple(other for other in contact.numbers if other is not number)
        return replace(contact, numbers=left, next_number=index % len(left)), number, replace(refused, until=at)
    if index + 1 < len(contact.numbers):
        return replace(contact, next_number=index + 1), number, replace(refused, until=at)
    return replace(contact, next_number=0), number, refused


def _soonest(contact: Contact, permissions: Sequence[tuple[Number, Permission]]) -> Refusal:
    refused = [(number, one) for number, one in permissions if isinstance(one, Refused)]
    number, soonest = min(refused, key=lambda pair: pair[1].until)
    return contact, number, soonest
