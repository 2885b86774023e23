"""The life of one call in one table: what the claim, the engine, Asterisk, the IVR, the agent and the stream know."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from dialer.law.decisionlog import Decision
from dialer.mask import mask_number, mask_text
from dialer.model import Attempt, Fact
from dialer.stream import Entry, Type

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
ID_LENGTH = 26

# field of attempt and record -> who knew it, what happened, which fields say more
_TIMES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("claimed_at", "claim", "locked and written down", ("kind", "pack", "tries", "answer_probability")),
    ("placed_at", "engine", "given to Asterisk, acknowledged", ("trunk", "node", "caller_id")),
    ("progress_at", "asterisk", "early media", ()),
    ("ringing_at", "asterisk", "rings", ()),
    ("answered_at", "asterisk", "answered", ()),
    ("detected_at", "asterisk", "detection ended", ("detection",)),
    ("joined_at", "asterisk", "agent and debtor hear each other", ("agent",)),
    ("overflow_at", "asterisk", "nobody in time: went on", ("overflow_to",)),
    ("ivr_at", "asterisk", "the IVR began", ()),
    ("left_at", "asterisk", "the talk ended", ("talk_s",)),
    ("ended_at", "asterisk", "the call is gone", ("cause", "sip_code", "cancelled", "ivr_result")),
    ("wrapped_at", "agent", "wrapped up", ("disposition",)),
)
_ORDER = ("claim", "engine", "asterisk", "ivr", "agent", "stream", "log")
_HELD_NOTHING = (None, "", 0, 0.0, -1, -1.0)
_SAID_AS_IS = frozenset({"flow", "step", "closed", "promise", "offer", "callback"})  # days and amounts, no numbers
_IDS = ("attempt", "call_id")  # under which log lines name a call
_NO_NEWS = frozenset({*_IDS, "event", "action", "timestamp", "level"})


@dataclass(frozen=True, slots=True)
class Step:
    """One line. `at`: epoch seconds; None: known to have happened, but not when."""

    at: float | None
    source: str
    what: str
    detail: str = ""


def claimed_about(attempt: str) -> float | None:
    """When an attempt of this id was made, epoch seconds; None: it is no id of ours."""
    if len(attempt) != ID_LENGTH or any(letter not in _CROCKFORD for letter in attempt):
        return None
    number = 0
    for letter in attempt:
        number = number << 5 | _CROCKFORD.index(letter)
    return (number >> 80) / 1000 if number < 1 << 128 else None


def ordered(steps: Iterable[Step]) -> list[Step]:
    """By time, and at the same time in the order in which things follow from each other; undated ones last."""
    return sorted(steps, key=lambda one: (one.at is None, one.at or 0.0, _ORDER.index(one.source)))


def offsets_ms(steps: Sequence[Step]) -> list[int | None]:
    """Milliseconds since the first dated step."""
    first = next((one.at for one in steps if one.at is not None), 0.0)
    return [None if one.at is None else round((one.at - first) * 1000) for one in steps]


def of_decision(found: Decision) -> Step:
    """What the gate said, from the log of decisions."""
    seen = ", ".join(f"{count} calls to this {whom} before" for whom, count in found.seen.items())
    detail = "; ".join(word for word in (found.pack, found.rule, f"number {found.number + 1}", seen) if word)
    return Step(found.at, "claim", f"the gate: {found.kind}", detail)


def of_attempt(attempt: Attempt) -> Iterator[Step]:
    """What is known of a call without an outcome."""
    yield from _times({name: getattr(attempt, name, None) for name in _named()})
    yield Step(None, "engine", f"no outcome yet: {attempt.state}", f"number {mask_number(attempt.number.e164)[-7:]}")


def of_entry(entry: Entry, written_at: float) -> Iterator[Step]:
    """What the stream says, and when it was written there (epoch seconds)."""
    values = entry.values
    if entry.type is Type.CORRECTION:
        changed = {name: value for name, value in values.items() if name not in ("v", "type", "attempt", "campaign")}
        yield Step(written_at, "stream", "corrected", _details(changed))
        return
    yield from _times(values)
    names = ("reason", "side", "ivr_choice", "promise_due", "promise_amount", "offer", "retry_at", "rests")
    detail = _details({name: values.get(name) for name in names})
    yield Step(written_at, "stream", f"outcome: {values.get('outcome')}", detail)


def of_fact(fact: Fact) -> Step:
    """What the IVR learnt; what was keyed is shown as stars."""
    value = fact.value
    if fact.name == "key":
        value = "*" * len(value)
    elif fact.name not in _SAID_AS_IS:
        value = mask_text(value)
    return Step(fact.at, "ivr", fact.name, value)


def of_log(lines: Iterable[str], attempt: str) -> Iterator[Step]:
    """Lines of a log that name the call: ours (one JSON object a line) or anybody's."""
    for line in lines:
        if attempt in line:
            yield _logged(line.strip(), attempt)


def _logged(line: str, attempt: str) -> Step:
    try:
        said = json.loads(line)
        at = datetime.fromisoformat(said["timestamp"]).timestamp()
        if not any(said.get(name) == attempt for name in _IDS):
            return Step(at, "log", "named", mask_text(line.replace(attempt, "ID")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Step(None, "log", "named", mask_text(line.replace(attempt, "ID")))
    more = _details({name: value for name, value in said.items() if name not in _NO_NEWS})
    return Step(at, "log", mask_text(str(said.get("event", ""))), mask_text(more))


def _named() -> set[str]:
    return {name for name, _, _, more in _TIMES for name in (name, *more)}


def _times(values: Mapping[str, object]) -> Iterator[Step]:
    for name, source, what, more in _TIMES:
        at = values.get(name)
        if isinstance(at, float | int) and at > 0 and isfinite(at):
            yield Step(float(at), source, what, _details({one: values.get(one) for one in more}))


def _details(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {_said(name, value)}" for name, value in values.items() if value not in _HELD_NOTHING)


def _said(name: str, value: object) -> str:
    if name.endswith(("_at", "_until")) and isinstance(value, float | int):
        return datetime.fromtimestamp(value).astimezone().isoformat(timespec="seconds")
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if name == "caller_id":
        return mask_number(str(value))
    return str(value)
