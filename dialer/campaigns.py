"""A campaign's settings out of an operator's words: what he gives, over what is there already; every fault at once."""

import dataclasses
import json
import tomllib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, get_type_hints

import msgspec

from dialer.errors import BadInput
from dialer.forms.told import told
from dialer.lists.recycle_form import read_rules
from dialer.model import CAMPAIGN_ID, Campaign, Kind, Mode

FIELDS = {name: kind for name, kind in get_type_hints(Campaign).items() if name != "id"}
_EXPECTED = {
    str: ("use_text", "a text"), int: ("use_whole", "a whole number"), float: ("use_number", "a number"),
    bool: ("use_bool", "true or false"),
}  # fmt: skip
_EXAMPLES = {
    dict[str, bool]: '{"meal": false, "training": true}',
    dict[str, str]: '{"mon": "09:00-12:00, 13:00-17:00", "sat": "closed"}',
}
_RETRIES = '{"busy": {"after_s": 1200, "times": 6}}'


def settings(
    campaign: str, given: Mapping[str, str], known: Campaign | None, caller_ids: Mapping[str, Sequence[str]]
) -> Campaign:
    """Changes only what is given; `caller_ids`: those of every trunk, the first trunk is the default.

    Raises BadInput with every fault. Whether law and trunk allow it is for config.validate_campaign to say.
    """
    if not CAMPAIGN_ID.fullmatch(campaign):
        raise BadInput(f"{campaign!r} is no campaign id: use up to 40 of a-z, 0-9 and -.")
    known_names = ", ".join(FIELDS)
    wrong: list[str] = [
        told("setting_unknown", f"{name}: unknown; use one of {known_names}", name=name, known=known_names)
        for name in given
        if name not in FIELDS
    ]
    read: dict[str, Any] = {}
    for name, text in given.items():
        if name in FIELDS:
            try:
                read[name] = read_rules(text) if name == "recycle" else _read(text, FIELDS[name])
            except BadInput as error:
                wrong += error.faults or [str(error)]
            except ValueError:  # msgspec's is one
                wrong.append(_unfit(name, text))
    if wrong:
        refused = BadInput(f"campaign {campaign}: {'; '.join(wrong)}.")
        refused.faults = tuple(wrong)
        raise refused
    base = known or Campaign(campaign, campaign, trunk=next(iter(caller_ids)))
    return _completed(dataclasses.replace(base, **read), read, caller_ids)


def _completed(wanted: Campaign, read: Mapping[str, Any], caller_ids: Mapping[str, Sequence[str]]) -> Campaign:
    """What follows from the words where the operator has not said it himself."""
    if "mode" not in read and wanted.kind is Kind.IVR:
        wanted = dataclasses.replace(wanted, mode=Mode.IVR)
    elif "mode" not in read and wanted.mode is Mode.IVR:
        wanted = dataclasses.replace(wanted, mode=Mode.PROGRESSIVE)
    shown = caller_ids.get(wanted.trunk, ())
    if "caller_id" not in read and shown and wanted.caller_id not in shown:
        wanted = dataclasses.replace(wanted, caller_id=shown[0])
    return wanted


def changes(before: Campaign, after: Campaign) -> list[str]:
    """`lines_max 30 -> 40` for each setting that differs."""
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in FIELDS)
    return [f"{name} {_shown(old)} -> {_shown(new)}" for name, old, new in pairs if old != new]


def described(campaign: Campaign) -> dict[str, str]:
    """Every setting as it would be given."""
    return {name: _shown(getattr(campaign, name)) for name in FIELDS}


def from_file(text: str, name: str) -> dict[str, str]:
    """The table `[campaign]` of a TOML file as words. Raises BadInput."""
    try:
        table = tomllib.loads(text)["campaign"]
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in table.items()}
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{name} is no TOML: {error}.") from None
    except (KeyError, AttributeError, TypeError):
        raise BadInput(f"{name}: write the settings into a table [campaign], times and days as text.") from None


def words(pairs: Sequence[str]) -> dict[str, str]:
    """`name=value` words as a mapping. Raises BadInput."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise BadInput(f"--set {pair}: use name=value.")
        found[name.strip()] = value.strip()
    return found


def _read(text: str, kind: Any) -> Any:
    return msgspec.convert(json.loads(text) if _is_table(kind) else text, kind, strict=False)


def _unfit(name: str, text: str) -> str:
    """A value that is none of its kind, with what to write instead."""
    kind, where = FIELDS[name], f"{name} = {text!r}"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        known = ", ".join(kind)
        return told("use_one_of", f"{where}: use one of {known}", where=where, known=known)
    if _is_table(kind):
        example = _EXAMPLES.get(kind, _RETRIES)
        return told("use_json", f"{where}: use JSON like {example}", where=where, example=example)
    code, expected = _EXPECTED[kind]
    return told(code, f"{where}: use {expected}", where=where)


def _is_table(kind: Any) -> bool:
    return not isinstance(kind, type) or issubclass(kind, dict)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(
            {name: one if isinstance(one, bool | str) else dataclasses.asdict(one) for name, one in value.items()}
        )
    return str(value).lower() if isinstance(value, bool) else str(value) or "-"
