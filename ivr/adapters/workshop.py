"""Makes sounds in processes of their own: what a voice and numpy take of memory and time is not taken from the calls.

python -m ivr.adapters.workshop OUT      one of them; a request and its answer are a line of JSON each, on its socket
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any

from dialer.errors import SetupError
from ivr.adapters.logs import log_to_stderr
from ivr.adapters.speech import Speech, opened
from ivr.prompts import Piece

AT_ONCE = 2  # more engines at a time only take turns on the processor
TURN_LIMIT_S = 20.0  # who waits longer has no use for it any more: the line waits no longer either
ANSWER_LIMIT_S = 90.0  # every voice has limits of its own below it
IDLE_S = 300.0  # then it ends; the next piece starts another
ANSWER_BYTES = 65_536
OURS = "SANTUN_"


class Workshop:
    """For all threads of a server. Its processes start when something is to be made, and end with the server, however
    that ends."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._free: deque[_Worker] = deque()

    def make(self, language: str, piece: Piece) -> list[str]:
        """The piece is there then. Names of the files that a better voice could not make. Raises SetupError."""
        asked = json.dumps({"language": language, "text": piece.text, "private": piece.private}).encode() + b"\n"
        if not self._turns.acquire(timeout=TURN_LIMIT_S):
            raise SetupError("more is to be said than the voice can make: use a faster one, or recordings")
        try:
            answer = self._asked(asked)
        except (EOFError, OSError) as error:
            raise SetupError(f"the process that makes sounds did not answer: {type(error).__name__}") from error
        finally:
            self._turns.release()
        if answer["error"]:
            raise SetupError(str(answer["error"]))
        return [str(name) for name in answer["failed"]]

    def _asked(self, asked: bytes) -> dict[str, Any]:
        """By one that waits for work, else by a new one."""
        while True:
            waited = bool(self._free)
            worker = self._free.pop() if waited else _Worker(self._out)
            try:
                answer = worker.ask(asked)
            except (EOFError, OSError) as error:
                worker.end()
                if waited and isinstance(error, EOFError):  # it had ended for want of work, or was killed
                    continue
                raise
            self._free.append(worker)
            return answer

    def pids(self) -> list[int]:
        """Of the processes that wait for work."""
        return [worker.pid for worker in self._free]

    def close(self) -> None:
        """End them."""
        while self._free:
            self._free.pop().end()


class _Worker:
    """One process. Standard input and output are one socket: nobody can read along, and it ends when we do."""

    def __init__(self, out: Path) -> None:
        self._sock, theirs = socket.socketpair()
        self._sock.settimeout(ANSWER_LIMIT_S)
        words = [sys.executable, "-P", "-m", "ivr.adapters.workshop", str(out)]
        env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}  # it needs no secret
        with theirs:  # a session of its own: Ctrl-C is for the server, which still has calls to serve
            self._process = subprocess.Popen(
                words, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, start_new_session=True, env=env
            )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def ask(self, asked: bytes) -> dict[str, Any]:
        """Raises EOFError where the process has ended, TimeoutError where it does not answer."""
        try:
            self._sock.sendall(asked)
            found = b""
            while not found.endswith(b"\n"):
                more = self._sock.recv(ANSWER_BYTES)
                if not more:
                    raise EOFError
                found += more
        except ConnectionError as error:
            raise EOFError from error
        answer: dict[str, Any] = json.loads(found)
        return answer

    def end(self) -> None:
        """Killed, if need be: it writes whole files or none."""
        self._sock.close()
        self._process.kill()
        self._process.wait()


def serve(sock: socket.socket, speech: Speech) -> None:
    """Answers until the other end is closed, or nothing was asked for long."""
    sock.settimeout(IDLE_S)
    with sock.makefile("rb") as lines, contextlib.suppress(TimeoutError, ConnectionError):
        for line in lines:
            asked = json.loads(line)
            error = ""
            try:
                speech.piece(asked["language"], Piece(asked["text"], asked["private"]))
            except (SetupError, OSError) as failed:
                error = failed.detail if isinstance(failed, SetupError) else str(failed)
            answer = {"error": error, "failed": speech.failed}
            sock.sendall(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    log_to_stderr()
    serve(socket.socket(fileno=sys.stdin.fileno()), opened(Path(sys.argv[1])))
