"""Money, dates, hours, digits and ordinals in Indonesian and English, from words of our own, cut into pieces to record.

A phrase is a tuple of pieces; joined by spaces it is what is said. Pieces are few (`inventory`), so that a voice can be
rendered or recorded once and every amount be put together from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from dialer.errors import BadInput

Pieces = tuple[str, ...]

LANGUAGES = ("id", "en")
LARGEST = 10**18 - 1

_ONES = {
    "id": "nol satu dua tiga empat lima enam tujuh delapan sembilan".split(),
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen".split(),
}
_TENS_EN = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = {
    "id": ("", "ribu", "juta", "miliar", "triliun", "kuadriliun"),
    "en": ("", "thousand", "million", "billion", "trillion", "quadrillion"),
}
_ORDINALS_EN = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_MONTHS = {
    "id": "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember".split(),
    "en": "January February March April May June July August September October November December".split(),
}


@dataclass(frozen=True, slots=True)
class _Currency:
    """How many digits follow the decimal point, and per language what one and many of each unit are called."""

    decimals: int
    major: dict[str, tuple[str, str]]
    minor: dict[str, tuple[str, str]]


_CENTS = {"id": ("sen", "sen"), "en": ("cent", "cents")}
_CURRENCIES = {
    "IDR": _Currency(0, {"id": ("rupiah", "rupiah"), "en": ("rupiah", "rupiah")}, {}),
    "USD": _Currency(2, {"id": ("dolar Amerika", "dolar Amerika"), "en": ("US dollar", "US dollars")}, _CENTS),
    "EUR": _Currency(2, {"id": ("euro", "euro"), "en": ("euro", "euros")}, _CENTS),
    "GBP": _Currency(
        2,
        {"id": ("pound sterling", "pound sterling"), "en": ("pound", "pounds")},
        {"id": ("penny", "penny"), "en": ("penny", "pence")},
    ),
    "SGD": _Currency(
        2, {"id": ("dolar Singapura", "dolar Singapura"), "en": ("Singapore dollar", "Singapore dollars")}, _CENTS
    ),
    "MYR": _Currency(2, {"id": ("ringgit", "ringgit"), "en": ("ringgit", "ringgit")}, _CENTS),
    "AUD": _Currency(
        2, {"id": ("dolar Australia", "dolar Australia"), "en": ("Australian dollar", "Australian dollars")}, _CENTS
    ),
    "PHP": _Currency(
        2,
        {"id": ("peso Filipina", "peso Filipina"), "en": ("Philippine peso", "Philippine pesos")},
        {"id": ("sentimo", "sentimo"), "en": ("centavo", "centavos")},
    ),
    "THB": _Currency(
        2, {"id": ("baht", "baht"), "en": ("baht", "baht")}, {"id": ("satang", "satang"), "en": ("satang", "satang")}
    ),
    "VND": _Currency(0, {"id": ("dong", "dong"), "en": ("dong", "dong")}, {}),
    "JPY": _Currency(0, {"id": ("yen", "yen"), "en": ("yen", "yen")}, {}),
}
CURRENCIES = tuple(_CURRENCIES)

# the hour of a day before which it is still called so; as the greetings of session.py
_DAY_PARTS = {
    "id": ((4, "dini hari"), (11, "pagi"), (15, "siang"), (18, "sore"), (24, "malam")),
    "en": ((12, "in the morning"), (18, "in the afternoon"), (24, "in the evening")),
}
GROUP_DIGITS = 4
GROUP_END = "."  # makes the voice fall, and a pause
ORDINALS = 31


def cardinal(number: int, language: str) -> Pieces:
    """1_250_000 -> satu | juta | dua ratus | lima puluh | ribu."""
    if not 0 <= number <= LARGEST:
        raise BadInput(f"{number} cannot be spoken: use 0 to {LARGEST}")
    if number == 0:
        return (_ONES[language][0],)
    pieces: list[str] = []
    for power in range(len(_SCALES[language]) - 1, -1, -1):
        group = number // 1000**power % 1000
        if group:
            pieces += _group(group, power, language, after_more=bool(pieces))
    return tuple(pieces)


def _group(group: int, power: int, language: str, after_more: bool) -> Iterator[str]:
    """Up to three digits and what they count."""
    if language == "id" and power == 1 and group == 1:
        yield "seribu"  # also after millions: satu juta seribu, where num2words says "satu ribu"
        return
    hundreds, rest = divmod(group, 100)
    if hundreds:
        yield _hundreds(hundreds, language)
    if rest and language == "en" and (hundreds or (after_more and power == 0)):
        yield "and"
    if rest:
        yield below_hundred(rest, language)
    if power:
        yield _SCALES[language][power]


def below_hundred(number: int, language: str) -> str:
    """0 to 99 as one piece, so that it is said in one breath."""
    ones = _ONES[language]
    if language == "id":
        return _below_hundred_id(number, ones)
    if number < 20:
        return ones[number]
    tens, rest = divmod(number, 10)
    return _TENS_EN[tens - 2] + (f"-{ones[rest]}" if rest else "")


def _below_hundred_id(number: int, ones: list[str]) -> str:
    if number < 10:
        return ones[number]
    if number < 20:
        return {10: "sepuluh", 11: "sebelas"}.get(number, f"{ones[number - 10]} belas")
    tens, rest = divmod(number, 10)
    return f"{ones[tens]} puluh" + (f" {ones[rest]}" if rest else "")


def _hundreds(count: int, language: str) -> str:
    if language == "id":
        return "seratus" if count == 1 else f"{_ONES['id'][count]} ratus"
    return f"{_ONES['en'][count]} hundred"


def ordinal(number: int, language: str) -> str:
    """1 -> pertama, first; 21 -> kedua puluh satu, twenty-first."""
    words = " ".join(cardinal(number, language))
    if language == "id":
        return "pertama" if number == 1 else f"ke{words}"
    at = max(words.rfind("-"), words.rfind(" ")) + 1
    return words[:at] + _ordinal_word(words[at:])


def _ordinal_word(word: str) -> str:
    if word in _ORDINALS_EN:
        return _ORDINALS_EN[word]
    return f"{word[:-1]}ieth" if word.endswith("y") else f"{word}th"


def money(amount: int, currency: str, language: str) -> Pieces:
    """An amount in the currency's smallest written unit: 1250000 IDR, or 1999 USD for 19.99."""
    known = _CURRENCIES.get(currency)
    if known is None:
        raise BadInput(f"currency {currency!r} cannot be spoken: use one of {', '.join(_CURRENCIES)}")
    major, minor = divmod(amount, 10**known.decimals)
    pieces: Pieces = ()
    if major or not minor:
        pieces += (*cardinal(major, language), known.major[language][major != 1])
    if minor:
        pieces += (*cardinal(minor, language), known.minor[language][minor != 1])
    return pieces


