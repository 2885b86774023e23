"""Types of numbers by their patterns: the same as libphonenumber says at length."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.law.number_plan import NumberType, area_zones, number_type, prefixes
from dialer.model import Number
from tests.packs import LONDON, NEW_YORK, NUMBER
from tests.slow_gate import line


@pytest.mark.parametrize(
    ("e164", "country", "wanted"),
    [
        (NUMBER.e164, "ID", NumberType.MOBILE),
        ("+62215551234", "ID", NumberType.FIXED_LINE),
        ("+628091234567", "ID", NumberType.PREMIUM_RATE),
        ("+628001234567", "ID", NumberType.TOLL_FREE),
        ("+62112", "ID", None),
        ("+62110", "ID", None),
        ("+621500888", "ID", NumberType.UAN),
        ("+6281234567890", "US", None),
        (NEW_YORK.e164, "US", NumberType.FIXED_LINE_OR_MOBILE),
        ("+19002123456", "US", NumberType.PREMIUM_RATE),
        ("+18005550123", "US", NumberType.TOLL_FREE),
        ("+14165550123", "US", None),  # Toronto
        ("+18765550123", "US", None),  # Jamaica: a dear one
        ("+1911", "US", None),
        (LONDON.e164, "GB", NumberType.FIXED_LINE),
        ("+447400123456", "GB", NumberType.MOBILE),
        ("+447012345678", "GB", NumberType.PERSONAL),
        ("+449098790000", "GB", NumberType.PREMIUM_RATE),
        ("+44999", "GB", None),
        ("081234567890", "ID", None),
        ("+6281234567890;ext=1", "ID", None),
        ("", "ID", None),
    ],
)
def test_types(e164: str, country: str, wanted: NumberType | None) -> None:
    assert number_type(e164, (country,)) is wanted


NATIONAL = st.text("0123456789", min_size=4, max_size=11)
KINDS = [value for name, value in vars(phonenumbers.PhoneNumberType).items() if isinstance(value, int)]


@settings(max_examples=400)
@given(
    country=st.sampled_from(["ID", "US", "GB"]),
    digits=NATIONAL,
    like=st.sampled_from(KINDS),
    kept=st.integers(0, 8),
)
def test_the_same_as_libphonenumber(country: str, digits: str, like: int, kept: int) -> None:
    """Of random digits, and of examples of each type with their tails changed."""
    example = phonenumbers.example_number_for_type(country, like)
    model = str(example.national_number) if example else digits
    national = model[:kept] + digits[: max(0, len(model) - kept)]
    e164 = f"{prefixes([country])[0]}{national}"
    found_in, kind = line(Number(e164, "n1"))
    wanted = kind if found_in == country and kind != "unknown" else None
    assert number_type(e164, (country,)) == wanted


def test_several_countries() -> None:
    assert number_type(LONDON.e164, ("ID", "GB")) is NumberType.FIXED_LINE
    assert prefixes(["ID", "US", "CA"]) == ("+62", "+1")
    with pytest.raises(ValueError, match="'XX'"):
        number_type(LONDON.e164, ("XX",))


@pytest.mark.parametrize(
    ("e164", "zones"),
    [
        ("+12125550123", ("America/New_York",)),
        ("+18504325123", ("America/Chicago",)),
        ("+18505550123", ("America/New_York",)),
        ("+19075550123", None),
        ("+18005550123", None),
    ],
)
def test_the_zone_of_an_area(e164: str, zones: tuple[str, ...] | None) -> None:
    from phonenumbers.timezone import time_zones_for_geographical_number

    found = area_zones(e164)
    assert zones is None or found == zones
    if found:
        assert found == time_zones_for_geographical_number(phonenumbers.parse(e164))
