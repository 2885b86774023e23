"""An operator's own rules on top of a pack: they may only tighten. What is looser is named, and refused.

Only editing the pack itself makes a rule looser, with somebody's signature: see adapters/rule_files.py.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from dialer.errors import ConfigError
from dialer.forms import faults
from dialer.law.number_plan import NumberType
from dialer.law.rulebook import JOINT_LEAVE, WEEKDAYS, Cap, Hours, Pack, Silence, Span
from dialer.law.rulebook_form import CapForm, Name, Rule, Spans, Table, spans, within
from dialer.law.schedule import common
from dialer.model import CAMPAIGN_ID, NumberKind

CURE = "only a pack edited and signed off may be looser"


class _HoursForm(Rule):
    mon: Spans | None = None
    tue: Spans | None = None
    wed: Spans | None = None
    thu: Spans | None = None
    fri: Spans | None = None
    sat: Spans | None = None
    sun: Spans | None = None

    def given(self) -> dict[int, tuple[Span, ...]]:
        """Weekday, Monday 0, -> its spans, where any are given."""
        texts = ((day, getattr(self, name)) for day, name in enumerate(WEEKDAYS))
        return {day: spans(text) for day, text in texts if text is not None}


class _QuietForm(Rule):
    days: Annotated[tuple[Name, ...], Field(min_length=1)] = WEEKDAYS
    spans: Spans  # closed in these

    @model_validator(mode="after")
    def _weekdays(self) -> Self:
        if unknown := set(self.days) - set(WEEKDAYS):
            raise ValueError(f"days: {', '.join(sorted(unknown))}: use {', '.join(WEEKDAYS)}")
        return self


class _ClosedForm(Table):
    date: date
    name: Annotated[str, Field(min_length=3)]


class _SilenceForm(Rule):
    silence_hours: Annotated[int, Field(ge=0, le=30 * 24)]
    agent_lifts: bool | None = None


class _NumbersForm(Rule):
    kinds: tuple[NumberKind, ...] | None = None
    types: tuple[NumberType, ...] | None = None


class _RingForm(Rule):
    min_s: Annotated[int, Field(ge=0, le=60)] | None = None
    margin_s: Annotated[int, Field(ge=30, le=600)] | None = None


class _AbandonForm(Rule):
    rate_max: Annotated[float, Field(gt=0, le=0.05)] | None = None
    connect_limit_ms: Annotated[int, Field(ge=500, le=5000)] | None = None
    overflow_counts: bool | None = None


class _NoCallbackForm(Rule):
    overrides: Annotated[tuple[str, ...], Field(max_length=0)]


class Stricter(Table):
    """The file. `packs`, `campaigns`: for which it holds; empty: all. Every table is optional."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,31}$")]
    packs: tuple[Name, ...] = ()
    campaigns: tuple[Annotated[str, Field(pattern=f"^{CAMPAIGN_ID.pattern}$")], ...] = ()
    hours: _HoursForm | None = None
    quiet: tuple[_QuietForm, ...] = ()
    closed: tuple[_ClosedForm, ...] = ()
    joint_leave: bool = False  # true: closed on joint leave, too
    numbers: _NumbersForm | None = None
    caps: tuple[CapForm, ...] = ()
    callback: _NoCallbackForm | None = None
    conversation: _SilenceForm | None = None
    after_abandoned: _SilenceForm | None = None
    after_machine: _SilenceForm | None = None
    ring: _RingForm | None = None
    abandon: _AbandonForm | None = None

    def concerns(self, pack: str, campaign: str) -> bool:
        """Whether it holds for a campaign and its pack."""
        return (not self.packs or pack in self.packs) and (not self.campaigns or campaign in self.campaigns)


def parse_stricter(data: Mapping[str, Any], name: str) -> Stricter:
    """The rules of a parsed TOML file. Raises ConfigError with all faults at once."""
    try:
        return Stricter.model_validate(dict(data))
    except ValidationError as error:
        raise ConfigError(f"{name}: {'; '.join(faults.sentences(error))}.") from None


