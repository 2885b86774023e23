"""FastAGI: pyst2's verbs without pyst2's traps, and a server with one thread to a call."""

import contextlib
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from asterisk.agi import (
    AGI,
    AGIAppError,
    AGIError,
    AGIHangup,
    AGIInvalidCommand,
    AGIResultHangup,
    AGIUnknownError,
    AGIUsageError,
)

from dialer.errors import TelephonyError

log = structlog.get_logger("ivr.agi")

LINE_LONGEST = 4096
PIECE_BYTES = 512  # read at once: a thousand calls wait with this much memory each
LINES_MOST = 100  # of one reply, or of the variables at the beginning
HEADER_LIMIT_S = 5.0
REPLY_LIMIT_S = 5.0
# The kernel may hand a signal to any thread, at best to one that is just ending; Python's handler then waits until the
# main thread runs, which accept() and wait() alone never let it.
WAKE_S = 0.5
_CODE = re.compile(r"(\d{3})([ -]?)(.*)")
_KEY_VALUE = re.compile(r"(?P<key>\w+)=(?P<value>\S+)\s*(?:\((?P<data>.*)\))?")


class TooSlow(TelephonyError):
    """Asterisk did not answer the IVR in time."""


class Lines:
    """Lines out of a socket, each whole exchange under one time limit that drops of bytes do not stretch."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""

    def read(self, deadline: float) -> str:
        """The next line; AGIHangup where the peer closed, TooSlow at `deadline` (monotonic seconds)."""
        while b"\n" not in self._buffer[: LINE_LONGEST + 1]:
            if len(self._buffer) > LINE_LONGEST:
                raise AGIUnknownError("a line without an end")
            self._receive(deadline)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode("utf-8", "replace").strip()

    def send(self, data: bytes) -> None:
        try:
            self._sock.settimeout(REPLY_LIMIT_S)
            self._sock.sendall(data)
        except TimeoutError as error:
            raise TooSlow from error
        except OSError as error:
            raise AGIHangup("connection lost") from error

    def _receive(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TooSlow
        try:
            self._sock.settimeout(left)
            more = self._sock.recv(PIECE_BYTES)
        except TimeoutError as error:
            raise TooSlow from error
        except OSError as error:
            raise AGIHangup("connection lost") from error
        if not more:
            raise AGIHangup("connection closed")
        self._buffer += more


class Agi(AGI):  # type: ignore[misc]  # pyst2 has no types
    """One call's AGI session. A hang-up, however it shows, is AGIHangup; nothing that was keyed is logged."""

    def __init__(self, sock: socket.socket) -> None:
        # not the base's: it takes over SIGHUP, reads standard input and prints every line
        self._lines = Lines(sock)
        self._got_sighup = False
        self.env: dict[str, str] = {}
        self._read_env(time.monotonic() + HEADER_LIMIT_S)

    def _read_env(self, deadline: float) -> None:
        for _ in range(LINES_MOST):
            line = self._lines.read(deadline)
            if not line:
                return
            key, _, value = line.partition(":")
            self.env[sys.intern(key.strip())] = value.strip()
        raise AGIUnknownError("too many lines before the call")

    def _quote(self, string: object) -> str:
        text = str(string)
        if "\n" in text or "\r" in text or "\0" in text:
            raise AGIError("a line break in an argument")
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def send_command(self, command: str, *args: object) -> None:
        self._lines.send(" ".join([command, *map(str, args)]).encode() + b"\n")

    def get_result(self, stdin: object = None, limit_s: float = REPLY_LIMIT_S) -> dict[str, tuple[str, str]]:
        """The answer to the last command; 100 means that it is still to come, HANGUP may come at any place."""
        deadline = time.monotonic() + limit_s
        for _ in range(LINES_MOST):
            line = self._lines.read(deadline)
            if line == "HANGUP":
                raise AGIHangup("hung up")
            found = _CODE.fullmatch(line)
            if not found:
                raise AGIUnknownError("not an answer")
            code, mark, text = found.groups()
            if code != "100":
                return self._answer(int(code), mark, text, deadline)
        raise AGIUnknownError("no end of answers")

    def _answer(self, code: int, mark: str, text: str, deadline: float) -> dict[str, tuple[str, str]]:
        if code == 200:
            return self._result(text)
        if code == 511:  # dead channel
            raise AGIHangup("hung up")
        if code == 520:
            self._skip_usage(mark, deadline)
            raise AGIUsageError("wrong usage of a command")
        if code == 510:
            raise AGIInvalidCommand("unknown command")
        raise AGIUnknownError(f"answer {code}")

    def _result(self, text: str) -> dict[str, tuple[str, str]]:
        result = {key: (value, data) for key, value, data in _KEY_VALUE.findall(text)}
        value, data = result.get("result", ("", ""))
        if not value:
            raise AGIUnknownError("an answer without a result")
        if data == "hangup":
            raise AGIResultHangup("hung up")
        if value == "-1":
            raise AGIAppError("failed, or hung up")
        return result

    def _skip_usage(self, mark: str, deadline: float) -> None:
        if mark != "-":
            return
        for _ in range(LINES_MOST):
            if self._lines.read(deadline).startswith("520 "):
                return
        raise AGIUnknownError("no end of the usage")

    def play(self, path: str, keys: str, offset: int, limit_s: float) -> tuple[str, int]:
        """STREAM FILE: the key of `keys` that interrupted it or '', and the sample at which it ended."""
        self.send_command("STREAM FILE", self._quote(path), self._quote(keys), offset)
        result = self.get_result(limit_s=limit_s)
        try:
            value, end = int(result["result"][0]), int(result.get("endpos", ("0", ""))[0])
            key = chr(value) if value else ""
        except (ValueError, OverflowError) as error:
            raise AGIUnknownError("not a key") from error
        if key not in keys:
            raise AGIUnknownError("not a key that was awaited")
        return key, end


