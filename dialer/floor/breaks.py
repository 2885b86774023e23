"""Breaks: their reasons, those that a supervisor orders, and the one after an abusive call."""

from dataclasses import replace

from dialer.floor.actions import Action, SaveAgent
from dialer.floor.team import SUPERVISING, Team
from dialer.model import Agent, AgentState, Campaign
from dialer.outcomes import read_disposition

ABUSIVE = "abusive"  # the disposition of a call in which the agent was abused
COOL_DOWN = "cool_down"  # reason of the break that follows it
_FREE = frozenset({AgentState.IDLE, AgentState.PREVIEW})


def fault(reason: str, campaign: Campaign) -> str:
    """Why this is no reason; empty: it is one, or none is given."""
    if not reason or reason in campaign.breaks:
        return ""
    return f"{reason!r} is no reason for a break here: use {', '.join(sorted(campaign.breaks)) or 'none'}"


def is_productive(agent: Agent, campaign: Campaign) -> bool:
    """Whether his break counts as work."""
    return campaign.breaks.get(agent.break_reason, False)


def is_supervising(agent: Agent) -> bool:
    """Whether he is there for callers who are handed to him alone."""
    return agent.state is AgentState.BREAK and agent.break_reason == SUPERVISING


def may_dial(agent: Agent) -> bool:
    """Whether he may start a call himself: free, or on a break of his own choice that ends when he says so."""
    own_break = agent.state is AgentState.BREAK and not agent.sent_by and not agent.break_until
    return agent.state in _FREE or (own_break and not is_supervising(agent))


def cool_down(team: Team, agent_id: str, disposition: str, campaign: Campaign) -> list[Action]:
    """After an abusive call he is given a break at our cost; taken back when he says something else of the call."""
    agent = team.agents.get(agent_id)
    if agent is None or not disposition:
        return []
    abused = read_disposition(disposition)[0] == ABUSIVE and campaign.cool_down_s > 0
    waits = agent.break_next and agent.break_reason == COOL_DOWN
    if abused and agent.state is not AgentState.BREAK and not waits:
        wish = replace(agent, break_next=True, break_reason=COOL_DOWN, break_s=float(campaign.cool_down_s))
    elif waits and not abused:
        wish = replace(agent, break_next=False, break_reason="", break_s=0.0)
    else:
        return []
    return [SaveAgent(team.keep(wish))]
