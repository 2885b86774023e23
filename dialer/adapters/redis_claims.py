"""The claim of an attempt: person and number locked, the contact off the list, a second look; and how to undo it."""

from collections.abc import Iterable, Sequence
from typing import Any

from dialer.adapters.redis_codec import EFFECTS, encode, text
from dialer.adapters.redis_keys import PartyKeys, campaign_keys, number_keys, person_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_list import epoch_word
from dialer.adapters.redis_outcomes import KEPT_MS, Settling
from dialer.adapters.redis_scripts import Argument, RedisCommand, call
from dialer.errors import BadInput, NotLeader
from dialer.law.decisionlog import digest, taken_back
from dialer.model import MANUAL, Attempt, History, Refused
from dialer.ports import Held

HISTORY_S = 31 * 86400.0
STALE_S = 30.0  # a lock this old without an open attempt was left behind between two steps
SUSPECT_S = 10.0  # whoever marked a lock as stale and has not come back by then is gone himself
BUSY_S = 60.0

FLAGS = ("stop", "silent", "dead", "stops", "abandoned", "machine", "hardship")

PERSON_BUSY = "person_busy"
NUMBER_BUSY = "number_busy"


class Claims:
    """Part of the store."""

    def __init__(self, link: Link, settling: Settling) -> None:
        self._link = link
        self._settling = settling

    async def lock(self, attempts: Sequence[Attempt], at: float) -> list[Held | Refused]:
        """One round trip when all goes well; losers give back what they took."""
        answers = await self._link.run(_locks(attempts, at))
        stale = _stale(attempts, answers, at)
        if stale and await self._break(stale, at):
            answers = await self._link.run(_locks(attempts, at))
        found = [_held(one, answers[2 * i], answers[2 * i + 1], at) for i, one in enumerate(attempts)]
        losers = [one for one, held in zip(attempts, found, strict=True) if isinstance(held, Refused)]
        await self.unlock(losers)
        return found

    async def claim(self, token: int, attempts: Sequence[Attempt], at: float, notes: Sequence[str] = ()) -> list[bool]:
        """All attempts are of one campaign. The second look comes after the claim in the same pipeline, which Redis
        carries out in order: a thief who marks the lock later finds the attempt open and leaves it alone."""
        if not attempts:
            return []
        told = notes or [""] * len(attempts)
        keys = campaign_keys(_campaign(attempts))
        rows: list[Argument] = []
        looks: list[RedisCommand] = []
        for one, note in zip(attempts, told, strict=True):
            rows += (one.id, one.contact, encode(one), note, digest(note) if note else "", int(one.kind == MANUAL))
            looks += [("HMGET", party.state, "lock", "thief", "stop", "dead", "changed") for party in _both(one)]
        places = (keys.fence, keys.open, keys.ready, keys.counters, keys.log, keys.log_head, keys.later)
        try:
            scores, *seen = await self._link.run([call("claim", places, token, *rows), *looks])
        except NotLeader:  # its locks would stand in the way of whoever leads
            await self.unlock(attempts)
            raise
        good = [_ours(one, seen[2 * i : 2 * i + 2]) for i, one in enumerate(attempts)]
        answers = [score is not None and fine for score, fine in zip(scores, good, strict=True)]
        lost = [
            (one, score, note)
            for one, score, note, kept in zip(attempts, scores, told, answers, strict=True)
            if not kept
        ]
        if lost:
            await self._undo(token, lost, at)
        return answers

    async def unlock(self, attempts: Sequence[Attempt]) -> None:
        """Only locks that the attempts hold themselves."""
        await self._link.run(_unlocks(attempts))

    async def _undo(self, token: int, lost: Sequence[tuple[Attempt, bytes | None, str]], at: float) -> None:
        keys = campaign_keys(lost[0][0].campaign)
        rows: list[Argument] = []
        for one, score, note in lost:
            if score is not None:
                back = taken_back(note, at)
                rows += (one.id, one.contact, score, back, digest(back) if back else "")
        places = (
            keys.fence, keys.open, keys.ready, keys.later, keys.counters, keys.log, keys.log_head, keys.contacts,
            keys.withdrawn, keys.rest,
        )  # fmt: skip
        await self._link.one(call("unclaim", places, token, epoch_word(at), *rows))
        await self.unlock([one for one, _, _ in lost])

    async def _break(self, stale: Sequence[tuple[PartyKeys, bytes, str]], at: float) -> bool:
        """Break locks whose attempt is in no campaign's open list: mark, look, then break or take the mark back."""
        marks = [call("suspect", (p.state,), lock, thief, epoch_word(at), repr(SUSPECT_S)) for p, lock, thief in stale]
        marked = [one for one, done in zip(stale, await self._link.run(marks), strict=True) if done]
        looks: list[RedisCommand] = []
        for _, lock, _ in marked:
            attempt, campaign, _ = text(lock).split(" ")
            keys = campaign_keys(campaign)
            looks += [("HEXISTS", keys.open, attempt), ("HGET", keys.unsettled, attempt)]
        seen = await self._link.run(looks)
        breaks: list[RedisCommand] = []
        for i, (party, lock, thief) in enumerate(marked):
            is_open, effects = seen[2 * i], seen[2 * i + 1]
            await self._settle(text(lock).split(" ")[1], effects)
            breaks.append(call("break", (party.state, party.attempts), lock, thief, 0 if is_open else 1))
        await self._link.run(breaks)
        return bool(marked)

    async def _settle(self, campaign: str, effects: bytes | None) -> None:
        """The holder's outcome is written, its writer died before the lock was given back."""
        keys = campaign_keys(campaign)
        known = self._link.reader.one(EFFECTS, effects, keys.unsettled, "")
        if known is not None:
            await self._settling.settle(campaign, [known])


