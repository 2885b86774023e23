"""A campaign's list: contacts for later, ready, aside after a refusal, at rest."""

import math
from collections.abc import Sequence
from itertools import chain

from dialer.adapters.redis_codec import CAMPAIGN, CONTACT, encode, text
from dialer.adapters.redis_keys import CampaignKeys, campaign_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import Argument, call
from dialer.model import Campaign, Contact, Number, Refused
from dialer.stream import refusal_record

ADDED_AT_ONCE = 500
REFUSED_AT_ONCE = 200
READY_AT_ONCE = 1000  # moved from later to ready by one look at the list
PRIORITY_MAX = 100_000  # beyond it, priority * 1e10 + due would lose its seconds


def priority_word(contact: Contact) -> int:
    """Lower is called first."""
    return max(-PRIORITY_MAX, min(PRIORITY_MAX, contact.priority))


def epoch_word(at: float) -> str:
    """A time as Redis keeps it."""
    return "inf" if math.isinf(at) else repr(at)


class Contacts:
    """Part of the store."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def add_contacts(self, campaign: str, contacts: Sequence[Contact], due: float) -> int:
        """A list's own order decides among equals: see add.lua."""
        keys = campaign_keys(campaign)
        new = 0
        for start in range(0, len(contacts), ADDED_AT_ONCE):
            rows: list[Argument] = []
            for contact in contacts[start : start + ADDED_AT_ONCE]:
                rows += (contact.id, encode(contact), priority_word(contact))
            new += await self._link.one(call("add", (keys.contacts, keys.later, keys.rank), epoch_word(due), *rows))
        return new

    async def candidates(self, campaign: str, at: float, limit: int) -> tuple[Contact, ...]:
        """Lower priority first, then the earlier due. A broken contact goes to rest, or it would stand in the way."""
        if limit <= 0:
            return ()
        keys = campaign_keys(campaign)
        places = (keys.later, keys.ready, keys.rank, keys.contacts)
        ids, rows = await self._link.one(call("candidates", places, epoch_word(at), limit, READY_AT_ONCE))
        found = [self._contact(keys, one, raw) for one, raw in zip(ids, rows, strict=True)]
        broken = [one for one, contact in zip(ids, found, strict=True) if contact is None]
        if broken:
            await self._link.run(
                [("ZREM", keys.ready, *broken), *(("ZADD", keys.rest, epoch_word(at), one) for one in broken)]
            )
        return tuple(contact for contact in found if contact is not None)

    def _contact(self, keys: CampaignKeys, one: bytes, raw: bytes | None) -> Contact | None:
        if raw is None:
            self._link.reader.complain(keys.ready, text(one), f"not in {keys.contacts}")
        return self._link.reader.one(CONTACT, raw, keys.contacts, text(one))

    async def remaining(self, campaign: str, at: float) -> tuple[int, int]:
        """(due now, waiting for later)."""
        keys = campaign_keys(campaign)
        ready, due, later = await self._link.run(
            [
                ("ZCARD", keys.ready),
                ("ZCOUNT", keys.later, "-inf", epoch_word(at)),
                ("ZCOUNT", keys.later, f"({epoch_word(at)}", "+inf"),
            ]
        )
        return ready + due, later

    async def contact(self, campaign: str, contact: str) -> Contact | None:
        """Wherever it stands."""
        keys = campaign_keys(campaign)
        raw = await self._link.one(("HGET", keys.contacts, contact))
        return self._link.reader.one(CONTACT, raw, keys.contacts, contact)

    async def refuse(
        self, token: int, campaign: str, refusals: Sequence[tuple[Contact, Number, Refused]], at: float
    ) -> None:
        """The contact is kept as it is given; one that is not on the list (claimed, at rest) is only told of."""
        keys = campaign_keys(campaign)
        raw = await self._link.one(("GET", keys.settings))
        settings = self._link.reader.one(CAMPAIGN, raw, keys.settings, campaign) or Campaign(campaign, "", pack="")
        places = (
            keys.fence, keys.ready, keys.later, keys.rest, keys.contacts, keys.rank, keys.refused, keys.refusals,
            keys.counters,
        )  # fmt: skip
        for start in range(0, len(refusals), REFUSED_AT_ONCE):
            rows: list[Argument] = []
            for contact, number, refused in refusals[start : start + REFUSED_AT_ONCE]:
                record = refusal_record(settings, contact, number, refused, at)
                rows += (contact.id, encode(contact), priority_word(contact), refused.rule)
                rows += (epoch_word(refused.until), 2 * len(record), *chain.from_iterable(record.items()))
            await self._link.one(call("refuse", places, token, epoch_word(at), *rows))
