"""How `dialer preview` looks: tables, bars and JSON; nothing is decided here."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dialer.law.rulebook import Pack
from dialer.lists.preview import CALLABLE, Preview, citation, sentence

BAR = 40
COLUMNS = 6  # rules with a column of their own; the rest share one
OTHERS = "others"
ASSUMED = "if nobody is called meanwhile"


def preview(campaign: str, seen: Preview, pack: Pack) -> RenderableType:
    """A day: bars, hours by rules, the sum, the reasons."""
    parts: list[RenderableType] = [Text(_head(campaign, seen, pack), style="bold"), Text("")]
    parts += [_chart(seen), Text(""), _hours(seen), Text(""), *_sums(seen), Text(""), _reasons(seen, pack)]
    return Group(*parts)


def preview_data(campaign: str, seen: Preview, pack: Pack) -> dict[str, Any]:
    """The same for programs; where a sample was looked at, figures are estimates of the whole list."""
    zone = ZoneInfo(seen.day.zone)
    return {
        "campaign": campaign,
        "day": seen.day.day.isoformat(),
        "zone": seen.day.zone,
        "pack": pack.label,
        "assumes": ASSUMED,
        "contacts": seen.total,
        "looked_at": seen.looked,
        "sample": seen.sampled,
        "callable": _figure(seen, seen.callable_some_time),
        "skipped": _figure(seen, seen.looked - seen.callable_some_time),
        "hours": [
            {
                "hour": f"{datetime.fromtimestamp(start, zone):%H:%M}",
                "callable": seen.estimate(words.get(CALLABLE, 0)),
                "refused": {rule: seen.estimate(count) for rule, count in sorted(words.items()) if rule != CALLABLE},
            }
            for start, words in zip(seen.day.hours, seen.by_hour, strict=False)
            if words
        ],
        "rules": [
            {
                "rule": rule,
                "all_day": _figure(seen, seen.never.get(rule, 0)),
                "sentence": sentence(rule, pack, seen.said),
                "source": citation(rule, pack),
            }
            for rule in _rules(seen)
        ],
    }


def _figure(seen: Preview, count: int) -> dict[str, Any]:
    low, high = seen.interval(count)
    return {"contacts": seen.estimate(count)} | ({"at_least": low, "at_most": high} if seen.sampled else {})


def _head(campaign: str, seen: Preview, pack: Pack) -> str:
    said = f"{campaign} on {seen.day.day:%A %Y-%m-%d} ({seen.day.zone}), {ASSUMED}, by {pack.label}"
    if not seen.sampled:
        return f"{said}: all {seen.total:,} contacts looked at."
    return (
        f"{said}: {seen.looked:,} of {seen.total:,} contacts looked at, drawn at random; figures are estimates for"
        " the whole list, in brackets with their 95 % interval (--all looks at everybody)."
    )


def _chart(seen: Preview) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right")
    table.add_column()
    table.add_column(justify="right")
    table.add_row("hour", Text.assemble(("█ callable", "green"), "  ", ("░ refused", "red")), "callable")
    for hour, words in _written(seen):
        total = sum(words.values())
        share = words.get(CALLABLE, 0) / total
        full = min(BAR, max(round(share * BAR), int(share > 0)))
        bar = Text.assemble(("█" * full, "green"), ("░" * (BAR - full), "red"))
        table.add_row(hour, bar, f"{share:.0%}")
    return table


def _hours(seen: Preview) -> Table:
    rules = _rules(seen)
    named, others = rules[:COLUMNS], rules[COLUMNS:]
    table = Table("hour", box=None, pad_edge=False)
    for name in ("callable", *named, *([OTHERS] if others else [])):
        table.add_column(name, justify="right", overflow="fold")
    for hour, words in _written(seen):
        counts = [words.get(CALLABLE, 0), *(words.get(rule, 0) for rule in named)]
        counts += [sum(words.get(rule, 0) for rule in others)] if others else []
        table.add_row(hour, *(f"{seen.estimate(count):,}" if count else "-" for count in counts))
    return table


def _sums(seen: Preview) -> list[Text]:
    skipped = seen.looked - seen.callable_some_time
    return [
        Text(f"Callable at some time that day: {_said(seen, seen.callable_some_time)} of {seen.total:,} contacts."),
        Text(f"Skipped all day: {_said(seen, skipped)}."),
    ]


def _reasons(seen: Preview, pack: Pack) -> Table:
    table = Table("rule", box=None, pad_edge=False)
    table.add_column("all day", justify="right")
    table.add_column("why, and where it is written", overflow="fold")
    for rule in _rules(seen):
        source = citation(rule, pack)
        why = f"{sentence(rule, pack, seen.said)} {source}".strip()
        table.add_row(rule, _said(seen, seen.never.get(rule, 0)), Text(why))
    return table


def _said(seen: Preview, count: int) -> str:
    if not seen.sampled:
        return f"{count:,}"
    low, high = seen.interval(count)
    return f"{seen.estimate(count):,} [{low:,} to {high:,}]"


def _written(seen: Preview) -> list[tuple[str, Mapping[str, int]]]:
    """(hours on the clock, their words) of what is still to come; hours that are all alike are one row."""
    zone = ZoneInfo(seen.day.zone)
    found: list[tuple[str, str, Mapping[str, int]]] = []
    for (start, end), words in zip(pairwise(seen.day.hours), seen.by_hour, strict=False):
        if not words:
            continue
        begins, ends = (f"{datetime.fromtimestamp(moment, zone):%H:%M}" for moment in (start, end))
        ends = "24:00" if end == seen.day.ends else ends
        if found and found[-1][2] == words:
            begins, _, _ = found.pop()
        found.append((begins, ends, words))
    return [(f"{begins}-{ends}", words) for begins, ends, words in found]


def _rules(seen: Preview) -> list[str]:
    """Those that refuse anybody, the most hours first."""
    sums: Counter[str] = Counter()
    for words in seen.by_hour:
        sums.update(words)
    del sums[CALLABLE]
    return [rule for rule, _ in sorted(sums.items(), key=lambda one: (-one[1], one[0]))]
