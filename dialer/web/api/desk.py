"""An agent's own desk: how he stands, who is on the line, his telephone's password, and all that he orders."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Protocol

import msgspec
from msgspec import Meta

from dialer.dialplan import endpoint
from dialer.history import Entry, What, is_contact, note
from dialer.mask import mask_number
from dialer.model import AgentState, Campaign, Contact, Fact, Kind, Status
from dialer.numbers import NumberFault, read_number
from dialer.outlook import zone_of
from dialer.promises import limits_of
from dialer.users import Phone, Role
from dialer.values import MINOR_DIGITS
from dialer.web import talk
from dialer.web.access import Right, Who
from dialer.web.days import Days
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.route import Asked, Replay, Route
from dialer.web.sip import REALM, SoftPhones, ice_servers
from dialer.web.talk import Stage

CONTACTS_SHOWN, NOTES_SHOWN = 5, 5
SIP_PATH = "/sip"
LATE_S, LATE_ENTRIES = 3600.0, 1000  # so long, and so far back in the stream, an agent corrects his own result
Text = Annotated[str, Meta(max_length=1000)]
Id = Annotated[str, Meta(max_length=80)]
Extension = Annotated[str, Meta(pattern=r"^[0-9]{2,10}$")]

# what a talk can end with; dispositions.py and outcomes.py know what follows from each
Word = Literal[
    "promise", "offer", "call_back", "paid_claim", "refuses", "hardship", "dispute", "stop", "wrong_number",
    "new_number", "not_at_home", "abusive", "machine", "no_one", "cut_off", "deceased", "no_result",
]  # fmt: skip


# ---- what is shown


class DeskNote(msgspec.Struct):
    """How the agent stands, as the engine last said. Times: epoch seconds, 0: none."""

    agent: str
    campaign: str
    node: str
    state: str
    since: float
    at: float
    seq: int = 0
    attempt: str = ""
    contact: str = ""
    number: str = ""
    number_kind: str = ""
    kind: str = ""
    language: str = ""
    call: str = ""
    wrap_until: float = 0.0
    preview_until: float = 0.0
    break_reason: str = ""
    break_until: float = 0.0
    sent_by: str = ""
    recording: str = ""
    asked: str = ""
    asked_by: str = ""
    monitored: str = ""
    help: bool = False
    next: str = ""


class Past(msgspec.Struct):
    """One earlier talk."""

    at: datetime
    outcome: str
    disposition: str = ""
    agent: str = ""
    talk_s: int = 0
    promised: int = 0
    promised_day: date | None = None


class Noted(msgspec.Struct):
    """What somebody wrote."""

    at: datetime
    by: str
    text: str


class Heard(msgspec.Struct):
    """What the IVR learnt in this call."""

    at: datetime
    what: str
    value: str = ""


class Promised(msgspec.Struct):
    """How promises went, and the one that is open."""

    kept: int = 0
    part: int = 0
    broken: int = 0
    open_amount: int = 0
    open_day: date | None = None


class Script(msgspec.Struct):
    """What to say. `stages`: those that the agent may choose; `steps` of each."""

    stage: Stage
    steps: dict[Stage, list[talk.Step]]


class Limit(msgspec.Struct):
    """What may be promised, by the debtor's day."""

    first_day: date
    last_day: date
    least: int
    most: int


class HisNumber(msgspec.Struct):
    """One of his numbers, by its place; masked."""

    number: str
    kind: str
    state: str


