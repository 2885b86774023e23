"""Which campaigns have a debt already: the store's index of persons, asked for a chunk of a list at once."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from dialer.adapters.redis_index import Index, person_bucket
from dialer.adapters.redis_link import Link
from dialer.model import Contact

LIMIT_S = 10.0  # a chunk is some thousand questions


class RedisElsewhere(Index):
    """importing.Elsewhere. A contact's id is its person and account, in every campaign the same."""

    async def campaigns_of(self, contacts: Sequence[Contact]) -> Sequence[Sequence[str]]:
        """One round trip."""
        places = await self._of([(person_bucket(one.person), one.person) for one in contacts])
        return [
            sorted({place.campaign for place in found if place.contact == one.id})
            for one, found in zip(contacts, places, strict=True)
        ]


@asynccontextmanager
async def elsewhere(url: str) -> AsyncIterator[RedisElsewhere]:
    """On a connection of its own."""
    link = Link(url, LIMIT_S)
    try:
        yield RedisElsewhere(link)
    finally:
        await link.close()
