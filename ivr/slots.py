"""What the slots of a text hold, as pieces of speech."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from dialer.debts.plans import DEFER, EARLY, LONG, SHORT, Offer, Payment
from ivr import spoken
from ivr.entries import told_hours
from ivr.prompts import spoken_name, spoken_words
from ivr.spoken import Pieces
from ivr.talk import State, Talk

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Slots(dict[str, Pieces]):
    """Made when asked for. `words`: the texts of the language, whose parts fill slots too."""

    def __init__(self, talk: Talk, state: State, language: str, words: Mapping[str, str]) -> None:
        self.talk, self.state, self.language, self.words = talk, state, language, words

    def __missing__(self, slot: str) -> Pieces:
        return _FILL[slot](self)

    def money(self, amount: int) -> Pieces:
        return spoken.money(amount, self.talk.currency, self.language)

    def day(self, when: date) -> Pieces:
        return spoken.day(when, self.talk.today, self.language)

    def count(self, number: int) -> Pieces:
        return spoken.cardinal(number, self.language)

    def part(self, name: str) -> Pieces:
        """A text of [parts], if this flow has it."""
        return (self.words[name],) if name in self.words else ()

    def what(self) -> Pieces:
        product, lender = spoken_words(self.talk.product), spoken_words(self.talk.lender)
        pieces = (product,) if product else self.part("what_bill")
        return (*pieces, *self.part("what_from"), lender) if lender else pieces

    def weekday(self, when: date) -> Pieces:
        return (*self.part(_WEEKDAYS[when.weekday()]), *self.day(when))

    def moment(self, when: datetime) -> Pieces:
        """Today or tomorrow or a date, and the hour."""
        ahead = (when.date() - self.talk.today).days
        day = self.part("today" if ahead == 0 else "tomorrow") if ahead < 2 else self.weekday(when.date())
        return (*day, *self.part("at"), *self.clock(when.hour * 60 + when.minute))

    def clock(self, minute: int) -> Pieces:
        """A minute of the day."""
        return spoken.clock(f"{minute // 60:02}{minute % 60:02}", self.language)

    def offer(self, name: str = "") -> Offer:
        """That one, or the one taken."""
        return self.talk.offer(name or self.state.offer) or Offer("", (Payment(self.talk.today, 0),))

    def example(self) -> date:
        return self.talk.today + timedelta(days=min(3, self.talk.limits.promise_days))


_FILL: Mapping[str, Callable[[Slots], Pieces]] = {
    "caller": lambda one: (spoken_words(one.talk.caller),),
    "name": lambda one: (spoken_name(one.talk.name),),
    "count": lambda one: one.count(one.talk.secret_digits),
    "what": lambda one: one.what(),
    "amount": lambda one: one.money(one.talk.amount),
    "due": lambda one: one.day(one.talk.due or one.talk.today),
    "late": lambda one: spoken.days((one.talk.today - (one.talk.due or one.talk.today)).days, one.language),
    "last": lambda one: one.day(one.talk.last),
    "example": lambda one: one.day(one.example()),
    "example_keys": lambda one: spoken.digits(one.example().strftime("%d%m"), one.language),
    "friday": lambda one: one.weekday(one.talk.friday),
    "promise": lambda one: one.weekday(one.state.promise or one.talk.today),
    "va_bank": lambda one: (spoken_words(one.talk.va_bank),),
    "va_number": lambda one: spoken.groups(one.talk.va_number, one.language),
    "early_sum": lambda one: one.money(one.offer(EARLY).total),
    "early_day": lambda one: one.day(one.offer(EARLY).payments[-1].day),
    "short_count": lambda one: one.count(len(one.offer(SHORT).payments)),
    "long_count": lambda one: one.count(len(one.offer(LONG).payments)),
    "defer_day": lambda one: one.day(one.offer(DEFER).payments[-1].day),
    "offer_sum": lambda one: one.money(one.offer().total),
    "offer_count": lambda one: one.count(len(one.offer().payments)),
    "offer_first": lambda one: one.money(one.offer().payments[0].amount),
    "offer_first_day": lambda one: one.day(one.offer().payments[0].day),
    "offer_rest": lambda one: one.money(one.offer().payments[-1].amount),
    "offer_last_day": lambda one: one.day(one.offer().payments[-1].day),
    "offer_waived": lambda one: one.money(one.offer().waived),
    "offer_fee": lambda one: one.money(one.offer().fee),
    "call_time": lambda one: one.moment(one.state.call_time or one.talk.moment(one.talk.today, one.talk.minute)),
    "opens": lambda one: one.clock(told_hours(one.talk)[0]),
    "closes": lambda one: one.clock(told_hours(one.talk)[1]),
    "number": lambda one: spoken.groups(_national(one.state.number), one.language),
}


def _national(number: str) -> str:
    """As people of the country key it."""
    return f"0{number[3:]}" if number.startswith("+62") else number.lstrip("+")
