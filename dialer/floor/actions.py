"""What the floor asks of the engine: values, carried out by engine.py in the order given."""

from dataclasses import dataclass

from dialer.floor.desknote import DeskMessage
from dialer.floor.spies import Spy
from dialer.model import Agent, Attempt, Link


@dataclass(frozen=True, slots=True)
class SendToAgent:
    """Reserve the agent in the store, then Redirect the caller into his room; report sent() or join_failed()."""

    attempt: Attempt
    agent: Agent


@dataclass(frozen=True, slots=True)
class SendToMessage:
    """Redirect a caller out of an IVR that stands still into the courteous message."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class SendTo:
    """Redirect a caller who is with an agent, or on hold, to another place of the dialplan; report not_moved()."""

    attempt: Attempt
    context: str
    exten: str


@dataclass(frozen=True, slots=True)
class RecordAgain:
    """The agent who had paused the recording is gone from the call."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class RaiseLink:
    """Join the rooms of two agents by a line."""

    link: Link


@dataclass(frozen=True, slots=True)
class RaiseSpy:
    """Call a supervisor's phone, which then hears an agent."""

    spy: Spy


@dataclass(frozen=True, slots=True)
class SendLeg:
    """Redirect a supervisor's leg."""

    channel: str
    context: str
    exten: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End a channel that is ours; `if_sure`: only while our books are known to agree with Asterisk."""

    channel: str
    why: str
    if_sure: bool = False


@dataclass(frozen=True, slots=True)
class RaiseLeg:
    """Call the agent's own phone, which parks in his room."""

    agent: Agent
    leg: str


@dataclass(frozen=True, slots=True)
class Save:
    """Write the attempt's transition down."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class SaveAgent:
    """Write the agent down."""

    agent: Agent


@dataclass(frozen=True, slots=True)
class TellDesk:
    """Words for an agent."""

    message: DeskMessage


@dataclass(frozen=True, slots=True)
class Close:
    """The attempt is over: judge it and write its one outcome; with `facts`, ask what the IVR learnt first."""

    attempt: Attempt
    facts: bool


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Something is overdue: ask Asterisk what is up and reconcile."""

    why: str


Action = (
    TellDesk
    | SendToAgent
    | SendToMessage
    | SendTo
    | SendLeg
    | RaiseLink
    | RaiseSpy
    | RecordAgain
    | HangUp
    | RaiseLeg
    | Save
    | SaveAgent
    | Close
    | LookAgain
)