class Pop(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The account of the one who is on the line. What the operator does not show to agents is not here."""

    attempt: str
    contact: str
    kind: str
    number: str
    number_kind: str
    language: str
    currency: str
    zone: str = ""
    numbers: list[HisNumber] = []
    next_number: int = 0
    name: str = ""
    lender: str = ""
    product: str = ""
    account: str = ""
    outstanding: int | None = None
    minimum: int | None = None
    fee: int | None = None
    incentive: int | None = None
    due: date | None = None
    days_late: int | None = None
    province: str = ""
    regency: str = ""
    promises: Promised | None = None
    contacts: list[Past] | None = None
    notes: list[Noted] | None = None
    heard: list[Heard] | None = None
    script: Script
    limit: Limit


class Line(msgspec.Struct):
    """A campaign that agents can work for."""

    id: str
    name: str
    status: Status
    mode: str
    breaks: list[str]
    wrap_up_max_s: int


class Desk(msgspec.Struct):
    """All of it. `note` and `call` null: he is not signed in to a campaign, or talks with nobody."""

    agent: str
    phone: Phone
    note: DeskNote | None
    call: Pop | None
    campaigns: list[Line]


class Today(msgspec.Struct):
    """The agent's own day in this campaign: `contacts` are talks with the debtor himself; `kept` promises of his."""

    talks: int = 0
    talk_s: int = 0
    contacts: int = 0
    promises: int = 0
    kept: int = 0


class Colleague(msgspec.Struct):
    """Somebody who works for the same campaign now. `free`: he can take a call over."""

    agent: str
    name: str
    supervisor: bool
    free: bool


class SoftPhone(msgspec.Struct):
    """What the page's telephone needs, once: the password is known to nobody else and ends with the desk."""

    user: str
    password: str
    realm: str
    websocket: str
    ice: list[dict[str, str]]
    relay: bool


class Done(msgspec.Struct):
    """The engine's word."""

    text: str


# ---- what is asked


class Ready(msgspec.Struct, forbid_unknown_fields=True):
    """Work for this campaign."""

    campaign: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class Break(msgspec.Struct, forbid_unknown_fields=True):
    """A break, now or after this call."""

    reason: Annotated[str, Meta(max_length=40)] = ""


class Result(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What came of a talk. `amount`, `day`: a promise; `at`: a call-back on the debtor's own clock (2026-11-23T10:15);
    `number`: a better one of his; `offer`: as the offers name it. `attempt` keeps it from ending up with another call.
    """

    attempt: Id
    word: Word
    amount: Annotated[int, Meta(ge=0, le=10**15)] = 0
    day: date | None = None
    at: Annotated[str, Meta(pattern=r"^(\d{4}-\d\d-\d\dT\d\d:\d\d)?$")] = ""
    number: Annotated[str, Meta(max_length=40)] = ""
    offer: Annotated[str, Meta(max_length=400)] = ""
    note: Text = ""


class LateResult(Result, forbid_unknown_fields=True, kw_only=True):
    """The result of a call whose wrap-up ended before it came: `campaign` is the call's."""

    campaign: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class Written(msgspec.Struct, forbid_unknown_fields=True):
    """A note about the one who is on the line."""

    attempt: Id
    text: Annotated[str, Meta(min_length=1, max_length=1000)]


class Other(msgspec.Struct, forbid_unknown_fields=True):
    """Hand the call over to this agent; `announce`: talk with him first."""

    agent: Extension
    announce: bool = False


class Help(msgspec.Struct, forbid_unknown_fields=True):
    """Call a supervisor, or need none any more."""

    on: bool = True


class Skip(msgspec.Struct, forbid_unknown_fields=True):
    """Why this account is not called."""

    reason: Annotated[str, Meta(min_length=1, max_length=100)]


class Dial(msgspec.Struct, forbid_unknown_fields=True):
    """Call a number of this account: `number` counts its numbers from 0."""

    contact: Id
    number: Annotated[int, Meta(ge=0, le=50)] = 0


class Histories(Protocol):
    """Where a person's past is kept."""

    async def history(self, person: str, at: float) -> Sequence[Entry]: ...
    async def remember(self, person: str, entry: Entry) -> bool: ...


# ---- seeing


async def show(office: Office, asked: Asked[None, None]) -> Desk:
    """Everything, for a page that has just come."""
    user = await office.users.user(asked.who.name)
    if user is None:
        raise Problem(401, "not_signed_in", "Sign in first.")
    seen = await _note(office, asked.who)
    call = await _pop(office, asked.who, seen, asked.at) if seen else None
    return Desk(asked.who.agent, user.phone, seen, call, await _lines(office))


async def pop(office: Office, asked: Asked[None, None]) -> Pop:
    """Who is on the line."""
    seen = await _note(office, asked.who)
    found = await _pop(office, asked.who, seen, asked.at) if seen else None
    if found is None:
        raise Problem(404, "no_call", "Nobody is on the line.")
    return found


async def day_so_far(office: Office, asked: Asked[None, None]) -> Today:
    """Talk time, contacts, promises."""
    seen = await _note(office, asked.who)
    if seen is None or not seen.campaign:
        return Today()
    days: Days = office.parts.setdefault("days", Days(_books(office)))
    one = await days.of(seen.campaign, asked.who.agent, asked.at)
    return Today(one.talks, one.talk_s, one.contacts, one.promises, one.kept)


async def colleagues(office: Office, asked: Asked[None, None]) -> list[Colleague]:
    """Who could take this call over, those who are free first."""
    seen = await _note(office, asked.who)
    if seen is None or not seen.campaign:
        return []
    names = {one.agent: one for one in await office.users.users() if one.agent}
    found = [
        Colleague(
            one.id,
            names[one.id].name if one.id in names else one.id,
            one.id in names and names[one.id].role is not Role.AGENT,
            one.state is AgentState.IDLE,
        )
        for one in await office.books.agents(seen.campaign)
        if one.id != asked.who.agent and one.state is not AgentState.SIGNED_OUT
    ]
    return sorted(found, key=lambda one: (not one.free, one.name))


async def _note(office: Office, who: Who) -> DeskNote | None:
    raw = await office.ear.last("desk", who.agent)
    return msgspec.json.decode(raw, type=DeskNote) if raw else None


async def _lines(office: Office) -> list[Line]:
    found = [await office.books.campaign(name) for name in sorted(await office.books.campaigns())]
    return [
        Line(one.id, one.name, status, one.mode.value, sorted(one.breaks), one.wrap_up_max_s)
        for one, status in (each for each in found if each is not None)
        if one.kind is Kind.AGENTS or one.ivr_agents
    ]


async def _pop(office: Office, who: Who, seen: DeskNote, at: float) -> Pop | None:
    if not seen.attempt and not seen.contact:
        return None
    settings, contact, facts = await asyncio.gather(  # an agent waits for it: one after the other takes too long
        office.books.campaign(seen.campaign),
        office.books.contact(seen.campaign, seen.contact),
        office.books.facts(seen.campaign, seen.attempt),
    )
    if settings is None:
        return None
    campaign, known = settings[0], contact or Contact(seen.contact, "", ())
    past = await _histories(office).history(known.person, at) if known.person else ()
    mine = [one for one in past if one.contact in ("", known.id)]
    return build_pop(seen, campaign, known, mine, facts, frozenset(office.config.web.agent_fields), at)


def build_pop(
    seen: DeskNote, campaign: Campaign, contact: Contact, past: Sequence[Entry], facts: Sequence[Fact],
    allowed: frozenset[str], at: float,
) -> Pop:  # fmt: skip
    """The account as an agent may see it; nothing that is not `allowed` is even named in the script."""
    local = datetime.fromtimestamp(at, zone_of(contact.zone) or UTC)
    language = seen.language or contact.language or campaign.language
    late = (local.date() - contact.due).days if contact.due else None
    shown: dict[str, Any] = {
        "name": contact.name, "lender": contact.lender, "product": contact.product, "account": contact.account,
        "outstanding": contact.amount or None, "minimum": contact.minimum or None, "fee": contact.fee or None,
        "incentive": contact.incentive or None, "due": contact.due, "days_late": late, "province": contact.province,
        "regency": contact.regency, "promises": _promised(past, local.date()),
        "contacts": [_past(one) for one in reversed(past) if is_contact(one)][:CONTACTS_SHOWN],
        "notes": [_noted(one) for one in reversed(past) if one.what is What.NOTE][:NOTES_SHOWN],
        "heard": [Heard(_time(one.at), one.name, one.value) for one in facts if one.name in HEARD],
    }  # fmt: skip
    shown = {name: value for name, value in shown.items() if name in allowed}
    stage = talk.stage_of(late, past if {"promises", "contacts"} & allowed else ())
    values = _values(shown, campaign, contact.currency, language, local)
    script = {one: list(talk.steps(one, language, values)) for one in Stage}
    limits = limits_of(campaign)
    least = min(limits.least or contact.minimum, contact.amount) if contact.amount else limits.least
    return Pop(
        attempt=seen.attempt, contact=seen.contact, kind=seen.kind, number=seen.number, number_kind=seen.number_kind,
        language=language, currency=contact.currency, zone=contact.zone, next_number=contact.next_number,
        numbers=[HisNumber(mask_number(one.e164), one.kind.value, one.state.value) for one in contact.numbers],
        script=Script(stage, script),
        limit=Limit(local.date(), _after(local.date(), limits.days_max), least, contact.amount), **shown,
    )  # fmt: skip


HEARD = frozenset(
    "verified told promise offer paid_claim dispute hardship call_back wants_agent pay_now send_va new_number"
    " not_at_home wrong_person stop".split()
)


def _values(
    shown: Mapping[str, Any], campaign: Campaign, currency: str, language: str, local: datetime
) -> Mapping[str, str]:
    """Of the script's variables those that are known."""
    promised: Promised | None = shown.get("promises")
    amounts = {name: shown.get(name) for name in ("outstanding", "minimum")}
    days = {"due": shown.get("due")}
    if promised is not None and promised.open_day is not None:
        amounts["promised"], days["promised_day"] = promised.open_amount, promised.open_day
    digits, late = MINOR_DIGITS.get(currency, 2), shown.get("days_late")
    return {
        "greeting": talk.greeting(local.hour, language),
        "caller": campaign.caller_name,
        **{name: shown.get(name) or "" for name in ("name", "lender", "product")},
        **{name: talk.money(one, currency, language, digits) for name, one in amounts.items() if one},
        **{name: talk.day(one, language) for name, one in days.items() if one},
        "days_late": str(late) if late and late > 0 else "",
    }


def _promised(past: Sequence[Entry], today: date) -> Promised:
    kinds = [one.what for one in past]
    last = next((one for one in reversed(past) if one.due is not None), None)
    open_ = last is not None and last.what in (What.CALL, What.BROKEN, What.PART)
    return Promised(
        kinds.count(What.KEPT), kinds.count(What.PART), kinds.count(What.BROKEN),
        last.amount if last and open_ else 0, last.due if last and open_ else None,
    )  # fmt: skip


def _past(one: Entry) -> Past:
    word = one.disposition.partition(":")[0] or one.choice
    return Past(_time(one.at), one.outcome, word, one.agent, one.talk_s, one.amount, one.due)


def _noted(one: Entry) -> Noted:
    return Noted(_time(one.at), one.by, one.text)


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _after(day: date, days: int) -> date:
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))


