"""Open attempts, their transitions, and exactly one outcome for each, with what follows for person and number."""

from collections.abc import Mapping, Sequence
from itertools import chain

from dialer.adapters.redis_codec import ATTEMPT, EFFECTS, FACT, Effects, encode, pairs, text
from dialer.adapters.redis_contact import encode_contact
from dialer.adapters.redis_history import LIMITS, encode_entry
from dialer.adapters.redis_index import entries_of
from dialer.adapters.redis_keys import (
    campaign_keys,
    facts_key,
    history_key,
    number_keys,
    person_keys,
    promises_key,
)
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_list import epoch_word
from dialer.adapters.redis_scripts import Argument, RedisCommand, call
from dialer.adapters.redis_updates import Updates
from dialer.debts.history import of_call
from dialer.debts.promises import Promise
from dialer.model import INBOUND, Attempt, Fact, Outcome, attempt_ms
from dialer.ports import Finish

KEPT_MS = 32 * 86_400_000  # history: the longest window of a rule pack, and a day
CORRECTIONS_KEPT_MS = 7 * 86_400_000
SETTLED_AT_ONCE = 200
WRITTEN_AT_ONCE = 200

PROMISES_MAX = 50  # of one person: the oldest goes first

WRITTEN, UNSETTLED, WRITTEN_BLANK = 1, 2, 3
OF_ERASED = 2  # of a correction
CLOCKS_MS = 60_000  # so far Redis's clock may be behind the engine's
LOOKED_AT_ONCE, LOOKS = 100, 200  # outcomes from an attempt's claim to its own: an hour of a busy campaign, or two


def effects_of(finish: Finish) -> Effects:
    """The part of a verdict that concerns person and number beyond this campaign."""
    attempt, verdict = finish.attempt, finish.verdict
    # silences and caps run from what he was called and spoken with last, not from our own preparations
    talk_at = (attempt.ended_at or attempt.left_at or attempt.joined_at) if verdict.conversation else 0.0
    ended_at = attempt.ended_at or attempt.claimed_at
    return Effects(
        attempt.id, attempt.person, attempt.number.key, talk_at, verdict.stop, verdict.silent_until, verdict.dead,
        verdict.count, tried_at=attempt.placed_at or attempt.ended_at, wrong_person=verdict.wrong_person,
        abandoned_at=ended_at if verdict.outcome is Outcome.ABANDONED else 0.0,
        machine_at=ended_at if verdict.outcome is Outcome.MACHINE else 0.0, hardship=verdict.hardship,
        line=encode_entry(of_call(attempt, verdict, finish.record)), promise=finish.promise,
    )  # fmt: skip


class Settling:
    """Gives person and number the effects of written outcomes: repeatable, so it needs no token."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def settle(self, campaign: str, effects: Sequence[Effects]) -> None:
        """In this order: an effect leaves the campaign's keeping after both have got it."""
        if effects:
            gone = ("HDEL", campaign_keys(campaign).unsettled, *(one.attempt for one in effects))
            await self._link.run([command for one in effects for command in _settle(one)] + [gone])

    async def settle_left(self, campaign: str) -> None:
        """Outcomes whose writer died half-way."""
        unsettled = campaign_keys(campaign).unsettled
        found = pairs(await self._link.one(("HGETALL", unsettled)))
        effects = self._link.reader.many(EFFECTS, found, unsettled)
        for start in range(0, len(effects), SETTLED_AT_ONCE):
            await self.settle(campaign, effects[start : start + SETTLED_AT_ONCE])


