"""How often each number, month and word is said: every sentence that holds one, over invented debtors."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from string import Formatter

from dialer.debts.plans import DEFER, EARLY, LONG, SHORT, Offer, Payment
from ivr.prompts import sentence
from ivr.slots import Slots
from ivr.talk import State, Talk
from ivr.texts import Said

DEBTORS = 120
TODAY = date(2026, 1, 1)
_STEP = 125_000  # rupiah from one to the next: up to 15 million
_INSTALMENTS = (2, 3, 4, 5, 6, 9, 12)


def counted(language: str, said: Said) -> Counter[str]:
    """Piece, with the mark that tells whether the voice stays up -> how often."""
    sentences, words = said.sentences.get(language, {}), said.words.get(language, {})
    found: Counter[str] = Counter()
    people = list(_people(language))
    for name, text in sentences.items():
        if any(slot for _, slot, _, _ in Formatter().parse(text)):
            parts = _parts(words, name)
            for talk, state in people:
                slots = Slots(talk, state, language, parts)
                found.update(piece.text for piece in sentence(name, language, slots, texts=sentences).pieces)
    return found


def _parts(words: Mapping[str, str], name: str) -> Mapping[str, str]:
    """Those of the sentence's own flow."""
    folder = name[: name.rfind("/") + 1]
    return {word[len(folder) :]: text for word, text in words.items() if word[: word.rfind("/") + 1] == folder}


def _people(language: str) -> Iterator[tuple[Talk, State]]:
    """Each with another sum, day, hour and plan."""
    for number in range(DEBTORS):
        today = TODAY + timedelta(days=number * 365 // DEBTORS)
        sum_ = _STEP * (number + 1)
        due = today - timedelta(days=number % 99 + 1)
        plans = tuple(_offers(today, sum_, _INSTALMENTS[number % len(_INSTALMENTS)]))
        talk = Talk(
            today=today, language=language, caller="?", name="?", lender="A" * (number % 2), amount=sum_, due=due,
            secret_digits=4, va_number=f"{8077_0812_3456_0000 + 37 * number}", va_bank="?", offers=plans,
        )  # fmt: skip
        call = talk.moment(today + timedelta(days=number % 4), 8 * 60 + number % 24 * 30)
        state = State("", language, promise=today + timedelta(days=number % 15), call_time=call)
        phone = f"+62812{34_560_000 + 7_919 * number}"
        yield talk, replace(state, offer=plans[number % len(plans)].name, number=phone)


def _offers(today: date, sum_: int, count: int) -> Iterator[Offer]:
    week = today + timedelta(days=7)
    yield Offer(EARLY, (Payment(week, sum_ * 9 // 10),), waived=sum_ // 10)
    for name, parts in ((SHORT, 2), (LONG, count)):
        days = [week + timedelta(days=30 * part) for part in range(parts)]
        yield Offer(name, tuple(Payment(day, sum_ // parts // 1000 * 1000) for day in days), sum_ // 20, 10_000)
    yield Offer(DEFER, (Payment(week, sum_ + 25_000),), fee=25_000)
