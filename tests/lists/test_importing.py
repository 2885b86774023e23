"""An import from rows to the store: chunks, duplicates, what is refused; on twins."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer import keyed
from dialer.contacts import ListRules, Rejected, read_row
from dialer.errors import StoreDown
from dialer.lists.columns import read_header
from dialer.lists.importing import (
    Across,
    Asked,
    Cells,
    FirstSeen,
    ReadChunk,
    Summary,
    import_id,
    import_list,
    in_chunks,
)
from dialer.lists.order import MIX_FROM, MIX_STEP_S
from dialer.model import Contact

KEY = bytes(range(32))
RULES = ListRules(KEY)
COLUMNS = read_header(["nik", "hp", "no_kontrak"])
ASKED = Asked("load", "c1", 1000.0)
Row = tuple[str, str, str]


@dataclass
class Books:
    """importing.ListStore: contacts by id, chunks taken once; `fails_at`: the call that is not answered."""

    kept: dict[str, Contact] = field(default_factory=dict)
    chunks: dict[str, float] = field(default_factory=dict)
    fails_at: int = -1

    async def add_contacts(self, campaign: str, contacts: Sequence[Contact], due: float, chunk: str = "") -> int:
        if chunk in self.chunks:
            return 0
        if self.fails_at == len(self.chunks):
            raise StoreDown("by the test")
        self.chunks[chunk] = due
        new = [one for one in contacts if one.id not in self.kept]
        self.kept |= {one.id: one for one in new}
        return len(new)

    async def replace_contacts(self, campaign: str, contacts: Sequence[Contact]) -> int:
        newer = {one.id: one for one in contacts if one.id in self.kept and self.kept[one.id] != one}
        self.kept |= newer
        return len(newer)


@dataclass
class Kept:
    """importing.Rejects."""

    found: list[tuple[Rejected, Sequence[str]]] = field(default_factory=list)

    def write(self, rejected: Rejected, cells: Sequence[str]) -> None:
        self.found.append((rejected, cells))


@dataclass(frozen=True)
class Others:
    """importing.Elsewhere: persons and accounts that other campaigns have."""

    there: dict[str, list[str]]

    async def campaigns_of(self, contacts: Sequence[Contact]) -> Sequence[Sequence[str]]:
        return [self.there.get(one.account, []) for one in contacts]


def read(number: int, rows: Sequence[tuple[int, Row]], total: int) -> ReadChunk:
    found = [
        (line, one)
        for line, row in rows
        for one in read_row(line, dict(zip(COLUMNS.all, row, strict=True)), COLUMNS, RULES)
    ]
    contacts = [(line, one) for line, one in found if isinstance(one, Contact)]
    rejected = tuple(one for _, one in found if isinstance(one, Rejected))
    cells = {line: list(row) for line, row in rows}
    return ReadChunk(
        number, len(rows), tuple(one for _, one in contacts), tuple(line for line, _ in contacts), rejected, (), 0,
        rows[-1][0], total, lambda line: cells[line],
    )  # fmt: skip


async def chunks(table: Sequence[Row], size: int = 2) -> AsyncIterator[ReadChunk]:
    lines = list(enumerate(table, 2))
    for number, start in enumerate(range(0, len(lines), size)):
        yield read(number, lines[start : start + size], len(lines))


def load(
    table: Sequence[Row], books: Books, asked: Asked = ASKED, others: Others | None = None, size: int = 2
) -> tuple[Summary, Kept, list[Summary]]:
    kept, told = Kept(), list[Summary]()
    summary = asyncio.run(import_list(chunks(table, size), COLUMNS, asked, books, others, kept, told.append))
    return summary, kept, told


def row(i: int, account: str = "") -> Row:
    return (f"N{i}", f"0812{i:08d}", account)


def test_chunks_are_cut_by_rows_and_by_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[tuple[int, Cells]] = [(line, ["x" * 10, "y"]) for line in range(7)]
    assert [len(chunk) for chunk in in_chunks(rows, 3)] == [3, 3, 1]
    monkeypatch.setattr("dialer.lists.importing.CHUNK_CHARS", 30)
    assert [len(chunk) for chunk in in_chunks([*rows, (8, "a quote is left open" * 9)], 5)] == [3, 3, 2]
    assert list(in_chunks([], 5)) == []


def test_every_row_is_brought_or_refused() -> None:
    books = Books()
    summary, kept, told = load([row(1), ("N2", "1500123", ""), row(3)], books)
    assert (summary.rows, summary.new, summary.lost, summary.values) == (3, 2, 1, 0)
    assert [(one.line, cells) for one, cells in kept.found] == [(3, ["N2", "1500123", ""])]
    assert summary.rejected == tuple(one for one, _ in kept.found)
    assert [one.rows for one in told] == [2, 3]
    assert set(books.chunks) == {"load:0", "load:1"}


def test_the_same_list_again_changes_nothing() -> None:
    books = Books()
    table = [row(i) for i in range(5)]
    load(table, books)
    before = dict(books.kept)
    summary, _, _ = load(table, books)
    assert (summary.new, summary.known, books.kept) == (0, 5, before)
    load(table, books, replace(ASKED, id="another"))  # and under another name
    assert books.kept == before


def test_a_second_row_with_person_and_account_is_refused_also_in_a_later_chunk() -> None:
    books = Books()
    summary, kept, _ = load([row(1), row(1, "K1"), row(2), row(1)], books)
    assert (summary.new, summary.twice, summary.lost) == (3, 1, 1)
    assert [(one.line, one.reason) for one, _ in kept.found] == [(5, "the same person and account as in line 2")]


def test_a_number_of_several_persons_is_counted() -> None:
    summary, kept, _ = load(
        [("N1", "081200000001", ""), ("N2", "+6281200000001", ""), ("N1", "081200000001", "K")], Books()
    )
    assert (summary.new, summary.shared) == (3, 1)
    assert not kept.found


@pytest.mark.parametrize(("across", "new", "counted"), [("say", 3, 1), ("allow", 3, 0), ("refuse", 2, 1)])
def test_a_debt_of_another_campaign(across: str, new: int, counted: int) -> None:
    others = Others({"K1": ["c2", "c3"], "K2": ["c1"]})  # c1 is this very campaign
    asked = replace(ASKED, across=Across(across))
    summary, kept, _ = load([row(1, "K1"), row(2, "K2"), row(3, "K3")], Books(), asked, others)
    assert (summary.new, summary.elsewhere) == (new, counted)
    assert [one.reason for one, _ in kept.found] == ["on the list of c2, c3 already"] * (3 - new)


def test_an_import_that_broke_off_is_done_again() -> None:
    table = [row(i % 9) for i in range(30)]
    whole = Books()
    summary, _, _ = load(table, whole)
    for broken in range(len(whole.chunks)):
        books = Books(fails_at=broken)
        with pytest.raises(StoreDown):
            load(table, books)
        assert len(books.chunks) == broken
        books.fails_at = -1
        again, _, _ = load(table, books)
        assert (books.kept, books.chunks) == (whole.kept, whole.chunks)
        assert (again.rows, again.lost, again.twice) == (summary.rows, summary.lost, summary.twice)


def test_lists_with_weights_share_the_first_calls() -> None:
    heavy, light = Books(), Books()
    load([row(i) for i in range(12)], heavy, replace(ASKED, weight=3))
    load([row(i) for i in range(4)], light, replace(ASKED, weight=1))
    order = sorted([(due, "a") for due in heavy.chunks.values()] + [(due, "b") for due in light.chunks.values()])
    assert [name for _, name in order] == ["a", "b", "a", "a", "a", "b", "a", "a"]
    assert min(order)[0] == MIX_FROM
    assert max(order)[0] < MIX_FROM + 2 * MIX_STEP_S


def test_an_import_is_named_by_all_that_decides_about_it() -> None:
    names = {
        import_id(KEY, "d", COLUMNS, RULES, Across.SAY, 2000),
        import_id(KEY, "e", COLUMNS, RULES, Across.SAY, 2000),
        import_id(bytes(32), "d", COLUMNS, RULES, Across.SAY, 2000),
        import_id(KEY, "d", replace(COLUMNS, constants={"lender": "x"}), RULES, Across.SAY, 2000),
        import_id(KEY, "d", COLUMNS, replace(RULES, day_first=True), Across.SAY, 2000),
        import_id(KEY, "d", COLUMNS, RULES, Across.REFUSE, 2000),
        import_id(KEY, "d", COLUMNS, RULES, Across.SAY, 200),
    }
    assert len(names) == 7
    assert all(len(name) == 32 for name in names)
    assert import_id(KEY, "d", COLUMNS, RULES, Across.SAY, 2000) in names


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2**32 - 1)), max_size=300))
def test_first_seen_is_a_dictionary(pairs: list[tuple[int, int]]) -> None:
    seen, expected = FirstSeen(slots=4), dict[int, int]()
    for name, value in pairs:
        assert seen.first(keyed.person_key(KEY, str(name)), value) == expected.setdefault(name, value)


def test_an_update_replaces_what_is_there_and_counts_it() -> None:
    books = Books()
    load([row(1), row(2)], books)
    newer = [("N1", "081299999999", ""), row(2), row(3)]
    load(newer[:2], books, replace(ASKED, id="plain"))
    assert {one.numbers[0].e164 for one in books.kept.values()} == {"+62812" + f"{i:08d}" for i in (1, 2)}
    seen, _, _ = load(newer, books, replace(ASKED, id="newer", update=True))
    assert (seen.new, seen.known, seen.changed) == (1, 2, 1)
    assert "+6281299999999" in {one.numbers[0].e164 for one in books.kept.values()}
