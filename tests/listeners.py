"""Which doors a process has open, as the kernel tells."""

import os
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

_LISTENS, _UNCONNECTED = "0A", "07"  # states in /proc/net


@dataclass(frozen=True, slots=True)
class Listener:
    """One open door: tcp or udp, address, port."""

    kind: str
    host: str
    port: int


def listeners(pid: int) -> set[Listener]:
    """As `ss -lntup` shows them for one process, out of /proc."""
    links = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):  # closed meanwhile
            links.append(os.readlink(f"/proc/{pid}/fd/{name}"))
    sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
    found = set()
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        rows = [line.split() for line in Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]]
        for row in rows:
            waits = row[3] == (_LISTENS if kind.startswith("tcp") else _UNCONNECTED)
            if row[9] in sockets and waits:
                host, _, port = row[1].partition(":")
                found.add(Listener(kind[:3], _address(host), int(port, 16)))
    return found


def _address(text: str) -> str:
    raw = bytes.fromhex(text)
    return str(ip_address(b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))))
