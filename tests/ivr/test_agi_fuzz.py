"""FastAGI by the byte, over TCP: every length, every split, every end of a conversation recorded from Asterisk 22.

Whatever the peer does, the server closes, leaks nothing, logs no traceback, and serves the next call.
"""

import array
import fcntl
import socket
import struct
import termios
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from dialer.model import Fact
from ivr.adapters import agi as agi_module
from ivr.adapters import line as line_module
from ivr.adapters.agi import LINE_LONGEST, LINES_MOST, Agi, Server
from ivr.adapters.line import PaymentReminder
from ivr.adapters.speech import SILENCE_MS, Speech
from ivr.prompts import Sentence
from ivr.session import Desk
from tests.ivr import twins

LIMIT_S = 60.0
DRIP_LIMIT_S = 0.3
PLAYED_S = 0.2

# what Asterisk 22.10 said in a call in which a promise was made, each key during playback
BEGIN = b"""agi_network: yes
agi_network_script: payment_reminder
agi_request: agi://127.0.0.1:51647/payment_reminder
agi_channel: PJSIP/carrier-00000000
agi_language: id
agi_type: PJSIP
agi_uniqueid: ivr-28af70e26352
agi_version: 22.10.1+dfsg+~cs6.17.60671434-1
agi_callerid: unknown
agi_calleridname: unknown
agi_callingpres: 67
agi_callingani2: 0
agi_callington: 0
agi_callingtns: 0
agi_dnid: unknown
agi_rdnis: unknown
agi_context: santun-ivr
agi_extension: s
agi_priority: 7
agi_enhanced: 0.0
agi_accountcode: \nagi_threadid: 139931044030144

"""
ANSWERS = b"""200 result=1 (ivr-28af70e26352)
200 result=1 (arrears)
200 result=1 (id)
200 result=49 endpos=800
200 result=49 endpos=1120
200 result=50 endpos=13280
200 result=51 endpos=13280
200 result=52 endpos=13280
200 result=50 endpos=2240
200 result=51 endpos=1120
200 result=50 endpos=1120
200 result=53 endpos=13280
200 result=49 endpos=13280
200 result=49 endpos=13280
200 result=49 endpos=2240
200 result=0 endpos=63440
200 result=0 endpos=39320
200 result=1
""".splitlines(keepends=True)
ATTEMPT, NEXT = b"ivr-28af70e26352", b"ivr-000000000001"
CONFIRMED = 14  # the answer that holds the key by which the promise is made
WHOLE = BEGIN + b"".join(ANSWERS)
USAGE = b"520-Invalid command syntax.  Proper usage follows:\nUsage: STREAM FILE <filename>\n"
ODD = {
    "hung up": b"HANGUP\n",
    "hung up beside the answer": b"HANGUP\n200 result=49 endpos=800\n",
    "failed": b"200 result=-1 endpos=0\nHANGUP\n",
    "hung up in parentheses": b"200 result=1 (hangup)\n",
    "dead": b"511 Command Not Permitted on a dead channel or intercept routine\n",
    "unknown": b"510 Invalid or unknown command\n",
    "usage": USAGE + b"520 End of proper usage.\n",
    "usage without an end": USAGE,
    "usage in one line": b"520 Invalid command syntax.  Proper usage not available.\n",
    "trying": b"100 Trying...\n",
    "trying for ever": b"100 Trying...\n" * 2 * LINES_MOST,
    "empty": b"\n",
    "empty, as Windows writes it": b"\r\n",
    "binary": bytes(range(256)) + b"\n",
    "not UTF-8": b"200 result=1 (\xff\xfe\xc3\x28)\n",
    "NUL": b"200 result=49\x00 endpos=1\x00\n",
    "no key": b"200 result=65 endpos=100\n",
    "half a character": b"200 result=55296 endpos=100\n",
    "no character": b"200 result=1114112 endpos=100\n",
    "a number of others": "200 result=\u0664\u0669 endpos=\u0661\n".encode(),
    "a digit that is no number": "200 result=\u00b2 endpos=\u00b9\n".encode(),
    "backwards": b"200 result=49 endpos=-800\n",
    "not a number": b"200 result=x endpos=y\n",
    "nothing": b"200 result=\n",
    "too large": b"200 result=" + b"9" * 4000 + b" endpos=" + b"9" * 40 + b"\n",
    "too long": b"200 result=1 (" + b"x" * 2 * LINE_LONGEST + b")\n",
    "twice": b"200 result=49 endpos=1\n" * 2,
    "a browser": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
}

