"""Debtors: found by number, account, id or name; their whole history and every why; given out and forgotten.

A debtor is one person, known by the keyed hash of the operator's id for him, with one or more accounts.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from dialer.debts.history import NOTE_MAX, note
from dialer.keyed import person_key
from dialer.law.decisionlog import ALLOWED
from dialer.lists.preview import Case, sentence
from dialer.model import Contact
from dialer.web.access import Right, Who
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.records import (
    CampaignId,
    Done,
    EntryShown,
    Id,
    NumberShown,
    PromiseShown,
    entry_shown,
    key_of_number,
    known_campaign,
    maybe,
    numbers_shown,
    pack_of,
    person_of,
    promise_shown,
    records,
    utc,
)
from dialer.web.route import Asked, Download, Replay, Route

SHOWN_MAX = 100
DECISIONS = 200
WHY_ONE_AT_A_TIME = "why"
SEEK_S = 300.0  # through all streams: a million outcomes take a minute

Words = Annotated[str, Meta(max_length=100)]


class DebtorQuery(msgspec.Struct, forbid_unknown_fields=True):
    """One of: `number` as people write it; `account`, with its `lender`; `contact` as outcomes name it (`debtor`);
    `person_id` of the operator's list; `name`, or words of it, within a `campaign`. A name has no index: a look goes
    through some 20,000 contacts, and `cursor` goes on where it stopped.
    """

    number: Annotated[str, Meta(max_length=40)] = ""
    account: Words = ""
    lender: Words = ""
    contact: Id = ""
    person_id: Id = ""
    name: Words = ""
    campaign: CampaignId = ""
    cursor: Annotated[str, Meta(pattern="^[0-9]{0,20}$")] = ""


class Found(msgspec.Struct):
    """An account in a list of accounts. Amounts in the currency's smallest written unit; 0: not known."""

    person: str
    campaign: str
    contact: str
    name: str
    lender: str
    product: str
    account: str
    outstanding: int
    currency: str
    due: str
    numbers: list[NumberShown]


class DebtorList(msgspec.Struct):
    """`cursor` not empty: `looked_at` contacts were looked at, more are left."""

    debtors: list[Found]
    cursor: str = ""
    looked_at: int = 0


class Account(msgspec.Struct):
    """One account as a campaign has it. `standing`: listed (waits, from `due_at` on), under_way, rests; `came`: outcome
    -> how many of its attempts.
    """

    campaign: str
    contact: str
    name: str
    lender: str
    product: str
    account: str
    outstanding: int
    minimum: int
    fee: int
    incentive: int
    currency: str
    due: str
    language: str
    zone: str
    province: str
    regency: str
    post_code: str
    priority: int
    score: int
    standing: str
    due_at: datetime | None
    tries: int
    last_at: datetime | None
    callback_at: datetime | None
    callback_agent: str
    broken_at: datetime | None
    numbers: list[NumberShown]
    custom: dict[str, str]
    consents: list[str]
    came: dict[str, int]


class Debtor(msgspec.Struct):
    """All that is known of a person. `stops`: by whom he is not called; `numbers_stopped`: how many of his numbers."""

    person: str
    accounts: list[Account]
    promises: list[PromiseShown]
    history: list[EntryShown]
    stops: list[str]
    numbers_stopped: int
    silent_until: datetime | None
    hardship: bool
    attempts: int
    conversations: int


class HistoryList(msgspec.Struct):
    """Newest first; at most 100 entries, kept for 400 days."""

    entries: list[EntryShown]


class Decision(msgspec.Struct):
    """One decision of the gate. `of_number` -1: of none of his."""

    at: datetime
    campaign: str
    contact: str
    number: int
    allowed: bool
    rule: str
    sentence: str
    until: datetime | None
    pack: str
    attempt: str


class DecisionList(msgspec.Struct):
    """Newest first. `number` counts his numbers from 0 in the order of calling."""

    decisions: list[Decision]


class NewNote(msgspec.Struct, forbid_unknown_fields=True):
    """One line; telephone numbers are masked in it."""

    text: Annotated[str, Meta(min_length=1, max_length=NOTE_MAX)]
    contact: Id = ""


class Withdraw(msgspec.Struct, forbid_unknown_fields=True):
    """From one campaign, or (empty) from all."""

    campaign: CampaignId = ""


class Erase(msgspec.Struct, forbid_unknown_fields=True):
    """It cannot be taken back."""

    confirm: Literal["erase"]


# ---- found ----------------------------------------------------------------------------------------------------------


