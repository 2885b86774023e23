"""XLSX files as spreadsheets write them, as they break, and as somebody hostile would make them."""

import io
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialer.adapters import xlsx_files, xlsx_process
from dialer.adapters.list_files import chunks, inspect, rows
from dialer.adapters.xlsx_files import XlsxAsked
from dialer.contacts import UNREADABLE
from dialer.errors import BadInput

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PLACES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
HEADER = ("nama", "hp")
ROOT = Path(__file__).parents[2]


def cell(ref: str, value: object) -> str:
    """One cell as Excel writes it; a text that begins with < is its XML."""
    if isinstance(value, str) and value.startswith("<"):
        return value.replace("REF", ref)
    if isinstance(value, bool):
        return f'<c r="{ref}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{ref}"><v>{value!r}</v></c>'
    return f'<c r="{ref}" t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'


def sheet(*table: tuple[object, ...], first: int = 1) -> str:
    lines = [
        f'<row r="{line}">' + "".join(cell(f"{chr(65 + place)}{line}", one) for place, one in enumerate(row)) + "</row>"
        for line, row in enumerate(table, first)
    ]
    return f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def book(*sheets: str, states: Mapping[int, str] | None = None, more: Mapping[str, bytes] | None = None) -> bytes:
    """An XLSX of these sheets."""
    numbers = range(1, len(sheets) + 1)
    listed = "".join(
        f'<sheet name="S{i}" sheetId="{i}" r:id="rId{i}"{(states or {}).get(i, "")}/>' for i in numbers
    )  # fmt: skip
    links = "".join(
        f'<Relationship Id="rId{i}" Type="{PLACES}/worksheet" Target="worksheets/sheet{i}.xml"/>' for i in numbers
    )
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    parts = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{TYPES}.sheet.main+xml"/></Types>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{relations}"><Relationship Id="rId1"'
        f' Type="{PLACES}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{PLACES}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{relations}">{links}</Relationships>',
    } | {f"xl/worksheets/sheet{i}.xml": text for i, text in enumerate(sheets, 1)}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, text)
        for name, raw in (more or {}).items():
            file.writestr(name, raw)
    return packed.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.xlsx"


def read(path: Path, content: bytes, name: str = "") -> list[tuple[int, dict[str, str]]]:
    path.write_bytes(content)
    return list(rows(inspect(path, sheet=name)))


def one(path: Path, value: object) -> str:
    """What becomes of a cell."""
    found = read(path, book(sheet(HEADER, ("Budi", value))))
    return found[0][1]["hp"]


def fault_of(path: Path, content: bytes) -> str:
    with pytest.raises(BadInput) as caught:
        read(path, content)
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


def test_rows_have_the_numbers_that_the_spreadsheet_shows(path: Path) -> None:
    table = sheet(HEADER, ("Budi", "0812"), ("", ""), ("Ani", "0813"), first=3)
    assert read(path, book(table)) == [(4, {"nama": "Budi", "hp": "0812"}), (6, {"nama": "Ani", "hp": "0813"})]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0812-3456", "0812-3456"),
        (81234567890, "81234567890"),
        (81234567890.0, "81234567890"),
        (1250000.5, "1250000.5"),
        (3175010101900001, "3.17501010190000E+15"),  # a spreadsheet keeps 15 digits: an id of 16 has lost one
        (1e20, "1.00000000000000E+20"),
        (True, "TRUE"),
        ("", ""),
        ('<c r="REF"><f>1+1</f><v>2</v></c>', "2"),  # a formula's last value
        ('<c r="REF" t="str"><f>A1</f><v></v></c>', ""),  # an empty text is a value
        ('<c r="REF" t="e"><v>#DIV/0!</v></c>', "#VALUE!"),
        ('<c r="REF" t="e"><f>1/0</f><v>#N/A</v></c>', "#VALUE!"),
        ('<c r="REF"><f>1+1</f></c>', "#VALUE!"),  # never computed: not taken for empty
        ('<c r="REF"><f>1+1</f><v></v></c>', "#VALUE!"),
        ('<c r="REF"><f>1+1</f><v/></c>', "#VALUE!"),
        ('<c r="REF"><f t="shared" si="0"/></c>', "#VALUE!"),
        ("<c r=\"REF\"><f>'[1]Sheet'!A1</f><v>812</v></c>", "812"),  # a link to another file is not followed
    ],
)
def test_cells(path: Path, value: object, text: str) -> None:
    assert one(path, value) == text


