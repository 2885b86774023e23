"""Persons and numbers over all campaigns: stopped, found, withdrawn, erased."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from dialer.adapters.redis_codec import text
from dialer.adapters.redis_contact import read_contact
from dialer.adapters.redis_index import Index, Place
from dialer.adapters.redis_keys import (
    KEYED_BY,
    campaign_keys,
    number_keys,
    person_keys,
)
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_list import epoch_word
from dialer.adapters.redis_scripts import RedisCommand, call
from dialer.errors import BadInput
from dialer.model import CAMPAIGN_ID, Contact

LENDER = "lender:"
CAMPAIGN = "campaign:"
_LENDER = re.compile(r"lender:[^\x00-\x1f\x7f]{1,200}")


class People:
    """Part of the store."""

    def __init__(self, link: Link, index: Index) -> None:
        self._link = link
        self._index = index

    async def is_keyed_by(self, mark: str, from_now: bool = False) -> bool:
        """Whether people are known here by the secret of this mark, or by none yet; `from_now`: then by this one."""
        if from_now:
            await self._link.one(("SET", KEYED_BY, mark, "NX"))
        found = await self._link.one(("GET", KEYED_BY))
        return found is None or text(found) == mark

    async def stop(self, persons: Sequence[str], numbers: Sequence[str], scope: str = "") -> int:
        """Do not call these keyed hashes any more: at all, for `lender:NAME`, or in `campaign:ID`; how many were not
        stopped so before. A claim under way sees it at its second look."""
        if scope and not _LENDER.fullmatch(scope) and not _campaign_scope(scope):
            raise BadInput(f"scope {scope[:80]!r}: leave it empty, or use lender:NAME or campaign:ID")
        states = [person_keys(key).state for key in persons] + [number_keys(key).state for key in numbers]
        return sum(await self._link.run([call("stop", (state,), scope) for state in states]))

    async def contacts_of(self, number_key: str) -> tuple[tuple[Place, Contact], ...]:
        """Who is listed with this number, in which campaign; first by campaign."""
        return tuple((await read_places(self._link, await self._index.of_number(number_key))).items())

    async def contacts_of_numbers(self, number_keys: Sequence[str]) -> list[tuple[Place, ...]]:
        """As the index has it, in one round trip: for an import that looks for duplicates."""
        return await self._index.of_numbers(number_keys)

    async def contacts_of_person(self, person: str) -> tuple[tuple[Place, Contact], ...]:
        """The person's accounts in all campaigns."""
        return tuple((await read_places(self._link, await self._index.of_person(person))).items())

    async def withdraw(self, person: str, at: float, campaign: str = "") -> int:
        """Take his waiting contacts off the list, of one campaign or (empty) of all; how many there were. One who is
        being called does not come back to it."""
        taken = 0
        for name, contacts in _by_campaign(await self._index.of_person(person)).items():
            if campaign in ("", name):
                keys = campaign_keys(name)
                places = (keys.contacts, keys.ready, keys.later, keys.rest, keys.withdrawn, keys.call_backs)
                taken += await self._link.one(call("withdraw", places, epoch_word(at), *contacts))
        return taken


async def read_places(link: Link, places: Sequence[Place]) -> dict[Place, Contact]:
    """Those that are there and make sense."""
    asked: list[RedisCommand] = [("HGET", campaign_keys(one.campaign).contacts, one.contact) for one in places]
    found = {}
    for place, raw in zip(places, await link.run(asked), strict=True):
        contact = read_contact(link.reader, raw, campaign_keys(place.campaign).contacts, place.contact)
        if contact is not None:
            found[place] = contact
    return found


def _campaign_scope(scope: str) -> bool:
    return scope.startswith(CAMPAIGN) and CAMPAIGN_ID.fullmatch(scope.removeprefix(CAMPAIGN)) is not None


def _by_campaign(places: Iterable[Place]) -> Mapping[str, list[str]]:
    found = defaultdict(list)
    for one in places:
        found[one.campaign].append(one.contact)
    return found
