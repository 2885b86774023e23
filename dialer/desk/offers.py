"""Preview: accounts that agents are shown before anybody is called, one each, until they call, skip, or time is up.

Rules of this file: who is offered to one agent is offered to no other and is claimed by nobody; an offer that ends
without a call leaves its contact where he stood, unless the agent gave a reason to skip him.
"""

from dataclasses import dataclass

from dialer.floor.actions import Action, SaveAgent
from dialer.floor.team import Team
from dialer.model import Agent, AgentState, Contact

SKIPPED = "skipped"  # the rule in the stream of refusals
REASON_MAX = 100


@dataclass(frozen=True, slots=True)
class Offer:
    """One account before one agent, until `until` (epoch seconds)."""

    agent: str
    contact: Contact
    until: float


class Offers:
    """Of one run, by agent."""

    def __init__(self) -> None:
        self._offers: dict[str, Offer] = {}
        self.held: set[str] = set()  # contacts

    def get(self, agent: str) -> Offer | None:
        """What he sees."""
        return self._offers.get(agent)

    def make(self, team: Team, agent: Agent, contact: Contact, until: float, at: float) -> list[Action]:
        """He is shown this account."""
        self._offers[agent.id] = Offer(agent.id, contact, until)
        self.held.add(contact.id)
        return [SaveAgent(team.offer(agent, contact.id, until, at))]

    def end(self, team: Team, agent: str, at: float) -> list[Action]:
        """He sees it no more: called, skipped, or he is gone."""
        offer = self._offers.pop(agent, None)
        if offer is not None:
            self.held.discard(offer.contact.id)
        return team.not_offered(agent, at)

    def due(self, at: float) -> list[Offer]:
        """Those whose time is up."""
        return [one for one in self._offers.values() if one.until <= at]

    def tidy(self, team: Team, at: float) -> list[Action]:
        """Agents who have gone from their offer, and those of the engine before us whose offer is not known."""
        gone = [one for one in self._offers if team.agents[one].state is not AgentState.PREVIEW]
        unknown = [
            one.id for one in team.agents.values() if one.state is AgentState.PREVIEW and one.id not in self._offers
        ]
        return [action for agent in gone + unknown for action in self.end(team, agent, at)]
