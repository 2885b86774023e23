"""`dialer user ...`: names, roles and rights."""

from typing import Annotated

import typer

from dialer.commands.options.shared import HERE, Config, run
from dialer.users import Phone, Role

app = typer.Typer(no_args_is_help=True, help="Who may sign in to the web, and programs' tokens.")

UserName = Annotated[str, typer.Argument(help="2 to 40 of a-z, 0-9, dot, - and _.")]


@app.command("add")
def user_add(
    name: UserName,
    role: Annotated[Role, typer.Option(help="agent, supervisor or admin.")],
    config: Config = HERE,
    agent: Annotated[str, typer.Option(help="His extension, for who takes calls.")] = "",
    phone: Annotated[Phone, typer.Option(help="What he speaks into.")] = Phone.BROWSER,
    campaigns: Annotated[str, typer.Option(help="Those that he serves, as april,may: the first with work.")] = "",
) -> None:
    """One more user; his one-time password is printed this once."""
    from dialer.commands import users

    run(config, lambda site: users.add(site, name, role, agent, phone, users.ids(campaigns)))


@app.command("campaigns")
def user_campaigns(
    name: UserName,
    campaigns: Annotated[str, typer.Argument(help="april,may: the first with work; empty: any, as he chooses.")],
    config: Config = HERE,
) -> None:
    """The campaigns that an agent serves, in his order."""
    from dialer.commands import users

    run(config, lambda site: users.serve(site, name, users.ids(campaigns)))


@app.command("list")
def user_list(config: Config = HERE) -> None:
    """Users and tokens."""
    from dialer.commands import users

    run(config, users.listed)


@app.command("reset")
def user_reset(
    name: UserName,
    config: Config = HERE,
    enrol_again: Annotated[bool, typer.Option("--enrol-again", help="His authenticator is lost, too.")] = False,
) -> None:
    """A new one-time password; he is signed out everywhere."""
    from dialer.commands import users

    run(config, lambda site: users.reset(site, name, enrol_again))


@app.command("remove")
def user_remove(name: UserName, config: Config = HERE) -> None:
    """He signs in no more."""
    from dialer.commands import users

    run(config, lambda site: users.remove(site, name))


@app.command("token")
def user_token(
    name: Annotated[str, typer.Argument(help="Which program it is for.")],
    right: Annotated[list[str], typer.Option(help="Such as outcomes:see; once for each.")],
    config: Config = HERE,
    days: Annotated[int, typer.Option(help="How long it is good.", min=1, max=366)] = 90,
) -> None:
    """A program's token for the API, printed this once."""
    from dialer.commands import users

    run(config, lambda site: users.token(site, name, right, days))


@app.command("revoke")
def user_revoke(
    token: Annotated[str, typer.Argument(help="The token's id, as in dialer user list.")], config: Config = HERE
) -> None:
    """A program's token serves no more."""
    from dialer.commands import users

    run(config, lambda site: users.revoke(site, token))
