"""Telephone numbers as lists write them -> E.164, by libphonenumber; what is no subscriber's number is refused."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberType

from dialer.lists.values import NO_FACTS

SUBSCRIBERS = frozenset(
    {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.VOIP}
)
LENGTH_MAX = 40
# valid by libphonenumber as no mobile, yet no subscriber: call centres of Indonesia, 1500xxx, also behind an area code
CALL_CENTRES = {62: re.compile(r"(?:[2-9][0-9]{1,2})?1500[0-9]{3}")}
_SPLIT = re.compile(r"[/;,|&\r\n]+|\s+(?:atau|or|dan|and)\s+", re.IGNORECASE)
_PLAIN = re.compile(r"\+?[0-9]*")
_WRITTEN = re.compile(r"\(?\+?[0-9(][0-9 ().\u00a0\u2010\u2011\u2013-]*")
_JUNK = re.compile(r"[^0-9+]")
_EXCEL_FLOAT = re.compile(r"([0-9]+)\.0+")
_EXCEL_FRACTION = re.compile(r"[0-9]{7,}[.,][0-9]{1,2}")
_EXCEL_SHORT = re.compile(r"[0-9][.,]([0-9]+)E\+?([0-9]{1,2})", re.IGNORECASE)


class NumberFault(Exception):
    """Not a number that may be dialled; `reason` and `cure` are for the operator, `code` and `facts` for
    other languages."""

    def __init__(self, reason: str, cure: str, code: str = "", facts: Mapping[str, str] = NO_FACTS) -> None:
        super().__init__(reason)
        self.reason, self.cure, self.code, self.facts = reason, cure, code, facts


def split_numbers(cell: str) -> list[str]:
    """The numbers of one cell: `0812... / 021...`."""
    return [cell] if _PLAIN.fullmatch(cell) else _split(cell)


def _split(cell: str) -> list[str]:
    # 8,12E+10 is one number of a spreadsheet whose decimals have a comma
    return [cell] if _EXCEL_SHORT.fullmatch(cell.strip()) else _SPLIT.split(cell)


def restored(text: str, e164: str) -> bool:
    """Whether a spreadsheet had changed a number that could be read all the same: `.0`, `E+10`, a leading 0 lost."""
    if ("." in text and _EXCEL_FLOAT.fullmatch(text.lstrip("'"))) or "E" in text.upper():
        return True
    return text[:1] not in ("0", "+", "(", "'") and not e164.startswith("+" + _JUNK.sub("", text))


def read_number(text: str, region: str, country_codes: frozenset[int]) -> str:
    """E.164 of one number, read as dialled in `region` (ISO, `ID`). Raises NumberFault.

    What Excel has made of it is restored where no digit was lost: `6281234567890.0`, `81234567890` (the leading 0 of a
    mobile). `62...` without + is refused where it could also be a number inside the country.
    """
    digits = _digits(text)
    number = _plain_mobile(digits, region, country_codes)
    return number or _by_library(digits, region, country_codes)


def _digits(text: str) -> str:
    """Only digits and a leading +."""
    clean = text.strip().lstrip("'")
    if len(clean) > LENGTH_MAX:
        raise NumberFault("too long for a number", "one number, or several divided by /", "number_too_long")
    if match := _EXCEL_FLOAT.fullmatch(clean):
        return match[1]
    if match := _EXCEL_SHORT.fullmatch(clean):
        if len(match[1]) != int(match[2]):
            raise NumberFault(
                "a spreadsheet has shortened it", "format the column as text and export again", "spreadsheet_shortened"
            )
        return str(int(Decimal(clean.replace(",", "."))))
    if not _WRITTEN.fullmatch(clean) or _EXCEL_FRACTION.fullmatch(clean):
        raise NumberFault("no telephone number", "write +6281234567890, without extension or text", "no_telephone")
    return _JUNK.sub("", clean)


# ---- the short way, for nearly every row: a mobile of the region, by libphonenumber's own patterns -------------------


@dataclass(frozen=True, slots=True)
class _Region:
    code: str
    trunk: str
    general: re.Pattern[str]
    mobile: re.Pattern[str]
    special: re.Pattern[str]  # what libphonenumber looks for before it says mobile


@lru_cache(maxsize=16)
def _region(region: str) -> _Region | None:
    """None where a region's mobiles cannot be told by one pattern."""
    data = PhoneMetadata.metadata_for_region(region)
    if data is None or data.national_prefix_for_parsing != "0" or data.national_prefix_transform_rule:
        return None
    before = (data.premium_rate, data.toll_free, data.shared_cost, data.voip, data.personal_number, data.pager)
    others = [*before, data.uan, data.voicemail]
    patterns = [desc.national_number_pattern for desc in others if desc and desc.national_number_pattern]
    general = data.general_desc and data.general_desc.national_number_pattern
    mobile = data.mobile and data.mobile.national_number_pattern
    if not general or not mobile:
        return None
    special = "|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)"
    return _Region(str(data.country_code), "0", re.compile(general), re.compile(mobile), re.compile(special))


