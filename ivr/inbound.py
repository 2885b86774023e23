"""A call that comes in: on the books before a word is said, and a conversation that trusts no caller id.

Rules of this file: without a secret nothing of the list reaches the conversation, so that no flow can tell it; with
one, the name is left out too: whoever calls could have invented the number.
"""

from dataclasses import dataclass, replace

from dialer.floor.inbound import Incoming, attempt_of, by_line, caller_number, choose, is_channel
from dialer.keyed import number_key
from dialer.model import Attempt, Campaign, Contact
from ivr.ports import Arrivals


@dataclass(frozen=True, slots=True)
class Arrived:
    """The call as it stands on the books of a campaign."""

    attempt: Attempt
    campaign: Campaign


def entered(came: Incoming, arrivals: Arrivals, key: bytes, at: float) -> Arrived | None:
    """None: no campaign is to be found; the caller gets the courteous message. Raises StoreError."""
    found = _found(came, arrivals, key, at) if is_channel(came.channel) else None
    if found is not None:
        arrivals.enter(found.attempt)
    return found


def _found(came: Incoming, arrivals: Arrivals, key: bytes, at: float) -> Arrived | None:
    e164 = caller_number(came.caller)
    hashed = number_key(key, e164) if e164 else ""
    listed = choose(arrivals.listed(hashed), hashed, came.dialled) if hashed else None
    campaign = listed.campaign if listed else by_line(arrivals.campaigns(), came.dialled)
    if campaign is None:
        return None
    contact = listed.contact if listed else None
    return Arrived(attempt_of(came, campaign, contact, e164, key, at), campaign)


def told_of(debtor: Contact) -> Contact:
    """What a conversation with somebody who calls may know of the contact."""
    if debtor.secret and debtor.secret_digits:
        return replace(debtor, name="")
    return nobody(debtor)


def nobody(debtor: Contact, language: str = "") -> Contact:
    """Nothing of the list but where and in which language."""
    return Contact(debtor.id, debtor.person, (), language=language or debtor.language, zone=debtor.zone)
