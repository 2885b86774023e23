"""Writing behind: changes gather while the last batch is on its way to Redis, so a busy second costs few commits."""

from dataclasses import dataclass, field

from dialer.model import Agent, Attempt
from dialer.ports import Clock, Finish, Store


@dataclass(slots=True)
class Batch:
    """Changes of one campaign; the latest of each attempt and agent counts. `since`: monotonic, of the oldest."""

    since: float
    attempts: dict[str, Attempt] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    finished: dict[str, Finish] = field(default_factory=dict)


class WriteBehind:
    """Batches by campaign. Nothing is lost by a failed flush: the batch goes back under what came meanwhile."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._batches: dict[str, Batch] = {}
        self._under_way: dict[str, float] = {}  # campaign -> since of the batch being written

    def batch(self, campaign: str) -> Batch:
        """What is to be written for this campaign; put changes in."""
        found = self._batches.get(campaign)
        if found is None:
            found = self._batches[campaign] = Batch(self._clock.monotonic())
        return found

    def finish(self, campaign: str, finish: Finish) -> None:
        """An outcome: no transition of this attempt matters any more."""
        batch = self.batch(campaign)
        batch.attempts.pop(finish.attempt.id, None)
        batch.finished[finish.attempt.id] = finish

    def lag_s(self, campaign: str) -> float:
        """Age of the oldest change that is not yet written."""
        waiting = [self._batches[campaign].since] if campaign in self._batches else []
        waiting += [self._under_way[campaign]] if campaign in self._under_way else []
        return self._clock.monotonic() - min(waiting) if waiting else 0.0

    def forget(self, campaign: str) -> None:
        """Another engine leads: nothing of this may be written."""
        self._batches.pop(campaign, None)

    async def flush(self, campaign: str, token: int) -> None:
        """Write what has gathered. Raises StoreError, with everything put back."""
        taken = self._batches.pop(campaign, None)
        if taken is None:
            return
        self._under_way[campaign] = taken.since
        try:
            if taken.agents:
                await self._store.save_agents(campaign, token, list(taken.agents.values()))
            if taken.attempts or taken.finished:
                changed, finished = list(taken.attempts.values()), list(taken.finished.values())
                await self._store.write(token, campaign, changed, finished)
        except BaseException:  # a cancelled write too: it may not have arrived
            self._put_back(campaign, taken)
            raise
        finally:
            del self._under_way[campaign]

    def _put_back(self, campaign: str, taken: Batch) -> None:
        newer = self._batches.get(campaign, taken)
        self._batches[campaign] = Batch(
            taken.since,
            {
                **{key: one for key, one in taken.attempts.items() if key not in newer.finished},
                **newer.attempts,
            },
            taken.agents | newer.agents,
            taken.finished | newer.finished,
        )
