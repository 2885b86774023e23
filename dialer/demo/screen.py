"""What one sees while the demo runs, and the page at its end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from dialer import show
from dialer.model import Outcome

Record = Mapping[str, str]
LAST = 10


def live(seen: Sequence[Mapping[str, Any]], outcomes: Sequence[Record], left_s: float) -> RenderableType:
    """The whole screen: campaigns, last outcomes, the IVR's choices."""
    head = Text(f"Santun demo: {left_s:.0f} s left, Ctrl-C ends it at any moment. ", style="bold")
    head.append("Invented debtors under the rule pack `demo` (open hours), on this machine only.", style="dim")
    panels = [_campaign(one, [r for r in outcomes if r["campaign"] == one["campaign"]]) for one in seen]
    last = Group(*(Text(show.entry(record)) for record in outcomes[-LAST:]))
    tail = Table.grid(expand=True, padding=(0, 1))
    tail.add_column(ratio=3)
    tail.add_column(ratio=1)
    tail.add_row(Panel(last, title="last outcomes"), Panel(_choices(outcomes), title="chosen by keypad"))
    return Group(head, *panels, tail)


def line(seen: Sequence[Mapping[str, Any]], outcomes: Sequence[Record], left_s: float) -> str:
    """The same in one line, where there is no screen."""
    words = [
        f"{one['campaign']}: {one['due']} to call, {one['lines']} lines, {len(_of(one, outcomes))} outcomes; "
        + one["reason"]
        for one in seen
        if "due" in one
    ]
    return f"{left_s:4.0f} s left | " + " | ".join(words)


def _of(one: Mapping[str, Any], outcomes: Sequence[Record]) -> list[Record]:
    return [record for record in outcomes if record["campaign"] == one["campaign"]]


def _campaign(seen: Mapping[str, Any], outcomes: Sequence[Record]) -> RenderableType:
    if "due" not in seen:
        return Panel(Text(seen.get("reason", "")), title=seen["campaign"])
    live_answers = sum(record["live"] == "1" for record in outcomes)
    rate = f"{live_answers / len(outcomes):.0%}" if outcomes else "-"
    rows = Table.grid(padding=(0, 2))
    rows.add_row("list", f"{seen['due']} to call, {seen['later']} later, {len(outcomes)} attempts done")
    rows.add_row("lines", f"{seen['lines']} in use: {_counts(seen['calls'])}")
    rows.add_row("agents", _counts(Counter(agent["state"] for agent in seen["agents"])))
    rows.add_row("answered", f"{rate} by a person; {show.abandon(seen)}")
    rows.add_row("pacing", Text(seen["reason"], style="cyan"))
    return Panel(rows, title=f"{seen['campaign']}: {seen['status']}", title_align="left")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"


def _choices(outcomes: Sequence[Record]) -> RenderableType:
    chosen = Counter(record["ivr_choice"] for record in outcomes if record["ivr_choice"])
    return Group(*(Text(f"{count:4} {name}") for name, count in chosen.most_common(LAST)))


def page(
    console: Console, outcomes: Sequence[Record], agent_hours: float, calls: int, faults: Sequence[str], kept: str
) -> None:
    """Outcomes, talk, abandons, choices, and whether the books agree with the carrier's."""
    console.rule("the campaign")
    console.print(_outcomes(outcomes))
    talk_minutes = sum(float(record["talk_s"] or 0) for record in outcomes) / 60
    if agent_hours:
        console.print(f"Talk: {talk_minutes:.1f} minutes, {talk_minutes / agent_hours:.1f} per agent hour.")
    for campaign in dict.fromkeys(record["campaign"] for record in outcomes):
        console.print(_abandoned(campaign, [one for one in outcomes if one["campaign"] == campaign]))
    chosen = Counter(record["ivr_choice"] for record in outcomes if record["ivr_choice"])
    console.print(
        "Chosen by keypad: " + (", ".join(f"{name} {count}" for name, count in chosen.most_common()) or "nothing")
    )
    console.rule("the books")
    for fault in faults[:20]:
        console.print(Text(f"- {fault}", style="red"))
    if faults:
        console.print(
            f"[red]{len(faults)} disagreements[/red] between {len(outcomes)} outcomes and {calls} calls"
            " in the carrier's own log."
        )
    else:
        console.print(
            f"Every one of {calls} calls in the carrier's own log has exactly one matching outcome"
            f" ({len(outcomes)} in all)."
        )
    console.print(f"Logs and data: {kept}", style="dim")


def _outcomes(outcomes: Sequence[Record]) -> Table:
    table = Table("outcome", "attempts", "share", "reasons", box=None)
    counts = Counter(record["outcome"] for record in outcomes)
    for outcome, count in counts.most_common():
        reasons = Counter(record["reason"] for record in outcomes if record["outcome"] == outcome)
        said = ", ".join(f"{reason} {times}" for reason, times in reasons.most_common(4))
        table.add_row(outcome, str(count), f"{count / len(outcomes):.0%}", said)
    return table


def _abandoned(campaign: str, outcomes: Sequence[Record]) -> str:
    answers = [record for record in outcomes if record["live"] == "1"]
    abandoned = sum(record["outcome"] == Outcome.ABANDONED for record in answers)
    overflowed = sum(record["outcome"] == Outcome.OVERFLOWED for record in answers)
    rate = f"{abandoned / len(answers):.1%}" if answers else "-"
    return (
        f"{campaign}: {len(answers)} people answered; abandoned {abandoned} ({rate}), went on to the IVR {overflowed}."
    )
