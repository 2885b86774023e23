"""The doors of the core: what the engine needs of the outside, as Protocols; adapters and test twins implement them."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dialer.debts.promises import Promise
from dialer.floor.desknote import DeskMessage, DeskNote
from dialer.model import (
    Agent,
    Attempt,
    Campaign,
    Command,
    Contact,
    Event,
    Fact,
    History,
    LiveChannel,
    Number,
    Order,
    Refused,
    Status,
    Verdict,
)


class Clock(Protocol):
    """The only reader of time."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""

    def monotonic(self) -> float:
        """Seconds that never jump: for deadlines and leases."""


@dataclass(frozen=True, slots=True)
class LinkHealth:
    """State of the manager link: `ack_p99_ms` over the last 5 s (0.0: none), `backlog` events not yet read."""

    up: bool
    ack_p99_ms: float
    backlog: int


Lease = Callable[[], bool]  # whether he who asks may still act, by the monotonic clock


def always() -> bool:
    """The lease of a tool that nobody else stands by for."""
    return True


class Leased(Protocol):
    """One Asterisk node in the hands of one leader. Each action asks his lease right before it is written, whole and at
    once; raises NoLease where the lease is over: nothing was sent."""

    @property
    def node(self) -> str:
        """Its name."""

    async def originate(self, order: Order) -> None:
        """Returns at the ack. Raises ActionRefused (no call exists), LinkDown or AckTimeout (a call may exist)."""

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        """Send a channel that is up to a place of the dialplan. The ack proves nothing: wait for JOINED."""

    async def mute_recording(self, channel: str, *, muted: bool) -> None:
        """Write silence instead of what is said, or sound again. Raises ActionRefused where nothing is recorded."""

    async def hang_up(self, channel: str, cause: int = 16) -> bool:
        """False: there was no such channel."""

    async def channels(self) -> tuple[LiveChannel, ...]:
        """All channels that are up or ringing now."""

    def health(self) -> LinkHealth:
        """How the link does."""


class Telephony(Protocol):
    """One Asterisk node: everybody may listen, only a leader may act."""

    @property
    def node(self) -> str:
        """Its name."""

    def under(self, lease: Lease) -> Leased:
        """To act on it for as long as `lease` holds."""

    def events(self) -> AsyncIterator[Event]:
        """Everything seen since the adapter was made, in order of arrival; one reader."""

    def health(self) -> LinkHealth:
        """How the link does."""


@dataclass(frozen=True, slots=True)
class Held:
    """Steps 1 and 2 of a claim: person and number are locked for the attempt, and this is their past."""

    attempt: str
    person: History
    number: History


@dataclass(frozen=True, slots=True)
class Finish:
    """One outcome to write: the attempt, its verdict, the record for the stream, the contact as it is to be kept."""

    attempt: Attempt
    verdict: Verdict
    record: Mapping[str, str]
    contact: Contact | None  # None: the contact is unknown here (inbound): only the record is written
    promise: Promise | None = None  # made in it
    new_numbers: bool = False  # the contact has numbers that he had not: they are to be found by


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A change that Redis has not taken: an attempt's newest state, or its outcome. `token`: of the leader who made it;
    `facts`: no change of an engine's, but facts of the IVR that came after the call.
    """

    campaign: str
    attempt_id: str
    token: int = 0
    at: float = 0.0  # when it was put aside, epoch seconds
    attempt: Attempt | None = None
    finish: Finish | None = None
    facts: bool = False
    v: int = 1


class Spool(Protocol):
    """Where changes wait on the disk while Redis is away. Each method raises SpoolFailed."""

    async def keep(self, changes: Sequence[Unwritten]) -> None:
        """On the disk when it returns; beyond its bound it refuses all of them."""

    async def rewrite(self, changes: Sequence[Unwritten]) -> None:
        """These alone, instead of all that was kept."""

    async def clear(self) -> None:
        """Redis has everything."""

    async def left(self) -> tuple[str, Sequence[Unwritten]] | None:
        """Name and whole records of one file of a process that is gone; None: there is none."""

    async def remove(self, name: str) -> None:
        """What `left` found is safe elsewhere."""

    def size(self) -> int:
        """Bytes that wait in this process's file."""


@dataclass(frozen=True, slots=True)
class StreamSize:
    """`kept_days` 0: entries go as soon as they are done with."""

    entries: int
    bytes: int
    kept_days: float


