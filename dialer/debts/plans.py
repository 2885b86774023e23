"""What the lender lets us offer: a debt and his limits -> offers, each a list of payments with days. Sums are exact.

The IVR speaks them, agents read them out; both write down the same words. Money is an integer of the currency's
smallest written unit. The defaults offer nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from dialer.forms.told import told
from dialer.model import Contact

EARLY, SHORT, LONG, DEFER = "early", "short", "long", "defer"
PARTS_LEAST = 2
PARTS_MOST = 24
DAYS_MOST = 60
CUSTOM_INTEREST = "interest"  # column `custom:interest` of the list


@dataclass(frozen=True, slots=True)
class Limits:
    """What the lender allows. `promise_days` and the hours are for promises and call-backs; the rest for offers."""

    promise_days: int = 14  # how far ahead a promised date may lie
    open_minute: int = 8 * 60  # of the debtor's day: no call-back before it
    close_minute: int = 19 * 60 + 30  # nor after it
    closed_days: frozenset[int] = frozenset({6})  # weekdays without calls, Monday is 0
    callback_days: int = 7
    early_days: int = 0  # `early`: pay within so many days; 0: no such offer
    early_percent: int = 0  # at most so much of the sum is waived for it
    parts: int = 0  # instalments at most; below 2: none
    part_days: int = 30  # from one to the next
    part_least: int = 0  # none is smaller
    first_percent: int = 0  # the first is at least so much of the sum
    first_days: int = 3  # and paid within so many days
    interest_cut_percent: int = 0  # of the interest, waived for instalments
    parts_fee: int = 0
    defer_days: int = 0  # `defer`: pay in full within so many days; 0: no such offer
    defer_fee: int = 0
    round_to: int = 1  # instalments after the first are multiples of it


LimitsOf = Callable[[str, str], Limits]  # campaign, lender
Given = Mapping[str, Any]  # fields of Limits that are given


@dataclass(frozen=True, slots=True)
class Terms:
    """What differs from the rule. `lenders` by `plain` name; a campaign's word counts before the lender's, the lender's
    before the rule."""

    lenders: Mapping[str, Given] = field(default_factory=dict)
    campaigns: Mapping[str, Given] = field(default_factory=dict)

    def limits(self, rule: Limits, campaign: str, lender: str) -> Limits:
        """For a debt to this lender in this campaign."""
        given = {**self.lenders.get(plain(lender), {}), **self.campaigns.get(campaign, {})}
        return replace(rule, **given) if given else rule


def plain(lender: str) -> str:
    """A lender's name however its letters and spaces are written."""
    return " ".join(lender.casefold().split())


@dataclass(frozen=True, slots=True)
class Debt:
    """What is owed. `incentive`: what the list says is waived for paying now; `interest` is part of `amount`."""

    amount: int
    minimum: int = 0
    incentive: int = 0
    interest: int = 0


@dataclass(frozen=True, slots=True)
class Payment:
    """So much, on that day at the latest."""

    day: date
    amount: int


@dataclass(frozen=True, slots=True)
class Offer:
    """Payments whose sum is amount - waived + fee."""

    name: str
    payments: tuple[Payment, ...]
    waived: int = 0
    fee: int = 0

    @property
    def total(self) -> int:
        """All payments together."""
        return sum(payment.amount for payment in self.payments)

    def __str__(self) -> str:
        return ";".join([self.name, *(f"{one.day.isoformat()}={one.amount}" for one in self.payments)])


