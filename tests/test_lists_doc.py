"""docs/lists.md and its examples say what the code does."""

import re
from pathlib import Path

from dialer.adapters import list_files, xlsx_files
from dialer.adapters.loading import UPLOAD_MAX
from dialer.contacts import CELL_MAX, ListRules, Rejected, read_rows
from dialer.lists import columns
from dialer.lists.columns import read_header
from dialer.lists.mappings import read_mapping
from dialer.lists.order import MIX_ROWS
from dialer.model import Contact, NumberKind

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "lists.md").read_text(encoding="utf-8")
RULES = ListRules(bytes(range(32)))


def test_every_header_is_told() -> None:
    told = {columns.plain(word) for word in re.findall(r"[A-Za-z_0-9]+", TEXT)}
    names = [word for words in (*columns.HEADERS.values(), *columns.PHONE_HEADERS.values()) for word in words.split()]
    assert [name for name in names if columns.plain(name) not in told] == []
    assert [name for name in columns.REJECT_HEADERS if name not in TEXT] == []


def test_every_limit_is_told() -> None:
    limits = (
        f"{xlsx_files.ROWS_MAX:,}", f"{xlsx_files.UNZIPPED_MAX >> 30} GB unpacked", f"{xlsx_files.PARTS_MAX:,} parts",
        f"above {xlsx_files.RATIO_FROM >> 20} MB at most {xlsx_files.RATIO_MAX} times", f"upload {UPLOAD_MAX >> 30} GB",
        f"{xlsx_files.MEMORY_MAX >> 30} GB of memory", f"{xlsx_files.CPU_S_MAX} s of CPU", f"{CELL_MAX:,} characters",
        f"columns | {list_files.COLUMNS_MAX}", f"chunks of {list_files.CHUNK_ROWS:,}", f"blocks of {MIX_ROWS} rows",
        f"at most {columns.CUSTOM_MAX}",
    )  # fmt: skip
    assert [limit for limit in limits if limit not in TEXT] == []


def test_the_example_of_a_mapping_is_one() -> None:
    example = read_mapping((DOCS / "examples" / "mapping.toml").read_text(encoding="utf-8"), "mapping.toml")
    told = read_mapping(re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)[0], "lists.md")
    assert dict(example.columns) == dict(told.columns)
    assert dict(example.values) == dict(told.values)
    assert read_header(list(example.columns), example.columns).unknown == ()


def test_the_full_example_is_read_whole() -> None:
    file = list_files.inspect(DOCS / "examples" / "debtors-full.csv")
    found = list(read_rows(list_files.rows(file), read_header(file.header), RULES))
    contacts = [one for one in found if isinstance(one, Contact)]
    assert [one.name for one in contacts] == ["Maya Sari", "Rizky Pratama", "Yohana Wanggai"]
    assert [one.reason for one in found if isinstance(one, Rejected)] == ["a consent without its day"]
    first, second, third = contacts
    assert [number.kind for number in first.numbers] == [
        NumberKind.DEBTOR, NumberKind.CO_BORROWER, NumberKind.EMERGENCY
    ]  # fmt: skip
    assert (first.account, first.minimum, first.fee, first.score, first.post_code) == (
        "K-1001",
        250_000,
        25_000,
        700,
        "80111",
    )
    assert [said.what for said in first.consents] == ["calls", "whereabouts"]
    assert first.expires == 1830268800.0  # 2028-01-01 00:00 in Bali
    assert len(second.numbers) == 4
    assert second.incentive == 100_000
    assert third.zone == "Asia/Jayapura"


def test_the_header_line_is_understood() -> None:
    line = next(line.strip() for line in TEXT.splitlines() if line.startswith("    id_nasabah,"))
    found = read_header(line.split(","))
    assert found.unknown == ()
    assert len(found.phones) == 4
