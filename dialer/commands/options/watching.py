"""`dialer status`, `outcomes` and `pacing`: what happens, now or of late."""

from typing import Annotated

import typer

from dialer.commands.options.shared import HERE, Config, Id, Of, run

app = typer.Typer()


@app.command()
def status(
    config: Config = HERE,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one object a line.")] = False,
) -> None:
    """What every campaign does now, and why."""
    from dialer.commands import watching

    run(config, lambda site: watching.status(site, watch, as_json), endless=watch)


@app.command()
def outcomes(
    campaign: Of,
    config: Config = HERE,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    count: Annotated[int, typer.Option(help="How many of the past.", min=0)] = 20,
    refusals: Annotated[bool, typer.Option(help="Calls that were not placed, instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Whole records, one a line.")] = False,
) -> None:
    """The outcome stream: one line per attempt."""
    from dialer.commands import watching

    stream = "refusals" if refusals else "outcomes"
    run(config, lambda site: watching.outcomes(site, campaign, stream, count, follow, as_json), endless=follow)


@app.command()
def pacing(
    campaign: Id,
    config: Config = HERE,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    last: Annotated[int, typer.Option(help="How many of the past, about one a second.", min=0)] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Whole entries, one a line.")] = False,
) -> None:
    """How many calls were started each second, and why: the pacer's numbers (docs/pacing-series.md)."""
    from dialer.commands import pacing as series

    run(config, lambda site: series.pacing(site, campaign, last, follow, as_json), endless=follow)
