"""The words that a flow may use: conditions, slots, entries, actions, facts. docs/ivr-flows.md prints these tables."""

from collections.abc import Mapping
from dataclasses import dataclass

VERIFIED, PROVED = "verified", "proved"
PROMISE, OFFER, CALL_TIME, NUMBER = "promise", "offer", "call_time", "number"  # what a conversation may have learnt


@dataclass(frozen=True, slots=True)
class Slot:
    """What `{slot}` in a text is filled with. `needs`: one of these must hold, or have been learnt, on every way."""

    meaning: str
    needs: tuple[str, ...] = ()
    debt: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """Digits awaited: what their check may find, what `ok` then gives, how many digits at most."""

    meaning: str
    results: tuple[str, ...]
    gives: str = ""
    count: int = 4


@dataclass(frozen=True, slots=True)
class Action:
    """What `does` does; `needs` a condition, `gives` what is learnt."""

    meaning: str
    needs: str = ""
    gives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """A fact. `must`: it is a choice, stored before anything of it is said; `value` says how its value is written."""

    meaning: str
    value: str = ""
    must: bool = False
    needs: tuple[str, ...] = ()
    own: bool = False  # told by the machine itself, not by a step


CONDITIONS: Mapping[str, str] = {
    "hello": "the hour of the debtor's day is not known",
    "morning": "his morning",
    "noon": "his noon",
    "afternoon": "his afternoon",
    "evening": "his evening",
    "caller": "the campaign names who calls",
    "name": "his name is known",
    "switch": "his language is not known: offer the other",
    "secret": "the list has a secret to prove who he is",
    "birth": "the secret is his birth date",
    "agent": "a person can be asked for",
    "amount": "a sum is owed",
    "due": "there is a due date",
    "due_later": "it lies ahead",
    "due_today": "it is today",
    "due_late": "it has passed",
    "va": "a virtual account to pay into (`custom:va_number`, its bank in `custom:va_bank`)",
    "va_bank": "its bank is known",
    "send": "a worker sends messages (`ivr serve --send`)",
    "friday": "the next Friday is within the lender's limit",
    "offers": "the lender's limits allow one of the offers below",
    "early": "offer: in full soon, for less",
    "short": "offer: instalments, the fewest",
    "long": "offer: instalments, the most, where that is more",
    "defer": "offer: in full later",
    "waived": "the offer taken waives something",
    "charged": "the offer taken costs a fee",
    "two_parts": "the offer taken is paid in two parts",
    "verified": "he has proved who he is",
}
IMPLIES: Mapping[str, tuple[str, ...]] = {
    "birth": ("secret",), "due_later": ("due",), "due_today": ("due",), "due_late": ("due",), "va_bank": ("va",),
    "early": ("offers", "amount"), "short": ("offers", "amount"), "long": ("offers", "short", "amount"),
    "defer": ("offers", "amount"), "offers": ("amount",), "waived": ("offer",), "charged": ("offer",),
    "two_parts": ("offer",),
}  # fmt: skip
EXCLUSIVE = (
    frozenset({"hello", "morning", "noon", "afternoon", "evening"}), frozenset({"due_later", "due_today", "due_late"})
)  # fmt: skip

SLOTS: Mapping[str, Slot] = {
    "caller": Slot("who calls, as the campaign names him", ("caller",), debt=False),
    "name": Slot("the debtor's name", ("name",), debt=False),
    "count": Slot("how many digits the secret has", ("secret",), debt=False),
    "what": Slot("product and lender, else `what_bill`"),
    "amount": Slot("the sum owed", ("amount",)),
    "due": Slot("the due date", ("due",)),
    "late": Slot("days since then", ("due_late",)),
    "last": Slot("the last day that may be promised"),
    "example": Slot("a day that may be promised"),
    "example_keys": Slot("how it is keyed"),
    "friday": Slot("the next Friday, with its date", ("friday",)),
    "promise": Slot("the day promised", (PROMISE,)),
    "va_bank": Slot("the bank of the virtual account", ("va_bank",)),
    "va_number": Slot("its number, digit by digit in groups", ("va",)),
    "early_sum": Slot("sum of the offer `early`", ("early",)),
    "early_day": Slot("its last day", ("early",)),
    "short_count": Slot("how many instalments", ("short",)),
    "long_count": Slot("how many instalments", ("long",)),
    "defer_day": Slot("last day of the offer `defer`", ("defer",)),
    "offer_sum": Slot("the whole sum of the offer taken", (OFFER,)),
    "offer_count": Slot("how many payments", (OFFER,)),
    "offer_first": Slot("the first payment", (OFFER,)),
    "offer_first_day": Slot("its day", (OFFER,)),
    "offer_rest": Slot("each further payment", (OFFER,)),
    "offer_last_day": Slot("day of the last payment", (OFFER,)),
    "offer_waived": Slot("what the lender waives", ("waived",)),
    "offer_fee": Slot("what the offer costs", ("charged",)),
    "call_time": Slot("day and hour at which he is called again", (CALL_TIME,), debt=False),
    "opens": Slot("the hour from which he may be called", debt=False),
    "closes": Slot("the hour until which he may be", debt=False),
    "number": Slot("the number keyed, digit by digit", (NUMBER,), debt=False),
}

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PARTS: Mapping[str, tuple[str, ...]] = {  # texts of [parts] that fill a slot
    "what": ("what_bill", "what_from"), "friday": _WEEK, "promise": _WEEK,
    "call_time": ("today", "tomorrow", "at", *_WEEK),
}  # fmt: skip

