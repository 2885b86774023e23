"""Pieces rendered once and joined into one file per sentence: found again by name, kept within limits."""

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from dialer.errors import SetupError
from ivr.adapters.voices import Batch, Setup, Voice, chosen, kept
from ivr.adapters.wavs import (
    EXTENSIONS,
    HEADER_BYTES,
    RATE,
    WIDE_RATE,
    joined,
    read_frames,
    silence,
    write_frames,
)
from ivr.prompts import Piece, Sentence, file_name, fixed, joined_name, outside, parts
from ivr.spoken import LANGUAGES
from ivr.texts import SHIPPED, Said

if TYPE_CHECKING:
    from ivr.adapters.audio import Samples, Sound

log = structlog.get_logger("ivr.speech")

BATCH = 100
AT_ONCE = 2  # more engines at a time only take turns on the processor
SILENCE_MS = 5000
SILENCE = "silence"
PIECES, JOINED, NAMES = "pieces", "joined", "names"  # folders
FOR_ONE_CALL = (JOINED, NAMES)
YOUNG_S = 600.0  # may be about to play: never deleted for want of space
_SUFFIXES = (*EXTENSIONS.values(), ".part")


class _Kept(NamedTuple):
    """A file made for single calls."""

    used: float
    size: int
    path: Path


class Elsewhere(Protocol):
    """Another process, where pieces are made."""

    def make(self, language: str, piece: Piece) -> list[str]:
        """The piece is there then; names of the files that a better voice could not make. Raises SetupError."""


