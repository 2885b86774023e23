"""While Redis is away what happens to calls is kept on the disk, and told to whoever leads once Redis is back.

Rules of this file: what is younger than SOON_S is on its way and not kept; the file goes when Redis has all that is in
it; a change of a campaign that somebody else leads by now is handed to him, never written.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress

from dialer.errors import SpoolFailed, StoreError
from dialer.model import Attempt
from dialer.ports import Clock, Finish, Spool, Store, Unwritten
from dialer.running.run import Run

SOON_S = 0.3  # a write that takes longer is not waited for
LOOK_S = 0.1
AT_ONCE = 200  # changes handed over in one breath

Key = tuple[str, str]  # campaign, attempt
State = Attempt | Finish


class Spooling:
    """Of one engine. `warn`: a logger's; `fault`: why changes cannot be kept, in words."""

    def __init__(self, spool: Spool, store: Store, clock: Clock, warn: Callable[..., object]) -> None:
        self._spool, self._store, self._clock, self._warn = spool, store, clock, warn
        self._kept: dict[Key, State] = {}  # as it stands in the file
        self._lost: dict[Key, Unwritten] = {}  # of campaigns that others lead now
        self.fault = ""

    @property
    def waiting(self) -> int:
        """Changes that are in the file."""
        return len(self._kept)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._spool.size()

    def dethroned(self, run: Run) -> None:
        """Another engine leads: what could not be written is for him."""
        for attempt, state in run.writes.unwritten().items():
            self._lost[run.campaign.id, attempt] = self._change(run, attempt, state)

    async def look(self, runs: Iterable[Run], late: bool = True) -> None:
        """Keep what has waited for too long; `late` False: whatever waits."""
        now = self._clock.monotonic()
        wanted: dict[Key, Unwritten] = dict(self._lost)
        waits: dict[Key, State] = {key: _state(one) for key, one in self._lost.items()}
        for run in runs:
            found = run.writes.unwritten()
            waits |= {(run.campaign.id, name): one for name, one in found.items()}
            if not late or run.writes.failed or run.writes.lag_s(now) > SOON_S:
                wanted |= {(run.campaign.id, name): self._change(run, name, one) for name, one in found.items()}
        new = {key: one for key, one in wanted.items() if self._kept.get(key) is not _state(one)}
        try:
            if new:
                await self._keep(new, wanted)
            elif self._kept and not self._kept.keys() & waits.keys():
                await self._spool.clear()
                self._warn("Redis has all that was kept", action="spool_clear", changes=len(self._kept))
                self._kept = {}
            self.fault = ""
        except SpoolFailed as error:
            if str(error) != self.fault:
                self._warn("outcomes are in this process's memory alone", action="spool_failed", error=str(error))
            self.fault = str(error)

    async def last(self, runs: Iterable[Run]) -> None:
        """At the end of the process: whatever Redis does not have; the next start hands over what cannot be now."""
        await self.look(runs, late=False)
        with suppress(StoreError):
            await self.hand_over()

    async def hand_over(self) -> None:
        """To whoever leads: what this engine could not write while it led, and what processes left that are gone.
        Raises StoreError."""
        if self._lost:
            mine = dict(self._lost)
            await self._send(list(mine.values()))
            self._lost = {key: one for key, one in self._lost.items() if mine.get(key) is not one}
        try:
            while (found := await self._spool.left()) is not None:
                name, changes = found
                await self._send(changes)
                await self._spool.remove(name)
                self._warn("changes of an engine that is gone", action="spool_read", file=name, changes=len(changes))
        except SpoolFailed as error:
            self.fault = str(error)

    async def _send(self, changes: Iterable[Unwritten]) -> None:
        every = list(changes)
        for start in range(0, len(every), AT_ONCE):
            await self._store.hand_over(every[start : start + AT_ONCE])

    async def _keep(self, new: dict[Key, Unwritten], wanted: dict[Key, Unwritten]) -> None:
        if not self._kept:
            self._warn("Redis takes nothing: changes are kept on the disk", action="spool")
        try:
            await self._spool.keep(list(new.values()))
            self._kept |= {key: _state(one) for key, one in new.items()}
        except SpoolFailed:
            # of each attempt the newest state counts: without the older ones there may be room
            if self._kept.keys() <= wanted.keys() and len(new) == len(wanted):
                raise
            await self._spool.rewrite(list(wanted.values()))
            self._kept = {key: _state(one) for key, one in wanted.items()}

    def _change(self, run: Run, attempt: str, state: State) -> Unwritten:
        now = self._clock.now()
        if isinstance(state, Finish):
            return Unwritten(run.campaign.id, attempt, run.token, now, finish=state)
        return Unwritten(run.campaign.id, attempt, run.token, now, state)


def _state(change: Unwritten) -> State:
    found = change.finish or change.attempt
    if found is None:
        raise ValueError(change.attempt_id)
    return found
