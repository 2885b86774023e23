"""Payments in Redis: each told once, taken off what is owed, counted for promises; who has paid is left in peace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain

from dialer.adapters.redis_codec import encode, text
from dialer.adapters.redis_history import LIMITS, encode_entry
from dialer.adapters.redis_index import Index, Place
from dialer.adapters.redis_keys import (
    CAMPAIGNS,
    PAYMENT_IDS,
    PAYMENTS,
    campaign_keys,
    history_key,
    payments_key,
    person_keys,
)
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_list import epoch_word
from dialer.adapters.redis_people import read_places
from dialer.adapters.redis_promises import Promises
from dialer.adapters.redis_scripts import RedisCommand, call
from dialer.adapters.redis_updates import Updates
from dialer.debts.history import Entry, What
from dialer.debts.payments import KEPT_DAYS, Told, is_settled, reduced, short
from dialer.debts.promises import Payment, Promise, State, ends
from dialer.errors import BadInput
from dialer.lists.outlook import zone_of
from dialer.model import Contact
from dialer.outcomes import LAST_ZONE

PAYMENTS_MAX = 100  # of one person: the oldest goes first
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Credited:
    """What came of a payment. `repeated`: it had been told before. `calling`: (campaign, person) of calls under way to
    who owes nothing any more, or has done as he promised.
    """

    repeated: bool
    accounts: tuple[tuple[Place, Contact], ...]
    changed: tuple[Promise, ...] = ()
    withdrawn: int = 0
    relieved: bool = False
    calling: tuple[tuple[str, str], ...] = ()


class Payments(Promises):
    """Part of the store."""

    def __init__(self, link: Link, index: Index, updates: Updates) -> None:
        super().__init__(link)
        self._index, self._updates = index, updates

    async def pay(self, told: Told, at: float) -> Credited:
        """Each step is idempotent: whoever got no answer says it again. Raises BadInput where the same id was told of
        another payment, and where an account is kept in another currency.
        """
        places = await self.accounts(told.lender, told.account, told.contact)
        for one in places.values():
            if one.currency != told.currency:
                raise BadInput(f"the account is kept in {one.currency}, not in {told.currency}")
        repeated = not await self._take(told, places, at)
        key = short(told.key)
        for (person, account), place in {(one.person, one.id): place for place, one in places.items()}.items():
            await self._remember(told, person, account, place.campaign, at)
        credited: dict[Place, Contact] = {}
        for place, contact in places.items():
            change = partial(reduced, payment=key, amount=told.amount)
            credited[place] = await self._updates.change(place.campaign, place.contact, change) or contact
        changed: list[Promise] = []
        kept: set[str] = set()  # contacts
        for person in dict.fromkeys(one.person for one in places.values()):
            changed += await self.settle_promises(person, at)
            kept |= {one.contact for one in await self.promises(person, at) if _by(one, told)}
            if repeated:  # the first telling may have ended between the promise and the campaign's books
                await self.close_promises(person, at)
        free = {place: one for place, one in credited.items() if is_settled(one, key) or place.contact in kept}
        withdrawn, calling = await self._leave_in_peace(free, at)
        accounts = tuple(credited.items())
        return Credited(repeated, accounts, tuple(changed), withdrawn, bool(free), calling)

    async def accounts(self, lender: str, account: str, contact: str = "") -> dict[Place, Contact]:
        """Where an account is listed, in all campaigns: by its contact's id, else by lender and account."""
        if contact:
            campaigns = await self._link.one(("SMEMBERS", CAMPAIGNS))
            places = [Place(text(name), contact) for name in sorted(campaigns)]
        elif account:
            places = list(await self._index.of_account(lender, account))
        else:
            return {}
        return await read_places(self._link, places)

    async def told_payments(self, after: str, count: int) -> tuple[tuple[str, Mapping[str, str]], ...]:
        """Every payment told after an entry of the stream ('0': from the first), oldest first."""
        found = await self._link.one(("XRANGE", PAYMENTS, f"({after}", "+", "COUNT", count))
        return tuple(
            (text(name), {text(key): text(value) for key, value in zip(fields[::2], fields[1::2], strict=False)})
            for name, fields in found
        )

    async def _take(self, told: Told, places: Mapping[Place, Contact], at: float) -> bool:
        entry = {
            "v": "1", "sender": told.sender, "told_at": epoch_word(at), "paid_at": epoch_word(told.at),
            "lender": told.lender, "account": told.account,
            "contact": next((one.contact for one in places), told.contact),
            "campaigns": " ".join(one.campaign for one in places),
            "amount": str(told.amount), "currency": told.currency, "reference": told.reference,
        }  # fmt: skip
        oldest = f"{max(0, int(at * 1000) - KEPT_DAYS * DAY_MS)}-0"
        words = (told.key, told.print, oldest, *chain.from_iterable(entry.items()))
        answer = await self._link.one(call("payment", (PAYMENTS, PAYMENT_IDS), *words))
        if answer < 0:
            raise BadInput(f"payment {told.id} was told before with other words: a correction needs an id of its own")
        return bool(answer)

    async def _remember(self, told: Told, person: str, contact: str, campaign: str, at: float) -> None:
        payment = Payment(told.key, contact, told.amount, told.currency, told.at, at)
        line = Entry(
            What.PAYMENT, told.id, int(told.at), campaign, contact, amount=told.amount, currency=told.currency,
            by=told.sender, text=told.reference,
        )  # fmt: skip
        places = (payments_key(person), history_key(person))
        await self._link.one(call("paid", places, told.key, encode(payment), PAYMENTS_MAX, *LIMITS, encode_entry(line)))

    async def _leave_in_peace(
        self, free: Mapping[Place, Contact], at: float
    ) -> tuple[int, tuple[tuple[str, str], ...]]:
        """Off the list, and no call to this person for the rest of his day, whatever else he owes."""
        taken: list[RedisCommand] = []
        for place in free:
            keys = campaign_keys(place.campaign)
            names = (keys.contacts, keys.ready, keys.later, keys.rest, keys.withdrawn, keys.call_backs)
            taken.append(call("withdraw", names, epoch_word(at), place.contact))
        withdrawn = sum(await self._link.run(taken))
        zones = {one.person: one.zone for one in free.values()}
        quiet = [
            call("quiet", (person_keys(person).state,), epoch_word(_day_ends(zone, at)))
            for person, zone in zones.items()
        ]
        locks: Sequence[bytes | None] = await self._link.run(quiet)
        calling = [(text(lock).split(" ")[1], who) for who, lock in zip(zones, locks, strict=True) if lock]
        return withdrawn, tuple(calling)


def _by(promise: Promise, told: Told) -> bool:
    """Whether it is kept by this payment at the latest."""
    return promise.state is State.KEPT and promise.made_at <= told.at < promise.until


def _day_ends(zone: str, at: float) -> float:
    return ends(datetime.fromtimestamp(at, zone_of(zone) or LAST_ZONE).date(), zone, 0)
