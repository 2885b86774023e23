"""A recorded campaign as a world: the same calls, one by one, under another pacer or with another team.

Every attempt keeps its own fate, post-dial delay, answer and detection delay, talk and wrap-up; one that was abandoned
gets a talk drawn from the recorded ones. When a replay needs more calls than were made, it draws from them again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf
from statistics import median

import numpy as np

from dialer.model import Contact, History, Number
from dialer.pace.snapshot import Kind
from dialer.simulation.leads import Fate
from dialer.simulation.recording import Heard, Recording
from dialer.simulation.scenario import STEADY, Scenario
from dialer.simulation.team import Day

BREAK_S = 300.0  # an agent without a call for so long, and for far longer than usual, was on a break
EARLY_S = 120.0  # who has his first call so soon after the start was there from the start
SPARE = 1.5  # times the calls that a team that is never idle would need


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
    size = max(len(found.heard), int(SPARE * scenario.agents * 3600 * scenario.hours / each) + 100)
    days = days_of(found) if agents is None else [Day(str(100 + number)) for number in range(agents)]
    return RecordedPeople(found, seed, size, shuffled=seed != 1), days
