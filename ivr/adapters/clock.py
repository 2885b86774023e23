"""The IVR's only reader of the clock."""

import time


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()