T = TypeVar("T")


class Sounds:
    """A voice whose every sentence is one and the same file."""

    def __init__(self, folder: Path) -> None:
        self.silence = folder / "silence"
        self.silence.with_suffix(".wav").write_bytes(bytes(16 * SILENCE_MS))
        self._path = folder / "sentence"
        self._path.with_suffix(".wav").write_bytes(bytes(round(16_000 * PLAYED_S)))

    def ready(self, sentence: Sentence) -> Path:
        return self._path

    sentence = ready


class Here:
    """An executor that runs what it gets at once."""

    def submit(self, job: Callable[..., T], *words: object) -> Future[T]:
        return twins.at_once(lambda: job(*words))


class Ivr:
    """The shipped flow, whose debtors and facts are kept here; no chance in how much silence streams."""

    def __init__(self, folder: Path) -> None:
        self.begun = 0
        self.facts: list[tuple[str, Fact]] = []
        self._lock = threading.Lock()
        desk = Desk(self, self, twins.Clock(), twins.at_once, twins.utc, twins.KEY)
        voice: Any = Sounds(folder)  # a twin of what is needed of Speech
        assert all(hasattr(Speech, name) for name in ("ready", "sentence"))
        background: Any = Here()
        self.script = PaymentReminder(desk, voice, background)
        self.server = Server("127.0.0.1", 0, {"payment_reminder": self.script})

    def debtor(self, campaign: str, attempt: str) -> twins.Called:
        with self._lock:
            self.begun += 1
        return twins.Called(twins.CONTACT, twins.CAMPAIGN)

    def report(self, campaign: str, attempt: str, fact: Fact) -> None:
        fact.value.encode()  # as a store does
        with self._lock:
            self.facts.append((attempt, fact))

    def names(self) -> Counter[str]:
        """How many facts of each name were stored."""
        return Counter(fact.name for _, fact in self.facts)


def until(true: Callable[[], bool], what: str, step_s: float = 0.002) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < deadline, f"not within {LIMIT_S} s: {what}"
        threading.Event().wait(step_s)


def files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@contextmanager
def leaving_nothing(server: Server) -> Iterator[None]:
    """The server serves; afterwards it has left no thread, no file, and no traceback in the log."""
    threads, open_files = threading.active_count(), files()
    with capture_logs() as logs:
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        yield
        until(lambda: server.calls == 0, "every call has ended")
        server.stop(LIMIT_S)
        thread.join(LIMIT_S)
    until(lambda: threading.active_count() == threads, "no thread is left")
    until(lambda: files() == open_files - 1, "no file is left open but the listener's, which was")
    assert not [one for one in logs if one.get("exc_info") or one["event"] == "The conversation failed."]


@pytest.fixture
def ivr(tmp_path: Path) -> Iterator[Ivr]:
    """Whatever the test did to it, each conversation that began is closed, and once, and the next one is served."""
    ivr = Ivr(tmp_path)
    with leaving_nothing(ivr.server):
        yield ivr
        call(ivr.server, WHOLE.replace(ATTEMPT, NEXT))  # accepted after all others
        until(lambda: ivr.server.calls == 0, "every call has ended")
        conversations = {how: count for how, count in ivr.script.endings.items() if how != "stranger"}  # of no attempt
        assert ivr.names()["closed"] == ivr.begun == sum(conversations.values())
        assert [fact.name for attempt, fact in ivr.facts if attempt == NEXT.decode()].count("promise") == 1


def call(server: Server, *segments: bytes, reset: bool = False, ends: bool = True) -> bytes:
    """Say all this; then, unless the peer resets, hear the server to its end. `ends`: nothing more will be said."""
    with socket.create_connection(server.address, LIMIT_S) as sock:
        try:
            for segment in segments:
                sock.sendall(segment)
            if reset:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return b""
            if ends:
                sock.shutdown(socket.SHUT_WR)
            return heard(sock)
        except TimeoutError:
            raise
        except OSError:  # it closed before all was said
            return b""


