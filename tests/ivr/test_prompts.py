"""Sentences in pieces, names made safe to speak, file names."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.debts.plans import Offer, Payment
from ivr import prompts, spoken
from ivr.dialogue import Dialogue
from ivr.prompts import Maker
from ivr.shipped import shipped
from ivr.talk import State, Talk
from ivr.texts import PARTS, TEXTS

MAKER = Maker("espeak-ng", "1.51", "id", 150)


def test_a_sentence_is_its_text_with_the_slots_filled() -> None:
    found = prompts.sentence("amount", "id", {"amount": ("satu", "juta", "rupiah")})
    assert [piece.text for piece in found.pieces] == ["Jumlah yang perlu dibayar adalah,", "satu,", "juta,", "rupiah."]


def test_what_is_a_persons_own_is_marked() -> None:
    found = prompts.sentence("ask_name", "id", {"name": ("Budi",)}, frozenset({"name"}))
    assert [piece.private for piece in found.pieces] == [False, True]
    assert found.pieces[-1].text == "Budi?"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("BUDI SANTOSO", "Budi Santoso"),
        ("budi", "Budi"),
        ("Nur'aini binti H. Yusuf", "Nur'aini binti H Yusuf"),
        ("d'Souza-Müller", "d'Souza-Müller"),
        ("[[spell]] <break/> -w/etc/x Budi; rm", "spell break -w etc x Budi rm"),
        ("Budi\r\nHANGUP\0", "Budi HANGUP"),
        ("  Dr. Ani, S.E., M.M. (Bekasi) 2 ", "Dr Ani S E M M Bekasi"),
        ("x" * 200, "x" * 60),
        ("١٢٣", ""),
        ("-", ""),
    ],
)
def test_names_are_made_safe(name: str, said: str) -> None:
    assert prompts.spoken_name(name).casefold() == said.casefold()


@given(st.text(max_size=100))
def test_no_name_brings_an_order_for_the_engine(name: str) -> None:
    for said in (prompts.spoken_name(name), prompts.spoken_words(name)):
        assert not set(said) & set('[]<>{}|\n\r\0\\"/')
        assert not said.startswith("-") or said == prompts.spoken_words(name)
        assert len(said) <= 60


def test_file_names_differ_by_voice_and_text() -> None:
    names = {
        prompts.file_name(voice, text)
        for voice in (MAKER, MAKER._replace(version="1.52"), MAKER._replace(voice="en"), MAKER._replace(rate=140))
        for text in ("satu,", "satu.", "dua,")
    }
    assert len(names) == 12
    assert prompts.file_name(MAKER, "e\u0301") == prompts.file_name(MAKER, "\u00e9")
    assert all(len(name) == 32 and name.isalnum() for name in names)


@pytest.mark.parametrize("language", spoken.LANGUAGES)
def test_everything_fixed_is_rendered_beforehand(language: str) -> None:
    """Whatever amount and date: only names of people, lenders and products are left for the call."""
    known = set(prompts.fixed(language))
    offer = Offer("early", (Payment(date(2026, 12, 5), 900_000), Payment(date(2027, 1, 5), 100_000)), 100_000, 5_000)
    talk = Talk(
        today=date(2026, 11, 21), language=language, name="Zzz", caller="Zzz", product="Zzz", lender="Zzz",
        amount=987_654_321, due=date(2025, 1, 31), secret_digits=6, agent=True, switch=True, va_bank="Zzz",
        va_number="8077081234567890", send=True,
        offers=tuple(replace(offer, name=name) for name in ("early", "short", "long", "defer")),
    )  # fmt: skip
    state = State(
        "menu", language, verified=True, promise=date(2026, 12, 5), offer="early", number="+6281234567890",
        call_time=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    )  # fmt: skip
    for name in shipped().texts[language].keys() - PARTS:
        for piece in Dialogue(shipped(), talk).sentence(name, state).pieces:
            assert "Zzz" in piece.text or piece.text in known, (name, piece.text)


@pytest.mark.parametrize("language", spoken.LANGUAGES)
def test_what_may_go_outside_has_no_number_and_no_word_of_one_call(language: str) -> None:
    outside = prompts.outside(language)
    numbers = {piece + mark for piece in spoken.inventory(language) for mark in prompts.MARKS}
    assert outside
    assert all(type(text) is prompts.Fixed for text in outside)
    assert not set(outside) & numbers
    assert set(outside) <= set(prompts.fixed(language))


@pytest.mark.parametrize("language", spoken.LANGUAGES)
def test_texts_are_written_to_be_spoken(language: str) -> None:
    """Numbers in words, no abbreviation, sentences that end."""
    for name, text in TEXTS[language].items():
        assert not any(char.isdigit() for char in text), name
        assert name in PARTS or text[-1] in ".?}", name
