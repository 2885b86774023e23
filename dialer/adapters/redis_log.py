"""The log of decisions, read: page by page, about one number, and whether its chain holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dialer.adapters.redis_codec import text
from dialer.adapters.redis_index import Index, Place
from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_people import read_places
from dialer.law.decisionlog import START, Anchor, Decision, read, verify
from dialer.law.decisionlog import Link as Entry

READ_AT_ONCE = 1000
SCANNED_MAX = 2_000_000  # entries of one campaign looked through for one number, newest first
FOUND_MAX = 500
NOTHING = Entry(0, "", "", "")


@dataclass(frozen=True, slots=True)
class Told:
    """One decision about a contact. `of_number`: about the number that was asked for, not another one of his."""

    place: Place
    id: str  # of the stream's entry
    decision: Decision
    of_number: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries in order, each with the id to go on after."""

    entries: tuple[tuple[str, Entry], ...]

    @property
    def last(self) -> str:
        """Where the next page begins; empty: there was none."""
        return self.entries[-1][0] if self.entries else ""


class Log:
    """Part of the store."""

    def __init__(self, link: Link, index: Index) -> None:
        self._link = link
        self._index = index

    async def log(self, campaign: str, after: str = "0", limit: int = READ_AT_ONCE) -> Page:
        """Entries after an id of the stream, oldest first ('0': from the first)."""
        key = campaign_keys(campaign).log
        found = await self._link.one(("XRANGE", key, f"({after}", "+", "COUNT", limit))
        return Page(tuple((text(one[0]), _entry(one)) for one in found))

    async def log_ends(self, campaign: str) -> tuple[Anchor, Anchor]:
        """What the first entry kept hangs on, and what the last one is."""
        keys = campaign_keys(campaign)
        anchor, head = await self._link.one(("MGET", keys.log_anchor, keys.log_head))
        return _anchor(anchor), _anchor(head)

    async def verify_log(self, campaign: str) -> int | None:
        """The number of the first entry that is missing or was changed; None: the chain holds. It may grow meanwhile,
        and be trimmed: then ask again."""
        anchor, head = await self.log_ends(campaign)
        after, last = "0", anchor
        while page := (await self.log(campaign, after)).entries:
            broken = verify([entry for _, entry in page], last)
            if broken is not None:
                return broken
            after, last = page[-1][0], Anchor(page[-1][1].seq, page[-1][1].hash)
            if head.seq <= last.seq:
                passed = [entry for _, entry in page if entry.seq == head.seq]
                if passed and passed[0].hash != head.hash:
                    return head.seq
        return last.seq + 1 if last.seq < head.seq else None

    async def decisions_about(self, number_key: str, limit: int = FOUND_MAX) -> tuple[Told, ...]:
        """What was decided about the contacts that have this number, in all campaigns, newest first in each."""
        found: list[Told] = []
        known = await read_places(self._link, await self._index.of_number(number_key))
        campaigns = sorted({place.campaign for place in known})
        for campaign in campaigns:
            aliases = {
                contact.alias: (place, [i for i, one in enumerate(contact.numbers) if one.key == number_key])
                for place, contact in known.items()
                if place.campaign == campaign and contact.alias
            }
            found += await self._scan(campaign, aliases, limit)
        return tuple(found)

    async def _scan(self, campaign: str, aliases: Mapping[str, tuple[Place, list[int]]], limit: int) -> list[Told]:
        key, before, found = campaign_keys(campaign).log, "+", list[Told]()
        words = [alias.encode() for alias in aliases]
        for _ in range(SCANNED_MAX // READ_AT_ONCE if aliases else 0):
            page = await self._link.one(("XREVRANGE", key, before, "-", "COUNT", READ_AT_ONCE))
            for one in page:
                body = one[1][-1] if one[1] else b""
                decision = read(_entry(one).body) if any(word in body for word in words) else None
                if decision is None or decision.alias not in aliases:
                    continue
                place, numbers = aliases[decision.alias]
                found.append(Told(place, text(one[0]), decision, decision.number in numbers))
                if len(found) >= limit:
                    return found
            if len(page) < READ_AT_ONCE:
                break
            before = f"({text(page[-1][0])}"
        return found


def _entry(one: Any) -> Entry:
    """One that makes no sense is an entry that breaks the chain."""
    fields = dict(zip(one[1][::2], one[1][1::2], strict=False))
    seq = fields.get(b"seq", b"")
    if not seq.isdigit():
        return NOTHING
    return Entry(int(seq), *(text(fields.get(name, b"")) for name in (b"prev", b"hash", b"body")))


def _anchor(raw: bytes | None) -> Anchor:
    seq, _, hashed = text(raw or b"").partition(" ")
    return Anchor(int(seq), hashed) if seq.isdigit() else START
