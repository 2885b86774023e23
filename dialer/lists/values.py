"""Values as lists write them: text, ids, money, dates, words; what can be read in two ways is refused."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from types import MappingProxyType

from dialer.lists.provinces import ZONE_NAMES

TEXT_MAX = 100  # characters of a name and the like
BLANK = frozenset({"", "-", "--", "n/a", "#n/a", "null", "none", "nan", "tidak ada"})  # how programs write no value
SHORTENED_CURE = "format the column as text and export again"
LANGUAGES = {
    "id": "id", "in": "id", "ind": "id", "indonesia": "id", "indonesian": "id", "bahasa indonesia": "id",
    "en": "en", "eng": "en", "english": "en", "inggris": "en", "bahasa inggris": "en",
}  # fmt: skip
YES = frozenset({"ya", "y", "yes", "true", "1", "setuju", "ada"})
NO = frozenset({"tidak", "t", "no", "n", "false", "0", "belum"})
MINOR_DIGITS = {"IDR": 0, "USD": 2, "GBP": 2, "EUR": 2, "SGD": 2, "MYR": 2}
_CURRENCIES = {"RP": "IDR", "RP.": "IDR", "RUPIAH": "IDR"}

_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_DAY_FIRST = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})(?: 00:00(?::00)?)?")
_MONEY = re.compile(r"(?:RP\.?|IDR|US\$|USD|\$|GBP|£|EUR|€|SGD|S\$|MYR|RM)?\s*(.*?)(?:,-|\.-|,--)?", re.IGNORECASE)
_GROUPED = re.compile(r"[0-9]{1,3}(?:([.,' ])[0-9]{3})(?:\1[0-9]{3})*(?:([.,])([0-9]{1,2}))?")
_PLAIN = re.compile(r"[0-9]+(?:[.,]([0-9]+))?")
_SHORTENED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]{1,2}", re.IGNORECASE)
_FLOAT = re.compile(r"([0-9]+)\.0+")
_WHOLE = re.compile(r"([0-9]{1,6})(?:\.0+)?")
_ERROR = re.compile(r"#(?:N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA)", re.IGNORECASE)
_POST_CODE = re.compile(r"[0-9]{5}(?:\.0+)?")


NO_FACTS: Mapping[str, str] = MappingProxyType({})


class Unreadable(Exception):
    """Why a value is none, and the cure; both are for the operator; `code` and `facts`: for other languages."""

    def __init__(self, reason: str, cure: str, code: str = "", facts: Mapping[str, str] = NO_FACTS) -> None:
        super().__init__(reason)
        self.reason, self.cure, self.code, self.facts = reason, cure, code, facts


def plain_cell(text: str) -> str:
    """A cell without its margins; empty where it says that there is nothing. Excel's ' before a formula goes."""
    clean = text.strip()
    if clean[:1] == "'" and clean[1:2] in "=+-@":
        clean = clean[1:]
    return "" if clean.casefold() in BLANK else clean


def for_export(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; plain_cell() reads it back."""
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") or text[:1] in ("\t", "\r") else text


def read_line(text: str, longest: int = TEXT_MAX) -> str:
    """A name or the like on one line; a line break inside a cell becomes a blank, any other control is refused."""
    clean = " ".join(text.split())
    if not clean.isascii() or not clean.isprintable():
        clean = "".join(char for char in clean if unicodedata.category(char) != "Cf")  # zero width, direction marks
        if not clean.isprintable():
            raise Unreadable("it holds control characters", "remove what cannot be seen", "control_characters")
        clean = unicodedata.normalize("NFC", clean)
    if len(clean) > longest:
        raise Unreadable(f"longer than {longest} characters", "shorten it", "too_long", {"n": str(longest)})
    if clean[:1] == "#" and _ERROR.fullmatch(clean):
        raise Unreadable("a spreadsheet's error stands for the value", "correct the formula", "spreadsheet_error")
    return clean


def read_identifier(text: str) -> str:
    """An id as written; what Excel made of a long one is restored only where no digit can be lost."""
    clean = read_line(text)
    match = _FLOAT.fullmatch(clean)
    if match and len(match[1]) <= 15:
        return match[1]
    if match or _SHORTENED.fullmatch(clean):
        raise Unreadable("a spreadsheet has shortened it", SHORTENED_CURE, "spreadsheet_shortened")
    return clean


def read_currency(text: str) -> str:
    """An ISO 4217 code."""
    found = _CURRENCIES.get(text.upper(), text.upper())
    if found not in MINOR_DIGITS:
        raise Unreadable(
            "unknown currency",
            f"use one of {', '.join(MINOR_DIGITS)}",
            "currency_unknown",
            {"known": ", ".join(MINOR_DIGITS)},
        )
    return found


