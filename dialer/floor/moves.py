"""A caller on his way out of his agent's room and what he leaves there: hold, another agent, the line between two.

Rules of this file: until it is known where he came, his talk goes on; the other agent is kept for him from the moment
he is asked, and let go when the call is anywhere else; no line outlives what it is for.
"""

from dialer.floor.actions import Action, HangUp, SaveAgent
from dialer.floor.team import Team
from dialer.model import AgentState, Link

HOLD, BACK = "hold", "back"  # Notes.moving, or the agent he is handed to
LINK_PREFIX = "link"


class Moves:
    """Of one floor: who is kept for whose caller, and who talks with whom about him."""

    def __init__(self, team: Team) -> None:
        self._team = team
        self.kept: dict[str, str] = {}  # attempt -> the agent he is to be handed to
        self.links: dict[str, Link] = {}  # by attempt

    def keep(self, attempt: str, to: str, at: float) -> list[Action]:
        """This agent waits for that caller from now on; a supervisor need not be kept from other callers."""
        self.kept[attempt] = to
        agent = self._team.agents[to]
        return [SaveAgent(self._team.reserve(agent, attempt, at))] if agent.state is AgentState.IDLE else []

    def is_kept(self, agent: str, attempt: str) -> bool:
        """Whether he is reserved for a caller who is with another."""
        return self.kept.get(attempt) == agent

    def arrived(self, attempt: str, agent: str) -> list[Action]:
        """He is where he was to go: the line has done its work."""
        if self.kept.get(attempt) != agent:
            return []
        del self.kept[attempt]
        return self._unlink(attempt)

    def drop(self, attempt: str, at: float) -> list[Action]:
        """Nobody is handed over any more."""
        actions = self._unlink(attempt)
        to = self.kept.pop(attempt, "")
        return actions + (self._team.join_failed(to, attempt, at) if to else [])

    def link(self, channel: str) -> Link | None:
        """The line that this channel is an end of."""
        return next((one for one in self.links.values() if one.channel == channel), None)

    def _unlink(self, attempt: str) -> list[Action]:
        link = self.links.pop(attempt, None)
        return [HangUp(link.channel, "the agents have talked")] if link else []
