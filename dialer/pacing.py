"""3/8 pace: how many calls to start now. Snapshot -> Decision(start, end, reason, numbers).

The pacer learns from `observe`d events and decides on a frozen `Snapshot`: no I/O, no clock, deterministic for a seed.
Any simulator may drive it by the words of `dialer.pace.snapshot`; plain strings do wherever a StrEnum stands.

Predictive: for each further call the chance that it turns live when no agent is free, from the hazards learnt
(`dialer.pace.lookout`); calls start while that chance is worth its price; the price follows the abandon rate (dual
ascent) and falls as the budget of the law's window runs out, where every mode becomes progressive.
"""

import math

import numpy as np

from dialer.law.abandon import Abandons, Fate, Rate, budget
from dialer.model import Mode
from dialer.pace.lookout import FATES, Forecast, Grouped, Lookout
from dialer.pace.price import PRICE_CAREFUL, Price, Recent
from dialer.pace.room import Bucket, Room
from dialer.pace.snapshot import (
    AgentSeen,
    AttemptSeen,
    Candidate,
    Counters,
    Decision,
    Flight,
    Kind,
    Limits,
    PacingEvent,
    Snapshot,
    Working,
)
from dialer.pace.sums import excess, scaled, sum_at_least

__all__ = [
    "AgentSeen",
    "AttemptSeen",
    "Candidate",
    "Counters",
    "Decision",
    "Flight",
    "Kind",
    "Limits",
    "Pacer",
    "PacingEvent",
    "Snapshot",
    "Working",
]


