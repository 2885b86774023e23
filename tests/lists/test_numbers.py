"""The short way of reading a number beside libphonenumber: equal, over every beginning that its patterns tell apart."""

import re
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata

from dialer.lists.numbers import NumberFault, _by_library, _plain_mobile, read_number, restored, split_numbers

INDONESIA = frozenset({62})
FORMS = ("0{}", "+62{}", "62{}", "{}")
PREFIX = 4  # digits that decide; proven below


def by_library(digits: str) -> str:
    """What it says without the short way; empty: refused."""
    try:
        return _by_library(digits, "ID", INDONESIA)
    except NumberFault:
        return ""


def test_the_patterns_look_at_the_first_digits_and_the_length_only() -> None:
    """So that trying each beginning with each length, and a few endings, tries everything that a mobile can be."""
    data = PhoneMetadata.metadata_for_region("ID")
    assert data
    assert data.mobile
    pattern = re.sub(r"\s", "", data.mobile.national_number_pattern or "")
    deepest = 0
    for branch in re.split(r"\|", pattern):
        head = re.split(r"\\d", branch)[0]  # what stands before the digits that may be any
        classes = re.findall(r"\[[^\]]*\]|[0-9]", head)
        deepest = max(deepest, len(classes))
    assert 1 <= deepest <= PREFIX
    assert not re.findall(r"\\d[^\\|)]*[0-9\[](?![^{]*\})", pattern), "a digit that decides stands behind free ones"


def mobiles() -> Iterator[str]:
    """Every beginning 8xxx with every length, two endings."""
    for head in range(8000, 9000):
        for length in range(7, 15):
            for filler in ("0", "9"):
                yield f"{head}".ljust(length, filler)


def test_the_short_way_is_libphonenumbers_over_all_beginnings() -> None:
    taken = 0
    for national in mobiles():
        expected = None
        for form in FORMS:
            digits = form.format(national)
            short = _plain_mobile(digits, "ID", INDONESIA)
            if short is None:
                continue
            taken += 1
            if expected is None:
                expected = by_library(f"+62{national}")
            assert short == expected, digits
            if form != "0{}":
                continue
            assert by_library(digits) == short, digits
    assert taken > 10_000


@settings(max_examples=400)
@given(form=st.sampled_from(FORMS), national=st.from_regex(r"[1-9][0-9]{3,14}", fullmatch=True))
def test_the_short_way_agrees_or_leaves_it(form: str, national: str) -> None:
    digits = form.format(national)
    short = _plain_mobile(digits, "ID", INDONESIA)
    assert short is None or short == by_library(digits)


@settings(max_examples=400)
@given(form=st.sampled_from(FORMS), national=st.from_regex(r"8[0-9]{7,12}", fullmatch=True))
def test_the_short_way_agrees_on_what_looks_like_a_mobile(form: str, national: str) -> None:
    digits = form.format(national)
    short = _plain_mobile(digits, "ID", INDONESIA)
    assert short is None or short == by_library(digits)


def test_the_short_way_is_taken_by_what_lists_hold() -> None:
    for prefix in (811, 812, 813, 821, 822, 852, 853, 857, 858, 859, 877, 878, 881, 882, 895, 896, 897, 898, 899):
        for form in ("0{}", "+62{}", "{}"):
            assert _plain_mobile(form.format(f"{prefix}12345678"), "ID", INDONESIA)


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("081234567890", ["081234567890"]),
        ("081234567890/081234567891", ["081234567890", "081234567891"]),
        ("0812 3456 7890 atau 021-5551234", ["0812 3456 7890", "021-5551234"]),
        ("8,1234567890E+10", ["8,1234567890E+10"]),  # a decimal comma divides nothing
        ("0812,0813", ["0812", "0813"]),
    ],
)
def test_several_numbers_in_a_cell(cell: str, numbers: list[str]) -> None:
    assert split_numbers(cell) == numbers


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("081234567890", False),
        ("+62 812-3456-7890", False),
        ("6281234567890", False),
        ("62 812 3456 7890", False),
        ("(0812) 34567890", False),
        ("'081234567890", False),
        ("0812.3456.7890", False),
        ("81234567890", True),
        ("81234567890.0", True),
        ("6281234567890.0", True),
        ("6.281234567890e12", True),
        ("8.1234567890E+10", True),
    ],
)
def test_what_a_spreadsheet_has_changed_is_told(text: str, changed: bool) -> None:
    e164 = read_number(text, "ID", INDONESIA)
    assert e164 == "+6281234567890"
    assert restored(text, e164) is changed


@pytest.mark.parametrize("text", ["6.281234567e12", "6.28E+12", "8.12E10", "6281234567890.5", "6.2812345678901E+12"])
def test_a_number_that_lost_digits_is_refused(text: str) -> None:
    with pytest.raises(NumberFault):
        read_number(text, "ID", INDONESIA)


@pytest.mark.parametrize("region", ["ID", "GB", "US", "SG", "MY", "AU"])
def test_emergency_short_and_premium_numbers_are_refused(region: str) -> None:
    code = phonenumbers.country_code_for_region(region)
    numbers = ["112", "110", "911", "999", "119", "1500123", "118", "113"]
    for kind in (phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            numbers.append(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164))
    for number in numbers:
        with pytest.raises(NumberFault):
            read_number(number, region, frozenset({code}))


@settings(max_examples=300)
@given(st.from_regex(r"(\+?(62|65|1|44))?0?[1-9][0-9]{3,12}", fullmatch=True))
def test_a_number_with_a_type_is_a_valid_one(text: str) -> None:
    """So that the library is asked once."""
    try:
        number = phonenumbers.parse(text, "ID")
    except phonenumbers.NumberParseException:
        return
    typed = phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.UNKNOWN
    assert typed == phonenumbers.is_valid_number(number)