async def search(office: Office, asked: Asked[DebtorQuery, None]) -> DebtorList:
    """Accounts that fit, at most 100; a look by name costs up to 20,000 contacts (some 40 ms of CPU)."""
    query, store = asked.query, records(office)
    if query.name:
        if not query.campaign:
            raise Problem(422, "no_campaign", "A name is looked for within one campaign.")
        await known_campaign(office, query.campaign)
        contacts, cursor, looked = await store.find_names(query.campaign, query.name, query.cursor)
        rows = [_found(asked.who, query.campaign, one) for one in contacts]
        return DebtorList(rows[:SHOWN_MAX], cursor, looked)
    places: Iterable[tuple[Any, Contact]]
    if query.number:
        places = await store.contacts_of(key_of_number(office, query.number))
    elif query.account or query.contact:
        places = (await store.accounts(query.lender, query.account, query.contact)).items()
    elif query.person_id.strip():
        places = await store.contacts_of_person(person_key(office.config.person_key, query.person_id.strip()))
    else:
        raise Problem(422, "nobody", "Name a number, an account, a contact, a person_id or a name.")
    rows = [_found(asked.who, place.campaign, one) for place, one in places if query.campaign in ("", place.campaign)]
    return DebtorList(rows[:SHOWN_MAX])


def _found(who: Who, campaign: str, one: Contact) -> Found:
    return Found(
        one.person, campaign, one.id, one.name, one.lender, one.product, one.account, one.amount, one.currency,
        one.due.isoformat() if one.due else "", numbers_shown(who, one.numbers),
    )  # fmt: skip


# ---- one person -----------------------------------------------------------------------------------------------------


async def show(office: Office, asked: Asked[None, None]) -> Debtor:
    """His accounts, promises, history, stops."""
    return await _debtor(office, asked)


async def history(office: Office, asked: Asked[None, None]) -> HistoryList:
    """Calls, notes, payments, promises."""
    person = person_of(asked)
    await _places(office, person)
    return HistoryList([entry_shown(one) for one in reversed(await records(office).history(person, asked.at))])


async def why(office: Office, asked: Asked[None, None]) -> DecisionList:
    """Every decision about his accounts that the log still has, by a look through it: one such look at a time."""
    person, store = person_of(asked), records(office)
    places = await _places(office, person)
    turn: asyncio.Semaphore = office.parts.setdefault(WHY_ONE_AT_A_TIME, asyncio.Semaphore(1))
    if turn.locked():
        raise Problem(429, "one_at_a_time", "Somebody else looks through the log; ask again.", 2)
    numbers = dict.fromkeys(number.key for _, one in places for number in one.numbers[:1])
    async with turn:
        found = [said for key in numbers for said in await store.decisions_about(key, DECISIONS)]
    packs: dict[str, Any] = {}
    for name in {one.place.campaign for one in found}:
        known = await office.books.campaign(name)
        with suppress(Problem):  # the rule is named all the same
            packs[name] = await pack_of(office, known[0]) if known else None
    his = {(place.campaign, one.id) for place, one in places}
    rows = [
        Decision(
            utc(said.at), one.place.campaign, one.place.contact, said.number, said.kind == ALLOWED, said.rule,
            sentence(said.rule, packs.get(one.place.campaign)) if said.rule else "", maybe(said.until), said.pack,
            said.attempt,
        )
        for one in found
        for said in (one.decision,)
        if (one.place.campaign, one.place.contact) in his
    ]  # fmt: skip
    return DecisionList(sorted(rows, key=lambda row: row.at, reverse=True)[:DECISIONS])


async def add_note(office: Office, asked: Asked[None, NewNote]) -> EntryShown:
    """Into his history."""
    person, wanted = person_of(asked), asked.body
    places = await _places(office, person)
    campaign = next((place.campaign for place, one in places if one.id == wanted.contact), "")
    if wanted.contact and not campaign:
        raise Problem(422, "no_contact", "He has no such account.")
    entry = note(office.new_id(asked.at), asked.at, asked.who.name, wanted.text, campaign, wanted.contact)
    if not entry.text:
        raise Problem(422, "no_text", "Write something that can be read.")
    await records(office).remember(person, entry)
    return entry_shown(entry)


async def withdraw(office: Office, asked: Asked[None, Withdraw]) -> Done:
    """Off the list for good; a call under way goes on."""
    person = person_of(asked)
    await _places(office, person)
    if asked.body.campaign:
        await known_campaign(office, asked.body.campaign)
    taken = await records(office).withdraw(person, asked.at, asked.body.campaign)
    scope = f"campaign:{asked.body.campaign}" if asked.body.campaign else ""
    told = {"action": "withdraw", "scope": scope, "by": f"web:{asked.who.name}", "count": str(taken), "person": person}
    await records(office).tell_stops(told, asked.at)
    asked.note = f"{taken} accounts"
    return Done(taken)


async def give_out(office: Office, asked: Asked[None, None]) -> Download:
    """All that is held of one person, as JSON with his numbers in full: what UU PDP entitles him to."""
    person = await _held(office, asked)
    body = msgspec.json.format(msgspec.json.encode(await records(office).held(person, asked.at)), indent=2)
    return Download("application/json", "person.json", content=body)


