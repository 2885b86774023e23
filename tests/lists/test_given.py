"""What debtors give: who is believed, which numbers can be called, and what the contact and the record have of it."""

from dataclasses import replace

import pytest

from dialer.contacts import NUMBERS_MAX, ListRules
from dialer.keyed import number_key
from dialer.lists.given import Given, given, unread, with_given, with_language
from dialer.model import (
    Attempt,
    CallState,
    Contact,
    Fact,
    Kind,
    Mode,
    Number,
    NumberKind,
    Order,
    Outcome,
    Side,
    Verdict,
)
from tests.site import CAMPAIGN, staged
from tests.twins import EPOCH, Debtor, play, until

KEY = b"k" * 16
RULES = ListRules(KEY)
AT = 1_800_000_000.0
HOME = Number("+6281200000001", number_key(KEY, "+6281200000001"))
CONTACT = Contact("k1", "p1", (HOME,))
ATTEMPT = Attempt("01k", "c", "n", "ivr", "t", "", "id", "p", "k1", "p1", HOME, claimed_at=AT - 30)
SERVED = Verdict(Outcome.IVR, Side.DEBTOR, "served")
NEW = "+6281234567890"
ADDED = Number(NEW, number_key(KEY, NEW), NumberKind.DEBTOR, given_at=AT)


def said(*words: str) -> list[Fact]:
    """`name=value`."""
    return [Fact(seq, AT, *word.split("=", 1)) for seq, word in enumerate(words, 1)]


def of(*words: str, contact: Contact | None = CONTACT, judged: Verdict = SERVED, **fields: str) -> tuple[Given, ...]:
    return given(contact, replace(ATTEMPT, **fields), said(*words), judged, RULES.number_of, AT)  # type: ignore[arg-type]


@pytest.mark.parametrize("written", [NEW, "081234567890", "6281234567890"])
def test_one_who_has_proved_who_he_is_adds_a_number(written: str) -> None:
    found = of("verified", f"new_number={written}")
    assert found == (Given(NEW, "added", ADDED),)
    assert with_given(CONTACT, found).numbers == (HOME, ADDED)


def test_an_agent_adds_one_as_his_disposition() -> None:
    assert of(disposition="new_number:0812-3456-7890") == (Given(NEW, "added", ADDED),)


@pytest.mark.parametrize(
    ("words", "changes", "why"),
    [
        ([f"new_number={NEW}"], {}, "he has not proved who he is"),
        ([f"new_number={NEW}", "verified"], {}, "he has not proved who he is"),
        (["verified", f"new_number={NEW}"], {"contact": None}, "he is on no list"),
        (["verified", f"new_number={NEW}"], {"judged": replace(SERVED, stop=True)}, "he wants no calls"),
        (["verified", "new_number=0812"], {}, "no number of a subscriber"),
        (["verified", "new_number="], {}, "no telephone number"),
        (["verified", "new_number=+14155550123"], {}, "a country that is not called"),
        (["verified", "new_number=081200000001"], {}, "known"),
        (["verified", f"new_number={NEW}"],
         {"contact": replace(CONTACT, numbers=tuple(Number(f"+62{i}", f"{i}") for i in range(NUMBERS_MAX)))},
         f"he has {NUMBERS_MAX} numbers"),
    ],
)  # fmt: skip
def test_what_is_not_called_is_told_with_why(words: list[str], changes: dict[str, object], why: str) -> None:
    (found,) = of(*words, **changes)  # type: ignore[arg-type]
    assert (found.word, found.number) == (why, None)
    contact = changes.get("contact", CONTACT)
    if isinstance(contact, Contact):
        assert with_given(contact, [found]) is contact


def test_two_numbers_come_in_order_and_the_same_twice_once() -> None:
    found = of("verified", f"new_number={NEW}", "new_number=081234567891", f"new_number={NEW}")
    assert [one.word for one in found] == ["added", "added", "known"]
    assert [one.e164 for one in with_given(CONTACT, found).numbers] == [HOME.e164, NEW, "+6281234567891"]


