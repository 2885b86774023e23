"""A supervisor's commands about a talk: listen, whisper, join, take over, leave."""

from collections.abc import Mapping
from dataclasses import replace

from dialer.desk.answers import Answer, Handler, agent_of
from dialer.desk.handover import talk_of
from dialer.dialplan import Context
from dialer.floor.actions import Action, HangUp, RaiseSpy, SaveAgent, SendLeg
from dialer.floor.floor import Floor
from dialer.floor.spies import PLACES, PREFIX, Mode, Spy
from dialer.floor.team import SUPERVISING
from dialer.model import AGENT_ID, AgentState, Command

_HEARD = frozenset(AgentState) - {AgentState.SIGNED_OUT, AgentState.RAISING, AgentState.LOST}


def _spy(mode: Mode) -> Handler:
    def handler(floor: Floor, command: Command, at: float) -> Answer:
        """agent, supervisor (his extension). His phone is called, or goes over from what it did."""
        supervisor, agent = command.args.get("supervisor", ""), floor.team.agents.get(agent_of(command))
        if why := _unfit(floor, supervisor):
            return False, why, []
        if agent is None or agent.state not in _HEARD or not agent.leg or agent.id == supervisor:
            return False, f"agent {agent_of(command)} cannot be heard: he is not here", []
        known = floor.spies.of(supervisor)
        if known is None:
            spy = Spy(f"{PREFIX}.{floor.campaign.id}.{floor.new_id(at)}", supervisor, agent.id, mode, command.sender)
            floor.spies.put(spy)
            return True, f"calling {supervisor}", [RaiseSpy(spy)]
        if not known.up:
            return False, f"{supervisor} is being called", []
        floor.spies.put(replace(known, agent=agent.id, mode=mode, by=command.sender))
        told = [*floor.heard(agent.id), *_desk(floor, known.agent)]
        return True, mode.value, [SendLeg(known.channel, PLACES[mode], agent.id), *told]

    return handler


def leave(floor: Floor, command: Command, at: float) -> Answer:
    """supervisor"""
    spy = floor.spies.of(command.args.get("supervisor", ""))
    return (True, "leaving", [HangUp(spy.channel, "leaves")]) if spy else (False, "he is nowhere", [])


def take_over(floor: Floor, command: Command, at: float) -> Answer:
    """agent, supervisor. The caller goes into the supervisor's own room, where he is by then; the agent wraps up."""
    supervisor = command.args.get("supervisor", "")
    attempt = talk_of(floor, agent_of(command))
    if isinstance(attempt, str):
        return False, attempt, []
    if attempt.id in floor.moves.kept:
        return False, "he is promised to a colleague", []
    own, spy = floor.team.agents.get(supervisor), floor.spies.of(supervisor)
    if own is not None and own.leg and own.state is AgentState.BREAK:
        return True, "taking him over", floor.hand_to(own.id, attempt, at)
    if why := _unfit(floor, supervisor):
        return False, why, []
    if spy is not None and not spy.up:
        return False, f"{supervisor} is being called", []
    floor.spies.take_over[supervisor] = attempt.id
    if spy is not None:
        return True, "taking him over", [SendLeg(spy.channel, Context.AGENT, supervisor)]
    ok, text, actions = floor.team.sign_in(supervisor, at, SUPERVISING)
    return ok, text, actions


def _unfit(floor: Floor, supervisor: str) -> str:
    if not AGENT_ID.fullmatch(supervisor):
        return f"{supervisor!r} is no extension: 2 to 10 digits"
    own = floor.team.agents.get(supervisor)
    if own is not None and own.state is not AgentState.SIGNED_OUT:
        return f"{supervisor} works as an agent: {own.state}"
    return ""


def _desk(floor: Floor, agent_id: str) -> list[Action]:
    agent = floor.team.agents.get(agent_id)
    return [SaveAgent(agent)] if agent else []


HANDLERS: Mapping[str, Handler] = {
    **{mode.value: _spy(mode) for mode in Mode},
    "leave": leave,
    "take_over": take_over,
}
