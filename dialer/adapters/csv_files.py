"""Reads lists from CSV files, streaming: utf-8, utf-16 by its mark, cp1252; divided by , ; | or tab."""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from dialer.errors import BadInput
from dialer.lists.importing import Cells, RawChunk, in_chunks

LINE_MAX = 100_000  # characters
LINES_MAX = 20  # of one record
HEAD_BYTES = 65_536
CHUNK = 1 << 20
DELIMITERS = (",", ";", "\t", "|")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, ""), (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # Excel's own first line
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True)
class Written:
    """How a CSV file is written."""

    encoding: str
    delimiter: str
    size: int  # bytes


def inspect(path: Path, encoding: str = "", delimiter: str = "") -> tuple[Written, tuple[str, ...]]:
    """How it is written, and its header."""
    found = _given(path, encoding) if encoding else _encoding(path)
    with _open(path, found) as file:
        divided = _delimiter(path, file, delimiter)
        header = next(_records(path, file, divided), (0, []))[1]
        if isinstance(header, str):
            raise BadInput(f"{path}, line 1: {header}; correct it.")
    return Written(found, divided, path.stat().st_size), tuple(header)


def chunks(path: Path, written: Written, size: int) -> Iterator[RawChunk]:
    """In bounded memory; a record may go over several lines, a broken one costs its own line only.

    Raises BadInput where reading cannot go on: an endless line, bytes of no text, a file that changes meanwhile.
    """
    with _open(path, written.encoding) as text:
        records = _records(path, text, written.delimiter, 2 if _skip_sep_line(text) else 1)
        next(records, None)  # the header
        for number, rows in enumerate(in_chunks(records, size)):
            yield RawChunk(number, rows, min(text.buffer.tell(), written.size), written.size)
    if path.stat().st_size != written.size:
        raise BadInput(f"{path} has changed while it was read: load it again once it is complete.")


def _open(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, newline="")


def _records(path: Path, file: TextIO, delimiter: str, start: int = 1) -> Iterator[tuple[int, Cells]]:
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


def _quoted(record: str, lines: Iterator[tuple[int, str]], waiting: deque[tuple[int, str]], delimiter: str) -> Cells:
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


def _cells(record: str, delimiter: str) -> Cells:
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
    for mark, encoding in _MARKS:
        if head.startswith(mark) and (encoding or head[2:4] == b"\0\0"):
            if not encoding:
                break
            return encoding
    if b"\0" in head:
        raise BadInput(f"{path} is no text in a known encoding: save it as CSV UTF-8.")
    return "utf-8" if _decodes(path, "utf-8") else _old_windows(path)


def _given(path: Path, encoding: str) -> str:
    found = _encoding(path) if encoding == "utf-8" else encoding  # with or without its mark
    if found.removesuffix("-sig") != encoding or not _decodes(path, found):
        raise BadInput(f"{path} is not {encoding}, as the mapping says: correct one of them.")
    return found


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
        except UnicodeError:
            return False
    return True


# ---- delimiter ------------------------------------------------------------------------------------------------------


def _delimiter(path: Path, file: TextIO, given: str) -> str:
    """The delimiter that is given, or that the header line uses; leaves `file` at the header."""
    try:
        named = _skip_sep_line(file)
        start = file.tell()
        line = file.readline(HEAD_BYTES)
        file.seek(start)
    except UnicodeError as error:
        raise BadInput(f"{path}, line 1: not {file.encoding}; save it as UTF-8.") from error
    if named or (given and line.strip()):
        return named or given
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
