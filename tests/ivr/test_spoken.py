"""Numbers, dates and money in words, against num2words and by example."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from dialer.errors import BadInput
from dialer.values import MINOR_DIGITS
from ivr import spoken

EDGES = [0, 1, 9, 10, 11, 12, 19, 20, 21, 99, 100, 101, 110, 111, 200, 999, 1000, 1001, 1010, 1100, 1111, 2000, 11_000]
EDGES += [100_000, 101_000, 999_999, 10**6, 10**6 + 1, 1_001_000, 1_101_001, 10**9, 10**12, 10**15 - 1, 10**15]


def words(number: int, language: str) -> str:
    return " ".join(spoken.cardinal(number, language))


def expected(number: int, language: str) -> str:
    return str(num2words(number, lang=language)).replace(",", "")


@given(st.integers(0, 10**15))
def test_indonesian_is_num2words(number: int) -> None:
    assert words(number, "id") == expected(number, "id")


@given(st.integers(0, 10**15))
def test_english_is_num2words(number: int) -> None:
    assert words(number, "en") == expected(number, "en")


@pytest.mark.parametrize("number", EDGES)
@pytest.mark.parametrize("language", spoken.LANGUAGES)
def test_edges(number: int, language: str) -> None:
    assert words(number, language) == expected(number, language)


@pytest.mark.parametrize("language", spoken.LANGUAGES)
def test_every_number_below_ten_thousand(language: str) -> None:
    assert [n for n in range(10_000) if words(n, language) != expected(n, language)] == []


@given(st.integers(1, 10**12))
def test_ordinals(number: int) -> None:
    assert spoken.ordinal(number, "id") == num2words(number, lang="id", to="ordinal")
    assert spoken.ordinal(number, "en") == num2words(number, lang="en", to="ordinal").replace(",", "")


@pytest.mark.parametrize("number", [-1, 10**18])
def test_what_cannot_be_spoken_is_refused(number: int) -> None:
    with pytest.raises(BadInput):
        spoken.cardinal(number, "id")


@pytest.mark.parametrize(
    ("amount", "currency", "language", "said"),
    [
        (1_250_000, "IDR", "id", "satu juta dua ratus lima puluh ribu rupiah"),
        (1_000, "IDR", "id", "seribu rupiah"),
        (1_001_000, "IDR", "id", "satu juta satu ribu rupiah"),
        (0, "IDR", "id", "nol rupiah"),
        (1_250_000, "IDR", "en", "one million two hundred and fifty thousand rupiah"),
        (1999, "USD", "en", "nineteen US dollars ninety-nine cents"),
        (101, "USD", "en", "one US dollar one cent"),
        (50, "SGD", "id", "lima puluh sen"),
        (500, "MYR", "id", "lima ringgit"),
        (2_000_001, "GBP", "en", "twenty thousand pounds one penny"),
        (100, "EUR", "en", "one euro"),
    ],
)
def test_money(amount: int, currency: str, language: str, said: str) -> None:
    assert " ".join(spoken.money(amount, currency, language)) == said


@pytest.mark.parametrize("currency", MINOR_DIGITS)
def test_every_currency_of_a_list_can_be_spoken(currency: str) -> None:
    """With as many decimals as the list's reader takes it to have."""
    for language in spoken.LANGUAGES:
        whole = spoken.money(3 * 10 ** MINOR_DIGITS[currency], currency, language)
        assert whole[:-1] == spoken.cardinal(3, language)


def test_unknown_currency_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="IDR"):
        spoken.money(1, "XXX", "id")


@pytest.mark.parametrize(
    ("day", "language", "said"),
    [
        (date(2026, 11, 25), "id", "dua puluh lima November"),
        (date(2026, 11, 25), "en", "the twenty-fifth of November"),
        (date(2027, 1, 2), "id", "dua Januari dua ribu dua puluh tujuh"),
        (date(2027, 1, 2), "en", "the second of January twenty twenty-seven"),
    ],
)
def test_dates(day: date, language: str, said: str) -> None:
    assert " ".join(spoken.day(day, date(2026, 11, 21), language)) == said


@given(st.integers(1900, 2099))
def test_english_years(year: int) -> None:
    assert " ".join(spoken.year(year, "en")) == num2words(year, lang="en", to="year")


def test_digits_and_days() -> None:
    assert spoken.digits("25 1-1", "id") == ("dua", "lima", "satu", "satu")
    assert spoken.days(1, "en") == ("one", "day")
    assert spoken.days(12, "id") == ("dua belas", "hari")


@given(st.integers(0, 10**15), st.dates(date(2020, 1, 1), date(2099, 12, 31)), st.sampled_from(spoken.LANGUAGES))
def test_everything_is_put_together_from_the_inventory(amount: int, day: date, language: str) -> None:
    known = set(spoken.inventory(language))
    assert set(spoken.money(amount, "IDR", language)) <= known
    assert set(spoken.day(day, date(2026, 11, 21), language)) <= known
    assert set(spoken.days(amount, language)) <= known
