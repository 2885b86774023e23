"""Rows of lists, as they come and as somebody hostile would write them."""

import string
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dialer import keyed
from dialer.contacts import UNREADABLE, Found, ListRules, Rejected, Restored, read_row, read_rows
from dialer.errors import BadInput
from dialer.lists.columns import Columns, read_header
from dialer.lists.numbers import NumberFault, read_number
from dialer.lists.provinces import ALIASES, PROVINCES, zone_of
from dialer.lists.values import read_amount
from dialer.model import Contact, NumberKind
from ivr.verify import proves

KEY = bytes.fromhex("0123456789abcdef" * 4)
RULES = ListRules(KEY)
HEADER = (
    "Nama", "No. HP", "HP 2", "Kontak Darurat", "Jumlah Tagihan", "Jatuh Tempo", "ID Nasabah", "No Kontrak", "Provinsi",
    "Zona", "Bahasa", "Tanggal Lahir", "Kreditur", "Produk", "Prioritas", "Mata Uang", "Catatan",
)  # fmt: skip
COLUMNS = read_header(HEADER)
ROW = dict.fromkeys(HEADER, "") | {"Nama": "Budi Santoso", "No. HP": "081234567890", "ID Nasabah": "N-1"}
MOBILE = "+6281234567890"


def read(rules: ListRules = RULES, **cells: str) -> list[Found]:
    """One row; cells by a short name: `Nama`, `HP_2`."""
    return read_row(7, ROW | {name.replace("_", " "): cell for name, cell in cells.items()}, COLUMNS, rules)


def contact(rules: ListRules = RULES, **cells: str) -> Contact:
    found = read(rules, **cells)
    assert len(found) == 1, found
    assert isinstance(found[0], Contact), found
    return found[0]


def lost(rules: ListRules = RULES, **cells: str) -> Rejected:
    found = read(rules, **cells)
    assert len(found) == 1, found
    assert isinstance(found[0], Rejected), found
    assert found[0].row_lost
    assert found[0].line == 7
    return found[0]


# ---- header ---------------------------------------------------------------------------------------------------------


def test_header_in_indonesian_and_english() -> None:
    assert COLUMNS.phones == (
        ("No. HP", NumberKind.DEBTOR), ("HP 2", NumberKind.DEBTOR), ("Kontak Darurat", NumberKind.EMERGENCY),
    )  # fmt: skip
    assert COLUMNS.unknown == ("Catatan",)
    assert COLUMNS.fields["amount"] == "Jumlah Tagihan"
    names = ("NAME", "Phone", "phone2", "Amount", "due_date", "NIK", "language", "province", "post code", "lender")
    english = read_header(names)
    assert english.unknown == ()
    assert {"name", "amount", "due", "person_id", "language", "province", "post_code", "lender"} == set(english.fields)


