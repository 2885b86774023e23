"""Promises to pay: pending until they are kept, kept in part, broken, or replaced by a newer one.

`judge` is a pure function of what was promised, what was paid and the time. A payment counts for the promise that is
open for its account when it is paid, whenever we are told of it: a promise that counted as broken is kept when it turns
out that the money had come in time. A promise ends with its last day in the debtor's zone and the days of grace.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from math import inf

from dialer.lists.outlook import zone_of
from dialer.model import Attempt, Campaign, Contact
from dialer.outcomes import LAST_ZONE, end_of_day, later

BY_IVR = "ivr"


class State(StrEnum):
    """How a promise stands."""

    PENDING = "pending"
    KEPT = "kept"
    PART = "part"  # something was paid in time, not all
    BROKEN = "broken"
    REPLACED = "replaced"  # another one was agreed for the same account before this one had ended


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise; its id is the attempt's in which it was made. `amount` 0: not said, any payment keeps it.

    `until`: the first second at which it counts as not kept. Money in the currency's smallest written unit.
    """

    id: str
    campaign: str
    contact: str
    person: str
    amount: int
    currency: str
    due: date
    until: float
    made_at: float
    by: str  # the agent, or `ivr`
    state: State = State.PENDING
    paid: int = 0  # of what was paid while it was open
    ended_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Payment:
    """What was paid on an account, `at` epoch seconds; `told_at`: when we heard of it."""

    id: str
    contact: str
    amount: int
    currency: str
    at: float
    told_at: float = 0.0


def of_outcome(
    attempt: Attempt, contact: Contact | None, record: Mapping[str, str], campaign: Campaign
) -> Promise | None:
    """The promise that an outcome's record tells of. None: none was made, or by somebody who is on no list."""
    if contact is None or not record.get("promise_due"):
        return None
    due = date.fromisoformat(record["promise_due"])
    by = attempt.agent if attempt.joined_at and attempt.agent else BY_IVR
    return Promise(
        attempt.id, campaign.id, contact.id, contact.person, int(record.get("promise_amount") or 0), contact.currency,
        due, ends(due, attempt.zone or contact.zone, campaign.promise_grace_days), attempt.claimed_at, by,
    )  # fmt: skip


def ends(due: date, zone: str, grace_days: int) -> float:
    """The first second after the last day of grace, where the debtor lives; unknown: where that day ends last."""
    return end_of_day(later(due, grace_days), zone_of(zone) or LAST_ZONE)


# ---- the table ------------------------------------------------------------------------------------------------------


def judge(promises: Iterable[Promise], payments: Iterable[Payment], at: float) -> tuple[Promise, ...]:
    """The promises of one person as they stand at `at`, in the order in which they were made."""
    ordered = sorted(promises, key=lambda one: (one.made_at, one.id))
    paid = sorted(payments, key=lambda one: (one.at, one.id))
    return tuple(_judged(one, _replaced_at(one, ordered[turn + 1 :]), paid, at) for turn, one in enumerate(ordered))


def _replaced_at(promise: Promise, later: Sequence[Promise]) -> float:
    return next((one.made_at for one in later if one.contact == promise.contact), inf)


def _judged(promise: Promise, replaced_at: float, payments: Sequence[Payment], at: float) -> Promise:
    open_until = min(promise.until, replaced_at)
    paid = 0
    for payment in payments:
        if not _counts(payment, promise) or not promise.made_at <= payment.at < open_until:
            continue
        paid += payment.amount
        if paid >= max(promise.amount, 1):
            return replace(promise, state=State.KEPT, paid=paid, ended_at=payment.at)
    if at < open_until:
        return replace(promise, state=State.PENDING, paid=paid, ended_at=0.0)
    if replaced_at < promise.until:
        return replace(promise, state=State.REPLACED, paid=paid, ended_at=replaced_at)
    return replace(promise, state=State.PART if paid else State.BROKEN, paid=paid, ended_at=promise.until)


def _counts(payment: Payment, promise: Promise) -> bool:
    same = payment.contact == promise.contact and payment.currency == promise.currency
    return same and payment.amount > 0


# ---- what may be promised -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limits:
    """What a lender takes: `days_max` from today, `least` (0: the account's own minimum)."""

    days_max: int
    least: int = 0


def limits_of(campaign: Campaign) -> Limits:
    """As the campaign's settings say."""
    return Limits(campaign.promise_days_max, campaign.promise_least)


def fault(amount: int, due: date, contact: Contact, limits: Limits, at: float) -> str:
    """Why this may not be promised, as a sentence for the agent; empty: it may. `amount` 0: not said."""
    today = datetime.fromtimestamp(at, zone_of(contact.zone) or UTC).date()
    last = today + timedelta(days=limits.days_max)
    if due < today:
        return f"{due} is past: choose {today} to {last}"
    if due > last:
        return f"{due} is too late: choose {today} to {last}"
    least = limits.least or contact.minimum
    if contact.amount:
        least = min(least, contact.amount)
        if amount > contact.amount:
            return f"{amount} is more than is owed ({contact.amount} {contact.currency})"
    if 0 < amount < least:
        return f"{amount} is less than the lender takes ({least} {contact.currency})"
    return "" if amount >= 0 else f"{amount} is no amount"
