"""What a command is answered with, and what every command needs to know: whom it is about, and which call he has."""

from collections.abc import Callable

from dialer.actions import Action
from dialer.floor import Floor
from dialer.model import Attempt, Command

Answer = tuple[bool, str, list[Action]]  # done?, why or what, what follows
Handler = Callable[[Floor, Command, float], Answer]


def agent_of(command: Command) -> str:
    """Whom it is about."""
    return command.args.get("agent", "")


def call_of(floor: Floor, agent_id: str) -> Attempt | None:
    """The call that he is in, or wraps up."""
    agent = floor.team.agents.get(agent_id)
    return floor.attempts.get(agent.attempt) if agent else None
