"""A debtor's telephone: a small SIP and RTP peer that answers, hears, and presses RFC 4733 keys when told to."""

import re
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise

FRAME_S = 0.02
SAMPLES = 160
EVENT_TYPE = 101
RTP_VERSION = 2  # the first two bits of RTP and RTCP; no SIP message begins so
SILENT = bytes([0xFF]) * SAMPLES
_SO_TIMESTAMPNS = 35
LOUD = 4000  # of 32768: louder than this is speech
_RANK = bytes(~code & 0x7F for code in range(256))  # of mu-law: the louder, the higher


@dataclass(frozen=True, slots=True)
class Heard:
    """One RTP packet: when it came by the kernel, however late this program is, its number, how loud it was."""

    at: float
    sequence: int
    peak: int


@dataclass
class Debtor:
    """Answers the first call to `address`; use as a context manager."""

    host: str = "127.0.0.4"
    heard: list[Heard] = field(default_factory=list)
    keys_ended: list[float] = field(default_factory=list)
    answered_at: float = 0.0
    stalled_s: float = 0.0  # the longest that a key was held up on its way, by a machine without a processor to spare

    def __enter__(self) -> "Debtor":
        self._sip, self._rtp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for sock in (self._sip, self._rtp):
            sock.bind((self.host, 0))
        self._rtp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._media: tuple[str, int] | None = None
        self._invite, self._peer = "", ("", 0)
        self._keys: list[str] = []
        self._sequence = self._timestamp = 0
        self._over = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._listen, self._send)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(5)
        self._sip.close()
        self._rtp.close()

    @property
    def address(self) -> str:
        return f"{self.host}:{self._sip.getsockname()[1]}"

    def press(self, keys: str) -> None:
        """Each for 80 ms, with 60 ms between."""
        self._keys.extend(keys)

    def hang_up(self) -> None:
        """BYE."""
        header = {name: self._field(self._invite, name) for name in ("From", "To", "Call-ID")}
        lines = [
            f"BYE sip:{self._peer[0]}:{self._peer[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address};branch=z9hG4bK{time.monotonic_ns()}",
            f"From: {header['To']};tag=debtor",
            f"To: {header['From']}",
            f"Call-ID: {header['Call-ID']}",
            "CSeq: 1 BYE",
            "Max-Forwards: 70",
            "Content-Length: 0",
        ]
        self._sip.sendto("\r\n".join([*lines, "", ""]).encode(), self._peer)

    def gaps(self) -> list[float]:
        """Seconds between packets, in order of coming."""
        return [after.at - before.at for before, after in pairwise(self.heard)]

    def lost(self) -> int:
        """Packets that were sent and did not come."""
        return self.heard[-1].sequence - self.heard[0].sequence + 1 - len(self.heard) if self.heard else 0

    def spoke_after(self, at: float) -> float | None:
        """When the first loud packet came after `at`."""
        return next((packet.at for packet in self.heard if packet.at > at and packet.peak > LOUD), None)

    def silent_for(self, seconds: float) -> bool:
        """Has the voice paused, after it had spoken?"""
        loud = [packet.at for packet in self.heard if packet.peak > LOUD]
        return bool(loud) and time.monotonic() - loud[-1] > seconds

    def _listen(self) -> None:
        while not self._over.is_set():
            ready, _, _ = select.select([self._sip, self._rtp], [], [], 0.1)
            for sock in ready:
                data, extra, _, peer = sock.recvmsg(4096, 64)
                if sock is self._rtp:
                    self._hear(data, _came_at(extra))
                elif data[0] >> 6 != RTP_VERSION:  # RTCP comes to the port after RTP's, which may be this one
                    self._signal(data.decode(), peer)

    def _hear(self, data: bytes, at: float) -> None:
        if data[1] & 0x7F == 0:
            peak = _loudness(max(data[12:].translate(_RANK), default=0))
            self.heard.append(Heard(at, struct.unpack("!H", data[2:4])[0], peak))

    def _signal(self, text: str, peer: tuple[str, int]) -> None:
        method = text.split(" ", 1)[0]
        if method == "INVITE":
            self._invite, self._peer = text, peer
            media = re.search(r"c=IN IP4 (\S+)[\s\S]*m=audio (\d+)", text) or re.search(
                r"m=audio (\d+)[\s\S]*c=IN IP4 (\S+)", text
            )
            assert media
            self._media = (media.group(1), int(media.group(2)))
            self._answer(text, peer, self._sdp())
            self.answered_at = time.monotonic()
        elif method in ("BYE", "OPTIONS", "CANCEL"):
            self._answer(text, peer, "")

    def _answer(self, request: str, peer: tuple[str, int], body: str) -> None:
        via = "\r\n".join(re.findall(r"^Via:.*?$", request.replace("\r", ""), re.M))
        to = self._field(request, "To")
        lines = [
            "SIP/2.0 200 OK", via, f"From: {self._field(request, 'From')}",
            f"To: {to}" if "tag=" in to else f"To: {to};tag=debtor", f"Call-ID: {self._field(request, 'Call-ID')}",
            f"CSeq: {self._field(request, 'CSeq')}", f"Contact: <sip:debtor@{self.address}>",
            *(["Content-Type: application/sdp"] if body else []), f"Content-Length: {len(body)}",
        ]  # fmt: skip
        self._sip.sendto(("\r\n".join([*lines, "", ""]) + body).encode(), peer)

    def _sdp(self) -> str:
        port = self._rtp.getsockname()[1]
        lines = [
            "v=0", f"o=- 1 1 IN IP4 {self.host}", "s=-", f"c=IN IP4 {self.host}", "t=0 0",
            f"m=audio {port} RTP/AVP 0 {EVENT_TYPE}", "a=rtpmap:0 PCMU/8000",
            f"a=rtpmap:{EVENT_TYPE} telephone-event/8000", f"a=fmtp:{EVENT_TYPE} 0-16", "a=ptime:20", "a=sendrecv",
        ]  # fmt: skip
        return "\r\n".join([*lines, ""])

    @staticmethod
    def _field(text: str, name: str) -> str:
        found = re.search(rf"^{name}:\s*(.*?)\r?$", text, re.M)
        return found.group(1) if found else ""

    def _send(self) -> None:
        """Silence every 20 ms, and keys in between."""
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due += FRAME_S
            if not self._media:
                continue
            if self._keys:
                self._press(self._keys.pop(0))
                due = time.monotonic()
            self._packet(0, SILENT)
            self._timestamp += SAMPLES

    def _press(self, key: str) -> None:
        event = "0123456789*#".index(key)
        for number in range(1, 5):
            began = time.monotonic()
            self._packet(EVENT_TYPE, struct.pack("!BBH", event, 10, number * SAMPLES), marker=number == 1)
            time.sleep(FRAME_S)
            self.stalled_s = max(self.stalled_s, time.monotonic() - began - FRAME_S)
        for _ in range(3):
            self._packet(EVENT_TYPE, struct.pack("!BBH", event, 0x80 | 10, 5 * SAMPLES))
        self.keys_ended.append(time.monotonic())
        self._timestamp += 5 * SAMPLES
        for _ in range(3):
            time.sleep(FRAME_S)
            self._packet(0, SILENT)
            self._timestamp += SAMPLES

    def _packet(self, kind: int, payload: bytes, marker: bool = False) -> None:
        assert self._media
        self._sequence += 1
        head = struct.pack(
            "!BBHII", 0x80, kind | (0x80 if marker else 0), self._sequence & 0xFFFF, self._timestamp & 0xFFFFFFFF, 7
        )
        self._rtp.sendto(head + payload, self._media)


def _came_at(extra: list[tuple[int, int, bytes]]) -> float:
    """The kernel's stamp, on the monotonic clock."""
    seconds, nanoseconds = map(int, struct.unpack("ll", extra[0][2][:16]))
    return time.monotonic() - (time.clock_gettime(time.CLOCK_REALTIME) - seconds - nanoseconds / 1e9)


def _loudness(rank: int) -> int:
    """The size of a mu-law sample of this rank."""
    return (((rank & 0x0F) << 3) + 0x84 << (rank >> 4)) - 0x84
