"""Sounds that need no speech, and the sentences given to an engine."""

import wave
from pathlib import Path

import numpy as np
import pytest

from dialer.adapters.sounds import (
    LANGUAGES,
    MUSIC_S,
    RATE,
    SILENCES_MS,
    Samples,
    music,
    read_catalogue,
    silence,
    tone,
    write_messages,
    write_plain,
)
from dialer.errors import ConfigError

DEBT_WORDS = ("utang", "tagihan", "pinjaman", "angsuran", "tunggakan", "cicilan", "debt", "loan", "owe", "payment")


def parameters(path: Path) -> tuple[int, int, int, int]:
    with wave.open(str(path), "rb") as file:
        return file.getframerate(), file.getnchannels(), file.getsampwidth(), file.getnframes()


def loudness(samples: Samples) -> float:
    return float(np.sqrt(np.mean((samples / 32768.0) ** 2)))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sounds")
    write_plain(out)
    return out


def test_silence_is_as_long_as_its_name(plain: Path) -> None:
    for length_ms in SILENCES_MS:
        assert parameters(plain / f"silence-{length_ms}.wav") == (RATE, 1, 2, length_ms * RATE // 1000)
    assert not silence(1).any()


def test_every_connect_limit_has_its_silence() -> None:
    assert set(range(500, 5001, 250)) | {1000, 10000} <= set(SILENCES_MS)


def test_tones_are_there(plain: Path) -> None:
    assert parameters(plain / "beep.wav")[:3] == (RATE, 1, 2)
    assert parameters(plain / "tone-ok.wav")[:3] == (RATE, 1, 2)
    spectrum = np.abs(np.fft.rfft(tone(1000, 0.5)))
    assert np.argmax(spectrum) * RATE / (0.5 * RATE) == 1000


def test_no_part_files_are_left(plain: Path) -> None:
    assert not list(plain.rglob("*.part"))


def test_music_is_moderate_and_has_no_hole() -> None:
    played = music()
    assert played.size == MUSIC_S * RATE
    assert int(np.abs(played).max()) < 0.25 * 32768
    seconds = played.reshape(MUSIC_S, RATE)
    levels = [loudness(each) for each in seconds]
    assert min(levels) > 0.01
    assert max(levels) < 0.1
    assert max(levels) / min(levels) < 4


def test_music_loops_without_a_click() -> None:
    """What happens between neighbours at the seam is not more than what happens elsewhere."""
    played = np.concatenate([music(), music()]).astype(np.int32)
    seam = MUSIC_S * RATE
    for order in (1, 2):
        steps = np.abs(np.diff(played, order))
        around = steps[seam - 200 : seam + 200]
        assert around.max() <= steps[1000 : seam - 1000].max()


def test_music_is_the_same_on_every_machine() -> None:
    assert (music() == music()).all()


def test_messages_are_spoken_in_every_language(tmp_path: Path) -> None:
    heard: list[tuple[str, str]] = []

    def speech(language: str, text: str) -> Samples:
        heard.append((language, text))
        return tone(440, 0.1)

    write_messages(tmp_path, speech, {"company": "PT Contoh"})
    for name in read_catalogue():
        for language in LANGUAGES:
            assert parameters(tmp_path / language / f"{name}.wav") == (RATE, 1, 2, RATE // 10)
    assert any("PT Contoh" in text for _, text in heard)
    assert not any("{" in text for _, text in heard)


def test_whoever_answers_hears_of_no_debt() -> None:
    for name, texts in read_catalogue().items():
        for text in texts.values():
            assert not any(word in text.lower() for word in DEBT_WORDS), name


def test_a_word_that_is_not_given_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="company"):
        write_messages(tmp_path, lambda *_: silence(0.1), {})


def test_a_name_without_a_language_is_an_error(tmp_path: Path) -> None:
    catalogue = tmp_path / "sounds.toml"
    catalogue.write_text('[message]\nid = "Halo."\n')
    with pytest.raises(ConfigError, match=r"\[message\].*en"):
        read_catalogue(catalogue)
