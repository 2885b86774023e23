"""1/8 list: rows of a list -> clean contacts in order of calling, or what is wrong with them and the cure.

A fault that could make us call the wrong person, speak a wrong sum or ask for a wrong date costs the row; a second
number that is none costs only that number. Nothing is guessed: what can be read in two ways is refused.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from dialer import keyed, mask
from dialer.errors import BadInput
from dialer.model import Contact, Number, NumberKind
from dialer.numbers import NumberFault, read_number
from dialer.provinces import ZONE_NAMES, zone_of

UNREADABLE = ""  # under this name stands why a row cannot be read at all
NUMBERS_MAX = 10
CELL_MAX = 1000  # characters
STRICTNESS = (NumberKind.DEBTOR, NumberKind.CO_BORROWER, NumberKind.WORKPLACE, NumberKind.EMERGENCY)
LANGUAGES = {
    "id": "id", "in": "id", "ind": "id", "indonesia": "id", "indonesian": "id", "bahasa indonesia": "id",
    "en": "en", "eng": "en", "english": "en", "inggris": "en", "bahasa inggris": "en",
}  # fmt: skip
MINOR_DIGITS = {"IDR": 0, "USD": 2, "GBP": 2, "EUR": 2, "SGD": 2, "MYR": 2}

# field -> how lists head the column, in Indonesian or English; compared without case, blanks and punctuation
HEADERS = {
    "person_id": "person_id id_nasabah no_nasabah nomor_nasabah nik ktp no_ktp customer_id id_customer cif debtor_id",
    "account": "account account_id akun no_akun no_rekening nomor_rekening no_kontrak nomor_kontrak contract loan_id"
    " id_pinjaman no_pinjaman",
    "name": "name nama nama_lengkap nama_nasabah full_name nama_debitur",
    "amount": "amount jumlah tagihan jumlah_tagihan total_tagihan nominal outstanding sisa_tagihan balance",
    "currency": "currency mata_uang",
    "due": "due_date due jatuh_tempo tanggal_jatuh_tempo tgl_jatuh_tempo",
    "language": "language bahasa lang",
    "province": "province provinsi propinsi",
    "zone": "zone zona zona_waktu timezone time_zone",
    "city": "city kota kabupaten kota_kabupaten regency",
    "post_code": "post_code postcode postal_code kode_pos zip",
    "lender": "lender kreditur pemberi_pinjaman creditor perusahaan",
    "product": "product produk",
    "birth_date": "birth_date date_of_birth dob tanggal_lahir tgl_lahir",
    "priority": "priority prioritas",
}
PHONE_HEADERS = {
    NumberKind.DEBTOR: "phone telepon telp tlp hp no_hp nomor_hp no_telepon nomor_telepon no_telp handphone ponsel"
    " mobile whatsapp wa phone_number number nomor",
    NumberKind.CO_BORROWER: "co_borrower_phone telepon_pasangan hp_pasangan telepon_penjamin hp_penjamin",
    NumberKind.EMERGENCY: "emergency_phone emergency_contact emergency_number telepon_darurat hp_darurat kontak_darurat"
    " no_darurat econ",
    NumberKind.WORKPLACE: "work_phone office_phone workplace_phone telepon_kantor telp_kantor hp_kantor no_kantor",
}

_BLANK = frozenset({"", "-", "--", "n/a", "#n/a", "null", "none", "nan", "tidak ada"})  # how programs write no value
_NOT_ALNUM = re.compile(r"[^a-z0-9]+")
_NUMBERED = re.compile(r"(.*?)([0-9]{1,2})$")
_SPLIT = re.compile(r"[/;,|&\r\n]+|\s+(?:atau|or|dan|and)\s+", re.IGNORECASE)
_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_DAY_FIRST = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})(?: 00:00(?::00)?)?")
_MONEY = re.compile(r"(?:RP\.?|IDR|US\$|USD|\$|GBP|£|EUR|€|SGD|S\$|MYR|RM)?\s*(.*?)(?:,-|\.-|,--)?", re.IGNORECASE)
_GROUPED = re.compile(r"[0-9]{1,3}(?:([.,' ])[0-9]{3})(?:\1[0-9]{3})*(?:([.,])([0-9]{1,2}))?")
_PLAIN = re.compile(r"[0-9]+(?:[.,]([0-9]+))?")
_SHORTENED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]{1,2}", re.IGNORECASE)
_FLOAT = re.compile(r"([0-9]+)\.0+")


@dataclass(frozen=True, slots=True)
class ListRules:
    """What a list is read by. `key`: the secret of all keyed hashes; `region`: whose numbers have no country code."""

    key: bytes = field(repr=False)
    region: str = "ID"
    country_codes: frozenset[int] = frozenset({62})
    day_first: bool = False  # 03/04/2026 is 3 April; without it such a date is refused as ambiguous
    currency: str = "IDR"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A value that is not used, and why. `value` shows its shape, never a number, a name or a secret."""

    line: int
    column: str
    value: str
    reason: str
    cure: str
    row_lost: bool = True  # false: the row's contact is used without this value


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a list means what: field -> the list's own header; `phones` in order of calling."""

    fields: Mapping[str, str]
    phones: tuple[tuple[str, NumberKind], ...]
    all: tuple[str, ...]
    unknown: tuple[str, ...]  # not understood and not used


