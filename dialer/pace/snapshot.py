"""The pacer's words: what it is told, what it sees, what it says, what it must keep. `dialer.pacing` hands them on."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from dialer.law.abandon import Window
from dialer.model import Campaign, Mode


class Kind(StrEnum):
    """Kinds of pacing events. Every attempt's: launch first, one of live, machine, busy, failed, no_answer last; a live
    one goes on to exactly one of connect, abandon, overflow."""

    LAUNCH = "launch"
    RING = "ring"
    ANSWER = "answer"  # picked up, by whom is not yet known
    LIVE = "live"  # a person (without detection: at the answer)
    MACHINE = "machine"
    BUSY = "busy"
    FAILED = "failed"  # no ringing, no answer: number or network
    NO_ANSWER = "no_answer"  # rang out, or was ended by us
    CONNECT = "connect"  # agent and debtor are joined: the talk begins
    ABANDON = "abandon"  # a live one that got no agent, hang-ups while waiting included
    OVERFLOW = "overflow"  # a live one that went on to the IVR
    TALK_END = "talk_end"
    WRAP_END = "wrap_end"
    IDLE = "idle"
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    BREAK_START = "break_start"
    BREAK_END = "break_end"


@dataclass(frozen=True, slots=True)
class PacingEvent:
    """One thing that happened. `at`: seconds, any epoch; `answer_probability`: 0..1, known at launch, or None."""

    at: float
    kind: Kind | str
    attempt: str | None = None
    agent: str | None = None
    answer_probability: float | None = None


class Working(StrEnum):
    """States of an agent, as the pacer sees them; who is signed out is not in the snapshot."""

    IDLE = "idle"
    RESERVED = "reserved"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    BREAK = "break"


class Flight(StrEnum):
    """States of an attempt that is not yet with an agent, nor reserved for one."""

    DIALING = "dialing"
    RINGING = "ringing"
    DETECTING = "detecting"  # answered, being detected
    WAITING = "waiting"  # live, no agent yet


@dataclass(frozen=True, slots=True)
class AgentSeen:
    """One agent: `since` is when the state began; `leaving`: goes on break or signs out at the next free moment."""

    agent: str
    state: Working | str
    since: float
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class AttemptSeen:
    """One attempt in flight: `since` is when the state began; `launched_at` 0.0: as the events told, else `since`."""

    attempt: str
    state: Flight | str
    since: float
    launched_at: float = 0.0
    answer_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number that may be called next, in order of calling; `answer_probability` 0..1 from the forecast, or None."""

    contact: str
    answer_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """Live answers that came to their end, in the window the law names. `abandoned`: as the law counts them."""

    live: int = 0
    abandoned: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is true at `at` (seconds).

    `counters` None: the pacer counts for itself, by its events. `lines`, `calls_per_second` None: those of the limits;
    else the smaller holds. `other_lines`: lines in use that are neither in `attempts` nor with a talking or reserved
    agent (IVR, message, held, inbound). `candidates` may be empty: nothing is known of the numbers; an empty list is a
    hold.
    `waiting_first`: inbound calls and call-backs that are served before new ones. `holds`: sentences why no call may
    start now. `ends_at`: when the agents leave or the hours end, None: not known; near it nothing starts that could
    still be answered after it. `draining`: that moment is now.
    """

    at: float
    agents: tuple[AgentSeen, ...] = ()
    attempts: tuple[AttemptSeen, ...] = ()
    counters: Counters | None = None
    lines: int | None = None
    calls_per_second: float | None = None
    other_lines: int = 0
    candidates: tuple[Candidate, ...] = ()
    waiting_first: int = 0
    holds: tuple[str, ...] = ()
    draining: bool = False
    ends_at: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Start `start` new calls, end the ringing attempts `end`.

    `reason`: a sentence for a supervisor; `numbers`: what is behind it. `chosen`:
    contacts out of the candidates, at most `start`; empty: take them in order.
    """

    start: int
    end: tuple[str, ...]
    reason: str
    numbers: Mapping[str, float]
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What the pacer must keep. Rates are fractions of live answers: 0.03 is 3 %.

    `ratio`: lines per free agent in Mode.RATIO. `lines_max`: all lines, talks included. `lines_per_agent_max`: attempts
    in flight per working agent. `target`: the abandon rate that predictive steers to; 0.0: a little under
    `abandon_rate_max`. `window`: where the abandon rate is measured. `overflow_counts`: the law counts an overflow to
    the IVR as abandoned.
    `connect_limit_s`: how long a live call may wait. `end_ringing`: calls that ring in vain may be ended, none before
    it has rung for `ring_min_s`.
    """

    mode: Mode = Mode.PROGRESSIVE
    ratio: float = 1.0
    lines_max: int = 30
    lines_per_agent_max: float = 3.0
    calls_per_second: float = 5.0
    abandon_rate_max: float = 0.03
    target: float = 0.0
    window: Window = Window.CAMPAIGN
    overflow_counts: bool = True
    connect_limit_s: float = 2.0
    ring_min_s: float = 15.0
    end_ringing: bool = False

    @classmethod
    def of(cls, campaign: Campaign, window: Window = Window.CAMPAIGN, overflow_counts: bool = True) -> Self:
        """The limits that a campaign's settings and its rule pack (`window`, `overflow_counts`) ask for."""
        return cls(
            mode=campaign.mode,
            ratio=campaign.ratio,
            lines_max=campaign.lines_max,
            lines_per_agent_max=campaign.lines_per_agent_max,
            calls_per_second=campaign.calls_per_second,
            abandon_rate_max=campaign.abandon_rate_max,
            window=window,
            overflow_counts=overflow_counts,
            connect_limit_s=campaign.connect_limit_ms / 1000,
        )
