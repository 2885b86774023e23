"""A sentence that can be said in another language: English for programs and logs, a code and its facts for pages."""

from typing import Any


class Told(str):
    """The sentence itself; `code` stays the same whatever it says, `facts` are what it names. With a fact `where` it
    begins with that and a colon."""

    code: str
    facts: dict[str, str]


def told(code: str, sentence: str, **facts: Any) -> Told:
    """A sentence with its code."""
    made = Told(sentence)
    made.code, made.facts = code, {name: str(value) for name, value in facts.items()}
    return made


def parts(sentence: str) -> tuple[str, dict[str, str]]:
    """(code, facts); empty for a sentence that has none."""
    return (sentence.code, sentence.facts) if isinstance(sentence, Told) else ("", {})
