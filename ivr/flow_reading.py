"""From a flow's files to the flow: nothing is used before all of it is sound; each fault has its file and line."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from dialer.errors import ConfigError
from dialer.forms import forms
from dialer.forms.told import told
from dialer.forms.toml_lines import line_of, lines
from ivr import flow_check, spoken
from ivr.flow import Choice, End, Flow, Item, Step, item, when
from ivr.flow_check import Fault
from ivr.flow_form import ChoiceForm, FlowForm, StepForm, TextsForm

M = TypeVar("M", bound=msgspec.Struct)

KEY_SLOT = "{key}"  # filled when the flow is read: a text and its key cannot differ


@dataclass(frozen=True, slots=True)
class File:
    """A file's name, as faults tell it, and what stands in it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Placed:
    """A fault as its reader finds it; the sentence is a Told."""

    file: str
    line: int
    sentence: str


class Unsound(ConfigError):
    """The configuration is not usable."""

    def __init__(self, found: Iterable[Placed]) -> None:
        self.found = sorted(found)
        super().__init__("\n".join(f"{one.file}:{one.line}: {one.sentence}" for one in self.found))


def read(flow: File, texts: Mapping[str, File]) -> Flow:
    """The flow with its texts by language. Raises Unsound with all faults."""
    form = _parsed(flow, FlowForm)
    said = {language: _parsed(file, TextsForm) for language, file in texts.items()}
    found = _flow(form, said)
    files = {"": flow, **texts}
    if wrong := [_place(files[fault.file], fault) for fault in flow_check.faults(found, _tables(said))]:
        raise Unsound(wrong)
    return found


def _place(file: File, fault: Fault) -> Placed:
    return Placed(file.name, line_of(lines(file.text), fault.path), fault.text)


def _parsed(file: File, form: type[M]) -> M:
    try:
        data = tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as error:
        no_toml = told("no_toml", str(error), why=error)
        raise Unsound([Placed(file.name, _line_in(str(error), file.text), no_toml)]) from None
    where = lines(file.text)
    if wrong := [Placed(file.name, line_of(where, place), said) for place, said in forms.faults(data, form)]:
        raise Unsound(wrong)
    return forms.converted(data, form)


def _line_in(message: str, text: str) -> int:
    _, mark, rest = message.partition("(at line ")
    return int(rest.partition(",")[0]) if mark else text.count("\n") + 1


def _tables(said: Mapping[str, TextsForm]) -> dict[str, dict[str, str]]:
    """Language -> text -> its table: for the place of a fault."""
    return {
        language: {name: table for table in ("anyone", "verified", "parts") for name in getattr(form, table)}
        for language, form in said.items()
    }


def _flow(form: FlowForm, said: Mapping[str, TextsForm]) -> Flow:
    steps = {name: _step(step) for name, step in form.steps.items()}
    keys = dict(_keys(steps.values()))
    return Flow(
        id=form.id,
        version=form.version,
        start=form.start,
        quiet=form.quiet,
        enough=form.enough,
        not_stored=form.not_stored,
        repeats=form.repeats,
        tries=form.tries,
        turns=form.turns,
        silent=form.silent,
        wrong=form.wrong,
        steps=steps,
        texts={language: _texts(texts, language, keys) for language, texts in said.items()},
        debt=frozenset(name for texts in said.values() for name in texts.verified),
        parts=frozenset(name for texts in said.values() for name in texts.parts),
    )


def _step(form: StepForm) -> Step:
    return Step(
        say=_items(form.say),
        choices=tuple(_choice(choice) for choice in form.choices),
        entry=form.entry or "",
        on=form.on,
        next=_items(form.next),
        does=form.does or "",
        facts=form.facts,
        verifies=form.verifies,
        end=End(form.end.result, form.end.how) if form.end else None,
    )


def _items(texts: Iterable[str]) -> tuple[Item, ...]:
    return tuple(item(text) for text in texts)


def _choice(form: ChoiceForm) -> Choice:
    return Choice(form.key, form.to, form.say or "", form.other_language, when(form.when))


def _keys(steps: Iterable[Step]) -> Iterable[tuple[str, str]]:
    """Which key each text offers."""
    return ((choice.say, choice.key) for step in steps for choice in step.choices if choice.say)


def _texts(form: TextsForm, language: str, keys: Mapping[str, str]) -> dict[str, str]:
    texts = {**form.anyone, **form.verified, **form.parts}
    if language not in spoken.LANGUAGES:
        return texts
    return {
        name: text.replace(KEY_SLOT, spoken.digits(keys[name], language)[0]) if name in keys else text
        for name, text in texts.items()
    }
