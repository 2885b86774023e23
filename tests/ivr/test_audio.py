"""Samples: loudness against the standard's own figures, trimming, limiting, joins without clicks, whole files."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import SetupError
from ivr.adapters import audio, wavs
from ivr.adapters.audio import Floats, Samples, Sound
from ivr.adapters.wavs import RATE, WIDE_RATE


def sine(frequency_hz: float, length_s: float, peak: float = 0.5, rate: int = RATE) -> Floats:
    at = np.arange(round(length_s * rate)) / rate
    return np.asarray(peak * np.sin(2 * np.pi * frequency_hz * at), np.float32)


def speechlike(length_s: float, seed: int = 1, rate: int = RATE) -> Floats:
    """Syllables of a buzz at 120 Hz with noise, four a second."""
    at = np.arange(round(length_s * rate)) / rate
    buzz = sum(np.sin(2 * np.pi * 120 * k * at) / k for k in range(1, 20))
    noise = np.random.default_rng(seed).normal(0, 0.2, at.size)
    return np.asarray(0.2 * (buzz + noise) * np.sin(np.pi * 4 * at) ** 2, np.float32)


@pytest.mark.parametrize("rate", [RATE, WIDE_RATE, 48000])
def test_the_standards_reference_tone(rate: int) -> None:
    """BS.1770: a sine of 997 Hz at full scale has -3.01 LKFS."""
    assert audio.loudness_db(sine(997, 2, 1.0, rate), rate) == pytest.approx(-3.01, abs=0.05)


def test_low_sounds_count_less_and_high_ones_more() -> None:
    reference = audio.loudness_db(sine(997, 1), RATE)
    assert audio.loudness_db(sine(40, 1), RATE) < reference - 2
    assert audio.loudness_db(sine(3000, 1), RATE) > reference + 2


def test_pauses_do_not_make_a_sentence_quieter() -> None:
    voice = speechlike(1)
    pause = np.zeros(RATE, np.float32)
    with_pause = np.concatenate([voice, pause, voice])
    assert audio.loudness_db(with_pause, RATE) == pytest.approx(audio.loudness_db(voice, RATE), abs=0.6)


@given(st.floats(-45, 0), st.floats(0.3, 3), st.integers(0, 99), st.sampled_from([8000, 16000, 22050, 44100]))
def test_whatever_comes_in_goes_out_as_loud_and_unclipped(db: float, length_s: float, seed: int, rate: int) -> None:
    wave_form = speechlike(length_s, seed, rate)
    wave_form *= 10 ** (db / 20) / np.abs(wave_form).max()
    made = audio.shaped(Sound(wave_form, rate)) / 32768
    assert audio.loudness_db(made, RATE) == pytest.approx(audio.LOUDNESS_DB, abs=0.7)
    assert np.abs(made).max() <= audio.PEAK + 0.01
    assert made[0] == made[-1] == 0


def test_a_click_in_a_quiet_recording_is_limited_not_clipped() -> None:
    wave_form = speechlike(1) * 0.02
    wave_form[4000:4004] = 0.9
    made = audio.shaped(Sound(wave_form, RATE)) / 32768
    assert np.abs(made).max() <= audio.PEAK + 0.01


def test_silence_around_is_trimmed_and_within_it_is_kept() -> None:
    nothing = np.zeros(RATE, np.float32)
    voice = speechlike(0.5)
    made = audio.shaped(Sound(np.concatenate([nothing, voice, nothing, voice, nothing]), RATE))
    assert made.size / RATE == pytest.approx(2.0, abs=0.1)


def test_direct_current_is_taken_out() -> None:
    made = audio.shaped(Sound(speechlike(1) + np.float32(0.3), RATE)) / 32768
    assert abs(made.mean()) < 0.01


def test_silence_in_is_silence_out() -> None:
    assert audio.shaped(Sound(np.zeros(1000, np.float32), 22050)).size == 0
    assert audio.shaped(Sound(np.zeros(0, np.float32), 22050)).size == 0


def together(parts: list[tuple[str, Samples]]) -> Samples:
    return np.frombuffer(wavs.joined([(text, part.astype("<i2").tobytes()) for text, part in parts]), "<i2")


def test_joins_do_not_click() -> None:
    """A click is energy above the voice's band that is not in the pieces: none is louder than what they hold."""
    parts = [("a,", audio.shaped(Sound(speechlike(0.4, seed), RATE))) for seed in range(5)]
    joined = together(parts) / 32768
    most = max(float(np.abs(np.diff(part / 32768, 2)).max()) for _, part in parts)
    assert np.abs(np.diff(joined, 2)).max() <= most + 1e-6
    at = 0
    for _, part in parts[:-1]:
        at += part.size
        assert not np.abs(joined[at - 2 : at + round(wavs.GAP_S * RATE) + 2]).max() > 0.003
        at += round(wavs.GAP_S * RATE)


def test_a_pause_follows_where_the_voice_fell() -> None:
    part = audio.shaped(Sound(speechlike(0.4), RATE))
    up, down = (together([(f"satu{mark}", part), ("dua.", part)]).size for mark in (",", "."))
    assert (down - up) / RATE == pytest.approx(wavs.PAUSE_S - wavs.GAP_S)


@pytest.mark.parametrize("rate", [RATE, WIDE_RATE])
def test_what_is_written_is_read(tmp_path: Path, rate: int) -> None:
    samples = audio.shaped(Sound(speechlike(0.5, rate=rate), rate), rate)
    audio.write_wav(tmp_path / "a" / "x", samples, rate)
    assert (audio.read_wav(tmp_path / "a" / "x", rate) == samples).all()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["x" + {8000: ".wav", 16000: ".wav16"}[rate]]
    assert (tmp_path / "a" / f"x{wavs.EXTENSIONS[rate]}").stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    """Asterisk runs as somebody else and has to read it."""
    now = os.umask(0o022)
    os.umask(now)
    return now


def test_nobody_sees_half_a_file(tmp_path: Path) -> None:
    """While two write the same name over and over, a reader always finds it whole."""
    samples = np.arange(20_000, dtype=np.int16)
    audio.write_wav(tmp_path / "x", samples)
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            audio.write_wav(tmp_path / "x", samples)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        assert all(audio.read_wav(tmp_path / "x").size == samples.size for _ in range(100))
    finally:
        over.set()
        for writer in writers:
            writer.join(10)
    assert not list(tmp_path.glob("*.part"))


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.wav").mkdir()
    with pytest.raises(OSError, match="x"):
        audio.write_wav(tmp_path / "x", np.zeros(10, np.int16))
    assert not list(tmp_path.glob("*.part"))


def test_any_file_of_a_studio_is_read(tmp_path: Path) -> None:
    stereo = np.column_stack([sine(440, 0.5, rate=48000)] * 2)
    soundfile.write(tmp_path / "x.flac", stereo, 48000, subtype="PCM_24")
    sound = audio.read_sound(tmp_path / "x.flac")
    assert (sound.rate, sound.wave.ndim) == (48000, 1)
    assert np.abs(sound.wave).max() == pytest.approx(0.5, abs=0.01)


def test_what_is_no_sound_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_text("no sound")
    for name in ("x.wav", "gone.wav"):
        with pytest.raises(SetupError, match="no sound"):
            audio.read_sound(tmp_path / name)
