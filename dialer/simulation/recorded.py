"""A campaign's recorded outcomes as a world: the same calls, one by one, under another pacer or with another team.

Every attempt keeps its own fate, post-dial delay, answer and detection delay, talk and wrap-up; one that was abandoned
gets a talk drawn from the recorded ones. When a replay needs more calls than were made, it draws from them again.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf
from statistics import median

import numpy as np

from dialer.errors import BadInput
from dialer.model import Contact, History, Number, Outcome
from dialer.simulation.leads import Fate
from dialer.simulation.scenario import STEADY, Scenario
from dialer.simulation.team import Day
from dialer.snapshot import Kind
from dialer.stream import CORRECTABLE, Type, read

NEEDED_CALLS, NEEDED_TALKS = 30, 10
REPLAYED = frozenset({"predictive", "progressive", "ratio", "preview"})  # kinds of attempts that a pacer starts
BREAK_S = 300.0  # an agent without a call for so long, and for far longer than usual, was on a break
EARLY_S = 120.0  # who has his first call so soon after the start was there from the start
LONGEST_S = 6 * 3600.0  # a longer step is a mistake of a clock
SPARE = 1.5  # times the calls that a team that is never idle would need
_UNTOUCHED = frozenset({Outcome.NOT_PLACED, Outcome.INTERRUPTED})  # nobody knows what would have become of them


@dataclass(frozen=True, slots=True)
class Heard:
    """One recorded attempt. `at`: epoch second of its start; `ended_at`: of its end, wrap-up included."""

    at: float
    ended_at: float
    fate: Fate
    agent: str = ""
    abandoned: bool = False
    joined_at: float = 0.0
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Recording:
    """What a stream holds of one campaign; attempts in order. `skipped`: entries of no use, by why."""

    campaign: str
    heard: tuple[Heard, ...]
    skipped: Mapping[str, int]

    @property
    def begin(self) -> float:
        return self.heard[0].at

    @property
    def seconds(self) -> float:
        """From the first call's start to the last one's."""
        return max(60.0, self.heard[-1].at - self.begin)

    @property
    def talks(self) -> list[Heard]:
        """Those that an agent had."""
        return [one for one in self.heard if one.agent]


# ---- reading


def parse(lines: Iterable[str]) -> Iterator[Mapping[str, str]]:
    """Entries of a file of JSON lines; what is none comes as an empty one."""
    for line in lines:
        if line.strip():
            try:
                found = json.loads(line)
            except ValueError:
                found = {}
            yield _flat(found) if isinstance(found, dict) else {}


def _flat(entry: Mapping[str, object]) -> Mapping[str, str]:
    """As Redis has it; a program in between may have made numbers and flags of the strings."""
    words = {None: "", True: "1", False: "0"}
    return {
        str(name): words[value] if value is None or isinstance(value, bool) else str(value)
        for name, value in entry.items()
    }


def recording(records: Iterable[Mapping[str, str]], campaign: str = "") -> Recording:
    """The attempts of one campaign; refused where there are too few, or several campaigns and none named."""
    skipped: Counter[str] = Counter()
    attempts: dict[str, dict[str, object]] = {}
    corrections: list[tuple[str, Mapping[str, object]]] = []
    campaigns: Counter[str] = Counter()
    for record in records:
        try:
            entry = read(record)
        except BadInput:
            skipped["not an entry of an outcome stream"] += 1
            continue
        whose = str(entry.values.get("campaign") or "")
        if entry.type is Type.REFUSAL or (campaign and whose != campaign):
            skipped["of another kind or campaign"] += 1
        elif entry.type is Type.CORRECTION:
            corrections.append((str(entry.values["attempt"]), entry.values))
        elif not (entry.values.get("attempt") and whose):
            skipped["not an entry of an outcome stream"] += 1
        else:
            campaigns[whose] += str(entry.values["attempt"]) not in attempts
            attempts[str(entry.values["attempt"])] = dict(entry.values)
    if len(campaigns) > 1:
        told = ", ".join(f"{name} ({count} calls)" for name, count in campaigns.most_common())
        raise BadInput(f"These are outcomes of several campaigns: {told}. Name one with --campaign.")
    for attempt, values in corrections:
        if attempt in attempts:
            attempts[attempt] |= {name: value for name, value in values.items() if name in CORRECTABLE}
    heard = []
    for values in attempts.values():
        found = _heard(values)
        if isinstance(found, Heard):
            heard.append(found)
        else:
            skipped[found] += 1
    heard.sort(key=lambda one: one.at)
    of_one = Recording(next(iter(campaigns), campaign), tuple(heard), dict(skipped))
    _enough(of_one)
    return of_one


def _enough(found: Recording) -> None:
    if len(found.heard) >= NEEDED_CALLS and len(found.talks) >= NEEDED_TALKS:
        return
    left_out = "; ".join(f"{count} {why}" for why, count in found.skipped.items())
    raise BadInput(
        f"{len(found.heard)} calls with {len(found.talks)} talks can be used"
        + (f" (left out: {left_out})" if left_out else "")
        + f"; a replay needs at least {NEEDED_CALLS} calls with {NEEDED_TALKS} talks. Let the campaign run on, or read"
        " more of its stream: dialer outcomes CAMPAIGN --json --count 100000"
    )


def _heard(values: Mapping[str, object]) -> Heard | str:
    """One attempt; or why it is of no use."""
    if values.get("direction") == "in" or values.get("kind") not in REPLAYED:
        return "that no pacer started"
    if values.get("outcome") is None or values["outcome"] in _UNTOUCHED:
        return "whose fate is not known"
    placed, ended = _seconds(values, "placed_at") or _seconds(values, "claimed_at"), _seconds(values, "ended_at")
    if not placed or not placed <= ended <= placed + LONGEST_S:
        return "without usable times"
    fate = _fate(values, placed, ended)
    if fate is None:
        return "without usable times"
    joined = _seconds(values, "joined_at")
    return Heard(
        at=placed,
        ended_at=max(ended, (_seconds(values, "left_at") or ended) + fate.wrap_s),
        fate=fate,
        agent=str(values.get("agent") or "") if joined else "",
        abandoned=bool(values.get("live")) and not joined,
        joined_at=joined,
        wait_s=max(0.0, joined - (_seconds(values, "detected_at") or _seconds(values, "answered_at")))
        if joined
        else 0.0,
    )


def _fate(values: Mapping[str, object], placed: float, ended: float) -> Fate | None:
    ringing, answered, joined = (_seconds(values, name) for name in ("ringing_at", "answered_at", "joined_at"))
    if not answered:
        if not ringing:
            return Fate(Kind.BUSY if values["outcome"] is Outcome.BUSY else Kind.FAILED, ended - placed)
        return Fate(Kind.NO_ANSWER, ringing - placed, ended - ringing) if placed <= ringing <= ended else None
    rang = ringing or answered
    detected = max(answered, _seconds(values, "detected_at") or answered)
    if not placed <= rang <= answered <= ended:
        return None
    live = bool(values.get("live")) or bool(joined)
    patience = max(0.0, ended - detected) if str(values.get("reason") or "").startswith("hung_up") else inf
    return Fate(
        ends=None,
        delay_s=rang - placed,
        ring_s=answered - rang,
        person=bool(values.get("live")),
        live=live,
        detect_s=detected - answered,
        patience_s=patience,
        talk_s=_seconds(values, "talk_s"),
        wrap_s=_seconds(values, "wrap_up_s"),
    )


def _time(values: Mapping[str, object], name: str) -> float:
    return _seconds(values, name)


def _seconds(values: Mapping[str, object], name: str) -> float:
    value = values.get(name)
    return max(0.0, value) if isinstance(value, float) else 0.0


# ---- the world that is made of it


class RecordedPeople:
    """The recorded calls in their order, or shuffled for another `seed` than the first; then drawn from them again."""

    def __init__(self, found: Recording, seed: int, size: int, shuffled: bool) -> None:
        chance = np.random.default_rng((seed, 7))
        many = len(found.heard)
        first = chance.permutation(many) if shuffled else np.arange(many)
        more = chance.integers(0, many, max(0, size - many))
        order = np.concatenate([first, more])
        talks = found.talks
        drawn = chance.integers(0, len(talks), len(order))
        self._fates = [
            _with_talk(found.heard[which], talks[other])
            for which, other in zip(order.tolist(), drawn.tolist(), strict=True)
        ]

    @property
    def size(self) -> int:
        return len(self._fates)

    def fate(self, lead: int, tries: int, at: float) -> Fate:
        """What became of this call."""
        return self._fates[lead]

    def contact(self, lead: int) -> Contact:
        """Somebody whom the gate let be called."""
        return Contact(str(lead), f"p{lead}", (Number(f"+62811{lead:07d}", f"n{lead}"),))

    def history(self, lead: int, begin: float) -> History:
        """What was before has been judged when he was called."""
        return _NOTHING


_NOTHING = History()


def _with_talk(one: Heard, other: Heard) -> Fate:
    if not one.abandoned:
        return one.fate
    return replace(one.fate, talk_s=other.fate.talk_s, wrap_s=other.fate.wrap_s)


def days_of(found: Recording) -> list[Day]:
    """The agents as they worked: there while they had calls, on a break where one is missing for long."""
    spans = _spans(found)
    gaps = [b[0] - a[1] for calls in spans.values() for a, b in pairwise(calls)]
    long = max(BREAK_S, 8 * median(gaps)) if gaps else inf
    days = []
    for agent, calls in sorted(spans.items()):
        begin, end = calls[0][0] - found.begin, calls[-1][1] - found.begin
        breaks = [(a[1] - found.begin, b[0] - a[1]) for a, b in pairwise(calls) if b[0] - a[1] > long]
        days.append(
            Day(
                agent,
                sign_in_at=begin if begin > EARLY_S else 0.0,
                sign_out_at=end if end < found.seconds - max(EARLY_S, long) else inf,
                breaks=breaks,
            )
        )
    return days


def _spans(found: Recording) -> dict[str, list[tuple[float, float]]]:
    """Agent -> begin and end of each of his calls, wrap-up included."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for one in found.talks:
        spans.setdefault(one.agent, []).append((one.joined_at, one.joined_at + one.fate.talk_s + one.fate.wrap_s))
    return {agent: sorted(calls) for agent, calls in spans.items()}


