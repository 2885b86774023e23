"""Calls that come in: whose number it is, which campaign answers, and the attempt that is made of it.

Rules of this file: what a stranger's telephone says of itself is filtered before anything else looks at it; a caller id
finds a campaign and a contact and proves nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dialer.keyed import number_key
from dialer.lists.numbers import NumberFault, read_number
from dialer.model import INBOUND, Attempt, CallState, Campaign, Contact, Number, NumberKind, NumberState

REGION = "ID"
COUNTRY_CODES = frozenset({62})
COMMAND = "inbound"  # to the engine that leads the campaign: this attempt is yours now
_NUMBER = re.compile(r"\+?[0-9]{5,18}")
_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{3,79}")
_OWNERS = frozenset({NumberKind.DEBTOR, NumberKind.CO_BORROWER})  # others of the list owe nothing
_NOT_HIS = frozenset({NumberState.WRONG_PERSON, NumberState.DEAD})


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call as Asterisk tells of it; all but the channel is the caller's to invent."""

    channel: str
    caller: str
    dialled: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A contact who is listed with the caller's number, in one of his campaigns."""

    campaign: Campaign
    contact: Contact


def is_channel(name: str) -> bool:
    """Whether it can be the id of an attempt."""
    return _CHANNEL.fullmatch(name) is not None


def caller_number(said: str) -> str:
    """E.164 of a caller id; empty: withheld, nonsense, or nobody's whom we call."""
    if not _NUMBER.fullmatch(said):
        return ""
    for written in (said, f"+{said}"):
        try:
            return read_number(written, REGION, COUNTRY_CODES)
        except NumberFault:
            continue
    return ""


def choose(listed: Sequence[Listed], key: str, dialled: str) -> Listed | None:
    """Of all who have this number: in the campaign whose number was dialled, else who was called last."""
    his = [one for one in listed if any(_is_his(number, key) for number in one.contact.numbers)]
    return max(his, key=lambda one: (_same_line(one.campaign, dialled), one.contact.last_at), default=None)


def by_line(campaigns: Sequence[Campaign], dialled: str) -> Campaign | None:
    """The campaign whose number was dialled; None: no one's, or several have it."""
    found = [one for one in campaigns if _same_line(one, dialled)]
    return found[0] if len(found) == 1 else None


def _is_his(number: Number, key: str) -> bool:
    return number.key == key and number.kind in _OWNERS and number.state not in _NOT_HIS


def _same_line(campaign: Campaign, dialled: str) -> bool:
    return bool(_line(dialled)) and _line(campaign.caller_id) == _line(dialled)


def _line(written: str) -> str:
    """`+62 21 5000`, `62215000` and `0215000` are one line; empty: no number."""
    digits = re.sub(r"[ ()-]", "", written)
    return re.sub(r"^(?:\+?62|0)", "", digits) if _NUMBER.fullmatch(digits) else ""


def attempt_of(
    came: Incoming, campaign: Campaign, contact: Contact | None, e164: str, key: bytes, at: float
) -> Attempt:
    """The call on the books: its id is the channel's own, its node what Asterisk puts before it."""
    hashed = number_key(key, e164) if e164 else ""
    known = next((one for one in contact.numbers if one.key == hashed), None) if contact else None
    return Attempt(
        id=came.channel,
        campaign=campaign.id,
        node=came.channel.rpartition("-")[0],
        kind=INBOUND,
        trunk=campaign.trunk,
        caller_id=campaign.caller_id,
        language=(contact.language if contact else "") or campaign.language,
        pack="",
        contact=contact.id if contact else "",
        person=contact.person if contact else "",
        number=known or Number(e164, hashed),
        state=CallState.IN_IVR,
        tries=contact.tries if contact else 0,
        claimed_at=at,
        answered_at=at,
        ivr_at=at,
        dialled=True,
        zone=contact.zone if contact else "",
    )
