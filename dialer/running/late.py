"""What comes too late: changes that an engine, or the IVR, could not write in their time, and what becomes of them.

Rules of this file: what is still open is written as if it were in time; a state counts only where nobody has led since;
what somebody else has closed meanwhile keeps its one outcome, and the truer one comes as a correction; a call that is
on the leader's own books is his to end first.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from dialer.errors import DialerError, StoreError
from dialer.ports import Clock, Finish, Store, Unwritten
from dialer.running.correcting import AGAIN_S
from dialer.running.run import Run
from dialer.stream import late_correction

BY_SPOOL = "spool"  # who corrects, in the record
BY_IVR = "ivr"
_HEARD = ("ivr_choices", "promise_due", "promise_amount", "offer", "verified")


class Late:
    """Of one engine, for all its runs."""

    def __init__(self, store: Store, clock: Clock, say: Callable[..., object]) -> None:
        self._store, self._clock, self._say = store, clock, say

    async def apply(self, run: Run) -> None:
        """What has been handed over for this campaign. Raises StoreError: then once more, nothing is done twice."""
        name = run.campaign.id
        changes = await self._store.handed_over(name)
        if not changes:
            return
        is_open = {one.id for one in await self._store.open_attempts(name)}
        ours = run.floor.attempts.keys() | run.writes.unwritten().keys()
        mine = [one for one in changes if one.attempt_id not in ours]
        written = [one for one in mine if one.attempt_id in is_open and not one.facts]
        finished = {one.attempt_id: one.finish for one in written if one.finish}
        states = {
            one.attempt_id: one.attempt
            for one in written
            if one.attempt and one.token == run.token - 1 and one.attempt_id not in finished
        }
        await self._store.write(run.token, name, list(states.values()), list(finished.values()))
        for finish in finished.values():
            run.outcomes[finish.verdict.outcome] = run.outcomes.get(finish.verdict.outcome, 0) + 1
        for one in mine:
            if one.attempt_id not in is_open:
                await self._tried(run, one)
        done = [one for one in mine if one.attempt_id not in is_open or not one.facts]
        await self._store.taken(run.token, name, done)
        if done:
            self._say("late changes", "late", campaign=name, written=len(finished), states=len(states), all=len(done))

    async def _tried(self, run: Run, change: Unwritten) -> None:
        """One that makes no sense must not keep a campaign from being led."""
        try:
            await self._after(run, change)
        except StoreError:
            raise
        except (DialerError, ValueError, KeyError) as error:
            self._say("a late change makes no sense", "late", attempt=change.attempt_id, error=str(error))

    async def _after(self, run: Run, change: Unwritten) -> None:
        """Its outcome is there."""
        told = await self._store.outcome(run.campaign.id, change.attempt_id)
        if told is None:
            self._say("too late: its record is gone", "late", attempt=change.attempt_id)
        elif change.finish is not None and _saw_more(change.finish, told):
            await self._correct(run, told, change.finish, change.at)
        elif change.facts:
            await self._judge(run, told, told.get("disposition", ""), BY_IVR)
        elif said := _said(change):
            await self._judge(run, told, said, BY_SPOOL)

    async def _correct(self, run: Run, told: Mapping[str, str], finish: Finish, at: float) -> None:
        """By what the other engine saw."""
        contact = await self._store.contact(run.campaign.id, finish.attempt.contact) if finish.contact else None
        again = contact is None or contact.last_at > finish.attempt.claimed_at + AGAIN_S
        if again and not finish.verdict.rests:
            finish = replace(finish, contact=None)  # the list is left as it stands
        entry = late_correction(told, finish.record, at, BY_SPOOL)
        await self._store.correct(run.campaign.id, run.token, entry, finish)

    async def _judge(self, run: Run, told: Mapping[str, str], disposition: str, by: str) -> None:
        """Once more, by what was said; a result of its agent's that stands in the record is not changed."""
        if by == BY_SPOOL and told.get("disposition"):
            return
        name, attempt = run.campaign.id, told["attempt"]
        contact = await self._store.contact(name, told["debtor"]) if told.get("debtor") else None
        facts = await self._store.facts(name, attempt)
        at = max([fact.at for fact in facts], default=self._clock.now())
        found = run.correct(told, disposition, facts, contact, by, at)
        if found is None or (by == BY_IVR and not _heard_more(found[1], told)):
            return
        await self._store.correct(name, run.token, *found)


def _saw_more(finish: Finish, told: Mapping[str, str]) -> bool:
    """Whoever saw a call end knows more of it than who found it gone."""
    return finish.attempt.cause >= 0 and not told.get("cause") and finish.record != told


def _heard_more(finish: Finish, told: Mapping[str, str]) -> bool:
    """Whether the outcome was written without some of what is known by now; else only the hour of judging differs."""
    return any(finish.record.get(name, "") != told.get(name, "") for name in _HEARD)


def _said(change: Unwritten) -> str:
    """The agent's result."""
    attempt = change.finish.attempt if change.finish else change.attempt
    return attempt.disposition if attempt else ""
