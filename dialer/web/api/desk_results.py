"""What came of a talk: the agent's result, in time or late, and his notes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dialer.debts.history import Entry, note
from dialer.lists.numbers import NumberFault, read_number
from dialer.model import attempt_ms
from dialer.running.mending import LATE, NOTED_LATE
from dialer.web.api.desk_form import DeskNote, Done, LateResult, Result, Written
from dialer.web.api.desk_orders import histories, note_of, order, same_call
from dialer.web.api.results import offered
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.results import fault_of
from dialer.web.route import Asked

LATE_S = 3600.0  # so long an agent corrects his own result
CALL_S = 3 * 3600.0  # older calls are not looked for


async def wrapped(office: Office, asked: Asked[None, Result]) -> Done:
    """The result; wrap-up ends. Of a call that has been closed meanwhile: a correction."""
    return await _result(office, asked, "wrapped")


async def disposed(office: Office, asked: Asked[None, Result]) -> Done:
    """The result while the talk goes on: it is kept, and can be changed until wrap-up ends."""
    return await _result(office, asked, "disposition")


async def _result(office: Office, asked: Asked[None, Result], name: str) -> Done:
    said = asked.body
    seen = await note_of(office, asked.who)
    if seen is None or seen.attempt != said.attempt:  # he has gone on: it belongs to the call that it names
        return await _late(office, asked, said.campaign or (seen.campaign if seen else ""))
    disposition = await _checked(said, office, seen.campaign)
    text = await order(office, asked, seen.campaign, name, disposition=disposition, attempt=said.attempt)
    contact = await office.books.contact(seen.campaign, seen.contact) if seen.contact and said.note.strip() else None
    if contact is not None:
        await histories(office).remember(contact.person, _about(office, asked, seen, said.note))
    return Done(text, text in (LATE, NOTED_LATE))


async def late(office: Office, asked: Asked[None, LateResult]) -> Done:
    """His own call of the last hour, whose outcome has been written: a correction."""
    return await _late(office, asked, asked.body.campaign)


async def _late(office: Office, asked: Asked[None, Any], campaign: str) -> Done:
    said: Result = asked.body
    if not campaign or asked.at - attempt_ms(said.attempt) / 1000 > CALL_S:
        raise _no_call()
    told = await office.books.outcome(campaign, said.attempt)  # None: not closed yet, or not of these hours
    if told is not None and not _is_his(told, asked.who.agent):
        raise _no_call()
    if told is not None and asked.at - datetime.fromisoformat(told["ended_at"]).timestamp() > LATE_S:
        raise Problem(409, "too_late", "This call is more than an hour old; a supervisor can correct its result.")
    disposition = await _checked(said, office, campaign)
    text = await order(office, asked, campaign, "correct", attempt=said.attempt, disposition=disposition)
    told = told or await office.books.outcome(campaign, said.attempt)
    if said.note.strip() and told is not None:
        about = note(
            asked.key or office.new_id(asked.at), asked.at, asked.who.name, said.note, campaign, told["debtor"]
        )
        await histories(office).remember(told["person"], about)
    return Done(text, late=True)


def _no_call() -> Problem:
    return Problem(404, "no_call", "This is none of your calls of the last hour.")


def _is_his(told: Mapping[str, str], agent: str) -> bool:
    return bool(told["ended_at"]) and agent in (told["agent"], *told.get("agents", "").split())


async def _checked(said: Result, office: Office, campaign: str) -> str:
    """What the campaign takes as a result, and nothing else. Raises Problem 422."""
    match fault_of(said.word, said.note, await offered(office, campaign)):
        case "not_offered":
            raise Problem(422, "not_offered", f"Talks of this campaign do not end with {said.word}.")
        case "note_needed":
            raise Problem(422, "note_needed", "This result needs a note.")
    return disposition_of(said, office)


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
    seen = await same_call(office, asked.who, asked.body.attempt)
    contact = await office.books.contact(seen.campaign, seen.contact) if seen.contact else None
    if contact is None:
        raise Problem(409, "nobody_known", "It is not known who is on the line.")
    await histories(office).remember(contact.person, _about(office, asked, seen, asked.body.text))
    return Done("noted")


def _about(office: Office, asked: Asked[Any, Any], seen: DeskNote, text: str) -> Entry:
    return note(asked.key or office.new_id(asked.at), asked.at, asked.who.name, text, seen.campaign, seen.contact)
