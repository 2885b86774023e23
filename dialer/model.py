"""The words of the dialer: campaigns, contacts, attempts, what Asterisk tells, what is written down.

All values are frozen. Time is `float` seconds since the epoch, UTC, and comes in as an argument; money is an integer of
the currency's smallest written unit (rupiah; cents elsewhere); durations carry their unit in the name.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

CAMPAIGN_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
AGENT_ID = re.compile(r"[0-9]{2,10}")  # an extension number: also the room's name and the phone's

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def attempt_id(at: float, random: bytes) -> str:
    """26 characters: 48 bits of milliseconds, then 80 random bits, so that ids sort by time (ULID, in lower case)."""
    number = (int(at * 1000) << 80) | int.from_bytes(random[:10])
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def attempt_ms(attempt: str) -> int:
    """When an id was made, milliseconds since the epoch; 0 where it is none."""
    if len(attempt) != 26 or set(attempt) - set(_CROCKFORD):
        return 0
    number = 0
    for char in attempt[:10]:
        number = number * 32 + _CROCKFORD.index(char)
    return number


# ---- campaign -------------------------------------------------------------------------------------------------------


class Kind(StrEnum):
    """What an answered call is for."""

    AGENTS = "agents"
    IVR = "ivr"


class Mode(StrEnum):
    """How calls are paced."""

    PROGRESSIVE = "progressive"
    PREDICTIVE = "predictive"
    RATIO = "ratio"
    IVR = "ivr"
    PREVIEW = "preview"  # the agent sees the account first and calls himself


class AfterPreview(StrEnum):
    """What becomes of an account that an agent looks at for too long."""

    SKIP = "skip"
    CALL = "call"


class Overflow(StrEnum):
    """Where a live answer goes when no agent came in time."""

    IVR = "ivr"
    MESSAGE = "message"


class Machine(StrEnum):
    """What an answering machine gets."""

    HANGUP = "hangup"
    MESSAGE = "message"


class Status(StrEnum):
    """What the operator wants of a campaign."""

    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Retry:
    """When to call again after an outcome: `after_s` seconds later, at most `times` attempts in all."""

    after_s: int
    times: int


class NextNumber(StrEnum):
    """Which of his numbers is called next."""

    STAY = "stay"
    NEXT = "next"
    BEST = "best"  # one on which he was reached, else the one that promises most


class DayPart(StrEnum):
    """When of the day he is called next."""

    ANY = "any"
    OTHER = "other"  # another part of the day than the last try
    BEST = "best"  # the hour that the number's own past promises most of


@dataclass(frozen=True, slots=True)
class Recycle:
    """How a contact goes back to the list after an outcome: `after_s` seconds later, each further time `factor` times
    as many; at most `times` attempts may end so.
    """

    after_s: int
    factor: float = 1.0
    times: int = 6
    number: NextNumber = NextNumber.NEXT
    day_part: DayPart = DayPart.ANY


BREAKS = {"rest": False, "meal": False, "prayer": False, "training": True, "desk_work": True}


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign's settings. Units are in the names; `abandon_rate_max` 0.03 is 3 %."""

    id: str
    name: str
    kind: Kind = Kind.AGENTS
    mode: Mode = Mode.PROGRESSIVE
    pack: str = "indonesia"
    trunk: str = "trunk"
    caller_id: str = ""
    caller_name: str = ""  # who calls, as the message names him; never the debt
    language: str = "id"
    ivr_agents: bool = False  # Kind.IVR: agents are signed in too, and the IVR offers them
    overflow: Overflow = Overflow.MESSAGE
    detection: bool = False
    machine: Machine = Machine.HANGUP
    ratio: float = 1.0  # Mode.RATIO: lines per free agent
    lines_max: int = 30
    lines_per_agent_max: float = 3.0
    calls_per_second: float = 5.0
    abandon_rate_max: float = 0.03
    connect_limit_ms: int = 2000
    ring_s: int = 25
    post_dial_delay_s: int = 8
    grace_ms: int = 10000
    agent_wait_s: int = 60  # how long a debtor who asked the IVR for an agent waits
    agent_offer_s: int = 20  # when he is offered a call-back instead; 0: never
    wrap_up_max_s: int = 60
    hold_max_s: int = 300  # so long a customer hears music before he goes back to his agent
    call_max_s: int = 3600
    record: bool = False
    retries: dict[str, Retry] = field(default_factory=dict)  # outcome -> rule of old; `recycle` comes before it
    recycle: dict[str, Recycle] = field(default_factory=dict)  # outcome -> rule; absent: the default of recycling.py
    tries_max: int = 12  # attempts for one contact, however they end
    callback_own_agent_s: int = 120  # so long a call-back waits for the agent whom he talked with
    promise_days_max: int = 31  # the last day that may be promised, counted from today
    promise_least: int = 0  # least amount of a promise; 0: the account's own minimum
    promise_grace_days: int = 1  # a transfer takes so long: a promise counts as broken after it
    breaks: dict[str, bool] = field(default_factory=lambda: dict(BREAKS))  # reason -> does it count as work
    preview_s: int = 60  # Mode.PREVIEW: so long an agent may look at an account
    preview_then: AfterPreview = AfterPreview.SKIP
    preview_skip_s: int = 900  # a skipped account is due again after it
    silent_monitoring: bool = False  # agents are not told who listens: where the law allows it
    cool_down_s: int = 300  # the agent's break after an abusive call; 0: none
    shift_ends: str = ""  # "17:30" in the pack's first zone: the agents go, and no answer may come after it
    shifts: dict[str, str] = field(default_factory=dict)  # weekday, `mon` ... -> when they go on that day instead
    week: dict[str, str] = field(default_factory=dict)  # weekday -> "09:00-12:00, 13:00-17:00" or "closed"; absent: law
    first_day: str = ""  # "2026-12-01" on the debtor's calendar; empty: at once
    last_day: str = ""  # no call after it


