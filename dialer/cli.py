"""The command `dialer`: run the engine, look after campaigns, lists and agents, watch what happens."""

import typer

from dialer.commands.options import (
    agents,
    campaigns,
    keeping,
    lists,
    people,
    processes,
    rules,
    setup,
    studies,
    users,
    watching,
)
from dialer.errors import DialerError, StoreDown

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # [words in brackets] are ours
    help=__doc__,
)
# --help shows them in this order
for group in (processes, setup, lists, rules, people, watching, keeping, studies):
    app.add_typer(group.app)
app.add_typer(campaigns.app, name="campaign")
app.add_typer(people.dnc, name="dnc")
app.add_typer(agents.app, name="agent")
app.add_typer(users.app, name="user")


def main() -> None:
    """The command; an error of ours is one sentence, not a traceback."""
    try:
        app()
    except DialerError as error:
        cure = " Is it running, and is [redis] url (or SANTUN_REDIS_URL) right?" if isinstance(error, StoreDown) else ""
        typer.echo(f"{error}{cure}", err=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
