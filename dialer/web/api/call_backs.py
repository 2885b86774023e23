"""Call-backs of a campaign: who wants to be called at which minute; made, moved, taken back."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from dialer.outcomes import CALL_BACK_WITHIN_S
from dialer.web.access import Right
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.records import Count, campaign_of, records, utc
from dialer.web.route import Asked, Route


class CallBackQuery(msgspec.Struct, forbid_unknown_fields=True):
    """From `since` on; absent: from the earliest."""

    since: Annotated[datetime, Meta(tz=True)] | None = None
    limit: Count = 100


class CallBack(msgspec.Struct):
    """`agent`: who is waited for a while, because he talked with him; empty: nobody."""

    contact: str
    person: str
    name: str
    at: datetime
    agent: str
    zone: str


class CallBackList(msgspec.Struct):
    """The earliest first."""

    call_backs: list[CallBack]


class NewCallBack(msgspec.Struct, forbid_unknown_fields=True):
    """Within a year; moved into legal hours when the minute comes."""

    at: Annotated[datetime, Meta(tz=True)]
    agent: Annotated[str, Meta(pattern=r"^([0-9]{2,10})?$")] = ""


async def listed(office: Office, asked: Asked[CallBackQuery, None]) -> CallBackList:
    """Those of calls under way, too."""
    campaign, _ = await campaign_of(office, asked)
    since = asked.query.since.timestamp() if asked.query.since else 0.0
    found = await records(office).call_backs(campaign.id, since, asked.query.limit)
    rows = [CallBack(one.id, one.person, one.name, utc(one.callback_at), one.callback_agent, one.zone) for one in found]
    return CallBackList(rows)


async def put(office: Office, asked: Asked[None, NewCallBack]) -> None:
    """Somebody who waits on the list; a new minute replaces the old one."""
    when = asked.body.at.timestamp()
    if not asked.at < when <= asked.at + CALL_BACK_WITHIN_S:
        raise Problem(422, "bad_time", "Use a time within the next year.")
    await _set(office, asked, when, asked.body.agent)


async def drop(office: Office, asked: Asked[None, None]) -> None:
    """He is called in his turn again."""
    await _set(office, asked, 0.0, "")


async def _set(office: Office, asked: Asked[Any, Any], when: float, agent: str) -> None:
    campaign, _ = await campaign_of(office, asked)
    if not await records(office).call_back(campaign.id, asked.path["contact"], when, agent, asked.at):
        what = "waits on the list" if when else "waits for a call-back"
        raise Problem(409, "not_waiting", f"There is no such contact that {what}: is he being called, or at rest?")


PROBLEMS = ((404, "no_campaign"), (409, "not_waiting"))
ROUTES = (
    Route("GET", "/campaigns/{campaign}/call-backs", Right.CALL_BACKS_SEE, listed, "Call-backs", query=CallBackQuery,
          gives=CallBackList, problems=PROBLEMS[:1]),
    Route("PUT", "/campaigns/{campaign}/call-backs/{contact}", Right.CALL_BACKS_CHANGE, put, "Call back at a minute",
          takes=NewCallBack, problems=(*PROBLEMS, (422, "bad_time"))),
    Route("DELETE", "/campaigns/{campaign}/call-backs/{contact}", Right.CALL_BACKS_CHANGE, drop, "No call-back",
          problems=PROBLEMS),
)  # fmt: skip
