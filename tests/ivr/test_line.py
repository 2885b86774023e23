"""Whole conversations over FastAGI against a scripted Asterisk: one, odd ones, and three hundred at once."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dialer.errors import SetupError
from dialer.model import Fact
from ivr.adapters import line
from ivr.adapters.agi import Server
from ivr.adapters.line import PaymentReminder
from ivr.adapters.speech import SILENCE, Speech, opened
from ivr.prompts import Sentence
from ivr.session import Desk
from tests.ivr import twins
from tests.ivr.peer import Peer

AT_ONCE = 300
PROMISE = "".join(twins.PROMISE)


class Stores:
    """Facts per attempt; every attempt is the same debtor."""

    def __init__(self) -> None:
        self.facts: dict[str, list[Fact]] = {}
        self.lock = threading.Lock()

    def debtor(self, campaign: str, attempt: str) -> twins.Called:
        return twins.Called(twins.CONTACT, twins.CAMPAIGN)

    def report(self, campaign: str, attempt: str, fact: Fact) -> None:
        with self.lock:
            self.facts.setdefault(attempt, []).append(fact)


class Rig:
    """A server with everything it needs."""

    def __init__(self, voice: Speech, seen: str = "") -> None:
        self.stores = Stores()
        self.background, self.makers = ThreadPoolExecutor(16), ThreadPoolExecutor(64)
        desk = Desk(self.stores, self.stores, twins.Clock(), self.background.submit, twins.utc, twins.KEY)
        look = (lambda path: f"{seen}/{path.name}") if seen else str
        self.script = PaymentReminder(desk, voice, self.makers, look)
        self.server = Server("127.0.0.1", 0, {"payment_reminder": self.script})
        threading.Thread(target=self.server.serve, daemon=True).start()

    def end(self) -> None:
        """All calls have ended by themselves."""
        self.server.stop(10)
        for pool in (self.background, self.makers):
            pool.shutdown()

    def call(self, keys: str = "", attempt: str = "a1") -> Peer:
        """A peer that presses a key in each silence in which one is awaited."""
        waiting = iter(keys)
        variables = {"SANTUN_ATTEMPT": attempt, "SANTUN_CAMPAIGN": "arrears", "SANTUN_LANGUAGE": "id"}
        return Peer(
            self.server.address,
            variables,
            lambda path, keys: next(waiting, "") if keys and path.name == SILENCE else "",
        )


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Speech:
    """All of a promise is made, so that how much silence streams beside it does not hang on the machine."""
    made = opened(tmp_path_factory.mktemp("prompts"))
    with pytest.MonkeyPatch.context() as inline:
        inline.setattr(made, "ready", made.sentence)
        rig = Rig(made)
        rig.call(PROMISE).run()
        rig.end()
    return made


@pytest.fixture
def rig(voice: Speech) -> Iterator[Rig]:
    rig = Rig(voice)
    yield rig
    rig.end()
    assert rig.server.calls == 0


def test_a_promise(rig: Rig) -> None:
    peer = rig.call(PROMISE).run()
    assert peer.set == {"IVR_RESULT": "done"}
    assert rig.stores.facts["a1"][-1].name == "closed"
    assert all(path.is_absolute() and path.with_suffix(".wav").exists() for path in peer.played)
    assert rig.script.endings == {"promise": 1}


def test_nobody_there(rig: Rig) -> None:
    assert rig.call().run().set == {"IVR_RESULT": "done"}
    assert rig.script.endings == {"no_input": 1}


@pytest.mark.parametrize("at", [1, 2, 3, 7, 12, 20, 25, 30])
def test_hang_up_during_any_file(rig: Rig, at: int) -> None:
    peer = rig.call(PROMISE)
    press = peer.press
    peer.press = lambda path, keys: None if len(peer.played) == at else press(path, keys)
    peer.run()
    deadline = time.monotonic() + 10
    while rig.server.calls and time.monotonic() < deadline:
        threading.Event().wait(0.005)
    assert [fact.name for fact in rig.stores.facts["a1"]].count("closed") == 1
    assert rig.stores.facts["a1"][-1].name == "closed"
    assert peer.set == {}


def test_files_may_have_another_place_where_asterisk_is(voice: Speech) -> None:
    rig = Rig(voice, seen="/other")
    peer = rig.call(PROMISE).run()
    rig.end()
    assert {path.parent for path in peer.played} == {Path("/other")}


def test_a_file_that_asterisk_does_not_find_ends_in_the_message(rig: Rig) -> None:
    """Asterisk says nothing but that it was over where it began: no IVR_RESULT, and no wild loop of waiting."""
    peer = rig.call(PROMISE)
    answer = peer._stream

    def missing(rest: str) -> str:
        answer(rest)
        return f"200 result=0 endpos={rest.rsplit(' ', 1)[-1]}\n"

    peer._stream = missing  # type: ignore[method-assign]
    peer.run()
    assert peer.set == {}
    assert len(peer.played) <= 2
    assert rig.script.endings == {"failed": 1}


def test_a_voice_that_fails_ends_in_the_message(voice: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(sentence: Sentence) -> Path:
        raise SetupError("a test")

    monkeypatch.setattr(voice, "ready", lambda _: None)
    monkeypatch.setattr(voice, "sentence", fails)
    rig = Rig(voice)
    assert rig.call(PROMISE).run().set == {}
    rig.end()
    assert rig.script.endings == {"failed": 1}


@pytest.mark.timeout(400)
def test_three_hundred_at_once(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    """All are in their first sentence together; all end as they should, nothing is lost, nothing is left."""
    rig.call(PROMISE, "warm").run()
    together = threading.Barrier(AT_ONCE)

    def one(number: int) -> Peer:
        peer = rig.call(PROMISE, f"a{number}")
        press = peer.press

        def first_waits(path: Path, keys: str) -> str | None:
            if len(peer.played) == 1:
                together.wait(60)
            return press(path, keys)

        peer.press = first_waits
        return peer.run()

    began, cpu = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(AT_ONCE) as peers:
        results = list(peers.map(one, range(AT_ONCE)))
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    with capsys.disabled():
        print(
            f"\n{AT_ONCE} conversations at once: {took:.1f} s, {cpu / AT_ONCE * 1000:.1f} ms CPU each with their peer"
        )
    assert all(peer.set == {"IVR_RESULT": "done"} for peer in results)
    for number in range(AT_ONCE):
        names = [fact.name for fact in rig.stores.facts[f"a{number}"]]
        assert (names[-1], names.count("promise"), len(names)) == ("closed", 1, 19)
    assert rig.script.endings == {"promise": AT_ONCE + 1}


def test_the_name_is_ready_before_it_is_needed(rig: Rig, voice: Speech) -> None:
    """It is rendered while the greeting plays."""
    played = threading.Event()
    contact = replace(twins.CONTACT, name="Nama Yang Belum Pernah Ada")
    rig.stores.debtor = lambda campaign, attempt: twins.Called(contact, twins.CAMPAIGN)  # type: ignore[method-assign]
    before = set(voice.silence.parent.with_name("names").glob("*.wav"))
    peer = rig.call()

    def press(path: Path, keys: str) -> str | None:
        if len(peer.played) == 2:  # the first sentence after the opening silence
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not played.is_set():
                if set(voice.silence.parent.with_name("names").glob("*.wav")) - before:  # old ones may be swept
                    played.set()
                threading.Event().wait(0.005)
            return None
        return ""

    peer.press = press
    peer.run()
    assert played.is_set()


def test_silence_streams_while_a_sentence_is_made(voice: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that is slow makes no dead line; a key in that silence is heard as one in the sentence."""
    release, asked = threading.Event(), threading.Event()
    make = voice.sentence

    def slow(sentence: Sentence) -> Path:
        asked.set()
        assert release.wait(30)
        return make(sentence)

    monkeypatch.setattr(voice, "ready", lambda _: None)
    monkeypatch.setattr(voice, "sentence", slow)
    rig = Rig(voice)
    peer = rig.call("9")
    press = peer.press

    def counted(path: Path, keys: str) -> str | None:
        if asked.is_set() and len(peer.played) > 5:
            release.set()
        return press(path, keys) if asked.is_set() and len(peer.played) > 3 else ""

    peer.press = counted
    peer.run()
    release.set()
    rig.end()
    assert peer.set == {"IVR_RESULT": "done"}
    assert [path.name for path in peer.played[:5]] == [SILENCE] * 5
    assert ("key", "9") in [(fact.name, fact.value) for fact in rig.stores.facts["a1"]]


