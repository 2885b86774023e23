"""Recordings on a real disk: sealed once nobody writes them, whatever is killed in between; found again by day."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from dialer.adapters import sealed_recordings
from dialer.adapters.recording_shelf import Shelf, Sound
from dialer.adapters.sealed import CHUNK, new_key, read_keys
from dialer.adapters.sealed_recordings import Folder, day_of
from dialer.errors import StoreDown
from dialer.model import attempt_id

AT = 1_800_000_000.0
KEY = new_key()
SEALS = read_keys(KEY, "keys")
ONE, TWO, OLD = (attempt_id(AT - days * 86400, bytes(range(10))) for days in (0, 1, 100))
CONTENT = b"RIFF" + bytes(range(256)) * 1000


def wav(folder: Path, stem: str, content: bytes = CONTENT) -> Path:
    path = folder / f"{stem}.wav"
    path.write_bytes(content)
    return path


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.wav*")}


def twin(stem: str) -> str:
    return f"{day_of(stem)}/{stem}.wav.age"


async def heard(folder: Path, stem: str, plain: bool = False) -> bytes:
    shelf = Shelf(folder, SEALS, plain)
    try:
        sound = shelf.find(f"{stem}.wav")
        assert isinstance(sound, Sound)
        return b"".join([piece async for piece in sound.pieces(0, sound.size)])
    finally:
        shelf.close()


async def test_what_is_being_written_is_left_alone_and_sealed_once_it_is_closed(tmp_path: Path) -> None:
    folder = Folder(tmp_path, SEALS)
    with (tmp_path / f"{ONE}.wav").open("wb") as asterisk:
        asterisk.write(CONTENT[:1000])
        asterisk.flush()
        os.utime(asterisk.fileno(), (1, 1))  # long ago: nothing was said for hours
        swept = folder.sweep(AT)
        assert (swept.waiting, swept.sealed) == (1, 0)
        asterisk.write(CONTENT[1000:])
    assert folder.sweep(AT).sealed == 1
    assert names(tmp_path) == {twin(ONE)}
    sealed = tmp_path / twin(ONE)
    assert sealed.stat().st_mode & 0o777 == 0o600
    assert sealed.parent.stat().st_mode & 0o777 == 0o700
    assert CONTENT[4:40] not in sealed.read_bytes()
    assert await heard(tmp_path, ONE) == CONTENT
    assert folder.sweep(AT).sealed == 0


def test_where_the_kernel_does_not_tell_it_waits_for_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("another's file")

    monkeypatch.setattr("dialer.adapters.sealed_recordings.fcntl.fcntl", refused)
    path = wav(tmp_path, ONE)
    folder = Folder(tmp_path, SEALS)
    os.utime(path, (AT, AT))
    assert folder.sweep(AT + sealed_recordings.QUIET_S).waiting == 1
    assert folder.sweep(AT + sealed_recordings.QUIET_S + 1).sealed == 1


def test_what_is_no_recording_is_left_alone(tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    secret.write_bytes(b"secret")
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / f"{ONE}.wav").symlink_to(secret)
    (folder / f"{TWO}.wav").mkdir()
    (folder / "notes.txt").write_text("x")
    swept = Folder(folder, SEALS).sweep(AT)
    assert (swept.sealed, swept.failed) == (0, 0)
    assert secret.read_bytes() == b"secret"


def test_without_keys_nothing_is_touched_but_what_is_unwanted(tmp_path: Path) -> None:
    wav(tmp_path, ONE)
    wav(tmp_path, TWO)
    swept = Folder(tmp_path, None).sweep(AT, {TWO})
    assert (swept.sealed, swept.removed) == (0, 1)
    assert names(tmp_path) == {f"{ONE}.wav"}


def test_unwanted_and_old_ones_go(tmp_path: Path) -> None:
    folder = Folder(tmp_path, SEALS)
    for stem in (ONE, TWO, OLD, "1700000000.12"):
        wav(tmp_path, stem)
    assert folder.sweep(AT).sealed == 4
    assert folder.forget([ONE, "../../etc/passwd", attempt_id(AT, bytes(10))]) == 1
    stranger = datetime.fromtimestamp(tmp_path.stat().st_mtime, UTC).date().isoformat()
    assert names(tmp_path) == {twin(TWO), twin(OLD), f"{stranger}/1700000000.12.wav.age"}
    assert folder.fade(date.fromisoformat(day_of(TWO))) == 1 + (stranger < day_of(TWO))
    assert twin(TWO) in names(tmp_path)
    assert not (tmp_path / day_of(OLD)).exists()


# a process that is killed where it seals: before the twin is named, and before the plain file goes
DYING = """
import os, signal, sys
from pathlib import Path
from dialer.adapters import sealed_recordings
from dialer.adapters.sealed import read_keys
at, folder = sys.argv[1], Path(sys.argv[2])
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
if at == "replace": sealed_recordings.os.replace = die
if at == "fsync": sealed_recordings.os.fsync = die
if at == "unlink": sealed_recordings.Path.unlink = die
sealed_recordings.Folder(folder, read_keys(sys.argv[3], "keys")).sweep(0.0)
"""


@pytest.mark.parametrize("where", ["fsync", "replace", "unlink"])
async def test_a_kill_loses_nothing_and_the_next_start_finishes(tmp_path: Path, where: str) -> None:
    wav(tmp_path, ONE)
    died = subprocess.run(  # noqa: ASYNC221
        [sys.executable, "-c", DYING, where, str(tmp_path), KEY], check=False, cwd=Path(__file__).parents[2]
    )
    assert died.returncode == -signal.SIGKILL
    assert f"{ONE}.wav" in names(tmp_path), "the plain file is there until its twin is whole"
    folder = Folder(tmp_path, SEALS)
    folder.sweep(AT)
    folder.sweep(AT)
    assert names(tmp_path) == {twin(ONE)}
    assert await heard(tmp_path, ONE) == CONTENT


def test_one_process_looks_after_a_folder(tmp_path: Path) -> None:
    first, second = Folder(tmp_path, SEALS), Folder(tmp_path, SEALS)
    assert (first.take(), second.take(), first.take()) == (True, False, True)
    first.close()
    assert second.take()
    second.close()


async def test_a_stretch_is_given_and_no_more_is_opened_than_it_needs(tmp_path: Path) -> None:
    content = os.urandom(5 * CHUNK + 77)
    wav(tmp_path, ONE, content)
    Folder(tmp_path, SEALS).sweep(AT)
    shelf = Shelf(tmp_path, SEALS, plain=False)
    sound = shelf.find(f"{ONE}.wav")
    assert sound is not None
    assert sound.size == len(content)
    for start, stop in (
        (0, 1),
        (5, CHUNK),
        (CHUNK - 1, CHUNK + 1),
        (4 * CHUNK, len(content)),
        (len(content) - 1, len(content)),
    ):
        assert b"".join([piece async for piece in sound.pieces(start, stop)]) == content[start:stop]
    shelf.close()


async def test_listeners_who_stop_or_sleep_hold_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.adapters.recording_shelf.AT_ONCE", 2)
    wav(tmp_path, ONE, os.urandom(40 * CHUNK))
    Folder(tmp_path, SEALS).sweep(AT)
    shelf = Shelf(tmp_path, SEALS, plain=False)
    sound = shelf.find(f"{ONE}.wav")
    assert sound is not None
    held = [sound.pieces(0, sound.size) for _ in range(2)]
    for one in held:
        assert len(await anext(one)) == CHUNK
    with pytest.raises(StoreDown, match="too many"):
        await anext(sound.pieces(0, 1))
    async with asyncio.timeout(60):
        for one in held:
            await one.aclose()
    assert len(b"".join([piece async for piece in sound.pieces(0, sound.size)])) == sound.size
    shelf.close()


async def test_what_was_tampered_with_is_not_given_out(tmp_path: Path) -> None:
    wav(tmp_path, ONE, os.urandom(3 * CHUNK))
    Folder(tmp_path, SEALS).sweep(AT)
    path = tmp_path / twin(ONE)
    raw = bytearray(path.read_bytes())
    raw[-100] ^= 1
    path.write_bytes(raw)
    got = b""
    shelf = Shelf(tmp_path, SEALS, plain=False)
    sound = shelf.find(f"{ONE}.wav")
    assert sound is not None
    with pytest.raises(OSError, match="decryption"):  # noqa: PT012
        async for piece in sound.pieces(0, sound.size):
            got += piece
    assert len(got) <= 2 * CHUNK
    shelf.close()
