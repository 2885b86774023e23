"""A list brought into the store, from a file or from an upload; the command line and the web both come here.

An upload is written to a private file first: its encoding shows only at its end, and so do the sheets of an XLSX.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from dialer.adapters import list_files
from dialer.adapters.list_files import ListFile
from dialer.adapters.list_pool import ListPool
from dialer.adapters.list_worker import Job
from dialer.columns import Columns
from dialer.contacts import ListRules
from dialer.errors import BadInput
from dialer.importing import Across, Asked, Elsewhere, ListStore, Rejects, Summary, import_id, import_list
from dialer.order import MIX_ROWS

UPLOAD_MAX = 2 << 30


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where to, when, and how; `weight` 0: no mix of lists."""

    campaign: str
    at: float
    across: Across = Across.SAY
    weight: int = 0


async def load(
    store: ListStore, elsewhere: Elsewhere | None, file: ListFile, columns: Columns, rules: ListRules, wanted: Wanted,
    rejects: Rejects, tell: Callable[[Summary], None], processes: int = 0,
) -> Summary:  # fmt: skip
    """All of it, or the error that stopped it; then load again: what was brought costs no write."""
    size = MIX_ROWS if wanted.weight else list_files.CHUNK_ROWS
    name = import_id(rules.key, list_files.digest(file.path), columns, rules, wanted.across, size)
    asked = Asked(name, wanted.campaign, wanted.at, wanted.across, wanted.weight)
    with ListPool(Job(columns, rules), processes) as pool:
        async with aclosing(pool.stream(list_files.chunks(file, size))) as chunks:
            return await import_list(chunks, columns, asked, store, elsewhere, rejects, tell)


@asynccontextmanager
async def uploaded(stream: AsyncIterator[bytes], folder: Path | None = None) -> AsyncIterator[Path]:
    """The bytes of an upload as a file that only we can read, gone afterwards. Raises BadInput for one too large."""
    number, name = tempfile.mkstemp(prefix="santun-list-", dir=folder)  # mode 0600
    path, size = Path(name), 0
    try:
        with os.fdopen(number, "wb") as file:
            async for block in stream:
                size += len(block)
                if size > UPLOAD_MAX:
                    raise BadInput(f"the upload is larger than {UPLOAD_MAX >> 20} MB: divide the list.")
                file.write(block)
        yield path
    finally:
        os.unlink(path)  # a moment
