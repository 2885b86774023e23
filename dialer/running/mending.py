"""Carries out a result that changes: before the outcome is written it simply counts, afterwards it is a correction.

Rules of this file: a result belongs to the call that it names and to no other, however late it comes; an agent changes
the results of his own calls.
"""

from collections.abc import Callable
from dataclasses import replace

from dialer.calls import evolve
from dialer.desk import dispositions
from dialer.desk.answers import agent_of, call_of
from dialer.floor.actions import Action, Save
from dialer.model import Attempt, Command, Contact
from dialer.outcomes import read_disposition
from dialer.ports import Clock, Store
from dialer.running.closing import Closing
from dialer.running.run import Run
from dialer.running.tools import Tools

CORRECT = "correct"  # attempt, disposition; agent: only where it is his call
RESULTS = frozenset({"wrapped", "disposition"})
LATE = "its wrap-up had ended: written as a correction"
NOTED_LATE = "its wrap-up had ended: it counts all the same"
WRITING_S, WRITING_LOOKS = 3.0, 30  # so long an outcome may be under way to the store
NOT_YOURS = "this is no call of yours"


class Mending:
    """Of one engine, for all its runs."""

    def __init__(
        self, store: Store, clock: Clock, tools: Tools, closing: Closing, perform: Callable[[Run, list[Action]], None]
    ) -> None:
        self._store, self._clock, self._tools, self._closing = store, clock, tools, closing
        self._perform = perform

    async def know_contact(self, run: Run, command: Command) -> None:
        """Whom the agent talks with, where the engine before us placed the call: a promise is held against his debt.
        For an offer the debt is looked up as it is now, for that is what the agent was shown."""
        disposition = command.args.get("disposition", "")
        attempt = call_of(run.floor, agent_of(command)) if disposition else None
        if attempt is None or not attempt.contact:
            return
        known = run.contacts.get(attempt.id)
        if known is not None and read_disposition(disposition)[0] != dispositions.OFFER:
            return
        found = await self._store.contact(run.campaign.id, attempt.contact)
        known = run.contacts.get(attempt.id, found)
        if found is not None and known is not None and attempt.id in run.floor.attempts:
            run.contacts[attempt.id] = _owing(known, found)

    def is_late(self, run: Run, command: Command) -> bool:
        """Whether this is the result of a call that its agent is done with."""
        named = command.args.get("attempt", "")
        if command.name not in RESULTS or not named:
            return False
        agent = run.floor.team.agents.get(agent_of(command))
        return agent is None or agent.attempt != named

    async def late(self, run: Run, command: Command) -> tuple[bool, str]:
        """Such a result, sent while nobody knew yet that the call was closed."""
        closed = command.args["attempt"] not in run.floor.attempts
        ok, text = await self.correct(run, command)
        return ok, (LATE if closed else NOTED_LATE) if ok else text

    async def correct(self, run: Run, command: Command) -> tuple[bool, str]:
        """A result that changes: before the outcome is written it simply counts, afterwards it is a correction."""
        attempt_id, disposition = command.args.get("attempt", ""), command.args.get("disposition", "")
        agent = agent_of(command)
        if attempt_id in run.floor.attempts:
            return await self._noted(run, attempt_id, disposition, agent)
        told = await self._store.outcome(run.campaign.id, attempt_id)
        for _ in range(WRITING_LOOKS if self._closing.is_closed(attempt_id) else 0):
            if told is not None:
                break
            await self._tools.sleep(WRITING_S / WRITING_LOOKS)
            told = await self._store.outcome(run.campaign.id, attempt_id)
        if told is None or not told.get("joined_at"):
            return False, "no agent's call of this name ended within the last hours"
        if agent and agent not in (told["agent"], *told.get("agents", "").split()):
            return False, NOT_YOURS
        contact = await self._store.contact(run.campaign.id, told["debtor"]) if told.get("debtor") else None
        facts = await self._store.facts(run.campaign.id, attempt_id)
        now = self._clock.now()
        zone = contact.zone if contact else ""
        if why := self._fault(run, disposition, zone, contact, now):
            return False, why
        found = run.correct(told, disposition, facts, contact, command.sender, command.at)
        if found is None:
            return True, "nothing changes"
        await self._store.correct(run.campaign.id, run.token, *found)
        return True, "corrected"

    async def _noted(self, run: Run, attempt_id: str, disposition: str, agent: str) -> tuple[bool, str]:
        contact = run.contacts.get(attempt_id)
        if read_disposition(disposition)[0] == dispositions.OFFER and run.floor.attempts[attempt_id].contact:
            contact = await self._store.contact(run.campaign.id, run.floor.attempts[attempt_id].contact)
        attempt, now = run.floor.attempts.get(attempt_id), self._clock.now()
        if attempt is None:
            return False, "the call has just been closed: send it again"
        if agent and not _had(attempt, agent):
            return False, NOT_YOURS
        if why := self._fault(run, disposition, attempt.zone, contact, now):
            return False, why
        noted = evolve(attempt, disposition=disposition)
        run.floor.books.put(noted)
        self._perform(run, [Save(noted)])
        return True, "noted"

    def _fault(self, run: Run, disposition: str, zone: str, contact: Contact | None, at: float) -> str:
        if not disposition:
            return "say what the result was"
        return dispositions.fault(disposition, zone, contact, run.campaign, at, run.floor.limits_of)


def _owing(known: Contact, found: Contact) -> Contact:
    """As it is known, with what is owed now."""
    return replace(
        known, amount=found.amount, minimum=found.minimum, incentive=found.incentive, custom=found.custom,
        currency=found.currency,
    )  # fmt: skip


def _had(attempt: Attempt, agent: str) -> bool:
    return agent in (attempt.agent, *attempt.agents.split())
