"""The words that a flow may use, as the tables of docs/ivr-flows.md."""

from collections.abc import Iterable, Iterator

from ivr.words import ACTIONS, CONDITIONS, ENTRIES, FACTS, SLOTS

Row = tuple[str, ...]


def tables() -> str:
    """In Markdown; `ivr flow words` prints them, and a test holds the docs against them."""
    return "\n\n".join("\n".join(_table(*table)) for table in _all())


def _all() -> Iterator[tuple[Row, list[Row]]]:
    conditions: list[Row] = [(f"`{name}`", text) for name, text in CONDITIONS.items()]
    yield ("condition", "holds where"), conditions
    slots: list[Row] = [
        (f"`{{{name}}}`", one.meaning, _words(one.needs), "" if one.debt else "anyone") for name, one in SLOTS.items()
    ]
    yield ("slot", "holds", "needs", "who may hear it"), slots
    entries: list[Row] = [
        (f"`{name}`", one.meaning, _words(one.results), _words([one.gives])) for name, one in ENTRIES.items()
    ]
    yield ("entry", "awaits", "finds", "`ok` gives"), entries
    actions: list[Row] = [
        (f"`{name}`", one.meaning, _words([one.needs]), _words(one.gives)) for name, one in ACTIONS.items()
    ]
    yield ("does", "", "needs", "gives"), actions
    facts: list[Row] = [
        (f"`{name}`", one.meaning, one.value, _words(one.needs), "machine" if one.own else "choice" if one.must else "")
        for name, one in FACTS.items()
    ]
    yield ("fact", "means", "value", "needs", "told by"), facts


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words if word)


def _table(head: Row, rows: list[Row]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(row)} |"