def heard(sock: socket.socket) -> bytes:
    """All that comes until the server closes; TimeoutError if it does not."""
    said = b""
    while more := sock.recv(65536):
        said += more
    return said


def test_the_recording_is_a_promise(ivr: Ivr) -> None:
    said = call(ivr.server, WHOLE, ends=False)
    assert said.endswith(b'SET VARIABLE "IVR_RESULT" "done"\n')
    assert said.count(b"\n") == len(ANSWERS)
    assert ivr.names()["promise"] == 1


def test_an_end_at_every_byte(ivr: Ivr) -> None:
    """A choice is stored if, and only if, the key that made it came whole."""
    made_at = len(BEGIN) + sum(map(len, ANSWERS[: CONFIRMED + 1]))
    for length in range(len(WHOLE)):
        before = ivr.names()["promise"]
        call(ivr.server, WHOLE[:length])
        until(lambda: ivr.server.calls == 0, "it has ended")
        assert ivr.names()["promise"] - before == (length >= made_at), WHOLE[:length][-40:]
    assert set(ivr.script.endings) == {"hung_up", "promise"}


def test_a_reset_at_every_byte(ivr: Ivr) -> None:
    for length in range(len(WHOLE)):
        call(ivr.server, WHOLE[:length], reset=True)
    call(ivr.server, WHOLE)
    until(lambda: ivr.server.calls == 0, "all have ended")
    assert set(ivr.script.endings) <= {"hung_up", "promise"}


@contextmanager
def tcp() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a TCP connection: ours as a server has it, and the peer's."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname(), LIMIT_S) as theirs,
        listener.accept()[0] as ours,
    ):
        for sock in (ours, theirs):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield ours, theirs


def taken(sock: socket.socket) -> bool:
    """Has everything that came been read?"""
    count = array.array("i", [0])
    fcntl.ioctl(sock, termios.FIONREAD, count)
    return not count[0]


def test_a_split_at_every_byte(ivr: Ivr) -> None:
    """Two segments, the second sent when the first has been read."""
    env = {key: value.strip() for key, _, value in (line.partition(":") for line in BEGIN.decode().split("\n")[:-2])}
    with ThreadPoolExecutor(1) as pool:
        for length in range(1, len(BEGIN)):
            assert split(pool, lambda sock: Agi(sock).env, BEGIN, length) == env
        for length in range(len(BEGIN), len(WHOLE)):
            split(pool, lambda sock: ivr.script(Agi(sock)), WHOLE, length)
    assert ivr.script.endings == {"promise": len(WHOLE) - len(BEGIN)}


def split(pool: ThreadPoolExecutor, serve: Callable[[socket.socket], T], data: bytes, length: int) -> T:
    """What `serve` makes of both segments."""
    with tcp() as (ours, theirs):
        serving = pool.submit(serve, ours)
        theirs.sendall(data[:length])
        until(lambda: taken(ours), "the first segment was read", 0.0002)
        theirs.sendall(data[length:])
        return serving.result(LIMIT_S)


def test_every_byte_alone(ivr: Ivr) -> None:
    for _ in range(5):
        call(ivr.server, *(WHOLE[at : at + 1] for at in range(len(WHOLE))))
    until(lambda: ivr.server.calls == 0, "all have ended")
    assert ivr.script.endings == {"promise": 5}


def answer(length: int) -> bytes:
    """A line of this length, the value as long as it can be."""
    return b"200 result=1 (" + b"x" * (length - 15) + b")\n"


def test_a_line_of_every_length() -> None:
    """Up to the limit each is read; past it none is, however it comes in pieces."""
    whole = range(15, LINE_LONGEST + 1)
    over = [*range(LINE_LONGEST + 1, LINE_LONGEST + 40), *(LINE_LONGEST << shift for shift in range(1, 9))]
    found: list[int] = []

    def script(agi: Agi) -> None:
        while True:
            found.append(len(agi.get_variable("X")))

    server = Server("127.0.0.1", 0, {"payment_reminder": script})
    with leaving_nothing(server):
        call(server, BEGIN, *map(answer, whole))
        until(lambda: server.calls == 0, "it has ended")
        assert found == [length - 15 for length in whole]
        found.clear()
        for length in over:
            call(server, BEGIN, answer(length))
        until(lambda: server.calls == 0, "all have ended")
        assert found == []