def loose(limits: Limits) -> Iterator[str]:
    """What no lender can mean."""
    for name, value in asdict(limits).items():
        if isinstance(value, int) and value < 0:
            yield told("below_zero", f"{name} = {value}: use 0 or more", name=name, value=value)
        if name.endswith("_percent") and value > 100:
            yield told("above_hundred", f"{name} = {value}: use at most 100", name=name, value=value)
    if limits.promise_days > DAYS_MOST or max(limits.early_days, limits.defer_days, limits.part_days) > DAYS_MOST * 3:
        ahead = f"a promise at most {DAYS_MOST} days ahead, an offer at most {DAYS_MOST * 3}"
        yield told("days_ahead", ahead, promise=DAYS_MOST, offer=DAYS_MOST * 3)
    if limits.parts > PARTS_MOST:
        yield told(
            "parts_most", f"parts = {limits.parts}: use at most {PARTS_MOST}", value=limits.parts, most=PARTS_MOST
        )
    if not limits.open_minute < limits.close_minute < 24 * 60:
        between = "open_minute and close_minute: use minutes of the day, the first below the second"
        yield told("minutes_of_day", between)
    if limits.round_to < 1 or limits.part_days < 1:
        yield told("one_or_more", "round_to and part_days: use 1 or more")
    if limits.closed_days - set(range(7)) or len(limits.closed_days) == 7:
        yield told("closed_days", "closed_days: use weekdays, 0 is Monday; leave one open")


def offers(debt: Debt, limits: Limits, today: date) -> tuple[Offer, ...]:
    """Those that the limits allow, at most one of each name."""
    return tuple(_offers(debt, limits, today)) if debt.amount > 0 else ()


def _offers(debt: Debt, limits: Limits, today: date) -> Iterator[Offer]:
    waived = min(max(0, debt.incentive), debt.amount * limits.early_percent // 100)
    if limits.early_days > 0 and 0 < waived < debt.amount:
        yield Offer(EARLY, (Payment(today + timedelta(limits.early_days), debt.amount - waived),), waived)
    plans = [plan for count in range(PARTS_LEAST, _most(limits) + 1) if (plan := _plan(debt, limits, today, count))]
    if plans:
        yield plans[0]
    if len(plans) > 1:
        yield Offer(LONG, plans[-1].payments, plans[-1].waived, plans[-1].fee)
    if limits.defer_days > 0:
        payment = Payment(today + timedelta(limits.defer_days), debt.amount + limits.defer_fee)
        yield Offer(DEFER, (payment,), fee=limits.defer_fee)


def _most(limits: Limits) -> int:
    return min(limits.parts, PARTS_MOST)


def _plan(debt: Debt, limits: Limits, today: date, count: int) -> Offer | None:
    """Instalments: those after the first are equal and round, the first takes what is left. None: too small."""
    waived = min(max(0, debt.interest), debt.amount) * limits.interest_cut_percent // 100
    total = debt.amount - waived + limits.parts_fee
    first_least = max(debt.minimum, limits.part_least, -(-total * limits.first_percent // 100))
    rest = min(total - first_least, total * (count - 1) // count) // (count - 1)
    rest -= rest % limits.round_to
    first = total - rest * (count - 1)
    if rest < max(1, limits.part_least):
        return None
    days = [limits.first_days + limits.part_days * number for number in range(count)]
    sums = [first] + [rest] * (count - 1)
    payments = tuple(Payment(today + timedelta(day), one) for day, one in zip(days, sums, strict=True))
    return Offer(SHORT, payments, waived, limits.parts_fee)


def none_offered(campaign: str, lender: str) -> Limits:
    """Where no lender has said what he takes."""
    return Limits()


# ---- one debtor's


def digits(text: str) -> str:
    """`8077 0812-3456` -> its digits; empty: it holds anything else."""
    bare = "".join(char for char in text if char not in " .-")
    return bare if bare.isascii() and bare.isdecimal() else ""


def debt_of(contact: Contact) -> Debt:
    """What he owes, as the list tells it."""
    interest = digits(dict(contact.custom).get(CUSTOM_INTEREST, ""))
    return Debt(contact.amount, contact.minimum, contact.incentive, int(interest[:18] or 0))


def for_contact(contact: Contact, limits: Limits, today: date) -> tuple[Offer, ...]:
    """What he may be offered on this day of his."""
    return offers(debt_of(contact), limits, today)


def fault(value: str, contact: Contact, limits: Limits, today: date) -> str:
    """Why this offer cannot be agreed today, as a sentence for the agent; empty: it can. `value`: as `str(Offer)`."""
    now = for_contact(contact, limits, today)
    if not now:
        return "the lender offers nothing for this account"
    if value in map(str, now):
        return ""
    return f"the lender does not offer this, or not any more: choose one of {', '.join(one.name for one in now)}"
