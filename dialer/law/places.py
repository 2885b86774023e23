"""Where a debtor is, and what his place opens: the windows in which the gate lets him be called, for the IVR too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dialer.law.number_plan import area_zones
from dialer.law.rulebook import Pack, Region, fold
from dialer.law.windows import Windows, begins
from dialer.model import Contact, Number

OTHER_HOURS = "other_hours"  # what a consent may be for

Place = tuple[str, str, tuple[str, ...], bool]  # zone, province, the numbers' own zones, consent to other hours


def place_of(contact: Contact, numbers: Sequence[Number], pack: Pack, at: float) -> Place:
    """As the pack sees it; of several numbers, hours have to suit all."""
    area = tuple(zone for one in numbers for zone in area_zones(one.e164)) if pack.number_zone else ()
    province = _province(pack, contact.province) if pack.regions else ""
    if pack.other_hours and any(
        consent.what == OTHER_HOURS and begins(windows_at(pack, contact.zone, province, area, False), consent.on) <= at
        for consent in contact.consents
    ):
        return contact.zone, province, area, True
    return contact.zone, province, area, False


@lru_cache(maxsize=8192)
def windows_at(pack: Pack, zone: str, province: str, area: tuple[str, ...], other_hours: bool) -> Windows:
    """All that has to be open there: the market's hours, a region's, the campaign's own."""
    # where address and area code differ, the hour has to suit both
    zones = tuple(dict.fromkeys((*((zone,) if zone else pack.zones), *area)))
    hours = pack.other_hours if other_hours and pack.other_hours else pack.hours
    parts = [(hours, one) for one in zones]
    own = [(pack.own_hours, one) for one in zones] if pack.own_hours else []
    for region in regions_at(pack, zone, province):
        if region.hours:
            parts += [(region.hours, one) for one in zones if one in region.zones] or [(region.hours, zones[0])]
    return Windows((*parts, *own))


@lru_cache(maxsize=8192)
def _province(pack: Pack, text: str) -> str:
    """A province that the pack knows, else nothing."""
    name = fold(text)
    return name if name in pack.provinces else ""


def regions_at(pack: Pack, zone: str, province: str) -> Iterator[Region]:
    """Those that hold for an address; of an unknown one, all that it may lie in."""
    for region in pack.regions:
        maybe = not province and (not zone or zone in region.zones)
        if province in region.provinces or maybe:
            yield region


# ---- a call that is promised ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """Of a campaign, for who does not place its calls: by the law alone, and with its own hours; `call_s`: to dial and
    ring."""

    lawful: Pack
    scheduled: Pack
    call_s: float


@dataclass(frozen=True, slots=True)
class Reach:
    """When one debtor may be called, by the law alone and within the campaign's own hours, and how long before they
    close a call has to begin."""

    lawful: Windows
    scheduled: Windows
    need_s: float


def reach_of(contact: Contact, rules: Rules, at: float) -> Reach:
    """As the gate would open for all his numbers."""
    place = place_of(contact, contact.numbers, rules.lawful, at)
    need_s = rules.call_s + rules.lawful.margin_s
    return Reach(windows_at(rules.lawful, *place), windows_at(rules.scheduled, *place), need_s)
