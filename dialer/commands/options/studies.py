"""`dialer trace` and `dialer simulate`: how one call went, and how a shift would go."""

from pathlib import Path
from typing import Annotated

import typer

from dialer.commands.options.shared import HERE, Config, run

app = typer.Typer()


@app.command()
def trace(
    attempt: Annotated[str, typer.Argument(help="An attempt's id, as `dialer outcomes` and every log line show it.")],
    config: Config = HERE,
    log: Annotated[Path | None, typer.Option(help="A log whose lines about this call are to be in it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one object.")] = False,
) -> None:
    """The life of one call: claim, engine, Asterisk, IVR, agent and outcome, with milliseconds."""
    from dialer.commands import trace as tracing

    run(config, lambda site: tracing.trace(site, attempt, log, as_json))


@app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []})
def simulate(words: typer.Context) -> None:
    """How busy a team would be, and how many would be abandoned: the pacer beside others, on invented shifts."""
    from dialer.simulation.command import main as run  # numpy: only where it runs

    run(words.args)
