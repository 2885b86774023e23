"""The voice of piper: a neural voice on this machine, from a model file that the operator brings."""

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from dialer.errors import SetupError
from ivr.adapters.espeak import ran
from ivr.prompts import Maker, Piece

if TYPE_CHECKING:
    from ivr.adapters.audio import Sound

ENGINE_LIMIT_S = 60.0  # it loads its model anew each time
PIECE_LIMIT_S = 5.0


class Piper:
    """Speaks the languages that it has a model for; `models` are files NAME.onnx with NAME.onnx.json beside them."""

    name = "piper"
    away = False

    def __init__(self, models: dict[str, Path], program: str = "") -> None:
        self._command = [program] if program else _found()
        self._models = {language: _Model(path) for language, path in models.items()}

    def maker(self, language: str, piece: Piece) -> Maker | None:
        model = self._models.get(language)
        return Maker("piper", model.digest, model.path.stem, model.rate) if model else None

    def speak(self, language: str, piece: Piece) -> "Sound":
        from ivr.adapters.audio import pcm  # numpy comes with it: only where sound is made

        model = self._models[language]
        said = ran([*self._command, "--model", str(model.path), "--output_raw"], piece.text, "piper", ENGINE_LIMIT_S)
        if not said:
            raise SetupError("piper made no sound")
        return pcm(said, model.rate)

    def speak_all(self, language: str, pieces: Sequence[Piece]) -> list["Sound"]:
        """Many by one program, in their order: the model is loaded once. Its files are named by time."""
        from ivr.adapters.audio import read_sound

        model = self._models[language]
        with tempfile.TemporaryDirectory(prefix="santun-piper-") as folder:
            words = [*self._command, "--model", str(model.path), "--output_dir", folder]
            ran(words, "\n".join(piece.text for piece in pieces), "piper", ENGINE_LIMIT_S + PIECE_LIMIT_S * len(pieces))
            made = sorted(Path(folder).glob("*.wav"), key=lambda path: (len(path.name), path.name))
            if len(made) != len(pieces):
                raise SetupError(f"piper made {len(made)} sounds of {len(pieces)} texts")
            return [read_sound(path) for path in made]


class _Model:
    """A voice file: what tells it from others, and its rate."""

    def __init__(self, path: Path) -> None:
        settings = path.with_name(f"{path.name}.json")
        try:
            with path.open("rb") as file:
                self.digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
            self.rate = int(json.loads(settings.read_bytes())["audio"]["sample_rate"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SetupError(f"{path} is no piper voice; it needs {settings.name} beside it: {error}") from error
        self.path = path


def _found() -> list[str]:
    """The program, or the module of the Python package."""
    if program := shutil.which("piper"):
        return [program]
    if find_spec("piper"):
        return [sys.executable, "-m", "piper"]
    raise SetupError("piper is missing; install it with: pip install piper-tts, or put the program on PATH")
