"""Changes that could not be written in their time, kept for whoever leads: anybody may put them here, he takes them.

Of who was erased meanwhile nothing is put here but what the outcome of an open call needs, and his word not to be
called counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dialer.adapters.redis_codec import pairs
from dialer.adapters.redis_keys import campaign_keys, number_keys, person_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import Argument, RedisCommand, call
from dialer.adapters.spool import decode_change, encode_change
from dialer.outcomes import EFFECTS, said_by_agent
from dialer.ports import Unwritten

TAKEN_AT_ONCE = 200
_NAMES_HIM = frozenset({"debtor", "person", "number", "new_number", "recording"})  # as in write.lua


def late_field(change: Unwritten) -> str:
    """Of one leader, or of the IVR, the newest of each attempt counts."""
    return f"{change.attempt_id} {'facts' if change.facts else change.token}"


class LateChanges:
    """Part of the store."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def hand_over(self, changes: Sequence[Unwritten]) -> None:
        """In their order; the same ones again change nothing."""
        answers = await self._link.run([_handed(one) for one in changes])
        of_erased = [one for one, waits in zip(changes, answers, strict=True) if not waits]
        await self._link.run([stop for one in of_erased for stop in _stops(one)])

    async def handed_over(self, campaign: str) -> tuple[Unwritten, ...]:
        """The oldest leader's first."""
        key = campaign_keys(campaign).late
        found = [decode_change(raw) for _, raw in pairs(await self._link.one(("HGETALL", key)))]
        known = [one for one in found if one is not None and one.campaign == campaign]
        return tuple(sorted(known, key=lambda one: (one.token, one.at)))

    async def taken(self, token: int, campaign: str, changes: Sequence[Unwritten]) -> None:
        """Dealt with, by the leader."""
        keys = campaign_keys(campaign)
        for start in range(0, len(changes), TAKEN_AT_ONCE):
            rows: list[Argument] = [token]
            for one in changes[start : start + TAKEN_AT_ONCE]:
                rows += (late_field(one), encode_change(one))
            await self._link.one(call("taken", (keys.fence, keys.late), *rows))


def _handed(one: Unwritten) -> RedisCommand:
    keys = campaign_keys(one.campaign)
    whole, bare = encode_change(one), encode_change(_bare(one))
    return call("hand_over", (keys.late, keys.erased, keys.open), late_field(one), whole, one.attempt_id, bare)


def _bare(one: Unwritten) -> Unwritten:
    """Without what the list and the record say of him; the attempt stands among the open ones as it is."""
    if one.finish is None:
        return one
    record = {name: "" if name in _NAMES_HIM else value for name, value in one.finish.record.items()}
    return replace(one, finish=replace(one.finish, record=record, contact=None, promise=None, new_numbers=False))


def _stops(one: Unwritten) -> Iterator[RedisCommand]:
    """He said in this call that he, or this number, is not to be called."""
    attempt = one.finish.attempt if one.finish else one.attempt
    if attempt is None:
        return
    said = [EFFECTS[word] for word, _ in said_by_agent(attempt.disposition) if word in EFFECTS]
    verdict = one.finish.verdict if one.finish else None
    stop = any(effect.stop for effect in said) or bool(verdict and verdict.stop)
    wrong = any(effect.wrong for effect in said) or bool(verdict and verdict.wrong_person)
    if stop and attempt.person:
        yield call("stop", (person_keys(attempt.person).state,), "")
    if (stop or wrong) and attempt.number.key:
        yield call("stop", (number_keys(attempt.number.key).state,), "")
