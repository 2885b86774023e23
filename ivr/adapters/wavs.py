"""Sound files of 16 bit mono as bytes: read, joined and written, whole or not at all. No sound is shaped here, so that
whoever only plays and joins needs no numpy: audio.py has the rest."""

import io
import os
import secrets
import wave
from collections.abc import Sequence
from pathlib import Path

RATE, WIDE_RATE = 8000, 16000
EXTENSIONS = {RATE: ".wav", WIDE_RATE: ".wav16"}  # as Asterisk's format_wav names them
HEADER_BYTES = 44
SAMPLE_BYTES = 2

GAP_S = 0.03  # between joined pieces
PAUSE_S = 0.3  # after a piece in which the voice fell
TAIL_S = 0.25  # after a sentence


def joined(pieces: Sequence[tuple[str, bytes]], rate: int = RATE) -> bytes:
    """One after the other with a breath between, a pause where the voice fell, and a pause at the end."""
    parts: list[bytes] = []
    for number, (text, frames) in enumerate(pieces, 1):
        pause_s = TAIL_S if number == len(pieces) else PAUSE_S if text.endswith(".") else GAP_S
        parts += [frames, silence(pause_s, rate)]
    return b"".join(parts)


def silence(seconds: float, rate: int = RATE) -> bytes:
    """So long, in this rate."""
    return bytes(SAMPLE_BYTES * round(seconds * rate))


def read_frames(path: Path, rate: int = RATE) -> bytes:
    """What `write_frames` wrote."""
    with wave.open(str(path.with_suffix(EXTENSIONS[rate])), "rb") as file:
        return file.readframes(file.getnframes())


def write_frames(path: Path, frames: bytes, rate: int = RATE) -> None:
    """Its name ends as Asterisk knows the rate by."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, SAMPLE_BYTES, rate, 0, "NONE", ""))
        file.writeframes(frames)
    write_whole(path.with_suffix(EXTENSIONS[rate]), sound.getvalue())


def write_whole(path: Path, content: bytes) -> None:
    """Appears whole or not at all: Asterisk or another process, perhaps of another container, may look for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.stem}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)  # a full disk is not filled further
        raise
