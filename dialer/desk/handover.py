"""In the call: hold, the IVR, another agent with and without a word before, help. Commands of the agent who talks."""

from collections.abc import Mapping
from dataclasses import replace

from dialer.calls import evolve
from dialer.desk.answers import Answer, Handler, agent_of, call_of
from dialer.dialplan import Context
from dialer.floor.actions import Action, RaiseLink, SaveAgent, SendTo
from dialer.floor.breaks import is_supervising
from dialer.floor.floor import Floor
from dialer.floor.moves import BACK, HOLD, LINK_PREFIX
from dialer.model import Agent, AgentState, Attempt, CallState, Command, Link

_HIS = frozenset({CallState.TALKING, CallState.ON_HOLD})


def talk_of(floor: Floor, agent_id: str) -> Attempt | str:
    """The call that he leads, or why there is none to be moved now."""
    agent, attempt = floor.team.agents.get(agent_id), call_of(floor, agent_id)
    if agent is None or attempt is None or attempt.agent != agent_id or attempt.state not in _HIS:
        return f"agent {agent_id} has nobody on the line"
    if agent.state is not AgentState.TALKING:
        return f"agent {agent_id} is {agent.state}"
    if floor.books.notes[attempt.id].moving:
        return "he is on his way already"
    return attempt


def hold(floor: Floor, command: Command, at: float) -> Answer:
    """agent"""
    attempt = talk_of(floor, agent_of(command))
    if isinstance(attempt, str):
        return False, attempt, []
    if attempt.state is CallState.ON_HOLD:
        return True, "on hold", []
    return True, "to the music", [floor.move(attempt, HOLD, Context.HOLD, attempt.agent, at)]


def unhold(floor: Floor, command: Command, at: float) -> Answer:
    """agent"""
    attempt = talk_of(floor, agent_of(command))
    if isinstance(attempt, str):
        return False, attempt, []
    if attempt.state is not CallState.ON_HOLD:
        return True, "not on hold", []
    return True, "coming back", [floor.move(attempt, BACK, Context.ROOM, attempt.agent, at)]


def to_ivr(floor: Floor, command: Command, at: float) -> Answer:
    """agent. His wrap-up begins when the caller has left; the outcome has both."""
    attempt = talk_of(floor, agent_of(command))
    if isinstance(attempt, str):
        return False, attempt, []
    return True, "to the IVR", [SendTo(attempt, Context.IVR, "s")]


def to_agent(floor: Floor, command: Command, at: float) -> Answer:
    """agent, to. Without a word before."""
    attempt = talk_of(floor, agent_of(command))
    if isinstance(attempt, str):
        return False, attempt, []
    actions = _keep(floor, attempt, command.args.get("to", ""), at)
    if isinstance(actions, str):
        return False, actions, []
    to = floor.moves.kept[attempt.id]
    return True, f"to {to}", [*actions, floor.move(attempt, to, Context.HAND_OVER, to, at)]


def consult(floor: Floor, command: Command, at: float) -> Answer:
    """agent, to. The caller hears music, the two agents each other; `hand_over` or `consult_end` ends it, and `unhold`
    makes it a talk of three."""
    attempt = talk_of(floor, agent_of(command))
    if isinstance(attempt, str):
        return False, attempt, []
    if attempt.id in floor.moves.links:
        return False, "he talks with a colleague already", []
    actions = _keep(floor, attempt, command.args.get("to", ""), at)
    if isinstance(actions, str):
        return False, actions, []
    to = floor.moves.kept[attempt.id]
    link = Link(f"{LINK_PREFIX}.{floor.campaign.id}.{floor.new_id(at)}", attempt.id, attempt.agent, to)
    floor.moves.links[attempt.id] = link
    if attempt.state is CallState.TALKING:
        actions.append(floor.move(attempt, HOLD, Context.HOLD, attempt.agent, at))
    return True, f"asking {to}", [*actions, RaiseLink(link), *_told(floor, attempt.agent)]


def hand_over(floor: Floor, command: Command, at: float) -> Answer:
    """agent. To the colleague who was asked."""
    attempt = talk_of(floor, agent_of(command))
    if isinstance(attempt, str):
        return False, attempt, []
    to = floor.moves.kept.get(attempt.id)
    if to is None:
        return False, "no colleague has been asked", []
    return True, f"to {to}", [floor.move(attempt, to, Context.HAND_OVER, to, at)]


def consult_end(floor: Floor, command: Command, at: float) -> Answer:
    """agent. The caller stays where he is: on hold, as a rule."""
    attempt = call_of(floor, agent_of(command))
    if attempt is None or attempt.id not in floor.moves.links or attempt.agent != agent_of(command):
        return False, "no colleague has been asked", []
    if floor.books.notes[attempt.id].moving not in ("", HOLD, BACK):
        return False, "he is on his way already", []
    return True, "alone again", [*floor.moves.drop(attempt.id, at), *_told(floor, attempt.agent)]


def _keep(floor: Floor, attempt: Attempt, to: str, at: float) -> list[Action] | str:
    """The colleague is kept for him, or why he is not to be had."""
    other = floor.team.agents.get(to)
    if other is None or other.state is AgentState.SIGNED_OUT:
        return f"agent {to} is not signed in"
    if other.id == attempt.agent or attempt.id in floor.moves.kept:
        return "he is asked already" if other.id != attempt.agent else "that is he himself"
    if not _may_take(other, attempt):
        return f"agent {to} is not free: {other.state}"
    return floor.moves.keep(attempt.id, to, at)


def _may_take(agent: Agent, attempt: Attempt) -> bool:
    free = agent.state is AgentState.IDLE or is_supervising(agent)
    return free and bool(agent.leg) and agent.node == attempt.node


def help_(floor: Floor, command: Command, at: float) -> Answer:
    """agent, on (`no`: not any more). A flag on the supervisors' board."""
    agent = floor.team.agents.get(agent_of(command))
    if agent is None or agent.state is AgentState.SIGNED_OUT:
        return False, f"agent {agent_of(command)} is not signed in", []
    asks = command.args.get("on", "yes") != "no"
    return True, "help is called" if asks else "no help", [SaveAgent(floor.team.keep(replace(agent, help=asks)))]


def _told(floor: Floor, agent_id: str) -> list[Action]:
    """His desk shows what has changed about his call."""
    return [SaveAgent(floor.team.agents[agent_id])]


def paused(floor: Floor, attempt_id: str, muted: bool) -> list[Action]:
    """His recording is silent from now on, or goes on."""
    attempt = floor.attempts.get(attempt_id)
    if attempt is None:
        return []
    floor.books.put(evolve(attempt, record_paused=muted))
    return _told(floor, attempt.agent) if attempt.agent in floor.team.agents else []


HANDLERS: Mapping[str, Handler] = {
    "hold": hold,
    "unhold": unhold,
    "to_ivr": to_ivr,
    "to_agent": to_agent,
    "consult": consult,
    "consult_end": consult_end,
    "hand_over": hand_over,
    "help": help_,
}
