"""Page by page: the public streams by the id of an entry, and a list looked through for a name.

A name has no index: each would cost 50 bytes and more a contact, and people search for parts of names. A look reads the
list by SCANNED_AT_ONCE contacts, 2 us of CPU each (bench history), and goes on where it stopped.
"""

from collections.abc import Mapping
from typing import Any

from dialer.adapters.redis_codec import pairs, text
from dialer.adapters.redis_contact import read_contact
from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import RedisCommand
from dialer.errors import BadInput
from dialer.model import Contact

SCAN = 500  # contacts of one answer of Redis
SCANNED_AT_ONCE = 20_000  # of one look
FOUND_ENOUGH = 50
STREAMS = ("outcomes", "refusals")

Entry = tuple[str, Mapping[str, str]]


class Pages:
    """Part of the store."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def page(self, campaign: str, stream: str, after: str, limit: int) -> tuple[Entry, ...]:
        """Entries after an id (empty: from the first), oldest first."""
        return await self._page(("XRANGE", _key(campaign, stream), f"({after}" if after else "-", "+", "COUNT", limit))

    async def page_back(self, campaign: str, stream: str, before: str, limit: int) -> tuple[Entry, ...]:
        """Entries before an id (empty: from the last), newest first."""
        start = f"({before}" if before else "+"
        return await self._page(("XREVRANGE", _key(campaign, stream), start, "-", "COUNT", limit))

    async def find_names(self, campaign: str, name: str, cursor: str) -> tuple[tuple[Contact, ...], str, int]:
        """(contacts whose name has these words in it, where to go on (empty: all was looked at), how many were looked
        at). Each contact of a list that stands still is looked at once at least."""
        keys, words = campaign_keys(campaign), name.casefold().split()
        if not words:
            raise BadInput("name somebody")
        marks = [word.encode() for word in words if word.isascii()]
        found: dict[str, Contact] = {}
        looked, at = 0, cursor.encode() or b"0"
        while looked < SCANNED_AT_ONCE and len(found) < FOUND_ENOUGH:
            at, flat = await self._link.one(("HSCAN", keys.contacts, at, "COUNT", SCAN))
            for one, raw in pairs(flat):
                plain = raw.lower()
                if not all(mark in plain for mark in marks):
                    continue
                known = read_contact(self._link.reader, raw, keys.contacts, text(one))
                if known is not None and all(word in known.name.casefold() for word in words):
                    found[known.id] = known
            looked += len(flat) // 2
            if at == b"0":
                return tuple(found.values()), "", looked
        return tuple(found.values()), text(at), looked

    async def _page(self, command: RedisCommand) -> tuple[Entry, ...]:
        found: Any = await self._link.one(command)
        return tuple(
            (text(name), {text(key): text(value) for key, value in zip(fields[::2], fields[1::2], strict=False)})
            for name, fields in found
        )


def _key(campaign: str, stream: str) -> str:
    if stream not in STREAMS:
        raise BadInput(f"stream {stream!r}: use one of {', '.join(STREAMS)}")
    key: str = getattr(campaign_keys(campaign), stream)
    return key
