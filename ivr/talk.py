"""What is known when a conversation begins, where it stands, and which conditions hold."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from dialer.debts.plans import Limits, Offer
from dialer.law.places import Reach
from ivr import spoken
from ivr.hours import OwnHours
from ivr.prompts import spoken_words
from ivr.words import VERIFIED

BIRTH_DIGITS = 8  # a date of birth, DDMMYYYY
_FRIDAY = 4


@dataclass(frozen=True, slots=True)
class Talk:
    """All that is known when the conversation begins. `proves` tells whether what was keyed is the secret."""

    today: date
    minute: int = 12 * 60  # of the debtor's day
    zone: tzinfo = UTC
    greeting: str = "hello"
    language: str = "id"
    switch: bool = False  # the other language is offered
    caller: str = ""
    agent: bool = False  # a person can be asked for
    name: str = ""
    lender: str = ""
    product: str = ""
    currency: str = "IDR"
    amount: int = 0
    due: date | None = None
    secret_digits: int = 0  # 0: a key is proof enough
    proves: Callable[[str], bool] = lambda _: False
    va_number: str = ""
    va_bank: str = ""
    send: bool = False  # a worker sends messages
    region: str = "ID"  # whose numbers a debtor keys without a country code
    limits: Limits = field(default_factory=Limits)
    own: OwnHours = field(default_factory=OwnHours)  # the campaign's, for call-backs
    reach: Reach | None = None  # what the gate leaves open to them; None: not known here
    offers: tuple[Offer, ...] = ()

    @property
    def friday(self) -> date:
        """The next one, never today."""
        return self.today + timedelta(days=(_FRIDAY - self.today.weekday() - 1) % 7 + 1)

    @property
    def last(self) -> date:
        """The last day that may be promised."""
        return self.today + timedelta(days=self.limits.promise_days)

    def offer(self, name: str) -> Offer | None:
        """The one of that name."""
        return next((offer for offer in self.offers if offer.name == name), None)

    def moment(self, day: date, minute: int) -> datetime:
        """A minute of the debtor's day, with his zone."""
        return datetime.combine(day, time(minute // 60, minute % 60), self.zone)


@dataclass(frozen=True, slots=True)
class State:
    """Where the conversation is, and what was learnt."""

    step: str
    language: str = "id"
    came_from: str = ""  # the last step that listened
    proved: bool = False
    verified: bool = False
    repeats: int = 0
    misses: int = 0  # of the entry now
    secret_misses: int = 0  # of the whole conversation: no way through a flow gives more tries
    promise: date | None = None
    offer: str = ""
    call_time: datetime | None = None
    number: str = ""
    turns: int = 0


def conditions(talk: Talk, state: State) -> frozenset[str]:
    """The words after `if` that hold now."""
    overdue = (talk.today - talk.due).days if talk.due else None
    taken = talk.offer(state.offer)
    holding = {
        talk.greeting: True,
        "caller": bool(talk.caller),
        "name": bool(talk.name),
        "switch": talk.switch,
        "secret": talk.secret_digits > 0,
        "birth": talk.secret_digits == BIRTH_DIGITS,
        "agent": talk.agent,
        "amount": talk.amount > 0,
        "due": overdue is not None,
        "due_later": overdue is not None and overdue < 0,
        "due_today": overdue == 0,
        "due_late": overdue is not None and overdue > 0,
        "va": bool(talk.va_number),
        "va_bank": bool(talk.va_number and spoken_words(talk.va_bank)),
        "send": talk.send,
        "friday": talk.friday <= talk.last,
        "offers": bool(talk.offers),
        "waived": taken is not None and taken.waived > 0,
        "charged": taken is not None and taken.fee > 0,
        "two_parts": taken is not None and len(taken.payments) == 2,
        VERIFIED: state.verified,
    } | {offer.name: True for offer in talk.offers}
    return frozenset(word for word, holds in holding.items() if holds)


def other(language: str) -> str:
    """The other of the two languages."""
    return spoken.LANGUAGES[language == spoken.LANGUAGES[0]]