def _books(office: Office) -> Any:
    """The store, with all that it has beside the engine's part."""
    return office.books


def _histories(office: Office) -> Histories:
    books: Histories = _books(office)
    return books


# ---- coming and going


async def phone(office: Office, asked: Asked[None, None]) -> SoftPhone:
    """A new password for the page's telephone; pages that had another are told that the desk was taken."""
    phones: SoftPhones = office.need("soft_phones")
    password = await phones.give(asked.who.agent)
    node = phones.node(asked.who.agent)
    user = endpoint(asked.who.agent)
    ice = ice_servers(node.turn, node.turn_secret, asked.who.agent, asked.at)
    return SoftPhone(user, password, REALM, SIP_PATH, ice, node.relay)


async def ready(office: Office, asked: Asked[None, Ready]) -> Done:
    """Sign in to a campaign: the engine calls his telephone once and parks it."""
    seen = await _note(office, asked.who)
    if seen and seen.campaign not in ("", asked.body.campaign) and seen.state != "signed_out":
        await _order(office, asked, seen.campaign, "sign_out")
    return Done(await _order(office, asked, asked.body.campaign, "sign_in"))


async def pause(office: Office, asked: Asked[None, Break]) -> Done:
    """A break, now or after this call."""
    return Done(await _mine(office, asked, "break", reason=asked.body.reason))


