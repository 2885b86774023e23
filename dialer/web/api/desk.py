"""An agent's own desk: how he stands, who is on the line, his telephone's password, and all that he orders."""

from dataclasses import astuple
from typing import Any

from dialer.dialplan import endpoint
from dialer.model import AgentState, Kind
from dialer.users import Role
from dialer.web.access import Right
from dialer.web.api import desk_orders as orders
from dialer.web.api import desk_results as results
from dialer.web.api.desk_account import read
from dialer.web.api.desk_find import find
from dialer.web.api.desk_form import (
    Break,
    Colleague,
    Desk,
    Dial,
    Done,
    Find,
    Help,
    LateResult,
    Line,
    OfAccount,
    OfCall,
    Other,
    Pop,
    Ready,
    Result,
    Skip,
    SoftPhone,
    Today,
    Written,
)  # fmt: skip
from dialer.web.api.desk_orders import books_of, mine, note_of, order, plain
from dialer.web.days import Days
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.route import Asked, Replay, Route
from dialer.web.sip import REALM, SoftPhones, ice_servers

SIP_PATH = "/sip"


# ---- seeing


async def show(office: Office, asked: Asked[None, None]) -> Desk:
    """Everything, for a page that has just come."""
    user = await office.users.user(asked.who.name)
    if user is None:
        raise Problem(401, "not_signed_in", "Sign in first.")
    seen = await note_of(office, asked.who)
    call = await read(office, seen, asked.at) if seen else None
    lines = await _lines(office)
    serves = [one for one in user.campaigns if any(line.id == one for line in lines)]
    if serves:  # the one that he prefers first
        lines = sorted((one for one in lines if one.id in serves), key=lambda one: serves.index(one.id))
    return Desk(asked.who.agent, user.phone, seen, call, lines, serves)


async def pop(office: Office, asked: Asked[None, None]) -> Pop:
    """Who is on the line."""
    seen = await note_of(office, asked.who)
    found = await read(office, seen, asked.at) if seen else None
    if found is None:
        raise Problem(404, "no_call", "Nobody is on the line.")
    return found


async def day_so_far(office: Office, asked: Asked[None, None]) -> Today:
    """Talk time, contacts, promises, of all the campaigns that he serves."""
    user, seen = await office.users.user(asked.who.name), await note_of(office, asked.who)
    names = dict.fromkeys([*(user.campaigns if user else ()), *([seen.campaign] if seen and seen.campaign else [])])
    known = await office.books.campaigns()
    days: Days = office.parts.setdefault("days", Days(books_of(office)))
    found = [await days.of(name, asked.who.agent, asked.at) for name in names if name in known]
    return Today(*(sum(column) for column in zip(*(astuple(one) for one in found), strict=True))) if found else Today()


async def colleagues(office: Office, asked: Asked[None, None]) -> list[Colleague]:
    """Who could take this call over, those who are free first."""
    seen = await note_of(office, asked.who)
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


async def _lines(office: Office) -> list[Line]:
    found = [await office.books.campaign(name) for name in sorted(await office.books.campaigns())]
    return [
        Line(one.id, one.name, status, one.mode.value, sorted(one.breaks), one.wrap_up_max_s)
        for one, status in (each for each in found if each is not None)
        if one.kind is Kind.AGENTS or one.ivr_agents
    ]


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
    user = await office.users.user(asked.who.name)
    if user is not None and user.campaigns and asked.body.campaign not in user.campaigns:
        raise Problem(409, "not_yours", f"You work for {', '.join(user.campaigns)}.")
    seen = await note_of(office, asked.who)
    if seen and seen.campaign not in ("", asked.body.campaign) and seen.state != "signed_out":
        await order(office, asked, seen.campaign, "sign_out")
    return Done(await order(office, asked, asked.body.campaign, "sign_in"))


async def pause(office: Office, asked: Asked[None, Break]) -> Done:
    """A break, now or after this call."""
    return Done(await mine(office, asked, "break", reason=asked.body.reason))


async def back(office: Office, asked: Asked[None, None]) -> Done:
    """From a break, or stay after all."""
    return Done(await mine(office, asked, "back"))


async def leave(office: Office, asked: Asked[None, None]) -> Done:
    """Sign out of the campaign, after this call; the telephone's password ends when nobody talks."""
    seen = await note_of(office, asked.who)
    text = ""
    if seen is not None and (seen.state != "signed_out" or seen.moves_to):
        text = await order(office, asked, seen.campaign, "sign_out")
        if text == "after this call":
            return Done(text)
    phones: SoftPhones | None = office.parts.get("soft_phones")
    if phones is not None:
        await phones.take_away(asked.who.agent)
    return Done(text or "signed out")


def _route(path: str, run: Any, summary: str, takes: Any = None, query: Any = None) -> Route:
    return Route("POST", f"/desk/{path}", Right.DESK, run, summary, takes=takes, gives=Done, query=query)


def _in_call(path: str, run: Any, summary: str, takes: Any = None) -> Route:
    return _route(path, run, summary, takes, OfCall)


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
    _route("wrapped", results.wrapped, "The result of the call; wrap-up ends", Result),
    _route("late", results.late, "The result of an own call whose wrap-up has ended", LateResult),
    _route("disposition", results.disposed, "The result while the talk goes on", Result),
    _route("note", results.write, "Write a note about the debtor", Written),
    _in_call("hang-up", plain("hang_up"), "Hang up on the debtor"),
    _in_call("hold", plain("hold"), "Let him hear music"),
    _in_call("unhold", plain("unhold"), "Take him back"),
    _in_call("to-ivr", plain("to_ivr"), "Hand him to the IVR for the payment"),
    _in_call("to-agent", orders.hand_over, "Hand him to a colleague or supervisor", Other),
    _in_call("consult-end", plain("consult_end"), "End the word with the colleague; the debtor stays on hold"),
    _in_call("hand-over", plain("hand_over"), "Give him to the colleague who was asked"),
    _in_call("help", orders.call_help, "Call a supervisor for help", Help),
    _in_call("record-pause", plain("record_pause"), "Pause the recording"),
    _in_call("record-resume", plain("record_resume"), "Record again"),
    _route("preview/call", orders.call, "Preview: call it", query=OfAccount),
    _route("preview/skip", orders.skip, "Preview: not this one", Skip, OfAccount),
    Route(
        "POST",
        "/desk/find",
        Right.DESK,
        find,
        "An account of my campaign, by its number or account",
        takes=Find,
        gives=list[Pop],
        cost=5,
        once=Replay.NO,
        problems=((404, "not_listed"), (409, "not_ready"), (422, "nobody")),
    ),
    _route("dial", orders.dial, "Call a number of an account by hand", Dial),
)
