"""Which voices there are, which are used, and in which order: recordings before engines, the operator's before ours."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from dialer.errors import ConfigError
from ivr.adapters.espeak import Espeak
from ivr.adapters.google import Google
from ivr.adapters.piper import Piper
from ivr.adapters.recordings import Recordings
from ivr.adapters.wavs import write_whole
from ivr.prompts import Maker, Piece
from ivr.spoken import LANGUAGES
from ivr.texts import SHIPPED, Said, Texts

if TYPE_CHECKING:
    from ivr.adapters.audio import Sound

FILE = "voices.json"  # lies beside what was rendered, so that calls are spoken as the prompts were


class Voice(Protocol):
    """Turns text into sound."""

    @property
    def name(self) -> str: ...

    @property
    def away(self) -> bool:
        """Does text leave this machine? Then it speaks when prompts are built and never during a call."""

    def maker(self, language: str, piece: Piece) -> Maker | None:
        """What the sound would be made by; None: this voice does not say it."""

    def speak(self, language: str, piece: Piece) -> "Sound":
        """Raises SetupError."""


@runtime_checkable
class Batch(Protocol):
    """A voice that is much faster with many pieces at once."""

    def speak_all(self, language: str, pieces: Sequence[Piece]) -> list["Sound"]:
        """In their order. Raises SetupError."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the operator chose. `piper` is language -> model; `messages` language -> name -> text of the dialplan."""

    recordings: str = ""
    piper: Mapping[str, str] = field(default_factory=dict)
    google: bool = False
    wide: bool = False  # 16 kHz too
    messages: Texts = field(default_factory=dict)
    sentences: Texts = field(default_factory=dict)  # of flows that are not shipped
    words: Texts = field(default_factory=dict)

    @property
    def said(self) -> Said:
        """All that is rendered before the first call."""
        return SHIPPED.with_(Said(self.sentences, self.words))


def _recorded(setup: Setup) -> Voice | None:
    return Recordings(Path(setup.recordings), setup.messages, setup.said) if setup.recordings else None


def _google(setup: Setup) -> Voice | None:
    return Google() if setup.google else None


def _piper(setup: Setup) -> Voice | None:
    return Piper({language: Path(path) for language, path in setup.piper.items()}) if setup.piper else None


def _espeak(_: Setup) -> Voice | None:
    return Espeak()


REGISTRY: Mapping[str, Callable[[Setup], Voice | None]] = {
    "recorded": _recorded,
    "google": _google,
    "piper": _piper,
    "espeak": _espeak,
}


def chosen(setup: Setup) -> tuple[Voice, ...]:
    """The voices in use, best first; each piece is said by the first that can."""
    return tuple(voice for make in REGISTRY.values() if (voice := make(setup)))


def keep(out: Path, setup: Setup) -> None:
    """For the programs that will speak from this folder."""
    write_whole(out / FILE, json.dumps(asdict(setup), indent=1, sort_keys=True, ensure_ascii=False).encode())


def kept(out: Path) -> Setup:
    """What was kept; the defaults where nothing was."""
    path = out / FILE
    try:
        found = Setup(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return Setup()
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path} cannot be used: {error}; render the prompts again.") from error
    if unknown := found.piper.keys() - set(LANGUAGES):
        raise ConfigError(f"{path}: piper has no language {', '.join(sorted(unknown))}; use {', '.join(LANGUAGES)}.")
    return found
