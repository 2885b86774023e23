"""What is known of a debtor's days to come: when he may be called, what his numbers promise."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from dialer.compliance import may_call
from dialer.forecast import Forecast
from dialer.law.rulebook import Pack
from dialer.lists.past import Past
from dialer.model import Allowed, Contact, History, Number

NO_PAST = History()


def _same(at: float) -> float:
    return at


def _first(number: Number, hours: Sequence[int]) -> int:
    return hours[0]


def _alike(number: Number, at: float) -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """`opening`: the first moment from then on at which he may be called (inf: none); `best_hour`: which of these hours
    (0..23 in `zone`) promises most on a number; `chance`: that a call at a moment is answered.
    """

    zone: tzinfo = UTC
    opening: Callable[[float], float] = _same
    best_hour: Callable[[Number, Sequence[int]], int] = _first
    chance: Callable[[Number, float], float] = _alike


def outlook(contact: Contact, pack: Pack, call_s: float, forecast: Forecast) -> Outlook:
    """By the law's hours, the list's expiry and the numbers' own past."""
    where = zone_of(contact.zone) or zone_of(pack.zones[0]) or UTC

    def opening(at: float) -> float:
        asked = (may_call(contact, one, NO_PAST, NO_PAST, pack, at, call_s) for one in contact.numbers)
        return min((at if isinstance(one, Allowed) else one.until for one in asked), default=math.inf)

    return Outlook(
        where,
        opening,
        lambda number, hours: forecast.best_hour_of(Past.parse(number.past), hours),
        lambda number, at: forecast.chance(Past.parse(number.past), at, where),
    )


@lru_cache(maxsize=256)
def zone_of(name: str) -> tzinfo | None:
    """The zone of that name; None: there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, OSError, ValueError):
        return None
