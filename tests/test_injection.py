"""Hostile words from a list to the Originate: nothing of a contact but his number's digits and one of two languages."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.adapters.ami_words import LINE_MAX, originate
from dialer.contacts import ListRules, read_row
from dialer.errors import BadInput
from dialer.lists.columns import read_header
from dialer.model import Attempt, Campaign, Contact, Number
from dialer.originate import order
from tests.corpus import CORPUS, HOSTILE

HEADER = (
    "Nama", "No. HP", "HP 2", "ID Nasabah", "No Kontrak", "Provinsi", "Zona", "Bahasa", "Kreditur", "Produk",
    "Mata Uang", "Kota", "Catatan",
)  # fmt: skip
CUSTOM = replace(read_header(HEADER), custom=(("Catatan", "note"),))
RULES = ListRules(b"k" * 32)
NUMBER = "081234567890"
CAMPAIGN = Campaign("april", "April", caller_id="+622150001234")
DIAL = "PJSIP/{digits}@carrier"


def attempt(contact: Contact, campaign: Campaign = CAMPAIGN) -> Attempt:
    """As the placer makes it."""
    return Attempt(
        "0" * 26, campaign.id, "pbx1", "ivr", "carrier", campaign.caller_id, contact.language or campaign.language,
        "indonesia", contact.id, contact.person, contact.numbers[0],
    )  # fmt: skip


def words(contact: Contact, campaign: Campaign = CAMPAIGN) -> dict[str, object]:
    """What is said to Asterisk."""
    return dict(originate(order(attempt(contact, campaign), campaign, DIAL, "X-Santun-Attempt")))


def contacts(row: dict[str, str]) -> list[Contact]:
    return [one for one in read_row(7, row, CUSTOM, RULES, alias="alias") if isinstance(one, Contact)]


(PLAIN,) = contacts(dict.fromkeys(HEADER, "") | {"Nama": "Budi", "No. HP": NUMBER, "ID Nasabah": "N-1"})
SAID = {language: words(replace(PLAIN, language=language)) for language in ("id", "en")}


@settings(max_examples=120)
@given(st.dictionaries(st.sampled_from(HEADER), HOSTILE, max_size=len(HEADER)), st.booleans())
def test_nothing_of_a_row_reaches_asterisk(cells: dict[str, str], numbered: bool) -> None:
    row = dict.fromkeys(HEADER, "") | {"ID Nasabah": "N-1", "Nama": "Budi"} | cells
    if numbered:
        row["No. HP"] = NUMBER
    for contact in contacts(row):
        assert contact.language in ("", "id", "en")
        for number in contact.numbers:
            one = replace(contact, numbers=(number,))
            said = words(one)
            digits = number.e164[1:]
            assert digits.isascii()
            assert digits.isdigit()
            expected = SAID[contact.language or "id"] | {"Channel": f"PJSIP/{digits}@carrier"}
            assert said == expected, "all else is as for anybody"


@settings(max_examples=120)
@given(HOSTILE, st.sampled_from(["id", "name", "caller_name", "pack", "trunk", "shift_ends", "language", "caller_id"]))
def test_a_campaigns_words_keep_to_their_fields(word: str, field: str) -> None:
    """A campaign's own names do not go there; where one does, it is quoted or refused."""
    campaign = replace(CAMPAIGN, **{field: word})  # type: ignore[arg-type] # all of them are text
    try:
        said = words(PLAIN, campaign)
    except BadInput:
        return
    flat = [
        line
        for name, value in said.items()
        for line in ([value] if isinstance(value, str) else value)  # type: ignore[attr-defined]
    ]
    assert not any(char in line for line in flat for char in "\r\n\0")
    assert all(len(line.encode()) <= LINE_MAX for line in flat)
    expected = SAID["id"]
    changed = {name for name in said if said[name] != expected.get(name)}
    assert changed <= {"Variable", "CallerID"}, "no header that was not there"
    assert set(said) <= set(expected)


@pytest.mark.parametrize("word", CORPUS)
def test_a_hostile_number_is_dialled_as_digits_or_not_at_all(word: str) -> None:
    for e164 in (word, f"+62812{word}", f"{word}+6281234567890", f"+6281234567890{word}"):
        if e164 == "+6281234567890":
            continue
        with pytest.raises(BadInput):
            order(replace(attempt(PLAIN), number=Number(e164, "n")), CAMPAIGN, DIAL)