@dataclass(frozen=True, slots=True)
class Fit:
    """The recorded campaign in figures: what a replay is made of."""

    calls: int
    live_share: float
    talk_s: float
    wrap_s: float
    utilisation: float
    abandon_rate: float
    wait_s: float
    calls_per_hour: float


def fit(found: Recording) -> Fit:
    """What was."""
    talks, live = found.talks, sum(one.fate.live for one in found.heard)
    present = 0.0
    for day in days_of(found):
        present += min(day.sign_out_at, found.seconds) - day.sign_in_at - sum(length for _, length in day.breaks)
    last = found.begin + found.seconds
    busy = sum(min(end, last) - min(begin, last) for calls in _spans(found).values() for begin, end in calls)
    return Fit(
        calls=len(found.heard),
        live_share=live / len(found.heard),
        talk_s=sum(one.fate.talk_s for one in talks) / len(talks),
        wrap_s=sum(one.fate.wrap_s for one in talks) / len(talks),
        utilisation=min(1.0, busy / max(1.0, present)),
        abandon_rate=sum(one.abandoned for one in found.heard) / max(1, live),
        wait_s=sum(one.wait_s for one in talks) / len(talks),
        calls_per_hour=3600 * len(found.heard) / found.seconds,
    )


def fates_of(found: Recording) -> list[tuple[float, bool]]:
    """When each live answer came to its end, in seconds of the recording, and whether it was abandoned."""
    return sorted(
        ((one.ended_at if one.abandoned else one.joined_at) - found.begin, one.abandoned)
        for one in found.heard
        if one.fate.live
    )


