"""Lists in files from the first byte to the contact: whatever they hold, it is read, refused or bad input."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialer.adapters.list_files import chunks, digest, first_rows, inspect, rows
from dialer.adapters.reject_files import RejectFile
from dialer.contacts import UNREADABLE, Found, ListRules, Rejected, read_row
from dialer.errors import BadInput
from dialer.lists.columns import HEADERS, PHONE_HEADERS, REJECT_HEADERS, read_header
from dialer.model import Contact

RULES = ListRules(bytes(range(32)))
WORDS = sorted({word for words in (*HEADERS.values(), *PHONE_HEADERS.values()) for word in words.split()})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.csv"


def read(path: Path, content: bytes) -> list[Found]:
    path.write_bytes(content)
    file = inspect(path)
    columns = read_header(file.header)
    return [one for line, row in rows(file) for one in read_row(line, row, columns, RULES)]


def fault_of(path: Path, content: bytes) -> str:
    with pytest.raises(BadInput) as caught:
        read(path, content)
    return str(caught.value)


def test_chunks_are_numbered_and_tell_how_far_they_are(path: Path) -> None:
    path.write_text("nama,hp\n" + "".join(f"Budi {i},0812{i:08d}\n" for i in range(5001)))
    found = list(chunks(inspect(path), 2000))
    assert [(one.number, len(one.rows)) for one in found] == [(0, 2000), (1, 2000), (2, 1001)]
    assert [one.done for one in found] == sorted(one.done for one in found)
    assert found[-1].done == found[-1].total == path.stat().st_size
    assert [line for one in found for line, _ in one.rows] == list(range(2, 5003))


def test_a_file_that_grows_while_it_is_read_is_refused(path: Path) -> None:
    path.write_text("nama,hp\nBudi,0812\n")
    file = inspect(path)
    with path.open("a") as more:
        more.write("Ani,0813\n")
    with pytest.raises(BadInput, match="has changed while it was read"):
        list(chunks(file))


def test_the_digest_is_of_the_bytes(path: Path) -> None:
    path.write_bytes(b"")
    assert digest(path) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with pytest.raises(BadInput, match="cannot be read"):
        digest(path.with_name("none"))


@pytest.mark.parametrize(
    ("encoding", "delimiter", "words"),
    [("cp1252", ",", ""), ("utf-8", ",", "is not utf-8, as the mapping says"), ("utf-16", ",", "is not utf-16"),
     ("", ";", "no column with telephone numbers")],
)  # fmt: skip
def test_what_the_mapping_says_is_not_looked_for(path: Path, encoding: str, delimiter: str, words: str) -> None:
    path.write_bytes("nama,hp\nJosé,081234567890\n".encode("cp1252"))
    if not words:
        file = inspect(path, encoding, delimiter)
        assert first_rows(file, 1) == [(2, {"nama": "José", "hp": "081234567890"})]
        return
    with pytest.raises(BadInput, match=words):
        read_header(inspect(path, encoding, delimiter).header)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b",".join(b"c%d" % i for i in range(100_000)) + b"\n", "longer than"),
        (b",".join(b"c" for i in range(40_000)) + b"\n", "40000 columns; keep at most 200"),
        (b"hp," + b"x" * 200 + b"\n", "is no name of a column"),
        (b"hp,hp\n", "the same header"),
        (b"h\x00p,nama\n", "no text in a known encoding"),
        (b"hp,na\x07ma\n0812,x\n", "is no name of a column"),
        (b"\xff\xfeh\x00", "no column with telephone numbers"),
        (b"0812345678901,Budi\n", "no column with telephone numbers among '**********901'"),
    ],
)
def test_headers_that_are_none(path: Path, content: bytes, words: str) -> None:
    assert words in fault_of(path, content)


def test_a_row_of_100_000_cells_and_one_of_nothing_but_nul(path: Path) -> None:
    body = b"Budi" + b"," * 50_000 + b"\n" + b"\x00,\x00\n" + b"Ani,081234567890\n"
    filler = b"Budi,081211112222\n" * 4000  # what is looked at before the first row is clean
    found = read(path, b"nama,hp\n" + filler + body)[4000:]
    assert [type(one) for one in found] == [Contact, Rejected, Rejected, Contact][1:] or len(found) == 3
    assert isinstance(found[-1], Contact)


def test_a_huge_cell_costs_its_row(path: Path) -> None:
    found = read(path, b"nama,hp\n" + b"x" * 50_000 + b",0812\nAni,081234567890\n")
    assert isinstance(found[0], Rejected)
    assert "more than 1000 characters" in found[0].reason
    assert isinstance(found[1], Contact)


ODD = (
    "081234567890",
    "1500123",
    "6.28E+12",
    "8123456789.0",
    '"',
    "2026-01-02",
    "ya",
    "=1+1",
    "Rp1.000",
    "-",
    "\0",
    "0/1",
)
CELLS = st.text(max_size=12) | st.sampled_from(ODD)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.lists(st.sampled_from(WORDS) | st.text(max_size=8), min_size=1, max_size=8),
    table=st.lists(st.lists(CELLS, max_size=9), max_size=6),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    delimiter=st.sampled_from(",;\t|"),
    cut=st.integers(0, 400),
)
def test_whatever_a_list_holds(
    path: Path, header: list[str], table: list[list[str]], encoding: str, delimiter: str, cut: int
) -> None:
    lines = [delimiter.join(cells) for cells in (["telepon", *header], *(["081234567890", *cells] for cells in table))]
    content = "\n".join(lines).encode(encoding, errors="replace")
    try:
        found = read(path, content[: len(content) - cut] if cut < len(content) else content)
    except BadInput as error:
        found, told = [], str(error)
    else:
        told = ""
    assert "81234567890" not in told
    for one in found:
        if isinstance(one, Contact):
            assert all(number.e164.startswith("+62") for number in one.numbers)
            assert all(text.isprintable() for text in (one.name, one.account, one.province, one.regency, one.lender))
        else:
            assert one.value.isascii()
            assert one.value.isprintable()


# ---- what is not used -----------------------------------------------------------------------------------------------


def test_a_reject_file_is_private_and_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("old")
    one = Rejected(3, "hp", "9999", "no number", "correct it")

    def broken() -> None:
        with RejectFile(path, ("nama", "hp")) as file:
            file.write(one, ["Budi", "1500"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert [file.name for file in tmp_path.iterdir()] == ["bad.csv"]
    assert path.read_text() == "old"
    with RejectFile(path, ("nama", "hp")) as file:
        file.write(one, ["=1+1", "+62 1500"])
        file.write(Rejected(4, "", "", "a quote is left open", "correct the line", False), ())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text(encoding="utf-8-sig").splitlines() == [
        ",".join(("nama", "hp", *REJECT_HEADERS)),
        "'=1+1,'+62 1500,3,hp,9999,no number,correct it,1",
        ",,4,,,a quote is left open,correct the line,0",
    ]
    found = list(rows(inspect(path)))
    assert UNREADABLE not in found[0][1]


def test_a_reject_file_that_cannot_be_written_stops_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing was loaded"):
        RejectFile(tmp_path / "no" / "bad.csv", ("hp",))


def test_a_cell_that_looks_like_a_formula_comes_back_as_it_was(path: Path) -> None:
    found = read(path, b"nama,nik,hp\n'=Budi,'-5,'+6281234567890\n=Budi,-5,+6281234567890\n")
    first, second = found
    assert isinstance(first, Contact)
    assert isinstance(second, Contact)
    assert (first.name, first.person, first.numbers) == (second.name, second.person, second.numbers)
    assert first.name == "=Budi"
