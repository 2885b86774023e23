"""Sounds made in another process: the same as here, and nothing hangs or stays when one of the two dies."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialer.errors import SetupError
from ivr.adapters import workshop
from ivr.adapters.speech import opened
from ivr.adapters.voices import Setup, keep
from ivr.adapters.workshop import Workshop
from ivr.prompts import Piece, Sentence
from tests.asterisk.waiting import until_now

NAME = Piece("Budi Santoso,", private=True)
SENTENCE = Sentence("ask_name", "id", (Piece("Apakah benar,"), NAME, Piece("Terima kasih.")))


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Workshop]:
    shop = Workshop(tmp_path / "there")
    yield shop
    shop.close()


def test_a_sentence_is_the_same_as_one_made_here(tmp_path: Path, made: Workshop) -> None:
    here = opened(tmp_path / "here").sentence(SENTENCE)
    there = opened(tmp_path / "there", elsewhere=made).sentence(SENTENCE)
    assert there.name == here.name
    assert there.with_suffix(".wav").read_bytes() == here.with_suffix(".wav").read_bytes()
    assert len(made.pids()) == 1


def test_a_process_that_was_killed_is_replaced(tmp_path: Path, made: Workshop) -> None:
    speech = opened(tmp_path / "there", elsewhere=made)
    speech.piece("id", Piece("Halo."))
    (first,) = made.pids()
    os.kill(first, signal.SIGKILL)
    assert speech.piece("id", NAME).with_suffix(".wav").exists()
    assert made.pids() != [first]


def test_one_that_is_frozen_costs_its_time_limit_and_no_more(tmp_path: Path, made: Workshop) -> None:
    speech = opened(tmp_path / "there", elsewhere=made)
    speech.piece("id", Piece("Halo."))
    (pid,) = made.pids()
    made._free[0]._sock.settimeout(0.3)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(SetupError, match="did not answer"):
        speech.piece("id", NAME)
    assert not made.pids()
    assert speech.piece("id", NAME).with_suffix(".wav").exists()


def test_a_voice_that_is_too_slow_for_its_calls_is_not_waited_for_without_end(
    tmp_path: Path, made: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every turn is taken: what the line has given up does not pile up."""
    monkeypatch.setattr(workshop, "TURN_LIMIT_S", 0.05)
    speech = opened(tmp_path / "there", elsewhere=made)
    for _ in range(workshop.AT_ONCE):
        made._turns.acquire()
    with pytest.raises(SetupError, match="more is to be said than the voice can make"):
        speech.piece("id", NAME)
    made._turns.release()
    assert speech.piece("id", NAME).with_suffix(".wav").exists()


def test_a_better_voice_that_fails_is_not_asked_again(tmp_path: Path, made: Workshop) -> None:
    """The other process says so; here the file is then found by the voice that could."""
    studio = tmp_path / "studio"
    (studio / "id").mkdir(parents=True)
    (studio / "id" / "hello.wav").write_text("no sound")
    keep(tmp_path / "there", Setup(recordings=str(studio)))
    speech = opened(tmp_path / "there", elsewhere=made)
    halo = Sentence("hello", "id", (Piece("Halo."),))
    path = speech.sentence(halo)
    assert speech.ready(halo) == path
    assert len(speech.failed) == 1


def test_what_cannot_be_said_is_refused_with_its_reason(tmp_path: Path, made: Workshop) -> None:
    with pytest.raises(SetupError, match="nothing can be heard"):
        opened(tmp_path / "there", elsewhere=made).piece("id", Piece("..."))


async def test_it_ends_with_its_server(tmp_path: Path) -> None:
    """However that ends: nobody is left behind by kill -9."""
    program = (
        "import os, signal, sys; from pathlib import Path; from ivr.adapters.workshop import Workshop;"
        "from ivr.prompts import Piece; shop = Workshop(Path(sys.argv[1])); shop.make('id', Piece('Halo.'));"
        "print(*shop.pids(), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(server.communicate(), 60)
    assert server.returncode == -signal.SIGKILL
    pid = int(said)
    await until_now(lambda: not _runs(pid), "its end", 10)


def _runs(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())  # empty: it has ended, and nobody has asked how
    except FileNotFoundError:
        return False


def test_the_server_loads_what_it_needs_and_no_more() -> None:
    """Its memory limit rests on it: docs/decisions/0055."""
    heavy = "{'numpy', 'soxr', 'soundfile', 'pydantic', 'typer', 'cryptography.x509'}"
    program = f"import sys, ivr.service; print(*{heavy} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""


def test_no_secret_is_handed_on(tmp_path: Path, made: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANTUN_PERSON_KEY", "00" * 32)
    made.make("id", Piece("Halo."))
    (pid,) = made.pids()
    assert workshop.OURS.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
