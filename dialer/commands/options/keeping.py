"""`dialer backup` and `dialer restore`: where to and where from."""

from pathlib import Path
from typing import Annotated

import typer

from dialer.commands.options.shared import HERE, Config, run

app = typer.Typer()


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="Where to; made if it is not there.")], config: Config = HERE
) -> None:
    """Everything that Redis holds for Santun, into a file; recordings are listed."""
    from dialer.commands import keeping

    run(config, lambda site: keeping.backup(site, folder))


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="Where `dialer backup` wrote to.")], config: Config = HERE
) -> None:
    """A backup back into a Redis that is empty."""
    from dialer.commands import keeping

    run(config, lambda site: keeping.restore(site, folder))
