"""`dialer agent ...`: orders in an agent's name."""

from typing import Annotated

import typer

from dialer.commands.options.shared import HERE, Config, Of, order

app = typer.Typer(no_args_is_help=True, help="What an agent's desk or phone would say for him.")

AgentId = Annotated[str, typer.Argument(help="The agent's extension.")]


def _agent_command(name: str, says: str) -> None:
    def command(agent: AgentId, campaign: Of, config: Config = HERE) -> None:
        order(config, campaign, name, {"agent": agent})

    command.__doc__ = says
    app.command(name.replace("_", "-"))(command)


for _name, _says in {
    "sign_in": "Ready to work: his phone is called and parks in his room.",
    "sign_out": "Done, at the latest after the call he is in.",
    "break": "A pause, after the call he is in.",
    "back": "Back from the pause.",
    "hang_up": "End the call he is in.",
}.items():
    _agent_command(_name, _says)


@app.command("wrapped")
def wrapped(
    agent: AgentId,
    campaign: Of,
    config: Config = HERE,
    disposition: Annotated[str, typer.Option(help="What came of the talk, one word of yours.")] = "",
) -> None:
    """The last call is wrapped up, with its disposition."""
    order(config, campaign, "wrapped", {"agent": agent} | ({"disposition": disposition} if disposition else {}))


@app.command("disposition")
def disposition(
    agent: AgentId,
    word: Annotated[
        str, typer.Argument(help="promise, callback, wrong_person, stop, hardship, paid or a word of yours.")
    ],
    campaign: Of,
    value: Annotated[
        str,
        typer.Argument(
            help="callback: 2026-11-23T10:15 on the debtor's clock; promise: 2026-12-01 or 2026-12-01;500000."
        ),
    ] = "",
    config: Config = HERE,
) -> None:
    """What came of the talk he is in or has just had, before he is done with it."""
    order(config, campaign, "disposition", {"agent": agent, "disposition": f"{word}:{value}" if value else word})
