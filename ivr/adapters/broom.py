"""Keeps the sounds of single calls within their limits, in a thread of its own."""

import threading

import structlog

from ivr.adapters.speech import Speech
from ivr.ports import Clock

log = structlog.get_logger("ivr.broom")

EVERY_S = 600.0
STOP_S = 10.0  # a sweep that takes longer ends with the program


class Broom:
    """Sweeps at once, and then every ten minutes, until it is stopped."""

    def __init__(self, speech: Speech, clock: Clock, unused_s: float, most_bytes: int) -> None:
        self._speech = speech
        self._clock = clock
        self._unused_s = unused_s
        self._most_bytes = most_bytes
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="broom")
        self.left = (0, 0)  # files and bytes after the last sweep

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(STOP_S)

    def sweep(self) -> int:
        """How many files were deleted."""
        now = self._clock.now()
        deleted = self._speech.forget(now - self._unused_s) + self._speech.shrink(self._most_bytes, now)
        self.left = self._speech.size()
        return deleted

    def _run(self) -> None:
        while True:
            try:
                if deleted := self.sweep():
                    log.info("Old sounds were deleted.", action="swept", files=deleted)
            except OSError as error:
                log.warning("Old sounds cannot be deleted.", action="later", error=str(error))
            if self._stopped.wait(EVERY_S):
                return
