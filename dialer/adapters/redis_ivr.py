"""What the IVR needs of Redis, from its threads: whose call it is, a place for facts, a heartbeat."""

from dataclasses import dataclass

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from dialer.adapters.redis_codec import ATTEMPT, CAMPAIGN, Reader, encode
from dialer.adapters.redis_contact import read_contact
from dialer.adapters.redis_keys import IVR_BEATS, campaign_keys, facts_key
from dialer.adapters.redis_link import COMMAND_LIMIT_S, FAILURES, translate
from dialer.adapters.redis_scripts import Argument, sources
from dialer.errors import StoreDown
from dialer.model import Campaign, Contact, Fact

FACTS_KEPT_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Called:
    """Who is on the line, in which language, and in whose name we call."""

    contact: Contact
    campaign: Campaign

    @property
    def language(self) -> str:
        """The contact's own, else the campaign's."""
        return self.contact.language or self.campaign.language

    @property
    def lender(self) -> str:
        """To whom the debt is owed."""
        return self.contact.lender

    @property
    def caller_name(self) -> str:
        """Who calls, as the message names him."""
        return self.campaign.caller_name


class IvrStore:
    """One for all threads. Every method raises StoreDown within a few seconds when Redis does not answer."""

    def __init__(self, url: str, limit_s: float = COMMAND_LIMIT_S) -> None:
        self._limit_s = limit_s
        self._client = redis.Redis.from_url(
            url, socket_timeout=limit_s, socket_connect_timeout=limit_s, retry=Retry(NoBackoff(), 0), protocol=2
        )
        self._report = self._client.register_script(sources()["report"])
        self.reader = Reader()

    def debtor(self, campaign: str, attempt: str) -> Called | None:
        """None: no such open call; say nothing about anybody's debt."""
        keys = campaign_keys(campaign)
        try:
            raw = self._client.hget(keys.open, attempt)
            known = self.reader.one(ATTEMPT, _bytes(raw), keys.open, attempt)
            if known is None:
                return None
            found = self._client.hget(keys.contacts, known.contact), self._client.get(keys.settings)
        except FAILURES as error:
            raise translate(error) from error
        contact = read_contact(self.reader, _bytes(found[0]), keys.contacts, known.contact)
        settings = self.reader.one(CAMPAIGN, _bytes(found[1]), keys.settings, campaign)
        return Called(contact, settings) if contact and settings else None

    def report(self, campaign: str, attempt: str, fact: Fact) -> bool:
        """Keep a fact for the engine; False: one with this `seq` is there already. Tried twice: it may be repeated."""
        keys = (facts_key(campaign, attempt), campaign_keys(campaign).told)
        words: tuple[Argument, ...] = (fact.seq, encode(fact), FACTS_KEPT_MS, attempt)
        try:
            return self._reported(keys, words)
        except StoreDown:
            return self._reported(keys, words)

    def beat(self, server: str, at: float) -> None:
        """This IVR server is alive."""
        try:
            self._client.hset(IVR_BEATS, server, repr(at))
        except FAILURES as error:
            raise translate(error) from error

    def retire(self, server: str) -> None:
        """This IVR server ends in good order."""
        try:
            self._client.hdel(IVR_BEATS, server)
        except FAILURES as error:
            raise translate(error) from error

    def check(self) -> None:
        """Raises StoreDown when Redis is not there."""
        try:
            self._client.ping()
        except FAILURES as error:
            raise translate(error) from error

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _reported(self, keys: tuple[str, ...], words: tuple[Argument, ...]) -> bool:
        try:
            return bool(self._report(keys=keys, args=words))
        except FAILURES as error:
            raise translate(error) from error


def _bytes(raw: object) -> bytes | None:
    return raw if isinstance(raw, bytes) else None
