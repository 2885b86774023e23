"""`dialer campaign` and `dialer agent`: settings kept, orders sent to the engine that leads."""

import os

from dialer import campaigns
from dialer.adapters.site import OpenSite, new_id
from dialer.commands import show
from dialer.commands.desk import known, out, say
from dialer.commands.watching import live
from dialer.errors import BadInput, DialerError
from dialer.model import CAMPAIGN_ID, Command, Status

REPLY_S = 5.0


async def create(site: OpenSite, campaign: str, given: dict[str, str]) -> None:
    """New, or changed in what is given; never while it is running."""
    found = await site.store.campaign(campaign) if CAMPAIGN_ID.fullmatch(campaign) else None
    if found is not None and found[1] is Status.RUNNING and given:
        raise BadInput(f"campaign {campaign} is running: dialer campaign pause {campaign}, then change it.")
    trunks = {trunk: settings.caller_ids for trunk, settings in site.config.trunk.items()}
    wanted = campaigns.settings(campaign, given, found[0] if found else None, trunks)
    site.pack_of(wanted)
    await site.store.save_campaign(wanted)
    if found is None:
        say(f"Campaign {campaign} is there. Load a list, then: dialer campaign start {campaign}")
        return
    say(f"Campaign {campaign}: {'; '.join(campaigns.changes(found[0], wanted)) or 'as it was'}.")
    if wanted != found[0] and site.clock.now() - (await live(site, campaign)).get("at", 0.0) < show.STALE_S:
        say("The engine that leads it takes them over within seconds.")


async def list_all(site: OpenSite) -> None:
    """With state and what is left of the list."""
    rows = []
    for name in sorted(await site.store.campaigns()):
        found = await site.store.campaign(name)
        if found is not None:
            rows.append((*found, *(await site.store.remaining(name, site.clock.now()))))
    out.print(show.campaigns(rows))


async def show_one(site: OpenSite, campaign: str) -> None:
    """Every setting, by the name that `create --set` takes."""
    out.print(show.settings(campaigns.described(await known(site, campaign))))


async def order(site: OpenSite, campaign: str, name: str, args: dict[str, str]) -> None:
    """Send it, and wait for the engine's word. Raises BadInput where it refuses, DialerError where nobody answers."""
    await known(site, campaign)
    now = site.clock.now()
    sender = f"cli:{os.environ.get('USER', 'unknown')}"
    reply = await site.store.send(Command(new_id(now), campaign, name, sender, now, now + REPLY_S, args), REPLY_S)
    if reply is None:
        raise DialerError(
            f"No engine answered within {REPLY_S:.0f} s, and none will act on it later: is one running (dialer serve)?"
        )
    if not reply.ok:
        raise BadInput(f"{reply.text}.")
    say(reply.text)
