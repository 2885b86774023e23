"""5/8 answer: life of one call as a table, (state, word) -> state; events come in any order.

Rules of this file: a word that the table does not know in a state changes nothing; every state can end; `gone` is
reached by Asterisk's Hangup, by a failure without a channel, or by proof that the channel is no more; nothing here
decides: floor.py does.
"""

from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from operator import attrgetter
from typing import Any

from dialer.model import Attempt, CallState, Event, Kind, Overflow, Seen


class Word(StrEnum):
    """What can happen to a call."""

    PLACED = "placed"  # Asterisk acknowledged
    NOT_PLACED = "not_placed"  # Asterisk refused, or we never asked
    DIALLED = "dialled"
    PROGRESS = "progress"
    RINGING = "ringing"
    FAILED = "failed"  # proven: no channel was made
    ANSWERED = "answered"
    ANSWERED_DETECT = "answered_detect"
    ANSWERED_IVR = "answered_ivr"
    PERSON = "person"  # detection: human, or unsure
    MACHINE = "machine"
    RESERVED = "reserved"
    JOIN_FAILED = "join_failed"
    JOINED = "joined"
    LEFT = "left"
    ON_HOLD = "on_hold"
    HELD = "held"
    OVERFLOW_IVR = "overflow_ivr"
    OVERFLOW_MESSAGE = "overflow_message"
    IVR_BEGIN = "ivr_begin"
    IVR_END = "ivr_end"
    WANTS_AGENT = "wants_agent"
    MESSAGE = "message"
    VOICEMAIL = "voicemail"
    HANGUP = "hangup"
    LOST = "lost"  # proven gone without a Hangup seen
    RECORDED = "recorded"


_S, _W = CallState, Word
_ANSWER = {_W.ANSWERED: _S.WAITING, _W.ANSWERED_DETECT: _S.DETECTING, _W.ANSWERED_IVR: _S.IN_IVR}
_OVER = {_W.HANGUP: _S.GONE, _W.LOST: _S.GONE}
# Where the dialplan says the caller is, there he is, whatever was missed before
_PLACES = {
    _W.JOINED: _S.TALKING,
    _W.HELD: _S.HELD,
    _W.OVERFLOW_IVR: _S.IN_IVR,
    _W.OVERFLOW_MESSAGE: _S.IN_MESSAGE,
    _W.IVR_BEGIN: _S.IN_IVR,
    _W.WANTS_AGENT: _S.WANTS_AGENT,
    _W.MESSAGE: _S.IN_MESSAGE,
}
_DETECTED = {_W.PERSON: _S.WAITING, _W.MACHINE: _S.IN_MESSAGE, _W.VOICEMAIL: _S.IN_MESSAGE}


def _stays(state: CallState, *words: Word) -> dict[Word, CallState]:
    return dict.fromkeys(words, state)


def _unanswered(state: CallState) -> dict[Word, CallState]:
    known = _stays(state, _W.DIALLED, _W.PROGRESS)
    ends = {_W.FAILED: _S.GONE, _W.NOT_PLACED: _S.GONE, _W.RINGING: _S.RINGING}
    return known | _ANSWER | _OVER | _PLACES | _DETECTED | ends | {_W.IVR_END: _S.IN_IVR}


def _up(state: CallState, more: Mapping[Word, CallState] | None = None) -> dict[Word, CallState]:
    """An answered call; the manager's word of the answer may come after the dialplan's first."""
    return _OVER | _PLACES | _stays(state, *_ANSWER) | dict(more or {})


