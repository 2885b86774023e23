"""Rules of recycling as an operator writes them, TOML or JSON -> Recycle by outcome; every fault at once."""

import json
import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from dialer.errors import BadInput
from dialer.lists.recycling import DAY_S, HOUR_S, MINUTE_S, MOST_S
from dialer.model import DayPart, NextNumber, Outcome, Recycle

EXAMPLE = 'no_answer = {after = "4h", factor = 1.5, times = 6, number = "next", day_part = "other"}'
TIMES_MAX = 50
FACTOR_MAX = 10.0
_UNITS = {"s": 1, "m": MINUTE_S, "h": HOUR_S, "d": DAY_S}
_DURATION = re.compile(r"([0-9]{1,7})\s*([smhd])")
W = TypeVar("W", bound=StrEnum)
_KEYS = ("after", "factor", "times", "number", "day_part")


def read_rules(text: str) -> dict[str, Recycle]:
    """The rules in `text`: a table by outcome, alone or as `[campaign.recycle.OUTCOME]` of a campaign's file.

    Raises BadInput with every fault.
    """
    wrong: list[str] = []
    found = {outcome: _rule(outcome, table, wrong) for outcome, table in _tables(text).items()}
    rules = {outcome: rule for outcome, rule in found.items() if rule is not None}
    wrong += faults(rules)
    if wrong:
        raise BadInput("; ".join(wrong))
    return rules


def faults(rules: Mapping[str, Recycle]) -> list[str]:
    """What is wrong with these, each with its cure."""
    wrong = []
    for outcome, rule in rules.items():
        if outcome not in set(Outcome):
            wrong.append(f"recycle.{outcome}: unknown outcome; use one of {', '.join(Outcome)}")
            continue
        for name, value, low, high in (
            ("after", rule.after_s, 1, MOST_S),
            ("factor", rule.factor, 1, FACTOR_MAX),
            ("times", rule.times, 1, TIMES_MAX),
        ):
            if not low <= value <= high:
                unit = " seconds" if name == "after" else ""
                wrong.append(f"recycle.{outcome}.{name} = {value:.10g}: use {low} to {high:.10g}{unit}")
    return wrong


def _tables(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except ValueError as error:
        raise BadInput(f"recycle: no TOML and no JSON ({error}); write {EXAMPLE}") from None
    for key in ("campaign", "recycle"):
        if isinstance(data, dict) and key in data:
            data = data[key]
    if not isinstance(data, dict):
        raise BadInput(f"recycle: use a table for each outcome, as {EXAMPLE}")
    return data


def _rule(outcome: str, table: Any, wrong: list[str]) -> Recycle | None:
    where = f"recycle.{outcome}"
    if not isinstance(table, dict):
        wrong.append(f"{where}: use a table, as {EXAMPLE}")
        return None
    table = {"after" if key == "after_s" else key: value for key, value in table.items()}
    for key in table:
        if key not in _KEYS:
            wrong.append(f"{where}.{key}: unknown; use {', '.join(_KEYS)}")
    if "after" not in table:
        wrong.append(f'set {where}.after, as "4h"')
    before = len(wrong)
    rule = Recycle(
        after_s=_seconds(table.get("after", 1), f"{where}.after", wrong),
        factor=_number(table.get("factor", 1.0), f"{where}.factor", wrong),
        times=int(_number(table.get("times", 6), f"{where}.times", wrong, whole=True)),
        number=_word(table.get("number", NextNumber.NEXT), NextNumber, f"{where}.number", wrong),
        day_part=_word(table.get("day_part", DayPart.ANY), DayPart, f"{where}.day_part", wrong),
    )
    return rule if len(wrong) == before else None


def _seconds(value: Any, where: str, wrong: list[str]) -> int:
    written = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if written:
        return int(written[1]) * _UNITS[written[2]]
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    wrong.append(f'{where} = {value!r}: use seconds, or "90s", "20m", "4h", "2d"')
    return 1


def _number(value: Any, where: str, wrong: list[str], whole: bool = False) -> float:
    if isinstance(value, int if whole else int | float) and not isinstance(value, bool):
        return float(value)
    wrong.append(f"{where} = {value!r}: use a {'whole ' if whole else ''}number")
    return 1.0


def _word(value: Any, kind: type[W], where: str, wrong: list[str]) -> W:
    try:
        return kind(value)
    except ValueError:
        wrong.append(f"{where} = {value!r}: use one of {', '.join(kind)}")
        return next(iter(kind))
