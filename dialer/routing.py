"""6/8 route: answered: which agent, or nobody in time."""

from collections.abc import Iterable, Mapping

from dialer.calls import NEEDS_AGENT, UNANSWERED
from dialer.model import OWN_AGENT, Agent, AgentState, Attempt, CallState, Contact

JOIN_LIMIT_S = 0.3  # no proof of the join by then: it failed
NOBODY: frozenset[str] = frozenset()
REDIRECT_MARGIN_S = 0.05  # so long before the dialplan goes on by itself nobody is sent any more
SAME_AGENT_SHARE = 0.5  # of the grace time a held customer waits for the agent he talked with
KEPT_IN = UNANSWERED | {CallState.DETECTING} | NEEDS_AGENT  # so long an agent is kept for a call-back
_BUSY = frozenset({AgentState.RESERVED, AgentState.TALKING, AgentState.WRAP_UP, AgentState.LOST})


def longest_idle(
    agents: Iterable[Agent], node: str, excluded: frozenset[str] = NOBODY, spared: frozenset[str] = NOBODY
) -> Agent | None:
    """The agent on this node who has been idle longest, of those spared only if there is no other; None: nobody is."""
    idle = (
        agent
        for agent in agents
        if agent.state is AgentState.IDLE and agent.node == node and agent.leg and agent.id not in excluded
    )
    return min(idle, key=lambda agent: (agent.id in spared, agent.since, agent.id), default=None)


def may_send(attempt: Attempt, at: float) -> bool:
    """Whether this caller may still be sent to an agent: answered, waiting, and the dialplan still keeps him.

    Never a ringing channel (Asterisk would say Success and let it ring on), never after overflow was seen.
    """
    return attempt.state in NEEDS_AGENT and at < attempt.waits_until - REDIRECT_MARGIN_S


def choose(
    attempt: Attempt,
    agents: Iterable[Agent],
    at: float,
    excluded: frozenset[str] = NOBODY,
    spared: frozenset[str] = NOBODY,
) -> Agent | None:
    """The agent for this caller now: a call-back has its own; a held one first waits for the agent he talked with."""
    if not may_send(attempt, at):
        return None
    everybody = list(agents)
    if attempt.kind in OWN_AGENT:
        for agent in everybody:
            if agent.state is AgentState.RESERVED and agent.attempt == attempt.id and agent.id not in excluded:
                return agent
    if attempt.state is CallState.HELD:
        own = [agent for agent in everybody if agent.id == attempt.agent]
        back = longest_idle(own, attempt.node, excluded)
        if back is not None or at < _own_agent_until(attempt):
            return back
    return longest_idle(everybody, attempt.node, excluded, spared)


def for_call_back(
    contact: Contact, agents: Mapping[str, Agent], node: str, at: float, own_agent_s: float
) -> Agent | None:
    """Who takes this call-back if it is dialled now: the agent whom he talked with; anybody, once he need not be
    waited for.
    """
    own = agents.get(contact.callback_agent)
    mine = longest_idle([own], node) if own else None
    if mine or waits_for_own(contact, agents, at, own_agent_s):
        return mine
    return longest_idle(agents.values(), node)


def waits_for_own(contact: Contact, agents: Mapping[str, Agent], at: float, own_agent_s: float) -> bool:
    """Whether the agent whom he talked with is busy, comes back to the queue and is still waited for."""
    own = agents.get(contact.callback_agent)
    if own is None or own.state not in _BUSY or own.break_next or own.sign_out_next:
        return False
    return at < contact.callback_at + own_agent_s


def _own_agent_until(attempt: Attempt) -> float:
    return attempt.left_at + (attempt.waits_until - attempt.left_at) * SAME_AGENT_SHARE