TABLE: Mapping[CallState, Mapping[Word, CallState]] = {
    _S.CLAIMED: _unanswered(_S.PLACED) | {_W.PLACED: _S.PLACED},
    _S.PLACED: _unanswered(_S.PLACED),
    _S.RINGING: _unanswered(_S.RINGING) | {_W.PLACED: _S.RINGING},
    _S.DETECTING: _up(_S.DETECTING, _DETECTED),
    _S.WAITING: _up(_S.WAITING, {_W.RESERVED: _S.JOINING}),
    # a Redirect that is under way wins against an overflow that has begun
    _S.JOINING: _stays(_S.JOINING, *_ANSWER, _W.OVERFLOW_IVR, _W.OVERFLOW_MESSAGE, _W.IVR_BEGIN, _W.MESSAGE)
    | {_W.JOINED: _S.TALKING, _W.JOIN_FAILED: _S.WAITING, _W.HELD: _S.HELD}
    | _OVER,
    _S.TALKING: _up(_S.TALKING, {_W.LEFT: _S.TALKING, _W.ON_HOLD: _S.ON_HOLD}),
    _S.ON_HOLD: _up(_S.ON_HOLD, _stays(_S.ON_HOLD, _W.LEFT, _W.ON_HOLD)),
    _S.HELD: _up(_S.HELD, {_W.RESERVED: _S.JOINING}),
    _S.IN_IVR: _up(_S.IN_IVR, {_W.IVR_END: _S.IN_IVR}),
    _S.WANTS_AGENT: _up(_S.WANTS_AGENT, {_W.RESERVED: _S.JOINING, _W.IVR_END: _S.WANTS_AGENT}),
    _S.IN_MESSAGE: _up(_S.IN_MESSAGE, {_W.VOICEMAIL: _S.IN_MESSAGE, _W.IVR_END: _S.IN_MESSAGE}),
    _S.GONE: _stays(_S.GONE, *_ANSWER, _W.FAILED, _W.HANGUP, _W.LEFT, _W.PERSON, _W.MACHINE)
    | _stays(_S.GONE, _W.IVR_END, _W.VOICEMAIL)
    | {_W.RECORDED: _S.ENDED},
    _S.ENDED: {},
}

UNANSWERED = frozenset({_S.CLAIMED, _S.PLACED, _S.RINGING})
NEEDS_AGENT = frozenset({_S.WAITING, _S.WANTS_AGENT, _S.HELD})
SETTLED = frozenset({_S.GONE, _S.ENDED})
_ANSWERED = frozenset(CallState) - UNANSWERED - SETTLED

_WORD_OF = {
    Seen.DIALLED: _W.DIALLED, Seen.PROGRESS: _W.PROGRESS, Seen.RINGING: _W.RINGING, Seen.HANGUP: _W.HANGUP,
    Seen.JOINED: _W.JOINED, Seen.LEFT: _W.LEFT, Seen.HELD: _W.HELD, Seen.ON_HOLD: _W.ON_HOLD,
    Seen.IVR_BEGIN: _W.IVR_BEGIN, Seen.IVR_END: _W.IVR_END, Seen.WANTS_AGENT: _W.WANTS_AGENT, Seen.MESSAGE: _W.MESSAGE,
    Seen.VOICEMAIL: _W.VOICEMAIL, Seen.ROOM_REFUSED: _W.JOIN_FAILED,
}  # fmt: skip

# when a word happens for the first time, its time goes into this field
_STAMPS = {
    _W.DIALLED: "placed_at", _W.PLACED: "placed_at", _W.PROGRESS: "progress_at", _W.RINGING: "ringing_at",
    _W.PERSON: "detected_at", _W.MACHINE: "detected_at", _W.JOINED: "joined_at", _W.OVERFLOW_IVR: "overflow_at",
    _W.OVERFLOW_MESSAGE: "overflow_at", _W.IVR_BEGIN: "ivr_at", _W.HANGUP: "ended_at", _W.LOST: "ended_at",
    _W.NOT_PLACED: "ended_at", _W.FAILED: "ended_at",
} | dict.fromkeys(_ANSWER, "answered_at")  # fmt: skip


