"""Reads lists from CSV files, streaming: utf-8, utf-16 by its mark, cp1252; delimiter comma, semicolon or tab."""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from dialer.contacts import EXTRA
from dialer.errors import BadInput

FIELD_MAX = 10_000  # characters
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
    """(line of the file, cells by header) of every row, in bounded memory.

    Cells beyond the header stand together under EXTRA, missing ones are left out: contacts.read_row refuses both.
    Raises BadInput where the file breaks off: an open quote, a cell that is too large, bytes of another encoding.
    """
    with _open(file.path, file.encoding) as text:
        _skip_sep_line(text)
        records = _records(file.path, text, file.delimiter)
        next(records, None)
        for line, cells in records:
            row = dict(zip(file.header, cells, strict=False))
            if len(cells) > len(file.header):
                row[EXTRA] = file.delimiter.join(cells[len(file.header) :])
            yield line, row


def _open(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, newline="")


def _records(path: Path, file: TextIO, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    first = 1 if file.tell() == 0 else 2
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    line = first
    try:
        for cells in reader:
            if max(map(len, cells), default=0) > FIELD_MAX:
                raise BadInput(
                    f"{path}, line {line}: a cell of more than {FIELD_MAX} characters; is a quote left open?"
                )
            if cells:
                yield line, cells
            line = first + reader.line_num
    except csv.Error as error:
        raise BadInput(f"{path}, line {line}: {error}; is a quote left open?") from error
    except UnicodeError as error:
        raise BadInput(f"{path}, near line {line}: not {file.encoding}; save it as UTF-8.") from error


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