class Pacer:
    """Decides for one campaign. `limits` may be replaced at any time; what was learnt stays."""

    def __init__(self, limits: Limits, seed: int = 0) -> None:
        self.limits = limits
        self._seed = seed  # nothing is drawn by chance yet; the interface promises it
        self._bucket = Bucket()
        self._abandons: Abandons | None = None
        self._lookout = Lookout()
        self._price = Price()
        self._recent = Recent()

    def observe(self, event: PacingEvent) -> None:
        """Learn from one event. Events may be missing, late or doubled; an unknown kind is ignored."""
        self._lookout.observe(event)
        fate = FATES.get(event.kind)
        if fate is not None and self._lookout.settles(event):
            if self._abandons is None:
                self._abandons = Abandons(event.at, overflow_counts=self.limits.overflow_counts)
            self._abandons.add(event.at, fate)
            abandoned = fate is Fate.ABANDONED or (fate is Fate.OVERFLOWED and self.limits.overflow_counts)
            self._price.steer()
            self._recent.add(event.at, abandoned)

    def decide(self, snapshot: Snapshot) -> Decision:
        """How many calls to start now; takes them out of the calls per second, so call it only to act on it."""
        grouped = Grouped.of(snapshot)
        room = Room.of(snapshot, grouped, self.limits)
        numbers = room.numbers()
        self._bucket.refill(snapshot.at, room.calls_per_second)
        self._recent.seen(snapshot.at, room.working)
        stop = self._stop(snapshot, room)
        if stop:
            end = self._drained(grouped, room) if snapshot.draining or not room.working else ()
            return Decision(0, end, _sentence(0, stop, "", self.limits.mode), numbers)
        wanted, end, why = self._wanted(snapshot, grouped, room, numbers)
        start, cut = self._capped(wanted, room)
        numbers["wanted"], numbers["start"] = float(wanted), float(start)
        self._bucket.take(start)
        return Decision(start, end, _sentence(start, why, cut, self.limits.mode), numbers)

    @property
    def _goal(self) -> float:
        """The abandon rate that the price steers to."""
        return min(self.limits.target or self.limits.abandon_rate_max, self.limits.abandon_rate_max)

    def _counters(self, snapshot: Snapshot) -> Counters:
        if snapshot.counters is not None:
            return snapshot.counters
        rate = self._abandons.rate(self.limits.window, snapshot.at) if self._abandons else Rate()
        return Counters(rate.live, rate.counted)

    def _wanted(
        self, snapshot: Snapshot, grouped: Grouped, room: Room, numbers: dict[str, float]
    ) -> tuple[int, tuple[str, ...], str]:
        """Calls wanted before the caps, ringing ones to end, and why. Over the limit every mode is progressive."""
        mode = self.limits.mode
        if mode is Mode.IVR:
            return room.lines_left, (), f"{room.lines_used} of {room.lines} lines in use"
        progressive = room.free - room.in_flight
        seen = f"{_agents(room.free)} free, {room.in_flight} under way"
        if mode is Mode.PREVIEW:
            return progressive, (), seen
        counters = self._counters(snapshot)
        left = budget(counters.abandoned, counters.live, self.limits.abandon_rate_max) + 1e-9
        left -= max(0, room.waiting - room.free)  # nobody is there for these
        numbers |= {"live": float(counters.live), "abandoned": float(counters.abandoned), "budget": left}
        if mode is Mode.PROGRESSIVE:
            return progressive, (), seen
        if snapshot.ends_at is not None and snapshot.ends_at - snapshot.at < _END_NEAR * self._lookout.latest_s:
            return progressive, (), f"{seen}, one call per free agent because the shift ends soon"
        careful = mode is Mode.PREDICTIVE and not self._lookout.cold and (left >= 0.0 or room.working >= _CAREFUL_FROM)
        if left < 1.0 and not careful:
            return progressive, (), f"{seen}, one call per free agent because {_no_budget(counters, self.limits)}"
        if mode is Mode.RATIO:
            ratio = self.limits.ratio
            return math.floor(ratio * room.free) - room.in_flight, (), f"{seen}, {ratio:g} lines each"
        if self._lookout.cold:
            return progressive, (), f"{seen}, one call per free agent until enough answers were seen"
        told = [one.answer_probability for one in snapshot.candidates[:_LOOKED_AT]]
        most = min(self._bucket.whole(), room.lines_left, room.per_agent_left)
        chances = self._lookout.forecast(grouped, self.limits.connect_limit_s, told)
        predicted = self._predict(chances, room, counters, max(0, most), snapshot.at, numbers)
        numbers |= self._lookout.gained(told[: max(1, min(predicted, most))])
        end = self._in_vain(grouped, chances, room, numbers["price"]) if self.limits.end_ringing else ()
        soon = chances.free_soon
        rate = self._lookout.answers.rate
        why = f"{_agents(room.free)} free and {soon:.1f} soon, {room.in_flight} under way, answer rate {rate:.0%}"
        careful_why = f"careful because {_no_budget(counters, self.limits)}"
        hand = f"{_abandons(math.floor(left))} left in the budget" if left >= 1.0 else careful_why
        return max(progressive, predicted), end, f"{why}, {hand}"

    def _predict(
        self, forecast: Forecast, room: Room, counters: Counters, most: int, at: float, numbers: dict[str, float]
    ) -> int:
        """Calls worth their chance to be abandoned; more than `most`: cut by a cap."""
        needed = room.free + forecast.busy - room.waiting
        left = budget(counters.abandoned, counters.live, self._goal)
        bearable = max(_STORM_LEAST, left - _STORM_KEPT)
        left -= max(float(excess(forecast.chances, needed)[0]), room.waiting - room.free)
        ease = self._recent.ease(at, room.working, self._goal)
        price = max(PRICE_CAREFUL, ease * self._price.at(left, room.working, room.free, forecast.free_soon))
        chances = sum_at_least(forecast.chances, forecast.new, needed, most, price, forecast.calls, forecast.unsure)
        numbers |= {
            "answer_rate": self._lookout.answers.rate,
            "free_soon": forecast.free_soon,
            "live_soon": forecast.live_soon,
            "price": price,
            "abandon_chance": float(chances[0]),
        }
        wanted = int(np.searchsorted(chances, price, side="right"))
        return min(wanted, _in_a_storm(forecast, needed, min(wanted, most), bearable)) if wanted > 0 else 0

    def _stop(self, seen: Snapshot, room: Room) -> str:
        """Why no call may start at all, or nothing."""
        mode = self.limits.mode
        if seen.holds:
            return "; ".join(seen.holds)
        if seen.draining:
            return "the shift ends"
        if mode is not Mode.IVR and room.working == 0:
            return "no agent is working"
        left = math.inf if seen.ends_at is None else seen.ends_at - seen.at
        if mode not in (Mode.IVR, Mode.PREVIEW) and left < self._lookout.latest_s:
            return f"the shift ends in {max(0.0, left):.0f} s, and a call of now may be answered after that"
        return ""

    def _drained(self, grouped: Grouped, room: Room) -> tuple[str, ...]:
        """Ringing calls, the oldest first, that are more than the agents who are free: no others will be."""
        if not self.limits.end_ringing or self.limits.mode in (Mode.IVR, Mode.PREVIEW):
            return ()
        ages = grouped.flight_ages(Flight.RINGING)
        oldest = np.argsort(-ages)[: max(0, room.in_flight - room.free)]
        return tuple(grouped.ringing[index] for index in oldest if ages[index] >= self.limits.ring_min_s)

    def _in_vain(self, grouped: Grouped, forecast: Forecast, room: Room, price: float) -> tuple[str, ...]:
        """Ringing calls to be ended, the oldest first, until those that are left are worth their risk."""
        ages = grouped.flight_ages(Flight.RINGING)
        kept = np.ones(len(forecast.chances), dtype=np.bool_)
        first = len(grouped.flights[Flight.DIALING])
        needed = room.free + forecast.busy - room.waiting
        end: list[str] = []
        for index in np.argsort(-ages)[:_END_MOST]:
            if ages[index] < self.limits.ring_min_s:
                break
            if sum_at_least(forecast.chances[kept], forecast.new, needed, 0)[0] <= _END_CARE * price:
                break
            kept[first + index] = False
            end.append(grouped.ringing[index])
        return tuple(end)

    def _capped(self, wanted: int, room: Room) -> tuple[int, str]:
        limits = self.limits
        caps = [(self._bucket.whole(), f"{room.calls_per_second:g} calls per second")]
        caps.append((room.lines_left, f"{room.lines} lines"))
        if limits.mode is not Mode.IVR:
            caps.append((room.per_agent_left, f"{limits.lines_per_agent_max:g} lines per agent"))
        start, cut = max(0, wanted), ""
        for cap, name in caps:
            if start > max(0, cap):
                start, cut = max(0, cap), name
        return start, cut