async def back(office: Office, asked: Asked[None, None]) -> Done:
    """From a break, or stay after all."""
    return Done(await _mine(office, asked, "back"))


async def leave(office: Office, asked: Asked[None, None]) -> Done:
    """Sign out of the campaign, after this call; the telephone's password ends when nobody talks."""
    seen = await _note(office, asked.who)
    text = ""
    if seen is not None and seen.state != "signed_out":
        text = await _order(office, asked, seen.campaign, "sign_out")
        if text == "after this call":
            return Done(text)
    phones: SoftPhones | None = office.parts.get("soft_phones")
    if phones is not None:
        await phones.take_away(asked.who.agent)
    return Done(text or "signed out")


# ---- in the call


async def wrapped(office: Office, asked: Asked[None, Result]) -> Done:
    """The result; wrap-up ends."""
    return Done(await _result(office, asked, "wrapped"))


async def disposed(office: Office, asked: Asked[None, Result]) -> Done:
    """The result while the talk goes on: it is kept, and can be changed until wrap-up ends."""
    return Done(await _result(office, asked, "disposition"))


async def _result(office: Office, asked: Asked[None, Result], name: str) -> str:
    said = asked.body
    seen = await _same_call(office, asked.who, said.attempt)
    disposition = disposition_of(said, office)
    text = await _order(office, asked, seen.campaign, name, disposition=disposition, attempt=said.attempt)
    contact = await office.books.contact(seen.campaign, seen.contact) if seen.contact and said.note.strip() else None
    if contact is not None:
        await _histories(office).remember(contact.person, _entry(office, asked, seen, said.note))
    return text


