"""One list looked at or loaded, as a process of its own: a job on standard input, lines of JSON on standard output.

The web starts it, so that a large or hostile list costs neither its loop nor its memory; it gives way to calls.
"""

import asyncio
import contextlib
import os
import resource
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from dialer.adapters import list_files, loading
from dialer.adapters.reject_files import RejectFile
from dialer.contacts import ListRules, Rejected, read_row
from dialer.errors import DialerError
from dialer.lists.columns import word_of
from dialer.lists.importing import Across, Summary
from dialer.lists.mappings import mapping_of
from dialer.lists.provinces import WIB
from dialer.mask import mask_number
from dialer.model import Contact

MEMORY_MAX = 2 << 30
NICENESS = 10
STORE_LIMIT_S = 30.0  # beside a busy engine a chunk may wait
ROWS_MAX = 100


class Job(msgspec.Struct, frozen=True):
    """What is to be done with the file at `path`. `key`: the site's secret of keyed hashes, in hex; `rejects` empty:
    look only."""

    path: str
    redis_url: str
    key: str
    region: str
    country_codes: tuple[int, ...]
    day_first: bool
    currency: str
    at: float
    mapping: dict[str, Any] = {}
    as_of: str = ""
    rows: int = 10
    rejects: str = ""
    campaign: str = ""
    across: Across = Across.SAY
    weight: int = 0
    update: bool = False


class Row(msgspec.Struct):
    """One of the first rows: as it would be read, or why it would not."""

    line: int
    read: dict[str, str] = {}
    refused: list[Rejected] = []


class Line(msgspec.Struct, omit_defaults=True):
    """One line of the answer: what the columns mean, how far it is, that it is done, or why it is not."""

    unit: str = ""
    columns: dict[str, str] | None = None  # header -> word; ignore: not used
    unknown: list[str] = []
    first: list[Row] = []
    summary: dict[str, Any] | None = None
    done: bool = False
    error: str = ""


def say(line: Line) -> None:
    """To whoever started us."""
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def look(job: Job, found: loading.Understood) -> Line:
    """What each column means, and the first rows; numbers masked."""
    rows = [_row(line, row, found) for line, row in list_files.first_rows(found.file, max(0, min(job.rows, ROWS_MAX)))]
    return Line(found.file.unit, word_of(found.columns), list(found.columns.unknown), rows)


def _row(line: int, row: dict[str, str], found: loading.Understood) -> Row:
    shown = Row(line, {}, [])
    for one in read_row(line, row, found.columns, found.rules):
        if isinstance(one, Contact):
            shown.read = dict(_read(one))
        elif isinstance(one, Rejected):
            shown.refused.append(one)
    return shown


def _read(one: Contact) -> Iterator[tuple[str, str]]:
    values = {
        "name": one.name, "numbers": ", ".join(f"{number.kind} {mask_number(number.e164)}" for number in one.numbers),
        "lender": one.lender, "product": one.product, "account": one.account, "language": one.language,
        "zone": one.zone, "currency": one.currency if one.amount else "", "amount": str(one.amount or ""),
        "due": one.due.isoformat() if one.due else "", "minimum": str(one.minimum or ""),
        "priority": str(one.priority or ""), "score": str(one.score or ""),
    }  # fmt: skip
    return ((name, value) for name, value in values.items() if value)


async def load(job: Job, found: loading.Understood) -> None:
    """All of it, with a word after each chunk."""
    from dialer.adapters.redis_elsewhere import elsewhere  # a second of a busy machine, which a look does not need
    from dialer.adapters.redis_store import RedisStore

    store = RedisStore(job.redis_url, STORE_LIMIT_S)
    wanted = loading.Wanted(job.campaign, job.at, job.across, job.weight, job.update)

    def tell(seen: Summary) -> None:
        say(Line(summary=msgspec.to_builtins(replace(seen, examples=()))))

    try:
        with RejectFile(Path(job.rejects), found.file.header) as rejects:
            async with elsewhere(job.redis_url) as others:
                tell(await loading.load(store, others, found, wanted, rejects, tell))
    finally:
        await store.close()


def work(job: Job) -> None:
    """Look, then load where that is wanted."""
    as_of = date.fromisoformat(job.as_of) if job.as_of else datetime.fromtimestamp(job.at, ZoneInfo(WIB)).date()
    rules = ListRules(
        bytes.fromhex(job.key), job.region, frozenset(job.country_codes), job.day_first, job.currency, as_of
    )  # fmt: skip
    found = loading.understand(Path(job.path), rules, mapping_of(job.mapping, "the mapping"))
    say(look(job, found))
    if job.rejects:
        os.nice(NICENESS)
        asyncio.run(load(job, found))


def main() -> int:
    """0: done; 1: told why not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    try:
        work(job)
    except (DialerError, ValueError, MemoryError) as error:
        name = Path(job.path).name
        say(Line(error=str(error).replace(job.path, name) or type(error).__name__))
        return 1
    say(Line(done=True))
    return 0


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
