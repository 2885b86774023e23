"""The voice actor's script: every piece with the names its recording may have, where it is said, how often."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from ivr import spoken
from ivr.prompts import MARKS, fixed, parts
from ivr.texts import SHIPPED, Said

NAMES, WORDS, DIALPLAN = "names", "words", "dialplan"  # folders; sentences lie beside them
FOLDERS = frozenset({NAMES, WORDS, DIALPLAN})
COLUMNS = ("file", "text", "context", "uses")
_TONES = {",": "mid", ".": "end", "?": "ask", "!": "call"}
_SLUG_LONGEST = 80
_SAMPLE_YEAR = 2026
_SAMPLE_AMOUNTS = range(25_000, 10_000_001, 25_000)


class Line(NamedTuple):
    """One piece to be recorded. `files` are the names it may have without extension, best first."""

    text: str
    files: tuple[str, ...]
    context: str
    uses: int


def lines(language: str, messages: Mapping[str, str] | None = None, said: Said = SHIPPED) -> tuple[Line, ...]:
    """Everything known before the first call; `messages` are those of the dialplan by name. Sentences first."""
    named: dict[str, list[str]] = {}
    where: dict[str, list[str]] = {}
    for name, text in (messages or {}).items():
        named.setdefault(text, []).append(f"{DIALPLAN}/{name}")
        where.setdefault(text, []).append(text)
    for name, number, count, piece in parts(language, said):
        named.setdefault(piece.text, []).append(name if count == 1 else f"{name}-{number}")
        where.setdefault(piece.text, []).append(said.sentences[language][name])
    found = [
        Line(text, _files(text, names), " / ".join(dict.fromkeys(where[text])), len(names))
        for text, names in named.items()
    ]
    counted = _sample(language, said)
    words = [text for text in fixed(language, said) if text not in named]
    found += [Line(text, _files(text, ()), _context(text), counted[text]) for text in words]
    return tuple(found)


def files(known: Mapping[str, Line], text: str) -> tuple[str, ...]:
    """The names that a recording of this text may have; `known` are the lines by text."""
    return known[text].files if text in known else _files(text, ())


def name_files(name: str) -> tuple[str, ...]:
    """Those of a person's name: in a folder of their own, so that Mr Satu is not the number."""
    return tuple(f"{NAMES}/{file}" for file in _spelled(name))


def _files(text: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*names, *(f"{WORDS}/{file}" for file in _spelled(text)), text_hash(text)]))


def text_hash(text: str) -> str:
    """A name that no other text has, for a recording that must not outlive a change of its text."""
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode()).hexdigest()[:16]


def _spelled(text: str) -> Iterator[str]:
    """satu, -> satu-mid, or satu in any tone."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not slug or len(slug) > _SLUG_LONGEST:
        return
    if text[-1:] in _TONES:
        yield f"{slug}-{_TONES[text[-1]]}"
    yield slug


def _context(text: str) -> str:
    return f"... {text} ..." if text.endswith(MARKS[0]) else f"... {text}"


def _sample(language: str, said: Said) -> Counter[str]:
    """How often each number, month and word is said in 400 amounts, a year of dates, a day of hours and 100 of days."""
    first = date(_SAMPLE_YEAR, 1, 1)
    phrases = [spoken.money(amount, "IDR", language) for amount in _SAMPLE_AMOUNTS]
    phrases += [spoken.day(first + timedelta(count), first, language) for count in range(365)]
    phrases += [spoken.days(count, language) for count in range(1, 101)]
    phrases += [spoken.clock(f"{hour:02}00", language) for hour in range(24)]
    phrases += [spoken.digits(f"{number:02}", language) for number in range(100)]
    phrases += [(text,) for text in said.words.get(language, {}).values()]
    ends = Counter(f"{phrase[-1]}{MARKS[1]}" for phrase in phrases)
    return ends + Counter(f"{piece}{MARKS[0]}" for phrase in phrases for piece in phrase[:-1])
