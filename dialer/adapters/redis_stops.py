"""Words not to call: lifted, never without a reason that was written down before; and the log of who changed what."""

from collections.abc import Mapping, Sequence

from dialer.adapters.redis_claims import FLAGS
from dialer.adapters.redis_codec import pairs, text
from dialer.adapters.redis_keys import STOPS_LOG, number_keys, person_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import RedisCommand, call
from dialer.errors import BadInput

KEPT_MS = 400 * 86_400_000  # as long as the log of decisions


class Stops:
    """Part of the store."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def stops_of(self, persons: Sequence[str], numbers: Sequence[str]) -> list[tuple[str, ...]]:
        """For each of these keyed hashes, persons first, the scopes of its stops; empty text: of all."""
        states = [person_keys(key).state for key in persons] + [number_keys(key).state for key in numbers]
        at = FLAGS.index("stop"), FLAGS.index("stops")
        asked: list[RedisCommand] = [("HMGET", state, *FLAGS) for state in states]
        found = []
        for flags in await self._link.run(asked):
            whole, scopes = flags[at[0]], flags[at[1]]
            found.append((*([""] if whole else []), *(text(scopes).split("\n") if scopes else [])))
        return found

    async def lift(
        self, persons: Sequence[str], numbers: Sequence[str], scope: str, reason: str, by: str, at: float
    ) -> int:
        """Take stops of this scope back (lenders in any case of letters); how many there were. The log has it first: a
        stop is never gone without a word why."""
        if not reason.strip():
            raise BadInput("lifting a stop needs a reason")
        parties = [("person", key, person_keys(key).state) for key in persons]
        parties += [("number", key, number_keys(key).state) for key in numbers]
        known = await self.stops_of(persons, numbers)
        lifted: list[RedisCommand] = []
        for (kind, key, state), scopes in zip(parties, known, strict=True):
            for one in scopes:
                if one.casefold() == scope.casefold():
                    said = {"action": "lift", kind: key, "scope": one, "reason": reason, "by": by}
                    await self.tell_stops(said, at)
                    lifted.append(call("lift", (state,), one))
        return sum(await self._link.run(lifted))

    async def tell_stops(self, entry: Mapping[str, str], at: float) -> None:
        """One line of the log of stops: keyed hashes, never a number."""
        words = [word for pair in ({"at": f"{at:.0f}"} | dict(entry)).items() for word in pair]
        oldest = max(0, int(at * 1000) - KEPT_MS)
        await self._link.one(("XADD", STOPS_LOG, "MINID", "~", oldest, "*", *words))

    async def told_stops(self, count: int) -> list[Mapping[str, str]]:
        """The last entries, oldest first."""
        found = await self._link.one(("XREVRANGE", STOPS_LOG, "+", "-", "COUNT", count))
        return [{text(name): text(value) for name, value in pairs(one[1])} for one in reversed(found)]