def test_a_voice_that_is_slow_keeps_no_other_call_waiting(voice: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a fact: as many names are being made as there are threads for the store, and one call has all it needs."""
    release, asked = threading.Event(), threading.Semaphore(0)
    make, ready = voice.sentence, voice.ready

    def slow(sentence: Sentence) -> Path:
        if "Lambat" in str(sentence):
            asked.release()
            assert release.wait(60)
        return make(sentence)

    monkeypatch.setattr(voice, "sentence", slow)
    monkeypatch.setattr(line, "MAKING_MOST_S", 300.0)
    monkeypatch.setattr(voice, "ready", lambda sentence: None if "Lambat" in str(sentence) else ready(sentence))
    rig = Rig(voice)
    contact = replace(twins.CONTACT, name="Lambat")

    def debtor(_: str, attempt: str) -> twins.Called:
        return twins.Called(contact if attempt.startswith("slow") else twins.CONTACT, twins.CAMPAIGN)

    monkeypatch.setattr(rig.stores, "debtor", debtor)
    count = 20
    with ThreadPoolExecutor(count) as peers:
        waiting = [peers.submit(rig.call("9", f"slow{number}").run) for number in range(count)]
        try:
            for _ in range(count):
                assert asked.acquire(timeout=60)
            quick = rig.call(PROMISE, "quick").run()
        finally:
            release.set()
        assert quick.set == {"IVR_RESULT": "done"}
        assert rig.stores.facts["quick"][-1].value.startswith("promise ")
        assert all(one.result().set == {"IVR_RESULT": "done"} for one in waiting)
    rig.end()


def test_who_waits_too_long_for_a_voice_hears_the_message(voice: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(voice, "ready", lambda _: None)
    monkeypatch.setattr(voice, "sentence", lambda _: release.wait(60))
    monkeypatch.setattr(line, "MAKING_MOST_S", 0.05)
    rig = Rig(voice)
    peer = rig.call().run()
    release.set()
    rig.end()
    assert peer.set == {}, "the dialplan plays the message"
    assert rig.stores.facts["a1"][-1].value.startswith("failed ")


def test_nothing_is_made_where_all_is_there(voice: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(voice)

    def fails(sentence: Sentence) -> Path:
        raise AssertionError(sentence)

    monkeypatch.setattr(voice, "sentence", fails)
    assert rig.call(PROMISE, "a2").run().set == {"IVR_RESULT": "done"}
    rig.end()