# ---- list -----------------------------------------------------------------------------------------------------------


class NumberKind(StrEnum):
    """Whose number it is."""

    DEBTOR = "debtor"
    CO_BORROWER = "co_borrower"
    EMERGENCY = "emergency"
    WORKPLACE = "workplace"


class NumberState(StrEnum):
    """What was learnt of a number of this contact."""

    UNTRIED = "untried"
    GOOD = "good"  # the person was reached on it
    DEAD = "dead"
    WRONG_PERSON = "wrong_person"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Number:
    """A number in E.164 (`+628...`) and its keyed hash, under which Redis knows it."""

    e164: str
    key: str
    kind: NumberKind = NumberKind.DEBTOR
    state: NumberState = NumberState.UNTRIED
    past: str = ""  # answered and tried by part of the day, as past.py writes it
    not_found_at: float = 0.0  # the network said that there is no such number: a second time on another day proves it
    given_at: float = 0.0  # the debtor gave it himself in a conversation; 0: it came with the list


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody agreed to. `what`: calls (automated calls to this mobile), whereabouts (an emergency contact may be
    asked), other_hours."""

    what: str
    source: str
    on: date


@dataclass(frozen=True, slots=True)
class Contact:
    """One row of a list: a person, an account, numbers in order of calling."""

    id: str
    person: str  # keyed hash of the operator's person id, else of the first number
    numbers: tuple[Number, ...]
    name: str = ""
    language: str = ""  # empty: the campaign's
    zone: str = ""  # IANA name from the address; empty: unknown, the strictest of the pack's zones counts
    lender: str = ""
    product: str = ""
    currency: str = "IDR"
    amount: int = 0
    due: date | None = None
    secret: str = ""  # keyed hash of what the debtor keys to prove who he is; empty: none
    secret_digits: int = 0
    priority: int = 0
    tries: int = 0  # attempts so far in this campaign
    next_number: int = 0  # index into numbers
    alias: str = ""  # random: the only name the decision log knows him by; gone with the contact
    account: str = ""  # the lender's account number, for agents and the lender
    minimum: int = 0  # least payment
    fee: int = 0
    incentive: int = 0  # what the lender waives for paying now
    province: str = ""
    regency: str = ""
    post_code: str = ""
    consents: tuple[Consent, ...] = ()
    custom: tuple[tuple[str, str], ...] = ()
    score: int = 0  # the lender's; higher is called first among equals of priority
    expires: float = 0.0  # no call from then on; 0: never
    last_at: float = 0.0  # claim of the last attempt that counted
    callback_at: float = 0.0  # the minute he chose; 0: none
    callback_agent: str = ""  # whom he talked with
    rev: int = 0  # the store's: how often the list's data were replaced
    broken_at: float = 0.0  # a promise was broken and he has not been spoken with since: he is called before others
    paid: tuple[str, ...] = ()  # hashes of the last payments that `amount` has in
    came: tuple[tuple[str, int], ...] = ()  # outcome -> how many attempts of this campaign ended so


@dataclass(frozen=True, slots=True)
class History:
    """What the store knows of a person or a number when it is locked for an attempt. Times: epoch seconds."""

    attempts: tuple[float, ...] = ()
    conversations: tuple[float, ...] = ()
    stop: bool = False  # do not call, wrong person
    silent_until: float = 0.0  # a promise pending, a call-back agreed, hardship
    dead: bool = False  # number: proven not in service
    stops: tuple[str, ...] = ()  # do not call for `lender:NAME` or in `campaign:ID` only
    abandoned_at: float = 0.0  # the last live answer that got no agent
    machine_at: float = 0.0  # the last answer that detection took for a machine
    hardship: bool = False  # cannot pay now: the pack's slower cadence


@dataclass(frozen=True, slots=True)
class Allowed:
    """The call may be placed now; `must_start_by` is the last second at which it may still start."""

    pack: str
    must_start_by: float


@dataclass(frozen=True, slots=True)
class Refused:
    """The call may not be placed; `until` is when to ask again (epoch seconds), inf for never."""

    rule: str
    until: float
    reason: str = ""
    of_number: bool = False  # only this number is refused: another one of the contact may do


Permission = Allowed | Refused


# ---- attempt --------------------------------------------------------------------------------------------------------


class CallState(StrEnum):
    """Life of one attempt; the table is in calls.py."""

    CLAIMED = "claimed"  # locks held, written down, not yet given to Asterisk
    PLACED = "placed"  # Originate written; from here on a call may exist
    RINGING = "ringing"
    DETECTING = "detecting"
    WAITING = "waiting"  # a live answer without an agent
    JOINING = "joining"  # agent reserved, Redirect sent
    TALKING = "talking"
    ON_HOLD = "on_hold"  # his agent has put him there: music
    HELD = "held"  # the agent's leg went, the dialplan plays sound
    IN_IVR = "in_ivr"
    WANTS_AGENT = "wants_agent"  # the debtor asked the IVR for an agent
    IN_MESSAGE = "in_message"  # courteous or limited message
    GONE = "gone"  # hung up; outcome not yet written (wrap-up, the IVR's last facts)
    ENDED = "ended"  # outcome written


CALL_BACK = "call_back"  # Attempt.kind of a call at the minute that the debtor chose
INBOUND = "inbound"  # Attempt.kind of a call that came in
PREVIEWED = "preview"  # of one whose account its agent has seen before
MANUAL = "manual"  # of one that an agent dialled by hand
OWN_AGENT = frozenset({CALL_BACK, PREVIEWED, MANUAL})  # an agent is reserved for them before they are dialled


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt from claim to outcome. A time of 0.0 means: did not happen."""

    id: str
    campaign: str
    node: str
    kind: str  # predictive, progressive, ratio, ivr, inbound, ...
    trunk: str
    caller_id: str
    language: str
    pack: str
    contact: str
    person: str
    number: Number
    state: CallState = CallState.CLAIMED
    tries: int = 1
    claimed_at: float = 0.0
    answer_probability: float = -1.0  # that a person answers, as foretold at the claim; below 0: nothing was
    placed_at: float = 0.0
    progress_at: float = 0.0  # early media (183): the far network answers, the phone may not ring
    ringing_at: float = 0.0
    answered_at: float = 0.0
    detected_at: float = 0.0
    joined_at: float = 0.0
    overflow_at: float = 0.0
    ivr_at: float = 0.0
    waits_until: float = 0.0  # until then the dialplan keeps a live caller for us
    left_at: float = 0.0  # the talk's end
    ended_at: float = 0.0
    wrapped_at: float = 0.0
    detection: str = ""  # human, machine, unsure
    agent: str = ""
    talk_s: float = 0.0  # of all agents together
    overflow_to: str = ""
    voicemail_left: bool = False
    wanted_agent: bool = False
    ivr_result: str = ""
    cancelled: str = ""  # why we ended it ourselves
    failed: bool = False  # OriginateResponse: Failure
    dialled: bool = False  # Asterisk made a channel
    cause: int = -1
    sip_code: int = 0
    disposition: str = ""
    zone: str = ""  # the debtor's, IANA; empty: unknown
    agents: str = ""  # all who talked with him, in order
    on_hold_at: float = 0.0  # since when, or last
    hold_s: float = 0.0
    record_paused: bool = False
    heard_by: str = ""  # supervisors who listened, whispered or joined