def test_numbers_are_called_in_the_order_of_the_header_the_debtors_first() -> None:
    columns = read_header(["hp_darurat", "hp2", "telepon_kantor", "hp_pasangan", "hp", "hp10"])
    assert [name for name, _ in columns.phones] == ["hp", "hp2", "hp10", "hp_pasangan", "telepon_kantor", "hp_darurat"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["nama", "jumlah"], "no column with telephone numbers among 'nama', 'jumlah'"),
        (["hp", "nama", "name"], "columns 'nama' and 'name' both mean name"),
        (["hp", "x", "x"], "two columns have the same header"),
        (["hp", "na\x1b[2Jma"], r"na\\x1b\[2Jma' is no name of a column"),
        (["hp", "x" * 101], "is no name of a column"),
    ],
)
def test_a_header_that_cannot_be_used(names: list[str], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        read_header(names)


# ---- a row ----------------------------------------------------------------------------------------------------------


def test_a_full_row() -> None:
    found = contact(
        HP_2="021-555 1234", Kontak_Darurat="0813 7777 6666", Jumlah_Tagihan="Rp1.250.000", Jatuh_Tempo="25/12/2026",
        No_Kontrak="K-9", Provinsi="Jawa Timur", Bahasa="Indonesia", Tanggal_Lahir="1985-08-17", Kreditur="Bank X",
        Produk="KTA", Prioritas="3",
    )  # fmt: skip
    person = keyed.person_key(KEY, "N-1")
    assert found == Contact(
        id=keyed.contact_key(KEY, person, "K-9"),
        person=person,
        numbers=found.numbers,
        name="Budi Santoso",
        language="id",
        zone="Asia/Jakarta",
        lender="Bank X",
        product="KTA",
        amount=1_250_000,
        due=date(2026, 12, 25),
        secret=keyed.secret_key(KEY, "17081985"),
        secret_digits=8,
        priority=3,
        account="K-9",
        province="Jawa Timur",
    )
    assert [(number.e164, number.kind) for number in found.numbers] == [
        (MOBILE, NumberKind.DEBTOR),
        ("+62215551234", NumberKind.DEBTOR),
        ("+6281377776666", NumberKind.EMERGENCY),
    ]
    assert found.numbers[0].key == keyed.number_key(KEY, MOBILE)


def test_keys_are_16_bytes_and_need_the_key() -> None:
    found = contact()
    for key in (found.id, found.person, found.numbers[0].key):
        assert len(bytes.fromhex(key)) == 16
    other = contact(replace(RULES, key=b"another key" * 3))
    assert {found.id, found.person}.isdisjoint({other.id, other.person})
    assert "N-1" not in repr(found)


def test_without_an_id_the_first_number_is_the_person() -> None:
    assert contact(ID_Nasabah="").person == keyed.person_key(KEY, MOBILE)
    for blank in ("-", "N/A", "null", "nan"):
        assert contact(ID_Nasabah=blank).person == keyed.person_key(KEY, MOBILE)


def test_what_the_debtor_keys_is_the_birth_date_day_first() -> None:
    found = contact(Tanggal_Lahir="17/08/1985")
    assert proves(KEY, found.secret, "17081985")
    assert not proves(KEY, found.secret, "19850817")
    assert (contact().secret, contact().secret_digits) == ("", 0)


def test_a_blank_row_gives_nothing() -> None:
    assert read_row(7, dict.fromkeys(HEADER, " "), COLUMNS, RULES) == []


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({UNREADABLE: "a quote is left open"}, "a quote is left open"),
        ({name: cell for name, cell in ROW.items() if name != "Catatan"}, "fewer cells"),
        (ROW | {"Catatan": "x" * 1001}, "more than 1000 characters"),
        (ROW | {"Jumlah Tagihan": "Rp" + " " * 1_000_000 + "\n."}, "more than 1000 characters"),
    ],
)
def test_a_row_that_does_not_fit_the_header_is_refused(row: Mapping[str, str], words: str) -> None:
    (found,) = read_row(7, row, COLUMNS, RULES)
    assert isinstance(found, Rejected)
    assert words in found.reason
    assert found.row_lost


