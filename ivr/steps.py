"""The steps of the conversation as a table.

A step says its sentences, then awaits one key (`keys`), awaits digits (`entry`), goes on (`next`) or ends (`end`).
`x if y` means x, only where the condition y holds; dialogue.py knows the conditions and plays the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dialer.dialplan import IvrResult


@dataclass(frozen=True, slots=True)
class End:
    """What the dialplan is told, and one word for the record."""

    result: IvrResult
    how: str


@dataclass(frozen=True, slots=True)
class Step:
    """One place in the conversation. `must`: its facts are stored before anything of it is said."""

    say: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    entry: str = ""
    on: Mapping[str, str] = field(default_factory=dict)  # what the entry's check found -> step
    next: tuple[str, ...] = ()  # the first whose condition holds
    fact: str = ""
    must: bool = False
    verifies: bool = False
    end: End | None = None


def _end(how: str, result: IvrResult = IvrResult.DONE) -> End:
    return End(result, how)


START = "greet"
STEPS: Mapping[str, Step] = {
    "greet": Step(say=("{greeting}", "caller if caller", "caller_unnamed if no_caller"), next=("person",)),
    "person": Step(
        say=("ask_name if name", "ask_holder if no_name", "press_right", "press_wrong", "press_language if switch"),
        keys={"1": "right", "2": "language if switch", "3": "person", "9": "wrong_person"},
    ),
    "language": Step(fact="language", next=("person",)),
    "right": Step(next=("secret if secret", "verified")),
    "secret": Step(
        say=("ask_birth if birth", "ask_code if code"),
        entry="secret",
        on={"ok": "verified", "bad": "secret_bad", "given_up": "not_verified"},
    ),
    "secret_bad": Step(say=("secret_bad",), next=("secret",)),
    "not_verified": Step(say=("not_verified",), fact="not_verified", end=_end("not_verified")),
    "verified": Step(say=("thanks",), verifies=True, fact="verified", next=("tell",)),
    "tell": Step(
        say=("purpose", "amount if amount", "due_later if due_later", "due_today if due_today", "due_late if due_late"),
        fact="told",
        next=("menu",),
    ),
    "menu": Step(
        say=("menu_promise", "menu_agent if agent", "menu_repeat", "menu_paid", "menu_wrong if unproven", "menu_again"),
        keys={
            "1": "promise", "2": "agent if agent", "3": "tell", "8": "paid", "9": "wrong_person if unproven",
            "0": "menu",
        },
    ),
    "promise": Step(
        say=("ask_date", "date_example", "date_limit"),
        entry="date",
        on={
            "ok": "confirm", "unreal": "date_unreal", "past": "date_past", "far": "date_far",
            "given_up": "date_given_up",
        },
    ),
    "date_unreal": Step(say=("date_unreal",), next=("promise",)),
    "date_past": Step(say=("date_past",), next=("promise",)),
    "date_far": Step(say=("date_far",), next=("promise",)),
    "date_given_up": Step(say=("date_given_up",), next=("menu",)),
    "confirm": Step(
        say=("confirm if amount", "confirm_date if no_amount", "press_confirm", "press_change", "press_back"),
        keys={"1": "promised", "2": "promise", "0": "menu"},
    ),
    "promised": Step(say=("promise_noted", "bye"), fact="promise", must=True, end=_end("promise")),
    "agent": Step(say=("agent",), fact="wants_agent", must=True, end=_end("agent", IvrResult.AGENT)),
    "paid": Step(say=("paid_noted", "bye"), fact="paid_claim", must=True, end=_end("paid_claim")),
    "wrong_person": Step(say=("wrong_noted",), fact="wrong_person", must=True, end=_end("wrong_person")),
    "quiet": Step(next=("listened if verified", "no_input")),
    "listened": Step(say=("silent", "bye"), fact="no_input", end=_end("listened")),
    "no_input": Step(say=("silent", "bye_later"), fact="no_input", end=_end("no_input")),
    "enough": Step(say=("bye",), end=_end("turn_limit")),
    "not_stored": Step(say=("not_stored",), end=_end("not_stored", IvrResult.MESSAGE)),
}  # fmt: skip
ON_QUIET, ON_ENOUGH, ON_NOT_STORED = "quiet", "enough", "not_stored"