class Outcome(StrEnum):
    """How an attempt ended: the closed list of the public record."""

    CONNECTED = "connected"  # talked with an agent
    IVR = "ivr"  # served by the IVR, as the campaign wants
    OVERFLOWED = "overflowed"  # no agent in time, served by the IVR
    ABANDONED = "abandoned"  # a live answer that reached neither agent nor IVR
    MACHINE = "machine"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"
    UNREACHABLE = "unreachable"
    CONGESTION = "congestion"
    NETWORK_FAULT = "network_fault"
    TRUNK_DOWN = "trunk_down"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # we lost sight of it; proven gone
    NOT_PLACED = "not_placed"  # claimed, never given to Asterisk


class Side(StrEnum):
    """Whose doing the outcome was."""

    DEBTOR = "debtor"
    NETWORK = "network"
    US = "us"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of an attempt, and what follows for the contact, the person and the number."""

    outcome: Outcome
    side: Side
    reason: str
    retry_at: float = 0.0  # 0: never again in this campaign
    live: bool = False  # a person answered: counts in the abandon rate's denominator
    conversation: bool = False
    stop: bool = False
    silent_until: float = 0.0
    dead: bool = False
    count: bool = True  # false: our own fault, does not use up the debtor's attempts
    wrong_person: bool = False  # the number is not his: it stops everywhere, the person does not
    hardship: bool = False
    callback_at: float = 0.0  # the minute that the debtor chose; 0: none
    rests: str = ""  # why he is not called again in this campaign; empty: he is


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing the IVR learnt, in order; `name` is one of ivr's words (step, promise, wrong_person, closed, ...)."""

    seq: int
    at: float
    name: str
    value: str = ""


