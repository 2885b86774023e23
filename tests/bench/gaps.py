"""Gaps between RTP packets as they arrive at one address: read beside the receiver, timed by the kernel."""

import ctypes
import socket
import struct
import threading
from dataclasses import dataclass, field
from time import monotonic

from tests.bench.meter import percentile

GOAL_MS = 60.0
_FRAME_S = 0.02
_ETH_P_ALL = 0x0003
_ETH_P_IP = 0x0800
_SO_ATTACH_FILTER, _SO_TIMESTAMPNS = 26, 35
_RECEIVE_BYTES = 16 * 1024 * 1024
_AUDIO = (0, 8)  # mu-law, a-law
_SNAP = 96


@dataclass(slots=True)
class _Stream:
    """One direction of one call: its last packet."""

    sequence: int
    at: float


@dataclass(slots=True)
class Gaps:
    """Watches 1 in `one_in` calls that arrive at `host`, from start to stop. Needs CAP_NET_RAW.

    A gap counts between two packets of consecutive numbers: what this reader, or the network, has lost is no gap.
    """

    host: str
    one_in: int = 1
    gaps_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)  # of a 20 ms timer of this process: the machine's own share
    streams: dict[tuple[int, int], _Stream] = field(default_factory=dict)
    lost: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Raises PermissionError."""
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        program = _filter(self.host, self.one_in)
        buffer = ctypes.create_string_buffer(program)
        sock.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(program) // 8, ctypes.addressof(buffer))
        )
        sock.bind(("lo", _ETH_P_ALL))
        sock.settimeout(0.2)
        self._threads = [
            threading.Thread(target=self._read, args=(sock,), daemon=True),
            threading.Thread(target=self._tick, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when both threads have ended."""
        self._over.set()
        for thread in self._threads:
            thread.join(5)

    def _read(self, sock: socket.socket) -> None:
        with sock:
            while not self._over.is_set():
                try:
                    data, extra, _, sender = sock.recvmsg(_SNAP, 64)
                except TimeoutError:
                    continue
                if sender[2] != socket.PACKET_OUTGOING and extra:  # the loopback shows each packet twice
                    seconds, nanoseconds = struct.unpack("ll", extra[0][2][:16])
                    self._seen(data, seconds + nanoseconds / 1e9)

    def _seen(self, packet: bytes, at: float) -> None:
        udp = 4 * (packet[0] & 0x0F)
        if len(packet) < udp + 20 or packet[udp + 9] & 0x7F not in _AUDIO:
            return
        port = struct.unpack_from("!H", packet, udp + 2)[0]
        sequence, _, source = struct.unpack_from("!HII", packet, udp + 10)
        stream = self.streams.get((port, source))
        if stream is None:
            self.streams[port, source] = _Stream(sequence, at)
            return
        step = (sequence - stream.sequence) & 0xFFFF
        if step == 1:
            self.gaps_ms.append(1000 * (at - stream.at))
        elif step < 0x8000:
            self.lost += step - 1
        stream.sequence, stream.at = sequence, at

    def _tick(self) -> None:
        due = monotonic() + _FRAME_S
        while not self._over.wait(max(0.0, due - monotonic())):
            self.late_ms.append(1000 * (monotonic() - due))
            due = max(due + _FRAME_S, monotonic())

    def __str__(self) -> str:
        gaps, late = self.gaps_ms, self.late_ms
        p50, p99, p999 = (percentile(gaps, share) for share in (0.5, 0.99, 0.999))
        return (
            f"RTP gaps at {self.host}, {len(self.streams)} calls, {len(gaps):,} packets: p50 {p50:.1f}, p99 {p99:.1f},"
            f" p99.9 {p999:.1f}, largest {max(gaps, default=0.0):.1f} ms; over {GOAL_MS:.0f} ms:"
            f" {sum(gap > GOAL_MS for gap in gaps)}; packets that this reader did not see: {self.lost}."
            f" A 20 ms timer of this process was meanwhile late by p99 {percentile(late, 0.99):.1f}, at most"
            f" {max(late, default=0.0):.1f} ms."
        )


def _filter(host: str, one_in: int) -> bytes:
    """UDP to this host, to an even port (RTP, not RTCP), and of those 1 in `one_in` (a power of two): in the kernel."""
    (address,) = struct.unpack("!I", socket.inet_aton(host))
    rows = [
        (0x30, 0, 0, 9), (0x15, 0, 7, socket.IPPROTO_UDP),  # protocol
        (0x20, 0, 0, 16), (0x15, 0, 5, address),  # destination
        (0xB1, 0, 0, 0), (0x48, 0, 0, 2), (0x54, 0, 0, 2 * one_in - 1),  # its port
        (0x15, 0, 1, 0), (0x06, 0, 0, _SNAP), (0x06, 0, 0, 0),
    ]  # fmt: skip
    return b"".join(struct.pack("HBBI", *row) for row in rows)
