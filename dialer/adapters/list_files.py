"""Lists in files: what a file is, found before its first row is read, and its rows in chunks; CSV and XLSX alike."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from dialer.adapters import csv_files, xlsx_files
from dialer.contacts import UNREADABLE
from dialer.errors import BadInput
from dialer.lists.importing import Cells, RawChunk

CHUNK_ROWS = 2000
COLUMNS_MAX = 200
HEAD = 8
BLOCK = 1 << 20
_OLD = b"\xd0\xcf\x11\xe0"  # Excel before 2007, or any Excel file with a password


@dataclass(frozen=True, slots=True)
class ListFile:
    """A file that can be read; `written` says how."""

    path: Path
    header: tuple[str, ...]
    written: csv_files.Written | xlsx_files.Written

    @property
    def unit(self) -> str:
        """In what its progress is counted."""
        return "bytes" if isinstance(self.written, csv_files.Written) else "rows"


def inspect(path: Path, encoding: str = "", delimiter: str = "", sheet: str = "") -> ListFile:
    """What the file is; what is given is not looked for. Raises BadInput with the place and the cure."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        if head.startswith(_OLD):
            raise BadInput(f"{path} is a spreadsheet of an old kind or with a password: save it as XLSX or CSV UTF-8.")
        written: csv_files.Written | xlsx_files.Written
        if head.startswith(b"PK\x03\x04"):
            written, header = xlsx_files.inspect(path, sheet)
        else:
            written, header = csv_files.inspect(path, encoding, delimiter)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    return ListFile(path, _checked(path, header), written)


def _checked(path: Path, header: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in header)
    if not any(names):
        raise BadInput(f"{path}: no header line; name the columns in the first line.")
    if len(names) > COLUMNS_MAX:
        raise BadInput(f"{path}: {len(names)} columns; keep at most {COLUMNS_MAX}.")
    if "" in names:
        raise BadInput(f"{path}: column {names.index('') + 1} has no header; name it or remove it.")
    return names


def digest(path: Path) -> str:
    """Of the file's bytes, in hex."""
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                found.update(block)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    return found.hexdigest()


def chunks(file: ListFile, size: int = CHUNK_ROWS) -> Iterator[RawChunk]:
    """All rows, `size` at a time, numbered from 0. Raises BadInput where reading cannot go on."""
    try:
        if isinstance(file.written, xlsx_files.Written):
            yield from xlsx_files.chunks(file.path, file.written, size)
        else:
            yield from csv_files.chunks(file.path, file.written, size)
    except OSError as error:
        raise BadInput(f"{file.path} cannot be read: {error.strerror}.") from error


def rows(file: ListFile) -> Iterator[tuple[int, dict[str, str]]]:
    """(line of the file, cells by header) of every row, in bounded memory; see named()."""
    for chunk in chunks(file):
        for line, cells in chunk.rows:
            yield line, named(cells, file.header)


def first_rows(file: ListFile, count: int) -> list[tuple[int, dict[str, str]]]:
    """The first rows."""
    return list(islice(rows(file), count))


def named(cells: Cells, header: tuple[str, ...]) -> dict[str, str]:
    """Cells by header. What is wrong with a row as a whole stands under UNREADABLE, for contacts.read_row to refuse."""
    if isinstance(cells, str):
        return {UNREADABLE: cells}
    if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
        return {UNREADABLE: f"{len(cells)} cells under {len(header)} headers"}
    return dict(zip(header, cells, strict=False))
