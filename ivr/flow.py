"""A flow: the steps of a conversation as data, read from TOML by flow_reading.py and played by dialogue.py.

A step says its sentences, then awaits one key (`choices`), awaits digits (`entry`), goes on (`next`) or ends (`end`).
`x if y and not z` means x, only where the condition y holds and z does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dialer.dialplan import IvrResult
from dialer.forms.told import told


@dataclass(frozen=True, slots=True)
class End:
    """What the dialplan is told, and one word for the record."""

    result: IvrResult
    how: str


@dataclass(frozen=True, slots=True)
class When:
    """Conditions, each with whether it must hold or must not."""

    words: tuple[tuple[str, bool], ...] = ()

    def holds(self, known: frozenset[str]) -> bool:
        """`known`: the conditions that hold now."""
        return all((word in known) is wanted for word, wanted in self.words)

    def excludes(self, other: "When") -> bool:
        """Can both never hold at once?"""
        mine = dict(self.words)
        return any(mine.get(word, wanted) is not wanted for word, wanted in other.words)


ALWAYS = When()


@dataclass(frozen=True, slots=True)
class Item:
    """A text or a step, and when."""

    name: str
    when: When = ALWAYS


@dataclass(frozen=True, slots=True)
class Choice:
    """A key, what is said to offer it (empty: it works unsaid), and where it leads."""

    key: str
    to: str
    say: str = ""
    other: bool = False  # offered in the other language
    when: When = ALWAYS


@dataclass(frozen=True, slots=True)
class Step:
    """One place in the conversation."""

    say: tuple[Item, ...] = ()
    choices: tuple[Choice, ...] = ()
    entry: str = ""
    on: Mapping[str, str] = field(default_factory=dict)  # what the entry's check found -> step
    next: tuple[Item, ...] = ()  # the first whose condition holds
    does: str = ""
    facts: tuple[str, ...] = ()
    verifies: bool = False
    end: End | None = None

    @property
    def listens(self) -> bool:
        """Does it await keys?"""
        return bool(self.choices or self.entry)


@dataclass(frozen=True, slots=True)
class Flow:
    """A conversation. `quiet`, `enough`, `not_stored`: where it goes after too much silence, too many turns, and a
    choice that could not be stored; `debt`: texts for the verified only; `parts`: texts that fill slots of others."""

    id: str
    version: int
    start: str
    quiet: str
    enough: str
    not_stored: str
    repeats: int
    tries: int
    turns: int
    silent: tuple[str, ...]  # said after the first silence, the second, ...
    wrong: tuple[str, ...]  # after the first wrong key, the second, ...
    steps: Mapping[str, Step]
    texts: Mapping[str, Mapping[str, str]]  # language -> name -> text
    debt: frozenset[str]
    parts: frozenset[str]

    @property
    def label(self) -> str:
        """`payment_reminder@1`, as the record has it."""
        return f"{self.id}@{self.version}"


def when(text: str) -> When:
    """`a and not b` -> When. Raises ValueError where it is neither."""
    found: list[tuple[str, bool]] = []
    for part in filter(None, [one.strip() for one in text.split(" and ")]):
        word = part.removeprefix("not ").strip()
        if not word.isidentifier():
            shape = f"use conditions such as `agent and not secret` instead of {text!r}"
            raise ValueError(told("condition_shape", shape, value=text))
        found.append((word, word == part))
    return When(tuple(found))


def item(text: str) -> Item:
    """`due_late if due_late` -> Item. Raises ValueError where it is none."""
    name, mark, condition = text.partition(" if ")
    if not name.strip().isidentifier() or bool(mark) != bool(condition.strip()):
        raise ValueError(told("item_shape", f"use a name, or `name if condition`, instead of {text!r}", value=text))
    return Item(name.strip(), when(condition))


def known_after(passed: tuple[When, ...]) -> When:
    """What holds when none of these single conditions did: what came before in a list of `next`."""
    return When(tuple((one.words[0][0], not one.words[0][1]) for one in passed if len(one.words) == 1))