def _campaign(attempts: Sequence[Attempt]) -> str:
    campaigns = {one.campaign for one in attempts}
    if len(campaigns) != 1:
        raise BadInput(f"one token claims for one campaign, not for {', '.join(sorted(campaigns))}")
    return campaigns.pop()


def _both(attempt: Attempt) -> tuple[PartyKeys, PartyKeys]:
    return person_keys(attempt.person), number_keys(attempt.number.key)


def _locks(attempts: Sequence[Attempt], at: float) -> list[RedisCommand]:
    now, since = epoch_word(at), epoch_word(at - HISTORY_S)
    return [
        call("lock", (party.state, party.attempts, party.talks), one.id, one.campaign, now, since, KEPT_MS)
        for one in attempts
        for party in _both(one)
    ]


def _unlocks(attempts: Iterable[Attempt]) -> list[RedisCommand]:
    return [call("unlock", (party.state, party.attempts), one.id) for one in attempts for party in _both(one)]


def _stale(attempts: Sequence[Attempt], answers: Sequence[Any], at: float) -> list[tuple[PartyKeys, bytes, str]]:
    """(whose lock, the lock as read, who wants it) where a lock is older than it can be between two steps."""
    found = []
    for i, one in enumerate(attempts):
        for party, answer in zip(_both(one), answers[2 * i : 2 * i + 2], strict=True):
            if answer[0] == 0 and at - _since(answer[1]) > STALE_S:
                found.append((party, answer[1], one.id))
    return found


def _since(lock: bytes) -> float:
    return float(lock.rsplit(b" ", 1)[1])


def _held(attempt: Attempt, person: list[Any], number: list[Any], at: float) -> Held | Refused:
    for answer, rule in ((person, PERSON_BUSY), (number, NUMBER_BUSY)):
        if answer[0] == 0:
            return Refused(rule, at + BUSY_S, f"attempt {text(answer[1]).split(' ')[0]} is under way")
    return Held(attempt.id, history_of(person), history_of(number))


def history_of(answer: list[Any]) -> History:
    """A person's or a number's past out of lock.lua's answer: 1, attempts, talks, the state's FLAGS."""
    _, attempts, talks, stop, silent, dead, stops, abandoned, machine, hardship = answer
    return History(
        attempts=tuple(map(float, attempts[1::2])),
        conversations=tuple(map(float, talks[1::2])),
        stop=bool(stop),
        silent_until=float(silent or 0.0),
        dead=bool(dead),
        stops=tuple(text(stops).split("\n")) if stops else (),
        abandoned_at=float(abandoned or 0.0),
        machine_at=float(machine or 0.0),
        hardship=bool(hardship),
    )


def _ours(attempt: Attempt, seen: Sequence[Any]) -> bool:
    """Still locked for it, and nothing has come to the past that the gate has judged."""
    holder = attempt.id.encode() + b" "
    return all(
        lock is not None and lock.startswith(holder) and not any(word is not None for word in against)
        for lock, *against in seen
    )
