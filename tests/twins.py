"""Short twins of the ports, in memory: a Redis that fences and writes once, an Asterisk with a dialplan, a clock.

Everything runs on an event loop whose time stands still while there is something to do and jumps when there is not:
`play(coroutine)` runs minutes of calls in milliseconds, the same way each time.
"""

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from math import inf
from random import Random
from typing import Any, TypeVar

from dialer.dialplan import ANSWERED_IVR, Context, Var, room
from dialer.errors import AckTimeout, ActionRefused, LinkDown, NoLease, NotLeader, SpoolFailed, StoreDown
from dialer.floor.desknote import DeskMessage, DeskNote
from dialer.law import decisionlog
from dialer.model import (
    Agent,
    AgentState,
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
    Seen,
    Status,
)
from dialer.ports import Finish, Held, Lease, LinkHealth, StreamSize, Unwritten

STALE_S = 30.0
SLICE_S = 2.5
BEAT_S = 0.25
EPOCH = 1_795_000_000.0  # 2026-11-18 06:26:40 UTC, early afternoon in Jakarta

T = TypeVar("T")


# ---- time -----------------------------------------------------------------------------------------------------------


class _Jump(selectors.SelectSelector):
    """Instead of waiting, lets the loop's clock jump."""

    jumped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing will ever happen: every task waits for another")
        self.jumped += max(0.0, timeout)
        return super().select(0)


class TimelessLoop(asyncio.SelectorEventLoop):
    """Its time() is invented."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.jumped


def play(work: Coroutine[Any, Any, T]) -> T:
    """Run to its end on invented time."""
    with asyncio.Runner(loop_factory=TimelessLoop) as runner:
        return runner.run(work)


class TwinClock:
    """ports.Clock on the loop's time; `step` moves the wall clock alone."""

    def __init__(self) -> None:
        self.step = 0.0

    def now(self) -> float:
        return EPOCH + self.step + self.monotonic()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


async def until(ready: Callable[[], object], limit_s: float = 60.0) -> None:
    """Wait for a condition, in invented time."""
    ends = asyncio.get_running_loop().time() + limit_s
    while not ready():
        assert asyncio.get_running_loop().time() < ends, f"not within {limit_s:g} s"
        await asyncio.sleep(0.01)


# ---- Redis ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Kept:
    """What Redis keeps of one campaign."""

    settings: Campaign
    status: Status = Status.READY
    leader: tuple[str, int, float] | None = None  # engine, token, until (monotonic)
    fence: int = 0
    contacts: dict[str, Contact] = field(default_factory=dict)
    chunks: set[str] = field(default_factory=set)
    due: dict[str, float] = field(default_factory=dict)
    open: dict[str, Attempt] = field(default_factory=dict)
    outcomes: list[Finish] = field(default_factory=list)
    refusals: list[tuple[Contact, Number, Refused]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)  # bodies
    agents: dict[str, Agent] = field(default_factory=dict)
    snapshot: bytes | None = None
    pacing: list[Mapping[str, str]] = field(default_factory=list)
    commands: dict[str, Command] = field(default_factory=dict)
    corrections: list[Mapping[str, str]] = field(default_factory=list)


