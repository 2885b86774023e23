"""The pacing series: written by a campaign's leader once a second, read by boards and people."""

from collections.abc import Mapping
from itertools import chain

from dialer.adapters.redis_codec import text
from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import call
from dialer.pace.series import ENTRIES_MOST, KEPT_S

READ_MOST = 4000  # a little more than an hour


class PacingSeries:
    """Part of the store."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def pacing(self, campaign: str, token: int, entry: Mapping[str, str]) -> None:
        """One entry more; see dialer/pace/series.py."""
        keys = campaign_keys(campaign)
        flat = chain.from_iterable(entry.items())
        await self._link.one(call("pacing", (keys.fence, keys.pacing), token, KEPT_S * 1000, ENTRIES_MOST, *flat))

    async def pacing_since(self, campaign: str, at: float, most: int = READ_MOST) -> tuple[Mapping[str, str], ...]:
        """Entries written since `at` (epoch seconds), the oldest first, at most the `most` latest."""
        oldest = str(max(0, int(at * 1000)))
        found = await self._link.one(("XREVRANGE", campaign_keys(campaign).pacing, "+", oldest, "COUNT", most))
        return tuple(
            {text(name): text(value) for name, value in zip(fields[::2], fields[1::2], strict=False)}
            for _, fields in reversed(found)
        )

    async def pacing_sampled(
        self, campaign: str, since: float, until: float, points: int
    ) -> tuple[Mapping[str, str], ...]:
        """The first entry written in each of `points` equal stretches from `since` to `until` (epoch seconds), the
        oldest first; a stretch without one is left out."""
        key, step = campaign_keys(campaign).pacing, max(1, int((until - since) * 1000) // points)
        begins = range(max(0, int(since * 1000)), max(1, int(until * 1000)), step)
        asked = [("XRANGE", key, begin, begin + step - 1, "COUNT", 1) for begin in begins]
        return tuple(
            {text(name): text(value) for name, value in zip(fields[::2], fields[1::2], strict=False)}
            for found in await self._link.run(asked)
            for _, fields in found
        )
