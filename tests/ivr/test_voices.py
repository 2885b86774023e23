"""The voices: a studio's folder, piper by a scripted program, Google by the real gTTS against a server of our own."""

import base64
import io
import json
import os
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from urllib.parse import parse_qs

import gtts.tts
import numpy as np
import pytest
import soundfile

from dialer.errors import ConfigError, SetupError
from ivr import prompts, script
from ivr.adapters import audio, voices, wavs
from ivr.adapters.audio import Sound
from ivr.adapters.espeak import Espeak
from ivr.adapters.google import Google, NotOutside
from ivr.adapters.piper import Piper
from ivr.adapters.recordings import READ, Recordings
from ivr.adapters.speech import BATCH, Speech, opened
from ivr.adapters.voices import REGISTRY, Setup, Voice
from ivr.prompts import Fixed, Maker, Piece, Sentence
from ivr.texts import TEXTS

FIXED = Piece(Fixed("Terima kasih."))


# ---- a studio's recordings ----


def recorded(path: Path, frequency_hz: float = 300, length_s: float = 0.5) -> None:
    """As a studio delivers: 48 kHz, two channels, quiet around."""
    path.parent.mkdir(parents=True, exist_ok=True)
    at = np.arange(round(length_s * 48000)) / 48000
    tone = np.concatenate([np.zeros(9600), 0.2 * np.sin(2 * np.pi * frequency_hz * at), np.zeros(9600)])
    soundfile.write(path, np.column_stack([tone, tone]), 48000, subtype="PCM_24")


def pitch(samples: audio.Samples) -> float:
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.argmax(spectrum)) * wavs.RATE / samples.size


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    recorded(tmp_path / "id" / "thanks.wav", 310)
    recorded(tmp_path / "id" / "words" / "satu.wav", 320)
    recorded(tmp_path / "id" / "words" / "satu-end.flac", 330)
    recorded(tmp_path / "id" / "words" / "bank-maju.wav", 340)
    recorded(tmp_path / "id" / "names" / "budi.wav", 350)
    recorded(tmp_path / "id" / f"{script.text_hash('Halo.')}.wav", 360)
    return tmp_path


@pytest.mark.parametrize(
    ("piece", "hz"),
    [
        (Piece("Terima kasih."), 310),
        (Piece("satu,"), 320),
        (Piece("satu."), 330),
        (Piece("Bank Maju,"), 340),
        (Piece("Budi?", private=True), 350),
        (Piece("Halo."), 360),
    ],
)
def test_a_recording_is_found_by_name_hash_word_and_tone(studio: Path, tmp_path: Path, piece: Piece, hz: int) -> None:
    speech = Speech(tmp_path / "out", [Recordings(studio)])
    samples = audio.read_wav(speech.piece("id", piece))
    assert pitch(samples) == pytest.approx(hz, abs=5)
    assert samples.size / wavs.RATE == pytest.approx(0.53, abs=0.03), "resampled and trimmed"
    assert audio.loudness_db(samples / 32768, wavs.RATE) == pytest.approx(audio.LOUDNESS_DB, abs=0.2)


def test_a_person_is_no_word_and_a_word_is_no_person(studio: Path) -> None:
    recordings = Recordings(studio)
    assert recordings.maker("id", Piece("Budi,")) is None
    assert recordings.maker("id", Piece("Satu,", private=True)) is None
    assert recordings.maker("en", Piece("Terima kasih.")) is None


def test_another_take_is_another_file(studio: Path) -> None:
    first = Recordings(studio).maker("id", Piece("satu,"))
    recorded(studio / "id" / "words" / "satu.wav", 420)
    second = Recordings(studio).maker("id", Piece("satu,"))
    assert first
    assert second
    assert prompts.file_name(first, "satu,") != prompts.file_name(second, "satu,")


def test_what_is_missing(studio: Path) -> None:
    recordings = Recordings(studio, {"id": {"message": "Halo, ini panggilan."}})
    missing = {line.text for line in recordings.missing("id")}
    assert not missing & {"Terima kasih.", "satu,", "satu.", "Halo."}
    assert {"dua,", "Selamat pagi.", "Halo, ini panggilan."} <= missing
    assert recordings.unknown("id") == ["words/bank-maju"]
    assert len(Recordings(studio).missing("en")) == len(script.lines("en"))


