"""The form of a rule pack's file: every key known, every fault named with its cure."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from dialer.law.abandon import Window
from dialer.law.number_plan import NumberType
from dialer.law.rulebook import HISTORY_DAYS, WEEKDAYS, Cap, Of, Span, fold
from dialer.model import NumberKind

CLOSED = "closed"
NEVER_TYPES = {NumberType.PREMIUM_RATE, NumberType.SHARED_COST, NumberType.TOLL_FREE, NumberType.PAGER}
NEVER_TYPES |= {NumberType.VOICEMAIL, NumberType.UAN}
DAY_MINUTES = 24 * 60
_SPAN = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("use an IANA zone such as Asia/Jakarta (is the package tzdata installed?)") from error
    return name


def _country(name: str) -> str:
    if name not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("use a country such as ID")
    return name


def spans(text: str) -> tuple[Span, ...]:
    """`"08:00-12:00, 13:00-20:00"` -> ((480, 720), (780, 1200)), in minutes after midnight; `"closed"` -> ()."""
    found: list[Span] = []
    for part in () if text == CLOSED else text.split(","):
        match = _SPAN.fullmatch(part.strip())
        if not match:
            raise ValueError('use hours such as "08:00-20:00" or "08:00-12:00, 13:00-20:00", or "closed"')
        opens, closes = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if not opens < closes <= DAY_MINUTES:
            raise ValueError("use an opening before the closing, and 24:00 at the latest")
        if found and opens <= found[-1][1]:
            raise ValueError("name the spans in order, with a pause between them")
        found.append((opens, closes))
    return tuple(found)


def slug(name: str) -> str:
    """`West Java` -> `west_java`."""
    return name.lower().replace(" ", "_")


def within(days: Iterable[tuple[Span, ...]], others: Iterable[tuple[Span, ...]]) -> bool:
    """Whether every span lies inside one of the same day's others."""
    return all(
        any(opens <= span[0] and span[1] <= closes for opens, closes in wide)
        for narrow, wide in zip(days, others, strict=True)
        for span in narrow
    )


def _spans(text: str) -> str:
    spans(text)
    return text


def _no_service(kind: NumberType) -> NumberType:
    if kind in NEVER_TYPES:
        raise ValueError("such numbers are no subscriber's own, or cost somebody money: take it out")
    return kind


Source = Annotated[str, Field(min_length=10)]
Spans = Annotated[str, AfterValidator(_spans)]
Zone = Annotated[str, AfterValidator(_zone)]
Country = Annotated[str, AfterValidator(_country)]
Line = Annotated[NumberType, AfterValidator(_no_service)]
Name = Annotated[str, Field(min_length=1, max_length=80)]
Hours24 = Annotated[int, Field(ge=0, le=HISTORY_DAYS * 24)]


class Table(BaseModel):
    """A table of a settings file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(Table):
    """A table with its citation."""

    source: Source


class Week(Rule):
    """The seven weekdays."""

    mon: Spans = CLOSED
    tue: Spans = CLOSED
    wed: Spans = CLOSED
    thu: Spans = CLOSED
    fri: Spans = CLOSED
    sat: Spans = CLOSED
    sun: Spans = CLOSED

    @property
    def always_open(self) -> bool:
        return False

    @model_validator(mode="after")
    def _all_said(self) -> Self:
        named = self.model_fields_set & set(WEEKDAYS)
        if self.always_open and named:
            raise ValueError("use either always = true or the seven weekdays")
        if not self.always_open and len(named) != len(WEEKDAYS):
            raise ValueError(f'name all of {", ".join(WEEKDAYS)}; a day without calls is "closed"')
        if not self.always_open and not any(self.days()):
            raise ValueError("open at least one day")
        return self

    def days(self) -> tuple[tuple[Span, ...], ...]:
        return tuple(spans(getattr(self, day)) for day in WEEKDAYS)


class HoursForm(Week):
    """The market's hours."""

    always: bool = False
    number_zone: bool = False

    @property
    def always_open(self) -> bool:
        return self.always


class HolidaysForm(Rule):
    """Which holidays."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    subdivisions: tuple[Name, ...] = ()
    categories: Annotated[tuple[str, ...], Field(min_length=1)]
    joint_leave: bool = False


class NumbersForm(Rule):
    """Which numbers."""

    countries: Annotated[tuple[Country, ...], Field(min_length=1)]
    kinds: Annotated[tuple[NumberKind, ...], Field(min_length=1)]
    types: Annotated[tuple[Line, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _no_emergency_contact(self) -> Self:
        if NumberKind.EMERGENCY in self.kinds:
            raise ValueError("an emergency contact is never called for collection: take `emergency` out")
        return self


class ConsentForm(Rule):
    """Which numbers only with consent."""

    types: Annotated[tuple[Line, ...], Field(min_length=1)]


class CapForm(Rule):
    """One cap."""

    of: Of
    count: Annotated[int, Field(ge=1)]
    hours: Annotated[int, Field(ge=1, le=HISTORY_DAYS * 24)] | None = None
    days: Annotated[int, Field(ge=1, le=HISTORY_DAYS)] | None = None
    hardship: bool = False

    @model_validator(mode="after")
    def _one_window(self) -> Self:
        if (self.hours is None) == (self.days is None):
            raise ValueError("use either hours or days")
        return self

    def cap(self, region: str = "") -> Cap:
        """Named after whom it protects and its window: `person_cap_7d`."""
        hours = self.hours if self.hours is not None else (self.days or 0) * 24
        window = f"{self.days}d" if self.days else f"{hours}h"
        parts = [f"{self.of}_cap_{window}", "hardship" if self.hardship else "", slug(region)]
        name = "_".join(part for part in parts if part)
        return Cap(self.of, self.count, hours * 3600, name, self.hardship)


class CallBackForm(Rule):
    """Call-backs at the debtor's minute."""

    overrides: Annotated[tuple[str, ...], Field(min_length=1)]
    tolerance_minutes: Annotated[int, Field(ge=1, le=240)]
    max_days: Annotated[int, Field(ge=1, le=HISTORY_DAYS)]


