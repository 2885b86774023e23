"""Carries out what a floor asks for: calls, Redirects, hang-ups, comparisons, the end of an attempt, commands.

Rules of this file: after every await the floor may have moved on, so it is asked again; whoever leads no more does
nothing at all, for he cannot know what the new leader has done with a call (run.phone asks the lease once more right
before each action is written); what became of a failed Originate is never guessed.
"""

from dialer.agents import Word
from dialer.calls import SETTLED
from dialer.desk import handover, orders
from dialer.desk.answers import agent_of, call_of, over
from dialer.dialplan import Context
from dialer.errors import ActionRefused, BadInput, NoLease, NotLeader, StoreError, TelephonyError
from dialer.floor.actions import (
    Action,
    Close,
    HangUp,
    LookAgain,
    RaiseLeg,
    RaiseLink,
    RaiseSpy,
    RecordAgain,
    Save,
    SaveAgent,
    SendLeg,
    SendTo,
    SendToAgent,
    SendToMessage,
    TellDesk,
)
from dialer.floor.desknote import DeskMessage
from dialer.floor.inbound import COMMAND
from dialer.floor.reconcile import ask, reconcile
from dialer.floor.spies import Spy
from dialer.model import INBOUND, Command, Event, Seen, Status
from dialer.originate import leg_order, link_order, order, spy_order
from dialer.ports import Clock, Leased, Store
from dialer.running import manual
from dialer.running.by_hand import ByHand
from dialer.running.closing import Closing
from dialer.running.lending import Lending
from dialer.running.mending import CORRECT, Mending
from dialer.running.placing import Ready
from dialer.running.run import Run
from dialer.running.tools import Tools

RESERVE_LIMIT_S = 0.25  # a slow Redis must not make a debtor wait: go on, memory knows the agent is free
RECONCILE_GAP_S = 2.0
DRAIN_MOST_S = 86400.0
HEAR_S = 1.0  # the end of a call that is off Asterisk's list may still be on its way to us


