"""What is known for certain at each step of a flow, on every way to it: the proof that nothing is said too early."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import Formatter

from dialer.forms.told import told
from ivr.flow import ALWAYS, Flow, Item, Step, When, known_after
from ivr.words import ACTIONS, ENTRIES, EXCLUSIVE, FACTS, IMPLIES, PROVED, SLOTS, VERIFIED

OF_THE_OFFER = ("waived", "charged", "two_parts")

Known = frozenset[tuple[str, bool]]  # a condition or a thing learnt, and whether it holds


@dataclass(frozen=True, slots=True)
class Edge:
    """One way on: under `when`, and what it teaches."""

    source: str
    to: str
    when: When = ALWAYS
    gives: str = ""


def edges(flow: Flow) -> list[Edge]:
    """Every way that is written down; silence and what is not stored lead to steps of their own."""
    return [edge for name, step in flow.steps.items() for edge in _edges(name, step)]


def _edges(name: str, step: Step) -> Iterator[Edge]:
    yield from (Edge(name, choice.to, choice.when) for choice in step.choices)
    for found, target in step.on.items():
        yield Edge(name, target, gives=ENTRIES[step.entry].gives if found == "ok" else "")
    for number, one in enumerate(step.next):
        passed = known_after(tuple(other.when for other in step.next[:number]))
        yield Edge(name, one.name, When(one.when.words + passed.words))


def known(flow: Flow) -> dict[str, Known]:
    """At each step that is reached: what holds there whichever way was taken."""
    found: dict[str, Known] = {flow.start: frozenset()}
    waiting = [flow.start]
    after: dict[str, list[Edge]] = {}
    for edge in [*edges(flow), *_by_itself(flow)]:
        after.setdefault(edge.source, []).append(edge)
    while waiting:
        name = waiting.pop()
        held = entered(flow.steps[name], found[name])
        for edge in after.get(name, []):
            arriving = _along(edge, held)
            if arriving is None:
                continue
            merged = found[edge.to] & arriving if edge.to in found else arriving
            if edge.to not in found or merged != found[edge.to]:
                found[edge.to] = merged
                waiting.append(edge.to)
    return found


def _by_itself(flow: Flow) -> Iterator[Edge]:
    """Silence, too many turns, a choice that was not stored."""
    for name, step in flow.steps.items():
        if step.listens:
            yield Edge(name, flow.quiet)
            yield Edge(name, flow.enough)
        yield Edge(name, flow.not_stored)


def entered(step: Step, before: Known) -> Known:
    """What holds once the step was entered."""
    gives = [*(ACTIONS[step.does].gives if step.does else ()), *([VERIFIED] if step.verifies else [])]
    fresh = {(word, True) for word in gives}
    before = before - {(word, False) for word in gives}
    if "offer" in gives or "promise" in gives:  # what was known of another offer is known no more
        before = frozenset(one for one in before if one[0] not in OF_THE_OFFER)
        before = before if "offer" in gives else frozenset(one for one in before if one[0] != "offer")
    return before | fresh


def _along(edge: Edge, held: Known) -> Known | None:
    """What is known at the other end; None: nobody can go there."""
    if _impossible(edge.when, held):
        return None
    learnt = _with(edge.when, held)
    if edge.gives:
        learnt |= {(edge.gives, True)}
    if edge.gives == "promise":
        learnt = frozenset(one for one in learnt if one[0] not in ("offer", *OF_THE_OFFER))
    if ("secret", False) in learnt:
        learnt |= {(PROVED, True)}
    return learnt


def _with(when: When, held: Known) -> Known:
    """Conditions that hold, with all that follows from them."""
    found = set(held) | set(when.words)
    waiting = [word for word, wanted in found if wanted]
    while waiting:
        word = waiting.pop()
        follows = {(other, True) for other in IMPLIES.get(word, ())}
        follows |= {(other, False) for group in EXCLUSIVE if word in group for other in group - {word}}
        waiting += [other for other, wanted in follows - found if wanted]
        found |= follows
    return frozenset(found)


def _impossible(when: When, held: Known) -> bool:
    now = _with(when, held)
    return any((word, not wanted) in now for word, wanted in now)


Found = tuple[tuple[str, ...], str]


def faults(flow: Flow) -> Iterator[Found]:
    """Texts, slots, facts and actions for which not everything is known on every way there."""
    at = known(flow)
    for name, step in flow.steps.items():
        if name not in at:
            never = f"the step {name} is never reached: its conditions never hold together"
            yield ("steps", name), told("never_together", never, name=name)
            continue
        before = at[name]
        held = entered(step, before)
        if step.verifies and (PROVED, True) not in before:
            unproved = (
                "it verifies somebody who need not have proved it: come from the secret's `ok`, or `if not secret`"
            )
            yield ("steps", name, "verifies"), told("verifies_unproved", unproved)
        if step.does and (need := ACTIONS[step.does].needs) and (need, True) not in before:
            needs = f"{step.does} needs the condition {need} on every way here"
            yield ("steps", name, "does"), told("action_needs", needs, name=step.does, need=need)
        yield from _facts(name, step, held)
        yield from _listening(name, step, held)
        for path, one in _says(name, step):
            yield from ((path, text) for text in _said(flow, one, held))
        if step.listens:
            for text in (*flow.silent, *flow.wrong):
                yield from ((("steps", name), wrong) for wrong in _said(flow, Item(text), held))


def _facts(name: str, step: Step, held: Known) -> Iterator[Found]:
    for number, fact in enumerate(step.facts):
        for need in FACTS[fact].needs:
            if (need, True) not in held:
                needs = f"the fact {fact} needs {need} on every way here"
                yield ("steps", name, "facts", str(number)), told("fact_needs", needs, name=fact, need=need)


def _listening(name: str, step: Step, held: Known) -> Iterator[Found]:
    """A key is awaited only where something asks for one, and where one works."""
    if step.listens and not (step.say or any(choice.say for choice in step.choices)):
        unasked = "it awaits keys and does not say for what: give it `say`, or a choice its text"
        yield ("steps", name), told("keys_unasked", unasked)
    if step.choices and _none_holds(sorted((choice.when for choice in step.choices), key=_length), held):
        stuck = "no way out where no condition holds: give it a choice without `if`"
        yield ("steps", name, "choices"), told("no_choice_if", stuck)


def _length(when: When) -> int:
    return len(when.words)


def _none_holds(whens: Sequence[When], held: Known) -> bool:
    """May all of these fail at once? The shortest comes first: one without words never fails."""
    if not whens:
        return True
    failing = (When(((word, not wanted),)) for word, wanted in whens[0].words)
    return any(not _impossible(one, held) and _none_holds(whens[1:], _with(one, held)) for one in failing)


def _says(name: str, step: Step) -> Iterator[tuple[tuple[str, ...], Item]]:
    for number, one in enumerate(step.say):
        yield ("steps", name, "say", str(number)), one
    for number, choice in enumerate(step.choices):
        if choice.say:
            yield ("steps", name, "choices", str(number)), Item(choice.say, choice.when)


def _said(flow: Flow, one: Item, held: Known) -> Iterator[str]:
    if _impossible(one.when, held):
        yield told("never_said", f"{one.name} is never said: its condition never holds here", name=one.name)
        return
    now = _with(one.when, held)
    if one.name in flow.debt and (VERIFIED, True) not in now:
        debt = f"{one.name} tells of the debt, and he may not have proved who he is: come through a step that verifies"
        yield told("tells_debt", debt, name=one.name)
    for slot in sorted({slot for texts in flow.texts.values() for slot in _slots(texts.get(one.name, ""))}):
        needs = SLOTS[slot].needs
        if needs and not any((need, True) in now for need in needs):
            lacks = f"{one.name} needs {' or '.join(needs)} for {{{slot}}}: say it only `if {needs[0]}`, or after it"
            yield told("slot_needs", lacks, name=one.name, needs=", ".join(needs), slot=slot, first=needs[0])


def _slots(text: str) -> set[str]:
    return {slot for _, slot, _, _ in Formatter().parse(text) if slot}
