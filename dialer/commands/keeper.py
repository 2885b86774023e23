"""`dialer keep`: encrypts recordings as soon as a call is over, and removes what has been kept for long enough."""

import asyncio
import os
import signal
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from dialer.adapters import logs
from dialer.adapters.redis_deeds import RedisAudit
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_upkeep import Upkeep, tried
from dialer.adapters.redis_users import RedisUsers
from dialer.adapters.sealed_recordings import Folder
from dialer.adapters.site import OpenSite, open_site, seals_of
from dialer.errors import StoreError
from dialer.users import Deed

log = structlog.get_logger(__name__)
LOOK_S = 1.0
ASK_S = 10.0  # between looks for recordings of erased persons
HOUR_S = 3600.0


async def keep(site: OpenSite, stop: asyncio.Event) -> None:
    """Until `stop`; what it does is slow, so it has a process of its own."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)  # somebody opens a file at which we look: no reason to end
    link, privacy = Link(site.config.redis.url), site.config.privacy
    seals = seals_of(privacy)
    folder = Folder(Path(site.config.web.recordings), seals) if site.config.web.recordings else None
    keeper = _Keeper(site, Upkeep(link, site.store, privacy), RedisUsers(link, seals), RedisAudit(link), folder)
    try:
        while not stop.is_set():
            await keeper.turn(asyncio.get_running_loop().time())
            try:
                async with asyncio.timeout(LOOK_S):
                    await stop.wait()
            except TimeoutError:
                continue
    finally:
        if folder is not None:
            folder.close()
        await link.close()


class _Keeper:
    def __init__(
        self, site: OpenSite, upkeep: Upkeep, users: RedisUsers, audit: RedisAudit, folder: Folder | None
    ) -> None:
        self._site, self._upkeep, self._users, self._audit, self._folder = site, upkeep, users, audit, folder
        self._asked_at = self._kept_at = float("-inf")
        self._unwanted: frozenset[str] = frozenset()

    async def turn(self, now: float) -> None:
        """One look; `now` never jumps."""
        gone: Counter[str] = Counter()
        mine = self._folder is not None and await asyncio.to_thread(self._folder.take)
        if self._folder is not None and mine:
            if now - self._asked_at >= ASK_S:
                self._asked_at = now
                self._unwanted = await self._wanted_gone()
                gone["recordings"] += await asyncio.to_thread(self._folder.forget, self._unwanted)
            swept = await asyncio.to_thread(self._folder.sweep, self._site.clock.now(), self._unwanted)
            gone["recordings"] += swept.removed
            if swept.sealed:
                log.info("recordings are encrypted", action="recording", count=swept.sealed)
        if now - self._kept_at >= HOUR_S:
            self._kept_at = now
            gone += await tried(self._upkeep, self._site.clock.now())
            if self._folder is not None and mine:
                gone["recordings"] += await asyncio.to_thread(self._fade, self._folder)
            await self._reseal()
        if gone := +gone:
            await self._tell(gone)

    async def _wanted_gone(self) -> frozenset[str]:
        try:
            return await self._upkeep.unwanted()
        except StoreError:
            return self._unwanted

    def _fade(self, folder: Folder) -> int:
        privacy, at = self._site.config.privacy, self._site.clock.now()
        oldest = datetime.fromtimestamp(at, UTC) - timedelta(days=privacy.recordings_days)
        plain = folder.fade_plain(oldest.timestamp()) if privacy.plain_recordings else 0
        return plain + folder.fade(oldest.date())

    async def _reseal(self) -> None:
        try:
            if count := await self._users.reseal():
                log.info("secrets of code generators are sealed anew", action="sealed", count=count)
        except StoreError as error:
            log.warning("secrets wait for Redis to be sealed anew", action="sealed", reason=str(error))

    async def _tell(self, gone: Counter[str]) -> None:
        """Into the log, and into the audit where it can be reached."""
        counts = dict(sorted(gone.items()))
        log.info("what was kept for long enough, or was erased, went", action="upkeep", gone=counts)
        note = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        at = self._site.clock.now()
        try:
            await self._audit.write(Deed(at, "keeper", "", "kept for long enough, or erased", "", "", 200, note))
        except StoreError as error:
            log.error("the audit could not be written", action="audit_lost", reason=str(error))


def run(config: Path, with_parent: bool) -> None:
    """The process. `with_parent`: it ends when its standard input does, that is when whoever started it is gone."""
    logs.to_stderr()

    async def inside() -> None:
        stop = _stopping(with_parent)
        async with open_site(config) as site:
            await keep(site, stop)

    asyncio.run(inside())


def _stopping(with_parent: bool) -> asyncio.Event:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            loop.remove_reader(sys.stdin.fileno())
            stop.set()

    if with_parent:
        loop.add_reader(sys.stdin.fileno(), read)
    return stop
