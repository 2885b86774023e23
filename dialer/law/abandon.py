"""How many live answers found nobody: the abandon rate in each of the law's windows at once, with a confidence bound.

A live answer ends as one `Fate`. Abandoned are those that reached no agent within the limit; who hung up while waiting
is one of them and shown apart. One that went on to the IVR is `overflowed`: whether the law counts it is the rule
pack's word.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from statistics import NormalDist
from typing import Any

from dialer.errors import BadInput
from dialer.model import Outcome, Verdict

PERIOD_S = 30 * 86400
DAY_S = 86400
LAST = 100
CONFIDENCE = 0.95


class Window(StrEnum):
    """The stretches over which laws and peers measure."""

    CAMPAIGN = "campaign_30_days"  # the campaign, or each successive 30 days of it: 16 CFR 310.4(b)(4)(i)
    DAY = "calendar_day"  # calendar day, midnight to midnight: Ofcom 2010
    HOURS_24 = "rolling_24h"  # rolling, in steps of a minute
    LAST_100 = "last_100"  # the last 100 live answers: Cisco's


class Fate(StrEnum):
    """What became of a live answer."""

    SERVED = "served"  # joined to an agent, or to the IVR in a campaign that wants it
    ABANDONED = "abandoned"
    HUNG_UP = "hung_up"  # while waiting: abandoned too
    OVERFLOWED = "overflowed"  # no agent in time, went on to the IVR


@dataclass(frozen=True, slots=True)
class Rate:
    """Live answers of one window. `abandoned` includes `hung_up_waiting`, not `overflowed`; rates: of `live`."""

    live: int = 0
    abandoned: int = 0
    hung_up_waiting: int = 0
    overflowed: int = 0
    overflow_counts: bool = False

    @property
    def counted(self) -> int:
        """Answers that the law counts as abandoned."""
        return self.abandoned + (self.overflowed if self.overflow_counts else 0)

    @property
    def rate(self) -> float:
        """0.0 when nobody answered yet."""
        return self.counted / self.live if self.live else 0.0

    @property
    def upper(self) -> float:
        """The true rate is below this with 95 % confidence; see upper_bound."""
        return upper_bound(self.counted, self.live)


def upper_bound(abandoned: int, live: int, confidence: float = CONFIDENCE) -> float:
    """One-sided upper confidence bound of a share, as a fraction; 1.0 when nothing was seen.

    Wilson's score interval (E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212), upper end at the one-sided level.
    """
    if live <= 0:
        return 1.0
    z = NormalDist().inv_cdf(confidence)
    share = abandoned / live
    centre = share + z * z / (2 * live)
    spread: float = z * (share * (1 - share) / live + z * z / (4 * live * live)) ** 0.5
    return min(1.0, (centre + spread) / (1 + z * z / live))


def budget(abandoned: int, live: int, rate_max: float) -> float:
    """How many of the next answers might all be abandoned without the rate passing `rate_max`; negative when over.

    From (abandoned + k) / (live + k) <= rate_max.
    """
    return (rate_max * live - abandoned) / (1.0 - rate_max)


def fate(verdict: Verdict) -> Fate | None:
    """What the verdict means for the rate; None: no person answered. A live answer that nobody served is abandoned."""
    if not verdict.live:
        return None
    if verdict.outcome in (Outcome.CONNECTED, Outcome.IVR):
        return Fate.SERVED
    if verdict.outcome is Outcome.OVERFLOWED:
        return Fate.OVERFLOWED
    return Fate.HUNG_UP if verdict.reason.startswith("hung_up") else Fate.ABANDONED


def _plus(rate: Rate, what: Fate) -> Rate:
    return replace(
        rate,
        live=rate.live + 1,
        abandoned=rate.abandoned + (what in (Fate.ABANDONED, Fate.HUNG_UP)),
        hung_up_waiting=rate.hung_up_waiting + (what is Fate.HUNG_UP),
        overflowed=rate.overflowed + (what is Fate.OVERFLOWED),
    )


class Abandons:
    """Counts live answers in every window. `started_at`: the campaign's start, epoch seconds, None: its first use;
    `zone`: whose midnight.

    Memory is bounded: at most 1,441 minutes, 100 answers and one number each for the day and the period.
    """

    def __init__(self, started_at: float | None = None, zone: tzinfo = UTC, overflow_counts: bool = False) -> None:
        self._started_at = started_at
        self._zone = zone
        self._empty = Rate(overflow_counts=overflow_counts)
        self._period = (0, self._empty)
        self._day = ("", self._empty)
        self._minutes: dict[int, Rate] = {}
        self._last: deque[Fate] = deque(maxlen=LAST)

    def add(self, at: float, what: Fate) -> None:
        """One live answer came to its end at `at`."""
        self._roll(at)
        self._period = (self._period[0], _plus(self._period[1], what))
        self._day = (self._day[0], _plus(self._day[1], what))
        minute = int(at // 60)
        self._minutes[minute] = _plus(self._minutes.get(minute, self._empty), what)
        self._last.append(what)

    def rate(self, window: Window, at: float) -> Rate:
        """The rate of one window, as of `at`."""
        self._roll(at)
        match window:
            case Window.CAMPAIGN:
                return self._period[1]
            case Window.DAY:
                return self._day[1]
            case Window.HOURS_24:
                return self._sum(list(self._minutes.values()))
            case Window.LAST_100:
                total = self._empty
                for what in self._last:
                    total = _plus(total, what)
                return total

    def rates(self, at: float) -> dict[Window, Rate]:
        """All windows at once."""
        return {window: self.rate(window, at) for window in Window}

    def _sum(self, rates: list[Rate]) -> Rate:
        return replace(
            self._empty,
            live=sum(rate.live for rate in rates),
            abandoned=sum(rate.abandoned for rate in rates),
            hung_up_waiting=sum(rate.hung_up_waiting for rate in rates),
            overflowed=sum(rate.overflowed for rate in rates),
        )

    def _roll(self, at: float) -> None:
        # A clock that steps back opens no window again: what was counted stays counted.
        if self._started_at is None:
            self._started_at = at
        period = max(self._period[0], int(max(0.0, at - self._started_at) // PERIOD_S))
        if period != self._period[0]:
            self._period = (period, self._empty)
        day = datetime.fromtimestamp(at, self._zone).date().isoformat()
        if day > self._day[0]:
            self._day = (day, self._empty)
        oldest = int(at // 60) - DAY_S // 60
        while self._minutes and next(iter(self._minutes)) < oldest:
            del self._minutes[next(iter(self._minutes))]

    def dump(self) -> dict[str, object]:
        """Everything counted, as plain values to be kept as JSON: a restarted engine goes on with `load`."""
        return {
            "v": 1,
            "started_at": self._started_at,
            "period": [self._period[0], *_counts(self._period[1])],
            "day": [self._day[0], *_counts(self._day[1])],
            "minutes": [[minute, *_counts(rate)] for minute, rate in self._minutes.items()],
            "last": [what.value for what in self._last],
        }

    def load(self, kept: Mapping[str, object]) -> None:
        """Take over what `dump` gave. Raises BadInput, and changes nothing, when it is not that."""
        try:
            if kept["v"] != 1:
                raise ValueError(f"v is {kept['v']}, not 1")
            period, day, minutes, last = (_row(kept[name]) for name in ("period", "day", "minutes", "last"))
            new_period = (int(period[0]), self._counted(period[1:]))
            new_day = (str(day[0]), self._counted(day[1:]))
            new_minutes = {int(row[0]): self._counted(row[1:]) for row in map(_row, minutes)}
            new_last = [Fate(what) for what in last]
            began = kept.get("started_at")
            new_start = None if began is None else float(str(began))
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise BadInput(f"the kept abandon counts cannot be read ({error!r}): delete them to count anew") from error
        self._started_at = new_start
        self._period, self._day, self._minutes = new_period, new_day, dict(sorted(new_minutes.items()))
        self._last = deque(new_last, maxlen=LAST)

    def _counted(self, row: list[Any]) -> Rate:
        live, abandoned, hung_up, overflowed = (int(number) for number in row)
        return replace(self._empty, live=live, abandoned=abandoned, hung_up_waiting=hung_up, overflowed=overflowed)


def _counts(rate: Rate) -> list[int]:
    return [rate.live, rate.abandoned, rate.hung_up_waiting, rate.overflowed]


def _row(kept: object) -> list[Any]:
    if not isinstance(kept, list):
        raise TypeError(f"{kept!r} is no list")
    return kept