class Store(Protocol):
    """Redis. Each call is one round trip (a pipeline); each write is atomic per key slot and idempotent by attempt id.

    Every write for a campaign carries the leader's token and raises NotLeader when another engine has a newer one;
    StoreDown when Redis cannot be reached or refuses.
    """

    # -- campaigns and leadership
    async def campaigns(self) -> tuple[str, ...]: ...
    async def campaign(self, campaign: str) -> tuple[Campaign, Status] | None: ...
    async def save_campaign(self, campaign: Campaign) -> None: ...
    async def set_status(self, campaign: str, token: int, status: Status) -> None: ...
    async def lead(self, campaign: str, engine: str, ttl_ms: int) -> int | None:
        """A fencing token if nobody else leads (or the same engine already does, then its own token); else None."""

    async def leaders(self, campaigns: Sequence[str]) -> Mapping[str, str]:
        """Campaign -> the engine that has its lease; empty: none."""

    async def renew(self, campaign: str, engine: str, token: int, ttl_ms: int) -> bool: ...
    async def resign(self, campaign: str, engine: str, token: int) -> None: ...

    # -- list
    async def add_contacts(self, campaign: str, contacts: Sequence[Contact], due: float, chunk: str = "") -> int:
        """How many were new; a contact that is known stays as it is. `chunk` IMPORT:NUMBER: all or nothing, and the
        same one again within a week changes nothing (0)."""

    async def candidates(self, campaign: str, at: float, limit: int) -> tuple[Contact, ...]:
        """The next callable contacts in order (priority, then due time), without taking them."""

    async def remaining(self, campaign: str, at: float) -> tuple[int, int]:
        """(contacts due now, contacts waiting for later)."""

    # -- claim: lock, gate, claim, look again, originate
    async def lock(self, attempts: Sequence[Attempt], at: float) -> list[Held | Refused]:
        """Steps 1 and 2: lock person and number for each attempt. Refused: somebody else is calling them."""

    async def claim(self, token: int, attempts: Sequence[Attempt], at: float, notes: Sequence[str] = ()) -> list[bool]:
        """Steps 3 and 4: take the contact off the list, write the attempt down as open and its note (decisionlog.py)
        into the log; then read stop flags and locks once more. False: taken by somebody else, stopped, or another past
        meanwhile; everything has been undone, and the log says so."""

    async def unlock(self, attempts: Sequence[Attempt]) -> None:
        """Give locks back; the attempt does not count."""

    async def refuse(
        self,
        token: int,
        campaign: str,
        refusals: Sequence[tuple[Contact, Number, Refused]],
        at: float,
        pack: str = "",
        aside: bool = True,
    ) -> None:
        """Set the contacts aside until `Refused.until` (inf: for good), unless they are only to be told of; written to
        {campaign}:refusals and to the log, with the label of the `pack` that refused, once per contact, rule and until;
        repeats are counters."""

    async def recall(self, campaign: str, token: int, rules: Collection[str], at: float) -> int:
        """Who rests because one of these rules refused him is due now, to be asked about again; how many."""

    # -- attempts and outcomes
    async def open_attempts(self, campaign: str) -> tuple[Attempt, ...]: ...
    async def open_attempt(self, campaign: str, attempt: str) -> Attempt | None: ...
    async def contact(self, campaign: str, contact: str) -> Contact | None: ...
    async def write(self, token: int, campaign: str, changed: Sequence[Attempt], finished: Sequence[Finish]) -> int:
        """Write transitions, then outcomes: person and number get their effects and are unlocked, the record goes to
        {campaign}:outcomes, the contact back to the list or to rest. How many outcomes were new (others had been
        written before: nothing was written twice)."""

    async def correct(self, campaign: str, token: int, record: Mapping[str, str], finish: Finish | None = None) -> None:
        """A late change, as a `correction` entry that names the attempt; with what follows from it for person and
        number, and for the contact unless he is being called now."""

    async def outcome(self, campaign: str, attempt: str) -> Mapping[str, str] | None:
        """The record of a call that ended within the last hours."""

    async def facts(self, campaign: str, attempt: str) -> tuple[Fact, ...]: ...

    # -- what could not be written in its time
    async def hand_over(self, changes: Sequence[Unwritten]) -> None:
        """For whoever leads their campaigns; needs no token, the same ones again change nothing."""

    async def handed_over(self, campaign: str) -> tuple[Unwritten, ...]: ...
    async def taken(self, token: int, campaign: str, changes: Sequence[Unwritten]) -> None:
        """They are dealt with."""

    # -- agents
    async def save_agents(
        self, campaign: str, token: int, agents: Sequence[Agent], notes: Sequence[DeskNote] = ()
    ) -> None:
        """`notes` are told to the agents' desks."""

    async def agents(self, campaign: str) -> tuple[Agent, ...]: ...
    async def works_for(self, agent: str) -> str:
        """The campaign that has this agent; empty: none. One that others have is left out by save_agents."""

    async def skills(self, agents: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Agent -> the campaigns that he serves, in his order; without those who have none."""

    async def reserve(self, token: int, agent: Agent, attempt: Attempt, note: DeskNote | None = None) -> bool:
        """Agent -> reserved and the attempt's transition, in one round trip, his desk told in the same one. False: he
        is not of this campaign, or has another attempt that is still open; the next note takes this one back."""

    async def tell_desk(self, message: DeskMessage) -> None:
        """Words for one agent, published and kept for a while."""

    # -- live state, commands, trunk
    async def publish(self, campaign: str, token: int, snapshot: bytes) -> None: ...
    async def published(self, campaign: str) -> bytes | None:
        """The last snapshot of whoever led."""

    async def pacing(self, campaign: str, token: int, entry: Mapping[str, str]) -> None:
        """One entry more of the series in dialer/pace/series.py."""

    async def order(self, command: Command) -> tuple[bool, str] | None:
        """To whoever leads its campaign, once, however often it is asked; his answer, None: not yet."""

    async def commands(self, campaign: str, token: int) -> tuple[Command, ...]:
        """Commands not yet applied, oldest first."""

    async def reply(self, command: Command, token: int, ok: bool, text: str) -> None:
        """Marks the command applied, once."""

    async def ivr_beats(self) -> Mapping[str, float]:
        """IVR server, as `host:port name` -> its last heartbeat, by its own clock (epoch seconds)."""

    async def trunk_share(self, trunk: str, engine: str, lines: int, cps: float) -> tuple[int, float]:
        """This engine's slice of a trunk's lines and calls per second, for a few seconds."""

    async def leave_trunk(self, trunk: str, engine: str) -> None:
        """Its slice is free at once."""

    # -- upkeep
    async def fall_due(self, campaign: str, at: float) -> int:
        """Promises whose last day is over get their state; who broke one comes back before others. How many."""

    async def trim(self, campaign: str, at: float) -> int:
        """Drop from the campaign's streams what has been kept for as long as stated and no group has yet to read; how
        many entries."""

    async def stream_sizes(self, campaign: str) -> Mapping[str, StreamSize]:
        """Every stream of a campaign."""

    async def health(self) -> float:
        """Seconds that a ping took."""