# ---- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "e164"),
    [
        ("081234567890", MOBILE),
        ("0812-3456-7890", MOBILE),
        ("(0812) 3456 7890", MOBILE),
        ("+62 812 3456 7890", MOBILE),
        ("+62 (0) 812 3456 7890", MOBILE),
        ("(+62) 81234567890", MOBILE),
        ("6281234567890", MOBILE),
        ("81234567890", MOBILE),  # a spreadsheet took the 0
        ("81234567890.0", MOBILE),
        ("6281234567890.0", MOBILE),
        ("8.1234567890E+10", MOBILE),
        ("'081234567890", MOBILE),
        ("0812\u20113456\u20117890", MOBILE),
        ("021 5551234", "+62215551234"),
        ("0251 8312345", "+622518312345"),
    ],
)
def test_numbers_as_lists_write_them(text: str, e164: str) -> None:
    assert read_number(text, "ID", frozenset({62})) == e164


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("112", "no number of a subscriber"),
        ("110", "no number of a subscriber"),
        ("911", "no number of a subscriber"),
        ("+62112", "no number of a subscriber"),
        ("1500123", "no number of a subscriber"),
        ("+621500123", "a service or premium number"),
        ("021 1500123", "a service or premium number"),
        ("0809 1234567", "a service or premium number"),
        ("0800 1234567", "a service or premium number"),
        ("14045", "no number of a subscriber"),
        ("62811123456", "with and without country code"),  # 0811123456 or the fixed line 062-811123456
        ("2518312345", "no number of a subscriber"),  # a fixed line is not believed to have lost its 0
        ("+6591234567", "a country that is not called"),
        ("6591234567", "no number of a subscriber"),
        ("8.12E+10", "a spreadsheet has shortened it"),
        ("0812345678901234", "no number of a subscriber"),
        ("021 5551234 ext 12", "no telephone number"),
        ("0812/3456", "no telephone number"),
        ("081234567890;id=1", "no telephone number"),
        ("+6281234567890@evil.example", "no telephone number"),
        ("081234567890\r\nAction: Originate", "no telephone number"),
        ("\uff10\uff18\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10", "no telephone number"),
        ("+" * 30, "no telephone number"),
        ("0" * 41, "too long"),
        ("", "no telephone number"),
    ],
)
def test_what_is_no_number_to_dial(text: str, reason: str) -> None:
    with pytest.raises(NumberFault) as caught:
        read_number(text, "ID", frozenset({62}))
    assert reason in caught.value.reason
    assert caught.value.cure


def test_another_country_where_the_site_calls_it() -> None:
    assert read_number("+6591234567", "ID", frozenset({62, 65})) == "+6591234567"
    assert read_number("07400 123456", "GB", frozenset({44})) == "+447400123456"
    assert read_number("(201) 555-0123", "US", frozenset({1})) == "+12015550123"


@settings(max_examples=400)
@given(
    st.builds(
        lambda prefix, start, rest: prefix + start + rest,
        st.sampled_from(["", "0", "62", "+62", "+620", "+", "00", "+65", "06"]),
        st.sampled_from(["8", "81", "80", "807", "809", "21", "251", "1500", "177", ""]),
        st.text(string.digits, min_size=1, max_size=12),
    )
)
@example("081234567890")
def test_the_short_way_says_what_libphonenumber_says(digits: str) -> None:
    """The pattern taken from libphonenumber's own data may only ever agree with the library."""
    try:
        found = read_number(digits, "ID", frozenset({62}))
    except NumberFault:
        return
    number = phonenumbers.parse(found)
    assert phonenumbers.is_valid_number(number)
    assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == found
    assert phonenumbers.number_type(number) in (0, 1, 2, 6)
    assert number.country_code == 62
    if digits.startswith(("0", "+")):
        again = phonenumbers.parse(digits, "ID")
        assert phonenumbers.format_number(again, phonenumbers.PhoneNumberFormat.E164) == found


@settings(max_examples=300)
@given(st.text(string.digits, min_size=7, max_size=11))
def test_no_mobile_that_the_library_knows_is_lost(rest: str) -> None:
    number = phonenumbers.parse(f"08{rest}", "ID")
    mobile = phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) == 1
    try:
        found = read_number(f"08{rest}", "ID", frozenset({62}))
    except NumberFault:
        found = ""
    assert bool(found) == mobile


def test_several_numbers_in_one_cell() -> None:
    for cell in ("081234567890 / 0813 7777 6666", "081234567890;081377776666", "081234567890 atau 081377776666"):
        row = ROW | {"No. HP": cell}
        (found,) = read_row(7, row, COLUMNS, RULES)
        assert isinstance(found, Contact)
        assert [number.e164 for number in found.numbers] == [MOBILE, "+6281377776666"]


def test_a_number_that_is_none_costs_itself_only() -> None:
    found, fault = read(HP_2="1500123")
    assert isinstance(found, Contact)
    assert [number.e164 for number in found.numbers] == [MOBILE]
    assert isinstance(fault, Rejected)
    assert (fault.column, fault.row_lost, fault.value) == ("HP 2", False, "9999999")