def test_without_a_reader_nothing_is_lost() -> None:
    facts = said("verified", f"new_number={NEW}")
    assert given(CONTACT, ATTEMPT, facts, SERVED, unread, AT) == (Given(NEW, "numbers are not read here"),)


@pytest.mark.parametrize(
    ("words", "listed", "kept"),
    [
        (["flow=payment_reminder@1", "language=id", "verified"], "", ""),  # nothing was chosen
        (["flow=payment_reminder@1", "language=id", "key=2", "language=en", "verified"], "", "en"),
        (["flow=payment_reminder@1", "language=id", "key=2", "language=en", "language=id", "verified"], "", "id"),
        (["flow=payment_reminder@1", "language=id", "key=2", "language=en"], "", ""),  # whoever it was
        (["flow=payment_reminder@1", "language=id", "verified", "key=9", "language=en"], "id", "en"),
        (["flow=payment_reminder@1", "language=id", "verified", "language=xx"], "", ""),
        (["flow=payment_reminder@1", "language=id", "language=en", "verified", "flow=call_back@1", "language=en"], "",
         "en"),
        ([], "en", "en"),
    ],
)  # fmt: skip
def test_the_language_that_he_chose_is_his(words: list[str], listed: str, kept: str) -> None:
    contact = replace(CONTACT, language=listed)
    found = with_language(contact, list(reversed(said(*words))))
    assert found == replace(contact, language=kept)
    assert (found is contact) == (kept == listed)


def test_the_next_call_begins_in_the_language_that_he_chose() -> None:
    async def scene() -> None:
        campaign = replace(CAMPAIGN, kind=Kind.IVR, mode=Mode.IVR, lines_max=10)
        async with staged(campaign, lambda _: Debtor(rings_s=1.0), listed=1) as stage:
            floor, books = stage.run.floor, stage.books
            await until(lambda: any(one.state is CallState.IN_IVR for one in floor.attempts.values()))
            ((first, attempt),) = floor.attempts.items()
            assert attempt.language == "id"
            stage.store.told[first] = said(
                "flow=f@1", "language=id", "key=2", "language=en", "verified", "closed=quiet 9"
            )
            await until(lambda: len(books.outcomes) == 1)
            assert books.contacts[attempt.contact].language == "en"
            stage.clock.step = 30 * 86400.0  # his turn again
            await until(lambda: floor.attempts and first not in floor.attempts)
            assert [one.language for one in floor.attempts.values()] == ["en"]

    play(scene())


def test_the_contact_goes_back_to_the_list_with_it() -> None:
    async def scene() -> None:
        campaign = replace(CAMPAIGN, kind=Kind.IVR, mode=Mode.IVR, lines_max=10)

        def answers(order: Order) -> Debtor:
            return Debtor(rings_s=1.0)

        async with staged(campaign, answers, listed=2) as stage:
            stage.run.number_of = RULES.number_of
            await until(lambda: any(one.state is CallState.IN_IVR for one in stage.run.floor.attempts.values()))
            facts = said("verified", f"new_number={NEW}", "promise=2027-01-10;5", "closed=promise 30")
            first = next(iter(stage.run.floor.attempts))
            stage.store.told[first] = facts
            await stage.quiet()
            found = {one.attempt.id: one for one in stage.books.outcomes}
            told = found.pop(first)
            assert (told.record["new_number"], told.record["new_number_is"]) == (NEW, "added")
            assert told.record["promise_due"] == "2027-01-10"
            assert told.new_numbers
            kept = stage.books.contacts[told.attempt.contact]
            assert [one.e164 for one in kept.numbers] == [told.attempt.number.e164, NEW]
            assert 0.0 <= kept.numbers[1].given_at - EPOCH < 120.0
            for other in found.values():
                assert (other.record["new_number"], other.new_numbers) == ("", False)

    play(scene())
