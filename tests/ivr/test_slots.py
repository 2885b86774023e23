"""How days, hours and long numbers are said."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ivr.shipped import shipped
from ivr.slots import Slots
from ivr.talk import State
from tests.ivr.people import FULL

FLOW = shipped()


def said(slot: str, language: str, **known: object) -> str:
    state = replace(State("menu", language), **known)  # type: ignore[arg-type]
    return " ".join(Slots(FULL, state, language, FLOW.texts[language])[slot])


@pytest.mark.parametrize(
    ("when", "indonesian", "english"),
    [
        ("2026-11-21T16:00", "hari ini pukul empat sore", "today at four in the afternoon"),
        (
            "2026-11-22T09:30",
            "besok pukul sembilan lewat tiga puluh menit pagi",
            "tomorrow at nine thirty in the morning",
        ),
        (
            "2026-11-23T12:05",
            "hari Senin dua puluh tiga November pukul dua belas lewat lima menit siang",
            "Monday the twenty-third of November at twelve oh-five in the afternoon",
        ),
    ],
)
def test_a_call_back(when: str, indonesian: str, english: str) -> None:
    at = datetime.fromisoformat(when).replace(tzinfo=UTC)
    assert said("call_time", "id", call_time=at) == indonesian
    assert said("call_time", "en", call_time=at) == english


def test_a_number_is_read_in_groups_as_people_key_it() -> None:
    assert said("number", "id", number="+6281234567890") == (
        "nol delapan satu dua. tiga empat lima enam. tujuh delapan sembilan nol"
    )


def test_what_the_bill_is_for() -> None:
    assert said("what", "id") == "Kredit Motor dari Bank Maju"
    bare = Slots(replace(FULL, product="", lender=""), State("menu"), "en", FLOW.texts["en"])
    assert " ".join(bare["what"]) == "your bill"
    assert Slots(bare.talk, bare.state, "en", {})["what"] == ()
