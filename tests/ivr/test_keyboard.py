"""A conversation at the desk: the same dialogue, printed, and spoken where there is a sound device."""

import io
import stat
from pathlib import Path

import pytest

from ivr.adapters import keyboard
from ivr.adapters.audio import read_sound
from ivr.adapters.speech import opened
from ivr.shipped import shipped

PLAYER = """#!/bin/sh
shift
echo "$1" >>{heard}
"""


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a sound device played, a file a line."""
    cards, player, heard = tmp_path / "cards", tmp_path / "aplay", tmp_path / "heard"
    cards.write_text(" 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n")
    player.write_text(PLAYER.format(heard=heard))
    player.chmod(stat.S_IRWXU)
    monkeypatch.setattr(keyboard, "SOUND_CARDS", cards)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return heard


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_it_speaks_where_there_is_a_sound_device(
    tmp_path: Path, heard: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert keyboard.speaks()
    typed(monkeypatch, "9", "1")
    assert keyboard.talk("plain", shipped(), "id", False, opened(tmp_path / "sounds")) == "wrong_person"
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ") and "[" not in line]
    played = heard.read_text().splitlines()
    assert len(played) == len(printed) > 8
    assert all(read_sound(Path(path)).wave.size for path in played)


def test_without_a_sound_device_it_is_printed_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(keyboard, "SOUND_CARDS", tmp_path / "none")
    assert not keyboard.speaks()
    typed(monkeypatch, "3")
    assert keyboard.talk("plain", shipped(), "id", False, None) == "not_at_home"
    assert "Terima kasih atas bantuan Anda." in capsys.readouterr().out
