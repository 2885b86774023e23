"""Carries out a result that changes: before the outcome is written it simply counts, afterwards it is a correction."""

from collections.abc import Callable

from dialer import dispositions
from dialer.actions import Action, Save
from dialer.answers import agent_of, call_of
from dialer.calls import evolve
from dialer.model import Command
from dialer.ports import Clock, Store
from dialer.run import Run

CORRECT = "correct"  # attempt, disposition


class Mending:
    """Of one engine, for all its runs."""

    def __init__(self, store: Store, clock: Clock, perform: Callable[[Run, list[Action]], None]) -> None:
        self._store, self._clock, self._perform = store, clock, perform

    async def know_contact(self, run: Run, command: Command) -> None:
        """Whom the agent talks with, where the engine before us placed the call: a promise is held against his debt."""
        attempt = call_of(run.floor, agent_of(command)) if "disposition" in command.args else None
        if attempt is None or attempt.id in run.contacts or not attempt.contact:
            return
        contact = await self._store.contact(run.campaign.id, attempt.contact)
        if contact is not None and attempt.id in run.floor.attempts:
            run.contacts[attempt.id] = contact

    async def correct(self, run: Run, command: Command) -> tuple[bool, str]:
        """A result that changes: before the outcome is written it simply counts, afterwards it is a correction."""
        attempt_id, disposition = command.args.get("attempt", ""), command.args.get("disposition", "")
        if attempt_id in run.floor.attempts:
            return self._noted(run, attempt_id, disposition)
        told = await self._store.outcome(run.campaign.id, attempt_id)
        if told is None or not told.get("joined_at"):
            return False, "no agent's call of this name ended within the last hours"
        contact = await self._store.contact(run.campaign.id, told["debtor"]) if told.get("debtor") else None
        facts = await self._store.facts(run.campaign.id, attempt_id)
        now = self._clock.now()
        zone = contact.zone if contact else ""
        if why := dispositions.fault(disposition, zone, contact, run.campaign, now) or _empty(disposition):
            return False, why
        found = run.correct(told, disposition, facts, contact, command.sender, now)
        if found is None:
            return True, "nothing changes"
        await self._store.correct(run.campaign.id, run.token, *found)
        return True, "corrected"

    def _noted(self, run: Run, attempt_id: str, disposition: str) -> tuple[bool, str]:
        attempt, now = run.floor.attempts[attempt_id], self._clock.now()
        contact = run.contacts.get(attempt_id)
        if why := dispositions.fault(disposition, attempt.zone, contact, run.campaign, now) or _empty(disposition):
            return False, why
        noted = evolve(attempt, disposition=disposition)
        run.floor.books.put(noted)
        self._perform(run, [Save(noted)])
        return True, "noted"


def _empty(disposition: str) -> str:
    return "" if disposition else "say what the result was"
