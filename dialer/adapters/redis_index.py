"""Which contacts a number, a person and a lender's account have, over all campaigns.

Sets of (key, contact, campaign) in 65,536 buckets by key: a set of its own for each number would cost 155 bytes (Redis
7.0), a place in a bucket costs 50, and a bucket is small enough to be read whole. An entry may be left over from a
contact that is gone: whoever asks looks at the contact too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

from dialer.adapters.redis_codec import Reader, text
from dialer.adapters.redis_keys import account_index, number_index, person_index
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import RedisCommand
from dialer.errors import BadInput
from dialer.model import CAMPAIGN_ID, Contact

BUCKETS = 1 << 16
NAME_MAX = 200  # bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contact stands."""

    campaign: str
    contact: str


def entries_of(campaign: str, contact: Contact) -> list[RedisCommand]:
    """What puts a contact into the index."""
    own = _part(contact.id) + campaign.encode()
    return [("HSET", key, part + own, b"") for key, part in _parts(contact)]


def numbers_gone(campaign: str, contact: Contact) -> list[RedisCommand]:
    """What takes his numbers out, and his account."""
    own = _part(contact.id) + campaign.encode()
    return [("HDEL", key, part + own) for key, part in _number_parts(contact)]


def person_gone(person: str, place: Place) -> RedisCommand:
    """What takes a person's contact out."""
    return ("HDEL", person_bucket(person), _part(person) + _part(place.contact) + place.campaign.encode())


def number_bucket(number_key: str) -> str:
    """The bucket of a number."""
    return number_index(_bucket(number_key))


def account_name(lender: str, account: str) -> str:
    """What the index knows a lender's account by; case and blanks make no difference."""
    plain = ["".join(word.split()).casefold() for word in (lender, account)]
    return blake2b("\0".join(plain).encode(), digest_size=16).hexdigest()


def account_bucket(account: str) -> str:
    """The bucket of an account, by its name here."""
    return account_index(_bucket(account))


def person_bucket(person: str) -> str:
    """The bucket of a person."""
    return person_index(_bucket(person))


class Index:
    """Reads it."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def of_number(self, number_key: str) -> tuple[Place, ...]:
        """Contacts that had this number when they were listed."""
        return (await self._of([(number_bucket(number_key), number_key)]))[0]

    async def of_person(self, person: str) -> tuple[Place, ...]:
        """Contacts of this person."""
        return (await self._of([(person_bucket(person), person)]))[0]

    async def of_account(self, lender: str, account: str) -> tuple[Place, ...]:
        """Contacts that had this account when they were listed."""
        name = account_name(lender, account)
        return (await self._of([(account_bucket(name), name)]))[0]

    async def of_numbers(self, number_keys: Sequence[str]) -> list[tuple[Place, ...]]:
        """One answer each, in one round trip."""
        return await self._of([(number_bucket(key), key) for key in number_keys])

    async def _of(self, asked: Sequence[tuple[str, str]]) -> list[tuple[Place, ...]]:
        found = await self._link.run([("HKEYS", bucket) for bucket, _ in asked])
        return [
            tuple(sorted(self._places(bucket, _part(name), fields), key=lambda one: (one.campaign, one.contact)))
            for (bucket, name), fields in zip(asked, found, strict=True)
        ]

    def _places(self, bucket: str, part: bytes, fields: Iterable[bytes]) -> Iterable[Place]:
        return _places(self._link.reader, bucket, part, fields)


def places_of_number(reader: Reader, number_key: str, fields: Iterable[bytes]) -> list[Place]:
    """Out of all that stands in the number's bucket: for the IVR, which has a connection of its own."""
    return list(_places(reader, number_bucket(number_key), _part(number_key), fields))


def _places(reader: Reader, bucket: str, part: bytes, fields: Iterable[bytes]) -> Iterable[Place]:
    for field in fields:
        if not field.startswith(part):
            continue
        contact, campaign = _split(field[len(part) :])
        if CAMPAIGN_ID.fullmatch(campaign):
            yield Place(campaign, contact)
        else:
            reader.complain(bucket, text(field), "names no campaign")


def _parts(contact: Contact) -> list[tuple[str, bytes]]:
    return [*_number_parts(contact), (person_bucket(contact.person), _part(contact.person))]


def _number_parts(contact: Contact) -> list[tuple[str, bytes]]:
    keys = dict.fromkeys(number.key for number in contact.numbers)
    parts = [(number_bucket(key), _part(key)) for key in keys]
    if contact.account:
        name = account_name(contact.lender, contact.account)
        parts.append((account_bucket(name), _part(name)))
    return parts


def _bucket(name: str) -> str:
    return f"{crc32(name.encode()) % BUCKETS:04x}"


def _part(name: str) -> bytes:
    """A name with its length in front; 0: 16 bytes of what is written in 32 hex digits."""
    if len(name) == 32:
        try:
            raw = bytes.fromhex(name)
        except ValueError:
            raw = b""
        if raw.hex() == name:
            return b"\0" + raw
    raw = name.encode()
    if not 0 < len(raw) <= NAME_MAX:
        raise BadInput(f"{name[:20]!r}... is no name of a contact, a person or a number: 1 to {NAME_MAX} bytes")
    return bytes((len(raw),)) + raw


def _split(entry: bytes) -> tuple[str, str]:
    """Contact and campaign; an entry cut short gives no campaign."""
    length = entry[0] if entry else 0
    end = 1 + (length or 16)
    return text(entry[1:end]) if length else entry[1:end].hex(), text(entry[end:])
