"""Numbers, dates and money in words, against num2words and by example."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from dialer.errors import BadInput
from dialer.lists.values import MINOR_DIGITS
from ivr import spoken

EDGES = [0, 1, 9, 10, 11, 12, 19, 20, 21, 99, 100, 101, 110, 111, 200, 999, 1000, 1001, 1010, 1100, 1111, 2000, 11_000]
EDGES += [100_000, 101_000, 999_999, 10**6, 10**6 + 1, 1_001_000, 1_101_001, 10**9, 10**12, 10**15 - 1, 10**15]


def words(number: int, language: str) -> str:
    return " ".join(spoken.cardinal(number, language))


def expected(number: int, language: str) -> str:
    """What num2words says, without its commas, and with what it gets wrong put right: see SERIBU."""
    said = str(num2words(number, lang=language)).replace(",", "")
    return said if language == "en" else SERIBU.sub("seribu", said)


# The only difference: after millions num2words says "satu juta satu ribu"; Indonesian has se- for one thousand wherever
# it stands by itself (satu juta seribu), as num2words itself does below a million. Not in "dua puluh satu ribu".
SERIBU = re.compile(r"(?<=juta )satu ribu\b|(?<=miliar )satu ribu\b|(?<=liun )satu ribu\b")


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


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (100, "seratus"),
        (1_000, "seribu"),
        (1_100, "seribu seratus"),
        (100_000, "seratus ribu"),
        (101_000, "seratus satu ribu"),
        (21_000, "dua puluh satu ribu"),
        (1_000_000, "satu juta"),
        (1_001_000, "satu juta seribu"),
        (2_001_001_001, "dua miliar satu juta seribu satu"),
        (10**15 + 1_000, "satu kuadriliun seribu"),
    ],
)
def test_where_indonesian_says_se(number: int, said: str) -> None:
    """seribu, seratus; but satu juta: sejuta is the market's word, not a lender's."""
    assert words(number, "id") == said


def test_the_exception_is_the_only_one() -> None:
    differ = {n for n in EDGES if words(n, "id") != str(num2words(n, lang="id"))}
    assert differ == {1_001_000}


@given(st.integers(1, 10**12).filter(lambda n: n // 1000 % 1000 != 1 or n < 10**6))
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
        (1_001_000, "IDR", "id", "satu juta seribu rupiah"),
        (0, "IDR", "id", "nol rupiah"),
        (1_250_000, "IDR", "en", "one million two hundred and fifty thousand rupiah"),
        (1999, "USD", "en", "nineteen US dollars ninety-nine cents"),
        (101, "USD", "en", "one US dollar one cent"),
        (50, "SGD", "id", "lima puluh sen"),
        (500, "MYR", "id", "lima ringgit"),
        (2_000_001, "GBP", "en", "twenty thousand pounds one penny"),
        (100, "EUR", "en", "one euro"),
        (1050, "PHP", "id", "sepuluh peso Filipina lima puluh sentimo"),
        (1500, "JPY", "en", "one thousand five hundred yen"),
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


@pytest.mark.parametrize(
    ("time", "indonesian", "english"),
    [
        ("0000", "dua belas malam", "twelve midnight"),
        ("0030", "dua belas lewat tiga puluh menit malam", "twelve thirty in the morning"),
        ("0305", "tiga lewat lima menit dini hari", "three oh-five in the morning"),
        ("0900", "sembilan pagi", "nine in the morning"),
        ("1200", "dua belas siang", "twelve noon"),
        ("1430", "dua lewat tiga puluh menit siang", "two thirty in the afternoon"),
        ("1715", "lima lewat lima belas menit sore", "five fifteen in the afternoon"),
        ("2359", "sebelas lewat lima puluh sembilan menit malam", "eleven fifty-nine in the evening"),
    ],
)
def test_hours(time: str, indonesian: str, english: str) -> None:
    assert " ".join(spoken.clock(time, "id")) == indonesian
    assert " ".join(spoken.clock(time, "en")) == english


def test_every_minute_of_a_day_sounds_different() -> None:
    for language in spoken.LANGUAGES:
        known = set(spoken.inventory(language))
        day = {spoken.clock(f"{hour:02}{minute:02}", language) for hour in range(24) for minute in range(60)}
        assert len(day) == 24 * 60
        assert {piece for time in day for piece in time} <= known


@pytest.mark.parametrize("time", ["", "2400", "1260", "9:30", "930", "-100", "٠٩٠٠", "09000"])
def test_what_is_no_hour_is_refused(time: str) -> None:
    with pytest.raises(BadInput, match="HHMM"):
        spoken.clock(time, "id")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("12345678", "satu dua tiga empat. lima enam tujuh delapan"),
        ("8808-1234 5", "delapan delapan nol delapan. satu dua tiga empat lima"),
        ("123", "satu dua tiga"),
        ("", ""),
    ],
)
def test_a_long_number_is_read_in_groups(number: str, said: str) -> None:
    assert " ".join(spoken.groups(number, "id")) == said


@given(st.text("0123456789", max_size=40), st.sampled_from(spoken.LANGUAGES), st.integers(2, 6))
def test_groups_lose_no_digit_and_leave_none_alone(number: str, language: str, size: int) -> None:
    said = spoken.groups(number, language, size)
    assert tuple(piece.rstrip(".") for piece in said) == spoken.digits(number, language)
    parts = " ".join(said).split(".") if said else []
    assert all(2 <= len(part.split()) <= size + 1 for part in parts[-1:]) or len(number) < 2
    assert all(len(part.split()) == size for part in parts[:-1])


@given(st.integers(0, 10**15), st.sampled_from(spoken.CURRENCIES), st.sampled_from(spoken.LANGUAGES))
def test_every_currency_is_put_together_from_its_inventory(amount: int, currency: str, language: str) -> None:
    assert set(spoken.money(amount, currency, language)) <= set(spoken.inventory(language, currency))


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
