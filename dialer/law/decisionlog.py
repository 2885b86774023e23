"""The log of decisions: every call allowed and every refusal, as a chain of hashes that anybody can check.

An entry is seq, prev, hash, body; hash = SHA-1(prev + " " + seq + " " + SHA-256(body)), in hex (why that is enough:
docs/decisions/0040). A body is one line of JSON, its keys sorted. It names a contact by his alias alone, which is
random and stands nowhere but in the contact: without it nobody can tell whom an entry is about, and the chain holds.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from dialer.model import Attempt, Contact, History, Number, Refused

_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":")).encode

ALLOWED, REFUSED = "allowed", "refused"
CHANGED = "changed_meanwhile"  # allowed, then at the second look the past was another: the attempt never was


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the chain."""

    seq: int
    prev: str
    hash: str
    body: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the first entry hangs on: number and hash of the one before it."""

    seq: int = 0
    hash: str = "0" * 40


START = Anchor()


@dataclass(frozen=True, slots=True)
class Decision:
    """A body read. `until`: inf for good; `number` is its place among the contact's numbers, -1: no longer one."""

    at: float
    kind: str
    alias: str
    attempt: str
    number: int
    number_kind: str
    rule: str
    until: float
    pack: str
    seen: Mapping[str, int]


# ---- the chain ------------------------------------------------------------------------------------------------------


def digest(body: str) -> str:
    """SHA-256 in hex: Redis's Lua has none, so it comes along."""
    return hashlib.sha256(body.encode()).hexdigest()


def linked(after: Anchor, body: str) -> Link:
    """The entry that follows `after`, as claim.lua and refuse.lua make it."""
    seq = after.seq + 1
    return Link(seq, after.hash, _hash(after.hash, seq, body), body)


def verify(entries: Iterable[Link], anchor: Anchor = START, head: Anchor | None = None) -> int | None:
    """The number of the first entry that is missing, changed, or no decision; None: the chain holds.

    `head`: what the chain is known to end with; without it, entries cut off at the end are not noticed.
    """
    last = anchor
    for entry in entries:
        expected = last.seq + 1
        sound = (
            entry.seq == expected and entry.prev == last.hash and entry.hash == _hash(last.hash, expected, entry.body)
        )
        if not sound or read(entry.body) is None:
            return expected
        last = Anchor(entry.seq, entry.hash)
    return last.seq + 1 if head is not None and head != last else None


def _hash(prev: str, seq: int, body: str) -> str:
    return hashlib.sha1(f"{prev} {seq} {digest(body)}".encode(), usedforsecurity=False).hexdigest()


# ---- bodies ---------------------------------------------------------------------------------------------------------


def allowed(attempt: Attempt, contact: Contact, person: History, number: History) -> str:
    """The body for a call that may be placed; `person` and `number`: the past as the gate saw it under the lock."""
    seen = {"number": len(number.attempts), "person": len(person.attempts)}
    return _encode(
        {"kind": ALLOWED, "at": _ms(attempt.claimed_at), "alias": contact.alias, "attempt": attempt.id,
         "pack": attempt.pack, "seen": seen} | _number(contact, attempt.number)
    )  # fmt: skip


def refused(contact: Contact, number: Number, why: Refused, pack: str, at: float) -> str:
    """The body for a call that was not placed."""
    place = next((i for i, one in enumerate(contact.numbers) if one.key == number.key), -1)
    # of its keys `alias` is the first, and the rest is the same for most of a batch
    return f'{{"alias":{_encode(contact.alias)},{_refusal(place, number.kind.value, why.rule, why.until, pack, at)}'


@lru_cache(maxsize=1024)
def _refusal(place: int, kind: str, rule: str, until: float, pack: str, at: float) -> str:
    """A refusal's body behind the alias."""
    said = {"kind": REFUSED, "at": _ms(at), "rule": rule, "until": _ms(until) if math.isfinite(until) else None}
    return _encode({**said, "pack": pack, "number": place, "number_kind": kind})[1:]


def taken_back(body: str, at: float) -> str:
    """The body that undoes `body`, of an allowed attempt; empty for an empty one."""
    if not body:
        return ""
    said = json.loads(body)
    return _encode({**said, "kind": REFUSED, "at": _ms(at), "rule": CHANGED, "until": _ms(at)})


def read(body: str) -> Decision | None:
    """None: it is no body of this log."""
    try:
        said = json.loads(body)
        if not isinstance(said, dict) or said["kind"] not in (ALLOWED, REFUSED) or _encode(said) != body:
            return None
        until = said.get("until", 0.0)
        return Decision(
            at=float(said["at"]),
            kind=said["kind"],
            alias=str(said["alias"]),
            attempt=str(said.get("attempt", "")),
            number=int(said["number"]),
            number_kind=str(said["number_kind"]),
            rule=str(said.get("rule", "")),
            until=math.inf if until is None else float(until),
            pack=str(said["pack"]),
            seen={str(name): int(count) for name, count in said.get("seen", {}).items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return None


def _number(contact: Contact, number: Number) -> dict[str, object]:
    places = [i for i, one in enumerate(contact.numbers) if one.key == number.key]
    return {"number": places[0] if places else -1, "number_kind": number.kind.value}


def _ms(at: float) -> float:
    return round(at, 3)
