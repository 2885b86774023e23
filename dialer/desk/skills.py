"""Agents who serve several campaigns: where one goes whose own campaign has no work. Pure; lending.py carries it out.

Rules of this file: an agent is of one campaign at a time, and is nowhere while he goes over; nobody goes while a call
of his campaign may still need him, nor to more work than there is; the first of his campaigns that has work gets him.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dialer.model import Agent, AgentState

PATIENCE_S = 15.0  # so long he has been idle before he goes: work that is there again in a moment is not left
FRESH_S = 5.0  # an older board is nobody's
MOVE_S = 20.0  # so long the other engine may take to take him in; after that he comes back
MOVE = "move"  # the command: agent, to


@dataclass(frozen=True, slots=True)
class Work:
    """What another campaign has to do on a node. `room`: so many agents more would have somebody to call."""

    node: str
    room: int


NONE = Work("", 0)


def work_of(board: bytes | None, at: float) -> Work:
    """As its engine published it; where nobody leads it, or calls are held back for any reason, there is none."""
    try:
        seen = json.loads(board) if board else {}
        idle = sum(one["state"] == AgentState.IDLE.value for one in seen["agents"])
        leads = abs(at - float(seen["at"])) <= FRESH_S
        works = leads and seen["status"] == "running" and not seen["holds"]
        return Work(str(seen["node"]["name"]), max(0, int(seen["due"]) - idle) if works else 0)
    except (ValueError, KeyError, TypeError):
        return NONE  # of another version: a new one is there within a second


def waiting(agents: Iterable[Agent], at: float) -> list[Agent]:
    """Who has been idle for long, the longest first."""
    found = [one for one in agents if one.state is AgentState.IDLE and one.leg and not one.offer]
    return sorted((one for one in found if at - one.since >= PATIENCE_S), key=lambda one: (one.since, one.id))


def moves(
    idle: Sequence[Agent], skills: Mapping[str, Sequence[str]], here: str, others: Mapping[str, Work]
) -> list[tuple[str, str]]:
    """(agent, campaign) of those who go. `skills`: agent -> his campaigns in order; his telephone stays on his node."""
    room = {name: work.room for name, work in others.items()}
    found: list[tuple[str, str]] = []
    for agent in idle:
        for name in skills.get(agent.id, ()):
            if name != here and room.get(name, 0) > 0 and others[name].node == agent.node:
                room[name] -= 1
                found.append((agent.id, name))
                break
    return found


def move_id(agent: Agent) -> str:
    """The order to the other engine: the same whoever sends it, however often, so he is taken in once."""
    return f"move-{agent.id}-{round(agent.since * 1000)}"
