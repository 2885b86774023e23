"""A person forgotten: out of lists, index, histories, streams, what was kept for others; and what stays, on purpose.

Rules of this file: what names him goes last where it is needed to find the rest, so that whoever was cut off begins
again. What stays: the words not to call him, as keyed hashes; the log of decisions, which knew him by an alias alone;
the audit and the log of stops, which may name him by keyed hash. A call under way goes on, and leaves one outcome that
names nobody.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from dialer.adapters.redis_codec import ATTEMPT, PROMISE, encode, pairs, text
from dialer.adapters.redis_deeds import DONE
from dialer.adapters.redis_index import Index, Place, account_name, numbers_gone, person_gone
from dialer.adapters.redis_keys import (
    CAMPAIGNS,
    PAYMENTS,
    UNWANTED,
    campaign_keys,
    facts_key,
    history_key,
    number_keys,
    payments_key,
    person_keys,
    promises_key,
)
from dialer.adapters.redis_late import LateChanges
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_outcomes import Settling, promise_word
from dialer.adapters.redis_people import read_places
from dialer.adapters.redis_scripts import Argument, RedisCommand, call
from dialer.model import Attempt, Contact
from dialer.ports import Unwritten
from dialer.stream import erasure

LOOKED_AT_ONCE = 100
SCANNED = 1000
NAMED_AT_ONCE = 100

Found = list[tuple[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is to be found: keyed hash, his accounts, and the numbers that nobody else has (keyed hash -> E.164)."""

    person: str
    accounts: Mapping[Place, Contact]
    alone: Mapping[str, str]

    def of(self, campaign: str) -> frozenset[str]:
        """His contacts in a campaign."""
        return frozenset(place.contact for place in self.accounts if place.campaign == campaign)

    def has(self, attempt: Attempt) -> bool:
        """Whether he was called, or calls, in it."""
        his = self.of(attempt.campaign)
        return attempt.person == self.person or attempt.contact in his or attempt.number.key in self.alone


class Seeking:
    """Part of the store: what streams hold of a person."""

    def __init__(self, link: Link, index: Index) -> None:
        self._link, self._index = link, index

    async def subject(self, person: str) -> Subject:
        """As he is listed now."""
        places = await self._index.of_person(person)
        known = await read_places(self._link, places)
        numbers = {number.key: number.e164 for contact in known.values() for number in contact.numbers}
        others = await self._index.of_numbers(list(numbers))
        his = set(places)
        alone = {key: numbers[key] for key, left in zip(numbers, others, strict=True) if not set(left) - his}
        return Subject(person, {place: known[place] for place in known}, alone)

    async def is_known(self, person: str) -> bool:
        """Whether anything is held of him, on a list or not."""
        subject = await self.subject(person)
        keys = (history_key(person), promises_key(person), payments_key(person))
        if subject.accounts or any(await self._link.run([("EXISTS", key) for key in keys])):
            return True
        for campaign in await self._link.one(("SMEMBERS", CAMPAIGNS)):
            if await self.late(subject, text(campaign)):
                return True
            for stream in ("outcomes", "refusals"):
                if await self.entries(subject, text(campaign), stream):
                    return True
        return False

    async def entries(self, subject: Subject, campaign: str, stream: str) -> Found:
        """Outcomes with their corrections, or refusals, that are about him."""
        words: list[Argument] = ["person", subject.person]
        for contact in subject.of(campaign):
            words += ("debtor", contact)
        for e164 in subject.alone.values():
            words += ("number", e164)
        key: str = getattr(campaign_keys(campaign), stream)
        found = await self._seek(key, words)
        attempts = {one["attempt"] for _, one in found if one.get("type") == "outcome"}
        return [(entry, one) for entry, one in found if one.get("type") != "correction" or one["attempt"] in attempts]

    async def late(self, subject: Subject, campaign: str) -> list[Unwritten]:
        """Changes of his calls that wait for a leader."""
        found = []
        for one in await LateChanges(self._link).handed_over(campaign):
            attempt = one.finish.attempt if one.finish else one.attempt
            if attempt is not None and subject.has(attempt):
                found.append(one)
        return found

    async def told_of(self, subject: Subject) -> Found:
        """Payments that lenders told of his accounts."""
        words: list[Argument] = []
        accounts = {account_name(one.lender, one.account) for one in subject.accounts.values() if one.account}
        for place, one in subject.accounts.items():
            words += ("contact", place.contact)
            words += ("account", one.account) if one.account else ()
        found = await self._seek(PAYMENTS, words) if words else []
        ids = {place.contact for place in subject.accounts}
        return [
            (entry, one)
            for entry, one in found
            if one.get("contact") in ids or account_name(one.get("lender", ""), one.get("account", "")) in accounts
        ]

    async def _seek(self, key: str, words: list[Argument]) -> Found:
        found: Found = []
        after = "0"
        while after:
            last, *page = await self._link.one(call("seek", (key,), after, LOOKED_AT_ONCE, *words))
            found += [(text(name), {text(field): text(value) for field, value in pairs(flat)}) for name, flat in page]
            after = text(last)
        return found


