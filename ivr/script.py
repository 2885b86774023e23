"""The voice actor's script: every piece with the names its recording may have, where it is said, how often."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ivr.prompts import MARKS, fixed, parts
from ivr.sampling import counted
from ivr.texts import SHIPPED, Said

NAMES, WORDS, DIALPLAN = "names", "words", "dialplan"  # folders; sentences lie beside them
FOLDERS = frozenset({NAMES, WORDS, DIALPLAN})
COLUMNS = ("file", "text", "context", "uses")
_TONES = {",": "mid", ".": "end", "?": "ask", "!": "call"}
_SLUG_LONGEST = 80


class Line(NamedTuple):
    """One piece to be recorded. `files` are the names it may have without extension, best first."""

    text: str
    files: tuple[str, ...]
    context: str
    uses: int


def lines(language: str, messages: Mapping[str, str] | None = None, said: Said = SHIPPED) -> tuple[Line, ...]:
    """Everything known before the first call; `messages` are those of the dialplan by name. Sentences first,
    then words, the most used before the others."""
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
    uses = counted(language, said)
    words = sorted((text for text in fixed(language, said) if text not in named), key=lambda text: -uses[text])
    found += [Line(text, _files(text, ()), _context(text), uses[text]) for text in words]
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