def test_a_row_without_a_number_is_lost() -> None:
    for cell in ("", "-", "1500123", "tidak ada"):
        (found,) = read_row(7, ROW | {"No. HP": cell}, COLUMNS, RULES)
        assert isinstance(found, Rejected)
        assert found.row_lost
        assert found.column == "No. HP"


def test_the_same_number_twice_counts_once_and_as_the_stricter_kind() -> None:
    found = contact(HP_2="+62 812 3456 7890", Kontak_Darurat="081234567890")
    assert [(number.e164, number.kind) for number in found.numbers] == [(MOBILE, NumberKind.EMERGENCY)]


def test_too_many_numbers() -> None:
    many = "/".join(f"08123456{i:04d}" for i in range(11))
    assert "11 numbers" in lost(HP_2=many.replace("081234560000/", "")).reason


# ---- amounts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("Rp1.250.000", "IDR", 1_250_000),
        ("Rp. 1.250.000,-", "IDR", 1_250_000),
        ("Rp 1.250.000,00", "IDR", 1_250_000),
        ("IDR 1,250,000.00", "IDR", 1_250_000),
        ("1,250,000.00", "IDR", 1_250_000),
        ("1 250 000", "IDR", 1_250_000),
        ("1250000", "IDR", 1_250_000),
        ("1250000.0", "IDR", 1_250_000),
        ("1250000,00", "IDR", 1_250_000),
        ("1.250", "IDR", 1_250),  # rupiah have no decimals: thousands
        ("1.234567E+06", "IDR", 1_234_567),
        ("0", "IDR", 0),
        ("1,250.50", "USD", 125_050),
        ("$1250.5", "USD", 125_050),
        ("1250", "USD", 125_000),
        ("1.250,50", "EUR", 125_050),
    ],
)
def test_amounts(text: str, currency: str, amount: int) -> None:
    assert read_amount(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("-5", "no amount"),
        ("1.250.00", "no amount"),
        ("1.25.000", "no amount"),
        ("1,250.000,00", "no amount"),
        ("1.5 juta", "no amount"),
        ("abc", "no amount"),
        ("1250000.5", "finer than the smallest unit"),
        ("Rp1.250.000,50", "finer than the smallest unit"),
        ("1.25E+06", "a spreadsheet has shortened it"),
        ("9" * 16, "too large"),
        ("1e999", "no amount"),
        ("NaN", "no amount"),
        ("Infinity", "no amount"),
        ("=1+1", "no amount"),
    ],
)
def test_what_is_no_amount(text: str, reason: str) -> None:
    if text == "NaN":  # how pandas writes an empty cell
        assert contact(Jumlah_Tagihan=text).amount == 0
        return
    assert reason in lost(Jumlah_Tagihan=text).reason


def test_thousands_or_cents_is_not_guessed() -> None:
    for text in ("1.250", "1,250"):
        assert "thousands or decimals" in lost(Jumlah_Tagihan=text, Mata_Uang="USD").reason


@given(st.integers(0, 10**14))
def test_every_way_to_write_an_amount_reads_back(amount: int) -> None:
    plain = f"{amount:,}"
    ways = (str(amount), plain, plain.replace(",", "."), f"Rp{plain}", f"{amount}.0", plain.replace(",", " "))
    assert {read_amount(text, "IDR") for text in ways} == {amount}


# ---- dates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-25", date(2026, 12, 25)),
        ("2026-12-25 00:00:00", date(2026, 12, 25)),
        ("25/12/2026", date(2026, 12, 25)),
        ("25-12-2026", date(2026, 12, 25)),
        ("25.12.2026", date(2026, 12, 25)),
        ("05/05/2026", date(2026, 5, 5)),
        ("29/02/2028", date(2028, 2, 29)),
    ],
)
def test_dates(text: str, day: date) -> None:
    assert contact(Jatuh_Tempo=text).due == day


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("03/04/2026", "day and month could be either"),
        ("12/25/2026", "no such day"),
        ("31/02/2026", "no such day"),
        ("2026-13-01", "no such day"),
        ("25/12/26", "no date"),
        ("25/12-2026", "no date"),
        ("46351", "no date"),
        ("besok", "no date"),
        ("25/12/0026", "year out of range"),
    ],
)
def test_what_is_no_date(text: str, reason: str) -> None:
    assert reason in lost(Jatuh_Tempo=text).reason
    assert reason in lost(Tanggal_Lahir=text).reason


