"""Everything that Redis knows of one attempt. An id carries its time, so a stretch of a stream is read, never all."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from dialer.adapters.redis_codec import ATTEMPT, text
from dialer.adapters.redis_keys import CampaignKeys, campaign_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_store import RedisStore
from dialer.errors import BadInput
from dialer.law.decisionlog import Decision
from dialer.law.decisionlog import read as read_decision
from dialer.model import Attempt, Fact
from dialer.stream import Entry, Type
from dialer.stream import read as read_entry

BEFORE_S = 60.0  # clocks of engine and Redis may differ by so much
DECIDED_S = 120.0
ENDED_S = 6 * 3600.0  # the longest call, its wrap-up, and an hour for a Redis that was away
CORRECTED_S = 1800.0  # after the outcome: by then an agent has said what he had to say
READ_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Found:
    """`entries`: with the time at which each was written, epoch seconds."""

    campaign: str
    attempt: Attempt | None  # None: it has its outcome
    decisions: tuple[Decision, ...]
    facts: tuple[Fact, ...]
    entries: tuple[tuple[float, Entry], ...]


async def find(link: Link, store: RedisStore, attempt: str, at: float) -> Found | None:
    """The attempt of this id, made at about `at`; None: no campaign knows it. Raises StoreError."""
    for campaign in sorted(await store.campaigns()):
        keys = campaign_keys(campaign)
        raw = await link.one(("HGET", keys.open, attempt))
        found = link.reader.one(ATTEMPT, raw, keys.open, attempt)
        entries = () if found else await _entries(link, keys, attempt, at)
        if found or entries:
            decisions = await _decisions(link, keys, attempt, at)
            return Found(campaign, found, decisions, await store.facts(campaign, attempt), entries)
    return None


async def _entries(link: Link, keys: CampaignKeys, attempt: str, at: float) -> tuple[tuple[float, Entry], ...]:
    entries: list[tuple[float, Entry]] = []
    until = at + ENDED_S
    async for written_at, fields in _read(link, keys.outcomes, at - BEFORE_S, until):
        if entries and written_at > until:
            break
        if fields.get("attempt") != attempt:
            continue
        try:
            entry = read_entry(fields)
        except BadInput as error:
            link.reader.complain(keys.outcomes, attempt, str(error))
            continue
        if entry.type is Type.OUTCOME:
            until = written_at + CORRECTED_S
        entries.append((written_at, entry))
    return tuple(entries)


async def _decisions(link: Link, keys: CampaignKeys, attempt: str, at: float) -> tuple[Decision, ...]:
    found = []
    async for _, fields in _read(link, keys.log, at - BEFORE_S, at + DECIDED_S):
        if attempt in fields.get("body", ""):
            decision = read_decision(fields["body"])
            found += [decision] if decision and decision.attempt == attempt else []
    return tuple(found)


async def _read(link: Link, key: str, begin: float, end: float) -> AsyncIterator[tuple[float, dict[str, str]]]:
    """Entries written between two times, epoch seconds, the oldest first."""
    after, last = str(max(0, int(begin * 1000))), str(int(end * 1000))
    while True:
        page = await link.one(("XRANGE", key, after, last, "COUNT", READ_AT_ONCE))
        for name, fields in page:
            words = [text(one) for one in fields]
            yield int(text(name).partition("-")[0]) / 1000, dict(zip(words[::2], words[1::2], strict=False))
        if len(page) < READ_AT_ONCE:
            return
        after = f"({text(page[-1][0])}"
