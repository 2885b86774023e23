"""Faults of a settings file in the operator's words: a sentence each that names the key and the cure."""

from collections.abc import Iterable

from pydantic import ValidationError

HIDDEN = frozenset({"secret", "password", "person_key", "url"})  # never shown, whatever was written there

_WORDS = {
    "Input should be ": "use ",
    "greater than or equal to ": "at least ",
    "less than or equal to ": "at most ",
    "greater than ": "more than ",
    "String should have": "use a text of",
    "String should match pattern": "use a text that matches",
    "Tuple should have": "give",
    "Dictionary should have": "give",
    " after validation, not 0": "",
    " after validation": "",
}


def sentences(error: ValidationError) -> list[str]:
    """One sentence for each finding, in the order of the file."""
    return [_sentence(fault["type"], fault["loc"], fault["msg"], fault.get("input")) for fault in error.errors()]


def _sentence(kind: str, loc: Iterable[int | str], message: str, value: object) -> str:
    # a float in a union shows up as a pseudo key like `function-after[...]`: of no use to an operator
    key = ".".join(str(part) for part in loc if not str(part).startswith("function-")) or "the file"
    if kind == "missing":
        return f"set {key}"
    if kind == "extra_forbidden":
        return f"unknown key {key}: remove it or correct its spelling"
    cure = message.removeprefix("Value error, ")
    for words, ours in _WORDS.items():
        cure = cure.replace(words, ours)
    if HIDDEN & set(key.split(".")) or isinstance(value, dict | list):
        return f"{key}: {cure}"
    return f"{key} = {_short(value)}: {cure}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
