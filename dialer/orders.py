"""What a command of an agent or a supervisor does on a floor; service codes on an agent's phone are commands too."""

from dialer.actions import Action, HangUp, Save
from dialer.agents import Word
from dialer.calls import SETTLED, evolve
from dialer.floor import Floor
from dialer.model import AgentState, Command, Event
from dialer.outcomes import unclear

_ASKS = {"sign_out": Word.SIGN_OUT, "break": Word.BREAK, "back": Word.BACK}

Answer = tuple[bool, str, list[Action]]  # done?, why or what, what follows


def obey(floor: Floor, command: Command, at: float) -> Answer:
    """sign_in, sign_out, break, back, wrapped, disposition, hang_up; args: agent, disposition."""
    agent_id = command.args.get("agent", "")
    match command.name:
        case "sign_in":
            return floor.team.sign_in(agent_id, at)
        case "sign_out" | "break" | "back":
            return _ask(floor, agent_id, _ASKS[command.name], at)
        case "wrapped":
            if why := _unclear(floor, command, agent_id, at):
                return False, why, []
            actions = floor.wrap(agent_id, command.args.get("disposition", ""), at)
            return bool(actions), "wrapped" if actions else "no call to wrap up", actions
        case "disposition" | "hang_up":
            if why := _unclear(floor, command, agent_id, at):
                return False, why, []
            return _in_call(floor, command, agent_id)
        case _:
            return False, f"{command.name!r} is no command for agents", []


def _ask(floor: Floor, agent_id: str, word: Word, at: float) -> Answer:
    ok, text, actions = floor.team.ask(agent_id, word, at)
    agent = floor.team.agents.get(agent_id)
    if agent is not None and agent.state is AgentState.WRAP_UP and (agent.break_next or agent.sign_out_next):
        actions += floor.wrap(agent_id, "", at)  # who goes is done with his wrap-up
        text = floor.team.agents[agent_id].state.value
    return ok, text, floor.then_serve(actions, at)


def _unclear(floor: Floor, command: Command, agent_id: str, at: float) -> str:
    """A call-back at a minute that nobody can make out would be forgotten: say so while the agent can mend it."""
    agent = floor.team.agents.get(agent_id)
    attempt = floor.attempts.get(agent.attempt) if agent else None
    return unclear(command.args.get("disposition", ""), attempt.zone, at) if attempt else ""


def _in_call(floor: Floor, command: Command, agent_id: str) -> Answer:
    agent = floor.team.agents.get(agent_id)
    attempt = floor.attempts.get(agent.attempt) if agent else None
    if attempt is None:
        return False, f"agent {agent_id} has no call", []
    if command.name == "hang_up":
        if attempt.state in SETTLED:
            return False, "the call is over", []
        return True, "hanging up", [HangUp(attempt.id, "agent")]
    noted = evolve(attempt, disposition=command.args.get("disposition", ""))
    floor.books.put(noted)
    return True, "noted", [Save(noted)]


def of_phone_key(floor: Floor, event: Event, at: float) -> Command | None:
    """The command of a service code dialled on an agent's own phone; None: of no known one."""
    agent_id, word = floor.team.phone_key(event)
    return Command(event.channel, floor.campaign.id, word, "phone", at, at, {"agent": agent_id}) if word else None
