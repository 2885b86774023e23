"""What a command is answered with, and what every command needs to know: whom it is about, and which call he has."""

from collections.abc import Callable

from dialer.floor.actions import Action
from dialer.floor.floor import Floor
from dialer.model import Attempt, Command

Answer = tuple[bool, str, list[Action]]  # done?, why or what, what follows
Handler = Callable[[Floor, Command, float], Answer]


def agent_of(command: Command) -> str:
    """Whom it is about."""
    return command.args.get("agent", "")


def over(floor: Floor, command: Command) -> str:
    """Why an order about a call comes too late: it names one (`attempt`) that its agent is not in any more, and must
    not end or move the next one. Empty: it names none, or his."""
    agent, named = floor.team.agents.get(agent_of(command)), command.args.get("attempt", "")
    return "that call is over" if agent is not None and named and agent.attempt != named else ""


def call_of(floor: Floor, agent_id: str) -> Attempt | None:
    """The call that he is in, or wraps up."""
    agent = floor.team.agents.get(agent_id)
    return floor.attempts.get(agent.attempt) if agent else None
