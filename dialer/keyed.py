"""Keyed hashes: names by which Redis, logs and the IVR know people, numbers and secrets without knowing them.

HMAC-SHA256 in hex, names cut to 16 bytes. Each kind of value has its own word in front, so that the same digits as a
person id and as a number give different keys. Whoever erases the key erases every link to a person.
"""

import hmac

KEY_HEX_MIN = 32
OTHER_KEY = (
    "SANTUN_PERSON_KEY is not the one by which this Redis knows its people: none of their histories would be found, nor"
    " who must not be called. Set the one that was used before; for a site without a past, use an empty Redis."
)


def read_key(text: str) -> bytes:
    """The key as SANTUN_PERSON_KEY holds it, in hex; empty where that is none, or too short."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        return b""
    return key if len(key) * 2 >= KEY_HEX_MIN else b""


def _keyed(key: bytes, kind: str, value: str) -> str:
    return hmac.digest(key, f"{kind}\0{value}".encode(), "sha256")[:16].hex()


def mark_of(key: bytes) -> str:
    """Tells this key from others, and nothing else of it."""
    return _keyed(key, "mark", "")


def person_key(key: bytes, person_id: str) -> str:
    """Of the operator's own id of a person; of his first number in E.164 where the list has no id."""
    return _keyed(key, "person", person_id)


def number_key(key: bytes, e164: str) -> str:
    """Of a number in E.164."""
    return _keyed(key, "number", e164)


def contact_key(key: bytes, person: str, account: str) -> str:
    """Of a person's account: the same row read twice gives the same contact."""
    return _keyed(key, "contact", f"{person}\0{account}")


def secret_key(key: bytes, digits: str) -> str:
    """Of what a debtor keys to prove who he is, in full length: the form that ivr/verify.py compares with."""
    return hmac.digest(key, digits.encode(), "sha256").hex()
