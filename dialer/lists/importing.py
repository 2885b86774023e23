"""A list from its rows to the store: chunk by chunk, each brought once, duplicates found, what is refused written down.

Whole and in order, or told why not: a chunk is all or nothing, the same list again changes nothing, and an import that
was killed is done again from the start, where chunks known to the store cost no write.
"""

import hmac
from array import array
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from dialer.contacts import ListRules, Rejected, Restored, twice
from dialer.lists import order
from dialer.lists.columns import Columns
from dialer.model import Contact

CHUNK_CHARS = 4 << 20  # a chunk of huge rows is cut short, or a hostile list could fill the memory
SHOWN = 20  # of the rejects, in the summary
READING = "1"  # raise it when the same row is to be read in another way: then a list may be brought again

Cells = list[str] | str  # one row's cells; a text instead: what is wrong with the row as a whole


@dataclass(frozen=True, slots=True)
class RawChunk:
    """Rows as the file has them. `done` of `total`: how far the file is read, in bytes or rows."""

    number: int
    rows: list[tuple[int, Cells]]
    done: int
    total: int


def in_chunks(rows: Iterable[tuple[int, Cells]], size: int) -> Iterator[list[tuple[int, Cells]]]:
    """The same rows give the same chunks: by these an import that is done again knows what was brought."""
    chunk: list[tuple[int, Cells]] = []
    room = CHUNK_CHARS
    for row in rows:
        chunk.append(row)
        room -= sum(map(len, row[1]))
        if len(chunk) == size or room < 0:
            yield chunk
            chunk, room = [], CHUNK_CHARS
    if chunk:
        yield chunk


@dataclass(frozen=True, slots=True)
class ReadChunk:
    """What became of a chunk's rows. `lines` are those of `contacts`; `restored` are examples of `restored_count`."""

    number: int
    rows: int
    contacts: tuple[Contact, ...]
    lines: tuple[int, ...]
    rejected: tuple[Rejected, ...]
    restored: tuple[Restored, ...]
    restored_count: int
    done: int
    total: int
    raw: Callable[[int], Sequence[str]] = field(default=lambda line: ())  # a line's own cells


class Across(StrEnum):
    """What to do with a debt that is on another campaign's list already."""

    SAY = "say"
    ALLOW = "allow"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Asked:
    """One import: `id` names it and all that decides about its chunks; `weight` 0: no mix of lists; `update`: contacts
    that are there get its data.
    """

    id: str
    campaign: str
    at: float
    across: Across = Across.SAY
    weight: int = 0
    update: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import has done so far. `shared`: numbers that stand with more than one person of the list."""

    rows: int = 0
    new: int = 0
    known: int = 0
    changed: int = 0  # of those known
    lost: int = 0
    values: int = 0  # not used, of rows that are
    restored: int = 0
    twice: int = 0
    shared: int = 0
    elsewhere: int = 0  # in other campaigns too
    done: int = 0
    total: int = 0
    rejected: tuple[Rejected, ...] = ()  # the first ones
    examples: tuple[Restored, ...] = ()


class ListStore(Protocol):
    """What an import needs of the store."""

    async def add_contacts(self, campaign: str, contacts: Sequence[Contact], due: float, chunk: str = "") -> int:
        """See ports.Store."""

    async def replace_contacts(self, campaign: str, contacts: Sequence[Contact]) -> int:
        """Newer data for contacts that are there: how many changed. What calls have taught stays."""


class Elsewhere(Protocol):
    """Where else a debt is listed."""

    async def campaigns_of(self, contacts: Sequence[Contact]) -> Sequence[Sequence[str]]:
        """For each contact the campaigns that have it, which is its person and account."""


class Rejects(Protocol):
    """Where what is refused is written."""

    def write(self, rejected: Rejected, cells: Sequence[str]) -> None:
        """One finding with its row's own cells (none: the row could not be cut into cells)."""


def import_id(key: bytes, digest: str, columns: Columns, rules: ListRules, across: Across, rows: int) -> str:
    """Same file, same reading, same chunks: same id; keyed, for it is kept where no personal data may be."""
    codes, header = sorted(rules.country_codes), list(columns.all)
    reading = [
        header,
        sorted(columns.fields.items()),
        columns.phones,
        columns.custom,
        sorted(columns.constants.items()),
    ]
    told = (READING, digest, reading, rules.region, codes, rules.day_first, rules.currency, across.value, rows)
    return hmac.digest(key, f"import\0{told!r}".encode(), "sha256")[:16].hex()


