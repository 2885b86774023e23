"""Headers and saved mappings: what a column means, and what an operator may write wrong."""

import string
import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.contacts import ListRules, check_constants, read_row
from dialer.errors import BadInput
from dialer.lists import columns
from dialer.lists.columns import CUSTOM_MAX, HEADERS, REJECT_HEADERS, read_header, word_of
from dialer.lists.mappings import ListMapping, read_mapping, saved
from dialer.model import Consent, Contact, NumberKind

RULES = ListRules(bytes(range(32)))


def test_every_header_means_one_thing() -> None:
    by_field = [{columns.plain(word) for word in (*words.split(), field)} for field, words in HEADERS.items()]
    by_kind = [{columns.plain(word) for word in words.split()} for words in columns.PHONE_HEADERS.values()]
    each = [word for words in (*by_field, *by_kind) for word in words]
    assert len(each) == len(set(each))


def test_our_own_reject_columns_are_passed_over() -> None:
    found = read_header(["hp", *REJECT_HEADERS])
    assert (found.unknown, found.fields) == ((), {})
    assert word_of(found) == {"hp": "phone1"}


def test_a_mapping_decides_where_it_names_a_column_and_the_header_elsewhere() -> None:
    mapped = {"Telp A": "phone2", "Telp B": "phone", "Cabang": "custom:branch", "nama": "ignore", "SISA": "amount"}
    found = read_header(["nama", "Telp A", "Telp B", "cabang", "sisa", "provinsi", "x"], mapped)
    assert found.phones == (("Telp B", NumberKind.DEBTOR), ("Telp A", NumberKind.DEBTOR))
    assert found.fields == {"amount": "sisa", "province": "provinsi"}
    assert found.custom == (("cabang", "branch"),)
    assert found.unknown == ("x",)
    assert read_header(["hp", "custom:branch", "custom:Branch"]).custom == (("custom:branch", "branch"),)


@pytest.mark.parametrize(
    ("names", "mapped", "words"),
    [
        (["hp"], {"Telepon Lain": "phone"}, "the mapping names 'Telepon Lain', the list has 'hp'"),
        (["h p", "H-P"], {"hp": "phone"}, "may be 'h p', 'H-P'"),
        (["hp", "a", "b"], {"a": "amount", "b": "amount"}, "both mean amount"),
        (["hp", "a", "b"], {"a": "custom:x", "b": "custom:x"}, "both mean x"),
        (["nama"], {"nama": "ignore"}, "no column with telephone numbers"),
        (["hp", *map(str, range(21))], {str(i): f"custom:c{i}" for i in range(21)}, f"at most {CUSTOM_MAX}"),
    ],
)
def test_a_mapping_that_does_not_fit_the_list(names: list[str], mapped: dict[str, str], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_header(names, mapped)
    assert words in str(caught.value)


MAPPING = """
[columns]
"Telp" = "phone"
"Telp Kantor" = "work_phone"
"Cabang" = "custom:branch"
[values]
lender = "Bank Contoh"
zone = "WITA"
[reading]
day_first = true
region = "ID"
country_codes = [62]
currency = "IDR"
delimiter = ";"
encoding = "cp1252"
"""


def test_a_mapping_file() -> None:
    found = read_mapping(MAPPING, "m.toml")
    assert found.values == {"lender": "Bank Contoh", "zone": "WITA"}
    assert (found.day_first, found.delimiter, found.encoding) == (True, ";", "cp1252")
    assert found.rules(RULES).day_first
    header = ["Telp", "Telp Kantor", "Cabang", "kreditur"]
    read = read_header(header, found.columns, found.values)
    row = dict(zip(header, ("0812 1111 2222", "021 5551234", "Denpasar", ""), strict=True))
    (contact,) = read_row(2, row, read, found.rules(RULES))
    assert isinstance(contact, Contact)
    assert (contact.lender, contact.zone, contact.custom) == ("Bank Contoh", "Asia/Makassar", (("branch", "Denpasar"),))
    assert [number.kind for number in contact.numbers] == [NumberKind.DEBTOR, NumberKind.WORKPLACE]
    (other,) = read_row(3, row | {"kreditur": "Bank Lain"}, read, RULES)
    assert isinstance(other, Contact)
    assert other.lender == "Bank Lain"


def test_every_fault_of_a_mapping_file_at_once() -> None:
    text = """
extra = 1
[columns]
"a" = "saldo"
"b" = "custom:Big Name"
"c" = 3
[values]
colour = "red"
lender = "two\\nlines"
[reading]
day_first = "yes"
region = "Indonesia"
country_codes = ["62"]
currency = "rupiah"
delimiter = "x"
encoding = "latin"
sheet = 5
speed = 1
"""
    with pytest.raises(BadInput) as caught:
        read_mapping(text, "m.toml")
    for words in (
        "unknown table [extra]", "columns.'a' = 'saldo': unknown field", "custom: takes a name",
        "columns.c: use a text", "values.colour: unknown field", "values.lender: use one line",
        "day_first: use true", "region: use a country",
        "country_codes: use [62]", "currency: use one of", "delimiter: use", "encoding: use", "sheet: use",
        "speed: unknown",
    ):  # fmt: skip
        assert words in str(caught.value), words


@pytest.mark.parametrize("text", ["[columns", "columns = 1", "reading = []", "[values]\nlender = 1"])
def test_what_is_no_mapping_file(text: str) -> None:
    with pytest.raises(BadInput, match=r"m\.toml"):
        read_mapping(text, "m.toml")


@given(st.text(string.printable, max_size=80))
def test_whatever_a_mapping_file_holds_it_is_read_or_refused(text: str) -> None:
    try:
        read_mapping(text, "m.toml")
    except BadInput:
        return


def test_values_that_would_cost_every_row_are_refused_at_once() -> None:
    for field, value in (("zone", "Mars"), ("currency", "BTC"), ("due", "tomorrow"), ("language", "jv")):
        with pytest.raises(BadInput, match=f"values.{field}"):
            check_constants(read_header(["hp"], {}, {field: value}), RULES)
    check_constants(read_header(["hp"], {}, {"zone": "WIT", "consent_source": "contract"}), RULES)


PRINTABLE = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_characters="\x7f"), min_size=1, max_size=20
)


