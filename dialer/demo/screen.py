"""What one sees while the demo runs: a screen of exactly the terminal's size, or one line where there is none."""

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from dialer.commands import show

Record = Mapping[str, str]

WIDE = 150  # columns: campaigns side by side
LABEL = 9
BAR = 20
CHOICES_WIDTH = 24
COLOURS = {"connected": "green", "ivr": "green", "overflowed": "yellow", "abandoned": "red", "machine": "yellow"}
HINT = "Ctrl-C ends it · invented debtors, pack demo: open hours"


@dataclass(frozen=True, slots=True)
class View:
    """What there is to show. `listed`: campaign -> debtors it was given; `window`: over which the law measures."""

    seen: Sequence[Mapping[str, Any]]
    outcomes: Sequence[Record]
    listed: Mapping[str, int]
    says: str  # "0:44 left"
    window: str = ""
    door: Sequence[str] = ()  # where people sign in


def live(view: View, width: int, height: int) -> RenderableType:
    """As many lines as the terminal has, none longer than it is wide."""
    side_by_side = width >= WIDE and len(view.seen) > 1
    each = width // 2 - 1 if side_by_side else width
    blocks = [_campaign(view, one, each) for one in view.seen]
    used = 1 + len(view.door) + (max(map(len, blocks), default=0) if side_by_side else sum(map(len, blocks)))
    head = _line(Text.assemble((f"Santun demo  {view.says}", "bold"), "  ", (HINT, "dim")))
    return Group(
        head,
        *(_line(Text(line, "cyan")) for line in view.door),
        _side_by_side(blocks) if side_by_side else Group(*map(_joined, blocks)),
        _tail(view, height - used),
    )


def line(view: View) -> str:
    """The same in one line."""
    words = [_in_words(view, one) for one in view.seen if "due" in one]
    return f"{view.says} | " + " | ".join(words or ["the engine takes the campaigns over"])


def _in_words(view: View, one: Mapping[str, Any]) -> str:
    done = len(_of(one, view.outcomes))
    idle = sum(agent["state"] == "idle" for agent in one["agents"])
    return (
        f"{one['campaign']}: {one['due']} to call, {one['later']} later, {one['lines']} lines, {idle} of"
        f" {one['working']} agents free, {done} outcomes, abandoned {_abandoned(one, view.window)}; {one['reason']}"
    )


def _of(one: Mapping[str, Any], outcomes: Sequence[Record]) -> list[Record]:
    return [record for record in outcomes if record["campaign"] == one["campaign"]]


def _campaign(view: View, seen: Mapping[str, Any], width: int) -> list[RenderableType]:
    """Title and rows; always as many lines, so that nothing jumps."""
    reason_lines = 3 if width < 90 else 2
    title = Rule(Text(f"{seen['campaign']}: {seen.get('status', 'starting')}", "bold"), align="left", style="dim")
    if "due" not in seen:
        waiting = [_row("", seen.get("reason", "")), *(_row("", "") for _ in range(3 + reason_lines))]
        return [title, *waiting]
    outcomes = _of(seen, view.outcomes)
    reason = textwrap.wrap(seen["reason"], width - LABEL - 1, max_lines=reason_lines, placeholder=" …")
    reason += [""] * (reason_lines - len(reason))
    return [
        title,
        _row("list", _list(seen, view.listed.get(seen["campaign"], 0))),
        _row("lines", f"{seen['lines']} in use: {show.counts(show.calls(seen['calls']))}"),
        _row("agents", show.counts(show.agents(seen["agents"]))),
        _row("answers", _answers(seen, outcomes, view.window)),
        *(_row("" if number else "pacing", Text(part, "cyan")) for number, part in enumerate(reason)),
    ]


def _row(label: str, value: Text | str) -> Text:
    return _line(Text.assemble((f"{label:<{LABEL}}", "dim"), value))


def _line(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _joined(block: Sequence[RenderableType]) -> RenderableType:
    return Group(*block)


def _side_by_side(blocks: Sequence[Sequence[RenderableType]]) -> RenderableType:
    grid = Table.grid(expand=True, padding=(0, 1))
    for _ in blocks:
        grid.add_column(ratio=1)
    grid.add_row(*map(_joined, blocks))
    return grid


def _list(seen: Mapping[str, Any], listed: int) -> Text:
    due, later = seen["due"], seen["later"]
    full = min(BAR, max(round(BAR * due / listed), int(due > 0))) if listed else 0
    again = f", {later} to be called again later" if later else ""
    bar = Text.assemble(("█" * full, "blue"), ("░" * (BAR - full), "dim"))
    return bar.append(f" {due} of {listed} to call{again}")


def _answers(seen: Mapping[str, Any], outcomes: Sequence[Record], window: str) -> str:
    """People as they answer; the share of calls only when these are over, which for a talk is later."""
    by_people = sum(record["live"] == "1" for record in outcomes)
    share = f"; {by_people / len(outcomes):.0%} of {len(outcomes)} calls answered" if outcomes else ""
    return f"{_rate(seen, window).get('live', 0)} people, abandoned {_abandoned(seen, window)}{share}"


def _abandoned(seen: Mapping[str, Any], window: str) -> str:
    return f"{_rate(seen, window).get('rate', 0.0):.1%} (limit {seen['abandon_rate_max']:.1%})"


def _rate(seen: Mapping[str, Any], window: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = seen["abandon"].get(window, {})
    return found


def _tail(view: View, height: int) -> RenderableType:
    """Last outcomes, newest first, and beside them what was chosen by keypad."""
    rows = max(0, height - 1)
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(ratio=1)
    grid.add_column(width=CHOICES_WIDTH)
    chosen = Counter(record["ivr_choice"] for record in view.outcomes if record["ivr_choice"])
    newest = [_outcome(record) for record in reversed(view.outcomes[-rows:])] if rows else []
    choices = [_line(Text(f"{count:4} {name.replace('_', ' ')}")) for name, count in chosen.most_common(rows)]
    grid.add_row(_titled("last outcomes", newest, rows), _titled("chosen by keypad", choices, rows))
    return grid


def _titled(title: str, lines: Sequence[Text], rows: int) -> RenderableType:
    empty = [Text("")] * (rows - len(lines))
    return Group(Rule(Text(title, "bold"), align="left", style="dim"), *lines, *empty)


def _outcome(record: Record) -> Text:
    style = COLOURS.get(record["outcome"], "")
    said = ", ".join(show.details(record)).replace("_", " ")
    when, who = record["ended_at"][11:19], show.short_number(record)
    return _line(Text.assemble((f"{when} {who} ", "dim"), (f"{record['outcome']:<15}", style), said))