@pytest.mark.parametrize(
    ("begin", "served"),
    [
        (b"agi_x: " + b"y" * (LINE_LONGEST - 8) + b"\n", True),
        (b"agi_x: " + b"y" * LINE_LONGEST + b"\n", False),
        (b"y" * (1 << 20), False),
        (b"agi_x: y\n" * (LINES_MOST - BEGIN.count(b"\n")), True),
        (b"agi_x: y\n" * LINES_MOST, False),
        ((b"agi_x: " + b"y" * 4000 + b"\n") * 1000, False),
        (b":\n" * 50, True),
        (b"\xff\xfe: \xc3\x28\n", True),
        (b"\0" * 4000 + b"\n", True),
        (b"HANGUP\n", True),  # a name like any other before the call
        (b"\n", False),
    ],
)
def test_what_comes_before_the_call(ivr: Ivr, begin: bytes, served: bool) -> None:
    call(ivr.server, begin, WHOLE)
    until(lambda: ivr.server.calls == 0, "it has ended")
    assert ivr.script.endings == ({"promise": 1} if served else {})


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_answer_anywhere(ivr: Ivr, odd: str) -> None:
    """In the place of each answer, and before it: the call ends, and once."""
    for place in range(len(ANSWERS)):
        before, after = b"".join(ANSWERS[:place]), b"".join(ANSWERS[place:])
        call(ivr.server, BEGIN, before, ODD[odd], after)
        call(ivr.server, BEGIN, before, ODD[odd], b"".join(ANSWERS[place + 1 :]))
    until(lambda: ivr.server.calls == 0, "all have ended")
    assert not set(ivr.names()) - FACTS


FACTS = {
    "flow", "language", "step", "key", "verified", "told", "promise", "no_input", "not_verified", "wrong_person",
    "not_at_home", "closed",
}  # fmt: skip
PIECES = [*ODD.values(), *ANSWERS, b"200", b" result=", b"agi_x: y\n"]


@given(
    st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=60)), max_size=20),
    st.booleans(),
    st.booleans(),
)
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_answers_in_any_order(ivr: Ivr, said: list[bytes], begun: bool, reset: bool) -> None:
    call(ivr.server, BEGIN * begun, *said, reset=reset)


@pytest.mark.parametrize("drop", [b"", b"x", b"100 Trying...\n", b"\xff"])
@pytest.mark.parametrize("begun", [b"", BEGIN[:300], BEGIN + b"".join(ANSWERS[:4])])
def test_drops_do_not_stretch_the_limit(ivr: Ivr, begun: bytes, drop: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither before the call nor within an answer; the next calls are served meanwhile."""
    monkeypatch.setattr(agi_module, "HEADER_LIMIT_S", DRIP_LIMIT_S)
    monkeypatch.setattr(line_module, "MARGIN_S", DRIP_LIMIT_S - PLAYED_S)
    with socket.create_connection(ivr.server.address) as sock:
        sock.sendall(begun)
        sock.settimeout(0.01)
        dropping = threading.Thread(target=_drop, args=(sock, drop, time.monotonic() + LIMIT_S), daemon=True)
        dropping.start()
        call(ivr.server, WHOLE)
        dropping.join(2 * LIMIT_S)
    until(lambda: ivr.server.calls == 0, "both have ended")
    ends = {"promise": 1, "failed": 1} if len(begun) > len(BEGIN) else {"promise": 1}
    assert ivr.script.endings == ends


def _drop(sock: socket.socket, drop: bytes, deadline: float) -> None:
    """A little every 10 ms, until the server closes."""
    while time.monotonic() < deadline:
        try:
            if drop:
                sock.sendall(drop)
            if not sock.recv(4096):
                return
        except TimeoutError:
            continue
        except ConnectionError:
            return
    raise AssertionError("it was not closed")