def word_of(event: Event, kind: Kind, detection: bool) -> Word | None:
    """What an event means for an attempt; None: nothing, or not by itself."""
    match event.kind:
        case Seen.ANSWERED | Seen.READY:
            if kind is Kind.IVR:
                return _W.ANSWERED_IVR
            return _W.ANSWERED_DETECT if detection else _W.ANSWERED
        case Seen.DETECTED:
            return _DETECTIONS.get(event.result)
        case Seen.OVERFLOWED:
            return _W.OVERFLOW_IVR if event.result == Overflow.IVR else _W.OVERFLOW_MESSAGE
        case _:
            return _WORD_OF.get(event.kind)


_DETECTIONS = {"human": _W.PERSON, "unsure": _W.PERSON, "machine": _W.MACHINE}

Facts = Mapping[str, Any]
NOTHING: Facts = {}


def told(event: Event) -> Facts:
    """What an event tells besides the state, as fields of the attempt."""
    match event.kind:
        case Seen.DIALLED:
            return _DIALLED
        case Seen.FAILED:
            return _FAILED
        case Seen.HANGUP:
            return {"cause": event.cause, "sip_code": event.sip_code}
        case Seen.DETECTED:
            return {"detection": event.result}
        case Seen.OVERFLOWED:
            return {"overflow_to": event.result}
        case Seen.VOICEMAIL:
            return {"voicemail_left": event.result == "yes"}
        case Seen.WANTS_AGENT:
            return _WANTED_AGENT
        case Seen.IVR_END:
            return {"ivr_result": event.result}
        case _:
            return NOTHING


_DIALLED: Facts = {"dialled": True}
_FAILED: Facts = {"failed": True}
_WANTED_AGENT: Facts = {"wanted_agent": True}


_NAMES = [field.name for field in fields(Attempt)]
_PLACE = {name: place for place, name in enumerate(_NAMES)}
_values = attrgetter(*_NAMES)


def evolve(attempt: Attempt, **changes: Any) -> Attempt:
    """As dataclasses.replace, in a quarter of its time: every event of every call comes by here."""
    values = list(_values(attempt))
    for name, value in changes.items():
        values[_PLACE[name]] = value
    return Attempt(*values)


def step(attempt: Attempt, word: Word, at: float, facts: Facts = NOTHING) -> Attempt:
    """The attempt after `word` happened at `at`, with the `facts` that came along; the same object if nothing is new.

    Facts count in any state until the outcome is written, a word only where the table knows it.
    """
    if attempt.state is _S.ENDED:
        return attempt
    changes = _news(attempt, facts)
    state = TABLE[attempt.state].get(word)
    if state is not None:
        if state is not attempt.state:
            changes["state"] = state
            if word is _W.IVR_BEGIN and attempt.ivr_result:
                changes["ivr_result"] = ""  # once more: he waited for an agent and wants a call-back
            if attempt.state in UNANSWERED and state in _ANSWERED and not attempt.answered_at:
                changes["answered_at"] = at  # the word of the answer itself may be late, or lost
        stamp = _STAMPS.get(word)
        if stamp is not None and not getattr(attempt, stamp):
            changes[stamp] = at
    return evolve(attempt, **changes) if changes else attempt


def learn(attempt: Attempt, facts: Facts) -> Attempt:
    """The attempt with facts that came without a word; the same object if nothing is new."""
    changes = {} if attempt.state is _S.ENDED else _news(attempt, facts)
    return evolve(attempt, **changes) if changes else attempt


def _news(attempt: Attempt, facts: Facts) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if getattr(attempt, name) != value}


def diagram() -> str:
    """The table as a Mermaid state diagram, for the docs."""
    lines = ["stateDiagram-v2", "    [*] --> claimed"]
    for state, row in TABLE.items():
        for target in dict.fromkeys(row.values()):
            if target is not state:
                words = ", ".join(word for word, to in row.items() if to is target)
                lines.append(f"    {state} --> {target}: {words}")
    return "\n".join([*lines, "    ended --> [*]"])