async def late(office: Office, asked: Asked[None, LateResult]) -> Done:
    """His own call of the last hour, whose outcome has been written: a correction."""
    said = asked.body
    entries = await office.books.tail(said.campaign, LATE_ENTRIES)
    told = next(
        (one for _, one in reversed(entries) if (one["type"], one["attempt"]) == ("outcome", said.attempt)), None
    )
    if told is None or told["agent"] != asked.who.agent or not told["ended_at"]:
        raise Problem(404, "no_call", "This is none of your calls of the last hour.")
    if asked.at - datetime.fromisoformat(told["ended_at"]).timestamp() > LATE_S:
        raise Problem(409, "too_late", "This call is more than an hour old; a supervisor can correct its result.")
    text = await _order(
        office, asked, said.campaign, "correct", attempt=said.attempt, disposition=disposition_of(said, office)
    )
    if said.note.strip():
        about = note(
            asked.key or office.new_id(asked.at), asked.at, asked.who.name, said.note, said.campaign, told["debtor"]
        )
        await _histories(office).remember(told["person"], about)
    return Done(text)


def disposition_of(said: Result, office: Office) -> str:
    """As the engine and the public record write it. Raises Problem 422."""
    match said.word:
        case "promise":
            if said.day is None:
                raise Problem(422, "promise", "A promise needs its day.")
            return f"promise:{said.day.isoformat()}" + (f";{said.amount}" if said.amount else "")
        case "call_back":
            return f"call_back:{said.at}" if said.at else "call_back"
        case "offer":
            if not said.offer:
                raise Problem(422, "offer", "Choose one of the offers.")
            return f"offer:{said.offer}"
        case "new_number":
            rules = office.config.list_rules()
            try:
                return f"new_number:{read_number(said.number, rules.region, rules.country_codes)}"
            except NumberFault as bad:
                raise Problem(422, "number", f"This number is {bad.reason}: {bad.cure}.") from None
        case word:
            return word


async def write(office: Office, asked: Asked[None, Written]) -> Done:
    """A note into the history of the one who is on the line."""
    seen = await _same_call(office, asked.who, asked.body.attempt)
    contact = await office.books.contact(seen.campaign, seen.contact) if seen.contact else None
    if contact is None:
        raise Problem(409, "nobody_known", "It is not known who is on the line.")
    await _histories(office).remember(contact.person, _entry(office, asked, seen, asked.body.text))
    return Done("noted")


def _entry(office: Office, asked: Asked[Any, Any], seen: DeskNote, text: str) -> Entry:
    return note(asked.key or office.new_id(asked.at), asked.at, asked.who.name, text, seen.campaign, seen.contact)


async def _same_call(office: Office, who: Who, attempt: str) -> DeskNote:
    """Raises Problem 409 where he has gone on to another call, which must not get this one's result."""
    seen = await _note(office, who)
    if seen is None or seen.attempt != attempt:
        raise Problem(409, "call_over", "The wrap-up of this call has ended; send its result as a late one.")
    return seen


