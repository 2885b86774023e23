"""The voice of a studio: a folder of recordings, found by the names that ivr/script.py gives to each piece."""

import csv
import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dialer.errors import SetupError
from ivr import script
from ivr.prompts import Maker, Piece
from ivr.script import Line
from ivr.spoken import LANGUAGES
from ivr.texts import SHIPPED, Said

if TYPE_CHECKING:
    from ivr.adapters.audio import Sound

KINDS = (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3")  # best first
READ = "script.csv"  # what was read, as `ivr prompts missing --csv` printed it


@dataclass(frozen=True, slots=True)
class _Take:
    """One recording, and what tells it from another of the same name."""

    path: Path
    digest: str


class Recordings:
    """Looks through the folder once; what comes later is found by the next program that starts."""

    name = "recorded"
    away = False

    def __init__(
        self, folder: Path, messages: Mapping[str, Mapping[str, str]] | None = None, said: Said = SHIPPED
    ) -> None:
        if not folder.is_dir():
            raise SetupError(f"there is no folder {folder} with recordings")
        self._takes: dict[str, dict[str, _Take]] = {}
        self._lines: dict[str, dict[str, Line]] = {}
        self._read: dict[str, dict[str, str]] = {}
        for language in LANGUAGES:
            self._takes[language] = dict(_takes(folder / language))
            lines = script.lines(language, (messages or {}).get(language), said)
            self._lines[language] = {line.text: line for line in lines}
            self._read[language] = _as_read(folder / language / READ)

    def maker(self, language: str, piece: Piece) -> Maker | None:
        take = self._take(language, piece)
        return Maker("recorded", take.digest, language, 0) if take else None

    def speak(self, language: str, piece: Piece) -> "Sound":
        from ivr.adapters.audio import read_sound  # numpy comes with it: only where sound is made

        take = self._take(language, piece)
        if take is None:
            raise SetupError("there is no such recording")
        try:
            return read_sound(take.path)
        except SetupError as error:
            if piece.private:  # its file is named by the person, and this goes into logs
                raise SetupError("the recording of a name cannot be read") from None
            raise SetupError(f"{take.path.name}: {error.detail}") from error

    def missing(self, language: str) -> list[Line]:
        """What is still to be recorded."""
        return [line for line in self._lines[language].values() if not self._take(language, Piece(line.text))]

    def outdated(self, language: str) -> list[str]:
        """Names of recordings that say something else than what is to be said now."""
        now = {file: line.text for line in self._lines[language].values() for file in line.files}
        return sorted(
            name
            for name in self._takes[language]
            if name in now and not _same(self._read[language].get(name), now[name])
        )

    def unknown(self, language: str) -> list[str]:
        """Recordings that no piece asks for by name; words of lenders and names of people are not among them."""
        known = {file for line in self._lines[language].values() for file in line.files}
        return sorted(name for name in self._takes[language].keys() - known if not name.startswith(f"{script.NAMES}/"))

    def _take(self, language: str, piece: Piece) -> _Take | None:
        names = script.name_files(piece.text) if piece.private else script.files(self._lines[language], piece.text)
        for name in names:
            take = self._takes[language].get(name)
            if take and (piece.private or _same(self._read[language].get(name), piece.text)):
                return take
        return None


def _takes(folder: Path) -> Iterator[tuple[str, _Take]]:
    """Name without extension -> file; of several kinds the best."""
    if not folder.is_dir():
        return
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in KINDS]
    for path in sorted(found, key=lambda path: KINDS.index(path.suffix.lower()), reverse=True):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        yield path.relative_to(folder).with_suffix("").as_posix().casefold(), _Take(path, digest)


def _as_read(path: Path) -> dict[str, str]:
    """File name -> the text that was read; empty where nobody wrote it down."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} cannot be read: {error}") from error
    lines = text.splitlines()
    first = lines[0] if lines else ""
    delimiter = ";" if first.count(";") > first.count(",") else ","  # as a spreadsheet saves it in Indonesian
    rows = csv.DictReader(lines, delimiter=delimiter)
    if not {"file", "text"} <= set(rows.fieldnames or ()):
        raise SetupError(
            f"{path}: its first line has no columns `file` and `text`; begin with {','.join(script.COLUMNS)}"
        )
    return {(row.get("file") or "").strip().casefold(): row.get("text") or "" for row in rows}


def _same(read: str | None, wanted: str) -> bool:
    """Did the actor read these words? The marks do not matter, and what was not written down is trusted."""
    return read is None or _words(read) == _words(wanted)


def _words(text: str) -> list[str]:
    clean = unicodedata.normalize("NFC", text).casefold()
    return "".join(char if char.isalnum() else " " for char in clean).split()
