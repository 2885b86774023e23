"""Looking through a whole list without touching it: contacts in batches, with their pasts as a lock would tell them.

Reads only: no lock is taken, looked at or waited for, so a campaign may run meanwhile. Memory is bounded by BATCH,
and by one id for each contact of a sample.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import chain
from typing import Any

from dialer.adapters.redis_claims import FLAGS, HISTORY_S, history_of
from dialer.adapters.redis_codec import pairs, text
from dialer.adapters.redis_contact import read_contact
from dialer.adapters.redis_index import Index
from dialer.adapters.redis_keys import CampaignKeys, PartyKeys, campaign_keys, number_keys, person_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_list import epoch_word
from dialer.adapters.redis_scripts import RedisCommand
from dialer.lists.preview import Case, Standing
from dialer.model import Contact, History

BATCH = 500
PAGE, PAGES_MOST = 1000, 20  # of the outcome stream, for one attempt
OUTCOME_WITHIN_MS = 6 * 3_600_000  # of the claim: the longest call, wrap-up and a restart between them
NEARLY_ALL = 0.8  # a sample of more than so much of the list is read faster by reading all


class Survey:
    """Part of the store."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def listed(self, campaign: str) -> int:
        """How many contacts a campaign has, wherever they stand."""
        return int(await self._link.one(("HLEN", campaign_keys(campaign).contacts)))

    async def survey(self, campaign: str, at: float, sample: int = 0) -> AsyncIterator[list[Case]]:
        """Everybody, or about `sample` at random (0: everybody), some at a time. Raises StoreDown."""
        keys = campaign_keys(campaign)
        total = await self.listed(campaign)
        some = self._sample(keys, sample) if 0 < sample < total * NEARLY_ALL else self._all(keys)
        async for batch in some:
            contacts = [read_contact(self._link.reader, raw, keys.contacts, text(one)) for one, raw in batch]
            yield await self._cases(keys, [one for one in contacts if one is not None], at)

    async def cases(self, campaign: str, contacts: Sequence[str], at: float) -> list[Case]:
        """These contacts of a campaign; one that is not there is left out."""
        keys = campaign_keys(campaign)
        raw = await self._link.one(("HMGET", keys.contacts, *contacts)) if contacts else []
        rows = zip(contacts, raw, strict=True)
        found = [read_contact(self._link.reader, entry, keys.contacts, one) for one, entry in rows]
        return await self._cases(keys, [one for one in found if one is not None], at)

    async def with_number(self, number_key: str, at: float) -> list[tuple[str, Case]]:
        """(campaign, contact) of everybody who was listed with this number."""
        by_campaign: dict[str, list[str]] = {}
        for place in await Index(self._link).of_number(number_key):
            by_campaign.setdefault(place.campaign, []).append(place.contact)
        found = []
        for campaign, contacts in by_campaign.items():
            found += [(campaign, case) for case in await self.cases(campaign, contacts, at)]
        return found

    async def past_of(self, number_key: str, at: float) -> History:
        """What is known of a number, whoever has it."""
        return _history(*await self._link.run(_past(number_keys(number_key), at)))

    async def outcomes_of(self, campaign: str, attempts: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
        """Outcomes that the stream still has, by a bounded look.

        `attempts`: id -> the entry of another stream (the decision to call) after which the outcome came.
        """
        key = campaign_keys(campaign).outcomes
        found: dict[str, Mapping[str, str]] = {}
        for attempt, after in sorted(attempts.items()):
            last = int(after.partition("-")[0]) + OUTCOME_WITHIN_MS
            for _ in range(0 if attempt in found else PAGES_MOST):
                page = await self._link.one(("XRANGE", key, after, last, "COUNT", PAGE))
                for _, flat in page:
                    fields = {text(name): text(value) for name, value in pairs(flat)}
                    if fields.get("type") == "outcome" and fields.get("attempt") in attempts:
                        found[fields["attempt"]] = fields
                if attempt in found or len(page) < PAGE:
                    break
                after = f"({text(page[-1][0])}"
        return found

    async def _all(self, keys: CampaignKeys) -> AsyncIterator[list[tuple[bytes, bytes]]]:
        cursor = b"0"
        while True:
            cursor, flat = await self._link.one(("HSCAN", keys.contacts, cursor, "COUNT", BATCH))
            yield pairs(flat)
            if cursor == b"0":
                return

    async def _sample(self, keys: CampaignKeys, sample: int) -> AsyncIterator[list[tuple[bytes, bytes]]]:
        """Batches drawn apart, with repeats taken out: one large draw would make Redis copy the whole list."""
        seen: set[bytes] = set()
        while len(seen) < sample:
            flat = await self._link.one(("HRANDFIELD", keys.contacts, min(BATCH, sample - len(seen)), "WITHVALUES"))
            new = [(one, raw) for one, raw in pairs(flat) if one not in seen]
            seen.update(one for one, _ in new)
            yield new
            if not flat:
                return

    async def _cases(self, keys: CampaignKeys, contacts: Sequence[Contact], at: float) -> list[Case]:
        if not contacts:
            return []
        ids = [one.id for one in contacts]
        places: list[RedisCommand] = [("ZMSCORE", place, *ids) for place in (keys.ready, keys.later, keys.rest)]
        parties = [[person_keys(one.person), *(number_keys(number.key) for number in one.numbers)] for one in contacts]
        asked = [command for party in chain.from_iterable(parties) for command in _past(party, at)]
        ready, later, rest, *answers = await self._link.run([*places, *asked])
        pasts = map(_history, answers[::3], answers[1::3], answers[2::3])
        found = []
        for i, (one, party) in enumerate(zip(contacts, parties, strict=True)):
            person, *numbers = [next(pasts) for _ in party]
            due, standing = _standing(ready[i], later[i], rest[i])
            found.append(Case(one, person, tuple(numbers), due, standing))
        return found


def _standing(ready: Any, later: Any, rest: Any) -> tuple[float, Standing]:
    if ready is not None or later is not None:
        return (0.0 if later is None else float(later)), Standing.LISTED
    return 0.0, (Standing.UNDER_WAY if rest is None else Standing.RESTS)


def _past(party: PartyKeys, at: float) -> list[RedisCommand]:
    since = epoch_word(at - HISTORY_S)
    times: list[RedisCommand] = [
        ("ZRANGE", key, since, "+inf", "BYSCORE", "WITHSCORES") for key in (party.attempts, party.talks)
    ]
    return [("HMGET", party.state, *FLAGS), *times]


def _history(flags: list[bytes | None], attempts: list[bytes], talks: list[bytes]) -> History:
    return history_of([1, attempts, talks, *flags])