def test_dates_are_written_as_lists_write_them(path: Path) -> None:
    style = (
        f'{HEAD}<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"'
        ' applyNumberFormat="1"/></cellXfs></styleSheet>'
    )
    table = sheet(HEADER, ("Budi", '<c r="REF" s="1"><v>46082</v></c>'), ("Ani", '<c r="REF" s="1"><v>46082.5</v></c>'))
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    content = book(table, more={"xl/styles.xml": style.encode()})
    linked = f'<Relationship xmlns="{relations}" Id="rId9" Type="{PLACES}/styles" Target="styles.xml"/></Relationships>'
    content = _changed(content, "xl/_rels/workbook.xml.rels", "</Relationships>", linked)
    found = [row["hp"] for _, row in read(path, content)]
    assert found[0].startswith("2026-03-01")
    assert "12:00" in found[1]


def _changed(content: bytes, part: str, old: str, new: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            text = source.read(name)
            target.writestr(name, text.replace(old.encode(), new.encode()) if name == part else text)
    return packed.getvalue()


def test_a_failed_formula_is_found_wherever_blocks_are_cut(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = [HEADER] + [("Budi", '<c r="REF"><f>1+1</f></c>' if i % 7 == 3 else f"0812{i:05d}") for i in range(300)]
    path.write_bytes(book(sheet(*table)))
    for block in (17, 64, 100, 333):
        monkeypatch.setattr(xlsx_process, "BLOCK", block)
        with zipfile.ZipFile(path) as file:
            found = xlsx_process._failed_cells(file, "xl/worksheets/sheet1.xml")
        assert {line: set(columns) for line, columns in found.items()} == {i + 2: {1} for i in range(3, 300, 7)}


def test_prefixes_are_understood(path: Path) -> None:
    table = sheet(HEADER, ("Budi", '<x:c r="REF"><x:f>1+1</x:f></x:c>')).replace(
        "<worksheet", f'<worksheet xmlns:x="{MAIN}"'
    )
    assert read(path, book(table)) == [(2, {"nama": "Budi", "hp": "#VALUE!"})]


def test_which_sheet_holds_the_list(path: Path) -> None:
    first, second = sheet(HEADER, ("Budi", "0812")), sheet(HEADER, ("Ani", "0813"))
    hidden = book(first, second, states={2: ' state="hidden"'})
    assert read(path, hidden)[0][1]["nama"] == "Budi"
    both = book(first, second)
    assert "2 sheets ('S1', 'S2'); name the one with the list: --sheet NAME" in fault_of(path, both)
    assert read(path, both, "S2")[0][1]["nama"] == "Ani"
    with pytest.raises(BadInput, match="no sheet 'S3'"):
        read(path, both, "S3")


def test_macros_and_links_to_other_files_are_not_looked_at(path: Path) -> None:
    more = {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0rest", "xl/externalLinks/externalLink1.xml": b"<broken"}
    assert read(path, book(sheet(HEADER, ("Budi", "0812")), more=more)) == [(2, {"nama": "Budi", "hp": "0812"})]


def test_cells_under_no_header_are_refused_unless_empty(path: Path) -> None:
    found = read(path, book(sheet(HEADER, ("Budi", "0812", " "), ("Ani", "0813", "x"))))
    assert found[0] == (2, {"nama": "Budi", "hp": "0812"})
    assert found[1] == (3, {UNREADABLE: "3 cells under 2 headers"})


def test_chunks_tell_how_far_they_are(path: Path) -> None:
    path.write_bytes(book(sheet(HEADER, *(("Budi", f"0812{i}") for i in range(5)))))
    found = list(chunks(inspect(path), 2))
    assert [(one.number, len(one.rows), one.done, one.total) for one in found] == [
        (0, 2, 3, 6),
        (1, 2, 5, 6),
        (2, 1, 6, 6),
    ]


# ---- broken and hostile ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04", "is a broken XLSX file (BadZipFile)"),
        (book(sheet(HEADER))[:300], "is a broken XLSX file"),
        (book(sheet()), "no header line"),
        (book(sheet(("nama", "", "hp"))), "column 2 has no header"),
        (book(), "0 sheets"),
        (book("not xml"), "no XLSX that can be read"),
        (book(sheet(HEADER)[:150]), "no XLSX that can be read"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(path: Path, content: bytes, words: str) -> None:
    assert words in fault_of(path, content)


def test_a_zip_of_something_else(path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    assert "is packed and no XLSX" in fault_of(path, packed.getvalue())


def test_a_zip_bomb_is_refused_before_it_is_unpacked(path: Path) -> None:
    content = book(sheet(HEADER), more={"xl/media/x.bin": bytes(32 << 20)})
    assert "times its size; no list does: save it as CSV UTF-8" in fault_of(path, content)


def test_a_bomb_that_lies_about_its_size_is_stopped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(book(sheet(HEADER), more={"xl/media/x.bin": bytes(1 << 20)}))
    monkeypatch.setattr(xlsx_process, "UNZIPPED_MAX", 1 << 19)
    with pytest.raises(xlsx_process._Refused, match="unpacked"):
        list(xlsx_process.read(XlsxAsked(str(path), "", 0)))


def test_what_is_too_large_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_files, "UNZIPPED_MAX", 1000)
    assert "unpacks to" in fault_of(path, book(sheet(HEADER, ("Budi", "x" * 2000))))
    monkeypatch.setattr(xlsx_process, "ROWS_MAX", 3)
    path.write_bytes(book(sheet(HEADER, *[("Budi", "0812")] * 5)))
    with pytest.raises(xlsx_process._Refused, match="more than 3 rows"):
        list(xlsx_process.read(XlsxAsked(str(path), "", 0)))


def test_a_cell_far_out_ends_its_own_process_and_no_other(path: Path) -> None:
    table = sheet(HEADER, ("Budi", "0812")).replace(
        "</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    )
    said = fault_of(path, book(table))
    assert "save it as CSV UTF-8" in said


def test_entities_are_not_expanded(path: Path) -> None:
    content = _changed(book(sheet(HEADER)), "xl/workbook.xml", HEAD, f'{HEAD}<!DOCTYPE x [<!ENTITY a "aaaa">]>')
    assert "XLSX" in fault_of(path, content) or "spreadsheet" in fault_of(path, content)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), new=st.binary(min_size=1, max_size=20))
def test_whatever_bytes_are_broken_it_is_rows_or_bad_input(path: Path, at: int, new: bytes) -> None:
    content = bytearray(book(sheet(HEADER, ("Budi", "0812"), ("Ani", 81234567890))))
    at %= len(content)
    content[at : at + len(new)] = new
    try:
        found = read(path, bytes(content))
    except BadInput:
        return
    assert all(set(row) <= set(HEADER) or set(row) == {UNREADABLE} or row for _, row in found)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(xml=st.text('<>/="crvf tes1A ', max_size=60))
def test_whatever_a_sheet_holds_it_is_rows_or_bad_input(path: Path, xml: str) -> None:
    broken = sheet(HEADER, ("Budi", "0812")).replace("</sheetData>", f"{xml}</sheetData>")
    try:
        read(path, book(broken))
    except BadInput:
        return


def test_the_process_ends_with_whoever_asked(path: Path) -> None:
    path.write_bytes(book(sheet(HEADER, *(("Budi", "x" * 900) for _ in range(3000)))))
    ask = f"""
from pathlib import Path
from dialer.adapters import xlsx_files
answers = xlsx_files._answers(Path({str(path)!r}), "", 1)
next(answers)
print(Path("/proc/self/task/" + str(__import__("os").getpid()) + "/children").read_text(), flush=True)
__import__("os").kill(__import__("os").getpid(), 9)
"""
    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, cwd=ROOT)
    for _ in range(500):
        try:
            if Path(f"/proc/{said.stdout.split()[0]}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.01)
    raise AssertionError("it is there still")
