"""Sheets in Redis: what is edited in the browser, with its last versions."""

from dataclasses import dataclass

import msgspec

from dialer.adapters.redis_codec import encode, pairs, text
from dialer.adapters.redis_keys import SHEETS, sheet_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import call
from dialer.forms.sheets import VERSIONS_KEPT, Sheet


@dataclass(frozen=True, slots=True)
class _Entry:
    text: str
    by: str
    at: float


_entry = msgspec.json.Decoder(_Entry).decode


class RedisSheets:
    """web.doors.Sheets."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def read(self, name: str) -> Sheet:
        """The newest version; one of revision 0 where there is none."""
        revision, raw = await self._link.one(("HMGET", sheet_keys(name)[0], "revision", "entry"))
        return read_sheet(name, int(revision), raw) if raw else Sheet(name)

    async def write(self, name: str, words: str, revision: int, by: str, at: float) -> Sheet | None:
        """As the version after `revision`; None: somebody else has written one meanwhile."""
        entry = encode(_Entry(words, by, at))
        new = int(await self._link.one(call("sheet", sheet_keys(name), revision, entry, VERSIONS_KEPT)))
        if not new:
            return None
        await self._link.one(("SADD", SHEETS, name))
        return Sheet(name, words, new, by, at)

    async def versions(self, name: str) -> tuple[Sheet, ...]:
        """Those that are kept, the newest first."""
        found = pairs(await self._link.one(("HGETALL", sheet_keys(name)[1])))
        sheets = [read_sheet(name, int(revision), raw) for revision, raw in found]
        return tuple(sorted(sheets, key=lambda one: -one.revision))

    async def names(self, kind: str) -> tuple[str, ...]:
        """Of all sheets `kind/...` that were ever written, sorted."""
        known = sorted(text(one) for one in await self._link.one(("SMEMBERS", SHEETS)))
        return tuple(one for one in known if one.startswith(f"{kind}/"))


def read_sheet(name: str, revision: int, raw: bytes) -> Sheet:
    """An entry as it is kept."""
    entry = _entry(raw)
    return Sheet(name, entry.text, revision, entry.by, entry.at)
