"""Reads lists from XLSX files in a process of its own with limits: a hostile file can end that process, and no other.

calamine takes a whole sheet into memory; files above the limits are to be saved as CSV, which is read in a stream.
"""

import contextlib
import subprocess
import sys
import zipfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from dialer.adapters.frames import decoder, encode, read_frame, write_frame
from dialer.errors import BadInput
from dialer.lists.importing import Cells, RawChunk

ROWS_MAX = 1_048_576  # Excel's own limit
UNZIPPED_MAX = 1 << 30
RATIO_MAX = 100  # unzipped to zipped; a list has 10 to 20
RATIO_FROM = 16 << 20  # below it no ratio does harm
PARTS_MAX = 5000
MEMORY_MAX = 2 << 30
CPU_S_MAX = 300
AS_CSV = "save it as CSV UTF-8"


@dataclass(frozen=True, slots=True)
class Written:
    """The sheet that holds the list."""

    sheet: str


@dataclass(frozen=True, slots=True)
class XlsxAsked:
    """What the process is to do. `rows` 0: the header only."""

    path: str
    sheet: str
    rows: int  # a chunk


class XlsxHead(msgspec.Struct, frozen=True, tag="head"):
    """First of its answers."""

    sheet: str
    total: int  # rows
    header: list[str]


class XlsxRows(msgspec.Struct, frozen=True, tag="rows"):
    """Rows as texts."""

    rows: list[tuple[int, Cells]]
    done: int


class XlsxFault(msgspec.Struct, frozen=True, tag="fault"):
    """Why it cannot go on: reason and cure."""

    text: str


_ANSWER = decoder(XlsxHead | XlsxRows | XlsxFault)


def inspect(path: Path, sheet: str = "") -> tuple[Written, tuple[str, ...]]:
    """The sheet that is named, else the only one, and its header."""
    _check(path)
    with contextlib.closing(_answers(path, sheet, 0)) as answers:
        head = next(answers)
    if not isinstance(head, XlsxHead):
        raise BadInput(f"{path}: its sheet has no header; {AS_CSV}.")
    return Written(head.sheet), tuple(head.header)


def chunks(path: Path, written: Written, size: int) -> Iterator[RawChunk]:
    """All rows below the header."""
    _check(path)
    number, total = 0, 0
    with contextlib.closing(_answers(path, written.sheet, size)) as answers:
        for answer in answers:
            if isinstance(answer, XlsxHead):
                total = answer.total
                continue
            yield RawChunk(number, answer.rows, answer.done, total)
            number += 1


def _check(path: Path) -> None:
    """Refuse what would unpack to too much, by what the file says of itself; the process's limits do not believe it."""
    try:
        with zipfile.ZipFile(path) as file:
            parts = file.infolist()
    except (zipfile.BadZipFile, UnicodeError, NotImplementedError, ValueError, EOFError) as error:
        raise BadInput(
            f"{path} is a broken XLSX file ({type(error).__name__}): save it again, or as CSV UTF-8."
        ) from None
    size, packed = sum(part.file_size for part in parts), sum(part.compress_size for part in parts)
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise BadInput(f"{path} is packed and no XLSX: {AS_CSV}.")
    if len(parts) > PARTS_MAX or size > UNZIPPED_MAX:
        raise BadInput(f"{path} unpacks to {size >> 20} MB in {len(parts)} parts, more than {UNZIPPED_MAX >> 20} MB in"
                       f" {PARTS_MAX}: {AS_CSV}.")  # fmt: skip
    if size > RATIO_FROM and size > RATIO_MAX * max(1, packed):
        raise BadInput(f"{path} unpacks to {size // max(1, packed)} times its size; no list does: {AS_CSV}.")
    if any(part.flag_bits & 1 for part in parts):
        raise BadInput(f"{path} is encrypted: save it without a password.")


def _answers(path: Path, sheet: str, rows: int) -> Generator[XlsxHead | XlsxRows]:
    process = subprocess.Popen(
        [sys.executable, "-m", "dialer.adapters.xlsx_process"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, start_new_session=True,  # Ctrl-C is for us, who end it
    )  # fmt: skip
    try:
        with contextlib.suppress(BrokenPipeError):
            write_frame(cast(BinaryIO, process.stdin), encode(XlsxAsked(str(path.absolute()), sheet, rows)))
        yield from _frames(path, cast(BinaryIO, process.stdout))
        if process.wait():
            raise BadInput(
                f"{path} needs more than {MEMORY_MAX >> 20} MB of memory or {CPU_S_MAX} s, or is broken: {AS_CSV}."
            )
    finally:
        process.kill()
        process.communicate()


def _frames(path: Path, pipe: BinaryIO) -> Iterator[XlsxHead | XlsxRows]:
    while (raw := read_frame(pipe)) is not None:
        answer = _ANSWER.decode(raw)
        if isinstance(answer, XlsxFault):
            raise BadInput(f"{path}: {answer.text}.")
        yield answer
