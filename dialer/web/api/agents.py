"""Agents as the engines last said: who is signed in where, and how he stands; orders to them are live.py's."""

import json
from datetime import datetime
from typing import Any

import msgspec

from dialer.web.access import Right
from dialer.web.doors import Office
from dialer.web.records import campaign_of, utc
from dialer.web.route import Asked, Route

STALE_S = 10.0


class AgentShown(msgspec.Struct):
    """One agent. `stale`: the engine has not said anything for ten seconds; `call`: how his call stands."""

    agent: str
    campaign: str
    state: str
    since: datetime
    stale: bool
    attempt: str = ""
    call: str = ""
    contact: str = ""
    next: str = ""
    moves_to: str = ""


class AgentList(msgspec.Struct):
    """By campaign, then by extension."""

    agents: list[AgentShown]


async def everybody(office: Office, asked: Asked[None, None]) -> AgentList:
    """Of all campaigns."""
    found = [one for name in await office.books.campaigns() for one in await _agents(office, name, asked.at)]
    return AgentList(found)


async def of_campaign(office: Office, asked: Asked[None, None]) -> AgentList:
    """Of one."""
    campaign, _ = await campaign_of(office, asked)
    return AgentList(await _agents(office, campaign.id, asked.at))


async def _agents(office: Office, campaign: str, at: float) -> list[AgentShown]:
    raw = await office.books.published(campaign)
    try:
        board = json.loads(raw) if raw else {}
        said = float(board.get("at", 0.0))
        rows = [_shown(campaign, one, at - said > STALE_S) for one in board.get("agents", [])]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []  # of another version: the engine writes a new one within a second
    return sorted(rows, key=lambda row: row.agent)


def _shown(campaign: str, one: dict[str, Any], stale: bool) -> AgentShown:
    more = {name: str(one.get(name) or "") for name in ("attempt", "call", "contact", "next", "moves_to")}
    return AgentShown(str(one["id"]), campaign, str(one["state"]), utc(float(one["since"])), stale, **more)


ROUTES = (
    Route("GET", "/agents", Right.AGENTS_SEE, everybody, "All agents, live", gives=AgentList),
    Route("GET", "/campaigns/{campaign}/agents", Right.AGENTS_SEE, of_campaign, "A campaign's agents, live",
          gives=AgentList, problems=((404, "no_campaign"),)),
)  # fmt: skip
