"""Payments as lenders tell of them: signed, once by their id, and what follows for an account.

Signed: HMAC-SHA256, in hex, of the sender's secret over `TIMESTAMP.BODY`: the bytes of the timestamp (epoch seconds), a
point, the body as it is sent.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, replace

from dialer.model import Contact

WINDOW_S = 300.0  # a signature older, or of so far ahead, is a replay
KEPT_DAYS = 400
AMOUNT_MAX = 10**15
PAYMENTS_KNOWN = 8  # of a contact: a sender who repeats himself after more than that was not told that it was done
SIGNATURE = re.compile(r"[0-9a-f]{64}")
SECRET_MIN = 32  # characters


@dataclass(frozen=True, slots=True)
class Told:
    """One payment. `at`: when it was paid, epoch seconds; the account by `contact`, or by `lender` and `account`."""

    sender: str
    id: str
    at: float
    amount: int
    currency: str
    lender: str = ""
    account: str = ""
    contact: str = ""
    reference: str = ""

    @property
    def key(self) -> str:
        """Its id among those of all senders."""
        return f"{self.sender}:{self.id}"

    @property
    def print(self) -> str:
        """The same payment has the same."""
        words = (self.key, repr(self.at), str(self.amount), self.currency, self.lender, self.account, self.contact)
        return hashlib.sha256("\0".join(words).encode()).hexdigest()


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    """What stands in X-Santun-Signature."""
    return hmac.new(secret, timestamp.encode() + b"." + body, "sha256").hexdigest()


def signature_fault(secret: bytes, timestamp: str, signature: str, body: bytes, at: float) -> str:
    """Why this was not sent by who has the secret, or not now; empty: it was."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return "the timestamp is no number of seconds since 1970"
    right = SIGNATURE.fullmatch(signature) is not None
    if not hmac.compare_digest(sign(secret, timestamp, body), signature if right else "") or not right:
        return "the signature does not fit"
    if abs(at - float(timestamp)) > WINDOW_S:
        return f"the timestamp is more than {WINDOW_S:.0f} s away from now"
    return ""


def reduced(contact: Contact, payment: str, amount: int) -> Contact:
    """With what was paid taken off what is owed, once per payment (the hash of its id). What is owed may be unknown
    (0): then nothing is known afterwards either."""
    if contact.amount <= 0 or payment in contact.paid:
        return contact
    paid = (*contact.paid, payment)[-PAYMENTS_KNOWN:]
    return replace(contact, amount=max(0, contact.amount - amount), paid=paid)


def is_settled(contact: Contact, payment: str) -> bool:
    """Whether nothing is owed any more, after this payment."""
    return contact.amount == 0 and payment in contact.paid


def short(key: str) -> str:
    """The hash by which a contact knows a payment."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]
