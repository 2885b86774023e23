"""The voice of Google Translate by gTTS: fixed sentences alone, when prompts are built, never during a call."""

import io
from importlib import metadata
from typing import TYPE_CHECKING

from dialer.errors import SetupError
from ivr.prompts import Fixed, Maker, Piece

if TYPE_CHECKING:
    from ivr.adapters.audio import Sound

ENGINE_LIMIT_S = 15.0


class NotOutside(SetupError):
    """A text that is not the same in every call was about to leave this machine."""


class Google:
    """Speaks `Fixed` texts only. gTTS does not verify TLS: hear what came before you use it."""

    name = "google"
    away = True

    def __init__(self) -> None:
        try:
            self._version = metadata.version("gTTS")
        except metadata.PackageNotFoundError as error:
            raise SetupError("gTTS is missing; install it with: pip install 'santun[gtts]'") from error

    def maker(self, language: str, piece: Piece) -> Maker | None:
        """None for whatever must not go out, by the type of the text."""
        return Maker("gtts", self._version, language, 0) if _may_go(piece) else None

    def speak(self, language: str, piece: Piece) -> "Sound":
        if not _may_go(piece):
            raise NotOutside("a text of one call")
        import numpy as np
        from gtts import gTTS, gTTSError  # an extra; nothing else needs it

        from ivr.adapters.audio import Sound, read_sound  # numpy comes with it: only where sound is made

        asked = gTTS(piece.text, lang=language, lang_check=False, timeout=ENGINE_LIMIT_S)
        try:
            answers = list(asked.stream())
        except (gTTSError, AssertionError, OSError) as error:
            raise SetupError(f"Google did not speak: {error}") from error
        if not answers:
            raise SetupError("Google sent no sound")
        parts = [read_sound(io.BytesIO(answer)) for answer in answers]  # put together first, only one would be read
        return Sound(np.concatenate([part.wave for part in parts]), parts[0].rate)


def _may_go(piece: Piece) -> bool:
    return isinstance(piece.text, Fixed) and not piece.private
