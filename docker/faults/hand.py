"""The hand that breaks things in a trial: freezes or kills a process, cuts a link, refuses calls. Python alone.

    hand.py freeze WORD                  stops each process whose command line holds WORD, and lets it go on
    hand.py kill WORD                    ends it by SIGKILL; Docker starts it again
    hand.py cut FROM TO [--half-open]    stands in a TCP link; cuts it, or keeps it open and passes nothing on
    hand.py refuse AT [--status 503]     is a carrier that refuses every call; --status 0 is one that never answers

Each breaks for --for seconds, every --every seconds, for ever. FROM, TO, AT: host:port.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

COPIED = ("via", "v", "from", "f", "to", "t", "call-id", "i", "cseq")  # headers that an answer repeats


def pids(word: str) -> list[int]:
    """Of the processes to be seen from here, but for our own."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if word in words and "hand.py" not in words:
                found.append(int(path.parent.name))
    return found


def give(number: signal.Signals, to: Iterable[int]) -> None:
    for pid in to:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            say(f"{number.name} to {pid}")


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def freeze(asked: argparse.Namespace) -> None:
    while True:
        time.sleep(asked.every)
        stopped = pids(asked.word)
        give(signal.SIGSTOP, stopped)
        time.sleep(asked.for_s)
        give(signal.SIGCONT, stopped)


def kill(asked: argparse.Namespace) -> None:
    while True:
        time.sleep(asked.every)
        give(signal.SIGKILL, pids(asked.word))


class Cutter:
    """Passes bytes on between two, except while it breaks."""

    def __init__(self, to: tuple[str, int], half_open: bool) -> None:
        self._to = to
        self._half_open = half_open
        self._whole = asyncio.Event()
        self._whole.set()
        self._links: set[asyncio.StreamWriter] = set()

    async def link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole.is_set() and not self._half_open:
            writer.close()
            return
        try:
            there, onward = await asyncio.open_connection(*self._to)
        except OSError:
            writer.close()
            return
        self._links |= {writer, onward}
        try:
            await asyncio.gather(self._pass(reader, onward), self._pass(there, writer))
        finally:
            self._links -= {writer, onward}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._whole.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    async def breaks(self, for_s: float, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            self._whole.clear()
            say("half-open" if self._half_open else "cut")
            for writer in () if self._half_open else tuple(self._links):
                writer.transport.abort()
            await asyncio.sleep(for_s)
            self._whole.set()
            say("whole again")


async def cut(asked: argparse.Namespace) -> None:
    cutter = Cutter(place(asked.to), asked.half_open)
    server = await asyncio.start_server(cutter.link, *place(asked.at))
    async with server:
        await cutter.breaks(asked.for_s, asked.every)


class Carrier(asyncio.DatagramProtocol):
    """Well while it is asked whether it is there; refuses calls, or lets them ring nowhere."""

    def __init__(self, status: int) -> None:
        self._status = status

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        if answer := answered(data, self._status):
            self._transport.sendto(answer, address)


def answered(request: bytes, status: int) -> bytes:
    """SIP's answer to a request; empty: none."""
    first, *lines = request.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").split("\r\n")
    verb = first.split(" ")[0]
    if verb in ("", "ACK", "SIP/2.0"):
        return b""
    code = status if verb == "INVITE" else 200
    if not code:
        return b""
    kept = [line for line in lines if line.partition(":")[0].strip().lower() in COPIED]
    kept = [
        line + ";tag=hand" if line.lower().startswith(("to:", "t:")) and "tag=" not in line else line for line in kept
    ]
    retry = ["Retry-After: 5"] if code == 503 else []
    word = "OK" if code == 200 else "Refused"
    return "\r\n".join([f"SIP/2.0 {code} {word}", *kept, *retry, "Content-Length: 0", "", ""]).encode()


async def refuse(asked: argparse.Namespace) -> None:
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: Carrier(asked.status), local_addr=place(asked.at))
    say(f"a carrier that answers {asked.status or 'nothing'}")
    await asyncio.Event().wait()


def place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    for name in ("freeze", "kill"):
        ways.add_parser(name).add_argument("word")
    cutting = ways.add_parser("cut")
    cutting.add_argument("at")
    cutting.add_argument("to")
    cutting.add_argument("--half-open", action="store_true")
    refusing = ways.add_parser("refuse")
    refusing.add_argument("at")
    refusing.add_argument("--status", type=int, default=503)
    for way in ways.choices.values():
        way.add_argument("--for", dest="for_s", type=float, default=10.0)
        way.add_argument("--every", type=float, default=60.0)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as the first process of a container nobody else does it
    if asked.way in ("freeze", "kill"):
        {"freeze": freeze, "kill": kill}[asked.way](asked)
    else:
        asyncio.run({"cut": cut, "refuse": refuse}[asked.way](asked))


if __name__ == "__main__":
    main()