async def import_list(
    chunks: AsyncIterator[ReadChunk], columns: Columns, asked: Asked, store: ListStore, elsewhere: Elsewhere | None,
    rejects: Rejects, tell: Callable[[Summary], None],
) -> Summary:  # fmt: skip
    """Bring every chunk; `tell` hears of each. Raises what reading or the store raises: chunks brought stay brought."""
    summary = Summary()
    people, numbers = FirstSeen(), FirstSeen()
    async for chunk in chunks:
        chunk, doubles = _once(chunk, people, columns)
        shared = sum(_shared(contact, numbers) for contact in chunk.contacts)
        chunk, abroad = await _across(chunk, asked, columns, elsewhere)
        due = order.due(asked.at, chunk.number, asked.weight)
        new = await store.add_contacts(asked.campaign, chunk.contacts, due, f"{asked.id}:{chunk.number}")
        changed = await store.replace_contacts(asked.campaign, chunk.contacts) if asked.update else 0
        for one in chunk.rejected:
            rejects.write(one, chunk.raw(one.line))
        summary = replace(_added(summary, chunk, new, doubles, shared, abroad), changed=summary.changed + changed)
        tell(summary)
    return summary


def _once(chunk: ReadChunk, people: "FirstSeen", columns: Columns) -> tuple[ReadChunk, int]:
    """Without contacts that stood in an earlier line."""
    kept, lines, refused = [], [], []
    for contact, line in zip(chunk.contacts, chunk.lines, strict=True):
        first = people.first(contact.id, line)
        if first == line:
            kept.append(contact)
            lines.append(line)
        else:
            refused.append(twice(line, first, columns))
    if not refused:
        return chunk, 0
    rejected = tuple(sorted((*chunk.rejected, *refused), key=lambda one: one.line))
    return replace(chunk, contacts=tuple(kept), lines=tuple(lines), rejected=rejected), len(refused)


def _shared(contact: Contact, numbers: "FirstSeen") -> int:
    """How many of his numbers stood with somebody else before."""
    tag = int(contact.person[:8], 16)
    return sum(numbers.first(number.key, tag) != tag for number in contact.numbers)


async def _across(
    chunk: ReadChunk, asked: Asked, columns: Columns, elsewhere: Elsewhere | None
) -> tuple[ReadChunk, int]:
    if asked.across is Across.ALLOW or elsewhere is None or not chunk.contacts:
        return chunk, 0
    there = [
        [name for name in names if name != asked.campaign] for name, names in
        zip(chunk.lines, await elsewhere.campaigns_of(chunk.contacts), strict=True)
    ]  # fmt: skip
    count = sum(map(bool, there))
    if not count or asked.across is Across.SAY:
        return chunk, count
    kept = [
        (contact, line) for contact, line, names in zip(chunk.contacts, chunk.lines, there, strict=True) if not names
    ]
    refused = [
        Rejected(line, columns.fields.get("account", ""), "", f"on the list of {', '.join(names[:3])} already",
                 "take it off one list, or load with --across say", True, "elsewhere",
                 (("names", ", ".join(names[:3])),))
        for line, names in zip(chunk.lines, there, strict=True) if names
    ]  # fmt: skip
    rejected = tuple(sorted((*chunk.rejected, *refused), key=lambda one: one.line))
    contacts, lines = tuple(one for one, _ in kept), tuple(line for _, line in kept)
    return replace(chunk, contacts=contacts, lines=lines, rejected=rejected), count


def _added(past: Summary, chunk: ReadChunk, new: int, doubles: int, shared: int, abroad: int) -> Summary:
    lost = sum(one.row_lost for one in chunk.rejected)
    return Summary(
        rows=past.rows + chunk.rows,
        new=past.new + new,
        known=past.known + len(chunk.contacts) - new,
        lost=past.lost + lost,
        values=past.values + len(chunk.rejected) - lost,
        restored=past.restored + chunk.restored_count,
        twice=past.twice + doubles,
        shared=past.shared + shared,
        elsewhere=past.elsewhere + abroad,
        done=chunk.done,
        total=chunk.total,
        rejected=(past.rejected + chunk.rejected)[:SHOWN],
        examples=(past.examples + chunk.restored)[:3],
    )


class FirstSeen:
    """Keyed hash -> a number up to 2**32 that came with it first; 12 bytes a slot, a million in 25 MB.

    Kept by 64 bits of the hash: of a million one pair in 40 million is taken for the same by mistake.
    """

    def __init__(self, slots: int = 1 << 12) -> None:
        self._hashes = array("Q", bytes(8 * slots))
        self._values = array("I", bytes(4 * slots))
        self._mask = slots - 1
        self._room = slots * 3 // 4

    def first(self, key: str, value: int) -> int:
        """What came first with `key`, which is hex; `value` where nothing did."""
        hashed = int(key[:16], 16) or 1  # 0: an empty slot
        slot = self._slot(hashed)
        if self._hashes[slot]:
            return self._values[slot]
        self._hashes[slot], self._values[slot] = hashed, value
        self._room -= 1
        if not self._room:
            self._grow()
        return value

    def _slot(self, hashed: int) -> int:
        hashes, mask = self._hashes, self._mask
        slot = hashed & mask
        while (found := hashes[slot]) and found != hashed:
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        hashes, values, slots = self._hashes, self._values, 2 * len(self._hashes)
        FirstSeen.__init__(self, slots)
        for hashed, value in zip(hashes, values, strict=True):
            if hashed:
                slot = self._slot(hashed)
                self._hashes[slot], self._values[slot] = hashed, value
                self._room -= 1
