"""A person's history: what a call leaves there, and what a note may hold."""

from datetime import date

from dialer.debts.history import NOTE_MAX, What, is_contact, note, of_call
from dialer.model import Attempt, Number, NumberKind, Outcome, Side, Verdict

AT = 1_800_000_000.7
ATTEMPT = Attempt(
    "a1", "first", "node", "ivr", "trunk", "+6221", "id", "demo", "c1", "p1",
    Number("+628111", "n1", NumberKind.CO_BORROWER), claimed_at=AT - 60, ended_at=AT, agent="101", talk_s=41.6,
)  # fmt: skip
TALKED = Verdict(Outcome.CONNECTED, Side.DEBTOR, "promise")


def test_a_call_leaves_what_was_agreed_and_no_number() -> None:
    said = {"disposition": "promise", "promise_due": "2026-12-01", "promise_amount": "500000", "currency": "IDR"}
    entry = of_call(ATTEMPT, TALKED, said | {"ivr_choice": "offer", "number": "+628111"})
    assert (entry.what, entry.id, entry.at, entry.contact) == (What.CALL, "a1", int(AT), "c1")
    assert (entry.amount, entry.due, entry.currency) == (500_000, date(2026, 12, 1), "IDR")
    assert (entry.talk_s, entry.number_kind, entry.choice) == (42, "co_borrower", "offer")
    assert "628111" not in repr(entry)
    assert is_contact(entry)


def test_a_call_that_nobody_answered_is_no_contact() -> None:
    quiet = Attempt("a1", "first", "node", "ivr", "trunk", "", "id", "demo", "c1", "p1", ATTEMPT.number, claimed_at=AT)
    entry = of_call(quiet, Verdict(Outcome.NO_ANSWER, Side.DEBTOR, "rang"), {"currency": "IDR"})
    assert (entry.at, entry.currency, entry.due) == (int(AT), "", None)
    assert not is_contact(entry)


def test_a_note_is_one_line_without_numbers() -> None:
    entry = note("n1", AT, "sari", "call his\n wife\x00 on 0812-3456-7890 " + "x" * 2000)
    assert entry.text.startswith("call his wife on ")
    assert "3456" not in entry.text
    assert len(entry.text) == NOTE_MAX
