"""A campaign before it calls: its week, who may be called when, who not and why; also as a draft would have it."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from dialer.law import schedule
from dialer.law.rulebook import WEEKDAYS, Pack
from dialer.lists.preview import CALLABLE, Preview, add, answer, citation, day_of, gate_of, look, sentence
from dialer.model import Campaign
from dialer.web.access import Right, Who
from dialer.web.api.campaigns import Value, changed_campaign
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.records import NumberShown, campaign_of, maybe, numbers_shown, pack_of, records, utc
from dialer.web.route import Asked, Route

SAMPLE = 20_000
LOOK_DAYS = 366
EXAMPLES_MAX = 50
AHEAD_DAYS = 14


class PreviewQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`day` as 2026-11-23; empty: today in the rules' first zone. `sample`: contacts looked at, at random."""

    day: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    sample: Annotated[int, Meta(ge=100, le=SAMPLE)] = 5000


class Hour(msgspec.Struct):
    """Of the whole list, as estimated; `refused`: rule -> contacts."""

    begins: datetime
    callable: int
    refused: dict[str, int]


class Rule(msgspec.Struct):
    """A rule that keeps contacts out all day: how many, in words, and where it is written."""

    rule: str
    all_day: int
    sentence: str
    source: str


class Foretold(msgspec.Struct):
    """A day before it begins, if nobody is called meanwhile. Figures are estimates where `looked_at` < `contacts`."""

    campaign: str
    day: str
    zone: str
    pack: str
    contacts: int
    looked_at: int
    callable: int
    hours: list[Hour]
    rules: list[Rule]


class Draft(msgspec.Struct, forbid_unknown_fields=True):
    """As PreviewQuery, with settings that are not saved: what they would change."""

    settings: Annotated[dict[str, Value], Meta(max_length=60)] = {}
    day: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    sample: Annotated[int, Meta(ge=100, le=SAMPLE)] = 5000


class WeekDay(msgspec.Struct):
    """`law`, `own`: the hours of the pack and of the campaign, `open`: what both leave, as 08:00-12:00, 13:00-20:00 or
    closed; `own` empty: as the law. `shift_ends` empty: not known."""

    day: str
    law: str
    own: str
    open: str
    shift_ends: str


class NextDay(msgspec.Struct):
    """A day on the debtor's calendar; `open` as in WeekDay, with holidays and the campaign's first and last day."""

    day: date
    holiday: bool
    open: str


class Week(msgspec.Struct):
    """On the clocks of where the debtor lives. `always`: the pack knows no hours. `opens`: when the schedule
    lets somebody be called first, null: not in sight."""

    pack: str
    zones: list[str]
    always: bool
    days: list[WeekDay]
    next: list[NextDay]
    opens: datetime | None
    first_day: str
    last_day: str


class SkipQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`rule`: only those whom it refuses. `sample`: contacts looked at, at random; `limit`: contacts named."""

    rule: Annotated[str, Meta(max_length=60)] = ""
    sample: Annotated[int, Meta(ge=100, le=SAMPLE)] = 5000
    limit: Annotated[int, Meta(ge=0, le=EXAMPLES_MAX)] = 20


class Skipped(msgspec.Struct):
    """A contact who would be refused now; `until` null: for good."""

    contact: str
    person: str
    name: str
    lender: str
    numbers: list[NumberShown]
    rule: str
    until: datetime | None


class SkipRule(msgspec.Struct):
    """How many a rule refuses now; `soonest`: when the first of them may be asked about again, null: never."""

    rule: str
    contacts: int
    soonest: datetime | None
    sentence: str
    source: str


class Skips(msgspec.Struct):
    """Who would be refused if he were to be called at `at`. Figures are estimates where `looked_at` < `contacts`;
    `examples` need the right debtors:see."""

    campaign: str
    at: datetime
    contacts: int
    looked_at: int
    callable: int
    rules: list[SkipRule]
    examples: list[Skipped]


# ---- days


async def foretell(office: Office, asked: Asked[PreviewQuery, None]) -> Foretold:
    """What the rules will say of the list that day: how many may be called in which hour, and what keeps others out."""
    campaign, _ = await campaign_of(office, asked)
    return await _foretold(office, campaign, asked.query.day, asked.query.sample, asked.at)


async def foretell_draft(office: Office, asked: Asked[None, Draft]) -> Foretold:
    """The same as it would be with other settings; nothing is saved."""
    known, _ = await campaign_of(office, asked)
    campaign = await changed_campaign(office, known.id, known, asked.body.settings)
    return await _foretold(office, campaign, asked.body.day, asked.body.sample, asked.at)


async def _foretold(office: Office, campaign: Campaign, wanted: str, sample: int, at: float) -> Foretold:
    pack, store = await pack_of(office, campaign), records(office)
    today = datetime.fromtimestamp(at, ZoneInfo(pack.zones[0])).date()
    try:
        day = date.fromisoformat(wanted) if wanted else today
    except ValueError:
        raise Problem(422, "bad_day", f"Use a day such as {today}.") from None
    if not 0 <= (day - today).days <= LOOK_DAYS:
        raise Problem(422, "bad_day", "A preview looks ahead, at most a year.")
    chosen, total = day_of(day, pack.zones[0], at), await store.listed(campaign.id)
    ask, seen = gate_of(campaign, pack), Preview(chosen, total)
    async for cases in store.survey(campaign.id, chosen.begins, 0 if total <= sample else sample):
        seen = add(seen, look(cases, ask, chosen, total))
    hours = [
        Hour(
            utc(start),
            seen.estimate(words.get(CALLABLE, 0)),
            {rule: seen.estimate(count) for rule, count in sorted(words.items()) if rule != CALLABLE},
        )
        for start, words in zip(chosen.hours, seen.by_hour, strict=False)
        if words
    ]
    rules = [
        Rule(rule, seen.estimate(count), sentence(rule, pack, seen.said), citation(rule, pack))
        for rule, count in sorted(seen.never.items(), key=lambda one: -one[1])
    ]
    return Foretold(
        campaign.id, day.isoformat(), chosen.zone, pack.label, seen.total, seen.looked,
        seen.estimate(seen.callable_some_time), hours, rules,
    )  # fmt: skip


# ---- the week


async def week(office: Office, asked: Asked[None, None]) -> Week:
    """The campaign's days and hours beside the law's."""
    campaign, _ = await campaign_of(office, asked)
    return _week(campaign, await pack_of(office, campaign), asked.at)


async def week_draft(office: Office, asked: Asked[None, Draft]) -> Week:
    """The same as it would be with other settings; nothing is saved."""
    known, _ = await campaign_of(office, asked)
    campaign = await changed_campaign(office, known.id, known, asked.body.settings)
    return _week(campaign, await pack_of(office, campaign), asked.at)


def _week(campaign: Campaign, pack: Pack, at: float) -> Week:
    own = schedule.own_hours(campaign)
    days = []
    for turn, name in enumerate(WEEKDAYS):
        law = schedule.WHOLE if pack.hours.always else pack.hours.days[turn]
        both = schedule.common(law, own.days[turn] if own else schedule.WHOLE)
        ends = campaign.shifts.get(name, campaign.shift_ends)
        days.append(WeekDay(name, schedule.shown(law), campaign.week.get(name, ""), schedule.shown(both), ends))
    today = datetime.fromtimestamp(at, ZoneInfo(pack.zones[0])).date()
    coming = [today + timedelta(turn) for turn in range(AHEAD_DAYS)]
    opens = schedule.opens_at(pack, at)
    return Week(
        pack.label, list(pack.zones), pack.hours.always, days,
        [NextDay(day, day in pack.hours.holidays, schedule.shown(schedule.open_on(pack, day))) for day in coming],
        maybe(opens) if opens < float("inf") else None, campaign.first_day, campaign.last_day,
    )  # fmt: skip


# ---- now


async def skips(office: Office, asked: Asked[SkipQuery, None]) -> Skips:
    """Who would be refused now, by which rule, and until when."""
    campaign, _ = await campaign_of(office, asked)
    pack, store, wanted = await pack_of(office, campaign), records(office), asked.query
    ask, total = gate_of(campaign, pack), await store.listed(campaign.id)
    names = asked.who.may(Right.DEBTORS_SEE)
    counts: dict[str, int] = {}
    soonest: dict[str, float] = {}
    said: dict[str, str] = {}
    examples: list[Skipped] = []
    async for cases in store.survey(campaign.id, asked.at, 0 if total <= wanted.sample else wanted.sample):
        for case in cases:
            rule, until = answer(case, ask, asked.at, said)
            counts[rule] = counts.get(rule, 0) + 1
            soonest[rule] = min(soonest.get(rule, float("inf")), until)
            if names and rule != CALLABLE and wanted.rule in ("", rule) and len(examples) < wanted.limit:
                examples.append(_skipped(asked.who, case.contact, rule, until))
    looked = sum(counts.values())
    share = total / looked if 0 < looked < total else 1.0
    rules = [
        SkipRule(rule, round(count * share), _until(soonest[rule]), sentence(rule, pack, said), citation(rule, pack))
        for rule, count in sorted(counts.items(), key=lambda one: -one[1])
        if rule != CALLABLE
    ]
    return Skips(
        campaign.id, utc(asked.at), total, looked, round(counts.get(CALLABLE, 0) * share), rules, examples
    )  # fmt: skip


def _skipped(who: Who, one: Any, rule: str, until: float) -> Skipped:
    return Skipped(
        one.id, one.person, one.name, one.lender, numbers_shown(who, one.numbers), rule, _until(until)
    )  # fmt: skip


def _until(at: float) -> datetime | None:
    return None if at == float("inf") else datetime.fromtimestamp(at, UTC)


NO_CAMPAIGN, BAD_DAY, BAD_SETTINGS = (404, "no_campaign"), (422, "bad_day"), (422, "bad_settings")
WHERE = "/campaigns/{campaign}"
ROUTES = (
    Route("GET", WHERE + "/preview", Right.CAMPAIGNS_SEE, foretell, "A day before it begins", query=PreviewQuery,
          gives=Foretold, cost=10, problems=(NO_CAMPAIGN, BAD_DAY)),
    Route("POST", WHERE + "/preview", Right.CAMPAIGNS_SEE, foretell_draft, "A day as other settings would have it",
          takes=Draft, gives=Foretold, cost=10, audited=False, problems=(NO_CAMPAIGN, BAD_DAY, BAD_SETTINGS)),
    Route("GET", WHERE + "/week", Right.CAMPAIGNS_SEE, week, "Its days and hours beside the law's", gives=Week,
          problems=(NO_CAMPAIGN,)),
    Route("POST", WHERE + "/week", Right.CAMPAIGNS_SEE, week_draft, "The week as other settings would have it",
          takes=Draft, gives=Week, audited=False, problems=(NO_CAMPAIGN, BAD_SETTINGS)),
    Route("GET", WHERE + "/skips", Right.CAMPAIGNS_SEE, skips, "Who would be refused now, and why", query=SkipQuery,
          gives=Skips, cost=10, problems=(NO_CAMPAIGN,)),
)  # fmt: skip
