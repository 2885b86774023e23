"""From a rule pack's file to the pack: nothing is used before all of it is sound."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from dialer.errors import ConfigError
from dialer.forms import faults
from dialer.law.number_plan import prefixes
from dialer.law.rulebook import JOINT_LEAVE, CallBack, HolidayRule, Hours, Pack, Region, SignedOff, Silence, fold
from dialer.law.rulebook_form import (
    AgentSilenceForm,
    CallBackForm,
    HolidaysForm,
    PackForm,
    RegionForm,
    Rule,
    SignedOffForm,
    slug,
)


def parse_pack(data: Mapping[str, Any], name: str = "rule pack") -> Pack:
    """A pack from a parsed TOML file, with no holidays in it yet: give them by rulebook.with_holidays.

    Until then a pack that has a holiday rule is closed on every day. Raises ConfigError with all faults at once.
    """
    try:
        form = PackForm.model_validate(dict(data))
    except ValidationError as error:
        raise ConfigError(f"{name}: " + "; ".join(faults.sentences(error))) from None
    return _pack(form)


def _pack(form: PackForm) -> Pack:
    years = frozenset[int]() if form.holidays else None
    return Pack(
        id=form.id,
        version=form.version,
        title=form.title,
        label=f"{form.id}@{form.version}",
        zones=form.zones,
        provinces=frozenset(fold(name) for pair in form.provinces.items() for name in pair),
        hours=Hours(form.hours.days(), form.hours.always, years=years),
        other_hours=Hours(form.other_hours.days(), years=years, name="other_hours") if form.other_hours else None,
        number_zone=form.hours.number_zone,
        holiday_rule=_holiday_rule(form.holidays) if form.holidays else None,
        countries=form.numbers.countries,
        prefixes=prefixes(form.numbers.countries),
        kinds=frozenset(form.numbers.kinds),
        types=frozenset(form.numbers.types),
        consent_types=frozenset(form.consent.types if form.consent else ()),
        caps=tuple(cap.cap() for cap in form.caps),
        callback=_callback(form.callback) if form.callback else None,
        conversation=Silence(form.conversation.silence_hours * 3600),
        after_abandoned=_silence(form.after_abandoned),
        after_machine=_silence(form.after_machine),
        regions=tuple(_region(region, form.provinces) for region in form.regions),
        ring_min_s=form.ring.min_s,
        margin_s=form.ring.margin_s,
        connect_limit_ms=form.abandon.connect_limit_ms,
        abandon_rate_max=form.abandon.rate_max,
        abandon_window=form.abandon.window,
        overflow_counts=form.abandon.overflow_counts,
        caller_id_required=form.caller_id.required,
        only_trunk_loopback=form.only_trunk_loopback,
        sources=MappingProxyType(_sources(form)),
        signed_off=_signed_off(form.signed_off) if form.signed_off else None,
    )


def _holiday_rule(form: HolidaysForm) -> HolidayRule:
    more = (JOINT_LEAVE,) if form.joint_leave else ()
    return HolidayRule(form.country, tuple(dict.fromkeys(form.categories + more)), form.subdivisions)


def _callback(form: CallBackForm) -> CallBack:
    return CallBack(frozenset(form.overrides), form.tolerance_minutes * 60, form.max_days * 86400)


def _silence(form: AgentSilenceForm | None) -> Silence:
    return Silence(form.silence_hours * 3600, form.agent_lifts) if form else Silence()


def _region(form: RegionForm, provinces: Mapping[str, str]) -> Region:
    wanted = {fold(name) for name in form.provinces}
    both = [{fold(code), fold(name)} for code, name in provinces.items()]  # written either way
    return Region(
        form.name,
        frozenset(name for pair in both if pair & wanted for name in pair),
        frozenset(form.zones),
        Hours(form.hours.days(), name=f"hours_{slug(form.name)}") if form.hours else None,
        tuple(cap.cap(form.name) for cap in form.caps),
    )


def _sources(form: PackForm) -> dict[str, str]:
    rules = {name: getattr(form, name) for name in PackForm.model_fields}
    found = {name: rule.source for name, rule in rules.items() if isinstance(rule, Rule)}
    found |= {f"hours_{slug(region.name)}": region.hours.source for region in form.regions if region.hours}
    return found | {cap.name: source.source for source, cap in form.all_caps()}


def _signed_off(form: SignedOffForm) -> SignedOff:
    return SignedOff(form.by, form.on, form.reason)
