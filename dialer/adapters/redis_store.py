"""The store of the core (ports.Store) on Redis: one object that joins its parts over one link."""

import asyncio
from collections.abc import Mapping

from dialer.adapters.redis_agents import Agents
from dialer.adapters.redis_call_backs import CallBacks
from dialer.adapters.redis_campaigns import Campaigns
from dialer.adapters.redis_claims import Claims
from dialer.adapters.redis_commands import Commands
from dialer.adapters.redis_erasure import Erasing
from dialer.adapters.redis_export import Exporting
from dialer.adapters.redis_history import PersonHistory
from dialer.adapters.redis_index import Index
from dialer.adapters.redis_late import LateChanges
from dialer.adapters.redis_link import COMMAND_LIMIT_S, Link
from dialer.adapters.redis_list import Contacts
from dialer.adapters.redis_log import Log
from dialer.adapters.redis_outcomes import Outcomes, Settling
from dialer.adapters.redis_pacing import PacingSeries
from dialer.adapters.redis_pages import Pages
from dialer.adapters.redis_payments import Payments
from dialer.adapters.redis_people import People
from dialer.adapters.redis_stops import Stops
from dialer.adapters.redis_streams import KEPT_DAYS, Streams
from dialer.adapters.redis_survey import Survey
from dialer.adapters.redis_updates import Updates


class RedisStore(
    Campaigns, Contacts, Claims, Outcomes, Agents, Commands, PacingSeries, Streams, Log, People, Erasing, Exporting,
    Stops, Survey, PersonHistory, Payments, Pages, CallBacks, LateChanges,
):  # fmt: skip
    """Redis behind ports.Store; `url` as in redis://host:port/0; `kept_days`: of streams, where not as in KEPT_DAYS."""

    def __init__(self, url: str, limit_s: float = COMMAND_LIMIT_S, kept_days: Mapping[str, float] = KEPT_DAYS) -> None:
        self._link = Link(url, limit_s)
        self.kept_days = {**KEPT_DAYS, **kept_days}
        self._settling = Settling(self._link)
        self._updates = Updates(self._link)
        self._index = Index(self._link)

    @property
    def broken(self) -> dict[str, int]:
        """Key -> how many of its entries made no sense so far."""
        return dict(self._link.reader.broken)

    async def health(self) -> float:
        """Seconds that a ping took."""
        clock = asyncio.get_running_loop().time
        began = clock()
        await self._link.one(("PING",))
        return clock() - began

    async def close(self) -> None:
        """Close all connections."""
        await self._link.close()
