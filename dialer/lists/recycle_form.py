"""Rules of recycling as an operator writes them, TOML or JSON -> Recycle by outcome; every fault at once."""

import json
import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from dialer.errors import BadInput
from dialer.forms.told import told
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
        raise _refused(*wrong)
    return rules


def _refused(*wrong: str) -> BadInput:
    refused = BadInput("; ".join(wrong))
    refused.faults = wrong
    return refused


def faults(rules: Mapping[str, Recycle]) -> list[str]:
    """What is wrong with these, each with its cure."""
    wrong: list[str] = []
    for outcome, rule in rules.items():
        if outcome not in set(Outcome):
            known = ", ".join(Outcome)
            where = f"recycle.{outcome}"
            wrong.append(told("use_one_of", f"{where}: unknown outcome; use one of {known}", where=where, known=known))
            continue
        for name, value, low, high in (
            ("after", rule.after_s, 1, MOST_S),
            ("factor", rule.factor, 1, FACTOR_MAX),
            ("times", rule.times, 1, TIMES_MAX),
        ):
            if not low <= value <= high:
                unit = " seconds" if name == "after" else ""
                short = f"recycle.{outcome}.{name} = {value:.10g}: use {low} to {high:.10g}{unit}"
                facts = {"name": f"recycle.{outcome}.{name}", "value": f"{value:.10g}", "high": f"{high:.10g}"}
                wrong.append(told("range", short, low=low, **facts))
    return wrong


def _tables(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except ValueError as error:
        unread = f"recycle: no TOML and no JSON ({error}); write {EXAMPLE}"
        raise _refused(told("recycle_unread", unread, why=error, example=EXAMPLE)) from None
    for key in ("campaign", "recycle"):
        if isinstance(data, dict) and key in data:
            data = data[key]
    if not isinstance(data, dict):
        raise _refused(told("recycle_tables", f"recycle: use a table for each outcome, as {EXAMPLE}", example=EXAMPLE))
    return data


def _rule(outcome: str, table: Any, wrong: list[str]) -> Recycle | None:
    where = f"recycle.{outcome}"
    if not isinstance(table, dict):
        wrong.append(told("recycle_tables", f"{where}: use a table, as {EXAMPLE}", example=EXAMPLE))
        return None
    table = {"after" if key == "after_s" else key: value for key, value in table.items()}
    for key in table:
        if key not in _KEYS:
            known = ", ".join(_KEYS)
            wrong.append(
                told("use_one_of", f"{where}.{key}: unknown; use {known}", where=f"{where}.{key}", known=known)
            )
    if "after" not in table:
        wrong.append(told("set_key", f'set {where}.after, as "4h"', name=f"{where}.after"))
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
    said = f"{where} = {value!r}"
    wrong.append(told("use_time", f'{said}: use seconds, or "90s", "20m", "4h", "2d"', where=said))
    return 1


def _number(value: Any, where: str, wrong: list[str], whole: bool = False) -> float:
    if isinstance(value, int if whole else int | float) and not isinstance(value, bool):
        return float(value)
    said = f"{where} = {value!r}"
    if whole:
        wrong.append(told("use_whole", f"{said}: use a whole number", where=said))
    else:
        wrong.append(told("use_number", f"{said}: use a number", where=said))
    return 1.0


def _word(value: Any, kind: type[W], where: str, wrong: list[str]) -> W:
    try:
        return kind(value)
    except ValueError:
        said, known = f"{where} = {value!r}", ", ".join(kind)
        wrong.append(told("use_one_of", f"{said}: use one of {known}", where=said, known=known))
        return next(iter(kind))
