"""FastAGI against a scripted Asterisk: every split, every end, every nonsense, and many at once."""

import random
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from asterisk.agi import AGIAppError, AGIError, AGIHangup, AGIInvalidCommand, AGIUnknownError, AGIUsageError
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.adapters import agi as agi_module
from ivr.adapters.agi import Agi, Server, TooSlow
from tests.ivr.peer import ENV

LIMIT_S = 60.0


@contextmanager
def serving(script: Callable[[Agi], object], name: str = "test", most: int = 500) -> Iterator[Server]:
    server = Server("127.0.0.1", 0, {name: script}, most)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server
    server.stop(LIMIT_S)
    thread.join(LIMIT_S)
    assert not thread.is_alive()
    assert server.calls == 0


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < deadline, f"not within {LIMIT_S} s: {what}"
        threading.Event().wait(0.005)


@contextmanager
def talk(*chunks: bytes) -> Iterator[tuple[Agi, socket.socket]]:
    """A session whose peer has sent all this, and nothing more will come."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for chunk in chunks:
            theirs.sendall(chunk)
        theirs.shutdown(socket.SHUT_WR)
        yield Agi(ours), theirs


BEGIN = ENV.format(script="test", attempt="a1").encode()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", AGIHangup),
        (b"HANGUP\n", AGIHangup),
        (b"200 result", AGIHangup),
        (b"HANGUP\n200 result=0 endpos=1\n", AGIHangup),
        (b"200 result=-1 endpos=77\nHANGUP\n", AGIAppError),
        (b"200 result=0 (hangup)\n", AGIHangup),
        (b"511 Command Not Permitted on a dead channel or intercept routine\n", AGIHangup),
        (b"510 Invalid or unknown command\n", AGIInvalidCommand),
        (b"520-Invalid command syntax.  Proper usage follows:\nUsage: x\n520 End of proper usage.\n", AGIUsageError),
        (b"520 Invalid command syntax.  Proper usage not available.\n", AGIUsageError),
        (b"520-Invalid command syntax.  Proper usage follows:\nUsage: x\n", AGIHangup),
        (b"520-" + b"x\n" * 200, AGIUnknownError),
        (b"100 Trying...\nHANGUP\n", AGIHangup),
        (b"100 Trying...\n" * 200, AGIUnknownError),
        (b"200\n", AGIUnknownError),
        (b"200 result=\n", AGIUnknownError),
        (b"200 result=x endpos=1\n", AGIUnknownError),
        (b"200 result=99999999999 endpos=1\n", AGIUnknownError),
        (b"200 result=50 endpos=1\n", AGIUnknownError),
        (b"200 result=55296 endpos=1\n", AGIUnknownError),
        (b"200 result=49 endpos=x\n", AGIUnknownError),
        (b"299 result=1\n", AGIUnknownError),
        (b"GET / HTTP/1.1\n", AGIUnknownError),
        (b"\xff\xfe\x00\n", AGIUnknownError),
        (b"\n", AGIUnknownError),
        (b"x" * 10_000, AGIUnknownError),
    ],
)
def test_each_bad_answer_is_an_error_of_its_own(said: bytes, error: type[Exception]) -> None:
    with talk(BEGIN, said) as (agi, _), pytest.raises(error):
        agi.play("/x", "1", 0, 1)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (b"200 result=0 endpos=8000\n", ("", 8000)),
        (b"200 result=49 endpos=123\n", ("1", 123)),
        (b"100 Trying...\n200 result=35 endpos=0\n", ("#", 0)),
        (b"200 result=42 endpos=1\nHANGUP\n", ("*", 1)),
    ],
)
def test_played(said: bytes, found: tuple[str, int]) -> None:
    with talk(BEGIN, said) as (agi, _):
        assert agi.play("/x", "1#*", 0, 1) == found


def test_variables_are_read_whole() -> None:
    with talk(BEGIN, b"200 result=1 (a (b) c=d)\n200 result=0\n") as (agi, _):
        assert agi.get_variable("X") == "a (b) c=d"
        assert agi.get_variable("Y") == ""


def test_arguments_cannot_end_their_quotes_or_their_line() -> None:
    with talk(BEGIN, b"200 result=1\n") as (agi, theirs):
        agi.set_variable("X", 'a"b\\c')
        assert theirs.recv(100) == b'SET VARIABLE "X" "a\\"b\\\\c"\n'
        with pytest.raises(AGIError):
            agi.set_variable("X", "a\nHANGUP")


@given(st.lists(st.integers(1, len(BEGIN) + 60), max_size=8))
@settings(deadline=None)
def test_every_split(cuts: list[int]) -> None:
    whole = BEGIN + b"200 result=1 (gr\xc3\xbc\xc3\x9f)\n200 result=49 endpos=5\n"
    places = [0, *sorted(cuts), len(whole)]
    ours, theirs = socket.socketpair()

    def send() -> None:
        for begin, end in pairwise(places):
            theirs.sendall(whole[begin:end])

    with ours, theirs, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        agi = Agi(ours)
        assert agi.get_variable("X") == "grüß"
        assert agi.play("/x", "1", 0, 5) == ("1", 5)
        sending.result(LIMIT_S)


PIECES = [
    b"200 result=0 endpos=1\n", b"200 result=1 (x)\n", b"200 result=49 endpos=9\n", b"HANGUP\n", b"511 dead\n",
    b"520-Usage\n", b"520 End\n", b"100 Trying\n", b"\n", b"\r\n", b"200", b" result=", b"\x00\xff", b"agi_x: y\n",
    b"x" * 5000,
]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=40)), max_size=12), st.booleans())
@settings(max_examples=300)
def test_no_nonsense_hangs_or_surprises(chunks: list[bytes], begun: bool) -> None:
    """Whatever comes, and wherever it ends: values, or one of our errors, and no more is read than came."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for chunk in [BEGIN] * begun + chunks:
            theirs.sendall(chunk)
        theirs.shutdown(socket.SHUT_WR)
        try:
            agi = Agi(ours)
            for _ in range(50):
                agi.play("/x", "123", 0, 1)
                agi.get_variable("X")
        except AGIError:
            return
    raise AssertionError("it never noticed the end")


