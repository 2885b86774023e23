"""The only reader of the clock."""

import time
from datetime import date, datetime
from zoneinfo import ZoneInfo


class SystemClock:
    """The machine's own time (ports.Clock)."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def today(self, zone: str = "Asia/Jakarta") -> date:
        """The calendar day in a zone."""
        return datetime.now(ZoneInfo(zone)).date()
