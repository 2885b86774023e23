"""Rule packs: the law of one market as data, checked whole before any of it is used; every rule cites its source."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from dialer import faults
from dialer.abandon import Window
from dialer.errors import ConfigError
from dialer.model import NumberKind

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED = "closed"
HISTORY_DAYS = 30  # the store keeps so much of a person's past; no cap may look further back
DEMO_CAMPAIGNS = ("demo", "demo-ivr")
_SPAN = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class Of(StrEnum):
    """Whom a cap protects."""

    PERSON = "person"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `count` attempts in any `window_s` seconds."""

    of: Of
    count: int
    window_s: int
    name: str


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: it is the key of the gate's cache of windows
class Hours:
    """When calls may ring, in the debtor's own zone.

    `days`: Monday first, (opens, closes) in minutes after midnight, None is closed. `years`: for which years `holidays`
    is complete; None: the pack knows no holidays. A day of any other year is closed.
    """

    days: tuple[tuple[int, int] | None, ...]
    always: bool = False
    holidays: frozenset[date] = frozenset()
    years: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """Which public holidays close a day: country code and categories of the `holidays` library."""

    country: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """The rules of one market. Durations in seconds, rates as fractions; `label` is id and version, for records."""

    id: str
    version: str
    title: str
    label: str
    prefixes: tuple[str, ...]  # "+62"
    zones: tuple[str, ...]
    hours: Hours
    holiday_rule: HolidayRule | None
    kinds: frozenset[NumberKind]  # whose numbers may be called for collection
    caps: tuple[Cap, ...]
    conversation_silence_s: int
    ring_min_s: int
    margin_s: int
    connect_limit_ms: int
    abandon_rate_max: float
    abandon_window: Window
    overflow_counts: bool  # a live answer that went on to the IVR counts as abandoned
    caller_id_required: bool
    only_trunk_loopback: bool
    sources: Mapping[str, str]  # rule -> citation


# ---- the file's own form --------------------------------------------------------------------------------------------


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("use an IANA zone such as Asia/Jakarta (is the package tzdata installed?)") from error
    return name


def _span(text: str) -> str:
    if text == CLOSED:
        return text
    match = _SPAN.fullmatch(text)
    if not match:
        raise ValueError('use hours such as "08:00-20:00", or "closed"')
    opens, closes = minutes(text)
    if not opens < closes <= 24 * 60:
        raise ValueError("use an opening before the closing, and 24:00 at the latest")
    return text


def minutes(span: str) -> tuple[int, int]:
    """`"08:00-20:00"` -> (480, 1200), in minutes after midnight."""
    opens, closes = span.split("-")
    return int(opens[:2]) * 60 + int(opens[3:]), int(closes[:2]) * 60 + int(closes[3:])


