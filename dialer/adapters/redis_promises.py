"""Promises in Redis: kept per person, ended in the books of the campaign, and the contact whose promise was broken."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dialer.adapters.redis_codec import PAYMENT, PROMISE, encode, pairs, text
from dialer.adapters.redis_contact import REVISIONS, encode_contact, read_contact
from dialer.adapters.redis_history import KEPT_S, LIMITS, encode_entry
from dialer.adapters.redis_keys import campaign_keys, history_key, payments_key, promises_key
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_list import epoch_word
from dialer.adapters.redis_outcomes import promise_word
from dialer.adapters.redis_scripts import Argument, RedisCommand, call
from dialer.debts.history import Entry, What
from dialer.debts.promises import Payment, Promise, State, judge

AT_ONCE = 200
TURNS = 20
PROMISED, ENDED = "pending", "ended"
_WHAT = {State.KEPT: What.KEPT, State.PART: What.PART, State.BROKEN: What.BROKEN}


@dataclass(frozen=True, slots=True)
class PromisePage:
    """Some promises, and where the next page begins (empty: there is none)."""

    promises: tuple[Promise, ...]
    next: str


class Promises:
    """Part of the store."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def promises(self, person: str, at: float) -> tuple[Promise, ...]:
        """Oldest first, each as it stands at `at`."""
        return (await self.promises_of_persons([person], at))[0]

    async def promises_of_persons(self, persons: Sequence[str], at: float) -> list[tuple[Promise, ...]]:
        """Of several persons, in one round trip."""
        return [judge((one for one, _ in made.values()), paid, at) for made, paid in await self._made_and_paid(persons)]

    async def settle_promises(self, person: str, at: float) -> tuple[Promise, ...]:
        """Write down what has become of his promises by now; gives those whose state has changed."""
        changed: list[Promise] = []
        for _ in range(TURNS):
            ((made, paid),) = await self._made_and_paid([person])
            stand = judge((one for one, _ in made.values()), paid, at)
            steps = [(*made[one.id], one) for one in stand if one != made[one.id][0]]
            if not steps:
                return tuple(changed)
            answers = await self._link.run([_step(person, *step) for step in steps])
            for (before, _, after), done in zip(steps, answers, strict=True):
                if done and before.state is not after.state:
                    changed.append(after)
                    await self._ended(after, before, at)
        return tuple(changed)

    async def close_promises(self, person: str, at: float) -> None:
        """What has ended is in the campaigns' books, too."""
        for promise in await self.promises(person, at):
            if promise.state is not State.PENDING:
                await self._ended(promise, None, at)

    async def fall_due(self, campaign: str, at: float, limit: int = AT_ONCE) -> int:
        """Promises whose last day is over get their state; who broke one comes back at once and before others. How
        many were looked at. May be repeated at any point."""
        key = campaign_keys(campaign).promised
        words = [
            text(one)
            for one in await self._link.one(("ZRANGE", key, "-inf", epoch_word(at), "BYSCORE", "LIMIT", 0, limit))
        ]
        persons = list(dict.fromkeys(word.partition(" ")[2] for word in words))
        for person in persons:
            await self.settle_promises(person, at)
        for word, promise in zip(words, await self._named(words, at), strict=True):
            if promise is None:  # erased, or pushed out by newer ones: nobody asks for it any more
                await self._link.one(("ZREM", key, word))
            elif promise.state is not State.PENDING:
                await self._ended(promise, None, at)
        return len(words)

    async def promises_page(
        self, campaign: str, at: float, ended: bool, after: str = "", limit: int = 100
    ) -> PromisePage:
        """Of a campaign: pending ones by their end, or ended ones, the newest first."""
        keys = campaign_keys(campaign)
        start = int(after) if after.isdecimal() else 0
        words: Sequence[bytes]
        if ended:
            words = await self._link.one(("ZRANGE", keys.promises_ended, start, start + limit - 1, "REV"))
        else:
            words = await self._link.one(("ZRANGE", keys.promised, start, start + limit - 1))
        found = await self._named([text(word) for word in words], at)
        more = str(start + limit) if len(words) == limit else ""
        # one that was replaced is in the books until its own end
        shown = [one for one in found if one is not None and (ended or one.state is State.PENDING)]
        return PromisePage(tuple(shown), more)

    async def _named(self, words: Sequence[str], at: float) -> list[Promise | None]:
        persons = list(dict.fromkeys(word.partition(" ")[2] for word in words))
        standing = zip(persons, await self.promises_of_persons(persons, at), strict=True)
        known = {promise_word(one): one for _, promises in standing for one in promises}
        return [known.get(word) for word in words]

    async def _made_and_paid(
        self, persons: Sequence[str]
    ) -> list[tuple[dict[str, tuple[Promise, bytes]], list[Payment]]]:
        """(promise and as it is written, by id; payments) of each."""
        asked: list[RedisCommand] = []
        for person in persons:
            asked += [("HGETALL", promises_key(person)), ("HGETALL", payments_key(person))]
        answers = await self._link.run(asked)
        found = []
        for turn, person in enumerate(persons):
            key = promises_key(person)
            made = [
                (self._link.reader.one(PROMISE, raw, key, text(name)), raw) for name, raw in pairs(answers[2 * turn])
            ]
            paid = self._link.reader.many(PAYMENT, pairs(answers[2 * turn + 1]), payments_key(person))
            found.append(({one.id: (one, raw) for one, raw in made if one is not None}, paid))
        return found

    async def _ended(self, promise: Promise, before: Promise | None, at: float) -> None:
        """In the campaign's books; and a contact whose promise was broken goes to the front."""
        keys = campaign_keys(promise.campaign)
        if promise.state is State.BROKEN:
            await self._hasten(promise, at)
        was = before.state.value if before is not None and before.state is not State.PENDING else ""
        words: list[Argument] = [epoch_word(at), KEPT_S, promise_word(promise), promise.state.value, promise.by, was]
        await self._link.one(call("over", (keys.promised, keys.promises_ended, keys.counters), *words))

    async def _hasten(self, promise: Promise, at: float) -> None:
        keys = campaign_keys(promise.campaign)
        for _ in range(TURNS):
            raw = await self._link.one(("HGET", keys.contacts, promise.contact))
            known = read_contact(self._link.reader, raw, keys.contacts, promise.contact)
            # spoken with since, or done before a fault of ours: not again
            if known is None or known.broken_at >= promise.until or known.last_at >= promise.until:
                return
            first = replace(known, broken_at=promise.until, rev=(known.rev + 1) % REVISIONS)
            places = (keys.contacts, keys.ready, keys.later, keys.withdrawn)
            if await self._link.one(call("hasten", places, epoch_word(at), known.id, raw, encode_contact(first))):
                return


def _step(person: str, before: Promise, seen: bytes, after: Promise) -> RedisCommand:
    line: bytes = b""
    if after.state in _WHAT and after.state is not before.state:
        line = encode_entry(
            Entry(
                _WHAT[after.state], after.id, int(after.ended_at), after.campaign, after.contact, amount=after.amount,
                currency=after.currency, due=after.due, by=after.by,
            )
        )  # fmt: skip
    places = (promises_key(person), history_key(person))
    return call("promise", places, after.id, seen, encode(after), *LIMITS, line)
