"""`dialer preview` and `dialer why`: what the rules will say of a list, and what they said of a number."""

import json
from datetime import date, datetime
from math import inf
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dialer.adapters.site import OpenSite
from dialer.commands import rules_show
from dialer.commands.desk import known, out, say
from dialer.commands.rules_show import NOT_HIS, Answer, Known, Told
from dialer.errors import BadInput, ConfigError
from dialer.keyed import number_key
from dialer.mask import mask_number, shape
from dialer.model import Allowed, Refused
from dialer.numbers import NumberFault, read_number
from dialer.preview import LATER, SENTENCES, Case, Day, Preview, Standing, add, citation, day_of, gate_of, look

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


async def why(site: OpenSite, number: str, campaign: str, as_json: bool) -> None:
    """What was decided about a number, oldest first, and what the gate would say of it now."""
    if campaign:
        await known(site, campaign)
    e164 = _number(site, number)
    key, now = number_key(site.config.person_key, e164), site.clock.now()
    listed = [row for row in await site.store.with_number(key, now) if campaign in ("", row[0])]
    answers = [await _now(site, name, case, key, now) for name, case in listed]
    seen = Known(
        mask_number(e164), await site.store.past_of(key, now), tuple(answers), await _told(site, key, campaign)
    )
    if as_json:
        typer.echo(json.dumps(rules_show.why_data(seen)))
    else:
        out.print(rules_show.why(seen, now))


async def _now(site: OpenSite, campaign: str, case: Case, key: str, now: float) -> Answer:
    """What would be said if this contact's turn came now, on this number."""
    found = await site.store.campaign(campaign)
    contact = case.contact
    number = next((one for one in contact.numbers if one.key == key), None)
    if found is None or number is None:
        return Answer(campaign, contact.id, contact.zone, "", Refused("not_his_number", inf, NOT_HIS))
    settings, status = found
    try:
        pack = site.pack_of(settings)
    except ConfigError as error:
        return Answer(campaign, contact.id, contact.zone, number.kind, Refused("rules", now, f"{error}"))
    zone = contact.zone or pack.zones[0]
    if case.standing is not Standing.LISTED:
        said = Refused(case.standing.value, inf, SENTENCES[case.standing.value])
        return Answer(campaign, contact.id, zone, number.kind, said)
    past = case.numbers[contact.numbers.index(number)]
    permission = gate_of(settings, pack)(contact, number, case.person, past, now)
    if isinstance(permission, Allowed) and case.due > now:
        permission = Refused(LATER, case.due, SENTENCES[LATER])
    source = citation(permission.rule, pack) if isinstance(permission, Refused) else ""
    return Answer(campaign, contact.id, zone, number.kind, permission, source, status.value)


def _number(site: OpenSite, text: str) -> str:
    rules = site.config.list_rules()
    try:
        return read_number(text, rules.region, rules.country_codes)
    except NumberFault as fault:
        raise BadInput(f"{shape(text)} is {fault.reason}: {fault.cure}.") from None


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


async def _told(site: OpenSite, key: str, campaign: str) -> tuple[Told, ...]:
    return ()
