"""An agent's result of a call, looked at while he can still mend it: times, sums, numbers that nobody could keep.

What follows from each word is outcomes.py's; here is only whether what was typed can be meant.
"""

from datetime import UTC, datetime

from dialer.debts import plans
from dialer.debts.promises import fault as not_to_be_promised
from dialer.debts.promises import limits_of
from dialer.lists.outlook import zone_of
from dialer.model import Campaign, Contact
from dialer.outcomes import promise_of, read_disposition, unclear

PROMISE = "use promise:2026-12-01;500000, a day and a whole amount"


OFFER = "offer"


def fault(
    disposition: str,
    zone: str,
    contact: Contact | None,
    campaign: Campaign,
    at: float,
    limits_of: plans.LimitsOf = plans.none_offered,
) -> str:
    """Why this cannot be, as a sentence for the agent; empty: it can. `zone`: the debtor's. `contact` None: he is on no
    list, so nothing is known of what he owes. `limits_of`: what his lender offers in this campaign, as of now.
    """
    word, value = read_disposition(disposition)
    if word == "promise":
        return _promise(value, contact, campaign, at)
    if word == OFFER and contact is None:
        return "it is not known what he owes: nothing can be offered"
    if word == OFFER and contact is not None:
        today = datetime.fromtimestamp(at, zone_of(contact.zone) or UTC).date()
        return plans.fault(value, contact, limits_of(campaign.id, contact.lender), today)
    return unclear(disposition, zone, at)


def _promise(value: str, contact: Contact | None, campaign: Campaign, at: float) -> str:
    promise = promise_of(value)
    if promise is None:
        return f"{value!r} is no promise: {PROMISE}"
    day, amount = promise
    return not_to_be_promised(amount, day, contact, limits_of(campaign), at) if contact else ""