class TwinStore:
    """ports.Store. `down`: nothing answers; `deaf`: calls done whose answer is lost; `slow_s`: each one."""

    def __init__(self, clock: TwinClock) -> None:
        self._clock = clock
        self.books: dict[str, Kept] = {}
        self.locks: dict[str, str] = {}  # person or number -> attempt
        self._locked_at: dict[str, float] = {}
        self.past: dict[str, History] = {}
        self.homes: dict[str, str] = {}
        self.serves: dict[str, tuple[str, ...]] = {}  # agent -> campaigns
        self.told: dict[str, list[Fact]] = {}
        self.replies: dict[str, tuple[bool, str]] = {}
        self.slices: dict[str, dict[str, tuple[int, float, float]]] = {}
        self.down = False
        self.slow_s = 0.0
        self.deaf: set[str] = set()
        self.calls: list[str] = []
        self.trimmed: list[float] = []
        self.ivrs: dict[str, str] = {}  # IVR server -> alive or frozen
        self._beats: dict[str, float] = {}
        self.desks: list[DeskNote] = []
        self.late: dict[tuple[str, str, str], Unwritten] = {}
        self.messages: list[DeskMessage] = []

    async def _asked(self, name: str) -> None:
        self.calls.append(name)
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        if self.down:
            raise StoreDown("the twin is down")

    def _answered(self, name: str) -> None:
        if name in self.deaf:
            raise StoreDown(f"the answer to {name} is lost")

    def _fenced(self, campaign: str, token: int) -> Kept:
        books = self.books[campaign]
        if books.fence > token:
            raise NotLeader(f"token {token} is old")
        return books

    async def campaigns(self) -> tuple[str, ...]:
        await self._asked("campaigns")
        return tuple(self.books)

    async def campaign(self, campaign: str) -> tuple[Campaign, Status] | None:
        await self._asked("campaign")
        books = self.books.get(campaign)
        return None if books is None else (books.settings, books.status)

    async def save_campaign(self, campaign: Campaign) -> None:
        await self._asked("save_campaign")
        if campaign.id in self.books:
            self.books[campaign.id].settings = campaign
        else:
            self.books[campaign.id] = Kept(campaign)

    async def set_status(self, campaign: str, token: int, status: Status) -> None:
        await self._asked("set_status")
        self._fenced(campaign, token).status = status

    async def lead(self, campaign: str, engine: str, ttl_ms: int) -> int | None:
        await self._asked("lead")
        books, now = self.books[campaign], self._clock.monotonic()
        if books.leader is None or books.leader[2] <= now:
            books.fence += 1
            books.leader = (engine, books.fence, now)
        if books.leader[0] != engine:
            return None
        books.leader = (engine, books.leader[1], now + ttl_ms / 1000)
        return books.leader[1]

    async def leaders(self, campaigns: Sequence[str]) -> Mapping[str, str]:
        await self._asked("leaders")
        now = self._clock.monotonic()
        held = {name: self.books[name].leader for name in campaigns}
        return {name: one[0] if one is not None and one[2] > now else "" for name, one in held.items()}

    async def renew(self, campaign: str, engine: str, token: int, ttl_ms: int) -> bool:
        await self._asked("renew")
        books = self.books[campaign]
        if books.fence > token:
            return False
        books.leader = (engine, token, self._clock.monotonic() + ttl_ms / 1000)
        return True

    async def resign(self, campaign: str, engine: str, token: int) -> None:
        await self._asked("resign")
        books = self.books[campaign]
        if books.leader is not None and books.leader[:2] == (engine, token):
            books.leader = None

    async def add_contacts(self, campaign: str, contacts: Sequence[Contact], due: float, chunk: str = "") -> int:
        await self._asked("add_contacts")
        books = self.books[campaign]
        if chunk and chunk in books.chunks:
            return 0
        books.chunks |= {chunk}
        new = [one for one in contacts if one.id not in books.contacts]
        books.contacts.update((one.id, one) for one in new)
        books.due.update((one.id, due) for one in new)
        return len(new)

    async def candidates(self, campaign: str, at: float, limit: int) -> tuple[Contact, ...]:
        await self._asked("candidates")
        books = self.books[campaign]
        found = [books.contacts[one] for one, due in books.due.items() if due <= at]
        return tuple(sorted(found, key=lambda one: (not one.callback_at, one.priority, books.due[one.id]))[:limit])

    async def remaining(self, campaign: str, at: float) -> tuple[int, int]:
        await self._asked("remaining")
        due = self.books[campaign].due.values()
        return sum(one <= at for one in due), sum(at < one < inf for one in due)

    async def lock(self, attempts: Sequence[Attempt], at: float) -> list[Held | Refused]:
        await self._asked("lock")
        found: list[Held | Refused] = []
        for one in attempts:
            parties = _parties(one)
            if any(self._is_held(party, one.id, at) for party in parties):
                found.append(Refused("person_busy", at + 60, "under way"))
                continue
            self.locks |= dict.fromkeys(parties, one.id)
            self._locked_at |= dict.fromkeys(parties, at)
            person, number = (self.past.get(party, History()) for party in parties)
            found.append(Held(one.id, person, number))
        self._answered("lock")
        return found

    def _is_held(self, party: str, attempt: str, at: float) -> bool:
        """A lock that is old and of no open attempt was left behind between two steps."""
        holder = self.locks.get(party, attempt)
        is_open = any(holder in books.open for books in self.books.values())
        return holder != attempt and (is_open or at - self._locked_at[party] < STALE_S)

    async def claim(self, token: int, attempts: Sequence[Attempt], at: float, notes: Sequence[str] = ()) -> list[bool]:
        await self._asked("claim")
        answers = []
        for one, note in zip(attempts, notes or [""] * len(attempts), strict=True):
            books = self._fenced(one.campaign, token)
            listed = books.due.pop(one.contact, None) is not None
            stopped = any(self.past.get(party, History()).stop for party in _parties(one))
            if listed and not stopped:
                books.open[one.id] = one
                books.log.append(note)
            else:
                self._unlock(one)
            answers.append(listed and not stopped)
        self._answered("claim")
        return answers

    async def unlock(self, attempts: Sequence[Attempt]) -> None:
        await self._asked("unlock")
        for one in attempts:
            self._unlock(one)

    def _unlock(self, attempt: Attempt) -> None:
        for party in _parties(attempt):
            if self.locks.get(party) == attempt.id:
                del self.locks[party]

    async def refuse(
        self,
        token: int,
        campaign: str,
        refusals: Sequence[tuple[Contact, Number, Refused]],
        at: float,
        pack: str = "",
        aside: bool = True,
    ) -> None:
        await self._asked("refuse")
        books = self._fenced(campaign, token)
        for contact, number, refused in refusals:
            if aside:
                books.contacts[contact.id] = contact
            if aside and contact.id in books.due:
                books.due[contact.id] = refused.until
            books.refusals.append((contact, number, refused))
            books.log.append(decisionlog.refused(contact, number, refused, pack, at))

    async def recall(self, campaign: str, token: int, rules: Collection[str], at: float) -> int:
        await self._asked("recall")
        books = self._fenced(campaign, token)
        back = {
            one.id for one, _, why in books.refusals if why.rule in rules and books.due.get(one.id) == why.until
        }  # fmt: skip
        books.due.update(dict.fromkeys(back, at))
        return len(back)

    async def open_attempts(self, campaign: str) -> tuple[Attempt, ...]:
        await self._asked("open_attempts")
        return tuple(self.books[campaign].open.values())

    async def open_attempt(self, campaign: str, attempt: str) -> Attempt | None:
        await self._asked("open_attempt")
        return self.books[campaign].open.get(attempt)

    async def contact(self, campaign: str, contact: str) -> Contact | None:
        await self._asked("contact")
        return self.books[campaign].contacts.get(contact)

    async def write(self, token: int, campaign: str, changed: Sequence[Attempt], finished: Sequence[Finish]) -> int:
        await self._asked("write")
        books = self._fenced(campaign, token)
        books.open.update((one.id, one) for one in changed if one.id in books.open)
        new = [one for one in finished if books.open.pop(one.attempt.id, None) is not None]
        for one in new:
            books.outcomes.append(one)
            self._unlock(one.attempt)
            if one.contact is not None:
                books.contacts[one.contact.id] = one.contact
                books.due[one.contact.id] = one.verdict.retry_at or inf
        self._answered("write")
        return len(new)

    async def correct(self, campaign: str, token: int, record: Mapping[str, str], finish: Finish | None = None) -> None:
        await self._asked("correct")
        books = self._fenced(campaign, token)
        if record not in books.corrections:  # the same words change nothing
            books.corrections.append(record)
        if finish and finish.contact and finish.contact.id in books.due:
            books.contacts[finish.contact.id] = finish.contact
            books.due[finish.contact.id] = finish.verdict.retry_at or float("inf")
        self._answered("correct")

    async def outcome(self, campaign: str, attempt: str) -> Mapping[str, str] | None:
        await self._asked("outcome")
        return next((one.record for one in self.books[campaign].outcomes if one.attempt.id == attempt), None)

    async def hand_over(self, changes: Sequence[Unwritten]) -> None:
        await self._asked("hand_over")
        for one in changes:
            self.late[one.campaign, one.attempt_id, "facts" if one.facts else str(one.token)] = one

    async def handed_over(self, campaign: str) -> tuple[Unwritten, ...]:
        await self._asked("handed_over")
        found = [one for key, one in self.late.items() if key[0] == campaign]
        return tuple(sorted(found, key=lambda one: (one.token, one.at)))

    async def taken(self, token: int, campaign: str, changes: Sequence[Unwritten]) -> None:
        await self._asked("taken")
        self._fenced(campaign, token)
        self.late = {key: one for key, one in self.late.items() if one not in changes}

    async def facts(self, campaign: str, attempt: str) -> tuple[Fact, ...]:
        await self._asked("facts")
        return tuple(self.told.get(attempt, ()))

    async def save_agents(
        self, campaign: str, token: int, agents: Sequence[Agent], notes: Sequence[DeskNote] = ()
    ) -> None:
        await self._asked("save_agents")
        books = self._fenced(campaign, token)
        for one in agents:
            if one.state is AgentState.RAISING and self.homes.setdefault(one.id, campaign) != campaign:
                continue
            books.agents[one.id] = one
            if one.state is AgentState.SIGNED_OUT and self.homes.get(one.id) == campaign:
                del self.homes[one.id]
        self.desks += notes

    async def agents(self, campaign: str) -> tuple[Agent, ...]:
        await self._asked("agents")
        return tuple(self.books[campaign].agents.values())

    async def works_for(self, agent: str) -> str:
        await self._asked("works_for")
        return self.homes.get(agent, "")

    async def reserve(self, token: int, agent: Agent, attempt: Attempt, note: DeskNote | None = None) -> bool:
        await self._asked("reserve")
        books = self._fenced(attempt.campaign, token)
        self.desks += [note] if note else []
        known = books.agents.get(agent.id)
        if known is None or attempt.id not in books.open:
            return False
        if known.attempt not in ("", attempt.id) and known.attempt in books.open and known.state in _BUSY:
            return False
        books.agents[agent.id], books.open[attempt.id] = agent, attempt
        return True

    async def tell_desk(self, message: DeskMessage) -> None:
        await self._asked("tell_desk")
        self.messages.append(message)

    async def publish(self, campaign: str, token: int, snapshot: bytes) -> None:
        await self._asked("publish")
        self._fenced(campaign, token).snapshot = snapshot

    async def skills(self, agents: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        await self._asked("skills")
        return {one: self.serves[one] for one in agents if one in self.serves}

    async def order(self, command: Command) -> tuple[bool, str] | None:
        await self._asked("order")
        if command.id not in self.replies and command.campaign in self.books:
            self.books[command.campaign].commands.setdefault(command.id, command)
        return self.replies.get(command.id)

    async def published(self, campaign: str) -> bytes | None:
        await self._asked("published")
        return self.books[campaign].snapshot

    async def pacing(self, campaign: str, token: int, entry: Mapping[str, str]) -> None:
        await self._asked("pacing")
        self._fenced(campaign, token).pacing.append(entry)

    async def commands(self, campaign: str, token: int) -> tuple[Command, ...]:
        await self._asked("commands")
        return tuple(self._fenced(campaign, token).commands.values())

    async def reply(self, command: Command, token: int, ok: bool, text: str) -> None:
        await self._asked("reply")
        if self._fenced(command.campaign, token).commands.pop(command.id, None) is not None:
            self.replies[command.id] = (ok, text)
        self._answered("reply")

    async def trunk_share(self, trunk: str, engine: str, lines: int, cps: float) -> tuple[int, float]:
        await self._asked("trunk_share")
        slices, at = self.slices.setdefault(trunk, {}), self._clock.monotonic()
        others = [one for name, one in slices.items() if name != engine and at - one[2] <= SLICE_S]
        share = min(-(-lines // (len(others) + 1)), lines - sum(one[0] for one in others))
        rate = min(cps / (len(others) + 1), cps - sum(one[1] for one in others))
        slices[engine] = (max(0, share), max(0.0, rate), at)
        return slices[engine][:2]

    async def leave_trunk(self, trunk: str, engine: str) -> None:
        await self._asked("leave_trunk")
        self.slices.get(trunk, {}).pop(engine, None)

    async def ivr_beats(self) -> Mapping[str, float]:
        await self._asked("ivr_beats")
        now = self._clock.monotonic()
        beat = now - now % BEAT_S - 1e6  # by a clock of their own
        self._beats = {name: beat if how == "alive" else self._beats.get(name, 0.0) for name, how in self.ivrs.items()}
        return self._beats

    async def fall_due(self, campaign: str, at: float) -> int:
        return 0

    async def trim(self, campaign: str, at: float) -> int:
        await self._asked("trim")
        self.trimmed.append(at)
        return 0

    async def stream_sizes(self, campaign: str) -> Mapping[str, StreamSize]:
        await self._asked("stream_sizes")
        books = self.books[campaign]
        return {"outcomes": StreamSize(len(books.outcomes), 0, 90.0), "log": StreamSize(len(books.log), 0, 400.0)}

    async def health(self) -> float:
        await self._asked("health")
        return self.slow_s


_BUSY = frozenset({AgentState.RESERVED, AgentState.TALKING})


class TwinDisk:
    """Spool files by their process's name; `full`: nothing more is kept."""

    def __init__(self) -> None:
        self.files: dict[str, list[Unwritten]] = {}
        self.dead: set[str] = set()
        self.full = False
        self.most = 10**6  # changes in one file


class TwinSpool:
    """ports.Spool."""

    def __init__(self, name: str, disk: TwinDisk) -> None:
        self._name, self._disk = name, disk

    async def keep(self, changes: Sequence[Unwritten]) -> None:
        if self._disk.full or self.size() + len(changes) > self._disk.most:
            raise SpoolFailed("the twin's disk is full")
        self._disk.files.setdefault(self._name, []).extend(changes)

    async def rewrite(self, changes: Sequence[Unwritten]) -> None:
        self._disk.files.pop(self._name, None)
        await self.keep(changes)

    async def clear(self) -> None:
        self._disk.files.pop(self._name, None)

    async def left(self) -> tuple[str, Sequence[Unwritten]] | None:
        found = [name for name in self._disk.files if name in self._disk.dead]
        return (found[0], self._disk.files[found[0]]) if found else None

    async def remove(self, name: str) -> None:
        del self._disk.files[name]

    def size(self) -> int:
        return len(self._disk.files.get(self._name, ()))


def _parties(attempt: Attempt) -> tuple[str, str]:
    return f"p:{attempt.person}", f"n:{attempt.number.key}"


# ---- Asterisk -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Debtor:
    """What happens to one Originate. `ends`: a Q.850 cause when nobody answers, with its SIP code."""

    answers: bool = True
    dials_s: float = 0.1
    rings_s: float = 2.0
    ends: tuple[int, int] = (17, 486)
    patience_s: float = 20.0  # from the answer to his hang-up, wherever he is by then
    detection: str = ""  # what AMD says of him; empty: human
    channel: bool = True  # False: the trunk is dead, no channel comes to be
    hangup_first: bool = False  # the Hangup is told before the OriginateResponse
    key_for_agent_s: float = 0.0  # in the IVR he asks for an agent after so long


@dataclass(slots=True)
class _Channel:
    """One channel that is up or ringing."""

    order: Order
    up: bool = False
    place: str = ""
    room: str = ""
    last_room: str = ""
    plans: list[asyncio.TimerHandle] = field(default_factory=list)  # what the dialplan does next
    patience: asyncio.TimerHandle | None = None

    def moves(self) -> None:
        """The dialplan goes on elsewhere."""
        for plan in self.plans:
            plan.cancel()
        self.plans.clear()

    def stop(self) -> None:
        """Nothing happens here any more."""
        self.moves()
        if self.patience is not None:
            self.patience.cancel()

    def variable(self, name: Var, default: str) -> str:
        return dict(self.order.variables).get(str(name), default)


class TwinLeased:
    """ports.Leased on a TwinAsterisk."""

    def __init__(self, twin: "TwinAsterisk", lease: Lease) -> None:
        self.node, self._twin, self._lease = twin.node, twin, lease

    def _led(self) -> "TwinAsterisk":
        if not self._lease():
            raise NoLease("nothing was sent")
        return self._twin

    async def originate(self, order: Order) -> None:
        await self._led().originate(order)

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        await self._led().redirect(channel, context, exten)

    async def mute_recording(self, channel: str, *, muted: bool) -> None:
        await self._led().mute_recording(channel, muted=muted)

    async def hang_up(self, channel: str, cause: int = 16) -> bool:
        return await self._led().hang_up(channel, cause)

    async def channels(self) -> tuple[LiveChannel, ...]:
        return await self._twin.channels()

    def health(self) -> LinkHealth:
        return self._twin.health()


class TwinAsterisk:
    """ports.Telephony with the project's dialplan behind it; `debtor` decides what each Originate meets.

    Quirks, each with a chance: `lose` (an event is not told), `silent` (no ack), `deaf` (a Redirect is acknowledged and
    nothing happens). `skew_s`: how far its clock is ahead of ours.
    """

    def __init__(self, clock: TwinClock, debtor: Callable[[Order], Debtor], seed: int = 0, node: str = "a") -> None:
        self.node = node
        self.clock, self._debtor, self._random = clock, debtor, Random(seed)
        self.up: dict[str, _Channel] = {}
        self.originated: list[Order] = []
        self.redirects: list[tuple[float, str, str, bool]] = []  # when, channel, agent, had he answered
        self.hung_up: list[str] = []
        self.muted: list[tuple[str, bool]] = []
        self.talks: list[tuple[str, str]] = []  # customer, agent
        self.phones_off: set[str] = set()
        self.link = True
        self.lose = self.silent = self.deaf = 0.0
        self.skew_s = 0.0
        self.late_s = 0.0  # events reach us so late
        self.ack_ms = 1.0
        self.ivr_frozen = False  # it says nothing, and hears nothing
        self._inbox: asyncio.Queue[Event | None] = asyncio.Queue()
        self._tell(Seen.LINK_UP)

    # -- ports.Telephony

    def under(self, lease: Lease) -> TwinLeased:
        return TwinLeased(self, lease)

    async def originate(self, order: Order) -> None:
        self._check_link()
        self.originated.append(order)
        if self._random.random() < self.silent:
            await asyncio.sleep(5.0)
            raise AckTimeout("the twin said nothing")
        if order.channel_id in self.up:
            self._tell(Seen.FAILED, order.channel_id)
        elif order.context == Context.AGENT:
            self._leg(order)
        elif order.context == Context.LINK:
            self._line(order)
        elif order.context in (Context.LISTEN, Context.WHISPER, Context.JOIN):
            self._spy(order)
        else:
            self._dial(order, self._debtor(order))

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        self._check_link()
        found = self.up.get(channel)
        self.redirects.append((self.clock.now(), channel, exten, found is not None and found.up))
        if found is None:
            raise ActionRefused("Channel does not exist.")
        if self._random.random() < self.deaf:
            return
        self._later(found, 0.001, _PLACES.get(context, TwinAsterisk._enter_room), self, channel, exten)

    async def mute_recording(self, channel: str, *, muted: bool) -> None:
        self._check_link()
        if channel not in self.up:
            raise ActionRefused("No such channel")
        self.muted.append((channel, muted))

    async def hang_up(self, channel: str, cause: int = 16) -> bool:
        self._check_link()
        self.hung_up.append(channel)
        return self.end(channel, cause)

    async def channels(self) -> tuple[LiveChannel, ...]:
        self._check_link()
        return tuple(
            LiveChannel(name, f"PJSIP/{name}", one.up, one.place, "s", "x", one.room, 1.0)
            for name, one in self.up.items()
        )

    async def events(self) -> AsyncIterator[Event]:
        while (event := await self._inbox.get()) is not None:
            yield event

    def health(self) -> LinkHealth:
        return LinkHealth(self.link, self.ack_ms, self._inbox.qsize())

    # -- what a test may do to it

    def close(self) -> None:
        """events() ends."""
        self._inbox.put_nowait(None)

    def cut(self) -> None:
        """The manager link goes; calls go on unseen."""
        self.link = False
        self._inbox.put_nowait(Event(Seen.LINK_DOWN, self.clock.now()))

    def join(self, booted: bool = False) -> None:
        """A new session; `booted`: Asterisk has started anew and all calls are gone."""
        if booted:
            for one in self.up.values():
                one.stop()
            self.up.clear()
        self.link = True
        self._inbox.put_nowait(Event(Seen.LINK_UP, self.clock.now()))
        if booted:
            self._inbox.put_nowait(Event(Seen.BOOTED, self.clock.now()))

    def end(self, channel: str, cause: int = 16, sip_code: int = 0) -> bool:
        """The channel hangs up."""
        gone = self.up.get(channel)
        if gone is None:
            return False
        gone.stop()
        self._leave_room(channel)
        self.up.pop(channel, None)
        if not gone.up:
            self._respond(channel, False, cause, sip_code)
        else:
            self._tell(Seen.HANGUP, channel, cause=cause, sip_code=sip_code)
        return True

    def freeze_ivr(self) -> None:
        """Nothing comes of the conversations under way, nor of new ones."""
        self.ivr_frozen = True
        for one in self.up.values():
            if one.place == Context.IVR:
                one.moves()

    def call_in(self, channel: str, key_for_agent_s: float = 0.0, patience_s: float = 20.0) -> None:
        """Somebody calls us and is in the IVR."""
        order = Order(channel, "", Context.FROM_TRUNK, "s", 0, "", ())
        one = self.up[channel] = _Channel(order, up=True)
        one.patience = asyncio.get_running_loop().call_later(patience_s, self.end, channel)
        self._ivr(channel, key_for_agent_s)

    def legs(self) -> Iterable[str]:
        """Channels of agents."""
        return [name for name, one in self.up.items() if one.order.context == Context.AGENT]

    def press(self, agent: str, key: str) -> None:
        """A service code on an agent's phone."""
        self._tell(Seen.PHONE_KEY, "phone", agent, key)

    # -- calls

    def _dial(self, order: Order, debtor: Debtor) -> None:
        channel = order.channel_id
        if not debtor.channel:
            self._call(0.001, self._tell, Seen.FAILED, channel, "", "0")
            return
        one = self.up[channel] = _Channel(order)
        self._later(one, debtor.dials_s, self._tell, Seen.DIALLED, channel)
        rings_at = debtor.dials_s * 2
        answers_at = rings_at + debtor.rings_s
        self._later(one, rings_at, self._tell, Seen.RINGING, channel)
        if debtor.answers and answers_at < order.timeout_ms / 1000:
            self._later(one, answers_at, self._answer, channel, debtor)
        elif answers_at < order.timeout_ms / 1000:
            self._later(one, answers_at, self.end, channel, *debtor.ends)
        else:
            self._later(one, order.timeout_ms / 1000, self.end, channel, 19, 480)

    def _respond(self, channel: str, success: bool, cause: int, sip_code: int) -> None:
        """Hangup and OriginateResponse come in any order."""
        told: list[Callable[[], None]] = [
            lambda: self._tell(Seen.ANSWERED if success else Seen.FAILED, channel),
            lambda: self._tell(Seen.HANGUP, channel, cause=cause, sip_code=sip_code),
        ]
        self._random.shuffle(told)
        for tell in told:
            tell()

    def _answer(self, channel: str, debtor: Debtor) -> None:
        if debtor.hangup_first:
            self.up.pop(channel).stop()
            self._tell(Seen.HANGUP, channel)
            self._tell(Seen.ANSWERED, channel)
            return
        one = self.up[channel]
        one.up = True
        for kind in self._random.sample([Seen.ANSWERED, Seen.READY], 2):
            self._tell(kind, channel)
        one.patience = asyncio.get_running_loop().call_later(debtor.patience_s, self.end, channel)
        if one.order.exten == ANSWERED_IVR:
            self._ivr(channel, debtor.key_for_agent_s)
            return
        one.place = Context.ANSWERED
        limit_s = int(one.variable(Var.CONNECT_LIMIT_MS, "2000")) / 1000
        if one.variable(Var.DETECT, "no") == "yes":
            self._later(one, 1.5, self._detected, channel, debtor, limit_s)
        else:
            self._later(one, limit_s, self._overflow, channel, debtor.key_for_agent_s)

    def _detected(self, channel: str, debtor: Debtor, limit_s: float) -> None:
        one = self.up[channel]
        self._tell(Seen.DETECTED, channel, "", debtor.detection or "human")
        if debtor.detection != "machine":
            self._later(one, limit_s, self._overflow, channel, debtor.key_for_agent_s)
        elif one.variable(Var.MACHINE, "hangup") == "message":
            one.place = Context.VOICEMAIL
            self._later(one, 4.0, self._voicemail, channel)
        else:
            self.end(channel)

    def _voicemail(self, channel: str) -> None:
        self._tell(Seen.VOICEMAIL, channel, "", "yes")
        self.end(channel)

    def _overflow(self, channel: str, key_for_agent_s: float = 0.0) -> None:
        to = self.up[channel].variable(Var.OVERFLOW, "message")
        self._tell(Seen.OVERFLOWED, channel, "", to)
        if to == "ivr":
            self._ivr(channel, key_for_agent_s)
        else:
            self._message(channel)

    def _message(self, channel: str) -> None:
        one = self.up[channel]
        one.moves()
        one.place = Context.MESSAGE
        self._tell(Seen.MESSAGE, channel)
        self._later(one, 3.0, self.end, channel)

    def _ivr(self, channel: str, key_for_agent_s: float) -> None:
        one = self.up[channel]
        one.moves()
        one.place = Context.IVR
        self._tell(Seen.IVR_BEGIN, channel)
        if self.ivr_frozen:
            return
        if key_for_agent_s:
            self._later(one, key_for_agent_s, self._wait_agent, channel)
        else:
            self._later(one, 8.0, self._ivr_done, channel)

    def _ivr_done(self, channel: str) -> None:
        self._tell(Seen.IVR_END, channel, "", "done")
        self.end(channel)

    def _wait_agent(self, channel: str) -> None:
        one = self.up[channel]
        one.place = Context.WAIT_AGENT
        self._tell(Seen.IVR_END, channel, "", "agent")
        self._tell(Seen.WANTS_AGENT, channel)
        self._later(one, float(one.variable(Var.AGENT_WAIT_S, "60")), self._message, channel)

    # -- rooms

    def _leg(self, order: Order) -> None:
        if order.exten in self.phones_off:
            self._call(0.001, self._tell, Seen.FAILED, order.channel_id, "", "0")
            return
        one = self.up[order.channel_id] = _Channel(order, place=Context.AGENT)
        self._later(one, 0.05, self._tell, Seen.DIALLED, order.channel_id)
        self._later(one, 0.2, self._leg_up, order.channel_id, order.exten)

    def _leg_up(self, channel: str, agent: str) -> None:
        one = self.up[channel]
        one.up, one.room = True, room(agent)
        self._tell(Seen.JOINED, channel, one.room)
        self._tell(Seen.ANSWERED, channel)

    def _spy(self, order: Order) -> None:
        """A supervisor's leg."""
        one = self.up[order.channel_id] = _Channel(order, place=order.context)
        self._later(one, 0.2, self._spies, order.channel_id)

    def _spies(self, channel: str) -> None:
        self.up[channel].up = True
        self._tell(Seen.ANSWERED, channel)

    def _sits_down(self, channel: str, agent: str) -> None:
        """A supervisor's leg goes into a room of its own."""
        one = self.up.get(channel)
        if one is not None and one.up:
            one.order, one.place = replace(one.order, context=Context.AGENT, exten=agent), Context.AGENT
            self._leg_up(channel, agent)

    def _spied(self, channel: str, _: str) -> None:
        """With another agent, or another way."""

    def _line(self, order: Order) -> None:
        """Between two agents' rooms; goes with either of them."""
        one = self.up[order.channel_id] = _Channel(order, up=True, place=Context.LINK)
        others = [name for name, other in self.up.items() if other.order.context == Context.AGENT]
        if {order.exten, order.channel.partition("@")[0][6:]} - {self.up[name].order.exten for name in others}:
            self._later(one, 0.001, self.end, order.channel_id)

    def _without_agent(self, agent: str) -> None:
        for name, one in list(self.up.items()):
            if one.order.context == Context.LINK and agent in (
                one.order.exten,
                one.order.channel.partition("@")[0][6:],
            ):
                self.end(name)

    def _music(self, channel: str, agent: str) -> None:
        """The customer's agent puts him on hold."""
        if self._moves(channel):
            self.up[channel].place = Context.HOLD
            self._tell(Seen.ON_HOLD, channel, room(agent))
            self._later(self.up[channel], 300.0, self._enter_room, channel, agent)

    def _taken_for_message(self, channel: str, _: str) -> None:
        if self._moves(channel):
            self._message(channel)

    def _moved_to_ivr(self, channel: str, _: str) -> None:
        if self._moves(channel):
            self._ivr(channel, 0.0)

    def _taken_for_held(self, channel: str, agent: str) -> None:
        if self._moves(channel):
            self._hold(channel, self.up[channel], room(agent))

    def _handed(self, channel: str, agent: str) -> None:
        """Into another agent's room, or back to the one before."""
        back = self.up[channel].last_room if channel in self.up else ""
        if not self._moves(channel):
            return
        if self._may_enter(agent):
            self._enter_room(channel, agent)
        else:
            self._tell(Seen.ROOM_REFUSED, channel, room(agent))
            self._later(self.up[channel], 0.5, self._enter_room, channel, back.removeprefix(room("")))

    def _moves(self, channel: str) -> bool:
        one = self.up.get(channel)
        if one is None or not one.up:
            return False
        self._leave_room(channel)
        one.moves()
        return True

    def _may_enter(self, agent: str) -> bool:
        there = [name for name, other in self.up.items() if other.room == room(agent)]
        return len(there) == 1 and self.up[there[0]].order.context == Context.AGENT

    def _enter_room(self, channel: str, agent: str) -> None:
        if not self._moves(channel):
            return
        one = self.up[channel]
        if not self._may_enter(agent):
            self._tell(Seen.ROOM_REFUSED, channel, room(agent))
            self._overflow(channel)
            return
        one.last_room = room(agent)
        one.room, one.place = room(agent), Context.ROOM
        self.talks.append((channel, agent))
        self._tell(Seen.JOINED, channel, one.room)

    def _leave_room(self, channel: str) -> None:
        one = self.up[channel]
        if not one.room:
            return
        left, one.room = one.room, ""
        self._tell(Seen.LEFT, channel, left)
        if one.order.context == Context.AGENT:
            self._without_agent(one.order.exten)
            for name, other in list(self.up.items()):
                if other.room == left:
                    other.room = ""
                    self._tell(Seen.LEFT, name, left)
                    self._hold(name, other, left)

    def _hold(self, channel: str, one: _Channel, left: str) -> None:
        one.place = Context.HELD
        self._tell(Seen.HELD, channel, left)
        self._later(one, int(one.variable(Var.GRACE_MS, "8000")) / 1000, self._overflow, channel)

    # -- time and telling

    def _check_link(self) -> None:
        if not self.link:
            raise LinkDown("the twin's link is cut")

    def _later(self, one: _Channel, after_s: float, what: Callable[..., object], *args: object) -> None:
        one.plans.append(asyncio.get_running_loop().call_later(after_s, what, *args))

    def _call(self, after_s: float, what: Callable[..., object], *args: object) -> None:
        asyncio.get_running_loop().call_later(after_s, what, *args)

    def _tell(
        self, kind: Seen, channel: str = "", where: str = "", result: str = "", cause: int = -1, sip_code: int = 0
    ) -> None:
        if not self.link or self._random.random() < self.lose:
            return
        at = self.clock.now() + (self.skew_s if kind is not Seen.LINK_UP else 0.0)
        event = Event(kind, at, channel, where, result, cause if kind is Seen.HANGUP else -1, sip_code)
        if kind is Seen.HANGUP and cause < 0:
            event = replace(event, cause=16)
        if self.late_s:
            self._call(self.late_s, self._inbox.put_nowait, event)
        else:
            self._inbox.put_nowait(event)


_PLACES: dict[str, Callable[[TwinAsterisk, str, str], None]] = {
    Context.HOLD: TwinAsterisk._music,
    Context.HAND_OVER: TwinAsterisk._handed,
    Context.IVR: TwinAsterisk._moved_to_ivr,
    Context.HELD: TwinAsterisk._taken_for_held,
    Context.MESSAGE: TwinAsterisk._taken_for_message,
    Context.AGENT: TwinAsterisk._sits_down,
    Context.LISTEN: TwinAsterisk._spied,
    Context.WHISPER: TwinAsterisk._spied,
    Context.JOIN: TwinAsterisk._spied,
}

ids = count(1)


def new_id(at: float) -> str:
    """Attempt ids in order."""
    return f"{next(ids):026d}"