@given(st.sets(PRINTABLE.filter(str.isprintable), max_size=6), st.booleans())
def test_a_saved_mapping_reads_the_same_list_in_the_same_way(names: set[str], day_first: bool) -> None:
    header = ["hp", "hp darurat", *(name for name in sorted(names))]
    custom = {name: f"custom:c{place}" for place, name in enumerate(sorted(names))}
    try:
        first = read_header(header, custom, {"lender": 'Bank "X" \\ Y'})
    except BadInput:
        return
    rules = replace(RULES, day_first=day_first)
    text = saved(first, rules, ListMapping(delimiter="\t", sheet="S 1"))
    tomllib.loads(text)
    again = read_mapping(text, "m.toml")
    assert read_header(header, again.columns, again.values) == first
    assert again.rules(RULES) == rules
    assert (again.delimiter, again.sheet) == ("\t", "S 1")


def test_consents_need_a_day_and_a_source() -> None:
    header = ["hp", "consent_calls", "consent_whereabouts", "consent_source", "consent_date"]
    read = read_header(header)

    def said(*cells: str) -> tuple[tuple[Consent, ...], list[str]]:
        row = dict(zip(header, ("081234567890", *cells), strict=True))
        found = read_row(2, row, read, replace(RULES, day_first=True))
        assert isinstance(found[0], Contact)
        return found[0].consents, [one.reason for one in found[1:] if hasattr(one, "reason")]

    consents, _ = said("2026-01-02", "ya", "contract", "03/04/2026")
    assert [(one.what, one.source, one.on.isoformat()) for one in consents] == [
        ("calls", "contract", "2026-01-02"),
        ("whereabouts", "contract", "2026-04-03"),
    ]
    assert said("tidak", "", "", "") == ((), [])
    assert said("ya", "", "contract", "") == ((), ["a consent without its day"])
    assert said("2026-01-02", "", "", "") == ((), ["a consent without its source"])
    assert said("maybe", "", "contract", "") == ((), ["no date"])
