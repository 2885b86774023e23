"""Reads rule packs, ours or the operator's, his stricter rules, and holidays: the library's, corrected by his file."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import holidays
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dialer.config import Trunk, validate_campaign
from dialer.errors import ConfigError
from dialer.forms import faults
from dialer.law.rulebook import HolidayRule, Pack, with_holidays
from dialer.law.rulebook_reading import parse_pack
from dialer.law.schedule import scheduled
from dialer.law.stricter import parse_stricter, tighten
from dialer.model import Campaign

RULES = Path(__file__).parent.parent / "rules"
DEMO = Path(__file__).parent.parent / "demo" / "rules_demo.toml"
DEMO_PACK = "demo"
OPERATOR = "operator"
YEARS_AHEAD = 2  # so that a process that runs over New Year does not stand still

log = structlog.get_logger()

Country = Annotated[str, Field(pattern=r"^([A-Z]{2})?$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    date: date


class _Closed(_Entry):
    name: Annotated[str, Field(min_length=3)]
    country: Country = ""  # empty: of every pack


class _Open(_Entry):
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    reason: Annotated[str, Field(min_length=10)]
    signed_by: Annotated[str, Field(min_length=3)]


class HolidayOverrides(BaseModel):
    """The operator's corrections: `closed` days are added; `open` ones are taken off, with reason and signature."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    closed: tuple[_Closed, ...] = ()
    open: tuple[_Open, ...] = ()


NO_OVERRIDES = HolidayOverrides()


def load_pack(
    campaign: Campaign,
    trunk: Trunk,
    at: float,
    folder: Path | None = None,
    corrections: Path | None = None,
    stricter: Sequence[Path] = (),
) -> Pack:
    """The pack of a campaign with its holidays from last year to YEARS_AHEAD after `at` (epoch seconds).

    `folder`: the operator's own packs, looked into before ours; `stricter`: files of rules that tighten it. Raises
    ConfigError with every reason for which the campaign may not run by this pack on this trunk; among them: the demo's
    pack is for the demo alone.
    """
    pack = read_pack(campaign.pack, folder)
    for path in stricter:
        rules = parse_stricter(_toml(path), path.name)
        if rules.concerns(pack.id, campaign.id):
            pack = tighten(pack, rules)
    if wrong := validate_campaign(campaign, pack, trunk):
        error = ConfigError(f"campaign {campaign.id}: {'; '.join(wrong)}.")
        error.faults = tuple(wrong)
        raise error
    pack = scheduled(pack, campaign)
    if pack.holiday_rule is None:
        return pack
    year = datetime.fromtimestamp(at, UTC).year
    years = range(year - 1, year + YEARS_AHEAD + 1)
    overrides = load_overrides(corrections) if corrections else NO_OVERRIDES
    return with_holidays(pack, closed_days(pack.holiday_rule, years, overrides), years)


def read_pack(name: str, folder: Path | None = None) -> Pack:
    """A pack by its id, without holidays. One of the operator's that is not as ours needs his signature.

    Raises ConfigError.
    """
    path = _path(name, folder)
    data = _toml(path)
    pack = parse_pack(data, f"rule pack {name}")
    if path.parent in (RULES, DEMO.parent) or _as_it_came(name, data):
        return pack
    signed = pack.signed_off
    if signed is None:
        raise ConfigError(
            f"rule pack {name}: {path} is not as it came along: add [signed_off] with by, on and reason, or tighten the"
            " pack that comes along by [rules] stricter."
        )
    said = {"by": signed.by, "on": str(signed.on), "reason": signed.reason}
    log.warning("a rule pack of the operator's own", action="pack_signed_off", pack=pack.label, file=str(path), **said)
    return replace(pack, label=f"{pack.label}+{OPERATOR}")


def _as_it_came(name: str, data: dict[str, Any]) -> bool:
    ours = RULES / f"{name}.toml"
    return ours.is_file() and _toml(ours) == {key: value for key, value in data.items() if key != "signed_off"}


def load_overrides(path: Path) -> HolidayOverrides:
    """The operator's corrections. Raises ConfigError: a file that was named is never passed over."""
    try:
        return HolidayOverrides.model_validate(_toml(path))
    except ValidationError as error:
        raise ConfigError(f"{path.name}: {'; '.join(faults.sentences(error))}.") from None


def closed_days(rule: HolidayRule, years: Iterable[int], overrides: HolidayOverrides = NO_OVERRIDES) -> frozenset[date]:
    """Every holiday of `years`, of all subdivisions that the rule names.

    A date that the library only estimates (Islamic feasts of coming years) closes the days beside it too, until the
    operator's corrections open them.
    """
    wanted = list(years)
    closed: set[date] = set()
    for part in rule.subdivisions or (None,):
        for day, name in _known(rule, part, wanted).items():
            beside = 1 if "estimated" in name else 0
            closed |= {day + timedelta(days=offset) for offset in range(-beside, beside + 1)}
    closed |= {entry.date for entry in overrides.closed if entry.country in ("", rule.country)}
    return frozenset(closed - {entry.date for entry in overrides.open if entry.country == rule.country})


def _known(rule: HolidayRule, part: str | None, years: list[int]) -> dict[date, str]:
    try:
        found = holidays.country_holidays(
            rule.country, subdiv=part, years=years, categories=rule.categories, language="en_US", expand=False
        )
    except (NotImplementedError, ValueError) as error:
        where = f"{rule.country} {part or ''}".strip()
        raise ConfigError(f"holidays of {where} {', '.join(rule.categories)}: {error}.") from error
    return dict(found)


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
