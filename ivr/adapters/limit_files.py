"""The lender's limits on disk: a TOML file with fields of offers.Limits, for all, by lender and by campaign."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dialer import faults
from dialer.errors import ConfigError
from ivr.adapters import flow_files
from ivr.flow import Flow
from ivr.flow_lines import line_of, lines
from ivr.offers import Limits, loose
from ivr.shipped import PAYMENT_REMINDER
from ivr.terms import Given, Terms, plain

LENDER, CAMPAIGN, FLOW = "lender", "campaign", "flow"
_FIELDS = frozenset(field.name for field in fields(Limits))

Place = tuple[str, ...]
Fault = tuple[Place, str]


def load_limits(path: Path | None) -> tuple[Limits, Terms]:
    """The rule, and what differs from it. Without a file: the defaults, which offer nothing.

    Raises ConfigError with every fault as file:line.
    """
    if path is None:
        return Limits(), Terms()
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    where = lines(text)
    found = sorted((line_of(where, place), sentence) for place, sentence in _faults(data))
    if found:
        raise ConfigError("\n".join(f"{path}:{line}: {sentence}" for line, sentence in dict.fromkeys(found)))
    lenders, campaigns = _sections(data, LENDER), _sections(data, CAMPAIGN)
    return TypeAdapter(Limits).validate_python(_own(data)), Terms(
        {plain(name): _given(section) for name, section in lenders.items()},
        {name: _given(section) for name, section in campaigns.items()},
        {name: _flow(path, section[FLOW], name, where) for name, section in campaigns.items() if FLOW in section},
    )


def _faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """All of them: of each section, then of each lender in each campaign."""
    sections: list[tuple[Place, Mapping[str, Any]]] = [((), _own(data))]
    found: list[Fault] = []
    for kind in (LENDER, CAMPAIGN):
        whole = data.get(kind, {})
        named = whole.items() if isinstance(whole, dict) else [("", None)]
        sections += [((kind, name), section) for name, section in named if isinstance(section, dict)]
        found += [
            ((kind, name), f'{kind}: write [{kind}."its name"]') for name, one in named if not isinstance(one, dict)
        ]
    found += [fault for place, section in sections for fault in _in_section(place, section)]
    yield from found or _together(data)


def _in_section(place: Place, section: Mapping[str, Any]) -> Iterator[Fault]:
    known = _FIELDS | {FLOW} if place[:1] == (CAMPAIGN,) else _FIELDS
    for name in section.keys() - known:
        yield (*place, name), f"unknown key {name}: use some of {', '.join(sorted(known))}"
    if not isinstance(section.get(FLOW, ""), str):
        yield (*place, FLOW), "flow: use the name of a flow or of its file"
    try:
        TypeAdapter(Limits).validate_python({name: value for name, value in section.items() if name in _FIELDS})
    except ValidationError as error:
        for fault, sentence in zip(error.errors(), faults.sentences(error), strict=True):
            yield (*place, *map(str, fault["loc"])), sentence


def _together(data: Mapping[str, Any]) -> Iterator[Fault]:
    """What no lender can mean, in any debt that may come."""
    lenders, campaigns = ({"": {}, **_sections(data, kind)} for kind in (LENDER, CAMPAIGN))
    for (lender, by_lender), (campaign, by_campaign) in product(lenders.items(), campaigns.items()):
        own = _own(data) | _limits(by_lender) | _limits(by_campaign)
        for sentence in loose(TypeAdapter(Limits).validate_python(own)):
            name = sentence.split(" ", 1)[0]
            places = [(CAMPAIGN, campaign, name), (LENDER, lender, name), (name,)]
            given = [name in by_campaign, name in by_lender, True]
            yield next(place for place, is_given in zip(places, given, strict=True) if is_given), sentence


def _own(data: Mapping[str, Any]) -> dict[str, Any]:
    """What holds for all."""
    return {name: value for name, value in data.items() if name not in (LENDER, CAMPAIGN)}


def _sections(data: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return dict(data.get(kind, {}))


def _limits(section: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in section.items() if name != FLOW}


def _given(section: Mapping[str, Any]) -> Given:
    """In the types of Limits."""
    whole = TypeAdapter(Limits).validate_python(_limits(section))
    return {name: getattr(whole, name) for name in _limits(section)}


def _flow(path: Path, name: str, campaign: str, where: dict[Place, int]) -> Flow:
    try:
        return flow_files.load(name if name == PAYMENT_REMINDER else str(path.parent / name))
    except ConfigError as error:
        line = line_of(where, (CAMPAIGN, campaign, FLOW))
        raise ConfigError(f"{path}:{line}: flow = {name}: {error.detail}") from None