Script = Callable[[Agi], Any]


class Server:
    """Accepts FastAGI connections; each script runs in a thread of its own, at most `most` at once."""

    def __init__(self, host: str, port: int, scripts: Mapping[str, Script], most: int = 500) -> None:
        self._scripts = scripts
        self._most = most
        self._open: dict[int, socket.socket] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._stopped = threading.Event()
        # of two processes on one port the kernel gives each its share of the calls: one may replace the other
        self._listener = socket.create_server((host, port), backlog=512, reuse_port=True)
        self._listener.settimeout(WAKE_S)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]

    @property
    def calls(self) -> int:
        """How many connections are open."""
        return len(self._open)

    @property
    def most(self) -> int:
        """How many there may be."""
        return self._most

    @property
    def stopping(self) -> bool:
        """Whether no more calls are taken."""
        return self._stopping

    def serve(self) -> None:
        """Returns when `stop` has been called and the last call has ended."""
        while not self._stopping:
            try:
                sock, _ = self._listener.accept()
            except (TimeoutError, BlockingIOError):
                continue
            except OSError as error:
                self._not_accepted(error)
                continue
            self._begin(sock)
        while not self._stopped.wait(WAKE_S):
            pass

    def stop(self, drain_s: float = 0.0) -> bool:
        """No new calls; True if those running ended within `drain_s`, otherwise their connections are closed: the
        dialplan then plays the courteous message."""
        self._take_waiting()
        with self._changed:  # nobody is taken on between this and the look at who is left
            self._stopping = True
        _shut(self._listener)  # wakes accept(), which close() alone does not
        self._listener.close()
        with self._changed:
            drained = self._changed.wait_for(lambda: not self._open, drain_s)
            left = list(self._open.values())
        for sock in left:
            _shut(sock)
        with self._changed:
            self._changed.wait_for(lambda: not self._open, REPLY_LIMIT_S)
        self._stopped.set()
        return drained

    def _take_waiting(self) -> None:
        """Who has been put through to us already: closing would cut him off."""
        with contextlib.suppress(OSError):  # there are no more
            self._listener.settimeout(0)
            while True:
                sock, _ = self._listener.accept()
                self._begin(sock)

    def _not_accepted(self, error: OSError) -> None:
        if not self._stopping:
            log.error("A connection was not accepted.", action="wait", error=type(error).__name__)
            with self._changed:
                self._changed.wait(0.1)  # out of file descriptors: until a call ends

    def _begin(self, sock: socket.socket) -> None:
        with self._changed:
            taken = len(self._open) < self._most and not self._stopping
            if taken:
                self._open[sock.fileno()] = sock
        if not taken:
            log.warning("No call is taken.", action="refused", most=self._most, stopping=self._stopping)
            _shut(sock)
            sock.close()
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            threading.Thread(target=self._run, args=(sock, sock.fileno()), daemon=True, name="call").start()
        except RuntimeError:
            log.error("No thread could be started.", action="refused")
            self._end(sock, sock.fileno())

    def _run(self, sock: socket.socket, number: int) -> None:
        try:
            agi = Agi(sock)
            name = agi.env.get("agi_network_script", "")
            script = self._scripts.get(name)
            if script is None:
                log.warning("An unknown script was asked for.", action="refused", known=sorted(self._scripts))
                return
            script(agi)
        except (AGIError, TooSlow) as error:
            # port scans, hang-ups, nonsense: all end the connection and nothing else
            log.debug("The connection ended.", action="closed", error=type(error).__name__)
        except Exception:  # a fault in one conversation must not take the thread's place with it
            log.exception("The conversation failed.", action="closed")
        finally:
            self._end(sock, number)

    def _end(self, sock: socket.socket, number: int) -> None:
        with self._changed:
            self._open.pop(number, None)
            _shut(sock)
            sock.close()
            self._changed.notify_all()


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it was not connected any more
        sock.shutdown(socket.SHUT_RDWR)
