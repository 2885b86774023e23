"""Carries out the end of an attempt: what the store knows of it, the verdict, the outcome that is to be written."""

from dialer.errors import StoreError
from dialer.floor.actions import Close
from dialer.model import Attempt, Fact
from dialer.ports import Clock, Finish, Leased, Store
from dialer.running.run import Run
from dialer.running.tools import STORE_RETRY_S, Tools

FACTS_LOOKS_S = (0.05, 0.1, 0.2, 0.4, 0.8)  # pauses between looks at what the IVR learnt
CLOSED_KEPT = 20_000


class Closing:
    """Of one engine, for all its runs."""

    def __init__(self, store: Store, clock: Clock, tools: Tools) -> None:
        self._store, self._clock, self._tools = store, clock, tools
        self._closed: dict[str, Leased] = {}  # attempts whose outcome is on its way, oldest first; where they were

    def is_closed(self, attempt: str) -> bool:
        """Whether its outcome is settled."""
        return attempt in self._closed

    def phone_of(self, attempt: str) -> Leased | None:
        """By which its channel may be ended, where its outcome is settled."""
        return self._closed.get(attempt)

    def close(self, run: Run, close: Close) -> None:
        attempt_id = close.attempt.id
        contact = run.contacts.pop(attempt_id, None)
        if close.facts or (contact is None and close.attempt.contact):
            self._tools.do(self._close_slowly(run, close, contact is None))
            if contact is not None:
                run.contacts[attempt_id] = contact
            return
        self._finish(run, run.finish(run.floor.attempts[attempt_id], (), contact, self._clock.now()))

    async def _close_slowly(self, run: Run, close: Close, unknown: bool) -> None:
        """With what the store knows: the IVR's facts, the contact of an attempt of the engine before us."""
        attempt_id = close.attempt.id
        facts: tuple[Fact, ...] = ()
        contact = None
        pauses = iter(FACTS_LOOKS_S)
        while self._tools.leads(run):
            try:
                if unknown:
                    contact = await self._store.contact(run.campaign.id, close.attempt.contact)
                facts = await self._store.facts(run.campaign.id, attempt_id) if close.facts else ()
            except StoreError as error:  # nothing could be written either: without the facts there is no verdict
                self._tools.store_failed(error)
                await self._tools.sleep(STORE_RETRY_S)
                continue
            pause_s = next(pauses, None)
            if not close.facts or pause_s is None or _is_told(close.attempt, facts):
                break
            await self._tools.sleep(pause_s)  # the IVR writes its last facts about now
        attempt = run.floor.attempts.get(attempt_id)
        if attempt is not None and self._tools.leads(run):
            contact = run.contacts.pop(attempt_id, contact)
            self._finish(run, run.finish(attempt, facts, contact, self._clock.now()))

    def _finish(self, run: Run, finish: Finish) -> None:
        run.floor.recorded(finish.attempt.id)
        self._closed[finish.attempt.id] = run.phone
        while len(self._closed) > CLOSED_KEPT:
            del self._closed[next(iter(self._closed))]
        run.writes.finish(finish, self._clock.monotonic())
        self._tools.write_soon()


def _is_told(attempt: Attempt, facts: tuple[Fact, ...]) -> bool:
    """Whether the IVR has said all it had to: who waited for an agent may have been in it twice."""
    begun = sum(fact.name == "flow" for fact in facts)
    again = attempt.wanted_agent and not attempt.ivr_result
    return sum(fact.name == "closed" for fact in facts) >= max(1 + again, begun)
