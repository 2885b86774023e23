"""The only loop: snapshot -> gate -> decide -> act; leadership, commands, writing behind, drain and shutdown."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

import structlog

from dialer.actions import Action, Close, HangUp, LookAgain, RaiseLeg, Save, SaveAgent, SendToAgent
from dialer.dialplan import Context
from dialer.errors import ActionRefused, NotLeader, StoreError, TelephonyError
from dialer.leading import Leader, resign_all
from dialer.model import Attempt, Command, Event, Fact, Status
from dialer.model import Seen as Kind
from dialer.originate import leg_order, order
from dialer.placing import Ready
from dialer.ports import Clock, Finish, Store, Telephony
from dialer.run import Run, Seen, Site
from dialer.writing import Batch, WriteBehind

log = structlog.get_logger("engine")

TURN_S = 0.2  # decisions are at most five a second
EASE = 0.8  # a saved-up second of calls goes out at no more than 1 / EASE of the rate, and turns are not missed for it
SECOND_S = 1.0
RESERVE_LIMIT_S = 0.25  # a slow Redis must not make a debtor wait: go on, memory knows the agent is free
FACTS_LIMIT_S = 2.0
FACTS_LOOK_S = 0.1
GATHER_S = 0.02
WRITE_RETRY_S = 0.5
RECONCILE_GAP_S = 2.0
CLOSED_KEPT = 20_000


class Engine:
    """Leads what campaigns it can get, on the Asterisk nodes it is given."""

    def __init__(self, site: Site, store: Store, phones: Mapping[str, Telephony], clock: Clock) -> None:
        self._site, self._store, self._phones, self._clock = site, store, phones, clock
        self.runs: dict[str, Run] = {}
        self._writes = WriteBehind(store, clock)
        self._leader = Leader(site, store, phones, clock)
        self._write_wanted = asyncio.Event()
        self._seen = Seen()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed: dict[str, None] = {}  # attempts whose outcome is written, oldest first
        self._looked_at: dict[str, float] = {}
        self._stopping = asyncio.Event()
        self._complained: dict[str, str] = {}

    # ---- life

    async def run(self) -> None:
        """Until stop(); then gives its leases back. Calls that are up go on without us."""
        loops = [self._turns(), self._seconds(), self._write_behind()]
        loops += [self._listen(phone) for phone in self._phones.values()]
        tasks = [asyncio.create_task(loop) for loop in loops]
        stop = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait([*tasks, stop], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stop}:
                task.result()
        finally:
            await self._shut([*tasks, stop, *self._tasks])

    def stop(self) -> None:
        """End run() soon."""
        self._stopping.set()

    def drain(self) -> None:
        """No new calls; what is up goes on."""
        for run in self.runs.values():
            run.draining = True

    async def _shut(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        tasks = list(tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for run in self.runs.values():
            with contextlib.suppress(StoreError):
                await self._writes.flush(run.campaign.id, run.token)
        await resign_all(self._leader, self.runs)

    # ---- what Asterisk tells

    async def _listen(self, phone: Telephony) -> None:
        async for event in phone.events():
            self._heard(phone, event)

    def _heard(self, phone: Telephony, event: Event) -> None:
        now = self._clock.now()
        if event.kind in (Kind.LINK_UP, Kind.LINK_DOWN, Kind.BOOTED):
            self._link(phone, event)
            return
        for run in self.runs.values():
            if run.trunk.node != phone.node:
                continue
            if event.kind is Kind.PHONE_KEY:
                self._perform(run, run.floor.phone_key(event, now))
            else:
                self._perform(run, run.floor.seen(event, now))
        if event.kind is Kind.ANSWERED and event.channel in self._closed:
            log.warning("a call whose outcome is written was answered", action="ghost", attempt=event.channel)
            self._do(self._hang_up(phone, event.channel))

    def _link(self, phone: Telephony, event: Event) -> None:
        log.info("manager link", action=event.kind.value, node=phone.node)
        for run in self.runs.values():
            if run.trunk.node == phone.node:
                run.reconciled = False
                if event.kind is not Kind.LINK_DOWN:
                    self._do(self._reconcile(run, booted=event.kind is Kind.BOOTED))

    async def _reconcile(self, run: Run, booted: bool = False) -> None:
        """Asterisk's own list of channels against our books."""
        try:
            channels = await run.phone.channels()
        except TelephonyError as error:
            log.warning("cannot compare calls", action="reconcile", error=str(error))
            return
        self._perform(run, run.floor.reconcile(channels, self._clock.now(), booted))
        for channel in channels:
            if channel.id in self._closed:
                await self._hang_up(run.phone, channel.id)
        run.reconciled = True

    # ---- what the floor wants

    def _perform(self, run: Run, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case SendToAgent():
                    self._do(self._send(run, action))
                case HangUp():
                    self._do(self._hang_up(run.phone, action.channel))
                case RaiseLeg():
                    self._do(self._raise_leg(run, action))
                case Save():
                    self._behind(run).attempts[action.attempt.id] = action.attempt
                case SaveAgent():
                    self._behind(run).agents[action.agent.id] = action.agent
                case Close(facts=False):
                    self._close(run, action.attempt, ())
                case Close():
                    self._do(self._close_with_facts(run, action.attempt))
                case LookAgain():
                    self._look_again(run, action.why)

    async def _send(self, run: Run, send: SendToAgent) -> None:
        attempt, agent = send.attempt, send.agent
        try:
            async with asyncio.timeout(RESERVE_LIMIT_S):
                free = await self._store.reserve(run.token, agent, attempt)
        except NotLeader:
            self._dethroned(run)
            return
        except (StoreError, TimeoutError):
            free = True  # Redis is away: live calls are still served
        try:
            if not free:
                raise ActionRefused(f"agent {agent.id} is not idle in Redis")
            await run.phone.redirect(attempt.id, Context.ROOM, agent.id)
            run.floor.sent(attempt.id, self._clock.now())
        except TelephonyError as error:
            log.info("join failed", action="redirect", attempt=attempt.id, agent=agent.id, error=str(error))
            if attempt.id in run.floor.attempts:
                self._perform(run, run.floor.join_failed(attempt.id, self._clock.now()))

    async def _hang_up(self, phone: Telephony, channel: str) -> None:
        try:
            await phone.hang_up(channel)
        except TelephonyError as error:
            log.warning("could not hang up", action="hang_up", channel=channel, error=str(error))

    async def _raise_leg(self, run: Run, wanted: RaiseLeg) -> None:
        try:
            await run.phone.originate(leg_order(wanted.agent, wanted.leg))
        except TelephonyError as error:
            log.info("agent's phone not called", action="raise_leg", agent=wanted.agent.id, error=str(error))
            if run.floor.team.owns(wanted.leg):
                self._perform(run, run.floor.team.leg_down(wanted.leg, self._clock.now()))

    def _look_again(self, run: Run, why: str) -> None:
        now = self._clock.monotonic()
        if now - self._looked_at.get(run.campaign.id, -RECONCILE_GAP_S) >= RECONCILE_GAP_S:
            self._looked_at[run.campaign.id] = now
            log.info("compares calls", action="reconcile", why=why)
            self._do(self._reconcile(run))

    # ---- the end of an attempt

    def _close(self, run: Run, attempt: Attempt, facts: tuple[Fact, ...]) -> None:
        if attempt.id not in run.floor.attempts:
            return
        attempt = run.floor.attempts[attempt.id]  # late events may have told more
        contact = run.contacts.pop(attempt.id, None)
        if contact is None and attempt.contact:
            self._do(self._close_unknown(run, attempt, facts))
            return
        self._finished(run, run.finish(attempt, facts, contact, self._clock.now()))

    def _finished(self, run: Run, finish: Finish) -> None:
        run.floor.recorded(finish.attempt.id)
        self._closed[finish.attempt.id] = None
        while len(self._closed) > CLOSED_KEPT:
            del self._closed[next(iter(self._closed))]
        self._writes.finish(run.campaign.id, finish)
        self._write_wanted.set()

    async def _close_unknown(self, run: Run, attempt: Attempt, facts: tuple[Fact, ...]) -> None:
        """An attempt of the engine before us: its contact is read from the store."""
        try:
            contact = await self._store.contact(run.campaign.id, attempt.contact)
        except StoreError as error:
            self._seen.store_error = str(error)
            await asyncio.sleep(WRITE_RETRY_S)
            self._close(run, attempt, facts)
            return
        if attempt.id in run.floor.attempts:
            self._finished(run, run.finish(attempt, facts, contact, self._clock.now()))

    async def _close_with_facts(self, run: Run, attempt: Attempt) -> None:
        """The IVR writes its last facts about now; give it a moment."""
        facts: tuple[Fact, ...] = ()
        for _ in range(round(FACTS_LIMIT_S / FACTS_LOOK_S)):
            with contextlib.suppress(StoreError):
                facts = await self._store.facts(run.campaign.id, attempt.id)
            if any(fact.name == "closed" for fact in facts):
                break
            await asyncio.sleep(FACTS_LOOK_S)
        self._close(run, attempt, facts)

    # ---- writing behind

    async def _write_behind(self) -> None:
        while True:
            await self._write_wanted.wait()
            await asyncio.sleep(GATHER_S)  # a commit costs much more than what is in it
            self._write_wanted.clear()
            for run in list(self.runs.values()):
                try:
                    await self._writes.flush(run.campaign.id, run.token)
                except NotLeader:
                    self._dethroned(run)
                except StoreError as error:
                    self._seen.store_error = str(error)
                    self._write_wanted.set()
                    await asyncio.sleep(WRITE_RETRY_S)

    def _behind(self, run: Run) -> Batch:
        self._write_wanted.set()
        return self._writes.batch(run.campaign.id)

    # ---- every turn

    async def _turns(self) -> None:
        while True:
            await asyncio.sleep(TURN_S)
            for run in list(self.runs.values()):
                try:
                    await self._turn(run)
                except NotLeader:
                    self._dethroned(run)
                except StoreError as error:
                    self._seen.store_error = str(error)

    async def _turn(self, run: Run) -> None:
        now = self._clock.now()
        self._perform(run, run.floor.tick(now))
        for command in await self._store.commands(run.campaign.id, run.token):
            await self._obey(run, command)
        if run.placing:
            return  # a decision takes its calls out of the calls per second: none is made that cannot be carried out
        decision = run.decide(now, self._holds(run))
        for attempt_id in decision.end:
            self._perform(run, run.floor.cancel(attempt_id, "no agent will be free"))
        if decision.start:
            run.placing = True
            self._do(self._place(run, decision.start, EASE / run.share.calls_per_second))

    def _holds(self, run: Run) -> tuple[str, ...]:
        self._seen.write_lag_s = self._writes.lag_s(run.campaign.id)
        return run.holds(self._clock.now(), self._clock.monotonic(), run.phone.health(), self._seen)

    async def _place(self, run: Run, wanted: int, least_gap_s: float) -> None:
        """Claim, then originate evenly over what the claim has left of the turn, or longer: a trunk refuses bursts."""
        ends = self._clock.monotonic() + TURN_S
        try:
            ready, looked_at = await run.placer.claim(run.token, wanted, self._clock.now())
            if not looked_at:
                run.due = 0
            for one in ready:
                run.contacts[one.attempt.id] = one.contact
                run.floor.claimed(one.attempt, self._clock.now())
            began = self._clock.monotonic()
            gap_s = max(max(TURN_S / 2, ends - began) / (len(ready) + 1), least_gap_s)
            for turn, one in enumerate(ready):
                await asyncio.sleep(began + turn * gap_s - self._clock.monotonic())
                self._do(self._originate(run, one))
        except NotLeader:
            self._dethroned(run)
        except StoreError as error:
            self._seen.store_error = str(error)
        finally:
            run.placing = False

    async def _originate(self, run: Run, one: Ready) -> None:
        attempt_id = one.attempt.id
        if self._clock.monotonic() >= run.lease_until:
            return  # not ours to place any more; whoever leads now closes it
        if self._clock.now() > one.must_start_by:
            self._perform(run, run.floor.not_placed(attempt_id, "too late", self._clock.now()))
            return
        try:
            await run.phone.originate(order(one.attempt, run.campaign, run.trunk.dial, run.trunk.attempt_header))
            if attempt_id in run.floor.attempts:
                run.floor.placed(attempt_id, self._clock.now())
        except ActionRefused as error:
            log.warning("Asterisk refused a call", action="originate", attempt=attempt_id, error=str(error))
            self._perform(run, run.floor.not_placed(attempt_id, "refused", self._clock.now()))
        except TelephonyError as error:
            # It may exist or come to exist: it stays on the books until it is proven gone.
            log.warning("call without ack", action="originate", attempt=attempt_id, error=str(error))

    # ---- commands

    async def _obey(self, run: Run, command: Command) -> None:
        now = self._clock.now()
        if now > command.deadline:
            ok, text = False, f"too late: it was to be done {now - command.deadline:.0f} s ago"
        elif command.name in _STATUS:
            ok, text = await self._set_status(run, _STATUS[command.name])
        else:
            ok, text, actions = run.floor.command(command, now)
            self._perform(run, actions)
        log.info("command", action=command.name, sender=command.sender, ok=ok, text=text)
        await self._store.reply(command, run.token, ok, text)

    async def _set_status(self, run: Run, status: Status) -> tuple[bool, str]:
        await self._store.set_status(run.campaign.id, run.token, status)
        run.status, run.draining = status, False
        return True, f"the campaign is {status}"

    # ---- every second

    async def _seconds(self) -> None:
        while True:
            try:
                await self._lead()
                self._seen.store_ping_s = await self._store.health()
                self._seen.store_error = ""
            except StoreError as error:
                self._seen.store_error = str(error)
            for run in list(self.runs.values()):
                try:
                    await self._second(run)
                except NotLeader:
                    self._dethroned(run)
                except StoreError as error:
                    self._seen.store_error = str(error)
            await asyncio.sleep(SECOND_S)

    async def _lead(self) -> None:
        for run in await self._leader.look_for_more(self.runs):
            self.runs[run.campaign.id] = run
            log.info("leads", action="lead", campaign=run.campaign.id, token=run.token, open=len(run.floor.attempts))
        for name, why in self._leader.cannot.items():
            if self._complained.get(name) != why:
                self._complained[name] = why
                log.error("campaign cannot be run", action="lead", campaign=name, error=why)

    async def _second(self, run: Run) -> None:
        now, name = self._clock.now(), run.campaign.id
        await self._leader.renew(run)
        run.due, run.later = await self._store.remaining(name, now)
        trunk = run.trunk
        asked = (run.campaign.lines_max, run.campaign.calls_per_second)
        lines, cps = await self._store.trunk_share(trunk.name, self._site.engine, *asked, now)
        run.share = type(run.share)(min(lines, trunk.lines), min(cps, trunk.calls_per_second))
        if run.phone.health().up and not run.reconciled:
            await self._reconcile(run)
        await self._store.publish(name, run.token, run.board(now, self._holds(run), run.phone.node, run.phone.health()))

    def _dethroned(self, run: Run) -> None:
        """Another engine leads: forget everything, write nothing."""
        if self.runs.pop(run.campaign.id, None) is not None:
            run.lease_until = 0.0
            self._writes.forget(run.campaign.id)
            log.warning("leads no more", action="dethroned", campaign=run.campaign.id)

    def _do(self, work: Coroutine[object, object, None]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task failed", action="bug", exc_info=error)


_STATUS = {"start": Status.RUNNING, "pause": Status.PAUSED, "stop": Status.STOPPED}
