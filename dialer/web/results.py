"""With what words a talk ends at the desk: which are offered, by which key, and what each of them needs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from dialer.web.api.desk_form import Offered, Word

WORDS: tuple[str, ...] = get_args(Word)
ALWAYS = ("stop", "wrong_number", "no_result")  # a wish not to be called must find its word in every campaign
TAKEN = frozenset("BKT")  # the desk's own hot keys
KEYS = "1234567890ABCDEFGHIJKLMNOPQRSTUVWXYZ"


DEFAULT = tuple(
    Offered(word, key)
    for key, word in (
        ("1", "promise"), ("2", "call_back"), ("3", "paid_claim"), ("4", "refuses"), ("5", "not_at_home"),
        ("6", "hardship"), ("7", "dispute"), ("8", "wrong_number"), ("9", "new_number"), ("0", "stop"),
        ("O", "offer"), ("A", "abusive"), ("V", "machine"), ("C", "cut_off"), ("D", "deceased"), ("N", "no_result"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """What cannot be; `word` or `key` says where."""

    kind: str
    word: str = ""
    key: str = ""


def faults(offered: Sequence[Offered]) -> Iterator[Fault]:
    """All of them."""
    words, keys = [one.word for one in offered], [one.key for one in offered]
    yield from (Fault("unknown", word) for word in words if word not in WORDS)
    yield from (Fault("word_twice", word) for word in dict.fromkeys(words) if words.count(word) > 1)
    yield from (Fault("lacks", word) for word in ALWAYS if word not in words)
    yield from (Fault("key_twice", key=key) for key in dict.fromkeys(keys) if keys.count(key) > 1)
    yield from (Fault("key", one.word, one.key) for one in offered if len(one.key) != 1 or one.key not in KEYS)
    yield from (Fault("key_taken", one.word, one.key) for one in offered if one.key in TAKEN)


def fault_of(word: str, note: str, offered: Sequence[Offered]) -> str:
    """Why a talk cannot end so: `not_offered`, `note_needed`; empty: it can."""
    known = next((one for one in offered if one.word == word), None)
    if known is None:
        return "not_offered"
    return "note_needed" if known.note and not note.strip() else ""