def test_day_first_is_the_operators_word() -> None:
    rules = replace(RULES, day_first=True)
    assert contact(rules, Jatuh_Tempo="03/04/2026").due == date(2026, 4, 3)
    assert "no such day" in lost(rules, Jatuh_Tempo="04/25/2026").reason


# ---- zones ----------------------------------------------------------------------------------------------------------


def test_all_provinces_are_there() -> None:
    counts = {zone: len(names) for zone, names in PROVINCES.items()}
    assert counts == {"Asia/Jakarta": 18, "Asia/Makassar": 12, "Asia/Jayapura": 8}
    everywhere = [name for names in PROVINCES.values() for name in names]
    assert len(set(everywhere)) == 38
    assert set(ALIASES.values()) <= set(everywhere)


@pytest.mark.parametrize(
    ("province", "zone"),
    [
        ("Jawa Barat", "Asia/Jakarta"),
        ("PROV. JAWA BARAT", "Asia/Jakarta"),
        ("Provinsi D.I. Yogyakarta", "Asia/Jakarta"),
        ("DKI Jakarta", "Asia/Jakarta"),
        ("Kalimantan Barat", "Asia/Jakarta"),
        ("Kalimantan Tengah", "Asia/Jakarta"),
        ("Kalimantan Timur", "Asia/Makassar"),
        ("Bali", "Asia/Makassar"),
        ("NTT", "Asia/Makassar"),
        ("West Sumatra", "Asia/Jakarta"),
        ("Sumatra Utara", "Asia/Jakarta"),
        ("Maluku", "Asia/Jayapura"),
        ("Papua Selatan", "Asia/Jayapura"),
        ("Papua Tengah", "Asia/Jayapura"),
        ("Papua Pegunungan", "Asia/Jayapura"),
        ("Papua Barat Daya", "Asia/Jayapura"),
        ("Kalimantan", ""),  # in two zones
        ("Johor", ""),
        ("", ""),
    ],
)
def test_zone_of_a_province(province: str, zone: str) -> None:
    assert zone_of(province) == zone
    assert contact(Provinsi=province).zone == zone


def test_a_zone_may_be_named() -> None:
    assert contact(Zona="WIT").zone == "Asia/Jayapura"
    assert contact(Zona="Asia/Makassar", Provinsi="Bali").zone == "Asia/Makassar"
    assert "contradict" in lost(Zona="WIB", Provinsi="Papua").reason
    assert "unknown zone" in lost(Zona="Europe/Berlin").reason


# ---- text and hostile text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  Budi \t Santoso ", "Budi Santoso"),
        ("Budi\nSantoso", "Budi Santoso"),
        ("Budi\r\n\r\nAction: Command", "Budi Action: Command"),
        ("Budi\u2028Santoso", "Budi Santoso"),
        ("Bu\u200bdi\u202e", "Budi"),
        ("Jose\u0301", "Jos\u00e9"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
    ],
)
def test_a_name_is_one_line(text: str, name: str) -> None:
    assert contact(Nama=text).name == name


@pytest.mark.parametrize("text", ["Budi\0", "Bu\x1bdi", "Budi\x7f", "Budi\ud800", "\x07", "Budi\ue000"])
def test_control_characters_are_refused(text: str) -> None:
    assert "control characters" in lost(Nama=text).reason
    assert "control characters" in lost(Kreditur=text).reason
    assert "control characters" in lost(ID_Nasabah=text).reason


def test_too_long_a_name_is_refused() -> None:
    assert "longer than 100" in lost(Nama="x" * 101).reason