class Speech:
    """Says pieces and sentences by the first voice that can; what was made lies under `out`. With `elsewhere`, pieces
    are made there, and only found and joined here."""

    def __init__(
        self,
        out: Path,
        voices: Sequence[Voice],
        wide: bool = False,
        said: Said = SHIPPED,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._out = out
        self._voices = tuple(voices)
        self._rates = (RATE, WIDE_RATE) if wide else (RATE,)
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._said = said
        self._elsewhere = elsewhere
        self._outside = {language: {str(text): text for text in outside(language, said)} for language in LANGUAGES}
        self._failed: set[Path] = set()  # not tried again by this process: each time would be another silence
        self.silence = out / PIECES / SILENCE
        if not _there(self.silence, (RATE,)):  # in one rate alone: an offset counts samples of the file that is chosen
            write_frames(self.silence, silence(SILENCE_MS / 1000))

    def piece(self, language: str, piece: Piece) -> Path:
        """The file of one piece, made if need be. Names of people lie apart, where they can be deleted."""
        errors: list[str] = []
        for voice, path, typed in self._ways(language, piece):
            if self._found(path, piece.private):
                return path
            if voice.away:
                continue  # during a call nothing leaves this machine
            if self._elsewhere:
                return self._from_elsewhere(self._elsewhere, language, piece)
            try:
                return self._made(voice, path, language, typed)
            except SetupError as error:
                errors.append(f"{voice.name}: {error.detail}")
                self._failed.add(path)
                log.warning("A voice failed.", action="next_voice", voice=voice.name, error=error.detail)
        raise SetupError("; ".join(errors) or "no voice says this")

    def _from_elsewhere(self, elsewhere: Elsewhere, language: str, piece: Piece) -> Path:
        failed = set(elsewhere.make(language, piece))
        ways = [path for _, path, _ in self._ways(language, piece)]
        self._failed |= {path for path in ways if path.name in failed}
        for path in ways:
            if self._found(path, piece.private):
                return path
        raise SetupError("what was made elsewhere is not here: do both see the same folder?")

    @property
    def failed(self) -> list[str]:
        """Names of the files that a voice could not make; another voice may have said the same."""
        return sorted(path.name for path in self._failed)

    def sentence(self, sentence: Sentence) -> Path:
        """The file of a whole sentence, without its extension, as Asterisk wants it."""
        try:
            return self._sentence(sentence)
        except FileNotFoundError:  # a piece was deleted between being found and being read
            return self._sentence(sentence)

    def _sentence(self, sentence: Sentence) -> Path:
        paths = [self.piece(sentence.language, piece) for piece in sentence.pieces]
        path = self._whole(sentence, paths)
        if not self._found(path, for_a_call=True):
            texts = [piece.text for piece in sentence.pieces]
            for rate in self._rates:
                parts = [read_frames(each, rate) for each in paths]
                write_frames(path, joined(list(zip(texts, parts, strict=True)), rate), rate)
        return path

    def ready(self, sentence: Sentence) -> Path | None:
        """The file if it is there already: asked while the line waits, so nothing is made."""
        paths: list[Path] = []
        for piece in sentence.pieces:
            for voice, path, _ in self._ways(sentence.language, piece):
                if _there(path, self._rates):
                    paths.append(path)
                    break
                if not voice.away:
                    return None
        if len(paths) < len(sentence.pieces):
            return None
        path = self._whole(sentence, paths)
        return path if self._found(path, for_a_call=True) else None

    def render(self, language: str, text: str) -> "Samples":
        """8 kHz, of equal loudness: a sentence that the dialplan plays."""
        from ivr.adapters.audio import read_wav

        return read_wav(self.piece(language, Piece(text)))

    def warm(self) -> int:
        """Render everything that is known before the first call; how many pieces there are."""
        self._build_away()
        wanted = [(language, Piece(text)) for language in LANGUAGES for text in fixed(language, self._said)]
        self._build_batches(wanted)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return len(list(pool.map(lambda one: self.piece(*one), wanted)))

    def lacking(self, said: Said) -> list[str]:
        """Names of the sentences that are not rendered: by an older program, or for other conversations."""
        found = [
            f"{name} ({language})"
            for language in LANGUAGES
            for name, _, _, piece in parts(language, said)
            if self._to_make(language, piece)
        ]
        return list(dict.fromkeys(found))

    def _build_away(self) -> None:
        """What may leave this machine is sent out where no better voice says it; the next voice says what failed."""
        for language, texts in self._outside.items():
            for text in texts:
                first = next(self._ways(language, Piece(text)), None)
                if first is None or not first[0].away or _there(first[1], self._rates):
                    continue
                voice, path, typed = first
                try:
                    self._made(voice, path, language, typed)
                except SetupError as error:
                    log.warning("A voice failed.", action="next_voice", voice=voice.name, error=error.detail)
                    return  # it has had enough of us, or is not there

    def _build_batches(self, wanted: Sequence[tuple[str, Piece]]) -> None:
        """What a voice says faster together; where that fails, `piece` tries one by one."""
        for voice in self._voices:
            for language in LANGUAGES if isinstance(voice, Batch) else ():
                ways = [self._to_make(language, piece) for of, piece in wanted if of == language]
                found = [(path, typed) for way in ways if way for by, path, typed in [way] if by is voice]
                for start in range(0, len(found), BATCH):
                    if not self._batch_written(voice, language, found[start : start + BATCH]):
                        break

    def _batch_written(self, voice: Voice, language: str, found: Sequence[tuple[Path, Piece]]) -> bool:
        try:
            sounds = voice.speak_all(language, [piece for _, piece in found]) if isinstance(voice, Batch) else []
        except SetupError as error:
            log.warning("A voice failed.", action="one_by_one", voice=voice.name, error=error.detail)
            return False
        for (path, _), sound in zip(found, sounds, strict=True):
            self._written(path, sound)
        return True

    def _to_make(self, language: str, piece: Piece) -> tuple[Voice, Path, Piece] | None:
        """The voice that would be asked for the piece; None where it is there."""
        for way in self._ways(language, piece):
            if _there(way[1], self._rates):
                return None
            if not way[0].away:
                return way
        return None

    def _ways(self, language: str, piece: Piece) -> Iterator[tuple[Voice, Path, Piece]]:
        """Each voice that says the piece, the file in which it is or will be, and the piece by its type."""
        folder = self._out / (NAMES if piece.private else PIECES)
        if not piece.private:
            piece = Piece(self._outside.get(language, {}).get(piece.text, piece.text))
        for voice in self._voices:
            if maker := voice.maker(language, piece):
                path = folder / file_name(maker, piece.text)
                if path not in self._failed:
                    yield voice, path, piece

    def _whole(self, sentence: Sentence, paths: list[Path]) -> Path:
        private = any(piece.private for piece in sentence.pieces)
        return self._out / (NAMES if private else JOINED) / joined_name(tuple(path.name for path in paths))

    def _made(self, voice: Voice, path: Path, language: str, piece: Piece) -> Path:
        with self._turns:
            sound = voice.speak(language, piece)
        return self._written(path, sound)

    def _written(self, path: Path, sound: "Sound") -> Path:
        from ivr.adapters.audio import shaped, write_wav  # numpy comes with it: only where sound is made

        made = [(rate, shaped(sound, rate)) for rate in self._rates]
        if not made[0][1].size:
            raise SetupError("nothing can be heard")
        for rate, samples in made:
            write_wav(path, samples, rate)
        return path

    def _found(self, path: Path, for_a_call: bool) -> bool:
        """Is it there? What is made for single calls is then young again, and `forget` leaves it alone."""
        if not _there(path, self._rates):
            return False
        if for_a_call:
            for rate in self._rates:
                with contextlib.suppress(OSError):  # not ours to write, or deleted just now: playing it will tell
                    os.utime(path.with_suffix(EXTENSIONS[rate]))
        return True

    def forget(self, before: float) -> int:
        """Delete what was made for single calls and not used since then (epoch seconds); how many files."""
        return sum(_deleted(one.path) for one in self._kept() if one.used < before)

    def shrink(self, most_bytes: int, at: float) -> int:
        """Delete what was used longest ago until the rest is no larger; how many files."""
        files = sorted(self._kept())
        size, deleted = sum(one.size for one in files), 0
        for one in files:
            if size <= most_bytes or one.used > at - YOUNG_S:
                break
            size -= one.size
            deleted += _deleted(one.path)
        return deleted

    def size(self) -> tuple[int, int]:
        """Files and bytes of what was made for single calls."""
        sizes = [one.size for one in self._kept()]
        return len(sizes), sum(sizes)

    def _kept(self) -> Iterator[_Kept]:
        """Also the half files of a process that was killed."""
        for folder in FOR_ONE_CALL:
            for path in (self._out / folder).glob("*"):
                with contextlib.suppress(FileNotFoundError):  # another process deletes too
                    found = path.stat()
                    if path.suffix in _SUFFIXES:
                        yield _Kept(found.st_mtime, found.st_size, path)


def opened(out: Path, setup: Setup | None = None, elsewhere: Elsewhere | None = None) -> Speech:
    """The speech of a folder, by the voices with which it was rendered or by those given."""
    setup = setup or kept(out)
    return Speech(out, chosen(setup), setup.wide, setup.said, elsewhere)


def _there(path: Path, rates: Sequence[int]) -> bool:
    """Whole in every rate; a power cut may leave an empty file."""
    try:
        return all(path.with_suffix(EXTENSIONS[rate]).stat().st_size > HEADER_BYTES for rate in rates)
    except FileNotFoundError:
        return False


def _deleted(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
