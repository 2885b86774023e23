"""`dialer check` and `dialer conf`: is it in order, and Asterisk's files."""

from pathlib import Path
from typing import Annotated

import typer

from dialer.commands.options.shared import HERE, Config

app = typer.Typer()

ASTERISK_DATA = Path("/usr/share/asterisk")


@app.command()
def check(
    config: Config = HERE,
    asterisk: Annotated[
        bool, typer.Option("--asterisk", help="An Asterisk that is there, and what to change.")
    ] = False,
    node: Annotated[Path, typer.Option(help="With --asterisk: its settings, as for `dialer conf`.")] = Path(
        "pbx1.toml"
    ),
    pbx: Annotated[Path, typer.Option(help="With --asterisk: where its configuration is.")] = Path("/etc/asterisk"),
) -> None:
    """Settings and reachability: every fault at once, each with its cure; fails if there is one."""
    from dialer.commands import checking

    if asterisk:
        checking.of_asterisk(node, pbx)
    else:
        checking.of_site(config)


@app.command()
def conf(
    settings: Annotated[Path, typer.Argument(help="TOML: the settings of one Asterisk node.")],
    data: Annotated[Path, typer.Option(help="Asterisk's own data folder, which holds documentation/.")] = ASTERISK_DATA,
) -> None:
    """Fill asterisk-conf/ in for one Asterisk node, and make the folders it runs in."""
    from dialer.commands import configuring

    configuring.fill(settings, data)
