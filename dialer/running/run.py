"""One campaign as its leader runs it: floor, pacer, list, lease; asks for nothing but ports."""

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import tzinfo
from math import inf

from dialer.debts.plans import LimitsOf, none_offered
from dialer.debts.promises import of_outcome
from dialer.desk.offers import Offers
from dialer.errors import BadInput
from dialer.floor.actions import Action
from dialer.floor.callbacks import agents_wanted, keep_again, next_due, on_list, own_agents
from dialer.floor.desknote import DeskNote, desk_note
from dialer.floor.floor import Floor
from dialer.floor.live import Share, board, foretold, shift_end, snapshot
from dialer.floor.tally import Tally
from dialer.floor.trunks import Breaker
from dialer.forecast import Forecast
from dialer.law import schedule
from dialer.law.abandon import Abandons, Fate
from dialer.law.rulebook import Pack
from dialer.lists.given import NumberOf, given, unread, with_given, with_language
from dialer.lists.outlook import outlook
from dialer.lists.past import Past
from dialer.lists.recycling import recycle
from dialer.model import (
    INBOUND,
    Agent,
    Attempt,
    CallState,
    Campaign,
    Contact,
    Fact,
    Kind,
    Mode,
    Number,
    Outcome,
    Status,
    Verdict,
)
from dialer.originate import timeout_s
from dialer.outcomes import verdict
from dialer.pace.ahead import Ahead, zone
from dialer.pace.room import Bucket
from dialer.pace.series import Series
from dialer.pacing import Counters, Decision, Limits, Pacer, PacingEvent
from dialer.ports import Finish, Lease, Leased, LinkHealth, Store, StreamSize, always
from dialer.running.correcting import correct
from dialer.running.placing import Placer, Ready, Refusal
from dialer.running.writing import WriteBehind
from dialer.stream import record

