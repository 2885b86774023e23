"""The lender's limits on disk: a TOML file with fields of plans.Limits, for all, by lender and by campaign."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from typing import Any

import structlog

from dialer.debts.plans import Given, Limits, Terms, loose, plain
from dialer.errors import ConfigError
from dialer.forms import forms
from dialer.forms.told import told
from dialer.forms.toml_lines import line_of, lines

_LINE = re.compile(r"\(at line (\d+)")
LENDER, CAMPAIGN, FLOW = "lender", "campaign", "flow"
_FIELDS = frozenset(field.name for field in fields(Limits))

Place = tuple[str, ...]
Fault = tuple[Place, str]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says; `flows`: campaign -> the IVR's conversation, and the line that names it."""

    rule: Limits
    terms: Terms
    flows: Mapping[str, tuple[str, int]]


def read_limits(path: Path) -> Read:
    """Raises ConfigError with every fault as file:line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    if found := faults_of(text):
        raise ConfigError("\n".join(f"{path}:{line}: {sentence}" for line, sentence in found))
    return parsed(text)


def faults_of(text: str) -> list[tuple[int, str]]:
    """(line, sentence) of each, in the file's order."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _LINE.search(str(error))
        return [(int(place[1]) if place else text.count("\n") + 1, told("no_toml", str(error), why=error))]
    where = lines(text)
    found = sorted((line_of(where, place), sentence) for place, sentence in _faults(data))
    return list(dict.fromkeys(found))


def parsed(text: str) -> Read:
    """What a text without faults says."""
    data, where = tomllib.loads(text), lines(text)
    lenders, campaigns = _sections(data, LENDER), _sections(data, CAMPAIGN)
    terms = Terms(
        {plain(name): _given(section) for name, section in lenders.items()},
        {name: _given(section) for name, section in campaigns.items()},
    )
    flows = {
        name: (section[FLOW], line_of(where, (CAMPAIGN, name, FLOW)))
        for name, section in campaigns.items()
        if FLOW in section
    }
    return Read(forms.converted(_own(data), Limits), terms, flows)


class LimitFile:
    """The limits of a file as it is now: it is read again when it has changed; one that is at fault changes nothing
    and is told once. Without a file the lender offers nothing. Raises ConfigError where the first reading fails."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp = self._look()
        self._read = read_limits(path) if path else Read(Limits(), Terms(), {})

    def limits(self, campaign: str, lender: str) -> Limits:
        """For a debt to this lender in this campaign."""
        stamp = self._look()
        if self._path is not None and stamp != self._stamp:
            self._stamp = stamp
            try:
                self._read = read_limits(self._path)
            except ConfigError as error:
                log.error("limits stay as they were", action="limits", error=error.detail)
        return self._read.terms.limits(self._read.rule, campaign, lender)

    def _look(self) -> tuple[int, int]:
        try:
            seen = self._path.stat() if self._path else None
        except OSError:
            seen = None
        return (seen.st_mtime_ns, seen.st_size) if seen else (0, 0)


def _faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """All of them: of each section, then of each lender in each campaign."""
    sections: list[tuple[Place, Mapping[str, Any]]] = [((), _own(data))]
    found: list[Fault] = []
    for kind in (LENDER, CAMPAIGN):
        whole = data.get(kind, {})
        named = whole.items() if isinstance(whole, dict) else [("", None)]
        sections += [((kind, name), section) for name, section in named if isinstance(section, dict)]
        found += [
            ((kind, name), told("section_name", f'{kind}: write [{kind}."its name"]', kind=kind))
            for name, one in named
            if not isinstance(one, dict)
        ]
    found += [fault for place, section in sections for fault in _in_section(place, section)]
    yield from found or _together(data)


def _in_section(place: Place, section: Mapping[str, Any]) -> Iterator[Fault]:
    known = _FIELDS | {FLOW} if place[:1] == (CAMPAIGN,) else _FIELDS
    for name in section.keys() - known:
        words = ", ".join(sorted(known))
        yield (*place, name), told("unknown_limit", f"unknown key {name}: use some of {words}", name=name, known=words)
    if not isinstance(section.get(FLOW, ""), str):
        yield (*place, FLOW), told("flow_name", "flow: use the name of a flow or of its file")
    for at, sentence in forms.faults({name: value for name, value in section.items() if name in _FIELDS}, Limits):
        yield (*place, *at), sentence


def _together(data: Mapping[str, Any]) -> Iterator[Fault]:
    """What no lender can mean, in any debt that may come."""
    lenders, campaigns = ({"": {}, **_sections(data, kind)} for kind in (LENDER, CAMPAIGN))
    for (lender, by_lender), (campaign, by_campaign) in product(lenders.items(), campaigns.items()):
        own = _own(data) | _limits(by_lender) | _limits(by_campaign)
        for sentence in loose(forms.converted(own, Limits)):
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
    whole = forms.converted(_limits(section), Limits)
    return {name: getattr(whole, name) for name in _limits(section)}