def tighten(pack: Pack, rules: Stricter) -> Pack:
    """The pack with these rules on top. Raises ConfigError with every field that would make it looser."""
    wrong: list[str] = []
    tight = pack
    for part in (_hours, _quiet, _closed, _joint_leave, _numbers, _caps, _callback, _silences, _ring, _abandon):
        tight = part(tight, rules, wrong)
    if wrong:
        raise ConfigError(f"stricter rules {rules.id}: {'; '.join(wrong)}; {CURE}.")
    label = f"{pack.label}+{rules.id}@{rules.version}"
    return replace(tight, label=label, sources=MappingProxyType(dict(pack.sources) | dict(_sources(rules))))


def _every_hours(pack: Pack, change: Callable[[Hours], Hours]) -> Pack:
    """Those by consent too: who narrows the hours narrows all of them."""
    other = change(pack.other_hours) if pack.other_hours else None
    return replace(pack, hours=change(pack.hours), other_hours=other)


def _hours(pack: Pack, rules: Stricter, wrong: list[str]) -> Pack:
    given = rules.hours.given() if rules.hours else {}
    for day, wanted in given.items():
        if not pack.hours.always and not within([wanted], [pack.hours.days[day]]):
            text = getattr(rules.hours, WEEKDAYS[day])
            wrong.append(f"hours.{WEEKDAYS[day]} = {text!r} is not within the pack's {_clock(pack.hours.days[day])}")
    if not given:
        return pack

    def narrow(hours: Hours) -> Hours:
        whole: tuple[Span, ...] = ((0, 24 * 60),)
        were = [whole] * 7 if hours.always else hours.days
        days = tuple(common(were[day], given.get(day, were[day])) for day in range(7))
        return replace(hours, days=days, always=False)

    return _every_hours(pack, narrow)


def _quiet(pack: Pack, rules: Stricter, wrong: list[str]) -> Pack:
    closed: dict[int, list[Span]] = {}
    for quiet in rules.quiet:
        for day in quiet.days:
            closed.setdefault(WEEKDAYS.index(day), []).extend(spans(quiet.spans))

    def cut(hours: Hours) -> Hours:
        whole: tuple[Span, ...] = ((0, 24 * 60),)
        were = [whole] * 7 if hours.always else hours.days
        days = tuple(_without(were[day], closed.get(day, ())) for day in range(7))
        return replace(hours, days=days, always=False)

    return _every_hours(pack, cut) if closed else pack


def _closed(pack: Pack, rules: Stricter, wrong: list[str]) -> Pack:
    dates = frozenset(entry.date for entry in rules.closed)
    if dates and pack.hours.always:
        wrong.append("closed: a pack that is open always knows no days; give it hours first")
        return pack
    return _every_hours(pack, lambda hours: replace(hours, holidays=hours.holidays | dates)) if dates else pack


def _joint_leave(pack: Pack, rules: Stricter, wrong: list[str]) -> Pack:
    if not rules.joint_leave:
        return pack
    if pack.holiday_rule is None:
        wrong.append("joint_leave: the pack knows no holidays; name the days as [[closed]]")
        return pack
    categories = tuple(dict.fromkeys((*pack.holiday_rule.categories, JOINT_LEAVE)))
    return replace(pack, holiday_rule=replace(pack.holiday_rule, categories=categories))


def _numbers(pack: Pack, rules: Stricter, wrong: list[str]) -> Pack:
    if rules.numbers is None:
        return pack
    kinds = frozenset(pack.kinds if rules.numbers.kinds is None else rules.numbers.kinds)
    types = frozenset(pack.types if rules.numbers.types is None else rules.numbers.types)
    if more := sorted(kinds - pack.kinds):
        wrong.append(f"numbers.kinds: the pack does not allow {', '.join(more)}")
    if others := sorted(types - pack.types):
        wrong.append(f"numbers.types: the pack does not allow {', '.join(others)}")
    return replace(pack, kinds=kinds, types=types)


