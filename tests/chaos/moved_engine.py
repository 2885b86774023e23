"""The product's engine, but for its wall clock: that is off by as many seconds as a file says. Words: FILE.

The one place where an engine is given its clock (adapters/site.py) gets another one; the product knows nothing of it.
"""

import mmap
import struct
import sys
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from dialer.adapters import site
from dialer.adapters.clock import SystemClock
from dialer.cli import app

SECONDS = struct.Struct("d")


class MovedClock(SystemClock):
    """`now` and `today` are moved; the monotonic clock never is, as on a real machine."""

    def __init__(self, file: Path) -> None:
        with file.open("rb") as opened:
            self._moved = mmap.mmap(opened.fileno(), SECONDS.size, access=mmap.ACCESS_READ)

    def now(self) -> float:
        moved: float = SECONDS.unpack(self._moved[: SECONDS.size])[0]
        return super().now() + moved

    def today(self, zone: str = "Asia/Jakarta") -> date:
        return datetime.fromtimestamp(self.now(), ZoneInfo(zone)).date()


def move(file: Path, seconds: float) -> None:
    """Let every engine that reads this file be so far ahead of the machine."""
    with file.open("r+b" if file.exists() else "w+b") as opened:
        opened.write(SECONDS.pack(seconds))


def main() -> None:
    """The engine, until it is told to end."""
    clock = MovedClock(Path(sys.argv[1]))
    setattr(site, "SystemClock", lambda: clock)  # noqa: B010 - a class to mypy, a way to make a clock to open_site
    sys.argv[1:] = ["engine"]
    app()


if __name__ == "__main__":
    main()
