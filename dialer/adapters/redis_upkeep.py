"""What has been kept for long enough goes: histories, contacts of campaigns that ended, streams; and it is told."""

import os
from collections import Counter

import structlog

from dialer.adapters.redis_codec import pairs, text
from dialer.adapters.redis_contact import read_contact
from dialer.adapters.redis_index import Place, numbers_gone, person_gone
from dialer.adapters.redis_keys import ENDED, UNWANTED, UPKEEP, campaign_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import RedisCommand, call
from dialer.adapters.redis_store import RedisStore
from dialer.errors import StoreError
from dialer.forms.privacy import Privacy
from dialer.model import Status

log = structlog.get_logger(__name__)
DAY_S = 86_400.0
EACH_S = 3600
AT_ONCE = 200
SCANNED = 1000
ERASED_DAYS = 400.0  # ids, which name nobody: a machine that was away for so long brings nothing back
UNWANTED_DAYS = 8.0  # a machine with recordings that was away for longer removes them by their age


class Upkeep:
    """Of one process; where there are several, one does it each hour. Every step may be repeated without harm."""

    def __init__(self, link: Link, store: RedisStore, privacy: Privacy) -> None:
        self._link, self._store, self._privacy = link, store, privacy

    async def is_mine(self) -> bool:
        """Whether nobody has done it for an hour."""
        return bool(await self._link.one(("SET", UPKEEP, str(os.getpid()), "NX", "EX", EACH_S - 60)))

    async def run(self, at: float) -> Counter[str]:
        """All of it; what went, by kind. Raises StoreError: then the next hour goes on."""
        gone: Counter[str] = Counter()
        for campaign in await self._store.campaigns():
            gone["stream entries"] += await self._store.trim(campaign, at)
            erased = campaign_keys(campaign).erased
            await self._link.one(("ZREMRANGEBYSCORE", erased, "-inf", f"{at - ERASED_DAYS * DAY_S:.0f}"))
        gone["contacts"] += await self._contacts(at)
        gone["history entries"] += await self._histories(at)
        await self._link.one(("ZREMRANGEBYSCORE", UNWANTED, "-inf", f"{at - UNWANTED_DAYS * DAY_S:.0f}"))
        return +gone

    async def unwanted(self) -> frozenset[str]:
        """Attempts of erased persons whose recordings are to go."""
        return frozenset(text(one) for one in await self._link.one(("ZRANGE", UNWANTED, 0, -1)))

    async def _histories(self, at: float) -> int:
        """Those that are written to lose what is older than 400 days anyway."""
        gone, cursor = 0, b"0"
        before = max(0, int(at - self._privacy.history_days * DAY_S))
        while True:
            cursor, keys = await self._link.one(("SCAN", cursor, "MATCH", "{p:*}:history", "COUNT", SCANNED))
            gone += int(sum(await self._link.run([call("fade", (text(key),), before) for key in keys])))
            if int(cursor) == 0:
                return gone

    async def _contacts(self, at: float) -> int:
        """Of campaigns that have been stopped for long enough."""
        gone = 0
        ended = {text(name): float(since) for name, since in pairs(await self._link.one(("HGETALL", ENDED)))}
        for campaign in await self._store.campaigns():
            found = await self._store.campaign(campaign)
            if found is None or found[1] is not Status.STOPPED:
                if campaign in ended:
                    await self._link.one(("HDEL", ENDED, campaign))
            elif campaign not in ended:
                await self._link.one(("HSETNX", ENDED, campaign, f"{at:.0f}"))
            elif self._privacy.contacts_days and at - ended[campaign] >= self._privacy.contacts_days * DAY_S:
                gone += await self._empty(campaign)
        return gone

    async def _empty(self, campaign: str) -> int:
        """The list of a campaign; calls under way (there is none) would be left alone."""
        keys, gone, cursor = campaign_keys(campaign), 0, b"0"
        lists = (
            keys.contacts, keys.ready, keys.later, keys.rest, keys.call_backs, keys.refused, keys.behind,
            keys.withdrawn,
        )  # fmt: skip
        if await self._link.one(("HLEN", keys.open)):
            return 0
        while True:
            cursor, flat = await self._link.one(("HSCAN", keys.contacts, cursor, "COUNT", AT_ONCE))
            index: list[RedisCommand] = []
            names = []
            for name, raw in pairs(flat):
                contact = text(name)
                names.append(contact)
                known = read_contact(self._link.reader, raw, keys.contacts, contact)
                if known is not None:
                    index += [*numbers_gone(campaign, known), person_gone(known.person, Place(campaign, contact))]
            for start in range(0, len(names), AT_ONCE):
                gone += await self._link.one(call("erase", lists, *names[start : start + AT_ONCE]))
            await self._link.run(index)
            if int(cursor) == 0:
                return gone


async def tried(upkeep: Upkeep, at: float) -> Counter[str]:
    """What went; nothing while Redis is away."""
    try:
        return await upkeep.run(at) if await upkeep.is_mine() else Counter()
    except StoreError as error:
        log.warning("upkeep waits for Redis", action="upkeep", reason=str(error))
        return Counter()