def _caps(pack: Pack, rules: Stricter, wrong: list[str]) -> Pack:
    wanted = {cap.name: cap for cap in (form.cap() for form in rules.caps)}
    if len(wanted) < len(rules.caps):
        wrong.append("caps: two have the same window; leave the lower one")
    for cap in pack.caps:
        if cap.name in wanted and wanted[cap.name].count > cap.count:
            wrong.append(f"caps {cap.name} = {wanted[cap.name].count} is more than the pack's {cap.count}")
    kept: list[Cap] = [wanted.pop(cap.name, cap) for cap in pack.caps]
    return replace(pack, caps=(*kept, *wanted.values()))


def _callback(pack: Pack, rules: Stricter, wrong: list[str]) -> Pack:
    return replace(pack, callback=None) if rules.callback else pack


def _silences(pack: Pack, rules: Stricter, wrong: list[str]) -> Pack:
    def longer(name: str, were: Silence, form: _SilenceForm | None) -> Silence:
        if form is None:
            return were
        lifts = were.agent_lifts if form.agent_lifts is None else form.agent_lifts
        now = Silence(form.silence_hours * 3600, lifts)
        if now.seconds < were.seconds:
            wrong.append(f"{name}.silence_hours = {form.silence_hours} is less than the pack's {were.seconds // 3600}")
        if were.seconds and now.agent_lifts and not were.agent_lifts:
            wrong.append(f"{name}.agent_lifts = true: the pack's silence holds with an agent too")
        return now

    return replace(
        pack,
        conversation=longer("conversation", pack.conversation, rules.conversation),
        after_abandoned=longer("after_abandoned", pack.after_abandoned, rules.after_abandoned),
        after_machine=longer("after_machine", pack.after_machine, rules.after_machine),
    )


def _ring(pack: Pack, rules: Stricter, wrong: list[str]) -> Pack:
    if rules.ring is None:
        return pack
    min_s = pack.ring_min_s if rules.ring.min_s is None else rules.ring.min_s
    margin_s = pack.margin_s if rules.ring.margin_s is None else rules.ring.margin_s
    if min_s < pack.ring_min_s:
        wrong.append(f"ring.min_s = {min_s} is less than the pack's {pack.ring_min_s}")
    if margin_s < pack.margin_s:
        wrong.append(f"ring.margin_s = {margin_s} is less than the pack's {pack.margin_s}")
    return replace(pack, ring_min_s=min_s, margin_s=margin_s)


def _abandon(pack: Pack, rules: Stricter, wrong: list[str]) -> Pack:
    form = rules.abandon
    if form is None:
        return pack
    rate = pack.abandon_rate_max if form.rate_max is None else form.rate_max
    limit_ms = pack.connect_limit_ms if form.connect_limit_ms is None else form.connect_limit_ms
    counts = pack.overflow_counts if form.overflow_counts is None else form.overflow_counts
    if rate > pack.abandon_rate_max:
        wrong.append(f"abandon.rate_max = {rate} is more than the pack's {pack.abandon_rate_max}")
    if limit_ms > pack.connect_limit_ms:
        wrong.append(f"abandon.connect_limit_ms = {limit_ms} is more than the pack's {pack.connect_limit_ms}")
    if pack.overflow_counts and not counts:
        wrong.append("abandon.overflow_counts = false: the pack counts them")
    return replace(pack, abandon_rate_max=rate, connect_limit_ms=limit_ms, overflow_counts=counts)


def _sources(rules: Stricter) -> Iterator[tuple[str, str]]:
    for name in Stricter.model_fields:
        table = getattr(rules, name)
        if isinstance(table, Rule):
            yield name, f"Operator's stricter rule {rules.id}@{rules.version}: {table.source}"
    for cap in rules.caps:
        yield cap.cap().name, f"Operator's stricter rule {rules.id}@{rules.version}: {cap.source}"


def _clock(days: Iterable[Span]) -> str:
    parts = [f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in days]
    return repr(", ".join(parts) or "closed")


def _without(some: Iterable[Span], closed: Iterable[Span]) -> tuple[Span, ...]:
    left = list(some)
    for begins, ends in closed:
        pieces = [
            piece for opens, closes in left for piece in ((opens, min(closes, begins)), (max(opens, ends), closes))
        ]
        left = [(opens, closes) for opens, closes in pieces if opens < closes]
    return tuple(left)
