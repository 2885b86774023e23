"""The process that opens an XLSX file: limits first, then calamine; cells become the texts that a CSV would hold.

Values only: formulas are not computed, macros and links to other files are not looked at. A cell whose formula failed,
or was never computed, becomes `#VALUE!`, for calamine shows both as empty: whoever reads the column refuses it.
"""

import ctypes
import re
import resource
import signal
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree

import python_calamine

from dialer.adapters.frames import decoder, encode, read_frame, write_frame
from dialer.adapters.xlsx_files import (  # fmt: skip
    AS_CSV,
    CPU_S_MAX,
    MEMORY_MAX,
    ROWS_MAX,
    UNZIPPED_MAX,
    XlsxAsked,
    XlsxFault,
    XlsxHead,
    XlsxRows,
)
from dialer.lists.importing import Cells, in_chunks

FAILED = "#VALUE!"
_PR_SET_PDEATHSIG = 1
FAILED_MAX = 200_000  # cells
XML_MAX = 4 << 20  # of the parts that name the sheets
EXACT_MAX = 10**15  # a spreadsheet keeps 15 digits of a number
BLOCK = 1 << 20
OVERLAP = 1 << 16  # a cell is shorter
_NAMESPACE = re.compile(r"\{.*\}")
_CELL = re.compile(  # with a prefix in front of each name or without; group 2: what the cell holds
    rb"<(?:\w+:)?c\b([^>]*)>\s*(?:<(?:\w+:)?f\b[^>]*/>|<(?:\w+:)?f\b[^>]*>[^<]*</(?:\w+:)?f>)?\s*"
    rb"(<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>|<(?:\w+:)?v\b|<(?:\w+:)?is>|</(?:\w+:)?c>)"
)
_FORMULA = re.compile(rb"<(?:\w+:)?f\b")
_VALUE = re.compile(rb"<(?:\w+:)?(?:v|is)\b[^/]*\Z")
_REF = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')


class _Refused(Exception):
    pass


def main() -> int:
    """Asked on standard input, answers on standard output."""
    _end_with_parent()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = sys.stdout.buffer
    asked = decoder(XlsxAsked).decode(read_frame(sys.stdin.buffer) or b"")
    try:
        for answer in read(asked):
            write_frame(out, encode(answer))
    except BrokenPipeError:
        return 0  # whoever asked has seen enough
    except _Refused as error:
        write_frame(out, encode(XlsxFault(str(error))))
    except MemoryError:
        return 1
    except BaseException as error:  # a panic of the reader is none of Exception's
        write_frame(out, encode(XlsxFault(f"no XLSX that can be read ({type(error).__name__}); {AS_CSV}")))
    return 0


def _end_with_parent() -> None:
    """A file may take a minute to open, and whoever asked may be gone by then."""
    with suppress(OSError, AttributeError):  # Linux has it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def read(asked: XlsxAsked) -> Iterator[XlsxHead | XlsxRows]:
    """The header, then the rows."""
    with zipfile.ZipFile(asked.path) as file:
        _unpacks(file)
        book = python_calamine.CalamineWorkbook.from_path(asked.path)
        name = _sheet(book, asked.sheet)
        part = _part(file, name)
        failed = _failed_cells(file, part) if asked.rows else {}
    sheet = book.get_sheet_by_name(name)
    if sheet.end is not None and sheet.end[0] >= ROWS_MAX:
        raise _Refused(f"more than {ROWS_MAX} rows; {AS_CSV}")
    total, left = sheet.end[0] + 1 if sheet.end else 0, sheet.start[1] if sheet.start else 0
    lines = enumerate(sheet.iter_rows(), 1)
    header = next((row for _, row in lines if any(cell != "" for cell in row)), [])
    names = [_text(cell) for cell in header]
    while names and not names[-1].strip():
        names.pop()
    yield XlsxHead(name, total, names)
    if asked.rows:
        width = len(names)
        for chunk in in_chunks(_rows(lines, width, left, failed), asked.rows):
            yield XlsxRows(chunk, chunk[-1][0])


def _rows(
    lines: Iterator[tuple[int, list[Any]]], width: int, left: int, failed: dict[int, list[int]]
) -> Iterator[tuple[int, Cells]]:
    """(row of the sheet, cells), as wide as the header or as what is in them."""
    for line, row in lines:
        cells = [_text(cell) for cell in row]
        for column in failed.pop(line, ()):
            if 0 <= column - left < len(cells):
                cells[column - left] = FAILED
        del cells[max(width, _used(cells)) :]
        if any(cells):
            yield line, cells


