"""Who must not be called: stopped, lifted with a reason that is kept, looked up."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from dialer.errors import BadInput
from dialer.keyed import person_key
from dialer.mask import mask_text
from dialer.web.access import Right
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.records import CampaignId, Id, key_of_number, known_campaign, records, utc
from dialer.web.route import Asked, Route

NUMBERS_MAX = 1000
REASON_MAX = 200
Lender = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Text = Annotated[str, Meta(max_length=40)]
Reason = Annotated[str, Meta(max_length=1000)]


class Whom(msgspec.Struct, forbid_unknown_fields=True):
    """Numbers as people write them, a person by the id of the operator's list (`person_id`) or by the hash that the API
    knows him by (`person`); for everybody, or for one `lender` or `campaign`. `reason` is kept in the log of stops.
    """

    numbers: Annotated[list[Text], Meta(max_length=NUMBERS_MAX)] = []
    person_id: Id = ""
    person: Id = ""
    lender: Lender = ""
    campaign: CampaignId = ""
    reason: Reason = ""


class StopQuery(msgspec.Struct, forbid_unknown_fields=True):
    """A number, or a person as in Whom."""

    number: Text = ""
    person_id: Id = ""
    person: Id = ""


class LogQuery(msgspec.Struct, forbid_unknown_fields=True):
    """How many of the last entries."""

    count: Annotated[int, Meta(ge=1, le=500)] = 50


class Changed(msgspec.Struct):
    """`changed`: stops that were new, or were lifted; `asked`: numbers and persons that were named."""

    asked: int
    changed: int


class Standing(msgspec.Struct):
    """By whom this number or person is not called: empty text: anybody, `lender:NAME`, `campaign:ID`."""

    scopes: list[str]


class Told(msgspec.Struct):
    """One line of the log of stops."""

    at: datetime
    action: str
    scope: str
    by: str
    count: int
    reason: str


class Log(msgspec.Struct):
    """Newest last."""

    entries: list[Told]


async def add(office: Office, asked: Asked[None, Whom]) -> Changed:
    """From the next claim on, in every campaign unless said otherwise; the same again changes nothing."""
    persons, numbers, scope = await _whom(office, asked.body)
    new = await _said(records(office).stop(persons, numbers, scope))
    count = len(persons) + len(numbers)
    told = {"action": "add", "scope": scope, "reason": _plain(asked.body.reason), "by": f"web:{asked.who.name}"}
    await records(office).tell_stops(told | {"count": str(count), "new": str(new)}, asked.at)
    asked.note = f"{count} stopped, {scope or 'for everybody'}"
    return Changed(count, new)


async def lift(office: Office, asked: Asked[None, Whom]) -> Changed:
    """Stops of this scope alone; the reason is written down first."""
    persons, numbers, scope = await _whom(office, asked.body)
    reason = _plain(asked.body.reason)
    if not reason:
        raise Problem(422, "no_reason", "A stop is lifted only with a reason, which is kept.")
    by = f"web:{asked.who.name}"
    gone = await _said(records(office).lift(persons, numbers, scope, reason, by, asked.at))
    asked.note = f"{gone} lifted, {scope or 'for everybody'}: {reason}"
    return Changed(len(persons) + len(numbers), gone)


async def standing(office: Office, asked: Asked[StopQuery, None]) -> Standing:
    """What stops one number or person."""
    query = asked.query
    whom = Whom([query.number] if query.number else [], query.person_id, query.person)
    persons, numbers, _ = await _whom(office, whom)
    found = await records(office).stops_of(persons, numbers)
    return Standing(sorted({scope for scopes in found for scope in scopes}))


async def log(office: Office, asked: Asked[LogQuery, None]) -> Log:
    """Who stopped or lifted what."""
    return Log([_told(one) for one in await records(office).told_stops(asked.query.count)])


def _told(one: Mapping[str, str]) -> Told:
    count, at = one.get("count", "1"), one.get("at", "0")
    return Told(
        utc(float(at) if at.isdecimal() else 0.0), one.get("action", ""), one.get("scope", ""), one.get("by", ""),
        int(count) if count.isdecimal() else 1, one.get("reason", ""),
    )  # fmt: skip


async def _whom(office: Office, whom: Whom) -> tuple[list[str], list[str], str]:
    """Keyed hashes of persons and numbers, and the scope."""
    if whom.lender and whom.campaign:
        raise Problem(422, "two_scopes", "Name a lender or a campaign; without either it holds for everybody.")
    if whom.campaign:
        await known_campaign(office, whom.campaign)
    scope = f"lender:{whom.lender}" if whom.lender else f"campaign:{whom.campaign}" if whom.campaign else ""
    persons = [person_key(office.config.person_key, whom.person_id.strip())] if whom.person_id.strip() else []
    if whom.person:
        if not await records(office).contacts_of_person(whom.person):
            raise Problem(404, "no_debtor", "There is no such debtor.")
        persons.append(whom.person)
    numbers = [key_of_number(office, text) for text in whom.numbers]
    if not persons and not numbers:
        raise Problem(422, "nobody", "Name a number or a person.")
    return persons, numbers, scope


async def _said(work: Any) -> int:
    try:
        return int(await work)
    except BadInput as error:
        raise Problem(422, "bad_scope", str(error)) from None


def _plain(reason: str) -> str:
    return mask_text(" ".join(reason.split()))[:REASON_MAX]


BAD = ((404, "no_campaign"), (422, "bad_number"))
ROUTES = (
    Route("GET", "/stops", Right.STOPS_SEE, standing, "Is this number or person stopped?", query=StopQuery,
          gives=Standing, problems=BAD),
    Route("GET", "/stops/log", Right.STOPS_SEE, log, "Who stopped or lifted what", query=LogQuery, gives=Log),
    Route("POST", "/stops", Right.STOPS_CHANGE, add, "Do not call these any more", takes=Whom, gives=Changed,
          problems=BAD),
    Route("POST", "/stops/lift", Right.STOPS_CHANGE, lift, "Let these be called again", takes=Whom, gives=Changed,
          problems=BAD),
)  # fmt: skip
