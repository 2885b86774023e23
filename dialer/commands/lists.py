"""`dialer load`: a file into a campaign's list, what of it is not used, and how it would be understood."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dialer.adapters import list_files, loading
from dialer.adapters.redis_elsewhere import elsewhere
from dialer.adapters.reject_files import NoRejects, RejectFile
from dialer.adapters.site import OpenSite
from dialer.commands import list_show
from dialer.commands.desk import known, out, say
from dialer.errors import BadInput
from dialer.lists import mappings
from dialer.lists.importing import Across, Summary
from dialer.lists.mappings import ListMapping
from dialer.lists.provinces import WIB

PREVIEW_MAX = 100


@dataclass(frozen=True, slots=True)
class Options:
    """What `dialer load` was given besides the file and the campaign."""

    rejects: Path | None = None
    mapping: Path | None = None
    save_mapping: Path | None = None
    preview: int = 0  # rows; 0: load
    across: str = Across.SAY.value
    as_of: str = ""
    weight: int = 0
    sheet: str = ""
    update: bool = False


async def load(site: OpenSite, file: Path, campaign: str, options: Options) -> None:
    """The same file twice changes nothing."""
    await known(site, campaign)
    asked = loading.Wanted(campaign, site.clock.now(), _across(options.across), options.weight, options.update)
    mapping = _mapping(options.mapping)
    mapping = replace(mapping, sheet=options.sheet or mapping.sheet)
    as_of = _day(options.as_of) if options.as_of else datetime.fromtimestamp(asked.at, ZoneInfo(WIB)).date()
    found = loading.understand(file, replace(site.config.list_rules(), as_of=as_of), mapping)
    if options.save_mapping is not None:
        _save(options.save_mapping, mappings.saved(found.columns, found.rules, mapping))
    if options.preview:
        _preview(found, options.preview)
        return
    with _written(options.rejects, found.file.header) as rejects, _bar(file, found.file.unit) as bar:
        async with elsewhere(site.config.redis.url) as others:
            summary = await loading.load(site.store, others, found, asked, rejects, bar.update)
    for line in list_show.loaded(summary, campaign, found.columns, options.rejects is not None, options.update):
        say(line)


def _mapping(path: Path | None) -> ListMapping:
    if path is None:
        return ListMapping()
    try:
        return mappings.read_mapping(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeError) as error:
        raise BadInput(f"--mapping {path} cannot be read: {getattr(error, 'strerror', 'not UTF-8')}.") from None


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--save-mapping {path} cannot be written: {error.strerror}.") from None
    say(f"The mapping is in {path}: correct it there, then load with --mapping {path}.")


def _across(word: str) -> Across:
    if word not in list(Across):
        raise BadInput(f"--across {word!r}: use {', '.join(Across)}.")
    return Across(word)


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise BadInput(f"--as-of {text!r} is no day: write 2026-12-31.") from None


def _preview(found: loading.Understood, count: int) -> None:
    out.print(list_show.mapping(found.columns))
    table = list_files.first_rows(found.file, min(count, PREVIEW_MAX))
    for line in list_show.rows(found.columns, found.rules, table):
        say(line)
    say("Nothing was loaded.")


@contextmanager
def _written(path: Path | None, header: tuple[str, ...]) -> Iterator[RejectFile | NoRejects]:
    if path is None:
        yield NoRejects()
    else:
        with RejectFile(path, header) as rejects:
            yield rejects


class _Bar:
    """How far the import is: bytes of a CSV, rows of a spreadsheet; rows a second, time left, rows not used."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._task = progress.add_task(name, total=None, rows=0, rate=0.0, lost=0)

    def update(self, seen: Summary) -> None:
        """After each chunk."""
        elapsed = self._progress.tasks[0].elapsed or 0.0
        rate = seen.rows / elapsed if elapsed else 0.0
        self._progress.update(
            self._task, completed=seen.done, total=seen.total, rows=seen.rows, rate=rate, lost=seen.lost
        )


@contextmanager
def _bar(file: Path, unit: str) -> Iterator[_Bar]:
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(),
        TextColumn("{task.percentage:>3.0f} % of the " + unit),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f}/s, {task.fields[lost]:,} not used"),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        yield _Bar(progress, os.path.basename(file)[:30])
