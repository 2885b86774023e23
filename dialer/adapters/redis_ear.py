"""One subscription for a whole process: boards of campaigns and notes for desks, as the engine publishes them."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import structlog

from dialer.adapters.redis_codec import text
from dialer.adapters.redis_keys import campaign_keys, desk_key
from dialer.adapters.redis_link import BLOCK_S, FAILURES, Link, translate

log = structlog.get_logger(__name__)
IDLE = "santun:web"  # a channel that nobody uses: a subscription has to have one
AGAIN_S = 0.5


def _channel(kind: str, name: str) -> str:
    return campaign_keys(name).live if kind == "board" else desk_key(name)


class RedisEar:
    """Behind the web's door Ear."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._wanted: dict[str, tuple[str, str]] = {}  # channel -> kind, name
        self._pubsub: Any = None

    async def want(self, kind: str, name: str) -> None:
        """Hear it from now on; while the link is down: as soon as it is up. Raises StoreDown."""
        channel = _channel(kind, name)
        if channel not in self._wanted:
            self._wanted[channel] = (kind, name)
            await self._ask("subscribe", channel)

    async def leave(self, kind: str, name: str) -> None:
        """No more."""
        channel = _channel(kind, name)
        if self._wanted.pop(channel, None) is not None:
            await self._ask("unsubscribe", channel)

    async def last(self, kind: str, name: str) -> bytes | None:
        """What was published last and is kept."""
        key = campaign_keys(name).snapshot if kind == "board" else desk_key(name)
        found: bytes | None = await self._link.one(("GET", key))
        return found

    async def heard(self) -> AsyncGenerator[tuple[str, str, bytes | None], None]:
        """(kind, name, what); None after the link was lost, and when a channel begins. One reader; never ends."""
        while True:
            pubsub = self._link.blocking.pubsub(ignore_subscribe_messages=False)
            try:
                await pubsub.subscribe(IDLE, *self._wanted)
                self._pubsub = pubsub
                while True:
                    message = await pubsub.get_message(timeout=BLOCK_S)
                    known = self._wanted.get(text(message["channel"])) if message else None
                    if known is not None and message["type"] == "subscribe":
                        yield (*known, None)
                    elif known is not None and message["type"] == "message":
                        yield (*known, message["data"])
            except FAILURES as error:
                log.warning("live updates are cut off", action="ear_lost", reason=str(translate(error)))
            finally:
                self._pubsub = None
                await asyncio.shield(pubsub.aclose())  # type: ignore[no-untyped-call]
            await asyncio.sleep(AGAIN_S)

    async def _ask(self, word: str, channel: str) -> None:
        pubsub = self._pubsub
        if pubsub is None:
            return
        try:
            await getattr(pubsub, word)(channel)
        except FAILURES as error:
            log.warning("a channel was not changed", action="ear_lost", reason=str(translate(error)))