class SilenceForm(Rule):
    """A silence."""

    silence_hours: Hours24


class AgentSilenceForm(SilenceForm):
    """A silence that a guaranteed agent may lift."""

    agent_lifts: bool


class RegionForm(Table):
    """A province's own rules."""

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z ]{1,39}$")]
    provinces: Annotated[tuple[Name, ...], Field(min_length=1)]
    zones: Annotated[tuple[Zone, ...], Field(min_length=1)]
    hours: Week | None = None
    caps: tuple[CapForm, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.hours is None and not self.caps:
            raise ValueError("give the region hours or caps of its own")
        return self


class RingForm(Rule):
    """How long it rings."""

    min_s: Annotated[int, Field(ge=0, le=60)]
    margin_s: Annotated[int, Field(ge=30, le=600)] = 60


class AbandonForm(Rule):
    """How many answers may find nobody."""

    rate_max: Annotated[float, Field(gt=0, le=0.05)]
    window: Window
    connect_limit_ms: Annotated[int, Field(ge=500, le=5000)]
    overflow_counts: bool


class CallerIdForm(Rule):
    """Who is shown to call."""

    required: Literal[True] = True


class SignedOffForm(Table):
    """Who answers for a pack of the operator's own."""

    by: Annotated[str, Field(min_length=3, max_length=100)]
    on: date
    reason: Annotated[str, Field(min_length=10, max_length=400)]


class PackForm(Table):
    """A whole pack."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,31}$")]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    zones: Annotated[tuple[Zone, ...], Field(min_length=1)]
    only_trunk_loopback: bool = False
    signed_off: SignedOffForm | None = None
    hours: HoursForm
    other_hours: Week | None = None
    holidays: HolidaysForm | None = None
    numbers: NumbersForm
    consent: ConsentForm | None = None
    stop: Rule
    caps: Annotated[tuple[CapForm, ...], Field(min_length=1)]
    callback: CallBackForm | None = None
    conversation: SilenceForm
    after_abandoned: AgentSilenceForm | None = None
    after_machine: AgentSilenceForm | None = None
    ring: RingForm
    abandon: AbandonForm
    caller_id: CallerIdForm
    provinces: dict[str, Name] = Field(default_factory=dict)
    regions: tuple[RegionForm, ...] = ()

    @model_validator(mode="after")
    def _guards(self) -> Self:
        if wrong := [*self._looseness(), *self._names(), *self._region_faults()]:
            raise ValueError("; ".join(wrong))
        return self

    def _looseness(self) -> Iterable[str]:
        if self.hours.always and not self.only_trunk_loopback:
            yield "hours.always calls people at night: it needs only_trunk_loopback = true"
        if {cap.of for cap in self.caps if not cap.hardship} != set(Of):
            yield 'name at least one cap of = "person" and one of = "number"'
        if self.consent and (unknown := set(self.consent.types) - set(self.numbers.types)):
            yield f"consent.types: {', '.join(sorted(unknown))} is none of numbers.types"

    def _names(self) -> Iterable[str]:
        names = [cap.name for _, cap in self.all_caps()]
        if twice := {name for name in names if names.count(name) > 1}:
            yield f"caps: {', '.join(sorted(twice))} is given twice; leave the lower one"
        known = {cap.cap().name for cap in self.caps} | {"conversation"}
        if self.callback and (unknown := set(self.callback.overrides) - known):
            yield f"callback.overrides: {', '.join(sorted(unknown))}: use rules of cadence: {', '.join(sorted(known))}"

    def _region_faults(self) -> Iterable[str]:
        names = {fold(name) for pair in self.provinces.items() for name in pair}
        for region in self.regions:
            if unknown := [name for name in region.provinces if fold(name) not in names]:
                yield f"regions {region.name}: {', '.join(unknown)} is not in [provinces]"
            if unknown := sorted(set(region.zones) - set(self.zones)):
                yield f"regions {region.name}: {', '.join(unknown)} is none of the pack's zones"
            if region.hours and not self.hours.always and not within(region.hours.days(), self.hours.days()):
                yield f"regions {region.name}: its hours are not within the pack's"

    def all_caps(self) -> list[tuple[CapForm, Cap]]:
        """Those of the regions among them."""
        own = [(form, form.cap()) for form in self.caps]
        return own + [(form, form.cap(region.name)) for region in self.regions for form in region.caps]
