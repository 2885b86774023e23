"""6/8 route: answered: which agent, or nobody in time."""

from collections.abc import Iterable

from dialer.calls import NEEDS_AGENT
from dialer.model import Agent, AgentState, Attempt, CallState

JOIN_LIMIT_S = 0.3  # no proof of the join by then: it failed
NOBODY: frozenset[str] = frozenset()
REDIRECT_MARGIN_S = 0.05  # so long before the dialplan goes on by itself nobody is sent any more
SAME_AGENT_SHARE = 0.5  # of the grace time a held customer waits for the agent he talked with


def longest_idle(agents: Iterable[Agent], node: str, excluded: frozenset[str] = NOBODY) -> Agent | None:
    """The agent on this node who has been idle longest; None: nobody is idle."""
    idle = (
        agent
        for agent in agents
        if agent.state is AgentState.IDLE and agent.node == node and agent.leg and agent.id not in excluded
    )
    return min(idle, key=lambda agent: (agent.since, agent.id), default=None)


def may_send(attempt: Attempt, at: float) -> bool:
    """Whether this caller may still be sent to an agent: answered, waiting, and the dialplan still keeps him.

    Never a ringing channel (Asterisk would say Success and let it ring on), never after overflow was seen.
    """
    return attempt.state in NEEDS_AGENT and at < attempt.waits_until - REDIRECT_MARGIN_S


def choose(attempt: Attempt, agents: Iterable[Agent], at: float, excluded: frozenset[str] = NOBODY) -> Agent | None:
    """The agent for this caller now; a held one first waits for the agent he talked with."""
    if not may_send(attempt, at):
        return None
    everybody = list(agents)
    if attempt.state is CallState.HELD:
        own = [agent for agent in everybody if agent.id == attempt.agent]
        back = longest_idle(own, attempt.node, excluded)
        if back is not None or at < _own_agent_until(attempt):
            return back
    return longest_idle(everybody, attempt.node, excluded)


def _own_agent_until(attempt: Attempt) -> float:
    return attempt.left_at + (attempt.waits_until - attempt.left_at) * SAME_AGENT_SHARE