_RETRY = ("given_up",)
ENTRIES: Mapping[str, Entry] = {
    "secret": Entry("his birth date DDMMYYYY, or last digits, as the list has it", ("ok", "bad", *_RETRY), PROVED, 0),
    "date": Entry("a day to pay, DDMM", ("ok", "unreal", "past", "far", *_RETRY), PROMISE),
    "hour": Entry("an hour of his day, HHMM", ("ok", "unreal", "closed", *_RETRY), CALL_TIME),
    "number": Entry("a telephone number, ended by #", ("ok", "bad", *_RETRY), NUMBER, 15),
}

ACTIONS: Mapping[str, Action] = {
    "switch_language": Action("goes on in the other language"),
    "promise_today": Action("the day promised is today", gives=(PROMISE,)),
    "promise_friday": Action("the day promised is the next Friday", "friday", (PROMISE,)),
    "call_morning": Action("call again at 9:00, today or the next day that is open", gives=(CALL_TIME,)),
    "call_soon": Action("in a quarter of an hour, or when calls are next allowed", gives=(CALL_TIME,)),
    "call_noon": Action("at 13:00", gives=(CALL_TIME,)),
    "call_afternoon": Action("at 16:00", gives=(CALL_TIME,)),
    "take_early": Action("takes the offer, and promises its first payment", "early", (OFFER, PROMISE)),
    "take_short": Action("likewise", "short", (OFFER, PROMISE)),
    "take_long": Action("likewise", "long", (OFFER, PROMISE)),
    "take_defer": Action("likewise", "defer", (OFFER, PROMISE)),
}

_KEYED = "each key; secrets and telephone numbers as `*`"
FACTS: Mapping[str, Word] = {
    "flow": Word("which conversation it was", "id@version", own=True),
    "language": Word("spoken from here on", "id, en"),
    "step": Word("a step that awaits keys or ends; in order: the path", "its name", own=True),
    "key": Word(_KEYED, "what was keyed", own=True),
    "verified": Word("he has proved who he is"),
    "not_verified": Word("he could not"),
    "told": Word("the debt was told"),
    "no_input": Word("he was silent, or pressed wrong keys, too often"),
    "pay_now": Word("he heard the virtual account", must=True, needs=("va",)),
    "send_va": Word("he wants the virtual account as a message: for a worker", must=True, needs=("va",)),
    "promise": Word("he will pay", "YYYY-MM-DD;sum", must=True, needs=(PROMISE,)),
    "offer": Word("he took an offer; its first payment is a promise too", "name;day=sum;day=sum...", True, (OFFER,)),
    "paid_claim": Word("he says that he has paid", must=True),
    "dispute": Word("he says that the bill is not right", must=True),
    "hardship": Word("he cannot pay now", must=True),
    "call_back": Word("he asks to be called then", "2026-11-23T09:00+07:00", must=True, needs=(CALL_TIME,)),
    "new_number": Word("a better number of his own", "E.164", must=True, needs=(NUMBER,)),
    "not_at_home": Word("he is not there now; somebody else spoke", must=True),
    "wrong_person": Word("the number is somebody else's", must=True),
    "stop": Word("he wants no more calls", must=True),
    "wants_agent": Word("he asks for a person", "step;verified or not;day promised", must=True),
    "closed": Word("the last one", "how, seconds, last step", own=True),
}

SPOKEN_MOST = 5  # choices offered at one place
KEYS = "0123456789"  # `*` says a step again, `#` ends an entry
DEBT_WORDS: Mapping[str, frozenset[str]] = {
    "id": frozenset(
        "tagihan utang hutang pinjaman cicilan angsuran kredit tunggakan jatuh tempo bayar membayar pembayaran"
        " pelunasan lunas denda kreditur debitur".split()
    ),
    "en": frozenset(
        "bill bills debt debts loan loans instalment instalments credit arrears due overdue pay paid paying payment"
        " payments owe owed lender borrower".split()
    ),
}
NEVER_ASKED = (
    "nomor kartu", "angka kartu", "masa berlaku kartu", "pin", "cvv", "cvc", "otp", "kata sandi", "sandi",
    "card number", "number of your card", "digits of your card", "password", "security code",
)  # fmt: skip