def test_other_words_than_were_read_are_not_played(studio: Path) -> None:
    """The script lies beside the recordings: where a text has changed since, its recording is out of date."""
    rows = "file,text,context,uses\nthanks,Terima kasih banyak.,x,1\nwords/satu,Satu,x,1\n"
    (studio / "id" / READ).write_text(rows, encoding="utf-8-sig")
    recordings = Recordings(studio)
    assert recordings.maker("id", Piece("Terima kasih.")) is None
    assert recordings.maker("id", Piece("satu,"))
    assert recordings.outdated("id") == ["thanks"]


def test_a_script_saved_by_a_spreadsheet_is_read(studio: Path) -> None:
    (studio / "id" / READ).write_text('file;text;context;uses\nthanks;"Terima kasih; banyak.";x;1\n', "utf-8-sig")
    assert Recordings(studio).outdated("id") == ["thanks"]
    (studio / "id" / READ).write_text("thanks,Terima kasih banyak.\n")
    with pytest.raises(SetupError, match=r"script\.csv: its first line has no columns `file` and `text`"):
        Recordings(studio)


def test_large_letters_in_a_files_name_do_not_matter(studio: Path) -> None:
    (studio / "id" / "thanks.wav").rename(studio / "id" / "Thanks.WAV")
    recorded(studio / "id" / "HALO.wav")
    (studio / "id" / "HALO.wav").rename(studio / "id" / "Hello.Wav")
    missing = {line.text for line in Recordings(studio).missing("id")}
    assert not missing & {"Terima kasih.", "Halo."}


def test_a_folder_that_is_not_there_or_not_sound_says_so(studio: Path, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no folder"):
        Recordings(tmp_path / "gone")
    (studio / "id" / "bye.wav").write_text("no sound")
    with pytest.raises(SetupError, match=r"bye\.wav"):
        Recordings(studio).speak("id", Piece(TEXTS["id"]["bye"]))
    (studio / "id" / "names" / "budi.wav").write_text("no sound")
    with pytest.raises(SetupError) as error:
        Recordings(studio).speak("id", Piece("Budi?", private=True))
    assert "budi" not in str(error.value).casefold()
    (studio / "id" / READ).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SetupError, match=READ):
        Recordings(studio)


# ---- piper ----

PROGRAM = """#!{python}
import sys, wave
open({seen!r}, "a").write(repr(sys.argv[1:]) + chr(10))
text = sys.stdin.read()
if "fail" in text:
    sys.exit(3)
if "--output_dir" in sys.argv:
    for number, line in enumerate(text.splitlines(), 98):
        with wave.open(sys.argv[-1] + "/" + str(number) + ".wav", "wb") as file:
            file.setparams((1, 2, 22050, 0, "NONE", ""))
            file.writeframes(bytes([0, 32, 0, 224]) * 50 * len(line))
    sys.exit(0)
sys.stdout.buffer.write(bytes([0, 32, 0, 224]) * 50 * len(text))
"""


@pytest.fixture
def piper(tmp_path: Path) -> Piper:
    program, model = tmp_path / "piper", tmp_path / "id-voice.onnx"
    program.write_text(PROGRAM.format(python=sys.executable, seen=str(tmp_path / "seen")))
    program.chmod(0o755)
    model.write_bytes(b"a voice")
    model.with_name("id-voice.onnx.json").write_text(json.dumps({"audio": {"sample_rate": 22050}}))
    return Piper({"id": model}, str(program))


def test_piper_gets_the_text_by_standard_input(piper: Piper, tmp_path: Path) -> None:
    sound = piper.speak("id", Piece("Budi Rahasia,", private=True))
    assert (sound.rate, sound.wave.size) == (22050, 100 * len("Budi Rahasia,\n"))
    words = (tmp_path / "seen").read_text()
    assert "Rahasia" not in words
    assert str(["--model", str(tmp_path / "id-voice.onnx"), "--output_raw"]) == words.strip()


