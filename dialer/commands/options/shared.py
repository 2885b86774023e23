"""What the options of every group share: words that mean the same everywhere, the site opened, an order sent."""

from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from dialer.adapters.site import OpenSite

CONFIG = "SANTUN_CONFIG"
HERE = Path("santun.toml")

Config = Annotated[Path, typer.Option("--config", "-c", envvar=CONFIG, help="The site's settings.")]
Id = Annotated[str, typer.Argument(help="Campaign id: a-z, 0-9 and -.")]
Of = Annotated[str, typer.Option("--campaign", help="Campaign id.")]


def run(
    config: Path, work: Callable[["OpenSite"], Awaitable[None]], endless: bool = False, keyed: bool = False
) -> None:
    """`endless`: Ctrl-C is how it ends; `keyed`: it looks people up by the site's secret."""
    from dialer.adapters.site import check_key, open_site
    from dialer.commands.desk import log_to_stderr

    log_to_stderr()

    async def inside() -> None:
        async with open_site(config) as site:
            if keyed:
                await check_key(site)
            await work(site)

    try:
        finish(inside())
    except KeyboardInterrupt:
        if not endless:
            raise


def order(config: Path, campaign: str, name: str, args: dict[str, str]) -> None:
    """To the engine that leads the campaign, and its word."""
    from dialer.commands import campaigns

    run(config, lambda site: campaigns.order(site, campaign, name, args))


def finish(work: Coroutine[Any, Any, None]) -> None:
    """Until it has ended."""
    import asyncio  # `--help` does without

    asyncio.run(work)
