"""`dialer simulate`: the pacer beside its rivals on invented shifts, in the terminal and as an HTML page."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from dialer.errors import BadInput
from dialer.simulate import NAMES, OURS, RATIOS, Summary, compare
from dialer.simulation.page import page
from dialer.simulation.scenario import SCENARIOS, Scenario
from dialer.simulation.world import Result

BAR = 20
SHORT = {
    "progressive": "1:1",
    "ratio": "ratio",
    "vicidial_hard": "VICIdial hard",
    "vicidial_tapered": "VICIdial taper",
    OURS: "Santun",
    "clairvoyant": "the future",
}
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def main(words: Sequence[str]) -> None:
    """`dialer simulate` with these words."""
    typer.main.get_command(app).main(list(words), prog_name="dialer simulate", standalone_mode=False)


@app.command()
def simulate(
    agents: Annotated[int, typer.Option(min=1, max=1000, help="People who take calls.")] = 20,
    answer_rate: Annotated[float, typer.Option(min=0.01, max=0.8, help="Share of calls that a person answers.")] = 0.28,
    talk: Annotated[float, typer.Option(min=5, max=3600, help="Mean talk, seconds.")] = 100.0,
    wrap: Annotated[float, typer.Option(min=0, max=600, help="Mean wrap-up, seconds.")] = 15.0,
    target: Annotated[float, typer.Option(min=0.1, max=10, help="Most abandons, % of live answers.")] = 3.0,
    hours: Annotated[float, typer.Option(min=0.25, max=12, help="Length of a shift.")] = 8.0,
    shifts: Annotated[int, typer.Option(min=1, max=200, help="Shifts of each way to pace.")] = 3,
    scenario: Annotated[str, typer.Option(help=f"What else happens: {', '.join(SCENARIOS)}.")] = "steady",
    policy: Annotated[list[str] | None, typer.Option(help=f"Only these: {', '.join(NAMES)}.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page with charts here.")] = None,
) -> None:
    """How busy a team would be, and how many would be abandoned: simulated, beside other ways to pace."""
    names = tuple(policy or NAMES)
    if scenario not in SCENARIOS:
        raise BadInput(f"no scenario {scenario}; there are {', '.join(SCENARIOS)}")
    if wrong := [name for name in names if name not in NAMES]:
        raise BadInput(f"no policy {', '.join(wrong)}; there are {', '.join(NAMES)}")
    shape = SCENARIOS[scenario]
    invented = replace(shape, agents=agents, answer_rate=answer_rate, talk_s=talk, wrap_s=max(0.1, wrap), hours=hours)
    found = _compare(invented, shifts, target / 100, names)
    console = Console()
    console.print(_table([summary for summary, _ in found], invented, target / 100))
    if html is not None:
        html.write_text(page(invented, target / 100, found), encoding="utf-8")
        console.print(f"Charts: {html}")


def _compare(invented: Scenario, shifts: int, target: float, names: tuple[str, ...]) -> list[tuple[Summary, Result]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        most = shifts * (len(names) + ("ratio" in names) * (len(RATIOS) - 1))
        task = progress.add_task("shifts", total=most)

        def told(name: str) -> None:
            progress.update(task, advance=1, description=name)

        return list(compare(invented, range(1, shifts + 1), target, told, names))


def _table(summaries: list[Summary], invented: Scenario, target: float) -> Table:
    table = Table(title=f"{invented.agents} agents, {invented.hours:g} h, at most {target:.1%} abandoned (simulated)")
    table.add_column("pacing")
    table.add_column("talk and wrap-up", min_width=BAR)
    for name in ("%", "±", "lost %", "worst", "30 min", "calls/h"):
        table.add_column(name, justify="right")
    for one in summaries:
        style = "bold green" if one.name == OURS else "red" if one.abandon_rate > target else ""
        filled = round(BAR * one.utilisation)
        table.add_row(
            SHORT[one.name] + (f" {one.note.split()[0]}" if one.note else ""),
            "█" * filled + "░" * (BAR - filled),
            f"{100 * one.utilisation:.1f}",
            f"{100 * one.spread:.1f}" if isfinite(one.spread) else "",
            f"{100 * one.abandon_rate:.2f}",
            f"{100 * one.abandon_worst:.2f}",
            f"{100 * one.half_hour_worst:.1f}",
            f"{one.calls_per_hour:.0f}",
            style=style,
        )
    return table