def test_piper_speaks_what_it_has_a_model_for(piper: Piper, tmp_path: Path) -> None:
    assert piper.maker("en", Piece("one,")) is None
    before = piper.maker("id", Piece("satu,"))
    (tmp_path / "id-voice.onnx").write_bytes(b"another voice")
    assert Piper({"id": tmp_path / "id-voice.onnx"}, "x").maker("id", Piece("satu,")) != before


def test_piper_that_fails_says_so_without_the_words(piper: Piper) -> None:
    with pytest.raises(SetupError, match="did not speak") as error:
        piper.speak("id", Piece("fail Budi"))
    assert "Budi" not in str(error.value)


def test_piper_says_many_in_one_run_in_their_order(piper: Piper, tmp_path: Path) -> None:
    """Its files are named by time: 98, 99, 100."""
    texts = ["satu,", "dua puluh satu,", "x"]
    sounds = piper.speak_all("id", [Piece(text) for text in texts])
    assert [sound.wave.size for sound in sounds] == [100 * len(text) for text in texts]
    assert len((tmp_path / "seen").read_text().splitlines()) == 1
    with pytest.raises(SetupError, match="did not speak"):
        piper.speak_all("id", [Piece("satu,"), Piece("fail")])
    with pytest.raises(SetupError, match="2 sounds of 1 texts"):
        piper.speak_all("id", [Piece("satu\ndua")])


def test_a_rendering_asks_piper_in_batches(piper: Piper, tmp_path: Path) -> None:
    speech = Speech(tmp_path / "out", [piper, Tones()])
    pieces = speech.warm()
    runs = (tmp_path / "seen").read_text().splitlines()
    fixed = len(prompts.fixed("id"))
    assert len(runs) == -(-fixed // BATCH)
    assert pieces == fixed + len(prompts.fixed("en"))
    speech.warm()
    assert len((tmp_path / "seen").read_text().splitlines()) == len(runs)


class Tones:
    """English, in a test that is about Indonesian."""

    name, away = "tones", False

    def maker(self, language: str, piece: Piece) -> Maker:
        return Maker("tones", "1", language, 0)

    def speak(self, language: str, piece: Piece) -> Sound:
        return Sound(np.sin(np.arange(2000, dtype=np.float32)), 8000)


def test_a_model_without_its_settings_says_what_lacks(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"a voice")
    with pytest.raises(SetupError, match=r"x\.onnx\.json"):
        Piper({"id": tmp_path / "x.onnx"}, "piper")


def test_no_piper_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SetupError, match="pip install piper-tts"):
        Piper({})


# ---- Google ----


class Endpoint(BaseHTTPRequestHandler):
    """Answers `batchexecute` as Google Translate does, with MP3 made by espeak-ng."""

    texts: list[str]
    status = 200

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["f.req"][0]
        text = json.loads(json.loads(asked)[0][0][1])[0]
        self.texts.append(text)
        self.send_response(self.status)
        self.end_headers()
        if self.status == 200:
            sound = Espeak().speak("id", Piece(text))
            mp3 = io.BytesIO()
            soundfile.write(mp3, sound.wave, sound.rate, format="MP3")
            payload = json.dumps([base64.b64encode(mp3.getvalue()).decode()])
            answer = json.dumps([["wrb.fr", "jQ1olc", payload]], separators=(",", ":"))
            self.wfile.write(f")]}}'\n\n{answer}\n".encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Endpoint]]:
    """gTTS as it is, its address changed to this machine."""
    handler = type("OneTest", (Endpoint,), {"texts": []})
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setattr(
            gtts.tts, "_translate_url", lambda **_: f"http://127.0.0.1:{server.server_port}/batchexecute"
        )
        yield handler
        server.shutdown()
        thread.join(10)


def test_a_fixed_sentence_goes_out_and_comes_back_as_sound(endpoint: type[Endpoint]) -> None:
    sound = Google().speak("id", FIXED)
    made = audio.shaped(sound)
    assert endpoint.texts == ["Terima kasih."]
    assert 0.4 < made.size / wavs.RATE < 2
    assert audio.loudness_db(made / 32768, wavs.RATE) == pytest.approx(audio.LOUDNESS_DB, abs=0.5)


