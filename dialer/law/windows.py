"""When calls may ring: open spans of local days, in one zone or in several at once, as moments of UTC.

Everything is kept per day of UTC, so that a question costs one look-up, whatever number of zones have to agree.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dialer.law.rulebook import Hours

LOOK_AHEAD_DAYS = 60  # how far the next opening is looked for
DAY_S = 86400.0
LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_EPOCH = date(1970, 1, 1).toordinal()

Interval = tuple[float, float]  # opens, closes: epoch seconds


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: the key of the caches below
class Windows:
    """Hours that must all be open at once, each in its zone."""

    parts: tuple[tuple[Hours, str], ...]


def opening(windows: Windows, at: float, need_s: float) -> Interval:
    """The earliest moment from `at` on at which a call of `need_s` seconds fits, and the last start before it closes.

    Neither is a number (NaN) when nothing opens within LOOK_AHEAD_DAYS, as where holidays are not known yet.
    """
    day = int(at // DAY_S)
    for opens, closes in _open_on(windows, day):
        start = at if at > opens else opens
        if start <= closes - need_s:
            return start, closes - need_s
    return _next_opening(windows, day + 1, need_s)


@lru_cache(maxsize=8192)
def _next_opening(windows: Windows, day: int, need_s: float) -> Interval:
    for later in range(day, day + LOOK_AHEAD_DAYS):
        for opens, closes in _open_on(windows, later):
            if opens >= later * DAY_S and opens <= closes - need_s:  # one begun before had its turn the day before
                return opens, closes - need_s
    return math.nan, math.nan


@lru_cache(maxsize=8192)
def _open_on(windows: Windows, day: int) -> tuple[Interval, ...]:
    """What is open in all zones and reaches into this day of UTC, in order; each to its own end."""
    found: list[Interval] = [(-math.inf, math.inf)]
    for hours, zone in windows.parts:
        if not hours.always:
            # no zone is more than a day away from UTC
            spans = [span for near in (-1, 0, 1) for span in _spans(hours, zone, _EPOCH + day + near)]
            found = list(_both(found, spans))
    begins, ends = day * DAY_S, (day + 1) * DAY_S
    return tuple((opens, closes) for opens, closes in found if closes > begins and opens < ends)


def spans_on(windows: Windows, midnight: float) -> tuple[Interval, ...]:
    """What is open within the day of UTC that begins at `midnight`, each cut to it."""
    found = _open_on(windows, int(midnight // DAY_S))
    return tuple((max(opens, midnight), min(closes, midnight + DAY_S)) for opens, closes in found)


def _both(some: Iterable[Interval], others: list[Interval]) -> Iterator[Interval]:
    for opens, closes in some:
        for other_opens, other_closes in others:
            first, last = max(opens, other_opens), min(closes, other_closes)
            if first < last:
                yield first, last


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    """ZoneInfo itself keeps but eight of them and reads the others from disk again."""
    return ZoneInfo(name)


@lru_cache(maxsize=16384)
def _spans(hours: Hours, zone: str, ordinal: int) -> tuple[Interval, ...]:
    """The open spans of one local day; empty when there are no calls that day."""
    day = date.fromordinal(ordinal)
    if (hours.first and day < hours.first) or (hours.last and day > hours.last):
        return ()
    if day in hours.holidays or (hours.years is not None and day.year not in hours.years):
        return ()
    found = []
    for span in hours.days[day.weekday()]:
        opens, closes = (_moments(day, minutes, zone) for minutes in span)
        if max(opens) < min(closes):
            found.append((max(opens), min(closes)))
    return tuple(found)


def _moments(day: date, minutes: int, zone: str) -> tuple[float, float]:
    """A local time as epoch seconds in both its readings: they differ only where a clock is being changed."""
    local = datetime.combine(day, time(), _zone(zone)) + timedelta(minutes=minutes)
    return local.timestamp(), local.replace(fold=1).timestamp()


@lru_cache(maxsize=4096)
def begins(windows: Windows, day: date) -> float:
    """The moment from which it is `day` in every one of the zones."""
    return max(max(_moments(day, 0, zone)) for _, zone in windows.parts)


# ---- why not now ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)  # a batch of candidates is asked about at one moment
def shut(windows: Windows, at: float, need_s: float) -> tuple[str, str]:
    """The rule, and a sentence, for a moment at which no call fits; the first zone that is shut names them."""
    zones = len({zone for _, zone in windows.parts})
    for hours, zone in windows.parts:
        if hours.always:
            continue
        day = datetime.fromtimestamp(at, _zone(zone)).date()
        spans = _spans(hours, zone, day.toordinal())
        if any(opens <= at <= closes - need_s for opens, closes in spans):
            continue
        where = f"{zone}, {day}" if zones == 1 else f"{zone}, {day}; {zones} zones have to agree"
        if not spans or (name := _own_day_off(windows, day)):
            return _shut_day(hours, day) if not spans else name, f"No calls that day ({where})."
        return hours.name, f"{_shut_now(spans, zone, at)} ({where})."
    return windows.parts[0][0].name, "The zones' hours have no moment in common now."


def _own_day_off(windows: Windows, day: date) -> str:
    """The campaign's own rule, where it closes the whole day: then the hour of the day is not what matters."""
    own = ((hours, zone) for hours, zone in windows.parts if hours.name == "campaign_hours")
    return next((_shut_day(hours, day) for hours, zone in own if not _spans(hours, zone, day.toordinal())), "")


def _shut_day(hours: Hours, day: date) -> str:
    if hours.name == "campaign_hours":
        return "campaign_days"
    if not hours.days[day.weekday()]:
        return "weekday"
    if hours.years is not None and day.year not in hours.years:
        return "holidays_unknown"
    return "holiday" if day in hours.holidays else hours.name


def _shut_now(spans: tuple[Interval, ...], zone: str, at: float) -> str:
    for opens, closes in spans:
        if at < opens:
            return f"{'Too early' if opens == spans[0][0] else 'Closed'}: calls open at {_clock(opens, zone)}"
        if at < closes:
            return f"Too late: it would ring past {_clock(closes, zone)} with the margin"
    return f"Too late: calls ended at {_clock(spans[-1][1], zone)}"


@lru_cache(maxsize=1024)
def _clock(moment: float, zone: str) -> str:
    return f"{datetime.fromtimestamp(moment, _zone(zone)):%H:%M}"
