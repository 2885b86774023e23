"""Sentences in pieces, names made safe to speak, file names, and the sounds themselves."""

import os
import subprocess
import threading
import wave
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import SetupError
from ivr import prompts, spoken
from ivr.adapters import espeak
from ivr.adapters.espeak import Espeak
from ivr.dialogue import Dialogue
from ivr.offers import Offer, Payment
from ivr.prompts import Piece, Sentence, Voice
from ivr.shipped import shipped
from ivr.talk import State, Talk
from ivr.texts import PARTS, TEXTS

VOICE = Voice("espeak-ng", "1.51", "id", 150)


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
        for voice in (VOICE, VOICE._replace(version="1.52"), VOICE._replace(voice="en"), VOICE._replace(rate=140))
        for text in ("satu,", "satu.", "dua,")
    }
    assert len(names) == 12
    assert prompts.file_name(VOICE, "e\u0301") == prompts.file_name(VOICE, "\u00e9")
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


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Espeak:
    return Espeak(tmp_path_factory.mktemp("prompts"))


def read(path: Path) -> np.ndarray[Any, np.dtype[np.int16]]:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_every_piece_decodes_is_as_loud_as_the_others_and_does_not_click(voice: Espeak) -> None:
    """8 kHz mono 16 bit; -20 dBFS in its voiced part; begins and ends at nothing; no silence around it."""
    voice.warm()
    for path in voice.silence.parent.glob("*.wav"):
        samples = read(path).astype(np.float64) / 32768
        if path.stem == espeak.SILENCE:
            assert not samples.any()
            continue
        peak = np.abs(samples).max()
        voiced = samples[np.abs(samples) > peak * 0.05]
        assert -26 < 20 * np.log10(np.sqrt(np.mean(voiced**2))) < -19, path
        assert peak < 0.95
        assert abs(samples[0]) < 0.01
        assert abs(samples[-1]) < 0.01
        loud = np.flatnonzero(np.abs(samples) > peak * espeak.QUIET)
        assert loud[0] < 0.05 * 8000
        assert samples.size - loud[-1] < 0.05 * 8000


def test_a_second_rendering_does_nothing(voice: Espeak) -> None:
    voice.warm()
    before = {path: path.stat().st_mtime_ns for path in voice.silence.parent.glob("*.wav")}
    voice.warm()
    assert {path: path.stat().st_mtime_ns for path in voice.silence.parent.glob("*.wav")} == before
    assert not list(voice.silence.parent.glob("*.part"))


def test_a_sentence_is_one_file_without_jumps_at_its_joins(voice: Espeak) -> None:
    path = voice.sentence(prompts.sentence("amount", "id", {"amount": spoken.money(1_250_000, "IDR", "id")}))
    samples = read(path.with_suffix(".wav")).astype(np.float64) / 32768
    assert 2 < samples.size / 8000 < 8
    assert np.abs(np.diff(samples)).max() < 0.8
    assert not samples[-1600:].any()


def test_names_lie_apart(voice: Espeak) -> None:
    said = voice.sentence(Sentence("ask_name", "id", (Piece("Apakah,"), Piece("Budi?", private=True))))
    assert said.parent.name == "names"
    assert voice.piece("id", Piece("Budi?", private=True)).parent.name == "names"


def test_a_name_never_stands_on_a_command_line(voice: Espeak, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    run = subprocess.run

    def watched(command: list[str], **more: Any) -> Any:
        seen.append(command)
        return run(command, **more)

    monkeypatch.setattr(subprocess, "run", watched)
    voice.render("id", "Budi Rahasia")
    assert seen
    assert not any("Rahasia" in word for command in seen for word in command)


def test_what_was_made_for_one_call_is_forgotten_when_unused(tmp_path: Path) -> None:
    voice = Espeak(tmp_path)
    old = voice.sentence(Sentence("ask_name", "id", (Piece("Apakah,"), Piece("Budi?", private=True))))
    new = voice.sentence(Sentence("bye", "id", (Piece("Terima kasih."),)))
    for path in [*tmp_path.glob("names/*.wav"), *tmp_path.glob("joined/*.wav")]:
        os.utime(path, (1, 1))
    voice.sentence(Sentence("bye", "id", (Piece("Terima kasih."),)))
    assert voice.forget(86400.0) == 2
    assert not old.with_suffix(".wav").exists()
    assert new.with_suffix(".wav").exists()
    assert len(list(tmp_path.glob("pieces/*.wav"))) == 3


def test_many_at_once_make_one_whole_file(voice: Espeak) -> None:
    barrier = threading.Barrier(8)

    def make(_: int) -> Path:
        barrier.wait(10)
        return voice.piece("id", Piece("Siti Bersama?", private=True))

    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(make, range(8)))
    assert len(paths) == 1
    assert read(paths.pop().with_suffix(".wav")).size > 1000


def test_an_engine_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="apt-get install"):
        Espeak(tmp_path, "no-such-engine")


def test_an_engine_that_fails_leaves_no_file(tmp_path: Path) -> None:
    program = tmp_path / "engine"
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo 1 && exit 0\nexit 3\n')
    program.chmod(0o755)
    voice = Espeak(tmp_path / "out", str(program))
    with pytest.raises(SetupError, match="did not speak"):
        voice.piece("id", Piece("satu,"))
    assert [path.name for path in (tmp_path / "out" / "pieces").iterdir()] == ["silence.wav"]


def test_silence_in_is_silence_out() -> None:
    assert espeak.shaped(np.zeros(1000, np.float32), 22050).size == 0


@pytest.mark.parametrize("language", spoken.LANGUAGES)
def test_texts_are_written_to_be_spoken(language: str) -> None:
    """Numbers in words, no abbreviation, sentences that end."""
    for name, text in TEXTS[language].items():
        assert not any(char.isdigit() for char in text), name
        assert name in PARTS or text[-1] in ".?}", name
