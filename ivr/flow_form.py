"""The form of a flow's files: every key known, every fault named with its cure."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from dialer.dialplan import IvrResult
from ivr import flow
from ivr.words import ACTIONS, ENTRIES, FACTS, KEYS


def _item(text: str) -> str:
    flow.item(text)
    return text


def _when(text: str) -> str:
    flow.when(text)
    return text


def _one_of(known: Mapping[str, object], what: str, text: str) -> str:
    if text not in known:
        raise ValueError(f"no such {what}: use one of {', '.join(known)}")
    return text


def _fact(text: str) -> str:
    return _one_of({name: fact for name, fact in FACTS.items() if not fact.own}, "fact", text)


def _known_entry(text: str) -> str:
    return _one_of(ENTRIES, "entry", text)


def _known_action(text: str) -> str:
    return _one_of(ACTIONS, "action", text)


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ItemText = Annotated[str, AfterValidator(_item)]
WhenText = Annotated[str, AfterValidator(_when)]
Text = Annotated[str, Field(min_length=1, max_length=400)]


class Table(BaseModel):
    """A table of a flow's file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ChoiceForm(Table):
    """One key."""

    key: Annotated[str, Field(pattern=f"^[{KEYS}]$")]
    to: Name
    say: Name | None = None
    other_language: bool = False
    when: WhenText = Field(default="", alias="if")


class EndForm(Table):
    """How it ends."""

    how: Name
    result: IvrResult = IvrResult.DONE


class StepForm(Table):
    """One step."""

    say: tuple[ItemText, ...] = ()
    choices: tuple[ChoiceForm, ...] = ()
    entry: Annotated[str, AfterValidator(_known_entry)] | None = None
    on: dict[Name, Name] = Field(default_factory=dict)
    next: tuple[ItemText, ...] = ()
    does: Annotated[str, AfterValidator(_known_action)] | None = None
    facts: tuple[Annotated[str, AfterValidator(_fact)], ...] = ()
    verifies: bool = False
    end: EndForm | None = None

    @model_validator(mode="after")
    def _one_way_out(self) -> Self:
        ways = [name for name in ("choices", "entry", "next", "end") if getattr(self, name)]
        if not ways:
            raise ValueError("no way out: give it choices, an entry, next or end")
        if len(ways) > 1:
            raise ValueError(f"use only one of {', '.join(ways)}")
        if self.entry and (missing := [found for found in ENTRIES[self.entry].results if found not in self.on]):
            raise ValueError(f"the entry `{self.entry}` may find {', '.join(missing)}: say in `on` where that leads")
        if self.entry and (unknown := sorted(set(self.on) - set(ENTRIES[self.entry].results))):
            raise ValueError(f"the entry `{self.entry}` never finds {', '.join(unknown)}: take it out of `on`")
        if self.on and not self.entry:
            raise ValueError("`on` goes with an entry")
        if (self.choices or self.entry) and (self.facts or self.does or self.verifies):
            raise ValueError("it may be said again: put facts, does and verifies into a step before it, with `next`")
        return self


class FlowForm(Table):
    """A whole flow."""

    id: Name
    version: Annotated[int, Field(ge=1)]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    start: Name
    quiet: Name
    enough: Name
    not_stored: Name
    repeats: Annotated[int, Field(ge=0, le=5)] = 2
    tries: Annotated[int, Field(ge=1, le=5)] = 3
    turns: Annotated[int, Field(ge=5, le=100)] = 40
    silent: Annotated[tuple[Name, ...], Field(min_length=1)]
    wrong: Annotated[tuple[Name, ...], Field(min_length=1)]
    steps: Annotated[dict[Name, StepForm], Field(min_length=1)]


class TextsForm(Table):
    """The texts of a language: for anyone, for the verified, and parts that fill slots of others."""

    anyone: dict[Name, Text]
    verified: dict[Name, Text] = Field(default_factory=dict)
    parts: dict[Name, Text] = Field(default_factory=dict)
