"""Every piece of both languages decoded; one file per sentence; the cache's limits; voices that fail."""

import os
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialer.errors import SetupError
from ivr import prompts, spoken
from ivr.adapters import audio, broom, wavs
from ivr.adapters.audio import Sound
from ivr.adapters.espeak import Espeak
from ivr.adapters.speech import SILENCE, YOUNG_S, Speech, opened
from ivr.adapters.voices import Setup
from ivr.adapters.wavs import RATE, WIDE_RATE
from ivr.prompts import Fixed, Maker, Piece, Sentence, fixed
from ivr.shipped import call_back, wish
from ivr.texts import said
from tests.ivr import twins

AMOUNT = prompts.sentence("amount", "id", {"amount": spoken.money(1_250_000, "IDR", "id")})
NAMED = Sentence("ask_name", "id", (Piece("Apakah,"), Piece("Budi?", private=True)))
BYE = Sentence("bye", "id", (Piece("Terima kasih."),))


class Twin:
    """A voice of a test: a tone, as long as the text."""

    def __init__(self, name: str = "twin", away: bool = False, says: Callable[[Piece], bool] = lambda _: True) -> None:
        self.name, self.away, self.says = name, away, says
        self.said: list[Piece] = []
        self.fails = False

    def maker(self, language: str, piece: Piece) -> Maker | None:
        return Maker(self.name, "1", language, 0) if self.says(piece) else None

    def speak(self, language: str, piece: Piece) -> Sound:
        if self.fails:
            raise SetupError("a test")
        self.said.append(piece)
        at = np.arange(800 + 80 * len(piece.text)) / 8000
        return Sound(np.asarray(0.3 * np.sin(2 * np.pi * 300 * at), np.float32), 8000)


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Speech:
    """8 and 16 kHz, every piece rendered."""
    made = opened(tmp_path_factory.mktemp("prompts"), Setup(wide=True))
    made.warm()
    return made


@pytest.mark.timeout(400)  # the first one has everything rendered
@pytest.mark.parametrize("rate", [RATE, WIDE_RATE])
@pytest.mark.parametrize("language", spoken.LANGUAGES)
def test_every_piece_decodes_and_is_fit_for_a_join(speech: Speech, language: str, rate: int) -> None:
    """As loud as the others, unclipped, as long as its words need, nothing at its ends, no silence around it."""
    voiced = []
    for text in fixed(language):
        samples = audio.read_wav(speech.piece(language, Piece(text)), rate) / 32768
        assert audio.loudness_db(samples, rate) == pytest.approx(audio.LOUDNESS_DB, abs=0.5), text
        peak = np.abs(samples).max()
        assert peak <= audio.PEAK + 0.01, text
        assert 0.2 < samples.size / rate < 0.8 + 0.12 * len(text), text
        assert max(abs(samples[:4]).max(), abs(samples[-4:]).max()) < 0.005, text
        loud = np.flatnonzero(np.abs(samples) > peak * 0.02)
        assert loud[0] < 0.12 * rate, text  # "thank" begins with next to nothing
        assert samples.size - loud[-1] < 0.12 * rate, text
        voiced.append(20 * np.log10(np.sqrt(np.mean(samples[np.abs(samples) > peak * 0.05] ** 2))))
    middle = float(np.median(voiced))  # another measure than the one by which they were levelled
    assert -22 < middle < -18
    assert np.mean(np.abs(np.array(voiced) - middle) < 2) > 0.99
    assert np.abs(np.array(voiced) - middle).max() < 3


