"""Makes the sounds that the dialplan plays: silence, tones and music by computing, sentences by a speech engine."""

import os
import tomllib
import wave
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dialer.adapters.asterisk_conf import CONF
from dialer.errors import ConfigError

Samples: TypeAlias = npt.NDArray[np.int16]
Speech: TypeAlias = Callable[[str, str], Samples]  # (language, text) -> 8 kHz

RATE = 8000
LANGUAGES = ("id", "en")
CATALOGUE = CONF / "sounds.toml"
CONNECT_LIMITS_MS = range(500, 5001, 250)
SILENCES_MS = (*CONNECT_LIMITS_MS, 10000)
MUSIC_S = 20

_PEAK = 0.22  # of full scale: about -19 dBFS, beside speech and not over it
_FADE_S = 0.01
# A I-vi-IV-V of two bars each, plucked one note at a time; half steps from A3 (220 Hz).
_BEAT_S = 0.625
_CHORDS = ((0, 4, 7, 12), (-3, 0, 4, 9), (-7, -3, 0, 5), (-5, -1, 2, 7))
_PATTERN = (0, 2, 1, 3, 2, 1, 0, 2)


def write_wav(path: Path, samples: Samples) -> None:
    """8 kHz, mono, 16 bit; appears whole or not at all, for Asterisk may be playing it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as raw, wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    os.replace(part, path)


def write_plain(out: Path) -> None:
    """Everything that needs no speech."""
    for length_ms in SILENCES_MS:
        write_wav(out / f"silence-{length_ms}.wav", silence(length_ms / 1000))
    write_wav(out / "beep.wav", tone(1000, 0.5))
    write_wav(out / "tone-ok.wav", np.concatenate([tone(660, 0.12), silence(0.06), tone(880, 0.18), silence(0.2)]))
    write_wav(out / "music" / "santun.wav", music())


def write_messages(out: Path, speech: Speech, words: Mapping[str, str], catalogue: Path = CATALOGUE) -> None:
    """Have every sentence of the catalogue spoken in every language; `words` fill {company} and the like."""
    for name, texts in read_catalogue(catalogue).items():
        for language, text in texts.items():
            try:
                spoken = text.format_map(words)
            except KeyError as error:
                raise ConfigError(f"{catalogue.name}: [{name}] asks for {error}; set it.") from error
            write_wav(out / language / f"{name}.wav", speech(language, spoken))


def read_catalogue(catalogue: Path = CATALOGUE) -> dict[str, dict[str, str]]:
    """Name -> language -> text; every name in every language, or a debtor would hear nothing."""
    found: dict[str, dict[str, str]] = tomllib.loads(catalogue.read_text(encoding="utf-8"))
    for name, texts in found.items():
        if lacking := sorted(set(LANGUAGES) ^ texts.keys()):
            raise ConfigError(
                f"{catalogue.name}: [{name}] must have exactly {', '.join(LANGUAGES)}; see {', '.join(lacking)}."
            )
    return found


def silence(length_s: float) -> Samples:
    """Nothing, audibly sent."""
    return np.zeros(round(length_s * RATE), np.int16)


def tone(frequency_hz: float, length_s: float) -> Samples:
    """A sine without clicks."""
    at = np.arange(round(length_s * RATE)) / RATE
    edge = np.minimum(1.0, np.minimum(at, length_s - at) / _FADE_S)
    return _to_samples(_PEAK * edge * np.sin(2 * np.pi * frequency_hz * at))


def music() -> Samples:
    """Plucked chords; notes ring on past the end into the beginning, so the loop has no seam."""
    whole = np.zeros(MUSIC_S * RATE)
    for beat in range(round(MUSIC_S / _BEAT_S)):
        chord = _CHORDS[beat // len(_PATTERN) % len(_CHORDS)]
        note = _pluck(220 * 2 ** (chord[_PATTERN[beat % len(_PATTERN)]] / 12))
        places = (round(beat * _BEAT_S * RATE) + np.arange(note.size)) % whole.size
        whole[places] += note
    return _to_samples(_PEAK * whole / np.abs(whole).max())


def _pluck(frequency_hz: float) -> npt.NDArray[np.float64]:
    """A string: harmonics below the telephone's 3.4 kHz, the higher the shorter."""
    at = np.arange(round(2.2 * RATE)) / RATE
    rise = np.minimum(1.0, at / _FADE_S)
    fall = np.minimum(1.0, (at[-1] - at) / 0.2)
    parts = (np.sin(2 * np.pi * frequency_hz * k * at) * np.exp(-at * (1.1 + 0.9 * k)) / k**1.4 for k in range(1, 7))
    return np.asarray(sum(parts) * rise * fall, np.float64)


def _to_samples(wave_form: npt.NDArray[np.float64]) -> Samples:
    return np.asarray(np.rint(wave_form * 32767), np.int16)