def _plain_mobile(digits: str, region: str, country_codes: frozenset[int]) -> str | None:
    """E.164 of a mobile of the region; None: ask the library."""
    known = _region(region)
    if known is None or int(known.code) not in country_codes:
        return None
    if digits.startswith("+"):
        if not digits.startswith(known.code, 1):
            return None
        national = digits[1 + len(known.code) :]
    elif digits.startswith(known.trunk):
        national = digits[1:]
    elif digits.startswith(known.code):
        if known.general.fullmatch(digits):
            return None
        national = digits[len(known.code) :]
    else:
        national = digits
    if not known.mobile.fullmatch(national) or known.special.fullmatch(national):
        return None
    return f"+{known.code}{national}" if known.general.fullmatch(national) else None


# ---- the long way ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reading:
    number: PhoneNumber
    e164: str
    kind: int  # a PhoneNumberType; its unknown ones are not valid


def _by_library(digits: str, region: str, country_codes: frozenset[int]) -> str:
    readings = {one.e164: one for one in _readings(digits, region)}
    if len(readings) > 1:
        raise NumberFault(
            "can be read with and without country code", "write it with + and country code", "two_readings"
        )
    for one in readings.values():
        _check(one, country_codes)
        return one.e164
    raise NumberFault("no number of a subscriber", "correct it; write +6281234567890", "no_subscriber")


def _readings(digits: str, region: str) -> list[_Reading]:
    """What the digits may mean: at most one where they begin with + or 0."""
    if digits.startswith(("+", "0")):
        return _parsed(digits, region)
    code = str(phonenumbers.country_code_for_region(region))
    abroad = _parsed(f"+{digits}", region) if digits.startswith(code) else []
    data = PhoneMetadata.metadata_for_region(region)
    if data is None or data.national_prefix != "0":
        return abroad + _parsed(digits, region)
    inside = _parsed(f"0{digits}", region)
    # a fixed line is not believed to have lost its 0: the digits may as well be a foreign number without its +
    lost_zero = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return abroad + [one for one in inside if abroad or one.kind in lost_zero]


def _parsed(digits: str, region: str) -> list[_Reading]:
    try:
        number = phonenumbers.parse(digits, region)
    except NumberParseException:
        return []
    kind = phonenumbers.number_type(number)  # that it has one is what is_valid_number() asks for
    if kind == PhoneNumberType.UNKNOWN:
        return []
    return [_Reading(number, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), kind)]


def _check(one: _Reading, country_codes: frozenset[int]) -> None:
    code = one.number.country_code or 0
    if code not in country_codes:
        allowed = ", ".join(f"+{code}" for code in sorted(country_codes))
        raise NumberFault(
            "a country that is not called",
            f"numbers of {allowed} only; see [list] country_codes",
            "country_not_called",
            {"allowed": allowed},
        )
    centre = None if one.kind == PhoneNumberType.MOBILE else CALL_CENTRES.get(code)  # 0811 500 000 is somebody's
    if one.kind not in SUBSCRIBERS or (
        centre and centre.fullmatch(phonenumbers.national_significant_number(one.number))
    ):
        raise NumberFault("a service or premium number", "give the debtor's own number", "service_number")