def test_cut_anywhere_ends_the_session() -> None:
    whole = BEGIN + b"200 result=1 (x)\n200 result=0 endpos=5\n"
    for length in range(len(whole)):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(whole[:length])
            theirs.shutdown(socket.SHUT_WR)
            with pytest.raises(AGIHangup):
                _three_steps(ours)


def _three_steps(sock: socket.socket) -> None:
    agi = Agi(sock)
    agi.get_variable("X")
    agi.play("/x", "1", 0, 5)


@pytest.mark.parametrize("drop", [b"", b"a", b"agi_x: y\n"])
def test_a_slow_peer_is_closed_by_the_limit(drop: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that drip do not stretch the limit."""
    monkeypatch.setattr(agi_module, "HEADER_LIMIT_S", 0.3)
    with serving(lambda _: None) as server, socket.create_connection(server.address) as sock:
        began = time.monotonic()
        sock.settimeout(0.02)
        while time.monotonic() - began < LIMIT_S:
            try:
                if drop:
                    sock.sendall(drop)
                if not sock.recv(10):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert time.monotonic() - began < 3


def test_a_mute_asterisk_is_given_up() -> None:
    found: list[type[BaseException]] = []

    def script(agi: Agi) -> None:
        try:
            agi.play("/x", "1", 0, 0.2)
        except TooSlow as error:
            found.append(type(error))

    with serving(script) as server, socket.create_connection(server.address) as sock:
        sock.sendall(BEGIN)
        sock.settimeout(LIMIT_S)
        while sock.recv(1000):
            pass
    assert found == [TooSlow]


def test_port_scans_are_harmless() -> None:
    """Connections that say nothing, half a thing or somebody else's thing; then a call is served as ever."""
    served = threading.Event()
    with serving(lambda _: served.set()) as server:
        for said in (
            b"",
            b"\n",
            b"\0" * 100,
            b"GET / HTTP/1.0\r\n\r\n",
            b"agi_network_script: te",
            b"\x16\x03\x01\x02",
        ):
            for _ in range(20):
                with socket.create_connection(server.address) as sock:
                    sock.sendall(said)
        until(lambda: server.calls == 0, "all closed")
        assert not served.is_set()
        with socket.create_connection(server.address) as sock:
            sock.sendall(BEGIN)
            assert served.wait(LIMIT_S)


def test_an_unknown_script_is_refused() -> None:
    with serving(lambda agi: agi.set_variable("X", "1")) as server, socket.create_connection(server.address) as sock:
        sock.sendall(ENV.format(script="../test", attempt="a").encode())
        sock.settimeout(LIMIT_S)
        assert sock.recv(100) == b""


def test_a_script_that_fails_takes_nothing_with_it() -> None:
    def script(agi: Agi) -> None:
        raise ZeroDivisionError

    with serving(script) as server:
        for _ in range(5):
            with socket.create_connection(server.address) as sock:
                sock.sendall(BEGIN)
                sock.settimeout(LIMIT_S)
                assert sock.recv(10) == b""


def test_more_calls_than_allowed_are_closed_at_once() -> None:
    release = threading.Event()
    with serving(lambda _: release.wait(LIMIT_S), most=3) as server:
        socks = [socket.create_connection(server.address) for _ in range(3)]
        for sock in socks:
            sock.sendall(BEGIN)
        until(lambda: server.calls == 3, "three calls")
        with socket.create_connection(server.address) as extra:
            extra.settimeout(LIMIT_S)
            assert extra.recv(10) == b""
        release.set()
        until(lambda: server.calls == 0, "all ended")
        for sock in socks:
            sock.close()


def test_stop_lets_calls_finish() -> None:
    begun, release, ended = threading.Event(), threading.Event(), threading.Event()

    def script(agi: Agi) -> None:
        begun.set()
        release.wait(LIMIT_S)
        agi.set_variable("X", "1")
        ended.set()

    with serving(script) as server, socket.create_connection(server.address) as sock, ThreadPoolExecutor(1) as pool:
        sock.sendall(BEGIN + b"200 result=1\n")
        assert begun.wait(LIMIT_S)
        stopped = pool.submit(server.stop, LIMIT_S)
        until(lambda: _refused(server.address), "no new calls")
        release.set()
        assert stopped.result(LIMIT_S)
        assert ended.is_set()


def _refused(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return True
    return False


def test_stop_closes_what_does_not_finish() -> None:
    with serving(lambda agi: agi.play("/x", "", 0, 60)) as server, socket.create_connection(server.address) as sock:
        sock.sendall(BEGIN)
        assert sock.recv(100)
        assert server.stop(0.1) is False
        until(lambda: server.calls == 0, "closed")


def test_nothing_leaks() -> None:
    """Threads and files are as before after calls of all kinds."""
    before = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    chance = random.Random(1)
    with serving(lambda agi: [agi.play("/x", "1", 0, 1) for _ in range(5)]) as server:
        for _ in range(300):
            with socket.create_connection(server.address) as sock:
                sock.sendall(BEGIN + b"".join(chance.choices(PIECES, k=chance.randrange(6))))
        until(lambda: server.calls == 0, "all ended")
    until(lambda: threading.active_count() <= before[0], "threads ended")
    assert len(list(Path("/proc/self/fd").iterdir())) <= before[1] + 1


def test_memory_of_a_thousand_waiting_calls() -> None:
    release = threading.Event()
    with serving(lambda _: release.wait(30), most=1000) as server:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        socks = [socket.create_connection(server.address) for _ in range(1000)]
        for sock in socks:
            sock.sendall(BEGIN)
        until(lambda: server.calls == 1000, "a thousand")
        grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        release.set()
        until(lambda: server.calls == 0, "all ended")
        for sock in socks:
            sock.close()
    assert grown_kb < 100_000
