"""5/8 answer: life of one call as a table, (state, word) -> state; events come in any order.

Rules of this file: a word that the table does not know in a state changes nothing; every state can end; `gone` is
reached by Asterisk's Hangup, by a failure without a channel, or by proof that the channel is no more; nothing here
decides: floor.py does.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from dialer.model import Attempt, CallState, Event, Kind, Overflow, Seen


class Word(StrEnum):
    """What can happen to a call."""

    PLACED = "placed"  # Asterisk acknowledged
    NOT_PLACED = "not_placed"  # Asterisk refused, or we never asked
    DIALLED = "dialled"
    PROGRESS = "progress"
    RINGING = "ringing"
    FAILED = "failed"  # no channel was made
    FAILED_UP = "failed_up"  # a channel was made: its Hangup ends the call
    ANSWERED = "answered"
    ANSWERED_DETECT = "answered_detect"
    ANSWERED_IVR = "answered_ivr"
    PERSON = "person"  # detection: human, or unsure
    MACHINE = "machine"
    RESERVED = "reserved"
    JOIN_FAILED = "join_failed"
    JOINED = "joined"
    LEFT = "left"
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
_ANYWHERE = {_W.HANGUP: _S.GONE, _W.LOST: _S.GONE}
_ANSWER = {_W.ANSWERED: _S.WAITING, _W.ANSWERED_DETECT: _S.DETECTING, _W.ANSWERED_IVR: _S.IN_IVR}
_FALL = {
    _W.OVERFLOW_IVR: _S.IN_IVR,
    _W.OVERFLOW_MESSAGE: _S.IN_MESSAGE,
    _W.IVR_BEGIN: _S.IN_IVR,
    _W.MESSAGE: _S.IN_MESSAGE,
}
_UNANSWERED = _ANSWER | _ANYWHERE | {_W.FAILED: _S.GONE, _W.NOT_PLACED: _S.GONE, _W.RINGING: _S.RINGING}
_GONE_KEEPS = {
    word: _S.GONE
    for word in (*_ANSWER, _W.FAILED, _W.FAILED_UP, _W.HANGUP, _W.LEFT, _W.IVR_END, _W.PERSON, _W.MACHINE, _W.VOICEMAIL)
}

TABLE: Mapping[CallState, Mapping[Word, CallState]] = {
    _S.CLAIMED: _UNANSWERED | {w: _S.PLACED for w in (_W.PLACED, _W.DIALLED, _W.PROGRESS)} | {_W.FAILED_UP: _S.PLACED},
    _S.PLACED: _UNANSWERED | {w: _S.PLACED for w in (_W.DIALLED, _W.PROGRESS, _W.FAILED_UP)},
    _S.RINGING: _UNANSWERED | {w: _S.RINGING for w in (_W.PLACED, _W.DIALLED, _W.PROGRESS, _W.FAILED_UP)},
    _S.DETECTING: _ANYWHERE
    | _FALL
    | {_W.PERSON: _S.WAITING, _W.MACHINE: _S.IN_MESSAGE, _W.VOICEMAIL: _S.IN_MESSAGE, _W.JOINED: _S.TALKING},
    _S.WAITING: _ANYWHERE | _FALL | {_W.RESERVED: _S.JOINING, _W.JOINED: _S.TALKING},
    _S.JOINING: _ANYWHERE | _FALL | {_W.JOINED: _S.TALKING, _W.JOIN_FAILED: _S.WAITING, _W.HELD: _S.HELD},
    _S.TALKING: _ANYWHERE | _FALL | {_W.HELD: _S.HELD, _W.LEFT: _S.TALKING, _W.RESERVED: _S.JOINING},
    _S.HELD: _ANYWHERE | _FALL | {_W.RESERVED: _S.JOINING, _W.JOINED: _S.TALKING},
    _S.IN_IVR: _ANYWHERE
    | {_W.IVR_BEGIN: _S.IN_IVR, _W.IVR_END: _S.IN_IVR, _W.OVERFLOW_IVR: _S.IN_IVR}
    | {_W.WANTS_AGENT: _S.WANTS_AGENT, _W.MESSAGE: _S.IN_MESSAGE, _W.JOINED: _S.TALKING},
    _S.WANTS_AGENT: _ANYWHERE | _FALL | {_W.RESERVED: _S.JOINING, _W.JOINED: _S.TALKING, _W.IVR_END: _S.WANTS_AGENT},
    _S.IN_MESSAGE: _ANYWHERE
    | {_W.MESSAGE: _S.IN_MESSAGE, _W.OVERFLOW_MESSAGE: _S.IN_MESSAGE, _W.VOICEMAIL: _S.IN_MESSAGE}
    | {_W.JOINED: _S.TALKING, _W.IVR_BEGIN: _S.IN_IVR},
    _S.GONE: _GONE_KEEPS | {_W.RECORDED: _S.ENDED},
    _S.ENDED: {},
}

UNANSWERED = frozenset({_S.CLAIMED, _S.PLACED, _S.RINGING})
NEEDS_AGENT = frozenset({_S.WAITING, _S.WANTS_AGENT, _S.HELD})

_WORD_OF = {
    Seen.DIALLED: _W.DIALLED, Seen.PROGRESS: _W.PROGRESS, Seen.RINGING: _W.RINGING, Seen.HANGUP: _W.HANGUP,
    Seen.JOINED: _W.JOINED, Seen.LEFT: _W.LEFT, Seen.HELD: _W.HELD, Seen.IVR_BEGIN: _W.IVR_BEGIN,
    Seen.IVR_END: _W.IVR_END, Seen.WANTS_AGENT: _W.WANTS_AGENT, Seen.MESSAGE: _W.MESSAGE,
    Seen.VOICEMAIL: _W.VOICEMAIL, Seen.ROOM_REFUSED: _W.JOIN_FAILED,
}  # fmt: skip

# when a word happens for the first time, its time goes into this field
_STAMPS = {
    _W.DIALLED: "placed_at", _W.PLACED: "placed_at", _W.RINGING: "ringing_at", _W.PERSON: "detected_at",
    _W.MACHINE: "detected_at", _W.JOINED: "joined_at", _W.OVERFLOW_IVR: "overflow_at",
    _W.OVERFLOW_MESSAGE: "overflow_at", _W.IVR_BEGIN: "ivr_at", _W.HANGUP: "ended_at", _W.LOST: "ended_at",
    _W.NOT_PLACED: "ended_at", _W.FAILED: "ended_at",
} | dict.fromkeys(_ANSWER, "answered_at")  # fmt: skip


def word_of(event: Event, attempt: Attempt, kind: Kind, detection: bool) -> Word | None:
    """What an event means for this attempt; None: nothing."""
    if event.kind is Seen.ANSWERED:
        if kind is Kind.IVR:
            return _W.ANSWERED_IVR
        return _W.ANSWERED_DETECT if detection else _W.ANSWERED
    if event.kind is Seen.FAILED:
        return _W.FAILED_UP if attempt.dialled else _W.FAILED
    if event.kind is Seen.DETECTED:
        return {"machine": _W.MACHINE, "hangup": None}.get(event.result, _W.PERSON)
    if event.kind is Seen.OVERFLOWED:
        return _W.OVERFLOW_IVR if event.result == Overflow.IVR else _W.OVERFLOW_MESSAGE
    return _WORD_OF.get(event.kind)


def step(attempt: Attempt, word: Word, at: float) -> Attempt:
    """The attempt after `word` happened at `at`; the very same object if the table does not know it here."""
    state = TABLE[attempt.state].get(word)
    if state is None:
        return attempt
    stamp = _STAMPS.get(word)
    if stamp is None or getattr(attempt, stamp):
        return attempt if state is attempt.state else replace(attempt, state=state)
    changes: dict[str, Any] = {"state": state, stamp: at}
    return replace(attempt, **changes)


def learn(attempt: Attempt, event: Event) -> Attempt:
    """What an event tells besides the state; late events count too, until the outcome is written."""
    if attempt.state is CallState.ENDED:
        return attempt
    match event.kind:
        case Seen.DIALLED:
            return replace(attempt, dialled=True)
        case Seen.FAILED:
            return replace(attempt, failed=True)
        case Seen.HANGUP:
            return replace(attempt, cause=event.cause, sip_code=event.sip_code)
        case Seen.DETECTED:
            return replace(attempt, detection=event.result)
        case Seen.OVERFLOWED:
            return replace(attempt, overflow_to=event.result)
        case Seen.VOICEMAIL:
            return replace(attempt, voicemail_left=event.result == "yes")
        case Seen.WANTS_AGENT:
            return replace(attempt, wanted_agent=True)
        case Seen.IVR_END:
            return replace(attempt, ivr_result=event.result)
        case _:
            return attempt


def diagram() -> str:
    """The table as a Mermaid state diagram, for the docs."""
    lines = ["stateDiagram-v2", "    [*] --> claimed"]
    for state, row in TABLE.items():
        for target in dict.fromkeys(row.values()):
            if target is not state:
                words = ", ".join(word for word, to in row.items() if to is target)
                lines.append(f"    {state} --> {target}: {words}")
    return "\n".join([*lines, "    ended --> [*]"])