class Hands:
    """Of one engine, for all its runs."""

    def __init__(self, store: Store, clock: Clock, tools: Tools) -> None:
        self._store, self._clock, self._tools = store, clock, tools
        self._closing = Closing(store, clock, tools)
        self._by_hand = ByHand(store, clock, tools, self)
        self._mending = Mending(store, clock, tools, self._closing, self.perform)
        self.offer = self._by_hand.offer
        self.lend = Lending(store, clock, tools, self.perform, self.apply).look

    def perform(self, run: Run, actions: list[Action]) -> None:
        """In the order given; what takes time becomes a task."""
        if actions and not self._tools.leads(run):
            return
        for action in actions:
            match action:
                case SendToAgent():
                    self._tools.do(self._send(run, action))
                case SendToMessage():
                    if run.reconciled:  # he may be with an agent since, whom a lost link kept us from hearing of
                        self._tools.do(self._to_message(run, action.attempt.id))
                case HangUp(if_sure=True) if not run.reconciled:
                    pass  # the floor asks again
                case HangUp():
                    self._tools.do(self.hang_up(run.phone, action.channel))
                case RaiseLeg():
                    self._tools.do(self._raise_leg(run, action))
                case Save():
                    run.writes.save(action.attempt, self._clock.monotonic())
                    self._tools.write_soon()
                case SaveAgent():
                    run.writes.save_agent(
                        action.agent, self._clock.monotonic(), run.note(action.agent, self._clock.now())
                    )
                    self._tools.write_soon()
                case SendTo():
                    self._tools.do(self._send_to(run, action))
                case RaiseLink():
                    self._tools.do(self._raise_link(run, action))
                case RecordAgain():
                    self._tools.do(self._record_again(run, action.attempt.id))
                case SendLeg():
                    self._tools.do(self._send_leg(run, action))
                case RaiseSpy():
                    self._tools.do(self._raise_spy(run, action.spy))
                case TellDesk():
                    if self._holds_lease(run):
                        self._tools.do(self._tell(action.message))
                case Close():
                    self._closing.close(run, action)
                case LookAgain():
                    self.look_again(run, action.why)

    def tell_desks(self, run: Run) -> None:
        """A new leader tells how every agent stands."""
        self.perform(run, [SaveAgent(agent) for agent in run.floor.team.agents.values()])

    def _holds_lease(self, run: Run) -> bool:
        return self._tools.leads(run) and self._clock.monotonic() < run.lease_until

    # ---- calls

    async def originate(self, run: Run, one: Ready) -> None:
        """Place a claimed attempt, unless something forbids it now."""
        attempt_id, floor = one.attempt.id, run.floor
        why = run.bars(self._clock.now(), self._clock.monotonic(), one.must_start_by)
        if why:
            self.perform(run, floor.not_placed(attempt_id, why, self._clock.now()))
            return
        try:
            wanted = order(one.attempt, run.campaign, run.trunk.dial, run.trunk.attempt_header)
            if not floor.may_place(attempt_id):
                return
            await run.phone.originate(wanted)
            floor.placed(attempt_id, self._clock.now())
        except NoLease:
            self.perform(run, floor.not_placed(attempt_id, "lease", self._clock.now()))
        except (ActionRefused, BadInput) as error:
            self._tools.say("a call was refused", "originate", attempt=attempt_id, error=str(error))
            self.perform(run, floor.not_placed(attempt_id, "refused", self._clock.now()))
        except TelephonyError as error:
            # It may exist or come to exist: it stays on the books until it is proven gone.
            self._tools.say("a call has no ack", "originate", attempt=attempt_id, error=str(error))

    async def _send(self, run: Run, send: SendToAgent) -> None:
        attempt, agent, floor = send.attempt, send.agent, run.floor
        if not run.reconciled and attempt.answered_at < run.linked_at:
            # He may be with an agent already, whom a lost link kept us from hearing of
            self.perform(run, floor.join_failed(attempt.id, agent.id, self._clock.now()))
            return
        run.writes.supersede(attempt, agent)
        try:
            note = run.note(agent, self._clock.now())
            free = await self._tools.within(RESERVE_LIMIT_S, self._store.reserve(run.token, agent, attempt, note))
        except NotLeader:
            self._tools.dethroned(run)
            return
        except (StoreError, TimeoutError):
            free = True  # Redis is away: live calls are still served
        if not self._holds_lease(run):
            return
        try:
            if not free:
                raise ActionRefused(f"Redis knows agent {agent.id} as busy")
            if not floor.may_redirect(attempt.id, agent.id, self._clock.now()):
                raise ActionRefused("too late")
            await run.phone.redirect(attempt.id, Context.ROOM, agent.id)
            floor.sent(attempt.id, agent.id, self._clock.now())
        except (TelephonyError, BadInput) as error:
            self._tools.say("join failed", "redirect", attempt=attempt.id, agent=agent.id, error=str(error))
            self.perform(run, floor.join_failed(attempt.id, agent.id, self._clock.now()))

    async def _to_message(self, run: Run, attempt_id: str) -> None:
        if not self._holds_lease(run):
            return
        try:
            await run.phone.redirect(attempt_id, Context.MESSAGE, "s")
            self._tools.say("taken out of an IVR that stands still", "redirect", attempt=attempt_id)
        except (TelephonyError, BadInput) as error:
            self._tools.say("not taken out of the IVR", "redirect", attempt=attempt_id, error=str(error))

    async def _send_to(self, run: Run, send: SendTo) -> None:
        if not self._holds_lease(run):
            return
        try:
            await run.phone.redirect(send.attempt.id, send.context, send.exten)
        except (TelephonyError, BadInput) as error:
            self._tools.say("not moved", "redirect", attempt=send.attempt.id, to=send.context, error=str(error))
            self.perform(run, run.floor.not_moved(send.attempt.id, self._clock.now()))

    async def _send_leg(self, run: Run, send: SendLeg) -> None:
        try:
            await run.phone.redirect(send.channel, send.context, send.exten)
        except (TelephonyError, BadInput) as error:
            self._tools.say("supervisor not moved", "redirect", channel=send.channel, error=str(error))

    async def _raise_spy(self, run: Run, spy: Spy) -> None:
        try:
            await run.phone.originate(spy_order(spy))
        except (TelephonyError, BadInput) as error:
            self._tools.say("supervisor's phone not called", "raise_spy", supervisor=spy.supervisor, error=str(error))
            gone = Event(Seen.FAILED, self._clock.now(), spy.channel)
            self.perform(run, run.floor.seen(gone, gone.at))

    async def _raise_link(self, run: Run, wanted: RaiseLink) -> None:
        if not self._holds_lease(run):
            return
        try:
            await run.phone.originate(link_order(wanted.link))
        except (TelephonyError, BadInput) as error:
            self._tools.say("agents not joined", "raise_link", attempt=wanted.link.attempt, error=str(error))
            gone = Event(Seen.FAILED, self._clock.now(), wanted.link.channel)
            self.perform(run, run.floor.seen(gone, gone.at))

    async def _tell(self, message: DeskMessage) -> None:
        await self._store.tell_desk(message)

    async def hang_up(self, phone: Leased, channel: str) -> None:
        """End a channel, if it is there."""
        try:
            await phone.hang_up(channel)
        except (TelephonyError, BadInput) as error:
            self._tools.say("could not hang up", "hang_up", channel=channel, error=str(error))

    async def _raise_leg(self, run: Run, wanted: RaiseLeg) -> None:
        if not self._holds_lease(run):
            return
        try:
            await run.phone.originate(leg_order(wanted.agent, wanted.leg))
        except (TelephonyError, BadInput) as error:
            self._tools.say("agent's phone not called", "raise_leg", agent=wanted.agent.id, error=str(error))
            if run.floor.team.owns(wanted.leg):
                self.perform(run, run.floor.team.leg_down(wanted.leg, self._clock.now()))

    # ---- proof

    def look_again(self, run: Run, why: str) -> None:
        """Compare with Asterisk, but not all the time."""
        now = self._clock.monotonic()
        if now - run.looked_at >= RECONCILE_GAP_S:
            run.looked_at = now  # here: of many who ask in one tick the first is heard
            self._tools.say("compares calls", "reconcile", campaign=run.campaign.id, why=why)
            self._tools.do(self.reconcile(run))

    async def reconcile(self, run: Run, booted: bool = False) -> None:
        """Asterisk's own list of channels against our books."""
        run.looked_at = self._clock.monotonic()
        asked = ask(run.floor)
        try:
            channels = await run.phone.channels()
        except (TelephonyError, BadInput) as error:
            self._tools.say("cannot compare calls", "reconcile", campaign=run.campaign.id, error=str(error))
            return
        if not booted:
            await self._tools.sleep(HEAR_S)
        self.perform(run, reconcile(run.floor, asked, channels, self._clock.now(), booted))
        for channel in channels:
            if self.is_closed(channel.id):
                await self.hang_up(run.phone, channel.id)
        run.reconciled = True

    def is_closed(self, channel: str) -> bool:
        """Whether this was an attempt whose outcome is settled."""
        return self._closing.is_closed(channel)

    async def lay_ghost(self, channel: str) -> None:
        """A call whose outcome is settled came up."""
        phone = self._closing.phone_of(channel)
        if phone is not None:
            await self.hang_up(phone, channel)

    async def sweep(self, run: Run) -> None:
        """Attempts that were claimed though the answer never reached us: nobody has called, nobody else ends them.
        Those that were only locked give it back; the last look forgets them."""
        found = await self._store.open_attempts(run.campaign.id)
        known = {one.id for one in found} | set(run.floor.attempts)
        if locked := [one for one in run.doubted.values() if one.id not in known]:
            await self._store.unlock(locked)
        if run.sweeps == 1:
            run.doubted.clear()
        for attempt in found:
            if attempt.id in run.floor.attempts or self.is_closed(attempt.id):
                continue
            if attempt.kind == INBOUND:  # the IVR claims those
                run.floor.came_in(attempt, self._clock.now())
            else:
                run.floor.adopt(attempt)
                self.perform(run, run.floor.not_placed(attempt.id, "claim unanswered", self._clock.now()))

    # ---- commands

    async def obey(self, run: Run, command: Command) -> None:
        """Apply it once and answer; where the answer does not get through, only the answer is tried again. One that has
        to ask the store does not keep the others waiting."""
        if command.name not in _SLOW and not self._mending.is_late(run, command):
            await self._obey(run, command)
        elif command.id not in run.under_way:
            run.under_way.add(command.id)
            self._tools.do(self._obey_slowly(run, command))

    async def _obey_slowly(self, run: Run, command: Command) -> None:
        try:
            await self._obey(run, command)
        finally:
            run.under_way.discard(command.id)

    async def _obey(self, run: Run, command: Command) -> None:
        done = run.answers.get(command.id)
        if done is None:
            done = run.answers[command.id] = await self.apply(run, command)
        await self._store.reply(command, run.token, *done)
        run.answers.pop(command.id, None)

    def forget_answers(self, run: Run, asked: set[str]) -> None:
        """Those of commands that are asked no more: an answer got through though we did not hear so."""
        for command_id in run.answers.keys() - asked:
            del run.answers[command_id]

    async def apply(self, run: Run, command: Command) -> tuple[bool, str]:
        """(done?, why or what)."""
        now = self._clock.now()
        if now > command.deadline:
            ok, text = False, f"too late: it was to be done {now - command.deadline:.0f} s ago"
        elif command.name == DRAIN:
            ok, text = self._drain(run, command)
        elif command.name == CORRECT:
            ok, text = await self._mending.correct(run, command)
        elif self._mending.is_late(run, command):
            ok, text = await self._mending.late(run, command)
        elif command.name in _SLOW:
            ok, text = await self._by_hand.obey(run, command)
        elif why := over(run.floor, command):
            ok, text = False, why
        elif command.name in _RECORDING:
            ok, text = await self._record(run, command, _RECORDING[command.name])
        elif command.name in _STATUS:
            ok, text = await self._set_status(run, _STATUS[command.name])
        elif command.name == COMMAND:
            ok, text = await self._take_in(run, command.args.get("attempt", ""))
        else:
            ok, text = await self._order(run, command)
        self._tools.say("command", command.name, campaign=run.campaign.id, sender=command.sender, ok=ok, why=text)
        return ok, text

    async def _order(self, run: Run, command: Command) -> tuple[bool, str]:
        await self._mending.know_contact(run, command)
        if self._mending.is_late(run, command):  # his wrap-up ended meanwhile
            return await self._mending.late(run, command)
        ok, text, actions = orders.obey(run.floor, command, self._clock.now())
        if command.name == "sign_in" and actions and (other := await self._elsewhere(run, command)):
            ok, text, actions = False, f"works for {other}: sign him out there first", []
        self.perform(run, actions)
        return ok, text

    def _drain(self, run: Run, command: Command) -> tuple[bool, str]:
        try:
            limit_s = float(command.args.get("limit_s", ""))
        except ValueError:
            limit_s = -1.0
        if not 0.0 <= limit_s <= DRAIN_MOST_S:
            return False, f"say how long it may take: limit_s, 0 to {DRAIN_MOST_S:.0f}"
        self._tools.drain(None if command.args.get("engine") else run, limit_s)
        return True, f"no new calls; {len(run.floor.attempts)} of {run.campaign.id} are left, {limit_s:.0f} s at most"

    async def _take_in(self, run: Run, attempt_id: str) -> tuple[bool, str]:
        """A call that came in, and that the IVR has put on the books."""
        attempt = await self._store.open_attempt(run.campaign.id, attempt_id)
        if attempt is None or attempt.kind != INBOUND or self.is_closed(attempt_id):
            return False, f"{attempt_id!r} is no open call that came in"
        if attempt_id not in run.floor.attempts:
            run.floor.came_in(attempt, self._clock.now())
        return True, "the call is on the books"

    async def _elsewhere(self, run: Run, command: Command) -> str:
        """The other campaign that has this agent; he is then not signed in here."""
        agent_id = command.args["agent"]
        await self._store.save_agents(run.campaign.id, run.token, [run.floor.team.agents[agent_id]])
        other = await self._store.works_for(agent_id)
        if other in ("", run.campaign.id):
            return ""
        self.perform(run, run.floor.team.ask(agent_id, Word.SIGN_OUT, self._clock.now())[2])
        return other

    async def _record_again(self, run: Run, attempt_id: str) -> None:
        try:
            await run.phone.mute_recording(attempt_id, muted=False)
        except (TelephonyError, BadInput) as error:
            self._tools.say("recording stays paused", "record", attempt=attempt_id, error=str(error))
        else:
            self.perform(run, handover.paused(run.floor, attempt_id, False))

    async def _record(self, run: Run, command: Command, muted: bool) -> tuple[bool, str]:
        """Answered when Asterisk has done it: what is said next must not be on it."""
        attempt = call_of(run.floor, agent_of(command))
        if attempt is None or attempt.agent != agent_of(command) or attempt.state in SETTLED:
            return False, "no call to be recorded"
        if not run.campaign.record:
            return False, "this campaign records nothing"
        try:
            await run.phone.mute_recording(attempt.id, muted=muted)
        except (TelephonyError, BadInput) as error:
            return False, str(error)
        self.perform(run, handover.paused(run.floor, attempt.id, muted))
        return True, "recording paused" if muted else "recording"

    async def _set_status(self, run: Run, status: Status) -> tuple[bool, str]:
        run.status_changes += 1
        await self._store.set_status(run.campaign.id, run.token, status)
        run.status_changes += 1
        run.status = status
        return True, f"the campaign is {status}"


DRAIN = "drain"  # limit_s; engine: of all its campaigns
_SLOW = {*manual.COMMANDS, manual.SKIP, CORRECT, DRAIN}  # whoever drains is told before he loses the lease
_RECORDING = {"record_pause": True, "record_resume": False}
_STATUS = {"start": Status.RUNNING, "pause": Status.PAUSED, "stop": Status.STOPPED}
