"""Which campaigns this engine leads: leases taken, renewed and given back; what a new leader finds."""

from collections.abc import Mapping

from dialer.errors import BadInput, ConfigError, NotLeader, StoreError
from dialer.model import Campaign
from dialer.ports import Clock, Store, Telephony
from dialer.run import Run, Site, Trunk

LEASE_MS = 4000
LEASE_MARGIN_S = (
    0.5  # a Redis token does not fence AMI: so long before the lease ends nothing is written there any more
)


class Leader:
    """Leases of one engine. Every lease is checked by the monotonic clock, from the moment it was asked for."""

    def __init__(self, site: Site, store: Store, phones: Mapping[str, Telephony], clock: Clock) -> None:
        self._site, self._store, self._phones, self._clock = site, store, phones, clock
        self.cannot: dict[str, str] = {}  # campaign -> why this engine cannot run it

    async def look_for_more(self, led: Mapping[str, Run]) -> list[Run]:
        """Campaigns that nobody leads, taken over. Raises StoreError."""
        found = []
        for name in await self._store.campaigns():
            if name not in led:
                asked_at = self._clock.monotonic()
                token = await self._store.lead(name, self._site.engine, LEASE_MS)
                run = None if token is None else await self._take_over(name, token, _until(asked_at))
                found += [run] if run else []
        return found

    async def renew(self, run: Run) -> None:
        """Raises NotLeader when somebody else has it, StoreError when Redis does not answer."""
        asked_at = self._clock.monotonic()
        if not await self._store.renew(run.campaign.id, self._site.engine, run.token, LEASE_MS):
            raise NotLeader(run.campaign.id)
        run.lease_until = _until(asked_at)

    async def resign(self, run: Run) -> None:
        """Give it back, so that a standby need not wait for its end."""
        run.lease_until = 0.0
        await self._store.resign(run.campaign.id, self._site.engine, run.token)

    async def _take_over(self, name: str, token: int, lease_until: float) -> Run | None:
        found = await self._store.campaign(name)
        try:
            if found is None:
                raise ConfigError(f"campaign {name} has no settings; create it again.")
            campaign, status = found
            trunk = self._trunk(campaign)
            pack = self._site.pack_of(campaign)
        except ConfigError as error:
            self.cannot[name] = str(error)
            await self._store.resign(name, self._site.engine, token)
            return None
        self.cannot.pop(name, None)
        phone = self._phones[trunk.node]
        run = Run(campaign, status, token, lease_until, trunk, pack, phone, self._store, self._site.new_id)
        await self._adopt(run)
        return run

    async def _adopt(self, run: Run) -> None:
        name = run.campaign.id
        try:
            run.take_over(await self._store.published(name))
        except (BadInput, ValueError, AttributeError, TypeError):
            self.cannot[f"{name}: counts"] = "the last leader's counts cannot be read; counting starts anew"
        for attempt in await self._store.open_attempts(name):
            run.floor.adopt(attempt)
        for agent in await self._store.agents(name):
            run.floor.team.adopt(agent)

    def _trunk(self, campaign: Campaign) -> Trunk:
        name = campaign.trunk
        trunk = self._site.trunks.get(name)
        if trunk is None:
            raise ConfigError(f"campaign {campaign.id}: trunk {name!r} is not configured; add [trunk.{name}].")
        if trunk.node not in self._phones:
            raise ConfigError(f"trunk {name}: node {trunk.node!r} is not configured; add [asterisk.{trunk.node}].")
        return trunk


def _until(asked_at: float) -> float:
    return asked_at + LEASE_MS / 1000 - LEASE_MARGIN_S


async def resign_all(leader: Leader, runs: Mapping[str, Run]) -> None:
    """At shutdown; what cannot be given back runs out by itself."""
    for run in runs.values():
        try:
            await leader.resign(run)
        except StoreError:
            run.lease_until = 0.0
