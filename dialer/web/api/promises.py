"""Promises of a campaign: those that are pending, by their end, and what became of others."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from dialer.debts.promises import State
from dialer.web.access import Right
from dialer.web.doors import Office
from dialer.web.records import Count, PromiseShown, campaign_of, promise_shown, records
from dialer.web.route import Asked, Route

MADE = "made"


class PromiseQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`state`: pending, the first to end first; or ended, the last one first. `after`: `next` of the page before."""

    state: Literal["pending", "ended"] = "pending"
    after: Annotated[str, Meta(pattern=r"^[0-9]{0,9}$")] = ""
    limit: Count = 100


class PromiseList(msgspec.Struct):
    """`next` empty: that is all. `counts`: made, and by state, of the whole campaign."""

    promises: list[PromiseShown]
    next: str
    counts: dict[str, int]


async def listed(office: Office, asked: Asked[PromiseQuery, None]) -> PromiseList:
    """Each as it stands now; who was erased is left out."""
    campaign, _ = await campaign_of(office, asked)
    query, store = asked.query, records(office)
    page = await store.promises_page(campaign.id, asked.at, query.state == "ended", query.after, query.limit)
    counters = await store.counters(campaign.id)
    counts = {
        word: counters.get(f"promise:{word}", 0)
        for word in (MADE, *(state for state in State if state is not State.PENDING))
    }
    return PromiseList([promise_shown(one) for one in page.promises], page.next, counts)


ROUTES = (
    Route("GET", "/campaigns/{campaign}/promises", Right.PROMISES_SEE, listed, "Promises to pay", query=PromiseQuery,
          gives=PromiseList, problems=((404, "no_campaign"),)),
)  # fmt: skip
