"""The account of the one who is on the line, as an agent may see it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from dialer.debts.history import Entry, What, is_contact
from dialer.debts.plans import Limits, Offer, for_contact
from dialer.debts.promises import limits_of
from dialer.lists.outlook import zone_of
from dialer.lists.values import MINOR_DIGITS
from dialer.mask import mask_number
from dialer.model import Campaign, Contact, Fact
from dialer.web import talk
from dialer.web.api.desk_form import (
    DeskNote,
    Heard,
    HisNumber,
    Limit,
    Noted,
    Offered,
    OfferShown,
    Part,
    Past,
    Pop,
    Promised,
    Script,
)  # fmt: skip
from dialer.web.api.desk_orders import histories
from dialer.web.api.results import offered
from dialer.web.api.scripts import NO_SCRIPTS, Own, own_scripts
from dialer.web.doors import Office
from dialer.web.results import DEFAULT
from dialer.web.talk import Stage

CONTACTS_SHOWN, NOTES_SHOWN = 5, 5


async def read(office: Office, seen: DeskNote, at: float) -> Pop | None:
    """The account of the one who is on the line, or is shown; None: nobody is."""
    if not seen.attempt and not seen.contact:
        return None
    settings, contact, facts, own, results = await asyncio.gather(  # an agent waits: one by one takes too long
        office.books.campaign(seen.campaign),
        office.books.contact(seen.campaign, seen.contact),
        office.books.facts(seen.campaign, seen.attempt),
        own_scripts(office, seen.campaign),
        offered(office, seen.campaign),
    )
    if settings is None:
        return None
    campaign, known = settings[0], contact or Contact(seen.contact, "", ())
    past = await histories(office).history(known.person, at) if known.person else ()
    mine = [one for one in past if one.contact in ("", known.id)]
    allowed, lender = frozenset(office.config.web.agent_fields), office.limits_of(campaign.id, known.lender)
    return build_pop(seen, campaign, known, mine, facts, allowed, at, own, results, lender)


def build_pop(
    seen: DeskNote, campaign: Campaign, contact: Contact, past: Sequence[Entry], facts: Sequence[Fact],
    allowed: frozenset[str], at: float, own: Own = NO_SCRIPTS, results: Sequence[Offered] = DEFAULT,
    lender: Limits | None = None,
) -> Pop:  # fmt: skip
    """The account as an agent may see it; nothing that is not `allowed` is even named in the script. `lender`: what his
    lender lets us offer."""
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
        "offers": [_offered(one) for one in for_contact(contact, lender or Limits(), local.date())],
        "heard": [Heard(_time(one.at), one.name, one.value) for one in facts if one.name in HEARD],
    }  # fmt: skip
    shown = {name: value for name, value in shown.items() if name in allowed}
    stage = talk.stage_of(late, past if {"promises", "contacts"} & allowed else ())
    values = _values(shown, campaign, contact.currency, language, local)
    theirs = own.get("en" if language == "en" else "id", {})
    script = {one: list(talk.steps(one, language, values, theirs.get(one))) for one in Stage}
    limits = limits_of(campaign)
    least = min(limits.least or contact.minimum, contact.amount) if contact.amount else limits.least
    return Pop(
        attempt=seen.attempt, contact=seen.contact, kind=seen.kind, number=seen.number, number_kind=seen.number_kind,
        language=language, currency=contact.currency, zone=contact.zone, next_number=contact.next_number,
        numbers=[HisNumber(mask_number(one.e164), one.kind.value, one.state.value) for one in contact.numbers],
        script=Script(stage, script),
        limit=Limit(local.date(), _after(local.date(), limits.days_max), least, contact.amount),
        results=list(results), **shown,
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


def _offered(one: Offer) -> OfferShown:
    parts = [Part(payment.day, payment.amount) for payment in one.payments]
    return OfferShown(str(one), one.name, parts, one.total, one.waived, one.fee)


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
