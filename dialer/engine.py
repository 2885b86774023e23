"""The only loop: snapshot -> gate -> decide -> act; leadership, commands, writing behind, drain and shutdown."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any, TypeVar

import structlog

from dialer.desk.orders import of_phone_key
from dialer.errors import NotLeader, StoreError
from dialer.floor.skew import Skew
from dialer.model import Command, Event, Mode, Status
from dialer.model import Seen as Kind
from dialer.pace.snapshot import Decision
from dialer.ports import Clock, Spool, Store, Telephony
from dialer.running.hands import Hands
from dialer.running.leading import RENEW_S, Leader, resign_all, shares
from dialer.running.measured import Health
from dialer.running.placing import Ready, Refusal
from dialer.running.pulse import LOOK_S, Pulse, out_of_ivr, uses_ivr
from dialer.running.run import ENDED_RINGING, Run, Seen, Site
from dialer.running.spooling import LOOK_S as SPOOL_LOOK_S
from dialer.running.spooling import Spooling
from dialer.running.succession import LOOK_S as LEAD_LOOK_S
from dialer.running.succession import Succession
from dialer.running.tools import STORE_RETRY_S

log = structlog.get_logger("engine")

TICK_S = 0.05  # deadlines are kept to this
TURN_S = 0.2  # decisions are at most five a second
EASE = 0.8  # a saved-up second of calls goes out at no more than 1 / EASE of the rate, and turns are not missed for it
GATHER_S = 0.02
CANCEL_AGAIN_S = 0.5
SECOND_S = 1.0
PUT_DOWN_S = 0.3  # so long what is under way may end before the leases are given back
COMPARE_S = 60.0  # whatever an event that never came would have told is found out after so long
_LINK = frozenset({Kind.LINK_UP, Kind.LINK_DOWN, Kind.BOOTED})
_SIGNS_OF_LIFE = frozenset({Kind.DIALLED, Kind.PROGRESS, Kind.RINGING, Kind.ANSWERED, Kind.READY})

T = TypeVar("T")


def _unheard(seconds: float) -> None:
    """Where nobody wants to know."""


class Engine:
    """Leads what campaigns it can get, on the Asterisk nodes it is given. To its Hands it is the Tools."""

    def __init__(
        self, site: Site, store: Store, phones: Mapping[str, Telephony], clock: Clock, spool: Spool | None = None
    ) -> None:
        self._site, self._store, self._phones, self._clock = site, store, phones, clock
        self.runs: dict[str, Run] = {}
        self._leader = Leader(site, store, phones, clock, self.say)
        self._spooling = Spooling(spool, store, clock, log.warning) if spool else None
        self._hands = Hands(store, clock, self)
        self._skews = {node: Skew() for node in phones}
        self._write_wanted = asyncio.Event()
        self._seen = Seen()
        self._pulse = Pulse(site.ivr)
        self._pinged_at = inf  # monotonic, of a ping under way
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._succession = Succession(self._leader, store, self._hands, clock, self, self.runs, phones, self._cannot)
        self._complained: dict[str, str] = {}
        self._ticked_at = self._led_at = -inf  # monotonic: last tick, last look for campaigns
        self.on_decision: Callable[[float], None] = _unheard  # seconds that each took

    # ---- life

    async def run(self) -> None:
        """Until stop(); then gives its leases back. Calls that are up go on without us."""
        loops = [self._turns(), self._ticks(), self._looks(), self._seconds(), self._leases(), self._pings()]
        loops += [self._write_behind()]
        loops += [self._beats()] if self._site.ivr else []
        loops += [self._spool(self._spooling)] if self._spooling else []
        loops += [self._listen(phone) for phone in self._phones.values()]
        tasks = [asyncio.create_task(loop) for loop in loops]
        stop = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait([*tasks, stop], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stop}:
                task.result()
            await self._put_down()
        finally:
            await self._shut([*tasks, stop])

    def health(self) -> Health:
        """How it does, for probes and metrics."""
        now = self._clock.monotonic()
        return Health(
            ticked_s=now - self._ticked_at,
            led_s=now - self._led_at,
            ping_s=max(self._seen.store_ping_s, now - self._pinged_at),
            store_error=self._seen.store_error,
            draining=self._succession.leaving or self._stopping.is_set(),
            unusable=len(self._leader.cannot),
            holds={name: self._holds(run) for name, run in self.runs.items()},
            spooled=self._spooling.waiting if self._spooling else 0,
            spool_bytes=self._spooling.size if self._spooling else 0,
            spool_fault=self._spooling.fault if self._spooling else "",
        )

    def stop(self) -> None:
        """End run() soon."""
        self._stopping.set()

    async def _put_down(self) -> None:
        """In good order: nothing is begun any more, what is under way has a moment to end, and the ears stay open."""
        self._succession.drain_all()
        for run in self.runs.values():
            self._succession.withdraw(run)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PUT_DOWN_S)

    async def _shut(self, loops: Iterable[asyncio.Task[Any]]) -> None:
        left: set[asyncio.Task[Any]] = {*loops} | self._tasks
        while left:  # again and again: a library may swallow a cancellation that comes in the wrong moment
            for task in left:
                task.cancel()
            done, _ = await asyncio.wait(left, timeout=CANCEL_AGAIN_S)
            await asyncio.gather(*done, return_exceptions=True)
            left = {task for task in left | self._tasks if not task.done()}
        for run in self.runs.values():
            for attempt in run.floor.attempts.values():  # the next leader need not guess
                run.writes.save(attempt, self._clock.monotonic())
            with contextlib.suppress(StoreError):
                await run.writes.flush()
        if self._spooling:
            await self._spooling.last(self.runs.values())
        await resign_all(self._leader, self.runs)

    # ---- tools for the hands

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, StoreError):
                self.store_failed(error)
            else:
                log.error("a task failed", action="bug", exc_info=error)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        async with asyncio.timeout(seconds):
            return await work

    def say(self, text: str, action: str, **facts: object) -> None:
        log.info(text, action=action, **facts)

    def holds(self, run: Run) -> tuple[str, ...]:
        return self._holds(run)

    def write_soon(self) -> None:
        self._write_wanted.set()

    def drain(self, run: Run | None, limit_s: float) -> None:
        """No new calls; handed over when its calls have ended, at the latest after `limit_s`. None: every campaign, and
        then the process ends."""
        if run is not None:
            self._succession.drain(run, limit_s)
        else:
            self._succession.drain_all(limit_s, ends=True)

    def leads(self, run: Run) -> bool:
        return self.runs.get(run.campaign.id) is run

    def store_failed(self, error: StoreError) -> None:
        self._seen.store_error = str(error)

    def dethroned(self, run: Run) -> None:
        """Another engine leads: forget everything, write nothing."""
        run.lease_until = 0.0
        if self.leads(run):
            if self._spooling:
                self._spooling.dethroned(run)
            del self.runs[run.campaign.id]
            log.warning("leads no more", action="dethroned", campaign=run.campaign.id)

    async def _guarded(self, run: Run, work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        try:
            await work(*args)  # not before: of a task that is cancelled before it began nothing is left over
        except NotLeader:
            self.dethroned(run)
        except StoreError as error:
            self.store_failed(error)
        except Exception as error:  # a fault in one campaign must not stop the others
            self._complain(run.campaign.id, error)

    def _complain(self, place: str, error: Exception) -> None:
        if self._is_new(place, repr(error)):
            log.error("a fault of ours", action="bug", campaign=place, exc_info=error)

    def _cannot(self, campaign: str, why: Exception | str) -> None:
        if isinstance(why, Exception):
            self._complain(campaign, why)
        elif self._is_new(campaign, why):
            log.error("campaign cannot be run", action="lead", campaign=campaign, error=why)

    def _is_new(self, place: str, fault: str) -> bool:
        """Once, not five times a second."""
        known, self._complained[place] = self._complained.get(place), fault
        return known != fault

    # ---- what Asterisk tells

    async def _listen(self, phone: Telephony) -> None:
        async for event in phone.events():
            self._heard(phone, event)

    def _heard(self, phone: Telephony, event: Event) -> None:
        if event.kind in _LINK:
            self._link(phone, event)
            return
        now = self._clock.now()
        here = [run for run in self.runs.values() if run.trunk.node == phone.node]
        claimed_at = max((run.floor.claimed_at(event.channel) for run in here), default=-inf)
        at = self._skews[phone.node].ours(event.at, now, claimed_at)
        event = Event(event.kind, at, event.channel, event.room, event.result, event.cause, event.sip_code)
        self._succession.heard(phone.node, event)
        for run in here:
            try:
                self._hands.perform(run, run.floor.seen(event, now))
            except Exception as error:  # one event must not cost the ears
                self._complain(run.campaign.id, error)
        if event.kind is Kind.PHONE_KEY:
            self._phone_key(phone, event, now)
        elif event.kind in _SIGNS_OF_LIFE and self._hands.is_closed(event.channel):
            log.warning("a call whose outcome is settled came up", action="ghost", attempt=event.channel)
            self.do(self._hands.lay_ghost(event.channel))

    def _phone_key(self, phone: Telephony, event: Event, now: float) -> None:
        """For the campaign that knows the agent; on a node with one campaign, a new one signs in to that."""
        here = [run for run in self.runs.values() if run.trunk.node == phone.node]
        known = [run for run in here if run.floor.team.works_here(event.room)]
        known = known or [run for run in here if event.room in run.floor.team.agents] or here
        if len(known) != 1:
            log.warning("a phone's code fits no one campaign", action="phone_key", agent=event.room, fit=len(known))
        elif (command := of_phone_key(known[0].floor, event, now)) is not None:
            self.do(self._guarded(known[0], self._by_phone, known[0], command))

    async def _by_phone(self, run: Run, command: Command) -> None:
        await self._hands.apply(run, command)

    def _link(self, phone: Telephony, event: Event) -> None:
        log.info("manager link", action=event.kind.value, node=phone.node)
        self._succession.linked(phone.node, event.kind is not Kind.LINK_DOWN)
        for run in self.runs.values():
            if run.trunk.node == phone.node:
                run.reconciled = False
                if event.kind is not Kind.LINK_DOWN:
                    run.linked_at = self._clock.now()
                    self.do(self._guarded(run, self._hands.reconcile, run, event.kind is Kind.BOOTED))

    # ---- writing behind

    async def _write_behind(self) -> None:
        while True:
            await self._write_wanted.wait()
            await asyncio.sleep(GATHER_S)  # a commit costs much more than what is in it
            self._write_wanted.clear()
            waiting = [run for run in self.runs.values() if run.writes]
            await asyncio.gather(*(self._guarded(run, run.writes.flush) for run in waiting))
            if any(run.writes.failed for run in waiting):
                await asyncio.sleep(STORE_RETRY_S)
                self._write_wanted.set()

    async def _spool(self, spooling: Spooling) -> None:
        """What Redis does not take is on the disk soon."""
        while True:
            await asyncio.sleep(SPOOL_LOOK_S)
            await spooling.look(self.runs.values())

    # ---- every turn

    async def _ticks(self) -> None:
        """Apart from the turns: a slow Redis must not keep a caller from the next agent."""
        while True:
            await asyncio.sleep(TICK_S)
            self._ticked_at = self._clock.monotonic()
            for run in list(self.runs.values()):
                await self._guarded(run, self._tick, run)

    async def _tick(self, run: Run) -> None:
        self._hands.perform(run, run.floor.tick(self._clock.now()))

    async def _turns(self) -> None:
        while True:
            await asyncio.sleep(TURN_S)
            await asyncio.gather(*(self._guarded(run, self._turn, run) for run in self.runs.values()))

    async def _turn(self, run: Run) -> None:
        if run.wants_look(self._clock.now()):  # here: a claim that has to look takes twice as long
            await self._guarded(run, run.ahead.look, self._clock.now())
        if not run.placing:  # a decision takes its calls out of the calls per second: each one made is carried out
            self._decide(run)
        commands = await self._store.commands(run.campaign.id, run.token)
        self._hands.forget_answers(run, {command.id for command in commands})
        for command in commands:
            await self._guarded(run, self._hands.obey, run, command)

    def _decide(self, run: Run) -> None:
        now, holds = self._clock.now(), self._holds(run)
        backs, refusals, actions = run.call_backs(now, holds)
        self._hands.perform(run, actions)
        began = self._clock.monotonic()
        decision = run.decide(now, holds)
        self.on_decision(self._clock.monotonic() - began)
        ended = [one for one in decision.end if run.may_end(one, now, self._clock.monotonic())]
        for attempt_id in ended:
            self._hands.perform(run, run.floor.cancel(attempt_id, ENDED_RINGING, now))
        run.series.saw(decision, len(ended), now)
        previews = run.campaign.mode is Mode.PREVIEW
        self._hands.offer(run, decision.start if previews else 0)
        decision = replace(decision, start=0) if previews else decision
        if decision.start or backs or refusals:
            run.placing = True
            pace = min(run.campaign.calls_per_second, run.share.calls_per_second)
            self.do(self._guarded(run, self._place, run, decision, EASE / pace, backs, refusals))

    def _holds(self, run: Run) -> tuple[str, ...]:
        now = self._clock.monotonic()
        seen = replace(
            self._seen,
            store_ping_s=max(self._seen.store_ping_s, now - self._pinged_at),
            write_lag_s=run.writes.lag_s(now),
            ivr=self._pulse.hold,
        )
        return run.holds(self._clock.now(), now, run.phone.health(), seen)

    async def _place(
        self, run: Run, wanted: Decision, least_gap_s: float, backs: Sequence[Ready], refusals: list[Refusal]
    ) -> None:
        """Claim, then originate evenly over what the claim has left of the turn, or longer: a trunk refuses bursts.
        Call-backs come first, and instead of others.
        """
        ends = self._clock.monotonic() + TURN_S
        try:
            start = wanted.start - await self._call_back(run, backs, refusals, least_gap_s)
            ready, looked_at = await run.placer.claim(run.token, start, self._clock.now(), wanted.chosen)
            if start > 0 and not looked_at:
                run.due = 0
            for one in ready:
                run.contacts[one.attempt.id] = one.contact
                run.floor.claimed(one.attempt, self._clock.now())
            began = self._clock.monotonic()
            gap_s = max(max(TURN_S / 2, ends - began) / (len(ready) + 1), least_gap_s)
            for turn, one in enumerate(ready):
                if not run.draining:
                    await asyncio.sleep(began + turn * gap_s - self._clock.monotonic())
                self.do(self._hands.originate(run, one))
        except BaseException:
            run.sweeps = 2  # what was claimed is not known: one look at once, one for a claim that Redis does late
            raise
        finally:
            run.placing = False

    async def _call_back(self, run: Run, backs: Sequence[Ready], refusals: list[Refusal], least_gap_s: float) -> int:
        """Claim and originate; how many. An agent whose debtor may not be called after all is free again."""
        ready: list[Ready] = []
        try:
            if backs or refusals:
                ready = await run.placer.take(run.token, backs, refusals, self._clock.now())
            for one in ready:
                run.contacts[one.attempt.id] = one.contact
                run.floor.claimed(one.attempt, self._clock.now())
        finally:
            for one in backs:
                if one.attempt.id not in run.floor.attempts:
                    self._hands.perform(run, run.floor.let_go(one.attempt.id, self._clock.now()))
        for one in ready:
            self.do(self._hands.originate(run, one))
            await asyncio.sleep(least_gap_s)
        return len(ready)

    # ---- who leads

    async def _looks(self) -> None:
        """Apart from the second: a standby must not wait for what it leads already."""
        while True:
            try:
                await self._look()
                self._led_at = self._clock.monotonic()
            except StoreError as error:
                self.store_failed(error)
            await asyncio.sleep(LEAD_LOOK_S)

    async def _look(self) -> None:
        known = dict(self.runs)
        await self._succession.put_down()
        if self._spooling:
            for run in [one for name, one in known.items() if name not in self.runs]:
                self._spooling.dethroned(run)  # a write that was under way may still fail
            await self._spooling.hand_over()  # before anybody leads whom it concerns
        await self._succession.look()
        new = [run for name, run in self.runs.items() if name not in known]
        if new:
            await self._share_trunks()
        for run in new:
            self.do(self._guarded(run, self._second, run))
        if self._succession.done:
            log.info("every campaign is handed over", action="drained")
            self.stop()

    # ---- every second

    async def _seconds(self) -> None:
        while True:
            await asyncio.gather(*(self._guarded(run, self._second, run) for run in self.runs.values()))
            await self._share_trunks()
            await asyncio.sleep(SECOND_S)

    async def _leases(self) -> None:
        """Apart from the rest of the second: a slow Redis must not cost the lease."""
        while True:
            await asyncio.gather(*(self._guarded(run, self._leader.renew, run) for run in self.runs.values()))
            await asyncio.sleep(RENEW_S)

    async def _pings(self) -> None:
        """How fast Redis answers, counted while it does not."""
        while True:
            self._pinged_at = self._clock.monotonic()
            try:
                await self._store.health()
                self._seen.store_error = ""
            except StoreError as error:
                self.store_failed(error)
            self._seen.store_ping_s = self._clock.monotonic() - self._pinged_at
            self._pinged_at = inf
            await asyncio.sleep(SECOND_S)

    async def _beats(self) -> None:
        """Nobody stays in an IVR that stands still."""
        while True:
            await asyncio.sleep(LOOK_S)
            if any(uses_ivr(run.campaign) for run in self.runs.values()):
                await self._look_at_ivr()

    async def _look_at_ivr(self) -> None:
        was, asked_at = self._pulse.still, self._clock.monotonic()
        try:
            beats = await self._store.ivr_beats()
            self._pulse.looked(beats, asked_at, self._clock.monotonic())
        except StoreError as error:
            self._pulse.missed(self._clock.monotonic())
            self.store_failed(error)
        if self._pulse.still is not was:
            log.warning("the IVR's heartbeat", action="still" if self._pulse.still else "again", ivr=self._site.ivr)
        if self._pulse.still:
            for run in self.runs.values():
                self._hands.perform(run, out_of_ivr(run.floor, self._clock.now()))

    async def _second(self, run: Run) -> None:
        name = run.campaign.id
        await self._leader.reread(run)
        await self._leader.late(run)
        if run.sweeps and not run.placing:
            await self._sweep(run)
        if self._leader.wants_upkeep(run):
            self.do(self._guarded(run, self._leader.upkeep, run))
        now = self._clock.now()
        run.due, run.later = await self._store.remaining(name, now)
        self._hands.lend(run)
        compared_s = self._clock.monotonic() - run.looked_at
        if run.phone.health().up and (not run.reconciled or compared_s > COMPARE_S):
            self._hands.look_again(run, "the books are compared from time to time")
        await self._store.publish(name, run.token, run.board(now, self._holds(run), run.phone.node, run.phone.health()))
        if entry := run.series.entry(run.status is Status.RUNNING):
            await self._store.pacing(name, run.token, entry)
            run.series.written()

    async def _sweep(self, run: Run) -> None:
        run.placing = True  # nothing is claimed meanwhile
        try:
            await self._hands.sweep(run)
            run.sweeps -= 1
        finally:
            run.placing = False

    async def _share_trunks(self) -> None:
        """Ask once for this engine's slice of each trunk, and divide it."""
        by_trunk: dict[str, list[Run]] = {}
        for run in [one for one in self.runs.values() if one.led()]:
            by_trunk.setdefault(run.trunk.name, []).append(run)
        for name, runs in by_trunk.items():
            trunk = runs[0].trunk
            try:
                slice_ = await self._store.trunk_share(name, self._site.engine, trunk.lines, trunk.calls_per_second)
            except StoreError as error:
                self.store_failed(error)
                continue
            for run, share in shares(runs, *slice_):
                run.share = share
