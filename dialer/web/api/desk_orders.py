"""What an agent orders from his desk: of himself, and of the call that he is in. His own extension and no other."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from dialer.debts.history import Entry
from dialer.web.access import Who
from dialer.web.api.desk_form import DeskNote, Dial, Done, Help, OfAccount, OfCall, Other, Skip
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.route import Asked


class Histories(Protocol):
    """Where a person's past is kept."""

    async def history(self, person: str, at: float) -> Sequence[Entry]: ...
    async def remember(self, person: str, entry: Entry) -> bool: ...


def books_of(office: Office) -> Any:
    """The store, with all that it has beside the engine's part."""
    return office.books


def histories(office: Office) -> Histories:
    """Where a person's past is kept."""
    books: Histories = books_of(office)
    return books


async def note_of(office: Office, who: Who) -> DeskNote | None:
    """How he stands, as the engine last said; None: it never did."""
    raw = await office.ear.last("desk", who.agent)
    return msgspec.json.decode(raw, type=DeskNote) if raw else None


async def same_call(office: Office, who: Who, attempt: str) -> DeskNote:
    """Raises Problem 409 where he has gone on to another call, which must not get this one's result."""
    seen = await note_of(office, who)
    if seen is None or seen.attempt != attempt:
        raise Problem(409, "call_over", "The wrap-up of this call has ended; send its result as a late one.")
    return seen


async def mine(office: Office, asked: Asked[Any, Any], name: str, **args: str) -> str:
    """An order to the engine of the campaign that he works for; gives its word."""
    seen = await note_of(office, asked.who)
    if seen is None or seen.state == "signed_out":
        raise Problem(409, "not_ready", "Sign in to a campaign first.")
    return await order(office, asked, seen.campaign, name, **args)


async def order(office: Office, asked: Asked[Any, Any], campaign: str, name: str, **args: str) -> str:
    """His own extension and no other, whatever was sent."""
    given = {key: value for key, value in args.items() if value}
    key = f"{asked.key}:{name}" if asked.key else ""  # one that is sent again after no answer is applied once
    return await office.ask(campaign, name, given | {"agent": asked.who.agent}, asked.who, key=key)


# ---- in the call


async def hand_over(office: Office, asked: Asked[OfCall, Other]) -> Done:
    """To another agent or supervisor: at once, or first a word with him while the debtor hears music."""
    name = "consult" if asked.body.announce else "to_agent"
    return Done(await mine(office, asked, name, to=asked.body.agent, attempt=asked.query.attempt))


async def call_help(office: Office, asked: Asked[OfCall, Help]) -> Done:
    """A supervisor is asked to listen in."""
    on = "yes" if asked.body.on else "no"
    return Done(await mine(office, asked, "help", on=on, attempt=asked.query.attempt))


async def call(office: Office, asked: Asked[OfAccount, None]) -> Done:
    """Preview: call it."""
    return Done(await mine(office, asked, "preview_call", contact=asked.query.contact))


async def skip(office: Office, asked: Asked[OfAccount, Skip]) -> Done:
    """Preview: not this one."""
    return Done(await mine(office, asked, "preview_skip", reason=asked.body.reason, contact=asked.query.contact))


async def dial(office: Office, asked: Asked[None, Dial]) -> Done:
    """By hand, a number of an account: the same gate and budget as any other call."""
    return Done(await mine(office, asked, "dial", contact=asked.body.contact, number=str(asked.body.number)))


def plain(name: str) -> Any:
    """An order about the call that needs nothing but its name."""

    async def run(office: Office, asked: Asked[OfCall, None]) -> Done:
        return Done(await mine(office, asked, name, attempt=asked.query.attempt))

    return run
