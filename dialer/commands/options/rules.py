"""`dialer preview` and `dialer why`: whose day, whose number."""

from typing import Annotated

import typer

from dialer.commands.options.shared import HERE, Config, Id, run
from dialer.errors import BadInput

app = typer.Typer()


@app.command()
def preview(
    campaign: Id,
    config: Config = HERE,
    day: Annotated[str, typer.Option(help="As 2026-11-23. [today]")] = "",
    sample: Annotated[int, typer.Option(help="How many contacts to look at, at random.", min=100)] = 20_000,
    everybody: Annotated[bool, typer.Option("--all", help="Look at every contact.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one object.")] = False,
) -> None:
    """Before the start: how many contacts the rules will let through that day, how many not and why, hour by hour."""
    from dialer.commands import rules

    run(config, lambda site: rules.preview(site, campaign, day, sample, everybody, as_json))


@app.command()
def why(
    number: Annotated[list[str] | None, typer.Argument(help="As people write it, with or without +62.")] = None,
    config: Config = HERE,
    campaign: Annotated[str, typer.Option(help="Of this campaign only.")] = "",
    verify: Annotated[bool, typer.Option("--verify", help="Is the log of decisions whole?")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one object a line.")] = False,
) -> None:
    """Every decision about a number, oldest first, and what the gate would say of it now.

    `dialer why --verify [CAMPAIGN]`: whether the chain of decisions holds, of one campaign or of all.
    """
    from dialer.commands import rules

    words = " ".join(number or [])
    if verify:
        run(config, lambda site: rules.verify(site, words or campaign, as_json))
    elif not words:
        raise BadInput("name a number, such as 081234567890, or use --verify.")
    else:
        run(config, lambda site: rules.why(site, words, campaign, as_json), keyed=True)