class _Fault(Exception):
    def __init__(self, column: str, value: str, reason: str, cure: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason, self.cure = column, value, reason, cure


# ---- header ---------------------------------------------------------------------------------------------------------


def read_header(names: Sequence[str]) -> Columns:
    """Columns from the header line. Raises BadInput where two columns mean the same, or none holds a number."""
    if strange := [name for name in names if not name.isprintable() or len(name) > 100]:
        raise BadInput(f"the header {_listed(strange)} is no name of a column: use one line of readable text.")
    fields: dict[str, str] = {}
    phones: list[tuple[int, int, int, str, NumberKind]] = []
    unknown = []
    for position, name in enumerate(names):
        plain = _plain(name)
        if plain in _FIELDS:
            meaning = _FIELDS[plain]
            if meaning in fields:
                raise BadInput(f"columns {fields[meaning]!r} and {name!r} both mean {meaning}: keep one of them.")
            fields[meaning] = name
        elif (phone := _phone_column(plain)) is not None:
            phones.append((STRICTNESS.index(phone[1]), phone[0], position, name, phone[1]))
        else:
            unknown.append(name)
    if not phones:
        raise BadInput(f"no column with telephone numbers among {_listed(names)}: head it `telepon` or `phone`.")
    if len(set(names)) < len(names):
        raise BadInput("two columns have the same header: rename or remove one.")
    return Columns(fields, tuple((name, kind) for _, _, _, name, kind in sorted(phones)), tuple(names), tuple(unknown))


def _plain(name: str) -> str:
    return _NOT_ALNUM.sub("", name.casefold())


_FIELDS = {_plain(name): meaning for meaning, names in HEADERS.items() for name in names.split()}
_PHONES = {_plain(name): kind for kind, names in PHONE_HEADERS.items() for name in names.split()}


def _phone_column(plain: str) -> tuple[int, NumberKind] | None:
    """`hp2` -> (2, debtor): place in the order of calling, and whose number."""
    if plain in _PHONES:
        return 1, _PHONES[plain]
    match = _NUMBERED.fullmatch(plain)
    if match and match[1] in _PHONES:
        return int(match[2]), _PHONES[match[1]]
    return None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(mask.mask_text(ascii(name[:30])) for name in names[:12])


# ---- rows -----------------------------------------------------------------------------------------------------------


def read_rows(
    rows: Iterable[tuple[int, Mapping[str, str]]], columns: Columns, rules: ListRules
) -> Iterator[Contact | Rejected]:
    """Every row as a Contact, or Rejected; a row may give both when only one of its numbers is unusable.

    The second row with the same person and account is rejected, and names the line of the first.
    """
    seen: dict[bytes, int] = {}
    for line, row in rows:
        for result in read_row(line, row, columns, rules):
            if isinstance(result, Contact):
                first = seen.setdefault(bytes.fromhex(result.id), line)
                if first != line:
                    reason = f"the same person and account as in line {first}"
                    yield Rejected(line, columns.fields.get("account", ""), "", reason, "keep one of the two rows")
                    continue
            yield result


def read_row(line: int, row: Mapping[str, str], columns: Columns, rules: ListRules) -> list[Contact | Rejected]:
    """One row: a Contact and what of it is not used, or one Rejected with `row_lost`. Blank rows give nothing."""
    if not any(cell.strip() for cell in row.values()):
        return []
    try:
        _check_cells(row, columns)
        numbers, unused = _numbers(row, columns, rules)
        contact = _contact(row, columns, rules, numbers)
    except _Fault as fault:
        return [Rejected(line, fault.column, fault.value, fault.reason, fault.cure)]
    return [contact, *(Rejected(line, f.column, f.value, f.reason, f.cure, False) for f in unused)]


def _check_cells(row: Mapping[str, str], columns: Columns) -> None:
    if UNREADABLE in row:
        raise _Fault("", "", row[UNREADABLE], "correct the line; quote cells that hold the delimiter")
    for name in columns.all:
        if name not in row:
            raise _Fault(name, "", "fewer cells than the header has columns", "complete the row with empty cells")
        if len(row[name]) > CELL_MAX:
            raise _Fault(name, "", f"a cell of more than {CELL_MAX} characters", "shorten it; is a quote left open?")


def _contact(row: Mapping[str, str], columns: Columns, rules: ListRules, numbers: tuple[Number, ...]) -> Contact:
    def cell(meaning: str) -> str:
        text = row[columns.fields[meaning]].strip() if meaning in columns.fields else ""
        return "" if text.casefold() in _BLANK else text

    def read(meaning: str, reader: Callable[[str], Value], default: Value) -> Value:
        text = cell(meaning)
        try:
            return reader(text) if text else default
        except _Unreadable as error:
            column = columns.fields[meaning]
            raise _Fault(column, mask.shape(text), error.reason, error.cure) from None

    currency = read("currency", _currency, rules.currency)
    person_id = read("person_id", _identifier, "")
    person = keyed.person_key(rules.key, person_id or numbers[0].e164)
    lender, product = read("lender", _text, ""), read("product", _text, "")
    account = read("account", _identifier, "") or f"{lender}\0{product}"
    birth = read("birth_date", lambda text: _date(text, rules.day_first), None)
    return Contact(
        id=keyed.contact_key(rules.key, person, account),
        person=person,
        numbers=numbers,
        name=read("name", _text, ""),
        language=read("language", _language, ""),
        zone=_zone(read("zone", _zone_name, ""), zone_of(cell("province")), columns),
        lender=lender,
        product=product,
        currency=currency,
        amount=read("amount", lambda text: read_amount(text, currency), 0),
        due=read("due", lambda text: _date(text, rules.day_first), None),
        secret=keyed.secret_key(rules.key, f"{birth:%d%m%Y}") if birth else "",
        secret_digits=8 if birth else 0,
        priority=read("priority", _integer, 0),
    )


def _numbers(row: Mapping[str, str], columns: Columns, rules: ListRules) -> tuple[tuple[Number, ...], list[_Fault]]:
    """The row's numbers in order of calling, each once, and those that are none.

    One that stands there as the debtor's and as somebody else's counts as somebody else's.
    """
    found: dict[str, Number] = {}
    faults: list[_Fault] = []
    for column, kind in columns.phones:
        for text in _SPLIT.split(row[column]):
            if text.strip().casefold() in _BLANK:
                continue
            try:
                e164 = read_number(text, rules.region, rules.country_codes)
            except NumberFault as error:
                faults.append(_Fault(column, mask.shape(text), error.reason, error.cure))
                continue
            found[e164] = Number(e164, keyed.number_key(rules.key, e164), kind)  # later kinds are stricter
    if len(found) > NUMBERS_MAX:
        raise _Fault(columns.phones[0][0], "", f"{len(found)} numbers", f"keep the {NUMBERS_MAX} best")
    if not found:
        raise faults[0] if faults else _Fault(columns.phones[0][0], "", "no number", "give at least one number")
    return tuple(found.values()), faults


# ---- values ---------------------------------------------------------------------------------------------------------

Value = TypeVar("Value")


class _Unreadable(Exception):
    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(reason)
        self.reason, self.cure = reason, cure


def _text(text: str, longest: int = 100) -> str:
    """A name or the like on one line; a line break inside a cell becomes a blank, any other control is refused."""
    clean = " ".join(text.split())
    if not clean.isprintable():
        clean = "".join(char for char in clean if unicodedata.category(char) != "Cf")  # zero width, direction marks
        if not clean.isprintable():
            raise _Unreadable("it holds control characters", "remove what cannot be seen")
    if len(clean) > longest:
        raise _Unreadable(f"longer than {longest} characters", "shorten it")
    return unicodedata.normalize("NFC", clean)


def _identifier(text: str) -> str:
    """An id as written; what Excel made of a long one is restored only where no digit can be lost."""
    clean = _text(text)
    match = _FLOAT.fullmatch(clean)
    if match and len(match[1]) <= 15:
        return match[1]
    if match or _SHORTENED.fullmatch(clean):
        raise _Unreadable("a spreadsheet has shortened it", "format the column as text and export again")
    return clean


def _currency(text: str) -> str:
    code = text.upper()
    if code not in MINOR_DIGITS:
        raise _Unreadable("unknown currency", f"use one of {', '.join(MINOR_DIGITS)}")
    return code


def _language(text: str) -> str:
    found = LANGUAGES.get(" ".join(text.casefold().split()))
    if found is None:
        raise _Unreadable("unknown language", "use id or en, or leave it empty for the campaign's")
    return found


def _integer(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,6})(?:\.0+)?", text)
    if not match:
        raise _Unreadable("no whole number", "use 0 to 999999")
    return int(match[1])


