"""`dialer load`: a list of debtors, and how it is to be read."""

from pathlib import Path
from typing import Annotated

import typer

from dialer.commands.options.shared import HERE, Config, Of, run

app = typer.Typer()


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="A CSV or XLSX file, one debtor a line; see docs/lists.md.")],
    campaign: Of,
    config: Config = HERE,
    rejects: Annotated[
        Path | None, typer.Option(help="Where to write the rows not used, as they are, and why (mode 0600).")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML: which column means what.")] = None,
    save_mapping: Annotated[Path | None, typer.Option(help="Where to write how this list was understood.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show how it would be understood; load nothing.")] = False,
    preview_rows: Annotated[int, typer.Option(help="How many rows --preview shows.", min=1, max=100)] = 10,
    across: Annotated[str, typer.Option(help="Debts on another campaign's list: say, allow or refuse.")] = "say",
    as_of: Annotated[str, typer.Option(help="The day its days past due were counted. [today, WIB]")] = "",
    weight: Annotated[int, typer.Option(help="Mix of lists: its share of first calls. 0: no mix.", min=0, max=100)] = 0,
    sheet: Annotated[str, typer.Option(help="The sheet of an XLSX file that holds the list.")] = "",
    update: Annotated[bool, typer.Option("--update", help="Give debtors who are there the file's newer data.")] = False,
) -> None:
    """Read a list of debtors into a campaign; the same file twice changes nothing."""
    from dialer.commands import lists

    shown = preview_rows if preview else 0
    options = lists.Options(rejects, mapping, save_mapping, shown, across, as_of, weight, sheet, update)
    run(config, lambda site: lists.load(site, file, campaign, options))
