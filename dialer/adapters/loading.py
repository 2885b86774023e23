"""A list brought into the store, from a file or from an upload; the command line and the web both come here.

    async with uploaded(blocks, "list.xlsx") as path:                       # or any file
        found = await asyncio.to_thread(understand, path, rules, mapping)   # raises BadInput: what to show
        await load(store, elsewhere, found, wanted, rejects, tell)

An upload is written to a private file first: its encoding shows only at its end, and so do the sheets of an XLSX.
"""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dialer.adapters import list_files
from dialer.adapters.list_files import ListFile
from dialer.adapters.list_pool import ListPool
from dialer.adapters.list_worker import Job
from dialer.contacts import ListRules, check_constants
from dialer.errors import BadInput, ConfigError
from dialer.keyed import OTHER_KEY, mark_of
from dialer.lists.columns import Columns, read_header
from dialer.lists.importing import Across, Asked, Elsewhere, ListStore, Rejects, Summary, import_id, import_list
from dialer.lists.mappings import ListMapping
from dialer.lists.order import MIX_ROWS

UPLOAD_MAX = 2 << 30
NAME_MAX = 100
_NO_NAME = re.compile(r"[^A-Za-z0-9._ -]+")


@dataclass(frozen=True, slots=True)
class Understood:
    """A file whose every column is known to mean something, or nothing."""

    file: ListFile
    columns: Columns
    rules: ListRules


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where to, when, and how; `weight` 0: no mix of lists; `update`: newer data for who is there."""

    campaign: str
    at: float
    across: Across = Across.SAY
    weight: int = 0
    update: bool = False


def understand(path: Path, rules: ListRules, mapping: ListMapping) -> Understood:
    """How a list is to be read; looks at the whole file. `rules`: the site's. Raises BadInput with place and cure."""
    ours = mapping.rules(rules)
    file = list_files.inspect(path, mapping.encoding, mapping.delimiter, mapping.sheet)
    columns = read_header(file.header, mapping.columns, mapping.values)
    check_constants(columns, ours)
    return Understood(file, columns, ours)


class KeyedStore(ListStore, Protocol):
    """A list's store that knows by which secret its people are known."""

    async def is_keyed_by(self, mark: str, from_now: bool = False) -> bool:
        """Whether they are known by the secret of this mark; `from_now`: by this one, where there is none."""


async def load(
    store: KeyedStore, elsewhere: Elsewhere | None, found: Understood, wanted: Wanted, rejects: Rejects,
    tell: Callable[[Summary], None], processes: int = 0,
) -> Summary:  # fmt: skip
    """All of it, or the error that stopped it; then load again: what was brought costs no write."""
    file, columns, rules = found.file, found.columns, found.rules
    if not await store.is_keyed_by(mark_of(rules.key), from_now=True):
        raise ConfigError(OTHER_KEY)
    size = MIX_ROWS if wanted.weight else list_files.CHUNK_ROWS
    digest = await asyncio.to_thread(list_files.digest, file.path)
    name = import_id(rules.key, digest, columns, rules, wanted.across, size)
    asked = Asked(name, wanted.campaign, wanted.at, wanted.across, wanted.weight, wanted.update)
    with ListPool(Job(columns, rules), processes) as pool:
        async with aclosing(pool.stream(list_files.chunks(file, size))) as chunks:
            return await import_list(chunks, columns, asked, store, elsewhere, rejects, tell)


def plain_name(name: str) -> str:
    """A file's name of somebody else's as a name in a folder of ours."""
    return _NO_NAME.sub("_", name)[-NAME_MAX:].strip(" .") or "list"


@asynccontextmanager
async def uploaded(blocks: AsyncIterator[bytes], name: str, folder: Path | None = None) -> AsyncIterator[Path]:
    """The bytes of an upload as a file that only we can read, gone afterwards; `name` as its sender calls it, for
    messages. Raises BadInput for one too large.
    """
    plain = plain_name(name)
    with tempfile.TemporaryDirectory(prefix="santun-list-", dir=folder) as private:  # mode 0700
        path, size = Path(private) / plain, 0
        with path.open("xb") as file:
            async for block in blocks:
                size += len(block)
                if size > UPLOAD_MAX:
                    raise BadInput(f"{plain} is larger than {UPLOAD_MAX >> 20} MB: divide the list.")
                file.write(block)
        yield path