_STORM_KEPT, _STORM_LEAST = 2.0, 0.5  # abandons that a storm may not take; those it always may
_END_NEAR = 3.0  # times the age of the latest answers: from then on the end of the shift is near
_END_MOST, _END_CARE = 8, 1.5  # calls ended in one decision, and the price from which they are
_LOOKED_AT = 60  # candidates whose forecasts are read
# a team so large learns nothing of itself by one abandon: it stays careful even beyond the limit
_CAREFUL_FROM = 20


def _in_a_storm(forecast: Forecast, needed: int, most: int, bearable: float) -> int:
    """Calls, at most `most`, of which an answer storm makes no more abandons than can be borne; all: one above."""
    calm = forecast.chances[: forecast.calls]
    new = np.atleast_2d(forecast.new).max(axis=0)
    lives = forecast.storm * (calm.sum(axis=0) + most * new)  # at the most
    still = forecast.chances[forecast.calls :].sum(axis=0)
    over = np.maximum(0.0, lives + still - needed) + 0.4 * np.sqrt(lives + forecast.busy - still)
    if over.max() <= bearable:
        return most + 1
    storm = scaled(calm, forecast.storm)
    chances = np.concatenate([storm, forecast.chances[forecast.calls :]])
    more = excess(chances, needed, scaled(forecast.new, forecast.storm), most)[1:]
    calls = int(np.searchsorted(more, bearable, side="right"))
    return calls + (calls == most)


def _no_budget(counters: Counters, limits: Limits) -> str:
    if counters.live == 0:
        return "nobody has answered yet"
    limit = f"the limit of {limits.abandon_rate_max:.1%}"
    return f"one more abandon would pass {limit} ({counters.abandoned} of {counters.live} answers)"


def _abandons(count: int) -> str:
    return "1 abandon" if count == 1 else f"{count} abandons"


def _agents(count: int) -> str:
    return "1 agent" if count == 1 else f"{count} agents"


def _sentence(start: int, why: str, cut: str, mode: Mode) -> str:
    what, more = ("account", " to offer") if mode is Mode.PREVIEW else ("call", "")
    calls = f"No {what}s" if start == 0 else f"1 {what}" if start == 1 else f"{start} {what}s"
    return f"{calls}{more}: {why}" + (f"; held to {cut}" if cut else "")