async def hand_over(office: Office, asked: Asked[None, Other]) -> Done:
    """To another agent or supervisor: at once, or first a word with him while the debtor hears music."""
    return Done(await _mine(office, asked, "consult" if asked.body.announce else "to_agent", to=asked.body.agent))


async def call_help(office: Office, asked: Asked[None, Help]) -> Done:
    """A supervisor is asked to listen in."""
    return Done(await _mine(office, asked, "help", on="yes" if asked.body.on else "no"))


async def skip(office: Office, asked: Asked[None, Skip]) -> Done:
    """Preview: not this one."""
    return Done(await _mine(office, asked, "preview_skip", reason=asked.body.reason))


async def dial(office: Office, asked: Asked[None, Dial]) -> Done:
    """By hand, a number of an account: the same gate and budget as any other call."""
    return Done(await _mine(office, asked, "dial", contact=asked.body.contact, number=str(asked.body.number)))


def _plain(name: str) -> Any:
    async def run(office: Office, asked: Asked[None, None]) -> Done:
        return Done(await _mine(office, asked, name))

    return run


async def _mine(office: Office, asked: Asked[Any, Any], name: str, **args: str) -> str:
    seen = await _note(office, asked.who)
    if seen is None or seen.state == "signed_out":
        raise Problem(409, "not_ready", "Sign in to a campaign first.")
    return await _order(office, asked, seen.campaign, name, **args)


async def _order(office: Office, asked: Asked[Any, Any], campaign: str, name: str, **args: str) -> str:
    """His own extension and no other, whatever was sent."""
    given = {key: value for key, value in args.items() if value}
    key = f"{asked.key}:{name}" if asked.key else ""  # one that is sent again after no answer is applied once
    return await office.ask(campaign, name, given | {"agent": asked.who.agent}, asked.who, key=key)


def _route(path: str, run: Any, summary: str, takes: Any = None, gives: Any = Done) -> Route:
    return Route("POST", f"/desk/{path}", Right.DESK, run, summary, takes=takes, gives=gives)


ROUTES = (
    Route("GET", "/desk", Right.DESK, show, "My desk: state, call, campaigns", gives=Desk),
    Route("GET", "/desk/pop", Right.DESK, pop, "Who is on the line", gives=Pop),
    Route("GET", "/desk/colleagues", Right.DESK, colleagues, "Who could take this call over", gives=list[Colleague]),
    Route("GET", "/desk/day", Right.DESK, day_so_far, "My own day", gives=Today),
    Route(
        "POST",
        "/desk/phone",
        Right.DESK,
        phone,
        "A one-time SIP password for this page",
        gives=SoftPhone,
        cost=2,
        once=Replay.NO,
    ),
    _route("ready", ready, "Work for a campaign", Ready),
    _route("break", pause, "Take a break, now or after this call", Break),
    _route("back", back, "Come back from a break", None),
    _route("sign-out", leave, "Stop working, after this call", None),
    _route("wrapped", wrapped, "The result of the call; wrap-up ends", Result),
    _route("late", late, "The result of an own call whose wrap-up has ended", LateResult),
    _route("disposition", disposed, "The result while the talk goes on", Result),
    _route("note", write, "Write a note about the debtor", Written),
    _route("hang-up", _plain("hang_up"), "Hang up on the debtor"),
    _route("hold", _plain("hold"), "Let him hear music"),
    _route("unhold", _plain("unhold"), "Take him back"),
    _route("to-ivr", _plain("to_ivr"), "Hand him to the IVR for the payment"),
    _route("to-agent", hand_over, "Hand him to a colleague or supervisor", Other),
    _route("consult-end", _plain("consult_end"), "End the word with the colleague; the debtor stays on hold"),
    _route("hand-over", _plain("hand_over"), "Give him to the colleague who was asked"),
    _route("help", call_help, "Call a supervisor for help", Help),
    _route("record-pause", _plain("record_pause"), "Pause the recording"),
    _route("record-resume", _plain("record_resume"), "Record again"),
    _route("preview/call", _plain("preview_call"), "Preview: call it"),
    _route("preview/skip", skip, "Preview: not this one", Skip),
    _route("dial", dial, "Call a number of an account by hand", Dial),
)
