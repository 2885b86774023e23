"""What one campaign looks like now: the pacer's snapshot, and the same for people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dialer.agents import COUNTED
from dialer.calls import UNANSWERED
from dialer.floor.breaks import is_productive
from dialer.floor.floor import Floor
from dialer.law.abandon import Abandons
from dialer.model import Agent, AgentState, Attempt, CallState
from dialer.pace.snapshot import AgentSeen, AttemptSeen, Candidate, Decision, Flight, Snapshot, Working

_WORKING = {
    AgentState.IDLE: Working.IDLE,
    AgentState.PREVIEW: Working.RESERVED,
    AgentState.RESERVED: Working.RESERVED,
    AgentState.TALKING: Working.TALKING,
    AgentState.WRAP_UP: Working.WRAP_UP,
    AgentState.BREAK: Working.BREAK,
}
_FLIGHT = {
    CallState.CLAIMED: Flight.DIALING,
    CallState.PLACED: Flight.DIALING,
    CallState.RINGING: Flight.RINGING,
    CallState.DETECTING: Flight.DETECTING,
    CallState.WAITING: Flight.WAITING,
}
_FIRST = frozenset({CallState.WANTS_AGENT, CallState.HELD})  # served before new answers: books.py
_WITH_AGENT = frozenset({CallState.TALKING, CallState.ON_HOLD, CallState.JOINING})
_OTHER_LINES = frozenset(CallState) - {CallState.GONE, CallState.ENDED} - frozenset(_FLIGHT) - _WITH_AGENT


@dataclass(frozen=True, slots=True)
class Share:
    """This engine's slice of its trunk."""

    lines: int
    calls_per_second: float


def snapshot(
    floor: Floor,
    at: float,
    share: Share,
    holds: Sequence[str] = (),
    draining: bool = False,
    candidates: tuple[Candidate, ...] = (),
    call_backs: int = 0,
) -> Snapshot:
    """All that the pacer may know at `at`. `call_backs`: those that an idle agent is to be left for."""
    promised = floor.team.promised()  # an agent is reserved for them, so they are no more in flight
    return Snapshot(
        at=at,
        agents=tuple(_agent(one) for one in floor.team.agents.values() if _works(one)),
        attempts=tuple(
            _attempt(one) for one in floor.attempts.values() if one.state in _FLIGHT and one.id not in promised
        ),
        lines=share.lines,
        calls_per_second=share.calls_per_second,
        other_lines=sum(one.state in _OTHER_LINES for one in floor.attempts.values()),
        candidates=candidates,
        waiting_first=sum(one.state in _FIRST for one in floor.attempts.values()) + call_backs,
        holds=tuple(holds),
        draining=draining,
    )


def shift_end(clock: str, zone: str, at: float) -> float | None:
    """When the agents go on the day of `at`, as `17:30` on the clocks of `zone`; over already: no call until midnight.
    None: not known.
    """
    if not clock:
        return None
    hour, _, minute = clock.partition(":")
    today = datetime.fromtimestamp(at, ZoneInfo(zone))
    return today.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0).timestamp()


def _works(agent: Agent) -> bool:
    """Whether the pacer may reckon with him: his own leg is proven up, or he is on a break."""
    return agent.state in _WORKING and (bool(agent.leg) or agent.state is AgentState.BREAK)


def _agent(agent: Agent) -> AgentSeen:
    leaving = agent.break_next or agent.sign_out_next
    return AgentSeen(agent.id, _WORKING[agent.state], agent.since, leaving)


def _attempt(attempt: Attempt) -> AttemptSeen:
    since = {
        CallState.RINGING: attempt.ringing_at,
        CallState.DETECTING: attempt.answered_at,
        CallState.WAITING: attempt.detected_at or attempt.answered_at,
    }.get(attempt.state, attempt.claimed_at)
    return AttemptSeen(attempt.id, _FLIGHT[attempt.state], since, attempt.claimed_at, foretold(attempt))


def foretold(attempt: Attempt) -> float | None:
    """The chance of an answer that was foretold for it, if one was."""
    return attempt.answer_probability if attempt.answer_probability >= 0.0 else None


def board(
    floor: Floor, at: float, decision: Decision, abandons: Abandons, figures: Mapping[str, object]
) -> dict[str, object]:
    """One campaign for people: `figures` (status, list, trunk, counters) plus what the floor shows."""
    states: dict[str, int] = {}
    for attempt in floor.attempts.values():
        states[attempt.state.value] = states.get(attempt.state.value, 0) + 1
    agents = floor.team.agents.values()
    return {
        "campaign": floor.campaign.id,
        "at": at,
        "calls": states,
        "lines": floor.lines(),
        "ringing": sum(one.state in UNANSWERED for one in floor.attempts.values()),
        "agents": [_shown(a, floor) for a in agents],
        "working": sum(one.state in COUNTED and _works(one) for one in agents),
        "reason": decision.reason,
        "numbers": dict(decision.numbers),
        "abandon": {str(window): asdict(rate) | _bound(rate) for window, rate in abandons.rates(at).items()},
        "abandon_rate_max": floor.campaign.abandon_rate_max,
        **figures,
    }


def _shown(agent: Agent, floor: Floor) -> dict[str, object]:
    """`call`: how his call stands, `contact`: whose it is; like all that follows there only if there is one."""
    attempt = floor.attempts.get(agent.attempt)
    found: dict[str, object] = {"id": agent.id, "state": agent.state.value, "since": agent.since}
    found |= {"attempt": agent.attempt, "leg": bool(agent.leg)}
    if agent.break_next or agent.sign_out_next:
        found["next"] = AgentState.SIGNED_OUT.value if agent.sign_out_next else AgentState.BREAK.value
    if attempt is not None:
        found |= {"call": attempt.state.value, "contact": attempt.contact, "kind": attempt.kind}
    if agent.break_reason:
        found |= {"break_reason": agent.break_reason, "productive": is_productive(agent, floor.campaign)}
    if agent.moves_to:
        found["moves_to"] = agent.moves_to
    if agent.help:
        found["help"] = True
    if monitored := [{"supervisor": one.supervisor, "mode": one.mode.value} for one in floor.spies.at(agent.id)]:
        found["monitored"] = monitored
    return found


def _bound(rate: object) -> dict[str, float]:
    return {"rate": getattr(rate, "rate", 0.0), "upper": getattr(rate, "upper", 0.0)}
