"""The codec of contacts: all of it comes back, entries of old are read, nonsense is an error of one kind."""

import random
from dataclasses import fields, replace
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.redis_codec import Reader, encode
from dialer.adapters.redis_contact import HEAD, decode_contact, encode_contact, read_contact
from dialer.errors import BadInput
from dialer.model import Consent, Contact, Number, NumberKind, NumberState

KEY = "0123456789abcdef0123456789abcdef"
FULL = Contact(
    id="c1", person=KEY, numbers=(
        Number("+6281234567890", KEY, NumberKind.EMERGENCY, NumberState.GOOD, "1/2 0/3", 5.5, 6.5), Number("+1", "n"),
    ),
    name="Siti", language="id", zone="Asia/Jakarta", lender="Bank", product="loan", currency="USD", amount=1,
    due=date.max, secret=KEY[:16], secret_digits=8, priority=-3, tries=2, next_number=1, alias="a1a2a3a4a5a6a7a8",
    account="7",
    minimum=2, fee=3, incentive=4, province="Bali", regency="Badung", post_code="80361",
    consents=(Consent("calls", "form", date(2026, 1, 2)),), custom=(("shoe", "43"),), score=7, expires=1.5, last_at=2.5,
    callback_at=3.5, callback_agent="101", broken_at=1_800_000_000.5, paid=("00ff",),
    came=(("busy", 2),), rev=255,
)  # fmt: skip
PLAIN = Contact("c1", "p", ())
OLD = (  # as the first version wrote it
    b'{"id":"c1","person":"p1","numbers":[{"e164":"+62812","key":"n1","kind":"debtor"}],"name":"Budi","language":"",'
    b'"zone":"","lender":"","product":"","currency":"IDR","amount":5,"due":"2026-11-01","secret":"","secret_digits":0,'
    b'"priority":4,"tries":1,"next_number":0}'
)


def test_every_field_comes_back() -> None:
    """A new field of the model has to be given to the codec, and to this test."""
    for name, value, plain in [
        *((one.name, getattr(FULL, one.name), getattr(PLAIN, one.name)) for one in fields(Contact) if one.name != "id"),
        *((one.name, getattr(FULL.numbers[0], one.name), getattr(Number("", ""), one.name)) for one in fields(Number)),
    ]:
        assert value != plain, f"{name} is not tried here"
    assert decode_contact(encode_contact(FULL), "c1") == FULL
    assert decode_contact(encode_contact(PLAIN), "c1") == PLAIN


def test_it_is_short() -> None:
    one = Contact(KEY, KEY, (Number("+6281234567890", KEY),), "Siti Aminah", "id", "Asia/Jakarta", "Bank", "loan",
                  amount=1_250_000, due=date(2026, 11, 1), secret=KEY, secret_digits=8, alias=KEY[:16])  # fmt: skip
    assert len(encode_contact(one)) < 200 < len(encode(one)) / 3


def test_entries_of_the_first_version_are_read() -> None:
    old = decode_contact(OLD, "c1")
    assert old == Contact(
        "c1", "p1", (Number("+62812", "n1"),), "Budi", amount=5, due=date(2026, 11, 1), priority=4, tries=1
    )
    assert decode_contact(encode(FULL), "c1") == FULL, "and what was written as JSON up to yesterday"
    with pytest.raises(ValueError, match="another name"):
        decode_contact(OLD, "c2")


def test_words_of_a_later_version_are_no_obstacle() -> None:
    raw = encode_contact(FULL)
    later = msgspec.msgpack.decode(raw[HEAD.size :]) | {"ZZ": [1, 2]}
    assert decode_contact(raw[: HEAD.size] + msgspec.msgpack.encode(later), "c1") == FULL


names = st.one_of(
    st.text(max_size=40), st.sampled_from([KEY, KEY.upper(), KEY[:15], "00", "\0", "\0a", "\1", " 00", ""])
)
numbers = st.builds(Number, names | st.from_regex(r"\+[0-9]{1,20}", fullmatch=True), names, past=names)


@given(st.builds(Contact, id=st.just("c"), person=names, numbers=st.lists(numbers, max_size=4).map(tuple), name=names,
                 secret=names, alias=names, amount=st.integers(-(2**63), 2**64 - 1), due=st.none() | st.dates(),
                 priority=st.integers(-(2**63), 2**63), score=st.integers(-(2**63), 2**63)))  # fmt: skip
def test_whatever_it_is_it_comes_back(one: Contact) -> None:
    assert decode_contact(encode_contact(one), "c") == one


@pytest.mark.parametrize("change", [{"amount": 2**64}, {"name": "\udc80"}, {"person": "\udc80"}])
def test_what_cannot_be_kept_is_said(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="contact c1"):
        encode_contact(replace(PLAIN, **change))


def test_nonsense_is_named_and_never_fatal() -> None:
    reader, seed = Reader(), random.Random(4)
    good = [encode_contact(FULL), OLD, encode_contact(PLAIN)]
    head = good[0][: HEAD.size]
    hostile = [b"", b"\1", b"\2" + good[0][1:], head, head + b"\x80", b"{}", b"[]", b"\xff" * 9,
               head + msgspec.msgpack.encode({"p": b"", "n": [], "d": 10**12}),
               head + msgspec.msgpack.encode({"p": b"\xff\xfe", "n": []}),
               head + msgspec.msgpack.encode({"p": b"", "n": [], "e": [["a", "b", -1]]}),
               head + b"\xdf\xff\xff\xff\xff", head + b"\x91" * 5000]  # fmt: skip
    for raw in hostile:
        assert read_contact(reader, raw, "key", "c1") is None, raw
    assert reader.broken["key"] == len(hostile)
    for _ in range(3000):
        bad = bytearray(seed.choice(good))
        for _ in range(seed.randint(1, 4)):
            bad[seed.randrange(len(bad))] = seed.randrange(256)
        read_contact(reader, bytes(bad[: seed.randint(0, len(bad))]), "fuzz", "c1")
    assert 0 < reader.broken["fuzz"] <= 3000
    assert read_contact(reader, None, "key", "c1") is None
