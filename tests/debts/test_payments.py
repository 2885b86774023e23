"""Payments: who sent them, and what is owed after them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.debts.payments import PAYMENTS_KNOWN, WINDOW_S, Told, is_settled, reduced, short, sign, signature_fault
from dialer.model import Contact

SECRET = b"s" * 32
AT = 1_800_000_000.0
BODY = b'{"id":"p1"}'
NOW = "1800000000"


def test_a_right_signature_is_known() -> None:
    """The value is openssl's: printf '1800000000.{"id":"p1"}' | openssl dgst -sha256 -hmac sss...s"""
    assert sign(SECRET, NOW, BODY) == "f71a0fb2915c66bf97bcce47615a614259c8214725677924460dea277d4f3394"
    assert signature_fault(SECRET, NOW, sign(SECRET, NOW, BODY), BODY, AT) == ""


@pytest.mark.parametrize(
    ("timestamp", "signature", "body", "at", "why"),
    [
        (NOW, None, BODY + b" ", AT, "does not fit"),
        ("1800000001", sign(SECRET, NOW, BODY), BODY, AT, "does not fit"),
        (NOW, sign(b"t" * 32, NOW, BODY), BODY, AT, "does not fit"),
        (NOW, "", BODY, AT, "does not fit"),
        (NOW, sign(SECRET, NOW, BODY).upper(), BODY, AT, "does not fit"),
        (NOW, "é" * 64, BODY, AT, "does not fit"),
        (NOW, None, BODY, AT + WINDOW_S + 1, "away"),
        (NOW, None, BODY, AT - WINDOW_S - 1, "away"),
        ("", None, BODY, AT, "no number"),
        ("1e9", None, BODY, AT, "no number"),
        ("-5", None, BODY, AT, "no number"),
        ("٣٣", None, BODY, AT, "no number"),
        ("9" * 13, None, BODY, AT, "no number"),
    ],
)
def test_others_are_not(timestamp: str, signature: str | None, body: bytes, at: float, why: str) -> None:
    given_ = sign(SECRET, timestamp, BODY) if signature is None else signature
    assert why in signature_fault(SECRET, timestamp, given_, body, at)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(1, 500)), max_size=20), st.integers(0, 1000))
def test_each_payment_counts_once(told: list[tuple[str, int]], owed: int) -> None:
    amounts = dict(reversed(told))
    contact = Contact("c", "p", (), amount=owed)
    for name, amount in told:
        contact = reduced(contact, short(name), amount)
    assert contact.amount == max(0, owed - sum(amounts.values()))
    assert len(contact.paid) <= PAYMENTS_KNOWN
    settled = [name for name in amounts if is_settled(contact, short(name))]
    assert bool(settled) is (0 < owed <= sum(amounts.values()))


def test_what_was_never_known_is_never_settled() -> None:
    contact = reduced(Contact("c", "p", ()), short("a"), 5)
    assert contact == Contact("c", "p", ())
    assert not is_settled(contact, short("a"))


def test_the_same_payment_has_the_same_print() -> None:
    told = Told("bank", "1", AT, 5, "IDR", "Bank", "7")
    assert told.print == Told("bank", "1", AT, 5, "IDR", "Bank", "7", reference="other").print
    assert (
        len(
            {
                told.print,
                Told("bank", "1", AT, 6, "IDR", "Bank", "7").print,
                Told("x", "1", AT, 5, "IDR", "Bank", "7").print,
            }
        )
        == 3
    )