def test_the_wide_sound_has_more_of_it(speech: Speech) -> None:
    """Above 4 kHz there is something that 8 kHz cannot hold."""
    path = speech.piece("id", Piece("seribu,"))
    wide = np.abs(np.fft.rfft(audio.read_wav(path, WIDE_RATE) / 32768)) ** 2
    assert wide[wide.size // 2 :].sum() > 1e-4 * wide.sum()
    assert audio.read_wav(path, WIDE_RATE).size == pytest.approx(2 * audio.read_wav(path).size, rel=0.05)


def test_silence_is_of_one_rate(speech: Speech) -> None:
    """It is begun in its middle, and an offset counts samples of the file that Asterisk chose."""
    assert not audio.read_wav(speech.silence).any()
    assert [path.suffix for path in speech.silence.parent.glob(f"{SILENCE}.*")] == [".wav"]


@pytest.mark.parametrize("rate", [RATE, WIDE_RATE])
def test_a_sentence_is_one_file_without_jumps_or_holes(speech: Speech, rate: int) -> None:
    samples = audio.read_wav(speech.sentence(AMOUNT), rate) / 32768
    assert 2 < samples.size / rate < 8
    assert np.abs(np.diff(samples)).max() < 0.8
    tail = round(wavs.TAIL_S * rate)
    assert not samples[-tail:].any()
    step = rate // 100
    frames = samples[: (samples.size - tail) // step * step].reshape(-1, step)
    quiet = np.sqrt((frames**2).mean(axis=1)) < 0.003
    longest = max(len(run) for run in "".join("q" if one else " " for one in quiet).split(" "))
    assert longest * 10 <= 250  # ms: a stop consonant's closure and the breath between two pieces


def test_a_second_rendering_does_nothing(speech: Speech) -> None:
    before = {path: path.stat().st_mtime_ns for path in speech.silence.parent.iterdir()}
    speech.warm()
    assert {path: path.stat().st_mtime_ns for path in speech.silence.parent.iterdir()} == before


def test_what_is_ready_is_told_without_making_it(tmp_path: Path) -> None:
    voice = Twin()
    speech = Speech(tmp_path, [voice])
    assert speech.ready(AMOUNT) is None
    assert not voice.said
    path = speech.sentence(AMOUNT)
    assert speech.ready(AMOUNT) == path


def test_names_lie_apart(speech: Speech) -> None:
    assert speech.sentence(NAMED).parent.name == "names"
    assert speech.piece("id", Piece("Budi?", private=True)).parent.name == "names"


def test_a_name_never_stands_on_a_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    run = subprocess.run

    def watched(command: list[str], **more: Any) -> Any:
        seen.append(command)
        return run(command, **more)

    monkeypatch.setattr(subprocess, "run", watched)
    Speech(tmp_path, [Espeak()]).piece("id", Piece("Budi Rahasia", private=True))
    assert len(seen) == 2
    assert not any("Rahasia" in word for command in seen for word in command)


# ---- the cache ----


def aged(out: Path, at: float) -> None:
    for path in [*out.glob("names/*"), *out.glob("joined/*")]:
        os.utime(path, (at, at))


def test_what_was_made_for_one_call_is_forgotten_when_unused(tmp_path: Path) -> None:
    speech = Speech(tmp_path, [Twin()])
    old, new = speech.sentence(NAMED), speech.sentence(BYE)
    (tmp_path / "joined" / "x.0123.part").write_bytes(b"of a process that was killed")
    aged(tmp_path, 1)
    assert speech.ready(BYE) == new  # young again
    assert speech.forget(86400.0) == 3
    assert not old.with_suffix(".wav").exists()
    assert new.with_suffix(".wav").exists()
    assert not list(tmp_path.rglob("*.part"))
    assert len(list(tmp_path.glob("pieces/*.wav"))) == 3


def test_the_cache_is_kept_to_its_size(tmp_path: Path) -> None:
    """The longest unused go first, and what may be about to play stays."""
    speech = Speech(tmp_path, [Twin()])
    sentences = [Sentence("x", "id", (Piece(f"nomor {number}."),)) for number in range(10)]
    paths = [speech.sentence(one).with_suffix(".wav") for one in sentences]
    for number, path in enumerate(paths):
        os.utime(path, (1000.0 + number, 1000.0 + number))
    size = paths[0].stat().st_size
    assert speech.shrink(4 * size, at=1004.0 + YOUNG_S) == 5  # 5 to 9 were used within the last ten minutes
    assert [path.exists() for path in paths] == [False] * 5 + [True] * 5
    assert speech.shrink(4 * size, at=10_000.0) == 1
    assert speech.shrink(4 * size, at=10_000.0) == 0
    assert speech.sentence(sentences[0]).with_suffix(".wav").exists()


def test_the_broom_sweeps_by_age_and_size(tmp_path: Path) -> None:
    speech = Speech(tmp_path, [Twin()])
    for number in range(4):
        path = speech.sentence(Sentence("x", "id", (Piece(f"nomor {number}."),)))
    half = 2 * path.with_suffix(".wav").stat().st_size
    aged(tmp_path, twins.NOW - 700)
    assert broom.Broom(speech, twins.Clock(), unused_s=800, most_bytes=10**9).sweep() == 0
    assert broom.Broom(speech, twins.Clock(), unused_s=800, most_bytes=half).sweep() == 2
    assert broom.Broom(speech, twins.Clock(), unused_s=600, most_bytes=10**9).sweep() == 2
    assert not list((tmp_path / "joined").iterdir())
    sweeping = broom.Broom(speech, twins.Clock(), 600, 10**9)
    sweeping.start()
    sweeping.stop()


def test_two_processes_of_one_folder_make_the_same_files(tmp_path: Path) -> None:
    """Two servers, eight threads: one name, whole, and nothing is left over, while a third sweeps."""
    both = [Speech(tmp_path, [Twin()]) for _ in range(2)]
    barrier = threading.Barrier(9)

    def make(number: int) -> Path:
        barrier.wait(10)
        return both[number % 2].sentence(NAMED)

    with ThreadPoolExecutor(9) as pool:
        jobs = [pool.submit(make, number) for number in range(8)]
        barrier.wait(10)
        both[0].forget(0.0)
        paths = {job.result() for job in jobs}
    assert len(paths) == 1
    assert audio.read_wav(paths.pop()).size > 1000
    assert not list(tmp_path.rglob("*.part"))


def test_a_piece_deleted_under_our_hands_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speech = Speech(tmp_path, [Twin()])
    read = wavs.read_frames
    deleted: list[Path] = []

    def swept(path: Path, rate: int = RATE) -> bytes:
        if not deleted:
            deleted.append(path)
            path.with_suffix(".wav").unlink()
        return read(path, rate)

    monkeypatch.setattr("ivr.adapters.speech.read_frames", swept)
    assert audio.read_wav(speech.sentence(NAMED)).size > 1000
    assert deleted


def test_an_empty_file_of_a_power_cut_is_made_anew(tmp_path: Path) -> None:
    speech = Speech(tmp_path, [Twin()])
    path = speech.sentence(BYE)
    path.with_suffix(".wav").write_bytes(b"")
    assert speech.ready(BYE) is None
    assert audio.read_wav(speech.sentence(BYE)).size > 1000


def test_wide_is_made_where_there_was_only_narrow(tmp_path: Path) -> None:
    narrow = Speech(tmp_path, [Twin()]).sentence(BYE)
    speech = Speech(tmp_path, [Twin()], wide=True)
    assert speech.ready(BYE) is None
    assert speech.sentence(BYE) == narrow
    assert narrow.with_suffix(".wav16").exists()


# ---- several voices ----


def test_the_first_voice_that_says_it_is_taken(tmp_path: Path) -> None:
    first, second = Twin("a", says=lambda piece: piece.text == "satu,"), Twin("b")
    speech = Speech(tmp_path, [first, second])
    speech.sentence(Sentence("x", "id", (Piece("satu,"), Piece("dua."))))
    assert [piece.text for piece in first.said] == ["satu,"]
    assert [piece.text for piece in second.said] == ["dua."]


def test_a_voice_that_fails_is_replaced_and_not_asked_again(tmp_path: Path) -> None:
    first, second = Twin("a"), Twin("b")
    first.fails = True
    speech = Speech(tmp_path, [first, second])
    path = speech.sentence(BYE)
    first.fails = False
    assert speech.sentence(BYE) == path
    assert speech.ready(BYE) == path
    assert not first.said
    assert Speech(tmp_path, [first, second]).ready(BYE) is None  # another process tries anew


def test_no_voice_at_all_is_an_error_without_the_words(tmp_path: Path) -> None:
    only = Twin()
    only.fails = True
    with pytest.raises(SetupError, match="twin: a test") as error:
        Speech(tmp_path, [only]).sentence(NAMED)
    assert "Budi" not in str(error.value)


def test_what_leaves_this_machine_is_fixed_and_said_before_the_first_call(tmp_path: Path) -> None:
    """A voice that would say anything is given sentences alone: no name, no lender, no amount, number or date."""
    away, here = Twin("away", away=True), Twin("here")
    speech = Speech(tmp_path, [away, here])
    for sentence in (NAMED, AMOUNT, Sentence("purpose", "id", (Piece("Bank Rahasia."),))):
        speech.sentence(sentence)
    assert not away.said, "during a call nothing is sent"
    speech.warm()
    sent = {str(piece.text) for piece in away.said}
    assert all(isinstance(piece.text, Fixed) and not piece.private for piece in away.said)
    assert sent == {str(text) for language in spoken.LANGUAGES for text in prompts.outside(language)}
    numbers = {piece for language in spoken.LANGUAGES for piece in spoken.inventory(language)}
    assert not {text.rstrip(",.") for text in sent} & numbers
    said = len(away.said)
    for sentence in (NAMED, AMOUNT):
        speech.sentence(sentence)
    assert len(away.said) == said
    assert "Jumlah yang perlu dibayar adalah," in sent
    fetched = speech.piece("id", Piece("Jumlah yang perlu dibayar adalah,"))
    assert fetched.name == prompts.file_name(Maker("away", "1", "id", 0), "Jumlah yang perlu dibayar adalah,")


def test_a_voice_outside_that_refuses_leaves_the_rest_to_the_next(tmp_path: Path) -> None:
    away, here = Twin("away", away=True), Twin("here")
    away.fails = True
    speech = Speech(tmp_path, [away, here])
    assert speech.warm() == sum(len(fixed(language)) for language in spoken.LANGUAGES)
    assert len(here.said) == speech.warm()


def test_nothing_is_sent_out_that_a_studio_has_recorded(tmp_path: Path) -> None:
    studio, away = Twin("studio", says=lambda piece: piece.text == "Halo."), Twin("away", away=True)
    Speech(tmp_path, [studio, away, Twin("here")]).warm()
    assert "Halo." not in {str(piece.text) for piece in away.said}
    assert [str(piece.text) for piece in studio.said] == ["Halo."]


def test_sentences_that_are_not_rendered_are_named(tmp_path: Path) -> None:
    """Rendered by an older program, or for fewer conversations."""
    only, more = said([call_back()]), said([call_back(), wish()])
    speech = Speech(tmp_path, [Twin()], said=only)
    speech.warm()
    assert speech.lacking(only) == []
    lacking = speech.lacking(more)
    assert {"wish/protect (id)", "wish/protect (en)"} <= set(lacking)
    assert not {"wish/bye (id)", "call_back/bye (id)"} & set(lacking), "the same words are there"
