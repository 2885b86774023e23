"""CSV files as programs write them, and as they break."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialer.adapters.csv_files import LINE_MAX, Written
from dialer.adapters.list_files import inspect, rows
from dialer.contacts import UNREADABLE
from dialer.errors import BadInput

Row = tuple[int, dict[str, str]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.csv"


def read(path: Path, content: bytes) -> list[Row]:
    path.write_bytes(content)
    return list(rows(inspect(path)))


def fault_of(path: Path, content: bytes) -> str:
    with pytest.raises(BadInput) as caught:
        read(path, content)
    return str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("cp1252", "cp1252")],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_delimiters_and_line_ends(path: Path, encoding: str, found: str, delimiter: str, end: str) -> None:
    text = end.join((delimiter.join(("nama", "hp")), delimiter.join(("José", "0812")), ""))
    assert read(path, text.encode(encoding)) == [(2, {"nama": "José", "hp": "0812"})]
    file = inspect(path)
    assert isinstance(file.written, Written)
    assert (file.written.encoding, file.written.delimiter, file.header) == (found, delimiter, ("nama", "hp"))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_by_its_mark(path: Path, encoding: str) -> None:
    text = "\ufeffnama,hp\nJosé,0812\n"
    assert read(path, text.encode(encoding)) == [(2, {"nama": "José", "hp": "0812"})]


def test_a_letter_across_two_chunks_is_still_utf_8(path: Path) -> None:
    head = b"nama,hp\n"
    filler = b"a,0812\n" * ((1 << 20) // 7)
    content = head + filler
    content += b"x" * ((1 << 20) - 1 - len(content) % (1 << 20)) + "é,0812\n".encode()
    path.write_bytes(content)
    written = inspect(path).written
    assert isinstance(written, Written)
    assert written.encoding == "utf-8"


def test_cells_in_quotes(path: Path) -> None:
    found = read(path, b'nama,hp\n"Santoso, Budi",0812\n"Ani\nWijaya",0813\n"say ""hi""",0814\n')
    assert found == [
        (2, {"nama": "Santoso, Budi", "hp": "0812"}),
        (3, {"nama": "Ani\nWijaya", "hp": "0813"}),
        (5, {"nama": 'say "hi"', "hp": "0814"}),
    ]


def test_a_delimiter_in_a_quoted_header_is_no_delimiter(path: Path) -> None:
    assert read(path, b'"nama;lengkap",hp\nBudi,0812\n') == [(2, {"nama;lengkap": "Budi", "hp": "0812"})]


def test_excels_own_first_line_names_the_delimiter(path: Path) -> None:
    assert read(path, b"\xef\xbb\xbfsep=;\r\nnama;hp\r\nBudi;0812\r\n") == [(3, {"nama": "Budi", "hp": "0812"})]


def test_blank_lines_are_passed_over_and_counted(path: Path) -> None:
    assert [line for line, _ in read(path, b"nama,hp\n\nBudi,0812\n  \nAni,0813")] == [3, 5]


def test_one_column(path: Path) -> None:
    assert read(path, b"telepon\n0812\n") == [(2, {"telepon": "0812"})]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b'nama,hp\n"Budi,0812\nAni,0813\n', [2]),
        (b'nama,hp\nAni,0813\n"Budi"x,0812\nWati,0814\n', [3]),
        (b'nama,hp\n"a"b,1\n"c"d,2\nAni,0813\n', [2, 3]),
        (b'nama,hp\n"Budi,0812' + b"\nAni,0813" * 50, [2]),
        (b"nama,hp\nBudi,0812,1,2\nAni,0813\n", [2]),
    ],
)
def test_a_broken_record_costs_its_own_line_only(path: Path, content: bytes, lines: list[int]) -> None:
    found = read(path, content)
    assert [line for line, row in found if UNREADABLE in row] == lines
    assert [line for line, _ in found] == list(range(2, content.rstrip(b"\n").count(b"\n") + 2))
    assert all(row == {"nama": "Ani", "hp": "0813"} for _, row in found if row.get("nama") == "Ani")


def test_missing_cells_are_missing(path: Path) -> None:
    assert read(path, b"nama,hp,jumlah\nBudi,0812\n") == [(2, {"nama": "Budi", "hp": "0812"})]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no header line; name the columns in the first line"),
        (b"\n\nnama,hp\n", "no header line"),
        (b"nama,,hp\n", "column 2 has no header"),
        (b"nama,hp;jumlah\n", "line 1: more than one delimiter"),
        (b'"nama,hp\n', "line 1: a quote is left open"),
        (b",".join(b"c%d" % i for i in range(201)), "201 columns"),
        (b"PK\x03\x04rest", "is a broken XLSX file"),
        (b"\xd0\xcf\x11\xe0rest", "an old kind or with a password: save it as XLSX"),
        (b"n\0a\0m\0a\0", "no text in a known encoding"),
        ("nama,hp\n".encode("utf-32"), "no text in a known encoding"),
        (b"nama,hp\nJos\x81,0812\n", "neither UTF-8 nor Windows-1252"),
        ("nama,hp\nBudi,0812".encode("utf-16")[:-1], "not utf-16; save it as UTF-8"),
        (b"nama,hp\n" + b"x" * (LINE_MAX + 1), "line 2: longer than"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_what_to_do(path: Path, content: bytes, words: str) -> None:
    said = fault_of(path, content)
    assert words in said
    assert path.name in said


def test_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        inspect(path)
    with pytest.raises(BadInput, match="cannot be read"):
        inspect(path.parent)


def test_memory_is_bounded(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("nama,hp,jumlah\n")
        file.writelines(f"Budi {i},0812{i:08d},Rp1.250.000\n" for i in range(50_000))

    def count(found: Iterator[Row]) -> int:
        return sum(1 for _ in found)

    tracemalloc.start()
    try:
        assert count(rows(inspect(path))) == 50_000
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400))
def test_whatever_bytes_come_they_are_rows_or_bad_input(path: Path, content: bytes) -> None:
    try:
        found = read(path, b"nama,hp\n" + content)
    except BadInput:
        return
    for _, row in found:
        assert set(row) <= {"nama", "hp"} or set(row) == {UNREADABLE}


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text('",;\n\rab', max_size=120))
def test_quotes_in_any_place_break_nothing(path: Path, text: str) -> None:
    found = read(path, f"nama,hp\n{text}\nAni,0813".encode())
    assert all(set(row) <= {"nama", "hp"} or set(row) == {UNREADABLE} for _, row in found)
    assert [line for line, _ in found] == sorted({line for line, _ in found})
