"""Life of an agent as a table, (state, word) -> state."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from dialer.model import Agent, AgentState


class Word(StrEnum):
    """What can happen to an agent."""

    SIGN_IN = "sign_in"
    LEG_UP = "leg_up"  # his own leg is parked in his room
    LEG_DOWN = "leg_down"
    RESERVE = "reserve"
    OFFER = "offer"  # an account is shown to him
    OFFER_OVER = "offer_over"
    JOINED = "joined"  # the customer is in his room
    JOIN_FAILED = "join_failed"
    CUSTOMER_LEFT = "customer_left"
    CUT_OFF = "cut_off"  # the dialplan holds his customer: his leg went in the talk
    WRAPPED = "wrapped"
    BREAK = "break"
    BACK = "back"
    SIGN_OUT = "sign_out"


_S, _W = AgentState, Word
_JOINED = {_W.JOINED: _S.TALKING}  # where a customer is in his room, they talk, whatever was thought of it
TABLE: Mapping[AgentState, Mapping[Word, AgentState]] = {
    _S.SIGNED_OUT: {_W.SIGN_IN: _S.RAISING},
    _S.RAISING: {_W.LEG_UP: _S.IDLE, _W.SIGN_OUT: _S.SIGNED_OUT, _W.BREAK: _S.BREAK},
    _S.IDLE: {_W.RESERVE: _S.RESERVED, _W.BREAK: _S.BREAK, _W.SIGN_OUT: _S.SIGNED_OUT, _W.LEG_DOWN: _S.LOST}
    | _JOINED
    | {_W.OFFER: _S.PREVIEW},
    _S.PREVIEW: {
        _W.OFFER_OVER: _S.IDLE,
        _W.RESERVE: _S.RESERVED,
        _W.BREAK: _S.BREAK,
        _W.SIGN_OUT: _S.SIGNED_OUT,
        _W.LEG_DOWN: _S.LOST,
    }
    | _JOINED,
    _S.RESERVED: {_W.JOIN_FAILED: _S.IDLE, _W.LEG_DOWN: _S.LOST} | _JOINED,
    _S.TALKING: {_W.CUSTOMER_LEFT: _S.WRAP_UP, _W.CUT_OFF: _S.LOST, _W.LEG_DOWN: _S.LOST},
    _S.WRAP_UP: {_W.WRAPPED: _S.IDLE, _W.CUT_OFF: _S.LOST, _W.LEG_DOWN: _S.WRAP_UP, _W.LEG_UP: _S.WRAP_UP} | _JOINED,
    _S.BREAK: {_W.BACK: _S.IDLE, _W.LEG_DOWN: _S.BREAK, _W.LEG_UP: _S.BREAK, _W.SIGN_OUT: _S.SIGNED_OUT} | _JOINED,
    _S.LOST: {_W.LEG_UP: _S.IDLE, _W.SIGN_OUT: _S.SIGNED_OUT, _W.BREAK: _S.BREAK} | _JOINED,
}

COUNTED = frozenset({_S.IDLE, _S.PREVIEW, _S.RESERVED, _S.TALKING, _S.WRAP_UP})  # those the pacer may reckon with
BUSY = frozenset({_S.RESERVED, _S.TALKING})
WANTS_LEG = frozenset({_S.RAISING, _S.LOST, _S.WRAP_UP})  # a wrap-up goes on while a lost leg is raised again


def step(agent: Agent, word: Word, at: float) -> Agent:
    """The agent after `word` happened at `at`; the very same object if the table does not know it here."""
    state = TABLE[agent.state].get(word)
    if state is None:
        return agent
    if state is AgentState.IDLE and word is not Word.LEG_UP and not agent.leg:
        state = AgentState.RAISING
    if state is agent.state:
        return agent
    return replace(agent, state=state, since=at)


def diagram() -> str:
    """The table as a Mermaid state diagram, for the docs."""
    lines = ["stateDiagram-v2", "    [*] --> signed_out"]
    for state, row in TABLE.items():
        for target in dict.fromkeys(row.values()):
            if target is not state:
                words = ", ".join(word for word, to in row.items() if to is target)
                lines.append(f"    {state} --> {target}: {words}")
    return "\n".join(lines)
