"""`dialer simulate`: the pacer beside its rivals on invented or recorded calls, in the terminal and as an HTML page."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dialer.errors import BadInput
from dialer.simulate import NAMES, RATIOS, Told, compare
from dialer.simulation.page import page, sweep_page
from dialer.simulation.parallel import cores
from dialer.simulation.plots import report, swept
from dialer.simulation.recorded import as_recorded
from dialer.simulation.recording import Recording, parse, recording
from dialer.simulation.replayed import Fit, fit, scenario_of
from dialer.simulation.scenario import SCENARIOS, Scenario
from dialer.simulation.sweep import shifts_of, sweep

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")
Done = TypeVar("Done")


def main(words: Sequence[str]) -> None:
    """`dialer simulate` with these words."""
    code = typer.main.get_command(app).main(list(words), prog_name="dialer simulate", standalone_mode=False)
    if code:
        raise typer.Exit(code)


@app.command()
def simulate(
    agents: Annotated[
        int | None, typer.Option(min=1, max=1000, help="People who take calls: 20, or as recorded.", show_default=False)
    ] = None,
    answer_rate: Annotated[float, typer.Option(min=0.01, max=0.8, help="Share of calls that a person answers.")] = 0.28,
    talk: Annotated[float, typer.Option(min=5, max=3600, help="Mean talk, seconds.")] = 100.0,
    wrap: Annotated[float, typer.Option(min=0, max=600, help="Mean wrap-up, seconds.")] = 15.0,
    target: Annotated[float, typer.Option(min=0.1, max=10, help="Most abandons, % of live answers.")] = 3.0,
    hours: Annotated[float, typer.Option(min=0.25, max=12, help="Length of a shift.")] = 8.0,
    shifts: Annotated[int, typer.Option(min=1, max=200, help="Shifts of each way to pace.")] = 3,
    scenario: Annotated[str, typer.Option(help=f"What else happens: {', '.join(SCENARIOS)}.")] = "steady",
    drain: Annotated[bool, typer.Option(help="Play the shift's end too: who answers then is abandoned.")] = False,
    policy: Annotated[list[str] | None, typer.Option(help=f"Only these: {', '.join(NAMES)}.")] = None,
    from_outcomes: Annotated[
        Path | None, typer.Option(help="Replay these: what `dialer outcomes --json` gave; - is the standard input.")
    ] = None,
    campaign: Annotated[str, typer.Option(help="With --from-outcomes: only this campaign's.")] = "",
    sweep_agents: Annotated[str, typer.Option(help="Compare teams: 5,10,20.")] = "",
    sweep_targets: Annotated[str, typer.Option(help="At these limits, %: 1,2,3.")] = "",
    jobs: Annotated[int, typer.Option(min=1, help="Shifts at a time.", show_default="processors")] = cores(),
    html: Annotated[Path | None, typer.Option(help="Write the page with charts here.")] = None,
) -> None:
    """How busy a team would be, and how many would be abandoned: simulated, beside other ways to pace."""
    names = tuple(policy or NAMES)
    if scenario not in SCENARIOS:
        raise BadInput(f"no scenario {scenario}; there are {', '.join(SCENARIOS)}")
    if wrong := [name for name in names if name not in NAMES]:
        raise BadInput(f"no policy {', '.join(wrong)}; there are {', '.join(NAMES)}")
    seeds, limit = range(1, shifts + 1), target / 100
    invented = replace(
        SCENARIOS[scenario], answer_rate=answer_rate, talk_s=talk, wrap_s=max(0.1, wrap), hours=hours, drain=drain
    )
    if sweep_agents or sweep_targets:
        if from_outcomes:
            raise BadInput("a sweep plays invented shifts: leave out --from-outcomes, or use --agents and --target")
        teams = [int(one) for one in _numbers(sweep_agents or str(agents or 20), 1, 1000, "--sweep-agents")]
        limits = [one / 100 for one in _numbers(sweep_targets or str(target), 0.1, 10, "--sweep-targets")]
        _sweep(invented, teams, limits, seeds, jobs, html)
        return
    found = _read(from_outcomes, campaign) if from_outcomes else None
    world = scenario_of(found, agents) if found else replace(invented, agents=agents or 20)
    _compare(world, seeds, limit, names, jobs, html, found, agents)


def _numbers(words: str, least: float, most: float, option: str) -> list[float]:
    try:
        found = [float(word) for word in words.split(",")]
    except ValueError:
        found = []
    if not found or not all(least <= one <= most for one in found):
        raise BadInput(f"{option} {words}: use figures from {least:g} to {most:g}, as 5,10,20")
    return sorted(set(found))


def _read(path: Path, campaign: str) -> Recording:
    if str(path) == "-":
        return recording(parse(sys.stdin), campaign)
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            return recording(parse(lines), campaign)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None


def _compare(
    world: Scenario,
    seeds: Sequence[int],
    target: float,
    names: Sequence[str],
    jobs: int,
    html: Path | None,
    found: Recording | None,
    agents: int | None,
) -> None:
    most = len(seeds) * (len(names) + ("ratio" in names) * (len(RATIOS) - 1))
    results = _with_bar(most, lambda told: compare(world, seeds, target, told, names, jobs, found, agents))
    was = as_recorded(found, target) if found else None
    console = Console()
    if found:
        console.print(_said(found, fit(found)))
    console.print(report(world, target, results, console.width, was))
    if html is not None:
        _write(html, page(world, target, results, was), console)


def _sweep(
    world: Scenario,
    teams: Sequence[int],
    limits: Sequence[float],
    seeds: Sequence[int],
    jobs: int,
    html: Path | None,
) -> None:
    most = len(shifts_of(world, teams, limits, seeds))
    cells = _with_bar(most, lambda told: sweep(world, teams, limits, seeds, told, jobs))
    console = Console()
    console.print(swept(world, cells))
    if html is not None:
        _write(html, sweep_page(world, cells), console)


def _with_bar(most: int, work: Callable[[Told], Done]) -> Done:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("shifts", total=most)
        try:
            return work(lambda name: progress.update(task, advance=1, description=name))
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


def _said(found: Recording, was: Fit) -> str:
    left_out = "; ".join(f"{count} {why}" for why, count in found.skipped.items())
    return (
        f"Recorded ({found.campaign}): {was.calls:,} calls in {found.seconds / 60:.0f} min, {was.live_share:.0%}"
        f" answered by a person, {was.talk_s:.0f} s of talk and {was.wrap_s:.0f} s of wrap-up on average."
        + (f" Left out: {left_out}." if left_out else "")
        + "\nReplayed: every call with its own fate; the first shift in their order, further ones shuffled."
    )


def _write(path: Path, text: str, console: Console) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from None
    console.print(f"Charts: {path}")
