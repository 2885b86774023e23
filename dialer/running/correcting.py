"""A result that changes after the outcome was written: the same judgement once more, told as a correction.

Rules of this file: only what people said changes, never what the network did; a stop or a silence that was written down
stays, as the stricter of two; where he has been called since, the list is left as it stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dialer.calls import evolve
from dialer.lists.outlook import Outlook
from dialer.lists.recycling import recycle
from dialer.model import Attempt, CallState, Campaign, Contact, Fact, Number, Verdict
from dialer.outcomes import verdict
from dialer.stream import attempt_of, corrected, record

AGAIN_S = 1.0  # a contact that was claimed so long after this attempt was called again


@dataclass(frozen=True, slots=True)
class Corrected:
    """What is to be written: the entry, and what follows. `contact` None: the list is left alone."""

    attempt: Attempt
    verdict: Verdict
    entry: Mapping[str, str]
    record: Mapping[str, str]
    contact: Contact | None


def known_attempt(told: Mapping[str, str], contact: Contact | None) -> Attempt:
    """The attempt as its outcome's record tells of it; its number's key is the contact's."""
    e164 = told.get("number", "")
    numbers = contact.numbers if contact else ()
    number = next((one for one in numbers if one.e164 == e164), Number(e164, ""))
    attempt = attempt_of(told, number)
    return evolve(attempt, state=CallState.GONE, zone=contact.zone if contact else "")


def correct(
    told: Mapping[str, str],
    disposition: str,
    facts: Sequence[Fact],
    contact: Contact | None,
    campaign: Campaign,
    days: Outlook | None,
    by: str,
    at: float,
) -> Corrected | None:
    """None: nothing changes. `told`: the record of the outcome; `days`: when he may be called, if he is on the list."""
    attempt = evolve(known_attempt(told, contact), disposition=disposition)
    judged = verdict(attempt, facts, campaign, at)
    kept = None
    if contact is not None and days is not None:
        back, judged = recycle(campaign, _without(contact, judged), attempt, judged, at, days)
        kept = replace(back, last_at=max(back.last_at, contact.last_at))
        if contact.last_at > attempt.claimed_at + AGAIN_S and not judged.rests:
            kept = None
    new = record(attempt, judged, facts, contact, campaign)
    entry = corrected(told, new, at, by)
    return Corrected(attempt, judged, entry, new, kept) if entry else None


def _without(contact: Contact, judged: Verdict) -> Contact:
    """As if this attempt were still to be counted."""
    came = dict(contact.came)
    came[judged.outcome.value] = max(0, came.get(judged.outcome.value, 0) - 1)
    return replace(contact, tries=max(0, contact.tries - 1), came=tuple(sorted(came.items())))