class Outcomes:
    """Part of the store."""

    def __init__(self, link: Link, settling: Settling, updates: Updates) -> None:
        self._link = link
        self._settling = settling
        self._updates = updates

    async def open_attempts(self, campaign: str) -> tuple[Attempt, ...]:
        """Claimed and without an outcome; called by a new leader, it also settles what the last one left."""
        await self._settling.settle_left(campaign)
        await self._updates.merge(campaign)
        key = campaign_keys(campaign).open
        found = pairs(await self._link.one(("HGETALL", key)))
        return tuple(sorted(self._link.reader.many(ATTEMPT, found, key), key=lambda one: one.id))

    async def open_attempt(self, campaign: str, attempt: str) -> Attempt | None:
        """None: it is not open."""
        key = campaign_keys(campaign).open
        return self._link.reader.one(ATTEMPT, await self._link.one(("HGET", key, attempt)), key, attempt)

    async def write(self, token: int, campaign: str, changed: Sequence[Attempt], finished: Sequence[Finish]) -> int:
        """Outcome first, under the token; then its effects: an old leader can give nobody's lock back. Many, as after
        Redis was away, go in parts: one script that takes too long would be tried again for ever."""
        written = 0
        for start in range(0, max(len(changed), len(finished)), WRITTEN_AT_ONCE):
            ends = start + WRITTEN_AT_ONCE
            written += await self._write(token, campaign, changed[start:ends], finished[start:ends])
        return written

    async def _write(self, token: int, campaign: str, changed: Sequence[Attempt], finished: Sequence[Finish]) -> int:
        keys = campaign_keys(campaign)
        rows: list[Argument] = [token, len(changed)]
        for one in changed:
            rows += (one.id, encode(one))
        effects = [effects_of(finish) for finish in finished]
        for finish, effect in zip(finished, effects, strict=True):
            rows += _outcome(finish, effect)
        places = (
            keys.fence, keys.open, keys.unsettled, keys.outcomes, keys.contacts, keys.later, keys.rest, keys.counters,
            keys.behind, keys.withdrawn, keys.promised, keys.call_backs, keys.ready, keys.forgotten,
        )  # fmt: skip
        # first: a number that is found too early does no harm, one that nobody finds would
        known_by = [finish.contact for finish in finished if finish.new_numbers and finish.contact]
        if known_by:
            await self._link.run([entry for contact in known_by for entry in entries_of(campaign, contact)])
        answers, behind = await self._link.one(call("write", places, *rows))
        if behind:
            await self._updates.merge(campaign)
        await self._settling.settle(campaign, [one for one, answer in zip(effects, answers, strict=True) if answer])
        blank = [one.attempt for one, answer in zip(effects, answers, strict=True) if answer == WRITTEN_BLANK]
        if blank:  # he was erased during the call
            await self._link.run([("DEL", facts_key(campaign, attempt)) for attempt in blank])
        return sum(answer in (WRITTEN, WRITTEN_BLANK) for answer in answers)

    async def correct(self, campaign: str, token: int, record: Mapping[str, str], finish: Finish | None = None) -> None:
        """The same words again within a week change nothing. Of who was erased only a word not to call him counts."""
        keys = campaign_keys(campaign)
        fields = list(chain.from_iterable(record.items()))
        effects = effects_of(finish) if finish else None
        rows: list[Argument] = [record["attempt"], *[""] * 7]
        if finish and effects:
            kept, verdict = finish.contact, finish.verdict
            rows = [effects.attempt, encode(effects), kept.id if kept else "", encode_contact(kept) if kept else ""]
            rows += [epoch_word(verdict.retry_at) if verdict.retry_at else "", epoch_word(finish.attempt.ended_at)]
            promise = finish.promise
            rows += [epoch_word(promise.until), promise_word(promise)] if promise else ["", ""]
        places = (
            keys.fence, keys.corrections, keys.outcomes, keys.unsettled, keys.contacts, keys.behind, keys.later,
            keys.ready, keys.rest, keys.withdrawn, keys.promised, keys.counters, keys.erased,
        )  # fmt: skip
        answer = await self._link.one(call("correct", places, token, CORRECTIONS_KEPT_MS, *rows, *fields))
        if effects:
            await self._settling.settle(campaign, [_stop_alone(effects) if answer == OF_ERASED else effects])

    async def outcome(self, campaign: str, attempt: str) -> Mapping[str, str] | None:
        """Found by its id's time: outcomes stand in the order in which they were written."""
        after = f"({max(0, attempt_ms(attempt) - CLOCKS_MS)}"
        for _ in range(LOOKS):
            found = await self._link.one(
                ("XRANGE", campaign_keys(campaign).outcomes, after, "+", "COUNT", LOOKED_AT_ONCE)
            )
            for _, flat in found:
                told = {text(name): text(value) for name, value in pairs(flat)}
                if told.get("attempt") == attempt and told.get("type") == "outcome":
                    return told
            if len(found) < LOOKED_AT_ONCE:
                return None
            after = "(" + text(found[-1][0])
        return None

    async def facts(self, campaign: str, attempt: str) -> tuple[Fact, ...]:
        """What the IVR learnt, in order."""
        key = facts_key(campaign, attempt)
        found = pairs(await self._link.one(("HGETALL", key)))
        return tuple(sorted(self._link.reader.many(FACT, found, key), key=lambda fact: fact.seq))

    async def counters(self, campaign: str) -> dict[str, int]:
        """attempts, live, outcome:<word>, refused:<rule>."""
        found = pairs(await self._link.one(("HGETALL", campaign_keys(campaign).counters)))
        return {name.decode(): int(count) for name, count in found}


