"""Writing behind: changes gather while the last batch is on its way to Redis, so a busy second costs few commits."""

from dataclasses import dataclass, field

from dialer.floor.desknote import DeskNote
from dialer.model import Agent, Attempt
from dialer.ports import Finish, Store


@dataclass(slots=True)
class Batch:
    """Changes of one campaign; the latest of each attempt and agent counts. `since`: monotonic, of the oldest."""

    since: float
    attempts: dict[str, Attempt] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    notes: dict[str, DeskNote] = field(default_factory=dict)  # by agent
    finished: dict[str, Finish] = field(default_factory=dict)


class WriteBehind:
    """What one leader of a campaign has to write, under his token; it goes with him.

    Nothing is lost by a failed flush: the batch goes back under what came meanwhile. `now` is monotonic.
    """

    def __init__(self, store: Store, campaign: str, token: int) -> None:
        self._store, self._campaign, self._token = store, campaign, token
        self._batch: Batch | None = None
        self._under_way: Batch | None = None
        self.failed = False  # the last flush did

    def __bool__(self) -> bool:
        return self._batch is not None

    def save(self, attempt: Attempt, now: float) -> None:
        """A transition; after the outcome none matters."""
        batch = self._gather(now)
        if attempt.id not in batch.finished:
            batch.attempts[attempt.id] = attempt

    def save_agent(self, agent: Agent, now: float, note: DeskNote | None = None) -> None:
        """An agent as he is now, and what his desk is told of it."""
        batch = self._gather(now)
        batch.agents[agent.id] = agent
        if note is not None:
            batch.notes[agent.id] = note

    def supersede(self, attempt: Attempt, agent: Agent) -> None:
        """Both are written by another way now: an older state that still waits here must not come after it."""
        if self._batch is not None and attempt.id in self._batch.attempts:
            self._batch.attempts[attempt.id] = attempt
        if self._batch is not None and agent.id in self._batch.agents:
            self._batch.agents[agent.id] = agent
            self._batch.notes.pop(agent.id, None)

    def finish(self, finish: Finish, now: float) -> None:
        """An outcome: no transition of this attempt matters any more."""
        batch = self._gather(now)
        batch.attempts.pop(finish.attempt.id, None)
        batch.finished[finish.attempt.id] = finish

    def lag_s(self, now: float) -> float:
        """Age of the oldest change that is not yet written."""
        oldest = self._under_way or self._batch
        return now - oldest.since if oldest is not None else 0.0

    def unwritten(self) -> dict[str, Attempt | Finish]:
        """What Redis has not said that it has: an attempt's outcome, or else its newest state."""
        found: dict[str, Attempt | Finish] = {}
        for batch in (self._under_way, self._batch):
            if batch is not None:
                found |= {key: one for key, one in batch.attempts.items() if not isinstance(found.get(key), Finish)}
                found |= batch.finished
        return found

    async def flush(self) -> None:
        """Write what has gathered; one at a time. Raises StoreError, with everything put back."""
        taken, self._batch = self._batch, None
        if taken is None:
            self.failed = False
            return
        self._under_way, self.failed = taken, False
        try:
            if taken.agents:
                agents, notes = list(taken.agents.values()), list(taken.notes.values())
                await self._store.save_agents(self._campaign, self._token, agents, notes)
            if taken.attempts or taken.finished:
                changed, finished = list(taken.attempts.values()), list(taken.finished.values())
                await self._store.write(self._token, self._campaign, changed, finished)
        except BaseException:  # a cancelled write too: it may not have arrived
            self._put_back(taken)
            self.failed = True
            raise
        finally:
            self._under_way = None

    def _gather(self, now: float) -> Batch:
        if self._batch is None:
            self._batch = Batch(now)
        return self._batch

    def _put_back(self, taken: Batch) -> None:
        newer = self._batch or Batch(taken.since)
        older = {key: one for key, one in taken.attempts.items() if key not in newer.finished}
        agents, notes = taken.agents | newer.agents, taken.notes | newer.notes
        self._batch = Batch(taken.since, older | newer.attempts, agents, notes, taken.finished | newer.finished)
