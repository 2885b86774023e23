"""An agent's own day at a glance, from the outcome stream; read at most every few seconds, however many desks ask."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from dialer.debts.promises import Promise, State
from dialer.outcomes import LAST_ZONE

ENTRIES_MAX = 3000  # of a campaign's stream, newest first
FRESH_S = 15.0

Record = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Day:
    """`contacts`: talks with the debtor himself; `kept`: of the promises that he took, also on other days, today."""

    talks: int = 0
    talk_s: int = 0
    contacts: int = 0
    promises: int = 0
    kept: int = 0


class Reading(Protocol):
    """What is read."""

    async def tail(self, campaign: str, count: int, stream: str = "outcomes") -> tuple[Any, ...]: ...
    async def promises_of_persons(self, persons: Sequence[str], at: float) -> list[tuple[Promise, ...]]: ...


def midnight(at: float) -> float:
    """Of the day in the western zone of the country: whose day it is matters less than that it is one for all."""
    local = datetime.fromtimestamp(at, LAST_ZONE)
    return at - timedelta(hours=local.hour, minutes=local.minute, seconds=local.second).total_seconds()


def today(records: Iterable[Record], since: float) -> list[Record]:
    """Outcomes that ended since then, the last word on each: corrections are put in."""
    found: dict[str, dict[str, str]] = {}
    for one in records:
        if one.get("type") == "outcome" and _seconds(one.get("ended_at") or one.get("claimed_at", "")) >= since:
            found[one["attempt"]] = dict(one)
        elif one.get("type") == "correction" and one.get("attempt") in found:
            found[one["attempt"]] |= {name: text for name, text in one.items() if name not in ("v", "type")}
    return list(found.values())


def count(records: Iterable[Record], promises: Iterable[Promise], since: float) -> Mapping[str, Day]:
    """By agent."""
    days: dict[str, list[float]] = {}
    for one in records:
        if not one.get("agent") or not one.get("joined_at"):
            continue
        day = days.setdefault(one["agent"], [0, 0.0, 0, 0, 0])
        day[0] += 1
        day[1] += float(one.get("talk_s") or 0)
        day[2] += one.get("conversation") == "1"
        day[3] += bool(one.get("promise_due"))
    for promise in promises:
        if promise.state is State.KEPT and promise.ended_at >= since and promise.by in days:
            days[promise.by][4] += 1
    return {agent: Day(int(a), round(s), int(c), int(p), int(k)) for agent, (a, s, c, p, k) in days.items()}


def _seconds(text: str) -> float:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() if text else 0.0
    except ValueError:
        return 0.0


@dataclass(slots=True)
class Days:
    """Of one web process."""

    reading: Reading
    _kept: dict[str, tuple[float, Mapping[str, Day]]] = field(default_factory=dict)
    _turns: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def of(self, campaign: str, agent: str, at: float) -> Day:
        """His day in this campaign up to some seconds ago."""
        async with self._turns.setdefault(campaign, asyncio.Lock()):
            read_at, days = self._kept.get(campaign, (-FRESH_S, {}))
            if not 0 <= at - read_at < FRESH_S:
                since = midnight(at)
                records = today([entry for _, entry in await self.reading.tail(campaign, ENTRIES_MAX)], since)
                persons = sorted({one["person"] for one in records if one.get("promise_due") and one.get("person")})
                found = await self.reading.promises_of_persons(persons, at) if persons else []
                days = count(records, [promise for some in found for promise in some], since)
                self._kept[campaign] = at, days
        return days.get(agent, Day())
