"""A campaign's list: contacts for later, ready, aside after a refusal, at rest."""

import asyncio
import math
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import chain

from dialer.adapters.redis_codec import CAMPAIGN, pairs, text
from dialer.adapters.redis_contact import encode_contact, read_contact
from dialer.adapters.redis_index import entries_of
from dialer.adapters.redis_keys import CampaignKeys, campaign_keys, chunks_key
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import Argument, call
from dialer.adapters.redis_updates import Updates
from dialer.errors import BadInput
from dialer.law import decisionlog
from dialer.model import Campaign, Contact, Number, Refused
from dialer.stream import REFUSAL_FIELDS, refusal_record

ADDED_AT_ONCE = 500
INDEXED_AT_ONCE = 5000
ONLY_TOLD = b"-"
REFUSED_AT_ONCE = 200
READY_AT_ONCE = 1000  # moved from later to ready by one look at the list
CHUNK_MAX = 10_000  # one script: Redis does nothing else meanwhile
CHUNKS_KEPT_MS = 7 * 86_400_000  # so long an import may be taken up again
# Where in a refusal's entry, as names and values, stand the values that are each contact's own.
OWN_SLOTS = tuple(2 * list(REFUSAL_FIELDS).index(name) + 2 for name in ("debtor", "person", "number", "number_kind"))
CHUNK = re.compile(r"([A-Za-z0-9._-]{1,64}):([0-9]{1,9})")


def epoch_word(at: float) -> str:
    """A time as Redis keeps it."""
    return "inf" if math.isinf(at) else repr(at)