async def erase(office: Office, asked: Asked[None, Erase]) -> Done:
    """Forget him: accounts, numbers, history, promises, payments, entries of the public streams, recordings. A word not
    to call him stays, as a keyed hash. The same again finishes what was cut off."""
    person = await _held(office, asked)
    gone = await records(office).erase(person)
    told = {"action": "erase", "count": str(gone), "by": f"web:{asked.who.name}"}  # nobody's hash: he is forgotten
    await records(office).tell_stops(told, asked.at)
    asked.note = f"{gone} accounts"
    return Done(gone)


async def _held(office: Office, asked: Asked[Any, Any]) -> str:
    """Of whom anything is held, listed or not. Raises Problem 404."""
    person = person_of(asked)
    if not await records(office).is_known(person):
        raise Problem(404, "no_debtor", "There is no such debtor.")
    return person


async def _places(office: Office, person: str) -> tuple[tuple[Any, Contact], ...]:
    """His accounts. Raises Problem 404."""
    places = await records(office).contacts_of_person(person)
    if not places:
        raise Problem(404, "no_debtor", "There is no such debtor.")
    return places


async def _debtor(office: Office, asked: Asked[Any, Any]) -> Debtor:
    person, store = person_of(asked), records(office)
    places = await _places(office, person)
    by_campaign: dict[str, list[str]] = {}
    for place, one in places:
        by_campaign.setdefault(place.campaign, []).append(one.id)
    cases = [(name, case) for name, ids in by_campaign.items() for case in await store.cases(name, ids, asked.at)]
    keys = list(dict.fromkeys(number.key for _, one in places for number in one.numbers))
    stops, *of_numbers = await store.stops_of([person], keys)
    past = cases[0][1].person if cases else None
    return Debtor(
        person,
        [_account(asked.who, name, case) for name, case in cases],
        [promise_shown(one) for one in reversed(await store.promises(person, asked.at))],
        [entry_shown(one) for one in reversed(await store.history(person, asked.at))],
        list(stops),
        sum(bool(scopes) for scopes in of_numbers),
        maybe(past.silent_until) if past else None,
        bool(past and past.hardship),
        len(past.attempts) if past else 0,
        len(past.conversations) if past else 0,
    )


def _account(who: Who, campaign: str, case: Case) -> Account:
    one = case.contact
    return Account(
        campaign, one.id, one.name, one.lender, one.product, one.account, one.amount, one.minimum, one.fee,
        one.incentive, one.currency, one.due.isoformat() if one.due else "", one.language, one.zone, one.province,
        one.regency, one.post_code, one.priority, one.score, case.standing.value, maybe(case.due), one.tries,
        maybe(one.last_at), maybe(one.callback_at), one.callback_agent, maybe(one.broken_at),
        numbers_shown(who, one.numbers), dict(one.custom),
        [f"{said.what} ({said.source}, {said.on})" for said in one.consents], dict(one.came),
    )  # fmt: skip


NOBODY = (404, "no_debtor")
ROUTES = (
    Route("GET", "/debtors", Right.DEBTORS_SEE, search, "Find debtors", query=DebtorQuery, gives=DebtorList, cost=2,
          problems=((404, "no_campaign"), (422, "nobody"))),
    Route("GET", "/debtors/{person}", Right.DEBTORS_SEE, show, "One debtor", gives=Debtor, problems=(NOBODY,)),
    Route("GET", "/debtors/{person}/history", Right.DEBTORS_SEE, history, "His history", gives=HistoryList,
          problems=(NOBODY,)),
    Route("GET", "/debtors/{person}/decisions", Right.DEBTORS_SEE, why, "Why he was called or not", gives=DecisionList,
          cost=10, problems=(NOBODY, (429, "one_at_a_time"))),
    Route("POST", "/debtors/{person}/notes", Right.DEBTORS_CHANGE, add_note, "Write a note", takes=NewNote,
          gives=EntryShown, status=201, problems=(NOBODY, (422, "no_contact"))),
    Route("POST", "/debtors/{person}/withdraw", Right.DEBTORS_CHANGE, withdraw, "Take him off the list",
          takes=Withdraw, gives=Done, problems=(NOBODY,)),
    Route("POST", "/debtors/{person}/export", Right.PERSONS_CHANGE, give_out, "All that is held of him, as a file",
          gives=Download, cost=10, limit_s=SEEK_S, once=Replay.NO, problems=(NOBODY,)),
    Route("POST", "/debtors/{person}/erase", Right.PERSONS_CHANGE, erase, "Forget him", takes=Erase, gives=Done,
          cost=10, limit_s=SEEK_S, problems=(NOBODY,)),
)  # fmt: skip