def _zone_name(text: str) -> str:
    found = ZONE_NAMES.get(text.casefold(), text)
    if found not in ZONE_NAMES.values():
        raise _Unreadable("unknown zone", "use WIB, WITA or WIT, or leave it empty")
    return found


def _zone(named: str, of_province: str, columns: Columns) -> str:
    if named and of_province and named != of_province:
        raise _Fault(columns.fields["zone"], named, "zone and province contradict each other", "correct one of them")
    return named or of_province


def _date(text: str, day_first: bool) -> date:
    iso, slashed = _ISO.fullmatch(text), _DAY_FIRST.fullmatch(text)
    if iso:
        year, month, day = int(iso[1]), int(iso[2]), int(iso[3])
    elif slashed:
        day, month, year = int(slashed[1]), int(slashed[3]), int(slashed[4])
        if not day_first and day <= 12 and month <= 12 and day != month:
            raise _Unreadable("day and month could be either", "write 2026-12-31, or set [list] day_first = true")
    else:
        raise _Unreadable("no date", "write 2026-12-31 or 31/12/2026")
    try:
        found = date(year, month, day)
    except ValueError:
        raise _Unreadable("no such day", "write 2026-12-31 or 31/12/2026, the day first") from None
    if not 1900 <= found.year <= 2099:
        raise _Unreadable("year out of range", "use a year from 1900 to 2099")
    return found


