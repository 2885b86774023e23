"""`dialer status` and `dialer outcomes`: what happens, as it is published."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import typer

from dialer.adapters.site import OpenSite
from dialer.commands import show
from dialer.commands.desk import known, out, say
from dialer.errors import ConfigError

LOOK_S = 1.0


async def status(site: OpenSite, watch: bool, as_json: bool) -> None:
    """Every campaign once, or every second; `leader`: the engine that leads it now, empty: none."""
    while True:
        names = sorted(await site.store.campaigns())
        leaders = await site.store.leaders(names)
        boards = [await live(site, name) | {"leader": leaders[name]} for name in names]
        if watch and out.is_terminal:
            out.clear()
        for seen in boards:
            if as_json:
                typer.echo(json.dumps(seen))
            else:
                out.print(show.status(seen, site.clock.now(), await _window(site, seen["campaign"])))
        if not boards and not as_json:
            out.print(show.campaigns(()))
        if not watch:
            return
        await asyncio.sleep(LOOK_S)


async def live(site: OpenSite, campaign: str) -> dict[str, Any]:
    """The last snapshot, without what is for the next leader only."""
    raw = await site.store.published(campaign)
    try:
        seen: dict[str, Any] = json.loads(raw) if raw else {"reason": "no engine has led it yet: dialer serve"}
    except ValueError:
        seen = {"reason": "its snapshot cannot be read; whoever leads it writes a new one within a second"}
    seen.pop("kept", None)
    return seen | {"campaign": campaign}


async def _window(site: OpenSite, campaign: str) -> str:
    """The stretch over which the campaign's law measures abandons; empty where its rules cannot be read."""
    found = await site.store.campaign(campaign)
    try:
        return site.pack_of(found[0]).abandon_window.value if found else ""
    except ConfigError:
        return ""  # `check` says why


async def outcomes(site: OpenSite, campaign: str, stream: str, count: int, follow: bool, as_json: bool) -> None:
    """The last entries of one of the public streams, and those to come."""
    await known(site, campaign)
    past = await site.store.tail(campaign, count, stream) if count else ()
    for _, entry in past:
        _tell(entry, as_json)
    if follow:
        async for _, entry in site.store.follow(campaign, past[-1][0] if past else "$", stream):
            _tell(entry, as_json)


def _tell(entry: Mapping[str, str], as_json: bool) -> None:
    """For programs letter by letter: `dialer simulate --from-outcomes -` reads it."""
    if as_json:
        typer.echo(json.dumps(dict(entry)))
    else:
        say(show.entry(entry))