def test_a_long_sentence_goes_out_in_parts(endpoint: type[Endpoint]) -> None:
    long = max(prompts.outside("id"), key=len)
    sound = Google().speak("id", Piece(long))
    assert len(long) > 100
    assert all(len(text) <= 100 for text in endpoint.texts)
    assert re.sub(r"\W", "", "".join(endpoint.texts)) == re.sub(r"\W", "", long)
    assert sound.wave.size / sound.rate > 3


@pytest.mark.parametrize(
    "piece",
    [
        Piece("Budi Santoso,", private=True),
        Piece(Fixed("Budi Santoso,"), private=True),
        Piece("Bank Rahasia,"),
        Piece("satu,"),
        Piece("Terima kasih."),  # the same words, but nobody vouches for them
    ],
)
def test_what_is_not_fixed_by_its_type_never_goes_out(endpoint: type[Endpoint], piece: Piece) -> None:
    voice = Google()
    assert voice.maker("id", piece) is None
    with pytest.raises(NotOutside) as error:
        voice.speak("id", piece)
    assert piece.text not in str(error.value)
    assert endpoint.texts == []


def test_a_whole_call_sends_nothing_out(endpoint: type[Endpoint], tmp_path: Path) -> None:
    speech = Speech(tmp_path, [Google(), Espeak()])
    slots = {"name": ("Budi Rahasia",)}
    speech.sentence(prompts.sentence("ask_name", "id", slots, frozenset({"name"})))
    speech.sentence(Sentence("thanks", "id", (Piece("Terima kasih."),)))
    assert endpoint.texts == []


def test_too_many_requests_is_an_error_of_ours(endpoint: type[Endpoint]) -> None:
    endpoint.status = 429
    with pytest.raises(SetupError, match="429"):
        Google().speak("id", FIXED)


def test_an_answer_without_sound_is_an_error_of_ours(endpoint: type[Endpoint], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "do_POST", lambda self: (self.send_response(200), self.end_headers()))
    with pytest.raises(SetupError, match="no sound"):
        Google().speak("id", FIXED)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks(_: str) -> str:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "version", lacks)
    with pytest.raises(SetupError, match=r"santun\[gtts\]"):
        Google()


# ---- espeak-ng and the choice ----


def test_an_engine_that_is_not_there_says_so() -> None:
    with pytest.raises(SetupError, match="apt-get install"):
        Espeak("no-such-engine")


def test_an_engine_that_fails_leaves_no_file(tmp_path: Path) -> None:
    program = tmp_path / "engine"
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo 1 && exit 0\nexit 3\n')
    program.chmod(0o755)
    speech = Speech(tmp_path / "out", [Espeak(str(program))])
    with pytest.raises(SetupError, match="did not speak"):
        speech.piece("id", Piece("satu,"))
    assert [path.name for path in (tmp_path / "out" / "pieces").iterdir()] == ["silence.wav"]


def test_the_order_is_recordings_then_the_operators_voices_then_ours(studio: Path) -> None:
    found: tuple[Voice, ...] = voices.chosen(Setup(recordings=str(studio), google=True))
    assert [voice.name for voice in found] == ["recorded", "google", "espeak"]
    assert list(REGISTRY) == ["recorded", "google", "piper", "espeak"]
    assert [voice.name for voice in found if voice.away] == ["google"]


def test_calls_are_spoken_as_the_prompts_were_rendered(studio: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    setup = Setup(recordings=str(studio), wide=True, messages={"id": {"message": "Halo."}})
    voices.keep(out, setup)
    assert voices.kept(out) == setup
    path = opened(out).piece("id", Piece("Terima kasih."))
    assert pitch(audio.read_wav(path)) == pytest.approx(310, abs=5)
    assert path.with_suffix(".wav16").exists()


@pytest.mark.parametrize("text", ["{", '{"bogus": 1}', '{"piper": {"xx": "y"}}'])
def test_what_was_kept_and_makes_no_sense_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / voices.FILE).write_text(text)
    with pytest.raises(ConfigError, match=voices.FILE):
        voices.kept(tmp_path)
    assert voices.kept(tmp_path / "none") == Setup()
