"""What a debtor gave of himself in a conversation: numbers, put behind those of his list, untried; his language.

Rules of this file: only who has proved who he is, or an agent, changes where a debt is spoken of; a number that cannot
be called is refused in the record, with why, and costs nothing else that was said. A language is as much his own: a
stranger's is not kept.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dialer.contacts import NUMBERS_MAX
from dialer.lists.numbers import NumberFault
from dialer.lists.values import Unreadable, read_language
from dialer.model import Attempt, Contact, Fact, Number, NumberKind, NumberState, Verdict
from dialer.outcomes import VERIFIED, read_disposition

NEW_NUMBER = "new_number"
FLOW, LANGUAGE = "flow", "language"  # with these two every conversation begins
ADDED, KNOWN = "added", "known"

NumberOf = Callable[[str], tuple[str, str]]  # as written -> E.164 and its keyed hash; raises NumberFault


def unread(text: str) -> tuple[str, str]:
    """Where nobody says how numbers are read."""
    raise NumberFault("numbers are not read here", "name the region in [list]")


@dataclass(frozen=True, slots=True)
class Given:
    """What he gave, in E.164 where it could be read, and what became of it: added, known, or why not."""

    text: str
    word: str
    number: Number | None = None  # added


def given(
    contact: Contact | None, attempt: Attempt, facts: Sequence[Fact], judged: Verdict, number_of: NumberOf, at: float
) -> tuple[Given, ...]:
    """Every number of this conversation, in order."""
    found: list[Given] = []
    for text, trusted in _said(attempt, facts):
        new = [one.number for one in found if one.number]
        if not trusted:
            found.append(Given(text, "he has not proved who he is"))
        elif contact is None:
            found.append(Given(text, "he is on no list"))
        elif judged.stop:
            found.append(Given(text, "he wants no calls"))
        else:
            found.append(_read(text, (*contact.numbers, *new), number_of, at))
    return tuple(found)


def with_given(contact: Contact, found: Iterable[Given]) -> Contact:
    """The contact with what was added; the same object if nothing was."""
    new = tuple(one.number for one in found if one.number)
    return replace(contact, numbers=contact.numbers + new) if new else contact


def with_language(contact: Contact, facts: Sequence[Fact]) -> Contact:
    """The contact in the language that he chose by key, if he proved who he is; the same object if nothing changes."""
    ordered = sorted(facts, key=lambda fact: fact.seq)
    if all(fact.name != VERIFIED for fact in ordered):
        return contact
    chosen = [
        fact.value
        for before, fact in pairwise(ordered)
        if fact.name == LANGUAGE and before.name != FLOW  # beside the flow stands the one in which it began
    ]
    try:
        language = read_language(chosen[-1]) if chosen else contact.language
    except Unreadable:  # of a flow that speaks more than lists know
        return contact
    return replace(contact, language=language) if language != contact.language else contact


def _said(attempt: Attempt, facts: Sequence[Fact]) -> Iterator[tuple[str, bool]]:
    """(as said, is it believed)"""
    proved = False
    for fact in sorted(facts, key=lambda fact: fact.seq):
        proved = proved or fact.name == VERIFIED
        if fact.name == NEW_NUMBER:
            yield fact.value, proved
    word, value = read_disposition(attempt.disposition)
    if word == NEW_NUMBER:
        yield value, True


def _read(text: str, known: Sequence[Number], number_of: NumberOf, at: float) -> Given:
    try:
        e164, key = number_of(text)
    except NumberFault as fault:
        return Given(text, fault.reason)
    if any(key == one.key for one in known):
        return Given(e164, KNOWN)
    if len(known) >= NUMBERS_MAX:
        return Given(e164, f"he has {NUMBERS_MAX} numbers")
    return Given(e164, ADDED, Number(e164, key, NumberKind.DEBTOR, NumberState.UNTRIED, given_at=at))