Source = Annotated[str, Field(min_length=10)]
Span = Annotated[str, AfterValidator(_span)]
Zone = Annotated[str, AfterValidator(_zone)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Rule(_Table):
    source: Source


class _HoursForm(_Rule):
    always: bool = False
    mon: Span = CLOSED
    tue: Span = CLOSED
    wed: Span = CLOSED
    thu: Span = CLOSED
    fri: Span = CLOSED
    sat: Span = CLOSED
    sun: Span = CLOSED

    @model_validator(mode="after")
    def _all_said(self) -> Self:
        named = self.model_fields_set & set(WEEKDAYS)
        if self.always and named:
            raise ValueError("use either always = true or the seven weekdays")
        if not self.always and len(named) != len(WEEKDAYS):
            raise ValueError(f'name all of {", ".join(WEEKDAYS)}; a day without calls is "closed"')
        if not self.always and all(getattr(self, day) == CLOSED for day in WEEKDAYS):
            raise ValueError("open at least one day")
        return self


class _HolidaysForm(_Rule):
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    categories: Annotated[tuple[str, ...], Field(min_length=1)]


class _NumbersForm(_Rule):
    country_codes: Annotated[tuple[Annotated[str, Field(pattern=r"^[1-9]\d{0,2}$")], ...], Field(min_length=1)]
    kinds: Annotated[tuple[NumberKind, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _no_emergency_contact(self) -> Self:
        if NumberKind.EMERGENCY in self.kinds:
            raise ValueError("an emergency contact is never called for collection: take `emergency` out")
        return self


class _CapForm(_Rule):
    of: Of
    count: Annotated[int, Field(ge=1)]
    hours: Annotated[int, Field(ge=1, le=HISTORY_DAYS * 24)] | None = None
    days: Annotated[int, Field(ge=1, le=HISTORY_DAYS)] | None = None

    @model_validator(mode="after")
    def _one_window(self) -> Self:
        if (self.hours is None) == (self.days is None):
            raise ValueError("use either hours or days")
        return self


class _ConversationForm(_Rule):
    silence_hours: Annotated[int, Field(ge=0, le=HISTORY_DAYS * 24)]


class _RingForm(_Rule):
    min_s: Annotated[int, Field(ge=0, le=60)]
    margin_s: Annotated[int, Field(ge=30, le=600)] = 60


class _AbandonForm(_Rule):
    rate_max: Annotated[float, Field(gt=0, le=0.05)]
    window: Window
    connect_limit_ms: Annotated[int, Field(ge=500, le=5000)]
    overflow_counts: bool


class _CallerIdForm(_Rule):
    required: Literal[True] = True


class _PackForm(_Table):
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,31}$")]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    zones: Annotated[tuple[Zone, ...], Field(min_length=1)]
    only_trunk_loopback: bool = False
    hours: _HoursForm
    holidays: _HolidaysForm | None = None
    numbers: _NumbersForm
    caps: Annotated[tuple[_CapForm, ...], Field(min_length=1)]
    conversation: _ConversationForm
    ring: _RingForm
    abandon: _AbandonForm
    caller_id: _CallerIdForm

    @model_validator(mode="after")
    def _guards(self) -> Self:
        if self.hours.always and not self.only_trunk_loopback:
            raise ValueError("hours.always calls people at night: it needs only_trunk_loopback = true")
        if {cap.of for cap in self.caps} != set(Of):
            raise ValueError('name at least one cap of = "person" and one of = "number"')
        return self


# ---- from the file to the pack --------------------------------------------------------------------------------------


def parse_pack(data: Mapping[str, Any], name: str = "rule pack") -> Pack:
    """A pack from a parsed TOML file, with no holidays in it yet: give them by `with_holidays`.

    Until then a pack that has a holiday rule is closed on every day. Raises ConfigError with all faults at once.
    """
    try:
        form = _PackForm.model_validate(dict(data))
    except ValidationError as error:
        raise ConfigError(f"{name}: " + "; ".join(faults.sentences(error))) from None
    return _pack(form)


def with_holidays(pack: Pack, dates: Iterable[date], years: Iterable[int]) -> Pack:
    """The pack with its holidays: `dates` is complete for `years`; days of any other year stay closed."""
    if pack.holiday_rule is None:
        return pack
    return replace(pack, hours=replace(pack.hours, holidays=frozenset(dates), years=frozenset(years)))


def _pack(form: _PackForm) -> Pack:
    rule = form.holidays
    return Pack(
        id=form.id,
        version=form.version,
        title=form.title,
        label=f"{form.id}@{form.version}",
        prefixes=tuple(f"+{code}" for code in form.numbers.country_codes),
        zones=form.zones,
        hours=_hours(form),
        holiday_rule=HolidayRule(rule.country, rule.categories) if rule else None,
        kinds=frozenset(form.numbers.kinds),
        caps=tuple(_cap(cap) for cap in form.caps),
        conversation_silence_s=form.conversation.silence_hours * 3600,
        ring_min_s=form.ring.min_s,
        margin_s=form.ring.margin_s,
        connect_limit_ms=form.abandon.connect_limit_ms,
        abandon_rate_max=form.abandon.rate_max,
        abandon_window=form.abandon.window,
        overflow_counts=form.abandon.overflow_counts,
        caller_id_required=form.caller_id.required,
        only_trunk_loopback=form.only_trunk_loopback,
        sources=MappingProxyType(_sources(form)),
    )


def _hours(form: _PackForm) -> Hours:
    spans = [getattr(form.hours, day) for day in WEEKDAYS]
    return Hours(
        days=tuple(None if span == CLOSED else minutes(span) for span in spans),
        always=form.hours.always,
        years=frozenset() if form.holidays else None,
    )


def _cap(form: _CapForm) -> Cap:
    hours = form.hours if form.hours is not None else (form.days or 0) * 24
    window = f"{form.days}d" if form.days else f"{hours}h"
    return Cap(form.of, form.count, hours * 3600, f"{form.of}_cap_{window}")


def _sources(form: _PackForm) -> dict[str, str]:
    tables: dict[str, _Rule | None] = {
        "hours": form.hours,
        "holidays": form.holidays,
        "numbers": form.numbers,
        "conversation": form.conversation,
        "ring": form.ring,
        "abandon": form.abandon,
        "caller_id": form.caller_id,
    }
    found = {name: rule.source for name, rule in tables.items() if rule}
    return found | {_cap(cap).name: cap.source for cap in form.caps}


def history_s(pack: Pack) -> int:
    """How far back, in seconds, the gate has to know a person's past."""
    return math.ceil(max([cap.window_s for cap in pack.caps] + [pack.conversation_silence_s]))
