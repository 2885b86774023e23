"""A person's history: a capped list, packed; four bytes of time in front of each entry, so that Lua can drop the old.

A list, not a stream: Redis 7.0 sets 4 kB aside for a stream's first entry, a list takes what it needs (370 bytes).
"""

import struct
from datetime import date

import msgspec

from dialer.adapters.redis_codec import Reader
from dialer.adapters.redis_contact import packed_name, text_of
from dialer.adapters.redis_keys import history_key
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import Argument, call
from dialer.debts.history import ENTRIES_MAX, KEPT_DAYS, Entry, What
from dialer.model import NumberKind, Side

HEAD = struct.Struct(">I")
KEPT_S = KEPT_DAYS * 86_400
LIMITS: tuple[Argument, ...] = (ENTRIES_MAX, KEPT_S)


class _Entry(msgspec.Struct, omit_defaults=True):
    """Entry under short names. Letters are never used again for something else."""

    i: bytes
    w: What = What.CALL
    c: str = ""
    k: bytes = b""  # contact
    o: str = ""
    s: Side | None = Side.DEBTOR
    r: str = ""
    d: str = ""
    a: int = 0
    C: str = ""
    u: int = 0  # due day, counted from 0001-01-01
    g: str = ""
    t: int = 0
    n: NumberKind | None = NumberKind.DEBTOR
    h: str = ""
    b: str = ""
    x: str = ""


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(_Entry).decode


def encode_entry(one: Entry) -> bytes:
    """The same entry gives the same bytes: that is how a repeated one is known."""
    return HEAD.pack(one.at) + _pack(
        _Entry(
            packed_name(one.id), one.what, one.campaign, packed_name(one.contact), one.outcome,
            Side(one.side) if one.side else None, one.reason, one.disposition, one.amount, one.currency,
            one.due.toordinal() if one.due else 0, one.agent, one.talk_s,
            NumberKind(one.number_kind) if one.number_kind else None, one.choice, one.by, one.text,
        )
    )  # fmt: skip


def decode_entry(raw: bytes) -> Entry:
    """Raises ValueError for what makes no sense."""
    if len(raw) < HEAD.size:
        raise ValueError("too short")
    one = _unpack(raw[HEAD.size :])
    return Entry(
        one.w, text_of(one.i), HEAD.unpack_from(raw)[0], one.c, text_of(one.k), one.o, one.s or "", one.r, one.d, one.a,
        one.C, date.fromordinal(one.u) if one.u else None, one.g, one.t, one.n or "", one.h, one.b, one.x,
    )  # fmt: skip


class PersonHistory:
    """Part of the store."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def history(self, person: str, at: float) -> tuple[Entry, ...]:
        """Oldest first, at most ENTRIES_MAX; without what was kept for long enough at `at`."""
        key = history_key(person)
        found = await self._link.one(("LRANGE", key, 0, -1))
        return tuple(one for one in read_entries(self._link.reader, found, key) if one.at >= at - KEPT_S)

    async def histories(self, persons: list[str], at: float) -> list[tuple[Entry, ...]]:
        """Of several persons, in one round trip."""
        keys = [history_key(person) for person in persons]
        answers = await self._link.run([("LRANGE", key, 0, -1) for key in keys])
        found = [read_entries(self._link.reader, raw, key) for key, raw in zip(keys, answers, strict=True)]
        return [tuple(one for one in entries if one.at >= at - KEPT_S) for entries in found]

    async def remember(self, person: str, entry: Entry) -> bool:
        """A note, say. False: the same entry stands there already."""
        return bool(await self._link.one(call("remember", (history_key(person),), *LIMITS, encode_entry(entry))))


def read_entries(reader: Reader, raw: list[bytes], key: str) -> list[Entry]:
    """Those that make sense."""
    found = []
    for place, one in enumerate(raw):
        try:
            found.append(decode_entry(one))
        except (ValueError, OverflowError) as error:
            reader.complain(key, str(place), str(error))
    return found
