"""Reading along: the public streams, live snapshots, the IVR's word that there are new facts."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import structlog

from dialer.adapters.redis_codec import text
from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_link import BLOCK_S, FAILURES, Link, translate
from dialer.adapters.redis_scripts import RedisCommand, call
from dialer.errors import BadInput
from dialer.pace.series import KEPT_S
from dialer.ports import StreamSize

log = structlog.get_logger(__name__)
READ_AT_ONCE = 200
SAMPLES = 50
DAY_S = 86400.0

# How long entries stay. Commands are taken off as they are applied; what the IVR learnt goes after a week.
KEPT_DAYS: Mapping[str, float] = {
    "outcomes": 90,  # time for a reader that was down; history is kept by whoever reads
    "refusals": 30,
    "log": 400,  # what was decided has to be shown for a year and more
    "pacing": KEPT_S / DAY_S,  # its writer trims it, too
}

Entry = tuple[str, Mapping[str, str]]


class Streams:
    """Part of the store."""

    kept_days: Mapping[str, float] = KEPT_DAYS

    def __init__(self, link: Link) -> None:
        self._link = link

    async def tail(self, campaign: str, count: int, stream: str = "outcomes") -> tuple[Entry, ...]:
        """The last entries, oldest first."""
        found = await self._link.one(("XREVRANGE", _stream(campaign, stream), "+", "-", "COUNT", count))
        return tuple(_entry(one) for one in reversed(found))

    async def follow(self, campaign: str, after: str = "$", stream: str = "outcomes") -> AsyncGenerator[Entry, None]:
        """Every entry after the one named, for ever ('$': from now on, '0': from the first). Raises StoreDown."""
        key = _stream(campaign, stream)
        if after == "$":
            last = await self._link.one(("XREVRANGE", key, "+", "-", "COUNT", 1))
            after = text(last[0][0]) if last else "0"
        while True:
            for one in await self._read(key, after):
                after = text(one[0])
                yield _entry(one)

    async def trim(self, campaign: str, at: float, keep_days: Mapping[str, float] | None = None) -> int:
        """Drop entries that have been kept for as long as `kept_days` says, but none that a consumer group has yet to
        read; the log of decisions keeps an anchor. How many went."""
        keys = campaign_keys(campaign)
        calls = []
        for stream, days in (self.kept_days if keep_days is None else keep_days).items():
            names = (keys.log, keys.log_anchor) if stream == "log" else (_stream(campaign, stream),)
            calls.append(call("trim", names, f"{max(0, int((at - days * DAY_S) * 1000))}-0"))
        gone = int(sum(await self._link.run(calls)))
        if gone:
            log.info("entries past their time went", action="trim", campaign=campaign, count=gone)
        return gone

    async def stream_sizes(self, campaign: str) -> dict[str, StreamSize]:
        """Every stream of a campaign, for figures; an empty one too."""
        names = [*KEPT_DAYS, "commands"]
        asked: list[RedisCommand] = []
        for name in names:
            key = campaign_keys(campaign).commands if name == "commands" else _stream(campaign, name)
            asked += [("XLEN", key), ("MEMORY", "USAGE", key, "SAMPLES", SAMPLES)]
        found = await self._link.run(asked)
        return {
            name: StreamSize(found[2 * i], found[2 * i + 1] or 0, self.kept_days.get(name, 0))
            for i, name in enumerate(names)
        }

    async def live(self, campaign: str) -> AsyncGenerator[bytes, None]:
        """Snapshots as they are published. Raises StoreDown."""
        async with aclosing(self._listen(campaign_keys(campaign).live)) as messages:
            async for message in messages:
                yield message

    async def told(self, campaign: str) -> AsyncGenerator[str, None]:
        """Attempts with new facts; an empty word: look at everything (at the start, and when a command came).

        Raises StoreDown when the connection is lost: begin again, the first word covers what was missed.
        """
        async with aclosing(self._listen(campaign_keys(campaign).told, first=b"")) as messages:
            async for message in messages:
                yield text(message)

    async def _read(self, key: str, after: str) -> list[Any]:
        words = ("XREAD", "COUNT", READ_AT_ONCE, "BLOCK", int(BLOCK_S * 1000), "STREAMS", key, after)
        found = await self._link.wait(words, BLOCK_S)
        return found[0][1] if found else []

    async def _listen(self, channel: str, first: bytes | None = None) -> AsyncGenerator[bytes, None]:
        pubsub = self._link.blocking.pubsub(ignore_subscribe_messages=False)
        try:
            await pubsub.subscribe(channel)
            while True:
                message = await pubsub.get_message(timeout=BLOCK_S)
                if message is None:
                    continue
                if message["type"] == "subscribe" and first is not None:
                    yield first
                if message["type"] == "message":
                    yield message["data"]
        except FAILURES as error:
            raise translate(error) from error
        finally:
            await asyncio.shield(pubsub.aclose())  # type: ignore[no-untyped-call]


def _stream(campaign: str, stream: str) -> str:
    if stream not in KEPT_DAYS:
        raise BadInput(f"stream {stream!r}: use one of {', '.join(KEPT_DAYS)}")
    key: str = getattr(campaign_keys(campaign), stream)
    return key


def _entry(one: Any) -> Entry:
    name, fields = one
    return text(name), {text(key): text(value) for key, value in zip(fields[::2], fields[1::2], strict=False)}
