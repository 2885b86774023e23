"""The gate a second time, slow and simple: whether one moment is legal, read off the wall clock and the pack's file.

Written from the rules, not from the gate: it walks through the whole ring minute by minute, knows nothing of openings,
caches or UTC days, and takes what it needs from the file's own tables where the pack is one that comes along.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers

from dialer.law.rulebook import Hours, Of, Pack, Region
from dialer.model import Contact, History, Number, NumberState

TYPES = {value: name.lower() for name, value in vars(phonenumbers.PhoneNumberType).items() if isinstance(value, int)}
STEP_S = 60


def legal(
    contact: Contact, number: Number, person: History, past: History, pack: Pack, at: float, call_s: float,
    campaign: str, guaranteed: bool,
) -> bool:  # fmt: skip
    """Whether a call that starts at `at` breaks no rule."""
    return (
        number_may_ring(contact, number, pack)
        and not stopped(contact, person, campaign)
        and not stopped(contact, past, campaign)
        and not (contact.zone and contact.zone not in pack.zones)
        and not (contact.expires and at + call_s + pack.margin_s > contact.expires)
        and agreed(contact, number, pack, at)
        and rested(contact, person, past, pack, at, guaranteed)
        and open_all_along(contact, number, pack, at, call_s + pack.margin_s)
    )


def stopped(contact: Contact, past: History, campaign: str) -> bool:
    if past.stop or past.dead:
        return True
    for scope in past.stops:
        word = scope.lower()
        if word.startswith("lender:") and contact.lender and word != f"lender:{contact.lender.lower()}":
            continue
        if word.startswith("campaign:") and campaign and word != f"campaign:{campaign}":
            continue
        return True
    return False


def line(number: Number) -> tuple[str, str]:
    """Country and type, by libphonenumber itself."""
    return _line(number.e164)


@lru_cache
def _line(e164: str) -> tuple[str, str]:
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return "", ""
    if phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) != e164:
        return "", ""
    kind = TYPES[phonenumbers.number_type(parsed)]
    return phonenumbers.region_code_for_number(parsed) or "", "personal" if kind == "personal_number" else kind


def number_may_ring(contact: Contact, number: Number, pack: Pack) -> bool:
    country, kind = line(number)
    return (
        number in contact.numbers
        and number.state in (NumberState.UNTRIED, NumberState.GOOD)
        and number.kind in pack.kinds
        and country in pack.countries
        and kind in {str(one) for one in pack.types}
    )


def agreed(contact: Contact, number: Number, pack: Pack, at: float) -> bool:
    if line(number)[1] not in {str(one) for one in pack.consent_types}:
        return True
    zones = zones_of(contact, number, pack)
    return any(
        consent.what == "calls" and all(local(at, zone).date() >= consent.on for zone in zones)
        for consent in contact.consents
    )


def rested(contact: Contact, person: History, past: History, pack: Pack, at: float, guaranteed: bool) -> bool:
    """No silence, no cap stands against it."""
    passed = pack.callback.overrides if pack.callback and his_minute(contact, person, pack, at) else frozenset()
    for one in (person, past):
        if one.silent_until > at:
            return False
        if "conversation" not in passed and any(at - talk < pack.conversation.seconds for talk in one.conversations):
            return False
        for last, silence in ((one.abandoned_at, pack.after_abandoned), (one.machine_at, pack.after_machine)):
            if last and at - last < silence.seconds and not (guaranteed and silence.agent_lifts):
                return False
    hard = person.hardship or past.hardship
    caps = [*pack.caps, *(cap for region in pack.regions if holds(region, contact, pack) for cap in region.caps)]
    for cap in caps:
        if (cap.hardship and not hard) or cap.name in passed:
            continue
        attempts = person.attempts if cap.of is Of.PERSON else past.attempts
        if len([moment for moment in attempts if at - moment < cap.window_s]) >= cap.count:
            return False
    return True


def his_minute(contact: Contact, person: History, pack: Pack, at: float) -> bool:
    rule, chosen = pack.callback, contact.callback_at
    return (
        rule is not None
        and chosen > 0
        and contact.last_at > 0
        and chosen <= at <= chosen + rule.tolerance_s
        and contact.last_at <= chosen <= contact.last_at + rule.max_s
        and all(attempt < chosen for attempt in person.attempts)
    )


def holds(region: Region, contact: Contact, pack: Pack) -> bool:
    name = contact.province.strip().lower()
    if name in pack.provinces:
        return name in region.provinces
    return contact.zone in region.zones or not contact.zone


def zones_of(contact: Contact, number: Number, pack: Pack) -> Iterable[str]:
    zones = {contact.zone} if contact.zone else set(pack.zones)
    if pack.number_zone:
        from phonenumbers.timezone import time_zones_for_geographical_number

        zones |= set(time_zones_for_geographical_number(phonenumbers.parse(number.e164)))
    return zones


def local(at: float, zone: str) -> datetime:
    return datetime.fromtimestamp(at, ZoneInfo(zone))


def open_all_along(contact: Contact, number: Number, pack: Pack, first: float, need_s: float) -> bool:
    """By the wall clock alone, from the first second of the ring to the last of the margin."""
    hours = pack.hours
    zones = zones_of(contact, number, pack)
    if pack.other_hours and any(
        consent.what == "other_hours" and all(local(first, zone).date() >= consent.on for zone in zones)
        for consent in contact.consents
    ):
        hours = pack.other_hours
    parts = [(hours, zone) for zone in zones]
    for region in pack.regions:
        if region.hours and holds(region, contact, pack):
            there = [zone for zone in zones if zone in region.zones]
            # a contact of the region who is said to live elsewhere: by the clock of where he lives
            parts += [(region.hours, zone) for zone in there or ([contact.zone] if contact.zone else zones)]
    return all(open_span(one, zone, first, first + need_s) for one, zone in parts)


def open_span(hours: Hours, zone: str, first: float, last: float) -> bool:
    """Whether all of [first, last] lies in one open span of one day."""
    if hours.always:
        return True
    begins = local(first, zone)
    if begins.date() in hours.holidays or (hours.years is not None and begins.year not in hours.years):
        return False
    for opens, closes in hours.days[begins.weekday()]:
        step = first
        while step < last and inside(local(step, zone), begins, opens, closes):
            step += STEP_S
        if step >= last and (inside(local(last, zone), begins, opens, closes) or ends_the_day(last, zone, closes)):
            return True
    return False


def inside(now: datetime, begins: datetime, opens: int, closes: int) -> bool:
    minute = now.hour * 60 + now.minute + (now.second + now.microsecond / 1e6) / 60
    return now.date() == begins.date() and opens <= minute <= closes


def ends_the_day(last: float, zone: str, closes: int) -> bool:
    """24:00 is 00:00 of the next day."""
    now = local(last, zone)
    return closes == 24 * 60 and (now.hour, now.minute, now.second, now.microsecond) == (0, 0, 0, 0)
