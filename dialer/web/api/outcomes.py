"""The public streams by cursor: what came of every attempt, and every call that was not placed."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from dialer.mask import mask_number
from dialer.web.access import Right, Who
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.records import Count, Cursor, campaign_of, records
from dialer.web.route import Asked, Route

PAGE = 500
LOOKED_MAX = 5000  # entries that one request looks through for what its filters want
Word = Annotated[str, Meta(max_length=80)]


class OutcomeQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`after` an entry, oldest first (empty: from the first); or `before` one, newest first (`last`: from the end).
    Filters compare fields of the record; a correction has few of them.
    """

    after: Cursor = ""
    before: Annotated[str, Meta(pattern=r"^(last|[0-9]{1,15}-[0-9]{1,19})?$")] = ""
    limit: Count = 100
    type: Word = ""
    outcome: Word = ""
    agent: Word = ""
    disposition: Word = ""
    attempt: Word = ""
    debtor: Word = ""
    person: Word = ""


class RefusalQuery(msgspec.Struct, forbid_unknown_fields=True):
    """As for outcomes."""

    after: Cursor = ""
    before: Annotated[str, Meta(pattern=r"^(last|[0-9]{1,15}-[0-9]{1,19})?$")] = ""
    limit: Count = 100
    rule: Word = ""
    debtor: Word = ""
    person: Word = ""


class EntryOf(msgspec.Struct):
    """One entry of the stream; the fields of `record` are in docs/outcome-record.md, numbers masked without the right
    numbers:see.
    """

    entry: str
    record: dict[str, str]


class EntryList(msgspec.Struct):
    """`next`: where to go on, in the same direction; `more` false: there was nothing further when this was asked."""

    entries: list[EntryOf]
    next: str
    more: bool


def _stream(name: str, filters: tuple[str, ...]) -> Callable[[Office, Asked[Any, None]], Any]:
    async def read(office: Office, asked: Asked[Any, None]) -> EntryList:
        campaign, _ = await campaign_of(office, asked)
        query, store = asked.query, records(office)
        if query.after and query.before:
            raise Problem(422, "two_directions", "Use after or before, not both.")
        wanted = {field: value for field in filters if (value := getattr(query, field))}
        back = bool(query.before)
        cursor = "" if query.before == "last" else query.before or query.after
        found: list[EntryOf] = []
        for _turn in range(LOOKED_MAX // PAGE):
            size = PAGE if wanted else query.limit
            page = await (store.page_back if back else store.page)(campaign.id, name, cursor, size)
            for entry, record in page:
                cursor = entry
                if all(record.get(field, "") == value for field, value in wanted.items()):
                    found.append(EntryOf(entry, _record(asked.who, record)))
                    if len(found) == query.limit:
                        return EntryList(found, cursor, True)
            if len(page) < size:
                return EntryList(found, cursor, False)
        return EntryList(found, cursor, True)

    read.__doc__ = f"Entries of {{campaign}}:{name}; at most {LOOKED_MAX} are looked through at once."
    return read


def _record(who: Who, record: Mapping[str, str]) -> dict[str, str]:
    if who.may(Right.NUMBERS_SEE):
        return dict(record)
    return {name: mask_number(value) if name == "number" else value for name, value in record.items()}


PROBLEMS = ((404, "no_campaign"), (422, "two_directions"))
ROUTES = (
    Route("GET", "/campaigns/{campaign}/outcomes", Right.OUTCOMES_SEE,
          _stream("outcomes", ("type", "outcome", "agent", "disposition", "attempt", "debtor", "person")),
          "What came of every attempt", query=OutcomeQuery, gives=EntryList, cost=2, problems=PROBLEMS),
    Route("GET", "/campaigns/{campaign}/refusals", Right.OUTCOMES_SEE,
          _stream("refusals", ("rule", "debtor", "person")),
          "Calls that were not placed", query=RefusalQuery, gives=EntryList, cost=2, problems=PROBLEMS),
)  # fmt: skip