def digits(text: str, language: str) -> Pieces:
    """Each digit by itself."""
    return tuple(_ONES[language][int(char)] for char in text if char.isdecimal())


def groups(text: str, language: str, size: int = GROUP_DIGITS) -> Pieces:
    """A long number digit by digit, with a pause after every `size`; no digit is left alone at the end."""
    found = list(digits(text, language))
    for end in range(size, len(found) - 1, size):
        found[end - 1] += GROUP_END
    return tuple(found)


def clock(time: str, language: str) -> Pieces:
    """HHMM, without `pukul` or `at` -> dua | lewat | tiga puluh | menit | siang; two | thirty | in the afternoon."""
    hour, minute = _clock(time)
    twelve = (hour + 11) % 12 + 1
    part = _day_part(hour, language)
    if language == "id":
        minutes = ("lewat", below_hundred(minute, "id"), "menit") if minute else ()
        return (below_hundred(twelve, "id"), *minutes, part)
    if minute == 0 and hour in (0, 12):
        return ("twelve", "noon" if hour else "midnight")
    tail = (_two_digits_en(minute),) if minute else ()
    return (below_hundred(twelve, "en"), *tail, part)


def _clock(time: str) -> tuple[int, int]:
    if len(time) != 4 or not (time.isascii() and time.isdecimal()) or int(time[:2]) > 23 or int(time[2:]) > 59:
        raise BadInput(f"{time!r} is no time of day: use HHMM, 0000 to 2359")
    return int(time[:2]), int(time[2:])


def _day_part(hour: int, language: str) -> str:
    if language == "id" and hour == 0:
        return "malam"
    return next(name for until, name in _DAY_PARTS[language] if hour < until)


def _two_digits_en(number: int) -> str:
    """05 -> oh-five, as in a year or after an hour."""
    return below_hundred(number, "en") if number > 9 else f"oh-{_ONES['en'][number]}"


def days(count: int, language: str) -> Pieces:
    """3 -> tiga | hari."""
    unit = "hari" if language == "id" else "day" if count == 1 else "days"
    return (*cardinal(count, language), unit)


def day(when: date, today: date, language: str) -> Pieces:
    """A date; the year is left out when it is this one."""
    pieces = (day_of_month(when.day, language), _MONTHS[language][when.month - 1])
    return pieces if when.year == today.year else pieces + year(when.year, language)


def day_of_month(number: int, language: str) -> str:
    """dua puluh lima; the twenty-fifth of."""
    return below_hundred(number, "id") if language == "id" else f"the {ordinal(number, 'en')} of"


def year(number: int, language: str) -> Pieces:
    """2026 -> dua | ribu | dua puluh enam; twenty | twenty-six."""
    if language == "id" or number % 1000 < 10 or not 1000 <= number <= 9999:
        return cardinal(number, language)
    century, rest = divmod(number, 100)
    if rest == 0:
        return (below_hundred(century, "en"), "hundred")
    return (below_hundred(century, "en"), _two_digits_en(rest))


def inventory(language: str, currency: str = "IDR") -> tuple[str, ...]:
    """Every piece that amounts in this currency, dates, hours, days, ordinals and digits are made of."""
    numbers = [below_hundred(number, language) for number in range(100)]
    hundreds = [_hundreds(count, language) for count in range(1, 10)]
    small = ["seribu", "hari"] if language == "id" else ["and", "day", "days"]
    dates = [day_of_month(number, language) for number in range(1, ORDINALS + 1)] + _MONTHS[language]
    ordinals = [ordinal(number, language) for number in range(1, ORDINALS + 1)]
    hours = [name for _, name in _DAY_PARTS[language]]
    if language == "id":
        hours += ["lewat", "menit"]
    else:
        hours += ["noon", "midnight", *(_two_digits_en(number) for number in range(10))]
    scales = [scale for scale in _SCALES[language] if scale]
    known = _CURRENCIES[currency]
    units = [word for unit in (known.major, known.minor) for word in unit.get(language, ())]
    return tuple(dict.fromkeys([*numbers, *hundreds, *scales, *small, *dates, *ordinals, *hours, *units]))
