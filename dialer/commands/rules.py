"""`dialer preview` and `dialer why`: what the rules will say of a list, and what they said of a number."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from math import inf
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dialer.adapters.redis_log import Told
from dialer.adapters.site import OpenSite
from dialer.commands import preview_show, show, why_show
from dialer.commands.desk import known, number_of, out, say
from dialer.commands.why_show import NOT_HIS, Answer, Chain, Decided, Known
from dialer.errors import BadInput, ConfigError
from dialer.keyed import number_key
from dialer.law.decisionlog import ALLOWED, CHANGED, read
from dialer.law.rulebook import Pack
from dialer.lists.preview import (
    LATER,
    SENTENCES,
    Case,
    Day,
    Preview,
    Standing,
    add,
    citation,
    day_of,
    gate_of,
    look,
    sentence,
)
from dialer.mask import mask_number
from dialer.model import Allowed, Refused


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
        typer.echo(json.dumps(preview_show.preview_data(campaign, seen, pack)))
        return
    out.print(preview_show.preview(campaign, seen, pack))
    if total - seen.looked and not wanted:
        say(f"{total - seen.looked} entries of the list could not be read: dialer says where on stderr.")


async def why(site: OpenSite, number: str, campaign: str, as_json: bool) -> None:
    """What was decided about a number, oldest first, and what the gate would say of it now."""
    if campaign:
        await known(site, campaign)
    e164 = number_of(site, number)
    key, now = number_key(site.config.person_key, e164), site.clock.now()
    listed = [row for row in await site.store.with_number(key, now) if campaign in ("", row[0])]
    answers = [await _now(site, name, case, key, now) for name, case in listed]
    past = await site.store.past_of(key, now)
    seen = Known(mask_number(e164), past, tuple(answers), *(await _decided(site, key, campaign)))
    if as_json:
        typer.echo(json.dumps(why_show.why_data(seen)))
    else:
        out.print(why_show.why(seen, now))


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


# ---- the log of decisions -------------------------------------------------------------------------------------------


async def _decided(site: OpenSite, key: str, campaign: str) -> tuple[tuple[Decided, ...], int]:
    """Oldest first, with the outcomes of what was placed; and how many were about other numbers of the contacts."""
    found = [one for one in await site.store.decisions_about(key) if campaign in ("", one.place.campaign)]
    about = sorted((one for one in found if one.of_number), key=lambda one: (one.decision.at, one.id))
    placed: dict[str, dict[str, str]] = {}
    for one in about:
        if one.decision.kind == ALLOWED:
            placed.setdefault(one.place.campaign, {})[one.decision.attempt] = one.id
    outcomes: dict[str, Mapping[str, str]] = {}
    for name, attempts in placed.items():
        outcomes |= await site.store.outcomes_of(name, attempts)
    packs = {name: await _pack(site, name) for name in {one.place.campaign for one in about}}
    told = tuple(_line(one, packs[one.place.campaign], outcomes.get(one.decision.attempt, {})) for one in about)
    return told, len(found) - len(about)


def _line(one: Told, pack: Pack | None, outcome: Mapping[str, str]) -> Decided:
    said = one.decision
    allowed = said.kind == ALLOWED
    if allowed:
        seen = said.seen
        why = f"After {seen.get('person', 0)} attempts to the person and {seen.get('number', 0)} to the number."
    elif said.rule == CHANGED:
        why = "Taken back before the call: at the second look something had changed."
    else:
        why = sentence(said.rule, pack)
    ended = " | ".join(word for word in (outcome.get("outcome", ""), *show.details(outcome)) if word) if allowed else ""
    place, until = one.place, 0.0 if allowed else said.until
    return Decided(
        said.at, place.campaign, place.contact, allowed, said.rule, why, until, said.pack, said.attempt, ended
    )


async def _pack(site: OpenSite, campaign: str) -> Pack | None:
    """The campaign's rules of today; None where they cannot be read: `check` says why."""
    found = await site.store.campaign(campaign)
    try:
        return site.pack_of(found[0]) if found else None
    except ConfigError:
        return None


async def verify(site: OpenSite, campaign: str, as_json: bool) -> None:
    """Whether the chain of decisions of a campaign, or of each, holds. Exits with 1 where one does not."""
    names = [(await known(site, campaign)).id] if campaign else sorted(await site.store.campaigns())
    whole = True
    for name in names:
        broken = await site.store.verify_log(name)
        anchor, head = await site.store.log_ends(name)
        first, last = await site.store.log(name, "0", 1), await site.store.tail(name, 1, "log")
        bodies = [*(entry.body for _, entry in first.entries), *(entry.get("body", "") for _, entry in last)]
        times = [said.at for said in map(read, bodies) if said is not None]
        checked = Chain(name, anchor.seq, head.seq, broken, times[0] if times else 0.0, times[-1] if times else 0.0)
        say(json.dumps(why_show.chain_data(checked)) if as_json else why_show.chain(checked))
        whole = whole and broken is None
    if not whole:
        raise typer.Exit(1)