def read_language(text: str) -> str:
    """`id` or `en`."""
    found = LANGUAGES.get(" ".join(text.casefold().split()))
    if found is None:
        raise Unreadable("unknown language", "use id or en, or leave it empty for the campaign's", "language_unknown")
    return found


def read_integer(text: str) -> int:
    """0 to 999999."""
    match = _WHOLE.fullmatch(text)
    if not match:
        raise Unreadable("no whole number", "use 0 to 999999", "no_whole_number")
    return int(match[1])


def read_score(text: str) -> int:
    """0 to 999."""
    match = _WHOLE.fullmatch(text)
    if not match or int(match[1]) > 999:
        raise Unreadable("no score", "use a whole number from 0 to 999, the higher called first", "no_score")
    return int(match[1])


def read_zone(text: str) -> str:
    """An IANA zone of Indonesia."""
    found = ZONE_NAMES.get(text.casefold(), text)
    if found not in ZONE_NAMES.values():
        raise Unreadable("unknown zone", "use WIB, WITA or WIT, or leave it empty", "zone_unknown")
    return found


def read_post_code(text: str) -> str:
    """Five digits."""
    if not _POST_CODE.fullmatch(text):
        raise Unreadable("no post code", "use its five digits, or leave it empty", "no_post_code")
    return text[:5]


def read_yes(text: str) -> bool:
    """`ya` or `tidak`."""
    word = text.casefold()
    if word not in YES | NO:
        raise Unreadable("neither yes nor no", "use ya or tidak", "no_yes_no")
    return word in YES


@lru_cache(maxsize=4096)  # a list has few days, and each many times
def read_date(text: str, day_first: bool) -> date:
    """A day; with the time of midnight at most."""
    iso, slashed = _ISO.fullmatch(text), _DAY_FIRST.fullmatch(text)
    if iso:
        year, month, day = int(iso[1]), int(iso[2]), int(iso[3])
    elif slashed:
        day, month, year = int(slashed[1]), int(slashed[3]), int(slashed[4])
        if not day_first and day <= 12 and month <= 12 and day != month:
            raise Unreadable(
                "day and month could be either", "write 2026-12-31, or set [list] day_first = true", "day_or_month"
            )
    else:
        raise Unreadable("no date", "write 2026-12-31 or 31/12/2026", "no_date")
    try:
        found = date(year, month, day)
    except ValueError:
        raise Unreadable("no such day", "write 2026-12-31 or 31/12/2026, the day first", "no_such_day") from None
    if not 1900 <= found.year <= 2099:
        raise Unreadable("year out of range", "use a year from 1900 to 2099", "year_range")
    return found


def read_amount(text: str, currency: str) -> int:
    """`Rp1.250.000` -> 1250000 in the currency's smallest written unit. Raises Unreadable with reason and cure."""
    digits = MINOR_DIGITS[currency]
    money = _MONEY.fullmatch(text.strip())
    value = _decimal(money[1].strip() if money else text, digits)
    scaled = value.scaleb(digits)
    if scaled != scaled.to_integral_value():
        raise Unreadable(f"finer than the smallest unit of {currency}", "round it", "too_fine", {"currency": currency})
    if scaled >= 10**15:
        raise Unreadable("too large to be a debt", "correct it", "too_large_debt")
    return int(scaled)


def _decimal(text: str, digits: int) -> Decimal:
    grouped, plain = _GROUPED.fullmatch(text), _PLAIN.fullmatch(text)
    if grouped and grouped[1] != grouped[2]:
        if digits and not grouped[2] and text.count(grouped[1]) == 1 and grouped[1] in ".,":
            raise Unreadable("thousands or decimals?", "write 1250.00", "thousands_or_decimals")
        whole = text[: grouped.start(2)] if grouped[2] else text
        fraction = grouped[3] or ""
        return Decimal(re.sub(r"[^0-9]", "", whole) + ("." + fraction if fraction else ""))
    if plain:
        return Decimal(text.replace(",", "."))
    if _SHORTENED.fullmatch(text):
        return _unshortened(text)
    raise Unreadable("no amount", "write 1250000 or Rp1.250.000", "no_amount")


def _unshortened(text: str) -> Decimal:
    """1.25E+06 is 1250000 only where the mantissa reaches down to the last digit that counts."""
    try:
        value = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise Unreadable("no amount", "write 1250000", "no_amount") from None
    if value != value.to_integral_value() or value.as_tuple().exponent != 0:
        raise Unreadable(
            "a spreadsheet has shortened it",
            "format the column as a number without decimals",
            "spreadsheet_shortened_sum",
        )
    return value
