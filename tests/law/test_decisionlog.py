"""The chain of decisions: whoever changes, drops, adds or reorders an entry is found out, and bodies are read back."""

import json
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from hashlib import sha1, sha256
from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.law import decisionlog
from dialer.law.decisionlog import CHANGED, START, Anchor, Decision, Link, linked, read, taken_back, verify
from dialer.model import Attempt, Contact, History, Number, NumberKind, Refused

AT = 1_800_000_000.1234
NUMBERS = (Number("+62811", "secretkey1"), Number("+62812", "secretkey2", NumberKind.WORKPLACE))
CONTACT = Contact(
    "contact-7", "person-key", NUMBERS, "Siti Aminah", lender="Bank", account="998877", alias="0a1b2c3d4e5f6071"
)
ATTEMPT = Attempt("01att", "c", "node", "ivr", "t", "+6221", "id", "indonesia 2026-1", CONTACT.id, CONTACT.person,
                  NUMBERS[1], claimed_at=AT)  # fmt: skip
ALLOWED = decisionlog.allowed(ATTEMPT, CONTACT, History((1.0, 2.0)), History((1.0,)))


def chain(count: int) -> list[Link]:
    links: list[Link] = []
    for i in range(count):
        body = decisionlog.refused(CONTACT, NUMBERS[0], Refused("hours", AT + i), "pack", AT + i)
        links.append(linked(Anchor(links[-1].seq, links[-1].hash) if links else START, body))
    return links


def test_an_allowed_call_says_why() -> None:
    assert read(ALLOWED) == Decision(1_800_000_000.123, "allowed", CONTACT.alias, "01att", 1, "workplace", "", 0.0,
                                     "indonesia 2026-1", {"person": 2, "number": 1})  # fmt: skip


@pytest.mark.parametrize("until", [AT, inf])
def test_a_refusal_says_why(until: float) -> None:
    body = decisionlog.refused(CONTACT, NUMBERS[0], Refused("stop", until), "pack", AT)
    found = read(body)
    assert found is not None
    assert (found.kind, found.rule, found.number, found.until) == ("refused", "stop", 0, round(until, 3))
    gone = decisionlog.refused(replace(CONTACT, numbers=NUMBERS[1:]), NUMBERS[0], Refused("stop", until), "pack", AT)
    assert read(gone) == replace(found, number=-1)


def test_what_is_taken_back_says_so() -> None:
    back = read(taken_back(ALLOWED, AT + 1))
    assert back is not None
    assert (back.kind, back.rule, back.attempt, back.alias) == ("refused", CHANGED, "01att", CONTACT.alias)
    assert taken_back("", AT) == ""


def test_nobody_is_named() -> None:
    for body in (ALLOWED, taken_back(ALLOWED, AT), *(link.body for link in chain(2))):
        for word in (CONTACT.id, CONTACT.person, CONTACT.name, "Siti", CONTACT.account, "62811", "62812", "secretkey"):
            assert word not in body


def test_the_hash_is_what_the_document_says() -> None:
    one, two = chain(2)
    inner = sha256(two.body.encode()).hexdigest()
    assert (one.prev, two.prev) == ("0" * 40, one.hash)
    assert two.hash == sha1(f"{one.hash} 2 {inner}".encode()).hexdigest()


def test_a_chain_holds_from_any_anchor() -> None:
    links = chain(20)
    ends = Anchor(20, links[-1].hash)
    assert verify(links) is None
    assert verify(links, head=ends) is None
    assert verify(links[7:], Anchor(7, links[6].hash), ends) is None
    assert verify([], ends, ends) is None
    assert verify(links[7:]) == 1, "the anchor is missing"
    assert verify(links[:-1], head=ends) == 20, "the last one was cut off"


def drop(links: list[Link], i: int) -> list[Link]:
    return links[:i] + links[i + 1 :]


def again(links: list[Link], i: int) -> list[Link]:
    return links[: i + 1] + links[i:]


def swap(links: list[Link], i: int) -> list[Link]:
    return [*links[:i], links[i + 1], links[i], *links[i + 2 :]]


def put(links: list[Link], i: int) -> list[Link]:
    return [*links[:i], linked(Anchor(i, links[i - 1].hash), ALLOWED), *links[i:]]


def other(links: list[Link], i: int) -> list[Link]:
    return [*links[:i], replace(links[i], body=links[i].body.replace("hours", "hourz")), *links[i + 1 :]]


@pytest.mark.parametrize("harm", [drop, again, swap, put, other])
@pytest.mark.parametrize("i", [1, 5, 8])
def test_the_first_broken_entry_is_named(harm: Callable[[list[Link], int], Sequence[Link]], i: int) -> None:
    links = chain(10)
    broken = verify(harm(links, i), head=Anchor(10, links[-1].hash))
    assert broken == (i + 2 if harm in (again, put) else i + 1)


def test_fuzz_any_change_of_any_field_is_seen() -> None:
    random, links = Random(3), chain(30)
    bad: Any
    for _ in range(500):
        i, name = random.randrange(30), random.choice([field.name for field in fields(Link)])
        value = getattr(links[i], name)
        if isinstance(value, int):
            bad = value + random.choice((-1, 1, 10))
        else:
            at = random.randrange(len(value))
            bad = value[:at] + chr(ord(value[at]) ^ random.choice((1, 2, 4, 32))) + value[at + 1 :]
        changed = replace(links[i], **{name: bad})
        assert verify([*links[:i], changed, *links[i + 1 :]]) == i + 1


@given(st.text() | st.sampled_from(["[]", "{}", "1", '{"kind":"allowed"}', ALLOWED + " "]))
def test_what_is_no_body_is_none(body: str) -> None:
    assert read(body) is None


@pytest.mark.parametrize(
    "change", [{"kind": "perhaps"}, {"at": "x"}, {"number": None}, {"seen": 5}, {"seen": {"a": "b"}}]
)
def test_a_body_with_nonsense_in_it_is_none(change: dict[str, object]) -> None:
    body = json.dumps(json.loads(ALLOWED) | change, sort_keys=True, separators=(",", ":"))
    assert read(body) is None
    assert verify([linked(START, body)]) == 1
