"""The voice actor's script: everything is in it, under names that no other piece has."""

from dataclasses import replace
from pathlib import Path

import pytest

from ivr import script, spoken
from ivr.adapters.flow_files import load
from ivr.paths import paths
from ivr.prompts import fixed
from ivr.shipped import shipped, wish
from ivr.texts import PARTS, SHIPPED, TEXTS, said
from tests.ivr.people import dialogue

ROOT = Path(__file__).parents[2]

MESSAGES = {"message": "Halo, ini panggilan."}


@pytest.mark.parametrize("language", spoken.LANGUAGES)
def test_everything_fixed_is_in_the_script_once(language: str) -> None:
    lines = script.lines(language, MESSAGES)
    texts = [line.text for line in lines]
    assert len(set(texts)) == len(texts)
    assert set(texts) == set(fixed(language)) | set(MESSAGES.values())


@pytest.mark.parametrize("language", spoken.LANGUAGES)
def test_no_name_is_that_of_other_words(language: str) -> None:
    """Only the tones of one word share a name, the last but one before its hash."""
    owner: dict[str, str] = {}
    for line in script.lines(language, MESSAGES):
        for file in line.files:
            word = line.text.rstrip(",.?!")
            assert owner.setdefault(file, word) == word
    firsts = [line.files[0] for line in script.lines(language, MESSAGES)]
    assert len(set(firsts)) == len(firsts)


def test_names_are_readable() -> None:
    files = {line.text: line.files for line in script.lines("id", MESSAGES)}
    assert files["Halo."][0] == "hello"
    assert files["Jumlah yang perlu dibayar adalah,"][0] == "amount"
    assert "promise_noted-1" in {names[0] for names in files.values()}
    assert files["dua puluh satu,"][:2] == ("words/dua-puluh-satu-mid", "words/dua-puluh-satu")
    assert files["rupiah."][:2] == ("words/rupiah-end", "words/rupiah")
    assert files["Halo, ini panggilan."][0] == "dialplan/message"


def test_how_often_tells_what_to_record_first() -> None:
    uses = {line.text: line.uses for line in script.lines("id")}
    assert uses["juta,"] > uses["triliun,"] == 0
    assert uses["hari Senin,"] > uses["hari Senin."] == 0, "the date follows"
    assert uses["pukul,"] > uses["pukul."] == 0, "the hour follows"
    assert min(uses["rupiah,"], uses["rupiah."], uses["Maret,"], uses["Maret."], uses["tagihan Anda,"]) > 0
    words = [line.uses for line in script.lines("id") if line.files[0].startswith("words/")]
    assert words == sorted(words, reverse=True)


@pytest.mark.parametrize("language", spoken.LANGUAGES)
def test_what_is_never_said_need_not_be_recorded(language: str) -> None:
    """Nothing that a debtor hears has the use 0."""
    never = {line.text for line in script.lines(language) if not line.uses}
    one = dialogue("everything" if language == "id" else "english")
    for path in paths(one, "1234"):
        for turn in path.turns:
            assert not never & {piece.text for said in turn.say if said.language == language for piece in said.pieces}


def test_context_is_the_whole_sentence() -> None:
    for language in spoken.LANGUAGES:
        contexts = {line.files[0]: line.context for line in script.lines(language)}
        for name in TEXTS[language].keys() - PARTS:
            if name in contexts:
                assert TEXTS[language][name] in contexts[name]


def test_a_persons_name_lies_apart() -> None:
    assert script.name_files("Budi Santoso?") == ("names/budi-santoso-ask", "names/budi-santoso")
    assert script.name_files("Satu.") == ("names/satu-end", "names/satu")
    assert script.name_files("?") == ()


def test_a_conversation_of_ones_own_and_the_other_shipped_ones_are_in_the_script() -> None:
    """Under their flow's name; what two conversations say alike is recorded once."""
    own = said([load(str(ROOT / "docs/examples/flow-greeting.toml"))])
    lines = script.lines("id", MESSAGES, SHIPPED.with_(own))
    files = {line.text: line.files for line in lines}
    assert files[wish().texts["id"]["protect"]][0] == "wish/protect"
    assert files["Selamat pagi."][:2] == ("morning", "wish/morning")
    assert files["Pembayaran,"][0] == "greeting/due-1"
    texts = [line.text for line in lines]
    assert len(set(texts)) == len(texts)
    assert set(texts) == set(fixed("id", SHIPPED.with_(own))) | set(MESSAGES.values())


def test_what_is_given_takes_the_place_of_the_shipped_one_of_its_name() -> None:
    shorter = replace(shipped(), texts={"id": {**shipped().texts["id"], "bye": "Sampai jumpa."}})
    files = {line.text: line.files for line in script.lines("id", None, SHIPPED.with_(said([shorter])))}
    assert files["Sampai jumpa."][0] == "bye"
    assert files[wish().texts["id"]["bye"]][0] == "wish/bye"