@pytest.mark.parametrize(
    ("text", "same"), [("123456789012345.0", "123456789012345"), ("N-1", "N-1"), ("3.5E", "3.5E"), ("007", "007")]
)
def test_ids_are_kept_as_written(text: str, same: str) -> None:
    assert contact(ID_Nasabah=text).person == keyed.person_key(KEY, same)


@pytest.mark.parametrize("text", ["3.1750112345E+15", "3175010101900001.0"])
def test_an_id_that_lost_digits_is_refused(text: str) -> None:
    fault = lost(ID_Nasabah=text)
    assert "shortened" in fault.reason
    assert "3175" not in fault.value


@pytest.mark.parametrize(("text", "language"), [("", ""), ("ID", "id"), ("Inggris", "en"), ("Bahasa Indonesia", "id")])
def test_languages(text: str, language: str) -> None:
    assert contact(Bahasa=text).language == language


def test_unknown_words_are_refused() -> None:
    assert "unknown language" in lost(Bahasa="jawa").reason
    assert "unknown currency" in lost(Mata_Uang="BTC").reason
    assert "no whole number" in lost(Prioritas="hoch").reason


def test_a_rejected_value_shows_neither_number_nor_name_nor_secret() -> None:
    assert lost(Tanggal_Lahir="17/08/85").value == "99/99/99"
    assert lost(Nama="Budi\0").value == "xxxx\\x00"
    assert lost(Bahasa="jawa").value == "xxxx"


HOSTILE = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(
    ["\r\n", "\0", "08123456789\r\nX: y", "${SHELL(id)}", "=cmd|x", "\ud800", "1" * 60, "-", "99/99/9999", "1E999"]
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(HEADER), HOSTILE))
def test_whatever_a_row_holds_it_is_read_or_refused(cells: dict[str, str]) -> None:
    for found in read_row(7, ROW | cells, COLUMNS, RULES):
        if isinstance(found, Rejected):
            assert found.reason
            assert found.cure
            assert found.value.isascii()
            assert found.value.isprintable()
            continue
        if isinstance(found, Restored):
            continue
        for text in (found.name, found.lender, found.product, found.language, found.zone, found.id, found.person):
            assert text.isprintable()
            text.encode()
        assert all(number.e164[1:].isdigit() and number.e164.startswith("+62") for number in found.numbers)
        assert found.amount >= 0


# ---- files ----------------------------------------------------------------------------------------------------------


def rows(*changes: Mapping[str, str]) -> list[tuple[int, Mapping[str, str]]]:
    return [(line, ROW | dict(change)) for line, change in enumerate(changes, 2)]


def test_the_same_person_and_account_twice_is_refused_and_names_the_first_line() -> None:
    found = list(read_rows(rows({}, {"Nama": "Budi S."}, {"No Kontrak": "K-2"}, {"ID Nasabah": "N-2"}), COLUMNS, RULES))
    assert [type(result) for result in found] == [Contact, Rejected, Contact, Contact]
    assert isinstance(found[1], Rejected)
    assert found[1].line == 3
    assert "line 2" in found[1].reason


def test_a_bad_row_loses_nothing_else() -> None:
    found = list(read_rows(rows({}, {"No. HP": "1500123"}, {"ID Nasabah": "N-3"}), COLUMNS, RULES))
    assert [type(result) for result in found] == [Contact, Rejected, Contact]


def test_the_same_file_twice_gives_the_same_contacts() -> None:
    table = rows({}, {"No Kontrak": "K-2"}, {"ID Nasabah": "", "No. HP": "081399998888"})
    assert list(read_rows(table, COLUMNS, RULES)) == list(read_rows(table, COLUMNS, RULES))


def test_a_list_needs_no_more_than_a_number() -> None:
    columns: Columns = read_header(["telepon"])
    (found,) = read_row(2, {"telepon": "081234567890"}, columns, RULES)
    assert isinstance(found, Contact)
    assert (found.name, found.amount, found.due, found.zone, found.secret) == ("", 0, None, "", "")
