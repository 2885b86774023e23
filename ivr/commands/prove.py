"""A flow proved for somebody else: JSON on standard input, what was found on standard output. The web starts it.

    {"flow": TOML, "texts": {"id": TOML, "en": TOML}, "prompts": FOLDER, "make": false}
    {"label", "faults": [{"file", "line", "text", "code", "params"}], "steps": [...], "lacking": [...] or null}

`lacking`: sentences without a sound in the folder; null: there is no such folder here. With `make` they are rendered,
by the folder's own voices. `{"shipped": NAME}` gives the files of a flow that comes with Santun.
"""

import json
import resource
import sys
from pathlib import Path
from pkgutil import get_data
from typing import Any

from dialer.errors import ConfigError, SetupError
from dialer.forms.told import parts as told_parts
from dialer.forms.told import told
from ivr import spoken
from ivr.adapters.logs import log_to_stderr
from ivr.adapters.speech import Speech, opened
from ivr.flow import ALWAYS, Flow, Step, When
from ivr.flow_reading import File, Placed, Unsound, read
from ivr.prompts import parts
from ivr.shipped import PAYMENT_REMINDER
from ivr.texts import Said, said

MEMORY_MAX = 2 << 30
SECONDS_MAX = 120
FLOW = "flow"


def prove(asked: dict[str, Any]) -> dict[str, Any]:
    """What is wrong with it, or what it is."""
    files = {language: File(language, text) for language, text in asked["texts"].items()}
    try:
        flow = read(File(FLOW, asked["flow"]), files)
    except Unsound as error:
        return {"label": "", "faults": [_fault(one) for one in error.found], "steps": [], "lacking": None}
    if missing := [one for one in spoken.LANGUAGES if one not in files]:
        faults = [_fault(Placed(one, 1, told("texts_missing", "its texts are missing"))) for one in missing]
        return {"label": flow.label, "faults": faults, "steps": [], "lacking": None}
    return {
        "label": flow.label,
        "faults": [],
        "steps": [_step(flow, name, step) for name, step in flow.steps.items()],
        "lacking": _lacking(Path(asked["prompts"]), said([flow]), bool(asked.get("make")))
        if asked["prompts"]
        else None,
    }


def _fault(one: Placed) -> dict[str, Any]:
    code, params = told_parts(one.sentence)
    return {"file": one.file, "line": one.line, "text": str(one.sentence), "code": code, "params": params}


def _step(flow: Flow, name: str, step: Step) -> dict[str, Any]:
    """For a drawing: its kind, what it says and does, and where it leads."""
    kind = "end" if step.end else "entry" if step.entry else "choices" if step.choices else "next"
    arrows = [(choice.to, choice.key, _when(choice.when)) for choice in step.choices]
    arrows += [(target, found, "") for found, target in step.on.items()]
    arrows += [(one.name, "", _when(one.when)) for one in step.next]
    specials = {flow.start: "start", flow.quiet: "quiet", flow.enough: "enough", flow.not_stored: "not_stored"}
    says = [one.name for one in step.say] + [one.say for one in step.choices if one.say]
    return {
        "name": name, "kind": kind, "says": says,
        "entry": step.entry, "facts": list(step.facts), "does": step.does, "verifies": step.verifies,
        "result": step.end.result.value if step.end else "", "role": specials.get(name, ""),
        "arrows": [{"to": to, "on": on, "when": when} for to, on, when in arrows],
    }  # fmt: skip


def _when(when: When) -> str:
    if when == ALWAYS:
        return ""
    return " and ".join(word if wanted else f"not {word}" for word, wanted in when.words)


def _lacking(folder: Path, words: Said, make: bool) -> list[str] | None:
    if not folder.is_dir():
        return None
    try:
        speech = opened(folder)
        if make:
            _make(speech, words)
        return speech.lacking(words)
    except OSError:
        return None


def _make(speech: Speech, words: Said) -> None:
    for language in spoken.LANGUAGES:
        for _, _, _, piece in parts(language, words):
            try:
                speech.piece(language, piece)
            except SetupError:
                continue  # it stays among those that are lacking


def shipped(name: str) -> dict[str, Any]:
    """The files of a flow that comes along."""
    if name != PAYMENT_REMINDER:
        raise ConfigError(f"{name} is not shipped: {PAYMENT_REMINDER} is.")
    texts = {one: _text(f"{name}.{one}") for one in spoken.LANGUAGES}
    return {"flow": _text(name), "texts": texts}


def _text(name: str) -> str:
    return (get_data("ivr", f"flows/{name}.toml") or b"").decode()


def main() -> None:
    """One question, one answer."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    log_to_stderr()
    asked = json.load(sys.stdin)
    answer = shipped(asked["shipped"]) if "shipped" in asked else prove(asked)
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
