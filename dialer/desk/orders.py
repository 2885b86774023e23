"""What a command of an agent or a supervisor does on a floor; service codes on an agent's phone are commands too.

Each command is a row of HANDLERS; who may send which is for the web to say. `forced` in its arguments: a supervisor's
order about an agent, which only an order takes back.
"""

from collections.abc import Mapping

from dialer.agents import Word
from dialer.calls import SETTLED, UNANSWERED, evolve
from dialer.desk import handover, supervise
from dialer.desk.answers import Answer, Handler, agent_of, call_of
from dialer.desk.dispositions import fault
from dialer.desk.skills import MOVE
from dialer.floor import breaks
from dialer.floor.actions import HangUp, Save, TellDesk
from dialer.floor.desknote import DeskMessage
from dialer.floor.floor import Floor
from dialer.model import CAMPAIGN_ID, AgentState, Command, Event

MESSAGE_MAX = 500
EVERYBODY = "all"
PAID = "paid"  # Attempt.cancelled, and the outcome's reason


def obey(floor: Floor, command: Command, at: float) -> Answer:
    """Done?, why or what, what follows."""
    handler = HANDLERS.get(command.name)
    if handler is None:
        return False, f"{command.name!r} is no command for agents", []
    return handler(floor, command, at)


# ---- coming and going


def _sign_in(floor: Floor, command: Command, at: float) -> Answer:
    """agent"""
    return floor.team.sign_in(agent_of(command), at)


def _leave(word: Word) -> Handler:
    def handler(floor: Floor, command: Command, at: float) -> Answer:
        """agent, reason (of a break), forced"""
        agent_id, reason = agent_of(command), command.args.get("reason", "")
        if word is Word.BREAK and (why := breaks.fault(reason, floor.campaign)):
            return False, why, []
        by = command.sender if command.args.get("forced") else ""
        ok, text, actions = floor.team.ask(agent_id, word, at, reason, by)
        agent = floor.team.agents.get(agent_id)
        if agent is not None and agent.state is AgentState.WRAP_UP and (agent.break_next or agent.sign_out_next):
            actions += floor.wrap(agent_id, "", at)  # who goes is done with his wrap-up
            text = floor.team.agents[agent_id].state.value
        return ok, text, floor.then_serve(actions, at)

    return handler


def _move(floor: Floor, command: Command, at: float) -> Answer:
    """agent, to: another campaign; a supervisor's order"""
    to = command.args.get("to", "")
    if not CAMPAIGN_ID.fullmatch(to) or to == floor.campaign.id:
        return False, f"{to!r} is no other campaign", []
    ok, text, actions = floor.team.move(agent_of(command), to, at, command.sender)
    return ok, text, floor.then_serve(actions, at)


def _message(floor: Floor, command: Command, at: float) -> Answer:
    """agent (or `all`), text"""
    text, whom = command.args.get("text", "").strip(), agent_of(command)
    if not text or len(text) > MESSAGE_MAX:
        return False, f"a message has 1 to {MESSAGE_MAX} characters", []
    here = [one.id for one in floor.team.agents.values() if one.state is not AgentState.SIGNED_OUT]
    told = here if whom == EVERYBODY else [one for one in here if one == whom]
    if not told:
        return False, f"agent {whom} is not signed in", []
    words = [DeskMessage(f"{command.id}-{one}", one, command.sender, text, at) for one in told]
    return True, f"told {len(told)}", [TellDesk(one) for one in words]


# ---- the call and its result


def _wrapped(floor: Floor, command: Command, at: float) -> Answer:
    """agent, disposition"""
    agent_id, disposition = agent_of(command), command.args.get("disposition", "")
    if why := _unfit(floor, agent_id, disposition, at):
        return False, why, []
    cooled = breaks.cool_down(floor.team, agent_id, disposition, floor.campaign)
    actions = floor.wrap(agent_id, disposition, at)
    return bool(actions), "wrapped" if actions else "no call to wrap up", cooled + actions


def _disposition(floor: Floor, command: Command, at: float) -> Answer:
    """agent, disposition"""
    agent_id, disposition = agent_of(command), command.args.get("disposition", "")
    if why := _unfit(floor, agent_id, disposition, at):
        return False, why, []
    attempt = call_of(floor, agent_id)
    if attempt is None:
        return False, f"agent {agent_id} has no call", []
    noted = evolve(attempt, disposition=disposition)
    floor.books.put(noted)
    return True, "noted", [Save(noted), *breaks.cool_down(floor.team, agent_id, disposition, floor.campaign)]


def _unfit(floor: Floor, agent_id: str, disposition: str, at: float) -> str:
    """What could not be kept or made out later is told while the agent can mend it."""
    attempt = call_of(floor, agent_id)
    if attempt is None:
        return ""
    return fault(disposition, attempt.zone, floor.contact_of(attempt.id), floor.campaign, at, floor.limits_of)


def _hang_up(floor: Floor, command: Command, at: float) -> Answer:
    """agent"""
    agent_id = agent_of(command)
    attempt = call_of(floor, agent_id)
    if attempt is None:
        return False, f"agent {agent_id} has no call", []
    if attempt.state in SETTLED:
        return False, "the call is over", []
    if attempt.state in UNANSWERED:
        return True, "hanging up", floor.cancel(attempt.id, "agent", at)
    return True, "hanging up", [HangUp(attempt.id, "agent")]


def _paid(floor: Floor, command: Command, at: float) -> Answer:
    """person: owes nothing any more, so nobody calls him; a talk goes on"""
    calls = [one for one in floor.attempts.values() if one.person == command.args.get("person") and one.person]
    actions = [action for one in calls for action in floor.cancel(one.id, PAID, at)]
    if actions or any(one.cancelled for one in calls):
        return True, "hanging up", actions
    return True, "in a call" if calls else "not called now", actions


HANDLERS: Mapping[str, Handler] = {
    "sign_in": _sign_in,
    "sign_out": _leave(Word.SIGN_OUT),
    "break": _leave(Word.BREAK),
    "back": _leave(Word.BACK),
    MOVE: _move,
    "message": _message,
    "wrapped": _wrapped,
    "disposition": _disposition,
    "hang_up": _hang_up,
    "paid": _paid,
    **handover.HANDLERS,
    **supervise.HANDLERS,
}


def of_phone_key(floor: Floor, event: Event, at: float) -> Command | None:
    """The command of a service code dialled on an agent's own phone; None: of no known one."""
    agent_id, word = floor.team.phone_key(event)
    return Command(event.channel, floor.campaign.id, word, "phone", at, at, {"agent": agent_id}) if word else None
