"""Rule packs: the law of one market as values, each rule with its citation. rulebook_form.py reads them from files."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from dialer.law.abandon import Window
from dialer.law.number_plan import NumberType
from dialer.model import NumberKind

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HISTORY_DAYS = 30  # the store keeps so much of a person's past; no rule may look further back
JOINT_LEAVE = "government"  # the holidays library's category of Indonesia's cuti bersama
DEMO_CAMPAIGNS = ("demo", "demo-ivr")

Span = tuple[int, int]  # opens, closes: minutes after midnight


class Of(StrEnum):
    """Whom a cap protects."""

    PERSON = "person"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `count` attempts in any `window_s` seconds. `hardship`: only for those who cannot pay now."""

    of: Of
    count: int
    window_s: int
    name: str
    hardship: bool = False


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: it is the key of the cache of windows
class Hours:
    """When calls may ring, in the debtor's own zone.

    `days`: Monday first, the open spans of each in order, () is closed. `years`: for which years `holidays` is
    complete; None: the pack knows no holidays. A day of any other year is closed. `name`: the rule, for its citation.
    """

    days: tuple[tuple[Span, ...], ...]
    always: bool = False
    holidays: frozenset[date] = frozenset()
    years: frozenset[int] | None = None
    name: str = "hours"
    first: date | None = None  # closed before and after
    last: date | None = None


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """Which public holidays close a day, in the words of the `holidays` library; of all `subdivisions` together."""

    country: str
    categories: tuple[str, ...]
    subdivisions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """No call for `seconds` after something; `agent_lifts`: but to a debtor for whom an agent is guaranteed."""

    seconds: int = 0
    agent_lifts: bool = False


@dataclass(frozen=True, slots=True)
class CallBack:
    """A minute that the debtor chose himself, at most `max_s` after the talk in which he did.

    Within `tolerance_s` of it one attempt may pass the rules of `overrides`, which are matters of cadence only.
    """

    overrides: frozenset[str]
    tolerance_s: int
    max_s: int


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the market with hours and caps of its own, on top of the market's.

    It holds for a contact whose province is one of `provinces`; and for one whose province is not known, unless his
    zone is known and none of `zones`.
    """

    name: str
    provinces: frozenset[str]  # casefolded
    zones: frozenset[str]
    hours: Hours | None
    caps: tuple[Cap, ...]


@dataclass(frozen=True, slots=True)
class SignedOff:
    """Who answers for a pack that is not as it came along."""

    by: str
    on: date
    reason: str


@dataclass(frozen=True, slots=True, eq=False)  # the key of the gate's cache
class Pack:
    """The rules of one market. Durations in seconds, rates as fractions; `label` is id and version, for records."""

    id: str
    version: str
    title: str
    label: str
    zones: tuple[str, ...]
    provinces: frozenset[str]  # every name of a province that is known, casefolded; of use where there are regions
    hours: Hours
    other_hours: Hours | None  # instead of `hours` for whom has agreed to them
    number_zone: bool  # the hours of the number's own zone count too
    holiday_rule: HolidayRule | None
    countries: tuple[str, ...]  # "ID"
    prefixes: tuple[str, ...]  # "+62"
    kinds: frozenset[NumberKind]  # whose numbers may be called for collection
    types: frozenset[NumberType]
    consent_types: frozenset[NumberType]  # types that need the consent `calls`
    caps: tuple[Cap, ...]
    callback: CallBack | None
    conversation: Silence
    after_abandoned: Silence
    after_machine: Silence
    regions: tuple[Region, ...]
    ring_min_s: int
    margin_s: int
    connect_limit_ms: int
    abandon_rate_max: float
    abandon_window: Window
    overflow_counts: bool  # a live answer that went on to the IVR counts as abandoned
    caller_id_required: bool
    only_trunk_loopback: bool
    sources: Mapping[str, str]  # rule -> citation
    signed_off: SignedOff | None = None
    own_hours: Hours | None = None  # the campaign's: schedule.py


def fold(name: str) -> str:
    """A province's name as the gate compares it."""
    return " ".join(name.casefold().split())


def with_holidays(pack: Pack, dates: Iterable[date], years: Iterable[int]) -> Pack:
    """The pack with its holidays: `dates` is complete for `years`; days of any other year stay closed."""
    if pack.holiday_rule is None:
        return pack
    closed, known = frozenset(dates), frozenset(years)

    def rest(hours: Hours) -> Hours:
        return replace(hours, holidays=hours.holidays | closed, years=known)

    other = rest(pack.other_hours) if pack.other_hours else None
    return replace(pack, hours=rest(pack.hours), other_hours=other)


def history_s(pack: Pack) -> int:
    """How far back, in seconds, the gate has to know a person's past."""
    windows = [cap.window_s for cap in all_caps(pack)]
    silences = [one.seconds for one in (pack.conversation, pack.after_abandoned, pack.after_machine)]
    return math.ceil(max(windows + silences))


def all_caps(pack: Pack) -> tuple[Cap, ...]:
    """Those of its regions among them."""
    return pack.caps + tuple(cap for region in pack.regions for cap in region.caps)


# a refusal's rule -> the pack's rule it follows from
_FOLLOWS = {
    "weekday": "hours",
    "zone": "hours",
    "holiday": "holidays",
    "holidays_unknown": "holidays",
    "country": "numbers",
    "number_kind": "numbers",
    "number_type": "numbers",
    "number_stop": "stop",
    "lender_stop": "stop",
    "campaign_stop": "stop",
    "wrong_person": "stop",
    "dead_number": "stop",
    "silent": "stop",
}
_OURS = {
    "expired": "Operator's choice: the list says until when its debts may be collected by telephone.",
    "campaign_hours": "Operator's choice: the campaign's own hours.",
    "campaign_days": "Operator's choice: the campaign's own days.",
    "not_his_number": "Santun: the number asked about is not in the contact's list.",
    "clock": "Santun: no law can be kept by a clock that is wrong.",
    "call_length": "Santun: a ring time without sense is a mistake of the caller.",
    "doubt": "Santun: what cannot be decided is refused.",
}


def cited(pack: Pack, rule: str) -> str:
    """The source of a refusal's rule."""
    return pack.sources.get(_FOLLOWS.get(rule, rule)) or _OURS[rule]
