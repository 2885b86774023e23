"""Reads rule packs, ours or the operator's, and holidays: from the library, corrected by the operator's file."""

import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import holidays
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dialer import faults
from dialer.config import Trunk, validate_campaign
from dialer.errors import ConfigError
from dialer.model import Campaign
from dialer.rulebook import HolidayRule, Pack, parse_pack, with_holidays

RULES = Path(__file__).parent.parent / "rules"
DEMO = Path(__file__).parent.parent / "demo" / "rules_demo.toml"
DEMO_PACK = "demo"
YEARS_AHEAD = 2  # so that a process that runs over New Year does not stand still


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    date: date


class _Closed(_Entry):
    name: Annotated[str, Field(min_length=3)]


class _Open(_Entry):
    reason: Annotated[str, Field(min_length=10)]
    signed_by: Annotated[str, Field(min_length=3)]


class HolidayOverrides(BaseModel):
    """The operator's corrections: `closed` days are added; `open` ones are taken off, with reason and signature."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    closed: tuple[_Closed, ...] = ()
    open: tuple[_Open, ...] = ()


NO_OVERRIDES = HolidayOverrides()


def load_pack(
    campaign: Campaign, trunk: Trunk, at: float, folder: Path | None = None, corrections: Path | None = None
) -> Pack:
    """The pack of a campaign with its holidays from last year to YEARS_AHEAD after `at` (epoch seconds).

    `folder`: the operator's own packs, looked into before ours. Raises ConfigError with every reason for which the
    campaign may not run by this pack on this trunk; among them: the demo's pack is for the demo alone.
    """
    pack = parse_pack(_toml(_path(campaign.pack, folder)), f"rule pack {campaign.pack}")
    if wrong := validate_campaign(campaign, pack, trunk):
        raise ConfigError(f"campaign {campaign.id}: {'; '.join(wrong)}.")
    if pack.holiday_rule is None:
        return pack
    year = datetime.fromtimestamp(at, UTC).year
    years = range(year - 1, year + YEARS_AHEAD + 1)
    overrides = load_overrides(corrections) if corrections else NO_OVERRIDES
    return with_holidays(pack, closed_days(pack.holiday_rule, years, overrides), years)


def load_overrides(path: Path) -> HolidayOverrides:
    """The operator's corrections. Raises ConfigError: a file that was named is never passed over."""
    try:
        return HolidayOverrides.model_validate(_toml(path))
    except ValidationError as error:
        raise ConfigError(f"{path.name}: {'; '.join(faults.sentences(error))}.") from None


def closed_days(rule: HolidayRule, years: Iterable[int], overrides: HolidayOverrides = NO_OVERRIDES) -> frozenset[date]:
    """Every holiday of `years`.

    A date that the library only estimates (Islamic feasts of coming years) closes the days beside it too, until the
    operator's corrections open them.
    """
    try:
        known = holidays.country_holidays(
            rule.country, years=list(years), categories=rule.categories, language="en_US", expand=False
        )
    except (NotImplementedError, ValueError) as error:
        raise ConfigError(f"holidays of {rule.country} {', '.join(rule.categories)}: {error}.") from error
    closed: set[date] = set()
    for day, name in known.items():
        beside = 1 if "estimated" in name else 0
        closed |= {day + timedelta(days=offset) for offset in range(-beside, beside + 1)}
    closed |= {entry.date for entry in overrides.closed}
    return frozenset(closed - {entry.date for entry in overrides.open})


def _path(name: str, folder: Path | None) -> Path:
    if name == DEMO_PACK:
        return DEMO  # no file of the operator's can stand in for it
    for place in (folder, RULES):
        path = place / f"{name}.toml" if place else None
        if path and name.replace("_", "").replace("-", "").isalnum() and path.is_file():
            return path
    known = sorted(path.stem for place in (folder, RULES) if place and place.is_dir() for path in place.glob("*.toml"))
    raise ConfigError(f"There is no rule pack {name!r}: use one of {', '.join(dict.fromkeys(known))}.")


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from error
