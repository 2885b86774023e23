"""Reads lists from CSV files, streaming: utf-8, utf-16 by its mark, cp1252; delimiter comma, semicolon or tab."""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from dialer.contacts import UNREADABLE
from dialer.errors import BadInput

LINE_MAX = 100_000  # characters
LINES_MAX = 20  # of one record
COLUMNS_MAX = 200
HEAD_BYTES = 65_536
CHUNK = 1 << 20
DELIMITERS = (",", ";", "\t")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, ""), (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # Excel's own first line
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True)
class ListFile:
    """How a file is written: found before its first row is read."""

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]


def inspect(path: Path) -> ListFile:
    """Encoding, delimiter and header of a CSV file. Raises BadInput with the place and the cure."""
    try:
        encoding = _encoding(path)
        with _open(path, encoding) as file:
            delimiter = _delimiter(path, file)
            header = next(_records(path, file, delimiter), (0, []))[1]
        if isinstance(header, str):
            raise BadInput(f"{path}, line 1: {header}; correct it.")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    names = tuple(name.strip() for name in header)
    if not any(names):
        raise BadInput(f"{path}: no header line; name the columns in the first line.")
    if len(names) > COLUMNS_MAX:
        raise BadInput(f"{path}: {len(names)} columns; keep at most {COLUMNS_MAX}.")
    if "" in names:
        raise BadInput(f"{path}: column {names.index('') + 1} has no header; name it or remove it.")
    return ListFile(path, encoding, delimiter, names)


def rows(file: ListFile) -> Iterator[tuple[int, dict[str, str]]]:
    """(line of the file, cells by header) of every row, in bounded memory; a record may go over several lines.

    What is wrong with a record as a whole stands under UNREADABLE, for contacts.read_row to refuse; the next line is
    read as if nothing had been. Raises BadInput where reading cannot go on: an endless line, bytes of no text.
    """
    with _open(file.path, file.encoding) as text:
        records = _records(file.path, text, file.delimiter, 2 if _skip_sep_line(text) else 1)
        next(records, None)  # the header
        for line, cells in records:
            if isinstance(cells, str):
                yield line, {UNREADABLE: cells}
            elif len(cells) > len(file.header):
                yield line, {UNREADABLE: f"{len(cells)} cells under {len(file.header)} headers"}
            else:
                yield line, dict(zip(file.header, cells, strict=False))


def _open(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, newline="")


def _records(path: Path, file: TextIO, delimiter: str, start: int = 1) -> Iterator[tuple[int, list[str] | str]]:
    """(first line, cells), or in place of the cells what is wrong; blank lines are passed over."""
    lines = enumerate(_lines(path, file), start)
    waiting: deque[tuple[int, str]] = deque()
    for number, record in _chain(waiting, lines):
        if record.strip():
            yield number, _cells(record, delimiter) if '"' not in record else _quoted(record, lines, waiting, delimiter)


def _chain(waiting: deque[tuple[int, str]], lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines that were looked at and given back, then the file's."""
    while (one := waiting.popleft() if waiting else next(lines, None)) is not None:
        yield one


def _quoted(
    record: str, lines: Iterator[tuple[int, str]], waiting: deque[tuple[int, str]], delimiter: str
) -> list[str] | str:
    """The cells of a record and of the lines that its open quote takes in; a quote that never closes costs one line."""
    cells = _cells(record, delimiter)
    taken: list[tuple[int, str]] = []
    ahead = _chain(waiting, lines)
    whole = record
    while isinstance(cells, str) and len(taken) < LINES_MAX and (following := next(ahead, None)):
        taken.append(following)
        whole += following[1]
        longer = _cells(whole, delimiter)
        if not isinstance(longer, str):
            return longer
    waiting.extendleft(reversed(taken))
    return cells


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    number = 0
    try:
        while line := file.readline(LINE_MAX):
            number += 1
            if len(line) == LINE_MAX:
                raise BadInput(f"{path}, line {number}: longer than {LINE_MAX} characters; this is no list.")
            yield line
    except UnicodeError as error:
        raise BadInput(f"{path}, near line {number + 1}: not {file.encoding}; save it as UTF-8.") from error


def _cells(record: str, delimiter: str) -> list[str] | str:
    bare = record.rstrip("\r\n")
    if '"' not in bare:
        return bare.split(delimiter)
    try:
        cells = next(csv.reader([bare], delimiter=delimiter, strict=True))
    except csv.Error:
        return "a quote is left open, or stands inside a cell"
    return cells


# ---- encoding -------------------------------------------------------------------------------------------------------


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise BadInput(f"{path} is a spreadsheet: save it as CSV UTF-8.")
    for mark, encoding in _MARKS:
        if head.startswith(mark) and (encoding or head[2:4] == b"\0\0"):
            if not encoding:
                break
            return encoding
    if b"\0" in head:
        raise BadInput(f"{path} is no text in a known encoding: save it as CSV UTF-8.")
    return "utf-8" if _decodes(path, "utf-8") else _old_windows(path)


def _old_windows(path: Path) -> str:
    if not _decodes(path, "cp1252"):
        raise BadInput(f"{path} is neither UTF-8 nor Windows-1252: save it as CSV UTF-8.")
    return "cp1252"


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


# ---- delimiter ------------------------------------------------------------------------------------------------------


def _delimiter(path: Path, file: TextIO) -> str:
    """The delimiter that the header line uses; leaves `file` at the header."""
    try:
        named = _skip_sep_line(file)
        start = file.tell()
        line = file.readline(HEAD_BYTES)
        file.seek(start)
    except UnicodeError as error:
        raise BadInput(f"{path}, line 1: not {file.encoding}; save it as UTF-8.") from error
    if named:
        return named
    if not line.strip():
        raise BadInput(f"{path}: no header line; name the columns in the first line.")
    counts = {char: _QUOTED.sub("", line).count(char) for char in DELIMITERS}
    found = [char for char in DELIMITERS if counts[char]]
    if len(found) > 1:
        raise BadInput(f"{path}, line 1: more than one delimiter ({' '.join(map(repr, found))}); quote the headers.")
    return found[0] if found else ","


def _skip_sep_line(file: TextIO) -> str:
    """The delimiter that Excel's `sep=;` line names, and go past it; empty: there is none, stay at the start."""
    match = _SEP_LINE.fullmatch(file.readline(64))
    if match and match[1] in DELIMITERS:
        return match[1]
    file.seek(0)
    return ""
