"""Call-backs: the debtor's own minute, and the agent who is kept for him before he is dialled: his own first.

Rules of this file: a call-back is dialled when its minute has come and an agent is reserved for it, never before; while
it waits for one, an agent's worth of calls to others is left out; the agent whom he talked with is waited for only
while he is busy here, within the campaign's tolerance; nobody who already waits on a line loses his agent to it.
"""

from collections.abc import Iterable, Sequence

from dialer.calls import UNANSWERED
from dialer.floor.actions import Action
from dialer.floor.floor import Floor
from dialer.model import CALL_BACK, OWN_AGENT, Agent, AgentState, CallState, Contact, Mode
from dialer.routing import for_call_back, waits_for_own

LEAD_S = 30.0  # so long before his minute he stands on the list: calls to others ease off, and an agent is free then
_IN_FLIGHT = UNANSWERED | {CallState.DETECTING, CallState.WAITING}


def on_list(callback_at: float, at: float) -> float:
    """When the list is to give him out."""
    return max(at, callback_at - LEAD_S)


def agents_wanted(floor: Floor, waiting: Iterable[Contact], at: float) -> int:
    """How many idle agents are to be left for them."""
    agents, own_s = floor.team.agents, floor.campaign.callback_own_agent_s
    return sum(not waits_for_own(one, agents, at, own_s) for one in waiting)


def own_agents(waiting: Iterable[Contact]) -> frozenset[str]:
    """Whom other callers get only when nobody else is free."""
    return frozenset(one.callback_agent for one in waiting)


def next_due(floor: Floor, waiting: Sequence[Contact], at: float) -> tuple[Contact, Agent] | None:
    """Whose minute has come, the earliest first, with an idle agent for him; None: nobody's, or for nobody."""
    if not _may_take(floor):
        return None
    for one in sorted(waiting, key=lambda one: one.callback_at):
        if one.callback_at > at:
            return None
        agent = for_call_back(one, floor.team.agents, floor.node, at, floor.campaign.callback_own_agent_s)
        if agent is not None:
            return one, agent
    return None


def _may_take(floor: Floor) -> bool:
    """Whether an idle agent may be taken. With one call per agent, each that is under way has its own promised."""
    idle = sum(agent.state is AgentState.IDLE for agent in floor.team.agents.values())
    if floor.campaign.mode is not Mode.PROGRESSIVE:
        return idle > 0 and not floor.books.waiting()
    promised = floor.team.promised()
    in_flight = sum(one.state in _IN_FLIGHT and one.id not in promised for one in floor.attempts.values())
    return idle > in_flight + sum(one.state not in _IN_FLIGHT for one in floor.books.waiting())


def keep_again(floor: Floor, at: float) -> list[Action]:
    """Another agent for a call-back that is under way and whose agent went."""
    promised = floor.team.promised()
    actions: list[Action] = []
    for one in list(floor.attempts.values()):
        if one.kind not in OWN_AGENT or one.state not in UNANSWERED or one.id in promised:
            continue
        if one.kind != CALL_BACK:  # nobody else has seen the account
            actions += floor.cancel(one.id, "agent_gone", at)
        else:
            agent = floor.team.longest_idle()
            actions += floor.team.promise(agent, one.id, at) if agent is not None else []
    return actions