ACK_LIMIT_MS = 1000.0
LAG_LIMIT_S = 1.0
BACKLOG_LIMIT = 5000
NOTHING = Decision(0, (), "No calls: just started", {})
# What tells whether a person answers this number; the others are ours, the trunk's or the network's.
TELLING = frozenset(Outcome) - {
    Outcome.CONGESTION, Outcome.NETWORK_FAULT, Outcome.TRUNK_DOWN, Outcome.INTERRUPTED, Outcome.NOT_PLACED
}  # fmt: skip
SHOWN = (
    "name", "kind", "mode", "ratio", "lines_max", "lines_per_agent_max", "calls_per_second", "abandon_rate_max",
    "ring_s", "wrap_up_max_s", "shift_ends", "overflow",
)  # fmt: skip
ENDED_RINGING = "no_agent_free"  # Attempt.cancelled, and the outcome's reason
_FATES = {"connect": Fate.SERVED, "served": Fate.SERVED, "overflow": Fate.OVERFLOWED} | {
    "abandon": Fate.ABANDONED, "hung_up": Fate.HUNG_UP
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trunk:
    """A way out: `dial` is the template of the dial string; `lines`, `calls_per_second` are the carrier's limits;
    `attempt_header` is the SIP header that carries our attempt id to it, if any.
    """

    name: str
    node: str
    dial: str
    lines: int
    calls_per_second: float
    attempt_header: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """What an engine is given: its name, the trunks, and how to read a campaign's rule pack (raises ConfigError)."""

    engine: str
    trunks: Mapping[str, Trunk]
    pack_of: Callable[[Campaign], Pack]
    new_id: Callable[[float], str]
    ivr: str = ""  # where Asterisk finds the IVR, host:port; empty: nobody looks at its heartbeat
    number_of: NumberOf = unread
    limits_of: LimitsOf = none_offered


@dataclass(slots=True)
class Seen:
    """What the engine measured last: seconds a ping of the store took, age of the oldest unwritten change."""

    store_ping_s: float = 0.0
    write_lag_s: float = 0.0
    store_error: str = ""
    ivr: str = ""  # why nobody may be called whom the IVR is to serve


@dataclass(slots=True, eq=False)
class Run:
    """State of one led campaign. `lease_until` is on the monotonic clock."""

    campaign: Campaign
    status: Status
    token: int
    lease_until: float
    trunk: Trunk
    pack: Pack
    phone: Leased
    store: Store
    new_id: Callable[[float], str]
    number_of: NumberOf = unread
    floor: Floor = field(init=False)
    pacer: Pacer = field(init=False)
    forecast: Forecast = field(init=False)
    ahead: Ahead = field(init=False)
    placer: Placer = field(init=False)
    abandons: Abandons = field(init=False)
    tally: Tally = field(init=False)
    breaker: Breaker = field(default_factory=Breaker)
    share: Share = field(init=False)
    decision: Decision = NOTHING
    series: Series = field(default_factory=Series)
    writes: WriteBehind = field(init=False)
    contacts: dict[str, Contact] = field(default_factory=dict)  # by attempt
    lived: set[str] = field(default_factory=set)  # attempts whose answer the forecast has heard of
    due: int = 0
    later: int = 0
    placing: bool = False
    linked_at: float = 0.0  # when the manager session began; what was before may have been missed
    reconciled: bool = False  # what Asterisk holds has been compared with our books since the link came up
    looked_at: float = -inf  # monotonic: when it was last compared
    kept_up_at: float = -inf  # monotonic: last upkeep of its streams, and when they were trimmed
    trimmed_at: float = -inf
    streams: Mapping[str, StreamSize] = field(default_factory=dict)
    draining: bool = False
    leaves_at: float = inf  # monotonic: handed over to another engine then at the latest
    renewing: bool = False  # Redis is being asked for the lease
    resigned: bool = False
    led: Lease = always  # whether the lease still holds
    trouble: str = ""  # why its settings forbid new calls
    sweeps: int = 0  # looks at the store still to be taken for claims whose answer was lost
    doubted: dict[str, Attempt] = field(default_factory=dict)  # whom those claims may have left locked
    answers: dict[str, tuple[bool, str]] = field(default_factory=dict)  # of commands applied, until they are told
    status_changes: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    sequence: int = 0
    notes: int = 0  # told to desks so far
    offers: Offers = field(default_factory=Offers)
    by_hand: Bucket = field(default_factory=Bucket)  # calls per second that agents start
    recalls: bool = False  # its schedule has changed: who rests for it is to be asked about again
    under_way: set[str] = field(default_factory=set)  # commands that take longer than a turn

    def __post_init__(self) -> None:
        self.floor = Floor(self.campaign, self.trunk.node, self.new_id, self._told)
        self.floor.contact_of = self.contacts.get
        self.pacer = Pacer(self._limits(), seed=1)
        self.forecast = Forecast()
        self.ahead = Ahead(self.store, self.campaign.id, self.forecast, self.pack.zones[0])
        self.ahead.apart = self.campaign.kind is Kind.AGENTS
        self.tally = Tally(self.pack.zones[0])
        self.ahead.held = self.offers.held
        self.placer = self._placer()
        self.abandons = Abandons(overflow_counts=self.pack.overflow_counts)
        self.share = Share(self.trunk.lines, self.trunk.calls_per_second)
        self.writes = WriteBehind(self.store, self.campaign.id, self.token)

    def _limits(self) -> Limits:
        limits = Limits.of(self.campaign, self.pack.abandon_window, self.pack.overflow_counts)
        return replace(limits, ring_min_s=float(self.pack.ring_min_s), end_ringing=True)

    def _placer(self) -> Placer:
        return Placer(
            self.store,
            self.campaign,
            self.pack,
            self.trunk.node,
            self.new_id,
            self.ahead,
            self.tally.refused,
            lambda: self.led(),
            lambda attempts: self.doubted.update((one.id, one) for one in attempts),
        )

    def change(self, campaign: Campaign, trunk: Trunk, pack: Pack) -> str:
        """Take new settings over; or why they have to wait, and new calls with them."""
        if trunk.node != self.trunk.node and self.floor.attempts:
            return "its trunk is on another Asterisk now: its calls have to end first"
        plan = (campaign.kind, campaign.detection)
        if plan != (self.campaign.kind, self.campaign.detection) and self.floor.has_unanswered():
            return "its new settings wait for the calls under way"
        if trunk.node != self.trunk.node:
            return "its trunk is on another Asterisk now: restart the engine"
        self.campaign, self.trunk, self.pack = campaign, trunk, pack
        self.floor.campaign = campaign
        self.pacer.limits = self._limits()
        self.ahead.zone, self.ahead.apart = pack.zones[0], campaign.kind is Kind.AGENTS
        self.tally.zone = pack.zones[0]
        self.placer = self._placer()
        kept = self.abandons.dump()
        self.abandons = Abandons(overflow_counts=pack.overflow_counts)
        self.abandons.load(kept)
        return ""

    def bars(self, now: float, monotonic: float, must_start_by: float) -> str:
        """Why a claimed attempt may not be placed after all; empty: it may."""
        if monotonic >= self.lease_until:
            return "lease"
        if self.status is not Status.RUNNING or self.draining:
            return "stopped"
        if not self.phone.health().up:
            return "link"
        return "too late" if now > must_start_by else ""

    def _told(self, kind: str, attempt: str, agent: str, at: float) -> None:
        if kind in _FATES:
            self.abandons.add(at, _FATES[kind])
        told = "abandon" if kind == "hung_up" else kind
        chance = foretold(self.floor.attempts[attempt]) if kind == "launch" else None
        self.pacer.observe(PacingEvent(at, told, attempt or None, agent or None, chance))
        if kind == "live":
            self._answered(self.floor.attempts[attempt])

    def holds(self, now: float, monotonic: float, health: LinkHealth, seen: Seen) -> tuple[str, ...]:
        """Every reason why no call may start now, as sentences."""
        pause, off_duty = self.breaker.hold(now), schedule.hold(self.pack, now)
        found = {
            f"the campaign is {self.status}": self.status is not Status.RUNNING,
            "another engine may lead: the lease has run out": monotonic >= self.lease_until,
            "Asterisk cannot be reached": not health.up,
            "Asterisk's calls are being compared with our books": health.up and not self.reconciled,
            f"Asterisk is slow: acks take {health.ack_p99_ms:.0f} ms": health.ack_p99_ms > ACK_LIMIT_MS,
            f"{health.backlog} events of Asterisk wait to be read": health.backlog > BACKLOG_LIMIT,
            f"Redis fails: {seen.store_error}": bool(seen.store_error),
            f"Redis is slow: {seen.store_ping_s:.1f} s": seen.store_ping_s > LAG_LIMIT_S,
            f"outcomes lag {seen.write_lag_s:.1f} s behind": seen.write_lag_s > LAG_LIMIT_S,
            seen.ivr: bool(seen.ivr) and self.campaign.kind is Kind.IVR,
            pause: bool(pause),
            self.trouble: bool(self.trouble),
            self._leaving(monotonic): self.draining,
            off_duty: bool(off_duty),
            self.no_contact(): not self.due,
        }
        return tuple(why for why, holds in found.items() if holds)

    @property
    def idle(self) -> bool:
        """Nothing is under way, and all is written."""
        return not (self.floor.attempts or self.placing or self.under_way or self.writes)

    def _leaving(self, monotonic: float) -> str:
        left = f"draining: {len(self.floor.attempts)} calls are left"
        return left if self.leaves_at == inf else f"{left}, for {max(0.0, self.leaves_at - monotonic):.0f} s at most"

    def no_contact(self) -> str:
        """The hold that is none for those whom an agent calls himself."""
        return f"nobody may be called now, {self.later} later" if self.later else "the list is empty"

    def wants_look(self, at: float) -> bool:
        """Whether it is time for a look at the list: for the pacer, for call-backs, or for what a second may start."""
        looks = self.status is Status.RUNNING and not self.draining and not self.placing and self.due > 0
        looks = looks and not schedule.hold(self.pack, at)  # nobody need be set aside
        return looks and self.ahead.runs_low(math.ceil(self.share.calls_per_second), at)

    def call_backs(self, at: float, holds: tuple[str, ...]) -> tuple[list[Ready], list[Refusal], list[Action]]:
        """Call-backs to be placed now, an agent reserved for each; those that may not be; what follows."""
        waiting, team = self.ahead.call_backs, self.floor.team
        self.floor.spared = own_agents(waiting.values())
        ready: list[Ready] = []
        refusals: list[Refusal] = []
        actions = keep_again(self.floor, at)
        if set(holds) - {self.no_contact()} or self.draining or not waiting:
            return ready, refusals, actions
        lines = min(self.campaign.lines_max, self.share.lines) - self.floor.lines()
        while len(ready) < lines and (due := next_due(self.floor, list(waiting.values()), at)) is not None:
            contact, agent = due
            del waiting[contact.id]
            asked = self.placer.call_back(contact, at, refusals)
            if asked is not None:
                actions += team.promise(agent, asked.attempt.id, at)
                ready.append(asked)
        return ready, refusals, actions

    def decide(self, at: float, holds: tuple[str, ...]) -> Decision:
        """Ask the pacer."""
        rate = self.abandons.rate(self.pack.abandon_window, at)
        draining = self.draining or self.status is Status.STOPPED
        ahead = self.ahead.candidates(at) if self.campaign.mode is Mode.PREDICTIVE else ()
        wanted = agents_wanted(self.floor, self.ahead.call_backs.values(), at)
        seen = snapshot(self.floor, at, self.share, holds, draining, ahead, wanted)
        where = self.pack.zones[0]
        ends_at = shift_end(schedule.shift_ends(self.campaign, where, at), where, at)
        seen = replace(seen, counters=Counters(rate.live, rate.counted), ends_at=ends_at)
        self.decision = self.pacer.decide(seen)
        return self.decision

    def may_end(self, attempt_id: str, at: float, monotonic: float) -> bool:
        """Whether a ringing call may be ended as the pacer wants: we would know of an answer; it rang long enough."""
        one = self.floor.attempts.get(attempt_id)
        if one is None or not self.reconciled or monotonic >= self.lease_until:
            return False
        rings = one.state is CallState.RINGING and not one.answered_at and not one.cancelled
        return rings and 0.0 < one.ringing_at <= at - self.pack.ring_min_s

    def finish(self, attempt: Attempt, facts: tuple[Fact, ...], contact: Contact | None, at: float) -> Finish:
        """Judge an attempt that is over."""
        judged: Verdict = verdict(attempt, facts, self.campaign, at)
        self.breaker.saw(judged, at)
        self.outcomes[judged.outcome] = self.outcomes.get(judged.outcome, 0) + 1
        self.tally.ended(attempt, judged, facts, at, contact.currency if contact is not None else "IDR")
        number = self._learnt(attempt, judged)
        kept = None
        numbers = given(contact, attempt, facts, judged, self.number_of, at)
        if contact is not None:
            days = outlook(contact, self.pack, timeout_s(self.campaign), self.forecast)
            known = with_language(with_given(_with(contact, number), numbers), facts)
            kept, judged = recycle(self.campaign, known, attempt, judged, at, days)
        told = record(attempt, judged, facts, contact, self.campaign, numbers)
        if kept is not None and kept.callback_at and self.ahead.apart:
            judged = replace(judged, retry_at=on_list(judged.retry_at, at))
        promise = of_outcome(attempt, contact, told, self.campaign)
        return Finish(attempt, judged, told, kept, promise, any(one.number for one in numbers))

    def correct(
        self,
        told: Mapping[str, str],
        disposition: str,
        facts: tuple[Fact, ...],
        contact: Contact | None,
        by: str,
        at: float,
    ) -> tuple[Mapping[str, str], Finish] | None:
        """Judge once more what is over, by another result. None: nothing changes."""
        days = outlook(contact, self.pack, timeout_s(self.campaign), self.forecast) if contact else None
        found = correct(told, disposition, facts, contact, self.campaign, days, by, at)
        if found is None:
            return None
        promise = of_outcome(found.attempt, contact, found.record, self.campaign)
        return found.entry, Finish(found.attempt, found.verdict, found.record, found.contact, promise)

    def _answered(self, attempt: Attempt) -> None:
        """The forecast hears of an answer at once: after the talk it would think of the meanwhile that nobody does."""
        if attempt.kind != INBOUND:
            self.lived.add(attempt.id)
            self.forecast.learn(Past.parse(attempt.number.past), attempt.claimed_at, self._where(attempt), True)

    def _learnt(self, attempt: Attempt, judged: Verdict) -> Number:
        """The number with what this attempt tells of it; the forecast learns the same."""
        is_told = attempt.id in self.lived
        self.lived.discard(attempt.id)
        if attempt.kind == INBOUND or not judged.count or judged.outcome not in TELLING:
            return attempt.number
        past, where = Past.parse(attempt.number.past), self._where(attempt)
        if is_told:
            after = past.after(attempt.claimed_at, judged.live, where)
        else:
            after = self.forecast.learn(past, attempt.claimed_at, where, judged.live)
        return replace(attempt.number, past=after.text)

    def _where(self, attempt: Attempt) -> tzinfo:
        """The debtor's zone: his clock decides which hour it is."""
        return zone(attempt.zone, self.pack.zones[0])

    def note(self, agent: Agent, at: float) -> DeskNote:
        """What his desk is told now."""
        self.notes += 1
        attempt, kept_for = self.floor.attempts.get(agent.attempt), self.floor.moves.kept.get(agent.attempt, "")
        monitored = self.floor.spies.monitored(agent.id, self.campaign.silent_monitoring)
        return desk_note(agent, attempt, self.campaign, at, self.token, self.notes, kept_for, monitored)

    def board(self, at: float, holds: tuple[str, ...], node: str, health: LinkHealth) -> bytes:
        """The live snapshot, numbered, as JSON; `kept` is what a successor needs."""
        self.sequence += 1
        figures = {
            "sequence": self.sequence,
            "status": self.status.value,
            "due": self.due,
            "later": self.later,
            "holds": holds,
            "node": {"name": node, "up": health.up, "ack_p99_ms": health.ack_p99_ms, "backlog": health.backlog},
            "share": {"lines": self.share.lines, "calls_per_second": self.share.calls_per_second},
            "outcomes": self.outcomes,
            "streams": {name: asdict(size) for name, size in self.streams.items()},
            "pack": self.pack.label,
            "window": self.pack.abandon_window.value,
            "trunk": self.breaker.shown(at) | {"name": self.trunk.name, "lines": self.trunk.lines},
            "settings": {name: getattr(self.campaign, name) for name in SHOWN},
            "day": self._day(at),
            "kept": self.abandons.dump() | {"forecast": self.forecast.dump(), "tally": self.tally.dump()},
        }
        return json.dumps(board(self.floor, at, self.decision, self.abandons, figures)).encode()

    def _day(self, at: float) -> dict[str, object]:
        self.tally.saw(self.floor.team.agents.values(), at)
        return self.tally.shown(at)

    def take_over(self, published: bytes | None) -> None:
        """Go on with what the last leader had counted."""
        if published:
            kept = json.loads(published)
            self._load_forecast(kept.get("kept", {}).get("forecast"))
            self._load_day(kept.get("kept", {}).get("tally"))
            self.abandons.load(kept.get("kept", {}))
            self.outcomes = dict(kept.get("outcomes", {}))
            self.sequence = int(kept.get("sequence", 0))

    def _load_day(self, kept: object) -> None:
        """Only people look at it."""
        if isinstance(kept, dict):
            with suppress(BadInput):
                self.tally.load(kept)

    def _load_forecast(self, kept: object) -> None:
        """Without it the forecast learns anew within a few hundred calls: no reason to lose the counts."""
        if isinstance(kept, dict):
            with suppress(BadInput):
                self.forecast.load(kept)


def _with(contact: Contact, number: Number) -> Contact:
    """With what the last attempt told of this number."""
    return replace(contact, numbers=tuple(number if one.key == number.key else one for one in contact.numbers))
