"""What kind of line an E.164 number is, by libphonenumber's own patterns: the gate's quick look at every call.

`phonenumbers.number_type` takes some fifty microseconds, as it parses first; what the gate is given is E.164 already.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache

from phonenumbers import PhoneMetadata, country_code_for_region


class NumberType(StrEnum):
    """libphonenumber's types. A short code or an emergency number is no E.164 number: it has none."""

    MOBILE = "mobile"
    FIXED_LINE = "fixed_line"
    FIXED_LINE_OR_MOBILE = "fixed_line_or_mobile"  # where the plan does not tell them apart, as in North America
    VOIP = "voip"
    PERSONAL = "personal"  # follows its owner, often at a price
    UAN = "uan"  # one number of a whole company
    PAGER = "pager"
    VOICEMAIL = "voicemail"
    TOLL_FREE = "toll_free"
    SHARED_COST = "shared_cost"
    PREMIUM_RATE = "premium_rate"


# in libphonenumber's order: what costs money is looked for first
_SPECIAL = (
    (NumberType.PREMIUM_RATE, "premium_rate"),
    (NumberType.TOLL_FREE, "toll_free"),
    (NumberType.SHARED_COST, "shared_cost"),
    (NumberType.VOIP, "voip"),
    (NumberType.PERSONAL, "personal_number"),
    (NumberType.PAGER, "pager"),
    (NumberType.UAN, "uan"),
    (NumberType.VOICEMAIL, "voicemail"),
)
SHORTEST_AREA, LONGEST_AREA = 4, 7  # digits with the country code: `1850`, `1850555`
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


@lru_cache(maxsize=32768)
def number_type(e164: str, countries: tuple[str, ...]) -> NumberType | None:
    """The type of a number in one of these countries; None: it is no number that their plans give to anybody."""
    if not _E164.fullmatch(e164):
        return None
    for country in countries:
        prefix, general, special, fixed, mobile = _plan(country)
        national = e164[len(prefix) :]
        if not e164.startswith(prefix) or not general.fullmatch(national):
            continue
        for kind, pattern in special:
            if pattern.fullmatch(national):
                return kind
        if fixed and fixed.fullmatch(national):
            both = mobile and (mobile is fixed or mobile.fullmatch(national))
            return NumberType.FIXED_LINE_OR_MOBILE if both else NumberType.FIXED_LINE
        if mobile and mobile.fullmatch(national):
            return NumberType.MOBILE
    return None


def prefixes(countries: Iterable[str]) -> tuple[str, ...]:
    """`+62` for ID."""
    return tuple(dict.fromkeys(f"+{country_code_for_region(country)}" for country in countries))


_Plan = tuple[
    str, re.Pattern[str], tuple[tuple[NumberType, re.Pattern[str]], ...], re.Pattern[str] | None, re.Pattern[str] | None
]


@lru_cache(maxsize=256)
def _plan(country: str) -> _Plan:
    plan = PhoneMetadata.metadata_for_region(country, None)
    if plan is None:
        raise ValueError(f"no numbering plan of {country!r} is known")
    general = _pattern(plan.general_desc)
    if general is None:
        raise ValueError(f"the numbering plan of {country!r} is empty")
    special = tuple((kind, found) for kind, name in _SPECIAL if (found := _pattern(getattr(plan, name))))
    fixed, mobile = _pattern(plan.fixed_line), _pattern(plan.mobile)
    if fixed and mobile and fixed.pattern == mobile.pattern:
        mobile = fixed
    return f"+{plan.country_code}", general, special, fixed, mobile


def _pattern(desc: object) -> re.Pattern[str] | None:
    text = getattr(desc, "national_number_pattern", None)
    return re.compile(text) if text else None


def area_zones(e164: str) -> tuple[str, ...]:
    """The IANA zones in which a North American number's area lies; empty: the plan ties it to no place."""
    zones = _zones_by_prefix()
    for digits in range(LONGEST_AREA, SHORTEST_AREA - 1, -1):
        if found := zones.get(e164[1 : digits + 1]):
            return found
    return ()


@lru_cache(maxsize=1)
def _zones_by_prefix() -> Mapping[str, tuple[str, ...]]:
    from phonenumbers.tzdata import TIMEZONE_DATA  # large, and only some packs ask

    found: Mapping[str, tuple[str, ...]] = TIMEZONE_DATA
    return found
