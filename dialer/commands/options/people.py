"""`dialer dnc ...`, `withdraw`, `export` and `erase`: a person, by number or id."""

from pathlib import Path
from typing import Annotated

import typer

from dialer.commands.options.shared import HERE, Config, run

app = typer.Typer()
dnc = typer.Typer(no_args_is_help=True, help="Who must not be called: stop, lift, look.")

Numbers = Annotated[list[str] | None, typer.Argument(help="As people write them, with or without +62.")]
Number = Annotated[str, typer.Argument(help="As people write it, with or without +62.")]
Person = Annotated[str, typer.Option("--person", help="The person's id as in your list.")]
Spools = Annotated[
    list[Path] | None,
    typer.Option("--spool", help="Another folder of changes that wait for Redis."),
]
Lender = Annotated[str, typer.Option(help="For this lender only, as in your list.")]
ForCampaign = Annotated[str, typer.Option("--campaign", help="For this campaign only.")]


@dnc.command("add")
def dnc_add(
    numbers: Numbers = None,
    config: Config = HERE,
    file: Annotated[Path | None, typer.Option(help="A text file, one number a line.")] = None,
    person: Person = "",
    lender: Lender = "",
    campaign: ForCampaign = "",
    reason: Annotated[str, typer.Option(help="Kept in the log of stops.")] = "",
) -> None:
    """Do not call these numbers, or this person: from the next claim on, in every campaign unless said otherwise."""
    from dialer.commands import people

    whom = people.Whom(numbers or [], file, person, lender, campaign)
    run(config, lambda site: people.add(site, whom, reason))


@dnc.command("remove")
def dnc_remove(
    numbers: Numbers = None,
    config: Config = HERE,
    person: Person = "",
    lender: Lender = "",
    campaign: ForCampaign = "",
    reason: Annotated[str, typer.Option(help="Why they may be called again; it is kept.")] = "",
) -> None:
    """Lift a stop, with a reason that is kept; stops for other lenders or campaigns stay."""
    from dialer.commands import people

    whom = people.Whom(numbers or [], None, person, lender, campaign)
    run(config, lambda site: people.remove(site, whom, reason), keyed=True)


@dnc.command("list")
def dnc_list(
    numbers: Numbers = None,
    config: Config = HERE,
    person: Person = "",
    count: Annotated[int, typer.Option(help="How many of the past.", min=1)] = 20,
) -> None:
    """What stops these numbers; without any, who stopped or lifted what, and why."""
    from dialer.commands import people

    run(config, lambda site: people.listed(site, numbers or [], person, count), keyed=True)


@app.command()
def withdraw(number: Number = "", config: Config = HERE, person: Person = "", campaign: ForCampaign = "") -> None:
    """Take a person's accounts off the list, for good; a call under way goes on."""
    from dialer.commands import people

    run(config, lambda site: people.withdraw(site, number, person, campaign), keyed=True)


@app.command("export")
def export_person(
    number: Number = "",
    config: Config = HERE,
    person: Person = "",
    out: Annotated[
        Path | None, typer.Option(help="Where to write it, for nobody else to read; else it is printed.")
    ] = None,
    spool: Spools = None,
) -> None:
    """All that is held of one person, as JSON: what he is entitled to see."""
    from dialer.commands import people

    run(config, lambda site: people.export(site, number, person, out, spool or []), keyed=True)


@app.command()
def erase(
    number: Number = "",
    config: Config = HERE,
    person: Person = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    spool: Spools = None,
) -> None:
    """Forget a person: accounts, numbers, past. A word not to call him stays, as a keyed hash."""
    from dialer.commands import people

    run(config, lambda site: people.erase(site, number, person, yes, spool or []), keyed=True)