class Contacts:
    """Part of the store."""

    def __init__(self, link: Link, updates: Updates) -> None:
        self._link = link
        self._updates = updates

    async def add_contacts(self, campaign: str, contacts: Sequence[Contact], due: float, chunk: str = "") -> int:
        """A list's own order decides among equals: see add.lua. The index comes first: what is on the list is in it."""
        load, number = _chunk(chunk)
        if number and len(contacts) > CHUNK_MAX:
            raise BadInput(f"a chunk of {len(contacts)} contacts: at most {CHUNK_MAX}")
        step = CHUNK_MAX if number else ADDED_AT_ONCE
        keys = campaign_keys(campaign)
        new = 0
        for start in range(0, max(1, len(contacts)) if number else len(contacts), step):
            new += await self._add(keys, campaign, contacts[start : start + step], due, load, number)
        return new

    async def _add(
        self, keys: CampaignKeys, campaign: str, contacts: Sequence[Contact], due: float, load: str, number: str
    ) -> int:
        chunks = chunks_key(campaign, load)
        ids = [one.id for one in contacts]
        known = await self._link.one(call("known", (keys.contacts, chunks), number, *ids))
        if known is None:
            return 0
        unknown = [_named(one) for one, there in zip(contacts, known, strict=True) if not there]
        index = [command for one in unknown for command in entries_of(campaign, one)]
        rows: list[Argument] = []
        for one in unknown:
            rows += (one.id, encode_contact(one))
        for start in range(0, len(index), INDEXED_AT_ONCE):
            await self._link.run(index[start : start + INDEXED_AT_ONCE])
        words = (epoch_word(due), number, CHUNKS_KEPT_MS)
        return int(await self._link.one(call("add", (keys.contacts, keys.later, chunks), *words, *rows)))

    async def chunks(self, campaign: str, load: str) -> dict[int, int]:
        """What an import has brought so far: number of the chunk -> how many contacts were new."""
        _chunk(f"{load}:0")
        found = pairs(await self._link.one(("HGETALL", chunks_key(campaign, load))))
        return {int(number): int(new) for number, new in found}

    async def candidates(self, campaign: str, at: float, limit: int) -> tuple[Contact, ...]:
        """Lower priority first, then the earlier due. A broken contact goes to rest, or it would stand in the way."""
        if limit <= 0:
            return ()
        keys = campaign_keys(campaign)
        places = (keys.later, keys.ready, keys.contacts)
        ids, rows = await self._link.one(call("candidates", places, epoch_word(at), limit, READY_AT_ONCE))
        found = [self._contact(keys, one, raw) for one, raw in zip(ids, rows, strict=True)]
        broken = [one for one, contact in zip(ids, found, strict=True) if contact is None]
        if broken:
            await self._link.run(
                [("ZREM", keys.ready, *broken), *(("ZADD", keys.rest, epoch_word(at), one) for one in broken)]
            )
        seen = tuple(contact for contact in found if contact is not None)
        self._updates.looked_at[campaign] = {contact.id: contact for contact in seen}
        return seen

    def _contact(self, keys: CampaignKeys, one: bytes, raw: bytes | None) -> Contact | None:
        if raw is None:
            self._link.reader.complain(keys.ready, text(one), f"not in {keys.contacts}")
        return read_contact(self._link.reader, raw, keys.contacts, text(one))

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
        return read_contact(self._link.reader, raw, keys.contacts, contact)

    async def replace_contacts(self, campaign: str, contacts: Sequence[Contact]) -> int:
        """A list's newer data (`dialer load --update`) for contacts that are known: how many changed. What calls have
        taught stays (tries, pasts and states of numbers, alias, call-back), and so does their place on the list."""
        return await self._updates.replace(campaign, contacts)

    async def refuse(
        self,
        token: int,
        campaign: str,
        refusals: Sequence[tuple[Contact, Number, Refused]],
        at: float,
        pack: str = "",
        aside: bool = True,
    ) -> None:
        """The contact is kept as it is given; one that is not on the list (claimed, at rest) is only told of, and so
        is everybody where not `aside`."""
        keys = campaign_keys(campaign)
        raw = await self._link.one(("GET", keys.settings))
        settings = self._link.reader.one(CAMPAIGN, raw, keys.settings, campaign) or Campaign(campaign, "", pack="")
        looked_at = self._updates.looked_at.get(campaign, {})
        sent: asyncio.Task[int] | None = None
        behind = 0
        try:
            for start in range(0, len(refusals), REFUSED_AT_ONCE):
                kinds: dict[Refused, int] = {}
                head: list[Argument] = []
                rows: list[Argument] = []
                for contact, number, refused in refusals[start : start + REFUSED_AT_ONCE]:
                    kind = kinds.get(refused)
                    if kind is None:
                        kind = kinds[refused] = len(kinds) + 1
                        head += (refused.rule, epoch_word(refused.until))
                        head += chain.from_iterable(refusal_record(settings, contact, number, refused, at).items())
                    body = decisionlog.refused(contact, number, refused, pack or settings.pack, at)
                    entry = b"" if looked_at.get(contact.id) is contact else encode_contact(contact)
                    entry = entry if aside else ONLY_TOLD
                    rows += (
                        contact.id, entry, kind, body, decisionlog.digest(body), contact.person, number.e164,
                        number.kind.value,
                    )  # fmt: skip
                if sent is not None:
                    behind += await sent
                words = (epoch_word(at), len(kinds), 2 * len(REFUSAL_FIELDS), *OWN_SLOTS, *head, *rows)
                sent = asyncio.create_task(self._refuse(keys, token, words))
                await asyncio.sleep(0)  # Redis works on it while the next ones are put together
        finally:
            behind += await sent if sent is not None else 0
        if behind:
            await self._updates.merge(campaign)

    async def recall(self, campaign: str, token: int, rules: Collection[str], at: float) -> int:
        """See ports.Store."""
        keys = campaign_keys(campaign)
        cursor, count = b"0", 0
        while True:
            cursor, flat = await self._link.one(("HSCAN", keys.refused, cursor, "COUNT", ADDED_AT_ONCE))
            words: list[Argument] = []
            for contact, lines in pairs(flat):
                for line in text(lines).splitlines():
                    rule, until, _ = line.split(" ")
                    if rule in rules and until != "inf":
                        words += (contact, until)
            if words:
                places = (keys.fence, keys.later)
                count += int(await self._link.one(call("recall", places, token, epoch_word(at), *words)))
            if int(cursor) == 0:
                return count

    async def _refuse(self, keys: CampaignKeys, token: int, words: Sequence[Argument]) -> int:
        places = (
            keys.fence, keys.ready, keys.later, keys.rest, keys.contacts, keys.refused, keys.refusals, keys.counters,
            keys.log, keys.log_head, keys.behind,
        )  # fmt: skip
        return int(await self._link.one(call("refuse", places, token, *words)))


def _chunk(chunk: str) -> tuple[str, str]:
    """An import's id and a chunk's number."""
    if not chunk:
        return "", ""
    found = CHUNK.fullmatch(chunk)
    if found is None:
        raise BadInput(f"chunk {chunk[:80]!r}: use IMPORT:NUMBER, IMPORT of a-z, A-Z, 0-9, ., _ and -")
    return found[1], found[2]


def _named(contact: Contact) -> Contact:
    """With an alias: the decision log knows nobody otherwise."""
    return contact if contact.alias else replace(contact, alias=secrets.token_hex(8))