def read_amount(text: str, currency: str) -> int:
    """`Rp1.250.000` -> 1250000 in the currency's smallest written unit. Raises a fault with reason and cure."""
    digits = MINOR_DIGITS[currency]
    money = _MONEY.fullmatch(text.strip())
    value = _decimal(money[1].strip() if money else text, digits)
    scaled = value.scaleb(digits)
    if scaled != scaled.to_integral_value():
        raise _Unreadable(f"finer than the smallest unit of {currency}", "round it")
    if scaled >= 10**15:
        raise _Unreadable("too large to be a debt", "correct it")
    return int(scaled)


def _decimal(text: str, digits: int) -> Decimal:
    grouped, plain = _GROUPED.fullmatch(text), _PLAIN.fullmatch(text)
    if grouped and grouped[1] != grouped[2]:
        if digits and not grouped[2] and text.count(grouped[1]) == 1 and grouped[1] in ".,":
            raise _Unreadable("thousands or decimals?", "write 1250.00")
        whole = text[: grouped.start(2)] if grouped[2] else text
        fraction = grouped[3] or ""
        return Decimal(re.sub(r"[^0-9]", "", whole) + ("." + fraction if fraction else ""))
    if plain:
        return Decimal(text.replace(",", "."))
    if _SHORTENED.fullmatch(text):
        return _unshortened(text)
    raise _Unreadable("no amount", "write 1250000 or Rp1.250.000")


def _unshortened(text: str) -> Decimal:
    """1.25E+06 is 1250000 only where the mantissa reaches down to the last digit that counts."""
    try:
        value = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise _Unreadable("no amount", "write 1250000") from None
    if value != value.to_integral_value() or value.as_tuple().exponent != 0:
        raise _Unreadable("a spreadsheet has shortened it", "format the column as a number without decimals")
    return value
