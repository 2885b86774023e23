"""Sentences as pieces of text, and the names of their sound files; no sound is made here."""

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from string import Formatter
from typing import NamedTuple

from ivr.spoken import Pieces, inventory
from ivr.texts import SHIPPED, TEXTS, Said

_PUNCTUATION = ",.?!:;"
MARKS = (",", ".")  # the voice stays up, the voice falls
_NAME_LONGEST = 60
JOINING = "2"  # another number for every other way to join: what was joined before is then not found


class Piece(NamedTuple):
    """A text with its punctuation, which a voice says as one breath. `private` ones are a person's own."""

    text: str
    private: bool = False


class Sentence(NamedTuple):
    """What is said without a pause; one sound file on the line. `name` is its key in texts.py."""

    name: str
    language: str
    pieces: tuple[Piece, ...]

    def __str__(self) -> str:
        return " ".join(piece.text for piece in self.pieces)


class Fixed(str):
    """A sentence, or a part of one, that is the same in every call: the only text that may leave this machine."""

    __slots__ = ()


class Maker(NamedTuple):
    """What makes two renderings of one text differ."""

    engine: str
    version: str
    voice: str
    rate: int


def sentence(
    name: str,
    language: str,
    slots: Mapping[str, Pieces],
    private: frozenset[str] = frozenset(),
    texts: Mapping[str, str] | None = None,
) -> Sentence:
    """The text called `name` with its slots filled; the slots in `private` hold what is a person's own."""
    found: list[Piece] = []
    for literal, slot, _, _ in Formatter().parse((texts or TEXTS[language])[name]):
        text = literal.strip()
        if found and text[:1] in _PUNCTUATION and text:
            found[-1] = found[-1]._replace(text=found[-1].text + text[0])
            text = text[1:].strip()
        if text:
            found.append(Piece(text))
        if slot:
            found.extend(Piece(piece, slot in private) for piece in slots[slot])
    return Sentence(name, language, tuple(_tuned(found)))


def _tuned(pieces: list[Piece]) -> Iterator[Piece]:
    """A piece that is followed by another gets a comma: the voice then does not fall as at a sentence's end."""
    for number, piece in enumerate(pieces, 1):
        ended = piece.text[-1:] in _PUNCTUATION
        yield piece if ended or number == len(pieces) else piece._replace(text=piece.text + ",")


def spoken_name(name: str) -> str:
    """A name from a list, without anything that a speech engine would take for an order."""
    clean = unicodedata.normalize("NFC", name)
    clean = "".join(char if char.isalpha() or unicodedata.combining(char) or char in " '-" else " " for char in clean)
    clean = " ".join(clean.split())[:_NAME_LONGEST].strip(" '-")
    return clean.title() if clean.isupper() or clean.islower() else clean


def spoken_words(text: str) -> str:
    """A lender's or a product's name, safe for a speech engine."""
    clean = "".join(char if char.isalnum() or char in " .,&'-+" else " " for char in unicodedata.normalize("NFC", text))
    return " ".join(clean.split())[:_NAME_LONGEST].rstrip(_PUNCTUATION + " ")


def file_name(maker: Maker, text: str) -> str:
    """Same voice and text, same name; anything else, another one."""
    key = "\0".join([maker.engine, maker.version, maker.voice, str(maker.rate), unicodedata.normalize("NFC", text)])
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def joined_name(names: tuple[str, ...]) -> str:
    """Name of the file in which these pieces follow each other."""
    return hashlib.sha256(" ".join((JOINING, *names)).encode()).hexdigest()[:32]


def outside(language: str, said: Said = SHIPPED) -> tuple[Fixed, ...]:
    """What a voice outside this machine may be given: no name, amount, number or date."""
    return tuple(dict.fromkeys(Fixed(piece.text) for _, _, _, piece in parts(language, said)))


def fixed(language: str, said: Said = SHIPPED) -> tuple[str, ...]:
    """Every text that can be rendered before the first call: sentences and parts of sentences, numbers, dates."""
    texts = [piece.text for _, _, _, piece in parts(language, said)]
    within = [*inventory(language), *said.words.get(language, {}).values()]
    return tuple(dict.fromkeys(texts + [piece + mark for piece in within for mark in MARKS]))


def parts(language: str, said: Said = SHIPPED) -> Iterator[tuple[str, int, int, Piece]]:
    """Name of a sentence, which of its fixed parts this is, of how many, and the part."""
    texts = said.sentences.get(language, {})
    for name in texts:
        found = _parts(name, language, texts)
        yield from ((name, number, len(found), piece) for number, piece in enumerate(found, 1))


def _parts(name: str, language: str, texts: Mapping[str, str]) -> tuple[Piece, ...]:
    fields = {slot for _, slot, _, _ in Formatter().parse(texts[name]) if slot}
    whole = sentence(name, language, {slot: ("\0",) for slot in fields}, texts=texts)
    return tuple(piece for piece in whole.pieces if "\0" not in piece.text)