def _used(cells: list[str]) -> int:
    return next((place for place in range(len(cells), 0, -1) if cells[place - 1].strip()), 0)


def _text(cell: Any) -> str:
    """As a CSV would have it; a number that a spreadsheet cannot hold exactly keeps its E, by which it is known."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        if cell.is_integer():
            return f"{cell:.0f}" if abs(cell) < EXACT_MAX else f"{cell:.14E}"
        return repr(cell)
    if isinstance(cell, int):
        return str(cell) if abs(cell) < EXACT_MAX else f"{float(cell):.14E}"
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell) if isinstance(cell, timedelta) else FAILED


def _unpacks(file: zipfile.ZipFile) -> None:
    """Count what comes out: a zip may say less of itself than there is."""
    left = UNZIPPED_MAX
    for part in file.infolist():
        with file.open(part) as unpacked:
            while block := unpacked.read(BLOCK):
                left -= len(block)
                if left < 0:
                    raise _Refused(f"more than {UNZIPPED_MAX >> 20} MB unpacked; {AS_CSV}")


def _sheet(book: Any, wanted: str) -> str:
    """The sheet that is named, else the only one that can be seen."""
    sheets = [one for one in book.sheets_metadata if one.typ is python_calamine.SheetTypeEnum.WorkSheet]
    visible = [one.name for one in sheets if one.visible is python_calamine.SheetVisibleEnum.Visible]
    shown = ", ".join(ascii(name[:31]) for name in visible[:10])
    if wanted:
        if wanted not in [one.name for one in sheets]:
            raise _Refused(f"no sheet {wanted[:31]!a} (there are: {shown}); name one of them")
        return wanted
    if len(visible) != 1:
        raise _Refused(f"{len(visible)} sheets ({shown}); name the one with the list: --sheet NAME")
    return str(visible[0])


# ---- formulas that failed -------------------------------------------------------------------------------------------


def _part(file: zipfile.ZipFile, sheet: str) -> str:
    """The part of the file that holds a sheet."""
    key = next(
        (next((value for name, value in one.attrib.items() if _bare(name) == "id"), "")
         for one in _xml(file, "xl/workbook.xml").iter() if _bare(one.tag) == "sheet" and one.get("name") == sheet),
        "",
    )  # fmt: skip
    for one in _xml(file, "xl/_rels/workbook.xml.rels").iter():
        if one.get("Id") == key and key:
            target = one.get("Target", "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise _Refused(f"its sheet {sheet[:31]!a} is not where it says; {AS_CSV}")


def _xml(file: zipfile.ZipFile, part: str) -> ElementTree.Element:
    with file.open(part) as unpacked:
        raw = unpacked.read(XML_MAX + 1)
    if len(raw) > XML_MAX or b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise _Refused(f"{part} is not what a spreadsheet writes; {AS_CSV}")
    return ElementTree.fromstring(raw)  # noqa: S314 # no entities, a small part, in a process with limits


def _bare(name: str) -> str:
    return _NAMESPACE.sub("", name)


def _failed_cells(file: zipfile.ZipFile, part: str) -> dict[int, list[int]]:
    """Row -> columns (from 0) whose formula failed or has no value."""
    found: dict[int, list[int]] = {}
    kept, count = b"", 0
    with file.open(part) as unpacked:
        while block := unpacked.read(BLOCK):
            whole = kept + block
            end = whole.rfind(b"<", 0, max(0, whole.rfind(b"c r=")))  # no cell is cut in two
            if end < len(whole) - OVERLAP:
                end = max(0, len(whole) - 64)
            if b't="e"' in whole or _FORMULA.search(whole):
                for row, column in _failed(whole[:end]):
                    found.setdefault(row, []).append(column)
                    count += 1
            kept = whole[end:]
            if count > FAILED_MAX:
                break
    for row, column in _failed(kept):
        found.setdefault(row, []).append(column)
    if count > FAILED_MAX:
        raise _Refused(f"more than {FAILED_MAX} cells hold formulas that failed or were never computed; {AS_CSV}")
    return found


def _failed(xml: bytes) -> Iterator[tuple[int, int]]:
    for cell in _CELL.finditer(xml):
        uncomputed = b't="str"' not in cell[1] and not _VALUE.match(cell[2]) and _FORMULA.search(cell[0])
        if b't="e"' in cell[1] or uncomputed:
            ref = _REF.search(cell[1])
            if ref is None:
                raise _Refused(f"a formula that was never computed, in a cell without a place; {AS_CSV}")
            yield int(ref[2]), _column(ref[1])


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        sys.exit(main())
