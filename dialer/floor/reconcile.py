"""Asterisk's own list of channels against our books: what is up is the truth, what is proven gone is closed.

Rules of this file: an attempt or agent that has changed since the list was asked for is left alone, the events know
more; nobody is proven gone by a list in which he could not yet be.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dialer.calls import SETTLED, UNANSWERED, Word
from dialer.dialplan import Context
from dialer.floor.actions import Action, HangUp
from dialer.floor.floor import OVERDUE_S, Floor
from dialer.floor.moves import LINK_PREFIX
from dialer.floor.spies import PREFIX as SPY_PREFIX
from dialer.model import OWN_AGENT, Agent, AgentState, Attempt, CallState, Event, LiveChannel, Seen
from dialer.originate import timeout_s
from dialer.routing import JOIN_LIMIT_S, KEPT_IN

GHOST_S = 35.0  # after its timeout an INVITE may still be under way for 32 s (SIP timer B)


@dataclass(frozen=True, slots=True)
class Asked:
    """The books as they were when Asterisk was asked."""

    attempts: Mapping[str, Attempt]
    legs: Mapping[str, Agent]


def ask(floor: Floor) -> Asked:
    """To be taken right before Asterisk is asked for its channels."""
    return Asked(dict(floor.attempts), floor.team.legs())


def reconcile(
    floor: Floor, asked: Asked, channels: Sequence[LiveChannel], at: float, booted: bool = False
) -> list[Action]:
    """Adopt what is there, close what is proven gone. `booted`: Asterisk has started since, no earlier call lives."""
    up = {channel.id: channel for channel in channels}
    rooms = {channel.id: channel.room for channel in channels}
    actions = floor.then_serve(floor.team.legs_up_now(rooms, at, asked.legs), at)
    for attempt_id, attempt in asked.attempts.items():
        if floor.attempts.get(attempt_id) is attempt:
            actions += _attempt(floor, attempt, up.get(attempt_id), at, booted)
        elif attempt_id in floor.attempts:
            floor.deadlines.set("look", attempt_id, at + OVERDUE_S)
    actions += [action for agent in list(floor.team.agents.values()) for action in _agent(floor, agent, at)]
    return floor.then_serve(actions + floor.left_on_hold() + _strays(floor, channels), at)


def _strays(floor: Floor, channels: Sequence[LiveChannel]) -> list[Action]:
    """Supervisors' legs and lines between rooms of the engine before us: nobody knows any more who hears whom."""
    own = tuple(f"{prefix}.{floor.campaign.id}." for prefix in (SPY_PREFIX, LINK_PREFIX))
    known = {*(link.channel for link in floor.moves.links.values()), *floor.team.legs()}
    strays = [one.id for one in channels if one.id.startswith(own) and one.id not in known]
    return [HangUp(one, "nobody knows of it") for one in strays if floor.spies.get(one) is None]


def _attempt(floor: Floor, attempt: Attempt, channel: LiveChannel | None, at: float, booted: bool) -> list[Action]:
    if attempt.state in SETTLED:
        return [] if floor.awaits(attempt) else floor.close(attempt.id)
    if channel is not None:
        return _is_up(floor, attempt, channel, at)
    if not floor.is_given(attempt.id):
        return []  # Asterisk has not heard of it
    known = attempt.state not in UNANSWERED or attempt.dialled or attempt.failed
    if known or booted or at >= _ghost_until(floor, attempt):
        return floor.happened(attempt.id, Word.LOST, at)
    floor.deadlines.set("overdue", attempt.id, _ghost_until(floor, attempt))
    return []


def _ghost_until(floor: Floor, attempt: Attempt) -> float:
    return attempt.claimed_at + timeout_s(floor.campaign) + GHOST_S


def _is_up(floor: Floor, attempt: Attempt, channel: LiveChannel, at: float) -> list[Action]:
    actions: list[Action] = []
    for kind, room, result in _missed(attempt, channel):
        # nobody knows when he answered: too late for an agent, the dialplan takes him on
        since = at - floor.campaign.connect_limit_ms / 1000 if kind in _ANSWERED else at
        actions += floor.seen(Event(kind, since, attempt.id, room, result), at)
    if floor.attempts[attempt.id].state is CallState.JOINING:
        floor.deadlines.set("join", attempt.id, at + JOIN_LIMIT_S)
    elif not attempt.ended_at and attempt.state in UNANSWERED:
        floor.deadlines.set("overdue", attempt.id, max(at + OVERDUE_S, _ghost_until(floor, attempt)))
    return actions


_ANSWERED = frozenset({Seen.ANSWERED, Seen.READY})


def _missed(attempt: Attempt, channel: LiveChannel) -> Iterable[tuple[Seen, str, str]]:
    """The events we must have missed, for a channel that is where it is."""
    if not attempt.dialled:
        yield Seen.DIALLED, "", ""
    if not channel.up:
        return
    if attempt.state in UNANSWERED:
        yield Seen.ANSWERED, "", ""
        yield Seen.READY, "", ""
    if channel.room:
        yield Seen.JOINED, channel.room, ""
    elif channel.context in _PLACES:
        yield _PLACES[channel.context]


_PLACES: dict[str, tuple[Seen, str, str]] = {
    Context.IVR: (Seen.IVR_BEGIN, "", ""),
    Context.MESSAGE: (Seen.MESSAGE, "", ""),
    Context.VOICEMAIL: (Seen.DETECTED, "", "machine"),
    Context.HELD: (Seen.HELD, "", ""),
    Context.HOLD: (Seen.ON_HOLD, "", ""),
    Context.WAIT_AGENT: (Seen.WANTS_AGENT, "", ""),
}


def _agent(floor: Floor, agent: Agent, at: float) -> list[Action]:
    """An agent whose call is not what he thinks it is: of the engine before us, or after something was missed."""
    attempt = floor.attempts.get(agent.attempt)
    state = None if attempt is None or attempt.agent != agent.id else attempt.state
    match agent.state:
        case AgentState.RESERVED if attempt is not None and attempt.kind in OWN_AGENT and attempt.state in KEPT_IN:
            pass  # he is kept for it
        case AgentState.RESERVED if floor.moves.is_kept(agent.id, agent.attempt):
            pass  # a colleague hands him a caller
        case AgentState.RESERVED if state is not CallState.JOINING:
            return floor.team.join_failed(agent.id, agent.attempt, at)
        case AgentState.TALKING if state not in (CallState.TALKING, CallState.ON_HOLD):
            return floor.talk_over(agent.id, agent.attempt, at)
        case AgentState.WRAP_UP:
            floor.wraps_until(agent.id, max(at, agent.since + floor.campaign.wrap_up_max_s))
        case _:
            pass
    return []
