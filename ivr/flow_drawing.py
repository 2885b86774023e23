"""A flow as a diagram, in the language of mermaid (which GitHub and many editors draw)."""

from collections.abc import Iterator

from ivr.flow import ALWAYS, Flow, Step, When


def mermaid(flow: Flow) -> str:
    """One box per step, one arrow per key, finding or condition."""
    return "\n".join(_lines(flow))


def _lines(flow: Flow) -> Iterator[str]:
    yield "---"
    yield f"title: {flow.label}"
    yield "---"
    yield "flowchart TD"
    yield f"    begins((call)) --> {_id(flow.start)}"
    for name, step in flow.steps.items():
        yield f"    {_id(name)}{_box(name, step)}"
        yield from _arrows(name, step)
    specials = {flow.quiet: "silence", flow.enough: f"{flow.turns} keys", flow.not_stored: "not stored"}
    for target, why in specials.items():
        yield f'    any_{_id(target)}(("any step")) -.->|"{why}"| {_id(target)}'


def _box(name: str, step: Step) -> str:
    notes = [*step.facts, *(["verifies"] if step.verifies else [])]
    text = f"{name}<br/><i>{', '.join(notes)}</i>" if notes else name
    if step.end:
        return f'(["{text}: {step.end.result.value}"])'
    return f'{{{{"{text}"}}}}' if step.listens else f'["{text}"]'


def _arrows(name: str, step: Step) -> Iterator[str]:
    arrows = [(choice.to, choice.key, choice.when) for choice in step.choices]
    arrows += [(target, found, ALWAYS) for found, target in step.on.items()]
    arrows += [(one.name, "", one.when) for one in step.next]
    for to, label, when in arrows:
        words = " ".join(part for part in (label, f"if {_when(when)}" if when.words else "") if part)
        yield f"    {_id(name)} -->" + (f'|"{words}"| ' if words else " ") + _id(to)


def _when(when: When) -> str:
    return " and ".join(word if wanted else f"not {word}" for word, wanted in when.words)


def _id(name: str) -> str:
    return f"s_{name}"  # `end` and the like are words of mermaid's own
