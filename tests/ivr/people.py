"""Debtors of every kind, for whom every turn of a flow is walked."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from dialer.debts.plans import Debt, Limits, offers
from ivr.dialogue import Dialogue, Turn, between
from ivr.flow import Flow
from ivr.shipped import shipped
from ivr.talk import Talk

TODAY = date(2026, 11, 21)  # a Saturday
GENEROUS = Limits(
    early_days=3, early_percent=10, parts=3, part_least=100_000, first_percent=30, interest_cut_percent=50,
    parts_fee=10_000, defer_days=14, defer_fee=25_000, round_to=1000,
)  # fmt: skip
FULL = Talk(
    today=TODAY, language="id", switch=True, caller="Dana Sejahtera", agent=True, name="Budi Santoso",
    lender="Bank Maju", product="Kredit Motor", amount=1_250_000, due=date(2026, 11, 18), secret_digits=4,
    proves=lambda keyed: keyed == "1234", va_number="8077081234567890", va_bank="Bank Maju", send=True,
    limits=GENEROUS, offers=offers(Debt(1_250_000, 0, 100_000, 150_000), GENEROUS, TODAY),
)  # fmt: skip
POOR = replace(FULL, limits=Limits(), offers=(), va_number="", va_bank="", send=False)
ONLY_EARLY = replace(GENEROUS, parts=0, defer_days=0)
TALKS = {
    "everything": FULL,
    "no offers, no account": POOR,
    "english": replace(FULL, language="en", switch=False, greeting="evening"),
    "no agent": replace(FULL, agent=False, greeting="morning"),
    "no secret": replace(FULL, secret_digits=0, greeting="noon"),
    "no name": replace(POOR, name="", greeting="afternoon"),
    "due later": replace(POOR, due=TODAY + timedelta(days=3)),
    "due today": replace(POOR, due=TODAY, agent=False),
    "bare": Talk(today=TODAY, name="Ani"),
    "birth date": replace(POOR, secret_digits=8, proves=lambda keyed: keyed == "17081990"),
    "one offer, no message": replace(
        FULL, send=False, va_bank="", limits=ONLY_EARLY, offers=offers(Debt(900_000, 0, 50_000), ONLY_EARLY, TODAY)
    ),
    "promise today only": replace(POOR, limits=Limits(promise_days=0)),
}
ENTERED = {
    "": ["", *"0123456789*"],
    "secret": ["", "*", "1234", "9999", "17081990", "11"],
    "date": ["", "*", "2511", "3113", "2011", "2512", "11"],
    "hour": ["", "*", "1000", "2561", "0300", "2359"],
    "number": ["", "*", "081234567890", "12345", "0812*"],
}

Edge = tuple[Turn, str, Turn]


def dialogue(name: str, flow: Flow | None = None) -> Dialogue:
    """The shipped flow, or another, with one of them."""
    return between(flow or shipped(), TALKS[name])


def edges(one: Dialogue) -> Iterator[Edge]:
    """Every turn that can follow every turn, whatever is keyed and whether or not it can be stored.

    Turns are set back, and what was promised is left out once it leads nowhere else, so that the graph is small.
    """
    first = one.begin()
    seen, waiting = {first.state}, deque([first])
    while waiting:
        turn = waiting.popleft()
        following = [("not stored", one.not_stored(turn.state))] if turn.must else []
        if turn.listen:
            heard = ENTERED[one.flow.steps[turn.state.step].entry]
            following += [(keyed, one.hear(turn.state, keyed)) for keyed in heard]
        for keyed, after in following:
            yield turn, keyed, after
            state = replace(after.state, turns=0, came_from="")
            if not NEEDED & {state.step}:
                state = replace(state, promise=None, offer="", call_time=None, number="")
            anew = replace(after, state=state)
            if state not in seen:
                seen.add(state)
                waiting.append(anew)


NEEDED = {"confirm", "early_ask", "parts_ask", "defer_ask", "later_ask", "number_ask"}  # they speak of what was learnt
