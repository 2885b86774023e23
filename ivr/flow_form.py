"""The form of a flow's files: every key known, every fault named with its cure."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct, field

from dialer.dialplan import IvrResult
from dialer.forms.forms import Check
from dialer.forms.told import told
from ivr import flow
from ivr.words import ACTIONS, ENTRIES, FACTS, KEYS, NEVER_ASKED


def _one_of(known: Iterable[str], what: str) -> Check:
    names = tuple(known)

    def test(text: str) -> None:
        if text not in names:
            known = ", ".join(names)
            raise ValueError(told("use_one_of", f"no such {what}: use one of {known}", known=known))

    return Check(test)


def _asks_no_secret_of_money(text: str) -> None:
    """Keyed digits can be heard on the way, and a caller who asks for these may be a thief."""
    words = f" {' '.join(''.join(char if char.isalnum() else ' ' for char in text.lower()).split())} "
    if found := [one for one in NEVER_ASKED if f" {one} " in words]:
        never = f"`{found[0]}` is never spoken of here: nobody is asked for a card, a PIN or a password"
        raise ValueError(told("never_asked", never, word=found[0]))


Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ItemText = Annotated[str, Check(flow.item)]
WhenText = Annotated[str, Check(flow.when)]
Text = Annotated[str, Meta(min_length=1, max_length=400), Check(_asks_no_secret_of_money)]
EntryName = Annotated[str, _one_of(ENTRIES, "entry")]
ActionName = Annotated[str, _one_of(ACTIONS, "action")]
FactName = Annotated[str, _one_of((name for name, fact in FACTS.items() if not fact.own), "fact")]


class Table(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a flow's file."""


class ChoiceForm(Table, frozen=True, kw_only=True):
    """One key."""

    key: Annotated[str, Meta(pattern=f"^[{KEYS}]$")]
    to: Name
    say: Name | None = None
    other_language: bool = False
    when: WhenText = field(default="", name="if")


class EndForm(Table, frozen=True, kw_only=True):
    """How it ends."""

    how: Name
    result: IvrResult = IvrResult.DONE


class StepForm(Table, frozen=True, kw_only=True):
    """One step."""

    say: tuple[ItemText, ...] = ()
    choices: tuple[ChoiceForm, ...] = ()
    entry: EntryName | None = None
    on: dict[Name, Name] = field(default_factory=dict)
    next: tuple[ItemText, ...] = ()
    does: ActionName | None = None
    facts: tuple[FactName, ...] = ()
    verifies: bool = False
    end: EndForm | None = None

    def __post_init__(self) -> None:
        """Raises ValueError unless there is one way out."""
        ways = [name for name in ("choices", "entry", "next", "end") if getattr(self, name)]
        if not ways:
            raise ValueError(told("no_exit_given", "no way out: give it choices, an entry, next or end"))
        if len(ways) > 1:
            raise ValueError(told("one_exit", f"use only one of {', '.join(ways)}", ways=", ".join(ways)))
        if self.entry and (missing := [found for found in ENTRIES[self.entry].results if found not in self.on]):
            names = ", ".join(missing)
            finds = f"the entry `{self.entry}` may find {names}: say in `on` where that leads"
            raise ValueError(told("entry_finds", finds, name=self.entry, names=names))
        if self.entry and (unknown := sorted(set(self.on) - set(ENTRIES[self.entry].results))):
            names = ", ".join(unknown)
            never = f"the entry `{self.entry}` never finds {names}: take it out of `on`"
            raise ValueError(told("entry_never", never, name=self.entry, names=names))
        if self.on and not self.entry:
            raise ValueError(told("on_without_entry", "`on` goes with an entry"))
        if (self.choices or self.entry) and (self.facts or self.does or self.verifies):
            again = "it may be said again: put facts, does and verifies into a step before it, with `next`"
            raise ValueError(told("said_again", again))


class FlowForm(Table, frozen=True, kw_only=True):
    """A whole flow."""

    id: Name
    version: Annotated[int, Meta(ge=1)]
    title: Annotated[str, Meta(min_length=1, max_length=200)]
    start: Name
    quiet: Name
    enough: Name
    not_stored: Name
    repeats: Annotated[int, Meta(ge=0, le=5)] = 2
    tries: Annotated[int, Meta(ge=1, le=5)] = 3
    turns: Annotated[int, Meta(ge=5, le=100)] = 40
    silent: Annotated[tuple[Name, ...], Meta(min_length=1)]
    wrong: Annotated[tuple[Name, ...], Meta(min_length=1)]
    steps: Annotated[dict[Name, StepForm], Meta(min_length=1)]


class TextsForm(Table, frozen=True, kw_only=True):
    """The texts of a language: for anyone, for the verified, and parts that fill slots of others."""

    anyone: dict[Name, Text]
    verified: dict[Name, Text] = field(default_factory=dict)
    parts: dict[Name, Text] = field(default_factory=dict)
