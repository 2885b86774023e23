"""`dialer campaign ...`: settings, and the orders to start, pause and stop."""

from pathlib import Path
from typing import Annotated

import typer

from dialer.commands.options.shared import HERE, Config, Id, order, run
from dialer.model import Kind, Mode

app = typer.Typer(no_args_is_help=True, help="Create, start, pause, stop and list campaigns.")


@app.command("create")
def create(
    campaign: Id,
    config: Config = HERE,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="Who takes answered calls. [new: agents]")] = None,
    mode: Annotated[Mode | None, typer.Option(help="How calls are paced. [new: progressive, or ivr]")] = None,
    pack: Annotated[str | None, typer.Option(help="Rule pack. [new: indonesia]")] = None,
    trunk: Annotated[str | None, typer.Option(help="Trunk. [new: the first of the settings]")] = None,
    caller_id: Annotated[str | None, typer.Option(help="Number shown. [new: the trunk's first]")] = None,
    caller_name: Annotated[str | None, typer.Option(help="Who calls, as the IVR says it.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Any other setting, as name=value.")] = None,
    file: Annotated[Path | None, typer.Option(help="TOML with settings in [campaign]; options come before it.")] = None,
) -> None:
    """Create a campaign; it does not start by itself. One that is there: changes what is given and nothing else.

    A running campaign is not changed: pause it first.
    """
    from dialer.campaigns import words
    from dialer.commands import campaigns
    from dialer.commands.desk import campaign_file

    options = {"name": name, "kind": kind, "mode": mode, "pack": pack, "trunk": trunk, "caller_id": caller_id}
    options["caller_name"] = caller_name
    given = {word: str(value) for word, value in options.items() if value is not None}
    given = campaign_file(file) | given | words(set_ or [])
    run(config, lambda site: campaigns.create(site, campaign, given))


@app.command("start")
def start(campaign: Id, config: Config = HERE) -> None:
    """Begin or go on calling."""
    order(config, campaign, "start", {})


@app.command("pause")
def pause(campaign: Id, config: Config = HERE) -> None:
    """No new calls; those that are up go on."""
    order(config, campaign, "pause", {})


@app.command("stop")
def stop(campaign: Id, config: Config = HERE) -> None:
    """No new calls, for good until started again."""
    order(config, campaign, "stop", {})


@app.command("list")
def list_campaigns(config: Config = HERE) -> None:
    """Every campaign, with its state and what is left of its list."""
    from dialer.commands import campaigns

    run(config, campaigns.list_all)


@app.command("show")
def show_campaign(campaign: Id, config: Config = HERE) -> None:
    """Every setting of a campaign, by the name that `create --set` takes."""
    from dialer.commands import campaigns

    run(config, lambda site: campaigns.show_one(site, campaign))
