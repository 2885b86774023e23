"""Which campaigns this engine leads: leases taken, renewed and given back; what a new leader finds; new settings."""

from collections.abc import Callable, Mapping, Sequence
from math import inf

from dialer.errors import BadInput, ConfigError, NotLeader, StoreError
from dialer.floor.live import Share
from dialer.law import schedule
from dialer.law.rulebook import Pack
from dialer.model import Campaign, Status
from dialer.ports import Clock, Store, Telephony
from dialer.running.late import Late
from dialer.running.run import Run, Site, Trunk

LEASE_MS = 2500
RENEW_S = 0.5
PREPARED_S = 300.0  # so long what a standby has looked at may serve
UPKEEP_S = 60.0
TRIM_S = 3600.0
FALLEN_MOST = 20  # times that the store looks for promises at one upkeep
LEASE_MARGIN_S = 0.5  # no token fences Asterisk: so long before the lease ends nothing is written there


def _unheard(text: str, action: str, **facts: object) -> None:
    """Where nobody listens."""


class Leader:
    """Leases of one engine. Every lease is checked by the monotonic clock, from the moment it was asked for."""

    def __init__(
        self,
        site: Site,
        store: Store,
        phones: Mapping[str, Telephony],
        clock: Clock,
        say: Callable[..., object] = _unheard,
    ) -> None:
        self._site, self._store, self._phones, self._clock = site, store, phones, clock
        self._late = Late(store, clock, say)
        self.cannot: dict[str, str] = {}  # campaign -> why this engine cannot run it
        self._ready: dict[str, tuple[float, tuple[Campaign, Trunk, Pack] | tuple[Campaign, str] | tuple[()]]] = {}
        self._changed: dict[str, tuple[Campaign, Trunk, Pack] | tuple[Campaign, str]] = {}  # new settings, looked at

    async def take(self, name: str) -> Run | None:
        """Lead this campaign; None: somebody else does, or this engine cannot (see `cannot`). Raises StoreError."""
        found = await self._store.campaign(name)
        try:
            if found is None:
                raise ConfigError(f"campaign {name} has no settings that can be read; create it again.")
            campaign, status = found
            trunk, pack = self._prepared(campaign) or self._fit(campaign)
        except ConfigError as error:
            self.cannot[name] = str(error)
            return None
        self.cannot.pop(name, None)
        asked_at = self._clock.monotonic()
        token = await self._store.lead(name, self._site.engine, LEASE_MS)
        if token is None:
            return None

        def led() -> bool:
            return self._clock.monotonic() < run.lease_until

        phone = self._phones[trunk.node].under(led)
        run = Run(campaign, status, token, _until(asked_at), trunk, pack, phone, self._store, self._site.new_id)
        run.led = led
        run.number_of, run.floor.limits_of = self._site.number_of, self._site.limits_of
        await self._adopt(run)
        return run

    def is_prepared(self, name: str) -> bool:
        """Whether to take this campaign takes no time."""
        return name in self._ready and self._clock.monotonic() - self._ready[name][0] < PREPARED_S

    async def prepare(self, name: str) -> None:
        """Read a campaign that another leads: its rules alone may take a second. Raises StoreError."""
        found = await self._store.campaign(name)
        fits = self._look_at(found[0]) if found is not None else ()
        self._ready[name] = self._clock.monotonic(), fits

    def _prepared(self, campaign: Campaign) -> tuple[Trunk, Pack] | None:
        _, fits = self._ready.pop(campaign.id, (0.0, ())) if self.is_prepared(campaign.id) else (0.0, ())
        return fits[1:] if len(fits) == 3 and fits[0] == campaign else None

    async def renew(self, run: Run) -> None:
        """Raises NotLeader when somebody else has it, StoreError when Redis does not answer."""
        if run.resigned:
            return
        asked_at, run.renewing = self._clock.monotonic(), True
        try:
            led = await self._store.renew(run.campaign.id, self._site.engine, run.token, LEASE_MS)
        finally:
            run.renewing = False
        if not led:
            raise NotLeader(run.campaign.id)
        if not run.resigned:
            run.lease_until = _until(asked_at)

    async def resign(self, run: Run) -> None:
        """Give it back, so that a standby need not wait for its end."""
        run.lease_until, run.resigned = 0.0, True
        await self._store.resign(run.campaign.id, self._site.engine, run.token)

    async def leave_trunk(self, run: Run) -> None:
        """Its slice is for those who call over it."""
        await self._store.leave_trunk(run.trunk.name, self._site.engine)

    async def reread(self, run: Run) -> None:
        """Settings may change, or become unreadable, while the campaign is led. Raises StoreError."""
        changes = run.status_changes
        found = await self._store.campaign(run.campaign.id)
        if found is None:
            run.trouble = "its settings are gone or cannot be read"
            return
        campaign, status = found
        if changes == run.status_changes:
            run.status = status
        if campaign == run.campaign:
            run.trouble = ""
            return
        looked_at = self._changed.get(campaign.id)
        if looked_at is None or looked_at[0] != campaign:
            looked_at = self._changed[campaign.id] = self._look_at(campaign)
        before = run.campaign
        run.trouble = looked_at[1] if len(looked_at) == 2 else run.change(*looked_at)
        if not run.trouble and schedule.loosened(before, campaign):
            run.recalls, run.kept_up_at = True, -inf

    async def late(self, run: Run) -> None:
        """What came too late for whoever led then. Raises StoreError."""
        await self._late.apply(run)

    def wants_upkeep(self, run: Run) -> bool:
        """Whether it is time for `upkeep`."""
        return self._clock.monotonic() - run.kept_up_at >= UPKEEP_S

    async def upkeep(self, run: Run) -> None:
        """Once a minute promises fall due and streams are measured, once an hour they are trimmed; nobody waits for it.
        Raises StoreError: then once more a minute later."""
        name, now = run.campaign.id, self._clock.monotonic()
        run.kept_up_at = now
        if run.recalls:
            await self._store.recall(name, run.token, schedule.RECALLED, self._clock.now())
            run.recalls = False
        if now - run.trimmed_at >= TRIM_S:
            await self._store.trim(name, self._clock.now())
            run.trimmed_at = now
        for _ in range(FALLEN_MOST):  # many end with the same day
            if not await self._store.fall_due(name, self._clock.now()):
                break
        run.streams = await self._store.stream_sizes(name)

    def _look_at(self, campaign: Campaign) -> tuple[Campaign, Trunk, Pack] | tuple[Campaign, str]:
        try:
            return campaign, *self._fit(campaign)
        except ConfigError as error:
            return campaign, str(error)

    async def _adopt(self, run: Run) -> None:
        name = run.campaign.id
        try:
            run.take_over(await self._store.published(name))
        except (BadInput, ValueError, AttributeError, TypeError):
            self.cannot[f"{name}: counts"] = "the last leader's counts cannot be read; counting starts anew"
        await self._late.apply(run)  # before it is asked what is open
        for attempt in await self._store.open_attempts(name):
            run.floor.adopt(attempt)
        for agent in await self._store.agents(name):
            run.floor.team.adopt(agent)

    def _fit(self, campaign: Campaign) -> tuple[Trunk, Pack]:
        """Raises ConfigError with every reason why this site cannot run it."""
        name = campaign.trunk
        trunk = self._site.trunks.get(name)
        if trunk is None:
            raise ConfigError(f"campaign {campaign.id}: trunk {name!r} is not configured; add [trunk.{name}].")
        if trunk.node not in self._phones:
            raise ConfigError(f"trunk {name}: node {trunk.node!r} is not configured; add [asterisk.{trunk.node}].")
        return trunk, self._site.pack_of(campaign)


def _until(asked_at: float) -> float:
    return asked_at + LEASE_MS / 1000 - LEASE_MARGIN_S


async def resign_all(leader: Leader, runs: Mapping[str, Run]) -> None:
    """At shutdown; what cannot be given back runs out by itself."""
    for run in runs.values():
        try:
            await leader.leave_trunk(run)  # first: whoever leads next asks for it at once
            await leader.resign(run)
        except StoreError:
            run.lease_until = 0.0


def shares(runs: Sequence[Run], lines: int, calls_per_second: float) -> list[tuple[Run, Share]]:
    """This engine's slice of a trunk, divided among the campaigns that call over it."""
    active = [run for run in runs if run.status is Status.RUNNING and run.due] or runs
    parts = [(run, Share(0, 0.0)) for run in runs if run not in active]
    for turn, run in enumerate(active):
        more = 1 if turn < lines % len(active) else 0
        parts.append((run, Share(lines // len(active) + more, calls_per_second / len(active))))
    return parts
