"""Carries out what agents start themselves: accounts that they are shown, calls that they place by hand.

Rules of this file: an agent is reserved before anything is asked of the store, and free again if nothing comes of it;
after every await the floor may have moved on.
"""

from collections.abc import Coroutine
from typing import Any, Protocol

from dialer.desk.answers import agent_of
from dialer.desk.offers import REASON_MAX, Offer
from dialer.floor.actions import Action
from dialer.model import MANUAL, PREVIEWED, AfterPreview, Command, Contact, Refused
from dialer.ports import Clock, Store
from dialer.running import manual
from dialer.running.placing import Ready
from dialer.running.run import Run
from dialer.running.tools import Tools

PLACING_S = 2.0  # so long an agent's own call waits for a batch that is being claimed
PLACING_LOOKS = 100


class Doing(Protocol):
    """Of the hands, what is needed here."""

    def perform(self, run: Run, actions: list[Action]) -> None: ...
    async def originate(self, run: Run, one: Ready) -> None: ...


class ByHand:
    """Of one engine, for all its runs."""

    def __init__(self, store: Store, clock: Clock, tools: Tools, hands: Doing) -> None:
        self._store, self._clock, self._tools, self._hands = store, clock, tools, hands

    def offer(self, run: Run, wanted: int) -> None:
        """Preview: accounts for idle agents; what becomes of those looked at for too long."""
        now = self._clock.now()
        actions, refusals, late = manual.offer(run, wanted, now)
        self._hands.perform(run, actions)
        if refusals:
            self._tools.do(run.placer.refuse(run.token, refusals, now))
        for one in late:
            if run.campaign.preview_then is AfterPreview.CALL:
                work = self._dial(run, one.agent, one.contact, one.contact.next_number, PREVIEWED)
                self._tools.do(self._or_skip(run, one, work))
            else:
                self._tools.do(self._skip(run, one, manual.TIME_UP))

    async def obey(self, run: Run, command: Command) -> tuple[bool, str]:
        """A command about one of them: (done?, why or what)."""
        agent_id, args = agent_of(command), command.args
        offer = run.offers.get(agent_id)
        seen = args.get("contact", "")
        if command.name != manual.DIAL and seen and offer is not None and offer.contact.id != seen:
            return False, "another account is shown now"  # the key was pressed for the one before
        if command.name == manual.SKIP:
            if why := manual.skip_fault(args.get("reason", ""), run.campaign):
                return False, why
            if offer is None:
                return False, "no account is shown"
            await self._skip(run, offer, args["reason"])
            return True, "skipped"
        if command.name == "preview_call":
            if offer is None:
                return False, "no account is shown"
            return await self._dial(run, agent_id, offer.contact, offer.contact.next_number, PREVIEWED)
        contact = await self._store.contact(run.campaign.id, args.get("contact", ""))
        if contact is None:
            return False, "this account is not on the campaign's list"
        index = manual.number_of(contact, args.get("number", "0"))
        return (False, index) if isinstance(index, str) else await self._dial(run, agent_id, contact, index, MANUAL)

    async def _skip(self, run: Run, offer: Offer, reason: str) -> None:
        now = self._clock.now()
        self._hands.perform(run, run.offers.end(run.floor.team, offer.agent, now))
        run.offers.held.add(offer.contact.id)  # until the store knows
        try:
            await run.placer.skip(run.token, offer.contact, reason, now + run.campaign.preview_skip_s, now)
        finally:
            run.offers.held.discard(offer.contact.id)

    async def _or_skip(self, run: Run, offer: Offer, work: Coroutine[Any, Any, tuple[bool, str]]) -> None:
        ok, why = await work
        if not ok and run.offers.get(offer.agent) is offer:
            await self._skip(run, offer, why[:REASON_MAX])

    async def _dial(self, run: Run, agent_id: str, contact: Contact, index: int, kind: str) -> tuple[bool, str]:
        """His agent is reserved before anything else, and free again if nothing comes of it."""
        now, floor = self._clock.now(), run.floor
        if why := manual.not_now(run, agent_id, self._tools.holds(run), now):
            return False, why
        asked = run.placer.by_hand(contact, index, kind, now)
        if isinstance(asked, Refused):
            await run.placer.only_tell(run.token, [(contact, contact.numbers[index], asked)], now)
            return False, manual.why_not(asked)
        run.by_hand.take(1)
        attempt_id = asked.attempt.id
        self._hands.perform(run, floor.team.promise(floor.team.agents[agent_id], attempt_id, now))
        self._hands.perform(run, run.offers.end(floor.team, agent_id, now))
        run.offers.held.add(contact.id)
        try:
            ready = await self._claim(run, asked)
        finally:
            run.offers.held.discard(contact.id)
            if attempt_id not in floor.attempts:
                self._hands.perform(run, floor.let_go(attempt_id, self._clock.now()))
        if isinstance(ready, Refused):
            return False, manual.why_not(ready)
        self._tools.do(self._hands.originate(run, ready))
        return True, attempt_id

    async def _claim(self, run: Run, asked: Ready) -> Ready | Refused:
        """As the engine does: nothing else claims or sweeps meanwhile."""
        for _ in range(PLACING_LOOKS):
            if not run.placing:
                break
            await self._tools.sleep(PLACING_S / PLACING_LOOKS)
        else:
            return Refused("busy", 0.0, "the engine is busy: try again")
        run.placing = True
        try:
            ready = await run.placer.dial(run.token, asked, self._clock.now())
            if isinstance(ready, Ready):
                run.contacts[ready.attempt.id] = ready.contact
                run.floor.claimed(ready.attempt, self._clock.now())
            return ready
        except BaseException:
            run.sweeps = 2
            raise
        finally:
            run.placing = False