class Erasing(Seeking):
    """Part of the store."""

    async def erase(self, person: str) -> int:
        """Forget a person; how many accounts there were. The same again changes nothing."""
        at = int((await self._link.one(("TIME",)))[0])
        subject = await self.subject(person)
        campaigns = [text(name) for name in await self._link.one(("SMEMBERS", CAMPAIGNS))]
        for campaign in campaigns:
            await Settling(self._link).settle_left(campaign)
            await self._mark_calls(subject, campaign, at)
        attempts = [attempt for campaign in campaigns for attempt in await self._forget_streams(subject, campaign, at)]
        for campaign in campaigns:
            await self._forget_late(subject, campaign, at)
        told = await self.told_of(subject)
        await self._link.run([("XDEL", PAYMENTS, entry) for entry, _ in told])
        await self._forget_answers(subject, attempts)
        return await self._forget_lists(subject)

    async def _mark_calls(self, subject: Subject, campaign: str, at: int) -> None:
        """Calls under way: their outcomes are to name nobody, their recordings are to go."""
        keys = campaign_keys(campaign)
        found = pairs(await self._link.one(("HGETALL", keys.open)))
        ids = [one.id for one in self._link.reader.many(ATTEMPT, found, keys.open) if subject.has(one)]
        if ids:
            await self._link.one(("SADD", keys.forgotten, *ids))
            await self._mark(campaign, ids, at)

    async def _mark(self, campaign: str, attempts: Sequence[str], at: int) -> None:
        """Their recordings are to go, and nothing of them comes back: before what is there is taken away."""
        words = [word for one in attempts for word in (at, one)]
        await self._link.run([("ZADD", UNWANTED, *words), ("ZADD", campaign_keys(campaign).erased, *words)])

    async def _forget_late(self, subject: Subject, campaign: str, at: int) -> None:
        """What waits for a leader is handed over once more, as that of an erased person; facts of such calls go."""
        found = await self.late(subject, campaign)
        if not found:
            return
        attempts = list({one.attempt_id: None for one in found})
        await self._mark(campaign, attempts, at)
        await LateChanges(self._link).hand_over(found)
        is_open = await self._link.one(("HMGET", campaign_keys(campaign).open, *attempts))
        over = [facts_key(campaign, one) for one, entry in zip(attempts, is_open, strict=True) if entry is None]
        await self._link.run([("DEL", key) for key in over])

    async def _forget_streams(self, subject: Subject, campaign: str, at: int) -> list[str]:
        """Readers are told of which attempts nothing may be kept; the attempts."""
        keys = campaign_keys(campaign)
        outcomes = await self.entries(subject, campaign, "outcomes")
        refusals = await self.entries(subject, campaign, "refusals")
        attempts = sorted({one["attempt"] for _, one in outcomes if one.get("type") == "outcome"})
        gone: list[RedisCommand] = []
        for start in range(0, len(attempts), NAMED_AT_ONCE):
            some = attempts[start : start + NAMED_AT_ONCE]
            await self._mark(campaign, some, at)
            said = erasure(campaign, at, some)
            gone.append(("XADD", keys.outcomes, "*", *(word for pair in said.items() for word in pair)))
        gone += [("DEL", facts_key(campaign, attempt)) for attempt in attempts]
        gone += [("XDEL", keys.outcomes, entry) for entry, _ in outcomes]
        gone += [("XDEL", keys.refusals, entry) for entry, _ in refusals]
        await self._link.run(gone)
        return attempts

    async def _forget_answers(self, subject: Subject, attempts: Iterable[str]) -> None:
        """Answers kept for a day by Idempotency-Key, and the last note of each desk."""
        ids = {place.contact for place in subject.accounts}
        words = [subject.person, *subject.alone.values(), *attempts]
        words += [name for one in subject.accounts.values() if len(name := one.name) > 2]
        marks = [word.encode() for word in words if word] + [f'"{one}"'.encode() for one in ids]
        for key, raw in await self._values("{i:*}:answer"):
            done = self._link.reader.one(DONE, raw, key, "answer")
            if done is not None and any(mark in done.body for mark in marks):
                blank = encode(replace(done, body=b""))
                await self._link.one(call("blank", (key,), raw, blank))
        for key, raw in await self._values("{a:*}:desk"):
            try:
                note = msgspec.json.decode(raw)
            except msgspec.DecodeError:
                continue
            if isinstance(note, dict) and note.get("contact") in ids:
                blank = encode(note | {"contact": "", "number": ""})
                await self._link.one(call("blank", (key,), raw, blank))

    async def _values(self, pattern: str) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        cursor = b"0"
        while True:
            cursor, keys = await self._link.one(("SCAN", cursor, "MATCH", pattern, "COUNT", SCANNED))
            raws = await self._link.run([("GET", key) for key in keys])
            found += [(text(key), raw) for key, raw in zip(keys, raws, strict=True) if raw is not None]
            if int(cursor) == 0:
                return found

    async def _forget_lists(self, subject: Subject) -> int:
        person = subject.person
        places = await self._index.of_person(person)
        await self._link.run(
            [gone for place, one in subject.accounts.items() for gone in numbers_gone(place.campaign, one)]
        )
        await self._forget_promises(person)
        own = person_keys(person)
        more = (history_key(person), promises_key(person), payments_key(person))
        gone = [call("forget", (own.state, own.attempts, own.talks, *more))]
        gone += [call("forget", (one.state, one.attempts, one.talks)) for one in map(number_keys, subject.alone)]
        await self._link.run(gone)
        erased = 0
        for name, contacts in _by_campaign(places).items():
            keys = campaign_keys(name)
            lists = (
                keys.contacts, keys.ready, keys.later, keys.rest, keys.call_backs, keys.refused, keys.behind,
                keys.withdrawn,
            )  # fmt: skip
            erased += await self._link.one(call("erase", lists, *contacts))
        await self._link.run([person_gone(person, place) for place in places])  # last: until then it can be repeated
        return erased

    async def _forget_promises(self, person: str) -> None:
        """Out of the books of the campaigns in which he made them."""
        key = promises_key(person)
        found = self._link.reader.many(PROMISE, pairs(await self._link.one(("HGETALL", key))), key)
        gone: list[RedisCommand] = []
        for one in found:
            keys = campaign_keys(one.campaign)
            gone += [("ZREM", name, promise_word(one)) for name in (keys.promised, keys.promises_ended)]
        await self._link.run(gone)


def _by_campaign(places: Iterable[Place]) -> Mapping[str, list[str]]:
    found = defaultdict(list)
    for one in places:
        found[one.campaign].append(one.contact)
    return found