# ---- what Asterisk tells, in our words ------------------------------------------------------------------------------


WAS_UP = "up"


class Seen(StrEnum):
    """Kinds of telephone events."""

    LINK_UP = "link_up"  # a new manager session; everything before it may have been missed
    LINK_DOWN = "link_down"
    BOOTED = "booted"  # Asterisk has just started: all channels are gone
    DIALLED = "dialled"  # a channel exists
    PROGRESS = "progress"
    RINGING = "ringing"
    ANSWERED = "answered"  # OriginateResponse Success
    READY = "ready"  # the dialplan runs: from here on a Redirect is safe
    FAILED = "failed"  # OriginateResponse Failure; `result` is its Reason
    HANGUP = "hangup"  # cause, sip_code; result WAS_UP: it had been answered
    JOINED = "joined"  # entered the bridge `room`
    LEFT = "left"
    DETECTED = "detected"  # result: human, machine, unsure, hangup
    OVERFLOWED = "overflowed"  # result: ivr or message
    IVR_BEGIN = "ivr_begin"
    IVR_END = "ivr_end"  # result
    WANTS_AGENT = "wants_agent"
    HELD = "held"
    ON_HOLD = "on_hold"
    ROOM_REFUSED = "room_refused"
    MESSAGE = "message"
    VOICEMAIL = "voicemail"  # result: yes, no
    REACHABLE = "reachable"  # the endpoint named in `channel` has a contact that answers
    UNREACHABLE = "unreachable"
    PHONE_KEY = "phone_key"  # agent in `room`, key in `result`


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `at` is Asterisk's own time stamp."""

    kind: Seen
    at: float
    channel: str = ""  # channel id: the attempt's, or an agent leg's
    room: str = ""
    result: str = ""
    cause: int = -1
    sip_code: int = 0


@dataclass(frozen=True, slots=True)
class LiveChannel:
    """One row of what Asterisk says is up now."""

    id: str
    name: str
    up: bool
    context: str
    exten: str
    application: str
    room: str  # empty: in no room
    age_s: float


@dataclass(frozen=True, slots=True)
class Order:
    """The fields of one Originate."""

    channel_id: str
    channel: str
    context: str
    exten: str
    timeout_ms: int
    caller_id: str
    variables: tuple[tuple[str, str], ...]


# ---- agents ---------------------------------------------------------------------------------------------------------


class AgentState(StrEnum):
    """Life of an agent; the table is in agents.py."""

    SIGNED_OUT = "signed_out"
    RAISING = "raising"  # wants to work, his leg is being raised
    IDLE = "idle"  # parked in his room, waiting for a customer
    RESERVED = "reserved"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    BREAK = "break"
    LOST = "lost"  # his leg went
    PREVIEW = "preview"  # sees an account, and calls or skips it


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent at one moment."""

    id: str
    node: str
    campaign: str = ""
    state: AgentState = AgentState.SIGNED_OUT
    since: float = 0.0
    leg: str = ""  # channel id of his own leg; empty: none
    attempt: str = ""
    break_next: bool = False  # asked for while busy: taken at the next free moment
    sign_out_next: bool = False
    break_reason: str = ""  # of the break that he takes, or has asked for
    break_s: float = 0.0  # how long it lasts at most; 0: as long as he likes
    break_until: float = 0.0  # when it ends by itself
    sent_by: str = ""  # the supervisor who ordered the break or the sign-out
    help: bool = False  # calls for a supervisor
    offer: str = ""  # state preview: the contact that he sees
    offer_until: float = 0.0
    moves_to: str = ""  # the campaign that he goes over to once he is out of this one


@dataclass(frozen=True, slots=True)
class Link:
    """The line between the rooms of two agents about one call; `channel`: its end in the first one's room."""

    channel: str
    attempt: str
    agent: str
    to: str


# ---- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Command:
    """An order to the engine that leads `campaign`: applied once, refused after `deadline` (epoch seconds)."""

    id: str
    campaign: str
    name: str  # orders.py, manual.py and hands.py have the list
    sender: str
    at: float
    deadline: float
    args: dict[str, str] = field(default_factory=dict)
