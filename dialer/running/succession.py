"""Who leads next: campaigns that nobody leads are taken up, what was missed of them is made good, and a campaign is put
down in good order when its calls have ended.

Rules of this file: whoever takes over knows what is written down, what he has heard, and what Asterisk says is up; a
call that he cannot account for keeps its locks (reconcile.py); a campaign that was put down here is left to others.
"""

from collections.abc import Callable, Iterable
from math import inf

from dialer.errors import NotLeader, StoreError
from dialer.floor.actions import Action, SendToAgent
from dialer.floor.overheard import Overheard
from dialer.model import CallState, Event
from dialer.ports import Clock, Store
from dialer.running.hands import Hands
from dialer.running.leading import Leader
from dialer.running.run import Run
from dialer.running.tools import Tools

LOOK_S = 0.25  # so often a standby looks whether somebody has gone
AGAIN_S = 1.0  # and at what this engine cannot run
RENEWED_S = 0.01
ASIDE_S = 15.0  # a campaign that was put down here comes back when nobody else has taken it up by then

Complain = Callable[[str, Exception | str], None]


class Succession:
    """Of one engine. `runs`: what it leads; `complain` hears each fault of a campaign once."""

    def __init__(
        self,
        leader: Leader,
        store: Store,
        hands: Hands,
        clock: Clock,
        tools: Tools,
        runs: dict[str, Run],
        nodes: Iterable[str],
        complain: Complain,
    ) -> None:
        self._leader, self._store, self._hands, self._clock, self._tools = leader, store, hands, clock, tools
        self._runs, self._complain = runs, complain
        self._overheard = {node: Overheard() for node in nodes}
        self._linked_at = dict.fromkeys(self._overheard, inf)
        self._aside: dict[str, float] = {}  # campaign -> not to be taken up before, monotonic
        self.leaving = False  # takes up no more
        self.ends = False  # and ends the process when the last is put down

    # ---- a standby listens

    def heard(self, node: str, event: Event) -> None:
        """Every event of a call; `event.at` by our clock."""
        self._overheard[node].heard(event, self._clock.monotonic())

    def linked(self, node: str, up: bool) -> None:
        """The link came up, or went."""
        self._overheard[node].forget()
        self._linked_at[node] = self._clock.now() if up else inf

    # ---- taking up

    async def look(self) -> None:
        """Take up what nobody leads. Raises StoreError."""
        names = [name for name in await self._store.campaigns() if name not in self._runs]
        for name, engine in (await self._store.leaders(names)).items():
            if engine:
                self._aside.pop(name, None)  # somebody took it up: when he goes it is anybody's
            if self.leaving or engine or self._clock.monotonic() < self._aside.get(name, -inf):
                continue
            try:
                run = await self._leader.take(name)
            except StoreError:
                raise
            except Exception as error:  # a campaign that cannot be taken over must not keep us from the others
                self._complain(name, error)
                run = None
            if run is not None:
                self._begin(run)
            else:
                self._aside[name] = self._clock.monotonic() + AGAIN_S
        for name, why in self._leader.cannot.items():
            self._complain(name, why)
        await self._prepare(name for name in names if name not in self._runs)

    async def _prepare(self, names: Iterable[str]) -> None:
        """One at a look: reading its rules takes a moment, which calls of ours must not wait for at a takeover."""
        for name in names:
            if not self._leader.is_prepared(name):
                await self._leader.prepare(name)
                return

    def _begin(self, run: Run) -> None:
        name, node = run.campaign.id, run.trunk.node
        self._runs[name] = run
        self._aside.pop(name, None)
        run.linked_at = self._linked_at[node]
        missed = self._overheard[node].of(run.floor.attempts)
        open_ = len(run.floor.attempts)
        self._tools.say("leads", "lead", campaign=name, token=run.token, open=open_, missed=len(missed))
        self._hands.tell_desks(run)
        self._hands.perform(run, _catch_up(run, missed, self._clock.now()))
        if run.phone.health().up:
            self._hands.look_again(run, "it was led by another engine, or by nobody")

    # ---- putting down

    def drain(self, run: Run, limit_s: float) -> None:
        """No new calls; handed over when the last has ended, or at the limit."""
        run.draining = True
        run.leaves_at = min(run.leaves_at, self._clock.monotonic() + limit_s)

    def drain_all(self, limit_s: float = inf, ends: bool = False) -> None:
        """Every campaign, and no more are taken up; `ends`: the process ends with the last."""
        self.leaving, self.ends = True, self.ends or ends
        for run in self._runs.values():
            self.drain(run, limit_s)

    @property
    def done(self) -> bool:
        """Whether the process may end."""
        return self.ends and not self._runs

    async def put_down(self) -> None:
        """Hand over what is drained. Raises StoreError: then once more later."""
        for run in [one for one in self._runs.values() if one.leaves_at < inf]:
            late = self._clock.monotonic() >= run.leaves_at
            if late or run.idle:
                try:
                    await self._hand_over(run, "its time is up" if late else "its calls have ended")
                except NotLeader:
                    self._tools.dethroned(run)

    async def _hand_over(self, run: Run, why: str) -> None:
        name = run.campaign.id
        for attempt in run.floor.attempts.values():  # the next leader need not guess
            run.writes.save(attempt, self._clock.monotonic())
        await run.writes.flush()
        if all(one is run or one.trunk.name != run.trunk.name for one in self._runs.values()):
            await self._leader.leave_trunk(run)
        run.resigned = True
        while run.renewing:  # it would be taken up again behind our back
            await self._tools.sleep(RENEWED_S)
        await self._leader.resign(run)
        self._runs.pop(name, None)
        self._aside[name] = self._clock.monotonic() + ASIDE_S
        self._tools.say("handed over", "handed_over", campaign=name, open=len(run.floor.attempts), why=why)

    def withdraw(self, run: Run) -> None:
        """Calls that Asterisk has not heard of yet never were."""
        for attempt in list(run.floor.attempts.values()):
            if attempt.state is CallState.CLAIMED and not run.floor.is_given(attempt.id):
                self._hands.perform(run, run.floor.not_placed(attempt.id, "stopped", self._clock.now()))


def _catch_up(run: Run, missed: Iterable[Event], now: float) -> list[Action]:
    """Who is to be sent to an agent is known at the end only: he may have come to one since."""
    actions = [action for event in missed for action in run.floor.seen(event, now)]
    return [one for one in actions if not isinstance(one, SendToAgent) or _still_wanted(run, one)]


def _still_wanted(run: Run, send: SendToAgent) -> bool:
    attempt = run.floor.attempts.get(send.attempt.id)
    return attempt is not None and attempt.state is CallState.JOINING and attempt.agent == send.agent.id
