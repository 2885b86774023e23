"""From a row of the list to the talk about it: language, greeting, secret, virtual account, what the lender offers."""

from dataclasses import replace
from datetime import UTC, date, datetime

from dialer.debts.plans import Limits, debt_of, digits, offers
from dialer.law.places import Reach
from dialer.model import Campaign, Contact, Kind
from ivr import spoken, verify
from ivr.hours import own_hours
from ivr.talk import Talk

VA_DIGITS = range(6, 31)
CUSTOM_VA_NUMBER, CUSTOM_VA_BANK = "va_number", "va_bank"  # columns `custom:...` of the list


def prepared(
    debtor: Contact, campaign: Campaign, now: datetime, language: str, key: bytes, limits: Limits, send: bool = False,
    reach: Reach | None = None,
) -> Talk:  # fmt: skip
    """`now`: on the debtor's clock; `language`: the call's own, where neither list nor campaign name one we speak."""
    custom = dict(debtor.custom)
    limits = replace(limits, promise_days=min(limits.promise_days, campaign.promise_days_max))
    va_number = digits(custom.get(CUSTOM_VA_NUMBER, ""))
    return Talk(
        today=now.date(),
        minute=now.hour * 60 + now.minute,
        zone=now.tzinfo or UTC,
        greeting=greeting(now.hour) if debtor.zone else "hello",
        language=_language(debtor.language, campaign.language, language),
        switch=not debtor.language,
        caller=campaign.caller_name,
        agent=campaign.kind is Kind.AGENTS or campaign.ivr_agents,
        name=debtor.name,
        lender=debtor.lender,
        product=debtor.product,
        currency=debtor.currency,
        amount=debtor.amount,
        due=_date(debtor.due),
        secret_digits=debtor.secret_digits if debtor.secret else 0,
        proves=lambda keyed: verify.proves(key, debtor.secret, keyed),
        va_number=va_number if len(va_number) in VA_DIGITS else "",
        va_bank=custom.get(CUSTOM_VA_BANK, ""),
        send=send,
        limits=limits,
        own=own_hours(campaign),
        reach=reach,
        offers=offers(debt_of(debtor), limits, now.date()),
    )


def _language(*wanted: str) -> str:
    """The first that we speak."""
    return next((language for language in wanted if language in spoken.LANGUAGES), "id")


def _date(due: date | datetime | None) -> date | None:
    return due.date() if isinstance(due, datetime) else due


def greeting(hour: int) -> str:
    """What is said at this hour of the debtor's day."""
    for until, name in ((4, "evening"), (11, "morning"), (15, "noon"), (18, "afternoon")):
        if hour < until:
            return name
    return "evening"
