"""A list's newer data for contacts that are being worked on: neither they nor what calls teach meanwhile are lost.

The list owns name, amount, numbers and so on, the calls own tries, states and call-backs. An entry's revision counts
how often the list's part was replaced; what comes back from a call with an older one waits in `{campaign}:behind` and
is merged here.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from dialer.adapters.redis_codec import pairs, text
from dialer.adapters.redis_contact import REVISIONS, encode_contact, read_contact
from dialer.adapters.redis_index import entries_of, numbers_gone
from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import Argument, RedisCommand, call
from dialer.errors import StoreDown
from dialer.model import Contact, Number

REPLACED_AT_ONCE = 200
TURNS = 100  # somebody else writes the same contact between our look and our write: again


def with_life(listed: Contact, lived: Contact) -> Contact:
    """The data of one and what calls taught of the other, among it numbers that the debtor gave himself, and the
    language he chose where the list has none."""
    known = {number.key: number for number in lived.numbers}
    numbers = tuple(_with_past(number, known.get(number.key)) for number in listed.numbers)
    keys = {number.key for number in numbers}
    numbers += tuple(number for number in lived.numbers if number.given_at and number.key not in keys)
    turn = lived.numbers[lived.next_number].key if 0 <= lived.next_number < len(lived.numbers) else ""
    places = [i for i, number in enumerate(numbers) if number.key == turn]
    return replace(
        listed, language=listed.language or lived.language, numbers=numbers,
        next_number=places[0] if places else 0, tries=lived.tries, alias=lived.alias,
        last_at=lived.last_at, callback_at=lived.callback_at, callback_agent=lived.callback_agent, came=lived.came,
        broken_at=max(listed.broken_at, lived.broken_at), paid=listed.paid or lived.paid,
    )  # fmt: skip


def _with_past(listed: Number, lived: Number | None) -> Number:
    if lived is None:
        return listed
    return replace(listed, state=lived.state, past=lived.past, not_found_at=lived.not_found_at)


class Updates:
    """Replaces and merges."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.looked_at: dict[str, dict[str, Contact]] = {}  # campaign -> what the last look at its list gave

    async def replace(self, campaign: str, contacts: Sequence[Contact]) -> int:
        """How many changed. Those that are not on the list are left out."""
        changed = 0
        for start in range(0, len(contacts), REPLACED_AT_ONCE):
            waiting = {one.id: one for one in contacts[start : start + REPLACED_AT_ONCE]}
            for _ in range(TURNS):
                if not waiting:
                    break
                changed += await self._turn(campaign, waiting)
            if waiting:
                raise StoreDown(f"{len(waiting)} contacts of {campaign} change all the time; try again")
        return changed

    async def change(self, campaign: str, contact: str, change: Callable[[Contact], Contact]) -> Contact | None:
        """The contact as it stands after `change`, which may be asked again; None: it is not on the list."""
        keys = campaign_keys(campaign)
        for _ in range(TURNS):
            await self.merge(campaign)
            raw = await self._link.one(("HGET", keys.contacts, contact))
            known = read_contact(self._link.reader, raw, keys.contacts, contact)
            if known is None:
                return None
            wanted = change(known)
            if wanted == known:
                return known
            wanted = replace(wanted, rev=(known.rev + 1) % REVISIONS)
            places = (keys.contacts, keys.ready, keys.later, keys.behind)
            if (await self._link.one(call("replace", places, contact, raw, encode_contact(wanted), "")))[0]:
                return wanted
        raise StoreDown(f"a contact of {campaign} changes all the time; try again")

    async def merge(self, campaign: str) -> None:
        """What came back behind the list's data."""
        keys = campaign_keys(campaign)
        for _ in range(TURNS):
            found = pairs(await self._link.one(("HGETALL", keys.behind)))
            if not found:
                return
            stands = await self._link.one(("HMGET", keys.contacts, *(contact for contact, _ in found)))
            rows: list[Argument] = []
            for (name, raw), stood in zip(found, stands, strict=True):
                lived = read_contact(self._link.reader, raw, keys.behind, text(name))
                listed = read_contact(self._link.reader, stood, keys.contacts, text(name))
                if lived is None or listed is None:
                    await self._link.one(("HDEL", keys.behind, name))
                else:
                    rows += (name, stood, encode_contact(with_life(listed, lived)), raw)
            if rows:
                await self._link.one(call("replace", (keys.contacts, keys.ready, keys.later, keys.behind), *rows))

    async def _turn(self, campaign: str, waiting: dict[str, Contact]) -> int:
        """Takes off `waiting` who is done; how many changed."""
        await self.merge(campaign)
        keys = campaign_keys(campaign)
        stands = await self._link.one(("HMGET", keys.contacts, *waiting))
        rows: list[Argument] = []
        asked: list[str] = []
        gone: list[RedisCommand] = []
        come: list[RedisCommand] = []
        for given, raw in zip(list(waiting.values()), stands, strict=True):
            known = read_contact(self._link.reader, raw, keys.contacts, given.id)
            merged = None if known is None else replace(with_life(given, known), rev=known.rev)
            if known is None or merged is None or merged == known:
                del waiting[given.id]
                continue
            merged = replace(merged, rev=(known.rev + 1) % REVISIONS)
            rows += (given.id, raw, encode_contact(merged), "")
            asked.append(given.id)
            come += entries_of(campaign, merged)
            kept = set(numbers_gone(campaign, merged))
            gone += [entry for entry in numbers_gone(campaign, known) if entry not in kept]
        if not asked:
            return 0
        await self._link.run(come)
        answers = await self._link.one(call("replace", (keys.contacts, keys.ready, keys.later, keys.behind), *rows))
        for name, done in zip(asked, answers, strict=True):
            if done:
                del waiting[name]
        if all(answers):  # otherwise a number too many is found, which does no harm
            await self._link.run(gone)
        return sum(answers)