def scenario_of(found: Recording, agents: int | None = None) -> Scenario:
    """The shift of the recording, with its own team or another."""
    was = fit(found)
    rings = [one.fate.ring_s for one in found.heard if one.fate.ends is Kind.NO_ANSWER]
    return Scenario(
        name="recorded",
        agents=agents or len(days_of(found)),
        hours=found.seconds / 3600,
        answer_rate=was.live_share,
        talk_s=was.talk_s,
        wrap_s=was.wrap_s,
        ring_timeout_s=max(rings, default=STEADY.ring_timeout_s),
        breaks=False,
        pause_every_s=0.0,
        log_in_s=0.0,
        speed_spread=0.0,
    )


def world_of(
    found: Recording, scenario: Scenario, seed: int, agents: int | None
) -> tuple[RecordedPeople, Sequence[Day]]:
    """List and team for one replay; the first seed keeps the order of the calls."""
    each = max(1.0, scenario.talk_s + scenario.wrap_s) * max(0.01, scenario.answer_rate)
    size = max(len(found.heard), int(SPARE * scenario.agents * found.seconds / each) + 100)
    days = days_of(found) if agents is None else [Day(str(100 + number)) for number in range(agents)]
    return RecordedPeople(found, seed, size, shuffled=seed != 1), days