def _stop_alone(effects: Effects) -> Effects:
    return Effects(
        effects.attempt, effects.person, effects.number, stop=effects.stop, wrong_person=effects.wrong_person
    )


def promise_word(promise: Promise) -> str:
    """How a campaign's books name it."""
    return f"{promise.id} {promise.person}"


def _outcome(finish: Finish, effects: Effects) -> list[Argument]:
    attempt, verdict, contact = finish.attempt, finish.verdict, finish.contact
    if attempt.kind == INBOUND and not _changes_the_list(finish):
        contact = None
    name = attempt.contact if contact or attempt.kind != INBOUND else ""
    rows: list[Argument] = [attempt.id, verdict.outcome.value, int(verdict.live), encode(effects), name]
    rows.append(encode_contact(contact) if contact else "")
    rows += (epoch_word(verdict.retry_at) if verdict.retry_at else "", epoch_word(attempt.ended_at))
    promise = finish.promise
    rows += (epoch_word(promise.until), promise_word(promise)) if promise else ("", "")
    rows.append(epoch_word(contact.callback_at) if contact and contact.callback_at else "")
    return [*rows, 2 * len(finish.record), *chain.from_iterable(finish.record.items())]


def _changes_the_list(finish: Finish) -> bool:
    """Whether a call that came in, and took nobody off the list, puts him to another place of it."""
    return bool(finish.verdict.rests or (finish.verdict.callback_at and finish.contact and finish.contact.callback_at))


def _settle(effects: Effects) -> list[RedisCommand]:
    """A wrong person stops the number alone: the debtor is somebody else."""
    talk_at = epoch_word(effects.talk_at) if effects.talk_at else ""
    found = []
    for party, stop, silent_until, dead, machine_at, hardship in (
        (person_keys(effects.person), effects.stop, effects.silent_until, False, 0.0, effects.hardship),
        (
            number_keys(effects.number),
            effects.stop or effects.wrong_person,
            0.0,
            effects.dead,
            effects.machine_at,
            False,
        ),
    ):
        if party.state.endswith(":}:state"):  # a call from a withheld number
            continue
        words: list[Argument] = [talk_at, int(stop), epoch_word(silent_until), int(dead), int(effects.count), KEPT_MS]
        words += (epoch_word(effects.tried_at), epoch_word(effects.abandoned_at), epoch_word(machine_at), int(hardship))
        places = [party.state, party.attempts, party.talks]
        if party.state.startswith("{p:"):
            places += (history_key(effects.person), promises_key(effects.person))
            words += (*LIMITS, effects.line, encode(effects.promise) if effects.promise else "", PROMISES_MAX)
        found.append(call("settle", places, effects.attempt, *words))
    return found
