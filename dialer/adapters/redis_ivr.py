"""What the IVR needs of Redis, from its threads: whose call it is, a place for facts, a heartbeat."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from math import inf

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from dialer.adapters.redis_claims import HISTORY_S
from dialer.adapters.redis_codec import ATTEMPT, CAMPAIGN, Reader, encode, text
from dialer.adapters.redis_contact import read_contact
from dialer.adapters.redis_index import number_bucket, places_of_number
from dialer.adapters.redis_keys import (
    CAMPAIGNS,
    IVR_BEATS,
    KEYED_BY,
    campaign_keys,
    facts_key,
    number_keys,
    person_keys,
    sheet_keys,
)
from dialer.adapters.redis_late import late_field
from dialer.adapters.redis_link import COMMAND_LIMIT_S, FAILURES, translate
from dialer.adapters.redis_list import epoch_word
from dialer.adapters.redis_outcomes import KEPT_MS
from dialer.adapters.redis_scripts import Argument, sources
from dialer.adapters.redis_sheets import read_sheet
from dialer.adapters.spool import encode_change
from dialer.errors import StoreDown, StoreError
from dialer.floor.inbound import COMMAND, Listed
from dialer.forms.sheets import Sheet
from dialer.model import INBOUND, Attempt, Campaign, Command, Contact, Fact
from dialer.ports import Unwritten

FACTS_KEPT_MS = 7 * 86_400_000
READ_LIMIT_S = 0.75  # he hears nothing while it is looked up whose call it is
AWAY_S = 3.0  # after a failure: the next beat, in a second or when its own limit is over, says how things are
ENTERED_LIMIT_S = 3600.0  # later a new leader finds it among the open attempts all the same


@dataclass(frozen=True, slots=True)
class Called:
    """Who is on the line, in which language, and in whose name we call."""

    contact: Contact
    campaign: Campaign
    inbound: bool = False

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
        self._limit_s, self._url = limit_s, url
        self._client, self._reads = (_client(url, one_s) for one_s in (limit_s, min(limit_s, READ_LIMIT_S)))
        self._failed_at = -inf  # monotonic: no answer to a command of any thread, and none since
        self._report, self._lock, self._send = (
            self._client.register_script(sources()[name]) for name in ("report", "lock", "send")
        )
        self.reader = Reader()

    def debtor(self, campaign: str, attempt: str) -> Called | None:
        """None: no such open call; say nothing about anybody's debt. Raises StoreDown at once where Redis has just been
        found away: who is on the line has waited long enough."""
        if time.monotonic() - self._failed_at < AWAY_S:
            raise StoreDown("Redis did not answer a moment ago.")
        keys = campaign_keys(campaign)
        try:
            raw = self._reads.hget(keys.open, attempt)
            known = self.reader.one(ATTEMPT, _bytes(raw), keys.open, attempt)
            if known is None:
                return None
            both = self._reads.pipeline(transaction=False)
            both.hget(keys.contacts, known.contact)
            both.get(keys.settings)
            found = both.execute()
        except FAILURES as error:
            raise self._failed(error) from error
        contact = read_contact(self.reader, _bytes(found[0]), keys.contacts, known.contact)
        settings = self.reader.one(CAMPAIGN, _bytes(found[1]), keys.settings, campaign)
        return Called(contact, settings, known.kind == INBOUND) if contact and settings else None

    def report(self, campaign: str, attempt: str, fact: Fact) -> bool:
        """Keep a fact for the engine; False: one with this `seq` is there already, or whose it is was erased. Tried
        twice: it may be repeated."""
        try:
            return self.report_once(campaign, attempt, fact)
        except StoreDown:
            return self.report_once(campaign, attempt, fact)

    def report_once(self, campaign: str, attempt: str, fact: Fact) -> bool:
        """The same for who repeats it himself."""
        keys = campaign_keys(campaign)
        places = (facts_key(campaign, attempt), keys.told, keys.erased, keys.open)
        words: tuple[Argument, ...] = (fact.seq, encode(fact), FACTS_KEPT_MS, attempt)
        try:
            return bool(self._report(keys=places, args=words))
        except FAILURES as error:
            raise self._failed(error) from error

    def came_late(self, campaign: str, attempt: str, at: float) -> None:
        """Facts of a call whose outcome may be written: whoever leads looks at them once more."""
        change = Unwritten(campaign, attempt, at=at, facts=True)
        try:
            self._client.hset(campaign_keys(campaign).late, late_field(change), encode_change(change))
        except FAILURES as error:
            raise self._failed(error) from error

    def sheet(self, name: str, revision: int = 0) -> Sheet:
        """What is edited in the browser: a version, 0: the newest; one of revision 0 where there is none."""
        newest, versions = sheet_keys(name)
        try:
            if revision:
                found = revision, self._client.hget(versions, str(revision))
            else:
                seen, entry = self._client.hmget(newest, ["revision", "entry"])
                found = int(seen or 0), entry
        except FAILURES as error:
            raise self._failed(error) from error
        return read_sheet(name, found[0], found[1]) if isinstance(found[1], bytes) else Sheet(name)

    def listed(self, number_key: str) -> list[Listed]:
        """Who has this number, in every campaign."""
        bucket = number_bucket(number_key)
        try:
            fields = self._client.hkeys(bucket)
            names = [name for name in fields if isinstance(name, bytes)]
            places = places_of_number(self.reader, number_key, names)
            raw = [(one, self._client.hget(campaign_keys(one.campaign).contacts, one.contact)) for one in places]
        except FAILURES as error:
            raise self._failed(error) from error
        campaigns = {one.id: one for one in self.campaigns({place.campaign for place in places})}
        found = [
            (
                place.campaign,
                read_contact(self.reader, _bytes(value), campaign_keys(place.campaign).contacts, place.contact),
            )
            for place, value in raw
        ]
        return [Listed(campaigns[name], contact) for name, contact in found if contact and name in campaigns]

    def campaigns(self, names: Collection[str] | None = None) -> list[Campaign]:
        """The settings of these, or of all."""
        try:
            known = names if names is not None else sorted(text(one) for one in self._client.smembers(CAMPAIGNS))
            raw = [(name, self._client.get(campaign_keys(name).settings)) for name in known]
        except FAILURES as error:
            raise self._failed(error) from error
        found = (self.reader.one(CAMPAIGN, _bytes(value), campaign_keys(name).settings, name) for name, value in raw)
        return [one for one in found if one is not None]

    def enter(self, attempt: Attempt) -> None:
        """A call that came in, on the books before a word is said. Person and number are locked if nobody else has
        them: nobody is to call him now. The same one again changes nothing; tried twice."""
        try:
            self._entered(attempt)
        except StoreDown:
            self._entered(attempt)

    def _entered(self, attempt: Attempt) -> None:
        keys, at = campaign_keys(attempt.campaign), epoch_word(attempt.claimed_at)
        order = Command(
            f"{COMMAND}-{attempt.id}", attempt.campaign, COMMAND, "ivr", attempt.claimed_at,
            attempt.claimed_at + ENTERED_LIMIT_S, {"attempt": attempt.id},
        )  # fmt: skip
        words = (attempt.id, attempt.campaign, at, epoch_word(attempt.claimed_at - HISTORY_S), KEPT_MS)
        try:
            self._client.hsetnx(keys.open, attempt.id, encode(attempt))
            for name, party in ((attempt.person, person_keys(attempt.person)),
                                (attempt.number.key, number_keys(attempt.number.key))):  # fmt: skip
                if name:
                    self._lock(keys=(party.state, party.attempts, party.talks), args=words)
            self._send(keys=(keys.commands, keys.command_ids, keys.told), args=(order.id, encode(order)))
        except FAILURES as error:
            raise self._failed(error) from error

    def beat(self, server: str, at: float) -> None:
        """This IVR server is alive."""
        try:
            self._client.hset(IVR_BEATS, server, repr(at))
        except FAILURES as error:
            raise self._failed(error) from error
        self._failed_at = -inf

    def retire(self, server: str) -> None:
        """This IVR server ends in good order."""
        try:
            self._client.hdel(IVR_BEATS, server)
        except FAILURES as error:
            raise self._failed(error) from error

    def check(self) -> None:
        """Raises StoreDown when Redis is not there."""
        try:
            self._client.ping()
        except FAILURES as error:
            raise self._failed(error) from error

    def is_keyed_by(self, mark: str) -> bool:
        """As redis_people's. Raises StoreDown."""
        try:
            found = self._reads.get(KEYED_BY)
        except FAILURES as error:
            raise translate(error, self._url) from error
        return found is None or text(found) == mark

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        self._reads.close()

    def _failed(self, error: BaseException) -> StoreError:
        answered = isinstance(error, redis.exceptions.ResponseError)  # it refuses, full or a replica: it can be read
        self._failed_at = -inf if answered else time.monotonic()
        if isinstance(error, redis.exceptions.ReadOnlyError):  # as in redis_link.py
            for client in (self._client, self._reads):
                client.connection_pool.disconnect(inuse_connections=False)
        return translate(error, self._url)


def _client(url: str, limit_s: float) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_timeout=limit_s, socket_connect_timeout=limit_s, retry=Retry(NoBackoff(), 0), protocol=2
    )


def _bytes(raw: object) -> bytes | None:
    return raw if isinstance(raw, bytes) else None
