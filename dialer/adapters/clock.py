"""The only reader of the clock."""

import time


class SystemClock:
    """The machine's own time (ports.Clock)."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()
