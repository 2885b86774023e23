"""`dialer engine`, `serve`, `web`, `keep`, `key` and `drain`: what runs, and how it ends."""

from typing import Annotated

import typer

from dialer.commands.options.shared import HERE, Config, finish, run

app = typer.Typer()

Listen = Annotated[str, typer.Option(help="host:port, instead of [web] listen of the settings.")]


@app.command()
def engine(
    config: Config = HERE,
    metrics: Annotated[str, typer.Option(help="host:port, instead of [metrics] listen: a second engine here.")] = "",
) -> None:
    """Place and route the calls of every campaign that no other engine leads; stand by for those that one does."""
    from dialer.service import serve  # the engine's libraries take a second to load: only where it runs

    finish(serve(config, None, metrics))


@app.command()
def serve(config: Config = HERE, listen: Listen = "") -> None:
    """Engine and web in one process, for a small site."""
    from dialer.service import serve as both

    finish(both(config, listen))


@app.command()
def web(config: Config = HERE, listen: Listen = "") -> None:
    """Pages, API and live updates alone; any number of them may run."""
    from dialer.service import serve_web

    finish(serve_web(config, listen))


@app.command()
def keep(
    config: Config = HERE,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Encrypt recordings as calls end, and remove what was kept for long enough; `serve` and `web` start it."""
    from dialer.commands import keeper

    keeper.run(config, with_parent)


@app.command()
def key() -> None:
    """A new key of the site, a line for [privacy] keys; the last one of the file encrypts."""
    from dialer.adapters.sealed import new_key

    typer.echo(new_key())


@app.command()
def drain(
    engine: Annotated[str, typer.Argument(help="As host:pid. [the one that leads]")] = "",
    config: Config = HERE,
    campaign: Annotated[str, typer.Option(help="This campaign only; its engine goes on with the others.")] = "",
    limit: Annotated[float, typer.Option(help="Seconds; calls that are up then go on under the next leader.")] = 600.0,
) -> None:
    """An engine starts no new calls, hands over to another one when its last call has ended, and ends.

    Fails where calls were still up at the limit, or nobody took over.
    """
    from dialer.commands import draining

    run(config, lambda site: draining.drain(site, engine, campaign, limit))
