"""Speech by espeak-ng, on this machine: pieces rendered once, joined into one file per sentence."""

import contextlib
import os
import subprocess
import threading
import wave
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from dialer.errors import SetupError
from ivr.prompts import Piece, Sentence, Voice, file_name, fixed, joined_name
from ivr.spoken import LANGUAGES

Samples = npt.NDArray[np.int16]

RATE = 8000
WORDS_PER_MINUTE = 150
AT_ONCE = 2  # more engines at a time only take turns on the processor
ENGINE_LIMIT_S = 10.0
LOUDNESS = 0.1  # root mean square of the voiced part, of full scale: -20 dBFS
PEAK = 0.89  # -1 dBFS
QUIET = 0.01  # below this share of the peak is silence
EDGE_S = 0.015  # kept before and after the voice
FADE_S = 0.004
GAP_S = 0.03  # between joined pieces
TAIL_S = 0.25  # after a sentence
SILENCE_MS = 5000
SILENCE = "silence"
PIECES, JOINED, NAMES = "pieces", "joined", "names"  # folders
FOR_ONE_CALL = (JOINED, NAMES)

_VOICES = {"id": "id", "en": "en-us"}
_HEADER_BYTES = 44


class Espeak:
    """Renders with the program `espeak-ng`; what it makes lies under `out` and is found there again."""

    def __init__(self, out: Path, program: str = "espeak-ng") -> None:
        self._out = out
        self._program = program
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        version = _version(program)
        self._voices = {
            language: Voice("espeak-ng", version, _VOICES[language], WORDS_PER_MINUTE) for language in LANGUAGES
        }
        self.silence = self._written(out / PIECES / SILENCE, np.zeros(RATE * SILENCE_MS // 1000, np.int16))

    def render(self, language: str, text: str) -> Samples:
        """8 kHz mono: trimmed, of equal loudness, without clicks at its ends."""
        with self._turns:
            rate, said = self._spoken(language, text)
        return shaped(np.frombuffer(said, "<i2").astype(np.float32) / np.float32(32768), rate)

    def piece(self, language: str, piece: Piece) -> Path:
        """The file of one piece, made if need be. Names of people lie apart, where they can be deleted."""
        folder = self._out / (NAMES if piece.private else PIECES)
        path = folder / file_name(self._voices[language], piece.text)
        found = _used(path) if piece.private else _there(path)
        return path if found else self._written(path, self.render(language, piece.text))

    def sentence(self, sentence: Sentence) -> Path:
        """The file of a whole sentence, without its extension, as Asterisk wants it."""
        paths = [self.piece(sentence.language, piece) for piece in sentence.pieces]
        private = any(piece.private for piece in sentence.pieces)
        folder = self._out / (NAMES if private else JOINED)
        path = folder / joined_name(tuple(path.name for path in paths))
        return path if _used(path) else self._written(path, joined([_read(path) for path in paths]))

    def warm(self) -> int:
        """Render everything that is known before the first call; how many pieces there are."""
        wanted = [(language, Piece(text)) for language in LANGUAGES for text in fixed(language)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return len(list(pool.map(lambda one: self.piece(*one), wanted)))

    def forget(self, before: float) -> int:
        """Delete what was made for single calls and not used since then (epoch seconds); how many files."""
        old = [
            path for folder in FOR_ONE_CALL for path in (self._out / folder).glob("*") if path.stat().st_mtime < before
        ]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _spoken(self, language: str, text: str) -> tuple[int, bytes]:
        """Rate and raw samples. The text goes by standard input: arguments are seen by everybody."""
        voice = self._voices[language]
        command = [self._program, "-v", voice.voice, "-s", str(voice.rate), "--stdin", "--stdout"]
        try:
            done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=ENGINE_LIMIT_S, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise SetupError(f"espeak-ng did not speak: {type(error).__name__}") from error
        if len(done.stdout) <= _HEADER_BYTES:
            raise SetupError("espeak-ng made no sound; is its voice data installed?")
        return int.from_bytes(done.stdout[24:28], "little"), done.stdout[_HEADER_BYTES : len(done.stdout) // 2 * 2]

    def _written(self, path: Path, samples: Samples) -> Path:
        """Appears whole or not at all: Asterisk or another process may be looking for it."""
        if not _there(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
            with wave.open(str(part), "wb") as file:
                file.setparams((1, 2, RATE, 0, "NONE", ""))
                file.writeframes(samples.astype("<i2").tobytes())
            part.replace(path.with_suffix(".wav"))
        return path


def _version(program: str) -> str:
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, timeout=ENGINE_LIMIT_S, check=True, text=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SetupError("espeak-ng is missing; install it with: apt-get install espeak-ng") from error
    return done.stdout.split("Data at")[0].strip()


def _there(path: Path) -> bool:
    return path.with_suffix(".wav").exists()


def _used(path: Path) -> bool:
    """Is it there? Then it is young again, and `forget` leaves it alone."""
    if not _there(path):
        return False
    with contextlib.suppress(OSError):  # not ours to write, or deleted just now: playing it will tell
        os.utime(path.with_suffix(".wav"))
    return True


def _read(path: Path) -> Samples:
    with wave.open(str(path.with_suffix(".wav")), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def shaped(voice: npt.NDArray[np.float32], rate: int) -> Samples:
    """Resampled to 8 kHz, trimmed, equal in loudness, faded at both ends."""
    wave_form = np.asarray(soxr.resample(voice, rate, RATE) if rate != RATE else voice, np.float32)
    peak = float(np.abs(wave_form).max(initial=0.0))
    if not peak:
        return np.zeros(0, np.int16)
    loud = np.flatnonzero(np.abs(wave_form) > peak * QUIET)
    edge = round(EDGE_S * RATE)
    wave_form = wave_form[max(0, loud[0] - edge) : loud[-1] + edge]
    voiced = wave_form[np.abs(wave_form) > peak * 0.05]
    wave_form = wave_form * min(LOUDNESS / float(np.sqrt(np.mean(voiced**2))), PEAK / peak)
    return np.asarray(np.rint(_faded(wave_form) * 32767), np.int16)


def _faded(wave_form: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    count = min(round(FADE_S * RATE), wave_form.size // 2)
    ramp = np.linspace(0, 1, count, dtype=np.float32)
    wave_form = wave_form.copy()
    wave_form[:count] *= ramp
    wave_form[wave_form.size - count :] *= ramp[::-1]
    return wave_form


def joined(pieces: Iterable[Samples]) -> Samples:
    """One after the other with a breath between, and a pause at the end."""
    gap, tail = np.zeros(round(GAP_S * RATE), np.int16), np.zeros(round(TAIL_S * RATE), np.int16)
    parts = [part for piece in pieces for part in (piece, gap)]
    return np.concatenate([*parts[:-1], tail])
