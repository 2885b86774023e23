"""`dialer drain`: an engine, or one campaign of it, ends its calls and hands over to another engine."""

import asyncio
import os
from collections.abc import Mapping, Sequence

from dialer.adapters.site import OpenSite, new_id
from dialer.commands.desk import known, say
from dialer.errors import BadInput, DialerError
from dialer.model import Command
from dialer.running.hands import DRAIN

REPLY_S = 5.0
LOOK_S = 0.25
TAKEN_S = 10.0  # a standby has it long before


class Undrained(DialerError):
    """Not everything was handed over without a call."""


async def drain(site: OpenSite, engine: str, campaign: str, limit_s: float) -> None:
    """Returns when another engine leads everything and no call was up; raises Undrained, BadInput, DialerError."""
    leaders = await _leaders(site, campaign)
    engine = engine or _only(leaders)
    names = [name for name, leader in leaders.items() if leader == engine]
    if not names:
        raise BadInput(f"{engine} leads nothing: a standby may be stopped at any time ({_list(leaders)}).")
    began = site.clock.monotonic()
    say(f"{engine}: {await _order(site, names[0], engine, limit_s, whole=not campaign)}")
    await _gone(site, names, engine, began + limit_s + REPLY_S)
    late = site.clock.monotonic() - began >= limit_s
    after = await _taken(site, names)
    for name, leader in after.items():
        say(f"{name}: {f'handed over to {leader}' if leader else 'nobody leads it now'}")
    if late:
        raise Undrained(f"After {limit_s:g} s the calls that were up went on under the next leader.")
    if not all(after.values()):
        raise Undrained("Start another engine: agents wait, and nobody is called.")


async def _leaders(site: OpenSite, campaign: str) -> Mapping[str, str]:
    if campaign:
        await known(site, campaign)
        return await site.store.leaders([campaign])
    return await site.store.leaders(await site.store.campaigns())


def _only(leaders: Mapping[str, str]) -> str:
    """The engine that is meant where none is named."""
    engines = sorted({leader for leader in leaders.values() if leader})
    if len(engines) != 1:
        raise BadInput(f"name the engine to be drained: {_list(leaders)}.")
    return engines[0]


def _list(leaders: Mapping[str, str]) -> str:
    led = [f"{leader or 'nobody'} leads {name}" for name, leader in leaders.items()]
    return ", ".join(led) or "there is no campaign"


async def _order(site: OpenSite, campaign: str, engine: str, limit_s: float, whole: bool) -> str:
    now = site.clock.now()
    args = {"limit_s": f"{limit_s:g}"} | ({"engine": engine} if whole else {})
    sender = f"cli:{os.environ.get('USER', 'unknown')}"
    reply = await site.store.send(Command(new_id(now), campaign, DRAIN, sender, now, now + REPLY_S, args), REPLY_S)
    if reply is None:
        raise DialerError(f"{engine} did not answer within {REPLY_S:.0f} s.")
    if not reply.ok:
        raise BadInput(f"{reply.text}.")
    return reply.text


async def _gone(site: OpenSite, names: Sequence[str], engine: str, until: float) -> None:
    while engine in (await site.store.leaders(names)).values():
        if site.clock.monotonic() > until:
            raise Undrained(f"{engine} still leads: look at its log.")
        await asyncio.sleep(LOOK_S)


async def _taken(site: OpenSite, names: Sequence[str]) -> Mapping[str, str]:
    until = site.clock.monotonic() + TAKEN_S
    while True:
        found = await site.store.leaders(names)
        if all(found.values()) or site.clock.monotonic() > until:
            return found
        await asyncio.sleep(LOOK_S)
