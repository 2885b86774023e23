"""RTP as it arrives at one address, read beside the receiver and timed by the kernel: gaps between packets, and how
soon a voice answers a key."""

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
_MU_LAW, _A_LAW, _EVENT = 0, 8, 101
_EVENT_END = 0x80
_SNAP = 28 + 12 + 160
SOUND = 250  # of 32768, -42 dBFS: louder than this is no silence
QUIET_S = 0.3  # a key counts if nothing was said for so long before its end: else it is not known what was heard


def _mu_law(code: int) -> int:
    """The size of one sample."""
    code = ~code & 0xFF
    return (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)) - 0x84


def _a_law(code: int) -> int:
    code ^= 0x55
    shift, size = code >> 4 & 7, (code & 0x0F) << 4
    return size + 8 if not shift else size + 0x108 << shift - 1


_SOUNDS = {
    _MU_LAW: bytes(_mu_law(one) > SOUND for one in range(256)),
    _A_LAW: bytes(_a_law(one) > SOUND for one in range(256)),
}


@dataclass(slots=True)
class _Stream:
    """What one call hears: its last packet, when it last heard a sound, and since when a key waits for one."""

    sequence: int
    at: float
    sound_at: float = 0.0
    key_at: float = 0.0


@dataclass(slots=True)
class Gaps:
    """Watches 1 in `one_in` calls that arrive at `host`, from start to stop. Needs CAP_NET_RAW.

    A gap counts between two packets of consecutive numbers: what this reader, or the network, has lost is no gap. An
    answer is the time from the first packet that ends an RFC 4733 event of `host` to the first packet with a sound,
    where there was silence before. Neither holds any lateness of the peer's own: the kernel has stamped both.
    """

    host: str
    one_in: int = 1
    gaps_ms: list[float] = field(default_factory=list)
    answers_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)  # of a 20 ms timer of this process: the machine's own share
    streams: dict[tuple[int, int], _Stream] = field(default_factory=dict)
    latest: dict[int, _Stream] = field(default_factory=dict)  # by port
    lost: int = 0
    _address: bytes = b""
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Raises PermissionError."""
        self._address = socket.inet_aton(self.host)
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
        if len(packet) < udp + 24:
            return
        kind = packet[udp + 9] & 0x7F
        from_port, port = struct.unpack_from("!HH", packet, udp)
        if kind == _EVENT and packet[12:16] == self._address:
            self._pressed(from_port, packet[udp + 21], at)
        elif kind in _SOUNDS and packet[16:20] == self._address:
            sequence, _, source = struct.unpack_from("!HII", packet, udp + 10)
            self._heard((port, source), sequence, at)
            self._listened(self.latest[port], 1 in packet[udp + 20 :].translate(_SOUNDS[kind]), at)

    def _heard(self, place: tuple[int, int], sequence: int, at: float) -> None:
        """Each packet of sound or silence."""
        stream = self.streams.get(place)
        if stream is None:
            self.streams[place] = self.latest[place[0]] = _Stream(sequence, at)
            return
        step = (sequence - stream.sequence) & 0xFFFF
        if step == 1:
            self.gaps_ms.append(1000 * (at - stream.at))
        elif step < 0x8000:
            self.lost += step - 1
        stream.sequence, stream.at = sequence, at

    def _pressed(self, port: int, flags: int, at: float) -> None:
        """An event; its end comes three times, and a key that follows takes the place of one that was not answered."""
        stream = self.latest.get(port)
        if stream is None:
            return
        if not flags & _EVENT_END:
            stream.key_at = 0.0
        elif not stream.key_at and at - stream.sound_at > QUIET_S:
            stream.key_at = at

    def _listened(self, stream: _Stream, sound: bool, at: float) -> None:
        if not sound:
            return
        if stream.key_at:
            self.answers_ms.append(1000 * (at - stream.key_at))
            stream.key_at = 0.0
        stream.sound_at = at

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
    """UDP to or from this host, its port even (RTP, not RTCP), and of those 1 in `one_in` (a power of two): in the
    kernel. From this host only events."""
    (address,) = struct.unpack("!I", socket.inet_aton(host))
    which = 2 * one_in - 1
    rows = [
        (0x30, 0, 0, 9), (0x15, 0, 15, socket.IPPROTO_UDP), (0xB1, 0, 0, 0),  # protocol
        (0x20, 0, 0, 16), (0x15, 0, 3, address), (0x48, 0, 0, 2), (0x54, 0, 0, which), (0x15, 8, 9, 0),  # to: its port
        (0x20, 0, 0, 12), (0x15, 0, 7, address), (0x50, 0, 0, 9), (0x54, 0, 0, 0x7F), (0x15, 0, 4, _EVENT),  # from
        (0x48, 0, 0, 0), (0x54, 0, 0, which), (0x15, 0, 1, 0),  # its port
        (0x06, 0, 0, _SNAP), (0x06, 0, 0, 0),
    ]  # fmt: skip
    return b"".join(struct.pack("HBBI", *row) for row in rows)
