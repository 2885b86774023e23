"""Invented debtors and the lives of their attempts, for the tests of the Redis store."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dialer.adapters.redis_index import Index
from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_outcomes import Settling
from dialer.adapters.redis_scripts import RedisCommand
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.redis_updates import Updates
from dialer.errors import StoreDown
from dialer.model import Attempt, CallState, Campaign, Contact, Number, Outcome, Side, Verdict, attempt_id
from dialer.ports import Finish, Held

ROOT = Path(__file__).parents[2]
AT = 1_800_000_000.0
CAMPAIGN = "first"
BUSY = Verdict(Outcome.BUSY, Side.DEBTOR, "user_busy", retry_at=AT + 3600)
FAULT = Verdict(Outcome.NOT_PLACED, Side.US, "engine_gone", retry_at=AT + 60, count=False)


def contacts(count: int, prefix: str = "a") -> list[Contact]:
    """Each with a person and a number of his own."""
    return [
        Contact(
            f"{prefix}{i:03d}", f"{prefix}p{i}", (Number(f"+62811{i:06d}", f"{prefix}n{i}"),), alias=f"{prefix}alias{i}"
        )
        for i in range(count)
    ]


def attempt(contact: Contact, campaign: str = CAMPAIGN, at: float = AT) -> Attempt:
    """A new one for this contact's first number."""
    return Attempt(
        attempt_id(at, os.urandom(10)), campaign, "node", "ivr", "trunk", "+6221", "id", "demo", contact.id,
        contact.person, contact.numbers[0], claimed_at=at,
    )  # fmt: skip


def finish(one: Attempt, contact: Contact | None, verdict: Verdict = BUSY, at: float = AT + 30) -> Finish:
    """Its end."""
    ended = replace(one, state=CallState.ENDED, ended_at=at)
    return Finish(ended, verdict, {"attempt": one.id, "outcome": verdict.outcome.value}, contact)


async def begin(store: RedisStore, campaign: str = CAMPAIGN, listed: Sequence[Contact] = ()) -> int:
    """A campaign with its list, and the token of its leader."""
    await store.save_campaign(Campaign(campaign, campaign))
    await store.add_contacts(campaign, listed, AT - 10)
    token = await store.lead(campaign, "engine", 60_000)
    assert token is not None
    await store.candidates(campaign, AT, 1)  # moves what is due to where it can be claimed
    return token


async def claimed(
    store: RedisStore, token: int, people: Sequence[Contact], campaign: str = CAMPAIGN, as_id: str = ""
) -> list[Attempt]:
    """Locked and open."""
    attempts = [attempt(one, campaign) for one in people]
    attempts = [replace(one, id=as_id) for one in attempts] if as_id else attempts
    assert all(isinstance(one, Held) for one in await store.lock(attempts, AT))
    assert all(await store.claim(token, attempts, AT))
    return attempts


async def outcomes(store: RedisStore, campaign: str = CAMPAIGN) -> list[str]:
    """Attempt ids of the stream, in order."""
    return [fields["attempt"] for _, fields in await store.tail(campaign, 10_000)]


async def placed_in(store: RedisStore, contact: Contact, campaign: str = CAMPAIGN) -> list[str]:
    """Every place of the campaign's list where a contact stands: one, or he was lost or doubled."""
    keys = campaign_keys(campaign)
    names = ("ready", "later", "rest")
    asked: list[RedisCommand] = [("ZSCORE", getattr(keys, name), contact.id) for name in names]
    scores = await link_of(store).run(asked)
    places = [name for name, score in zip(names, scores, strict=True) if score is not None]
    return places + ["open" for one in await store.open_attempts(campaign) if one.contact == contact.id]


async def dump(store: RedisStore) -> dict[bytes, bytes]:
    """All that Redis holds."""
    link = link_of(store)
    names = await link.one(("KEYS", "*"))
    return dict(zip(names, await link.run([("DUMP", name) for name in names]), strict=True))


async def until(condition: Callable[[], Awaitable[object]], tries: int = 4000) -> None:
    """Wait for something that has no other sign, for about eighty seconds."""
    for _ in range(tries):
        if await condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come")


def link_of(store: RedisStore) -> Link:
    """Its link, to look behind it."""
    return store._link


def with_link(url: str, link: Link, kind: type[RedisStore] = RedisStore) -> RedisStore:
    """A store on a link of the test's own."""
    store = kind(url)
    store._link = link
    store._settling = Settling(link)
    store._updates = Updates(link)
    store._index = Index(link)
    return store


class Cut(Link):
    """A link that breaks for good after so many commands, also in the middle of a pipeline."""

    def __init__(self, url: str, commands: int) -> None:
        super().__init__(url)
        self.left = commands

    async def run(self, commands: Sequence[RedisCommand]) -> list[Any]:
        """What still gets through is carried out; its answer may be lost."""
        through = commands[: self.left]
        whole = len(through) == len(commands) and (self.left > len(commands) or not commands)
        self.left -= len(through)
        answers = await super().run(through)
        if not whole:
            raise StoreDown("cut by the test")
        return answers


class Recorded(Link):
    """A link that remembers what was sent."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.sent: list[RedisCommand] = []

    async def run(self, commands: Sequence[RedisCommand]) -> list[Any]:
        """As it is."""
        self.sent += commands
        return await super().run(commands)
