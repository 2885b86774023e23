"""What an agent's desk is told: at each change one note with all that holds now, the last one kept; and messages.

A note is published on the channel `{a:AGENT}:desk` and kept in the key of the same name, as a JSON object with the
names of DeskNote and `seq`, which the store counts up per agent. A note with a lower `seq` than one seen is to be
ignored; one that was missed need not be asked for, as each is whole. Names, amounts and history are not in it.
"""

from dataclasses import dataclass, replace

from dialer.mask import mask_number
from dialer.model import PREVIEWED, Agent, AgentState, Attempt, Campaign

VERSION = 1


@dataclass(frozen=True, slots=True)
class DeskNote:
    """How one agent stands. Times: epoch seconds, UTC, 0.0: none. `token`, `turn`: whose note and which of his, by
    which the store drops one that comes late."""

    agent: str
    campaign: str
    node: str
    state: str  # a word of AgentState
    since: float
    at: float
    token: int
    turn: int
    v: int = VERSION
    note: str = "state"
    attempt: str = ""  # his call, from the reservation to the end of wrap-up
    contact: str = ""
    number: str = ""  # masked
    number_kind: str = ""  # debtor, co_borrower, emergency, workplace
    kind: str = ""  # Attempt.kind: progressive, call_back, preview, manual, inbound, ...
    language: str = ""
    call: str = ""  # a word of CallState, as it was at this change: later ones of the call alone tell nothing
    wrap_until: float = 0.0  # state wrap_up: then it ends by itself
    preview_until: float = 0.0  # state preview: `contact` is offered until then
    break_reason: str = ""  # one of Campaign.breaks, or cool_down: our pause after an abusive call
    break_until: float = 0.0  # state break: then it ends by itself
    sent_by: str = ""  # the supervisor who ordered the break or the sign-out
    recording: str = ""  # on, paused; empty: he is not recorded
    asked: str = ""  # the colleague whom he talks with about his caller, or who is to get him
    asked_by: str = ""  # state reserved: the colleague whose caller he is to get
    monitored: str = ""  # listen, whisper or join: a supervisor is there
    help: bool = False  # he calls for a supervisor
    moves_to: str = ""  # the campaign that he goes over to: not signed in anywhere meanwhile
    next: str = ""  # `break` or `sign_out`: taken when he is free


@dataclass(frozen=True, slots=True)
class DeskMessage:
    """Words from a person to an agent: published on the same channel, the last 20 kept in `{a:AGENT}:messages`."""

    id: str
    agent: str
    sender: str
    text: str
    at: float
    v: int = VERSION
    note: str = "message"


def desk_note(
    agent: Agent,
    attempt: Attempt | None,
    campaign: Campaign,
    at: float,
    token: int,
    turn: int,
    kept_for: str = "",
    monitored: str = "",
) -> DeskNote:
    """`attempt`: the one that he is reserved for, talks in or wraps up, if it is still known; `kept_for`: the agent to
    whom it is to be handed.
    """
    wraps = agent.state is AgentState.WRAP_UP
    note = DeskNote(
        agent=agent.id,
        campaign=campaign.id,
        node=agent.node,
        state=agent.state.value,
        since=agent.since,
        at=at,
        token=token,
        turn=turn,
        attempt=agent.attempt,
        wrap_until=agent.since + campaign.wrap_up_max_s if wraps else 0.0,
        break_reason=agent.break_reason,
        break_until=agent.break_until,
        sent_by=agent.sent_by,
        help=agent.help,
        moves_to=agent.moves_to,
        monitored=monitored,
        next="sign_out" if agent.sign_out_next else "break" if agent.break_next else "",
    )
    if attempt is None and agent.offer:
        return replace(note, contact=agent.offer, kind=PREVIEWED, preview_until=agent.offer_until)
    if attempt is None:
        return note
    return replace(
        note,
        contact=attempt.contact,
        number=mask_number(attempt.number.e164),
        number_kind=attempt.number.kind.value,
        kind=attempt.kind,
        language=attempt.language,
        call=attempt.state.value,
        recording=("paused" if attempt.record_paused else "on") if campaign.record and attempt.joined_at else "",
        asked=kept_for if attempt.agent == agent.id else "",
        asked_by=attempt.agent if kept_for == agent.id else "",
    )
