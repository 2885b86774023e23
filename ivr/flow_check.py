"""What is wrong with a flow, before anybody hears it: names, texts, keys, ways out, loops, what is known where."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from string import Formatter

from dialer.forms.told import told
from ivr import flow_known, spoken
from ivr.flow import Choice, Flow, Step
from ivr.flow_known import Edge, edges
from ivr.words import CONDITIONS, DEBT_WORDS, PARTS, SLOTS, SPOKEN_MOST

Tables = Mapping[str, Mapping[str, str]]  # language -> text -> `anyone`, `verified` or `parts`


@dataclass(frozen=True, slots=True)
class Fault:
    """A sentence, a Told, and where: `file` is a language, or empty for the flow itself."""

    path: tuple[str, ...]
    text: str
    file: str = ""


def faults(flow: Flow, tables: Tables) -> list[Fault]:
    """All of them; those of a later proof only where the names are right."""
    return [*names(flow), *_texts(flow, tables)] or proof(flow)


def proof(flow: Flow) -> list[Fault]:
    """That it ends, and says nothing too early. Its names must be right."""
    found = [*_unreachable(flow), *_no_way_out(flow), *_loops(flow), *_special(flow)]
    return found or [Fault(path, text) for path, text in flow_known.faults(flow)]


def _at(name: str, key: str = "", number: int | None = None) -> tuple[str, ...]:
    return tuple(part for part in ("steps", name, key, "" if number is None else str(number)) if part)


# ---- names


def names(flow: Flow) -> Iterator[Fault]:
    """Steps, texts and conditions that are not there; keys used twice."""
    yield from _keys(flow)
    for key in ("start", "quiet", "enough", "not_stored"):
        if getattr(flow, key) not in flow.steps:
            yield Fault((key,), _no_step(getattr(flow, key)))
    for key in ("silent", "wrong"):
        yield from (
            Fault((key, str(number)), _no_text(name))
            for number, name in enumerate(getattr(flow, key))
            if not _said_in_all(flow, name)
        )
    for name, step in flow.steps.items():
        yield from _step_names(flow, name, step)


def _step_names(flow: Flow, name: str, step: Step) -> Iterator[Fault]:
    targets = [(_at(name, "choices", number), one.to) for number, one in enumerate(step.choices)]
    targets += [(_at(name, "on"), target) for target in step.on.values()]
    targets += [(_at(name, "next", number), one.name) for number, one in enumerate(step.next)]
    yield from (Fault(path, _no_step(target)) for path, target in targets if target not in flow.steps)
    says = [(_at(name, "say", number), one.name) for number, one in enumerate(step.say)]
    says += [(_at(name, "choices", number), one.say) for number, one in enumerate(step.choices) if one.say]
    yield from (Fault(path, _no_text(said)) for path, said in says if not _said_in_all(flow, said))
    whens = [(_at(name, key, number), one.when) for key in ("say", "choices", "next")
             for number, one in enumerate(getattr(step, key))]  # fmt: skip
    for path, when in whens:
        unknown = [word for word, _ in when.words if word not in CONDITIONS]
        yield from (Fault(path, _no_condition(word)) for word in unknown)


def _no_step(name: str) -> str:
    return told("no_step", f"there is no step {name}", name=name)


def _no_text(name: str) -> str:
    return told("no_such_text", f"there is no text {name}", name=name)


def _no_condition(name: str) -> str:
    known = ", ".join(CONDITIONS)
    return told("no_condition", f"no such condition {name}: use one of {known}", name=name, known=known)


def _said_in_all(flow: Flow, name: str) -> bool:
    return any(name in texts and name not in flow.parts for texts in flow.texts.values())


# ---- texts


def _texts(flow: Flow, tables: Tables) -> Iterator[Fault]:
    for language in flow.texts.keys() - set(spoken.LANGUAGES):
        known = ", ".join(spoken.LANGUAGES)
        mute = told("mute_language", f"language {language} cannot be spoken: use {known}", name=language, known=known)
        yield Fault(("anyone",), mute, language)
    said = {name for step in flow.steps.values() for name in _says(step)} | {*flow.silent, *flow.wrong}
    for language, texts in flow.texts.items():
        for name in sorted({name for others in flow.texts.values() for name in others} - texts.keys()):
            lacks = told("text_missing", f"the text {name} is missing in this language", name=name)
            yield Fault(("anyone",), lacks, language)
        for name, text in texts.items():
            table = tables[language][name]
            for wrong in _text(flow, name, text, language, table):
                yield Fault((table, name), wrong, language)
            if table != "parts" and name not in said:
                yield Fault((table, name), told("text_unsaid", f"the text {name} is never said", name=name), language)


def _text(flow: Flow, name: str, text: str, language: str, table: str) -> Iterator[str]:
    """What is wrong with one text."""
    try:
        slots = [slot for _, slot, _, _ in Formatter().parse(text) if slot is not None]
    except ValueError as error:
        yield told("slot_shape", f"{error}: write slots as {{name}}", why=error)
        return
    for slot in slots:
        if slot == "key":
            yield told("key_slot", "{key} is for texts that offer a choice")
        elif slot not in SLOTS:
            known = ", ".join(SLOTS)
            yield told("no_slot", f"no such slot {{{slot}}}: use one of {known}", slot=slot, known=known)
        elif missing := [part for part in PARTS.get(slot, ()) if part not in flow.texts[language]]:
            lacks = ", ".join(missing)
            yield told(
                "slot_parts", f"{{{slot}}} is filled with {lacks}: write that into [parts]", slot=slot, names=lacks
            )
        elif SLOTS[slot].debt and table != "verified":
            yield told("slot_debt", f"{{{slot}}} tells of the debt: move the text to [verified]", slot=slot)
    if any(char.isdigit() for char in text):
        yield told("numbers_in_words", "write numbers in words")
    if table != "parts" and text.rstrip()[-1:] not in (".", "?", "}"):
        yield told("full_stop", "end it with a full stop or a question mark")
    if table == "anyone" and (words := set(_words(text)) & DEBT_WORDS.get(language, frozenset())):
        shown = ", ".join(sorted(words))
        stranger = f"`{shown}` tells a stranger of a debt: move it to [verified], or say it otherwise"
        yield told("debt_word", stranger, words=shown)
    if (name in flow.debt) != (table == "verified"):
        yield told("verified_elsewhere", "it is in [verified] in another language: put it there too")


def _words(text: str) -> list[str]:
    return "".join(char if char.isalpha() else " " for char in text.lower()).split()


def _says(step: Step) -> list[str]:
    return [one.name for one in step.say] + [choice.say for choice in step.choices if choice.say]


# ---- keys


def _keys(flow: Flow) -> Iterator[Fault]:
    offers: dict[str, str] = {}
    for name, step in flow.steps.items():
        for (_, first), (number, second) in combinations(enumerate(step.choices), 2):
            if first.key == second.key and not first.when.excludes(second.when):
                twice = f"key {second.key} is used twice: {first.to}, {second.to}"
                twice = told("key_twice", twice, key=second.key, first=first.to, second=second.to)
                yield Fault(_at(name, "choices", number), twice)
        spoken_keys = {choice.key for choice in step.choices if choice.say}
        if len(spoken_keys) > SPOKEN_MOST:
            many = f"{len(spoken_keys)} choices are spoken: at most {SPOKEN_MOST}"
            yield Fault(_at(name, "choices"), told("choices_most", many, n=len(spoken_keys), most=SPOKEN_MOST))
        for number, choice in enumerate(step.choices):
            yield from _offer(offers, choice, _at(name, "choices", number))


def _offer(offers: dict[str, str], choice: Choice, path: tuple[str, ...]) -> Iterator[Fault]:
    key = offers.setdefault(choice.say, choice.key) if choice.say else choice.key
    if key != choice.key:
        other = f"{choice.say} offers key {key} elsewhere: give key {choice.key} a text of its own"
        yield Fault(path, told("key_elsewhere", other, name=choice.say, key=key, own=choice.key))


# ---- the graph


def _unreachable(flow: Flow) -> Iterator[Fault]:
    seen = _closure((flow.start, flow.quiet, flow.enough, flow.not_stored), edges(flow), lambda edge: True)
    for name in flow.steps.keys() - seen:
        yield Fault(_at(name), told("step_unreached", f"the step {name} is never reached", name=name))


def _no_way_out(flow: Flow) -> Iterator[Fault]:
    """Silence ends every talk; a step from which nothing else does is a trap all the same."""
    back = [Edge(edge.to, edge.source, edge.when) for edge in edges(flow)]
    ends = [name for name, step in flow.steps.items() if step.end]
    for name in flow.steps.keys() - _closure(ends, back, lambda edge: True):
        yield Fault(_at(name), told("no_exit", f"no way out: from {name} no key leads to an end", name=name))
    for name, step in flow.steps.items():
        if step.next and step.next[-1].when.words:
            stuck = "no way out where no condition holds: end the list with one without `if`"
            yield Fault(_at(name, "next"), told("no_exit_if", stuck))


def _loops(flow: Flow) -> Iterator[Fault]:
    """A circle in which nobody is asked for a key never ends; the others are counted."""
    silent = [edge for edge in edges(flow) if flow.steps[edge.source].next]
    for name, step in flow.steps.items():
        after = [edge.to for edge in silent if edge.source == name]
        if step.next and name in _closure(after, silent, lambda edge: True):
            loop = f"a loop without limit: from {name} back to {name} with no key awaited"
            yield Fault(_at(name), told("loop", loop, name=name))
    for name, step in flow.steps.items():
        if step.entry and name in _closure((step.on["given_up"],), silent, lambda edge: True):
            back = "a loop without limit: `given_up` leads back to the entry"
            yield Fault(_at(name, "on"), told("loop_given_up", back))


def _special(flow: Flow) -> Iterator[Fault]:
    """Where it goes by itself, no key may be awaited."""
    silent = [edge for edge in edges(flow) if flow.steps[edge.source].next]
    for key in ("quiet", "enough", "not_stored"):
        for name in sorted(_closure((getattr(flow, key),), silent, lambda edge: True)):
            if flow.steps[name].listens:
                awaits = f"{key} leads to {name}, which awaits keys: let it end"
                yield Fault((key,), told("special_awaits", awaits, key=key, name=name))


def _closure(starts: Iterable[str], found: Iterable[Edge], take: Callable[[Edge], bool]) -> set[str]:
    seen: set[str] = set()
    waiting = list(starts)
    after: dict[str, list[str]] = {}
    for edge in found:
        if take(edge):
            after.setdefault(edge.source, []).append(edge.to)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += after.get(name, [])
    return seen
