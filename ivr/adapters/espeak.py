"""The voice of espeak-ng: a program on this machine, small, clear, and able to say anything."""

import subprocess
from typing import TYPE_CHECKING

from dialer.errors import SetupError
from ivr.adapters.wavs import HEADER_BYTES
from ivr.prompts import Maker, Piece

if TYPE_CHECKING:
    from ivr.adapters.audio import Sound

WORDS_PER_MINUTE = 150
ENGINE_LIMIT_S = 10.0
_VOICES = {"id": "id", "en": "en-us"}


class Espeak:
    """Speaks with the program `espeak-ng`."""

    name = "espeak"
    away = False

    def __init__(self, program: str = "espeak-ng") -> None:
        self._program = program
        self._version = _version(program)

    def maker(self, language: str, piece: Piece) -> Maker:
        return Maker("espeak-ng", self._version, _VOICES[language], WORDS_PER_MINUTE)

    def speak(self, language: str, piece: Piece) -> "Sound":
        """The text goes by standard input: arguments are seen by everybody."""
        from ivr.adapters.audio import pcm  # numpy comes with it: only where sound is made

        command = [self._program, "-v", _VOICES[language], "-s", str(WORDS_PER_MINUTE), "--stdin", "--stdout"]
        said = ran(command, piece.text, "espeak-ng", ENGINE_LIMIT_S)
        if len(said) <= HEADER_BYTES:
            raise SetupError("espeak-ng made no sound; is its voice data installed?")
        return pcm(said[HEADER_BYTES:], int.from_bytes(said[24:28], "little"))


def ran(command: list[str], text: str, name: str, limit_s: float) -> bytes:
    """What a speech engine wrote; its errors name no text, for that may be a person's name."""
    try:
        return subprocess.run(
            command, input=f"{text}\n".encode(), capture_output=True, timeout=limit_s, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise SetupError(f"{name} did not speak: {type(error).__name__}") from error


def _version(program: str) -> str:
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, timeout=ENGINE_LIMIT_S, check=True, text=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SetupError("espeak-ng is missing; install it with: apt-get install espeak-ng") from error
    return done.stdout.split("Data at")[0].strip()
