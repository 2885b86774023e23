"""`dialer preview` and `dialer why`: what the rules will say of a list, and what they said of a number."""

import json
from datetime import date, datetime
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dialer.adapters.site import OpenSite
from dialer.commands import rules_show
from dialer.commands.desk import known, out, say
from dialer.errors import BadInput
from dialer.preview import Day, Preview, add, day_of, gate_of, look

SAMPLE = 20_000


async def preview(site: OpenSite, campaign: str, day: str, sample: int, everybody: bool, as_json: bool) -> None:
    """A day of a campaign, hour by hour, before it begins."""
    settings = await known(site, campaign)
    pack = site.pack_of(settings)
    chosen = _day(day, pack.zones[0], site.clock.now())
    total = await site.store.listed(campaign)
    if not total:
        raise BadInput(f"campaign {campaign} has no contacts: dialer load FILE --campaign {campaign}")
    ask = gate_of(settings, pack)
    seen = Preview(chosen, total)
    wanted = 0 if everybody or sample >= total else sample
    with Progress(
        TextColumn("looking at"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True, disable=as_json,
    ) as progress:  # fmt: skip
        task = progress.add_task("", total=wanted or total)
        async for cases in site.store.survey(campaign, chosen.begins, wanted):
            seen = add(seen, look(cases, ask, chosen, total))
            progress.update(task, completed=seen.looked)
    if as_json:
        typer.echo(json.dumps(rules_show.preview_data(campaign, seen, pack)))
        return
    out.print(rules_show.preview(campaign, seen, pack))
    if total - seen.looked and not wanted:
        say(f"{total - seen.looked} entries of the list could not be read: dialer says where on stderr.")


def _day(text: str, zone: str, now: float) -> Day:
    """Today on the clocks of `zone` where nothing is said."""
    today = datetime.fromtimestamp(now, ZoneInfo(zone)).date()
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError:
        raise BadInput(f"--day {text!r}: use a date such as {today}.") from None
    if day < today:
        raise BadInput(f"--day {day} is over: a preview looks ahead; dialer outcomes and dialer why look back.")
    return day_of(day, zone, now)
