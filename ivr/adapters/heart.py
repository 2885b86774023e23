"""The heartbeat by which the engine sees that this IVR server is neither killed nor frozen."""

import threading
from typing import Protocol

import structlog

from dialer.errors import StoreError
from ivr.ports import Clock

log = structlog.get_logger("ivr.heart")

BEAT_S = 0.25  # dialer/running/pulse.py counts on it


class Beats(Protocol):
    """Where beats are kept. Raises StoreError."""

    def beat(self, server: str, at: float) -> None:
        """Alive at `at`."""

    def retire(self, server: str) -> None:
        """Ended in good order."""


class Heart:
    """Beats in a thread of its own until it is stopped; a lost beat is only logged."""

    def __init__(self, beats: Beats, clock: Clock, server: str) -> None:
        self._beats = beats
        self._clock = clock
        self._server = server
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="heart")
        self.beating = False  # the last beat was taken

    @property
    def alive(self) -> bool:
        """Whether it still tries."""
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the last beat has been taken back."""
        self._stopped.set()
        self._thread.join(BEAT_S * 10)

    def _run(self) -> None:
        complained = False
        while True:
            try:
                self._beats.beat(self._server, self._clock.now())
                self.beating, complained = True, False
            except StoreError as error:
                if not complained:
                    log.warning("The heartbeat is not stored.", action="again", error=error.detail)
                self.beating, complained = False, True
            if self._stopped.wait(BEAT_S):
                break
        try:
            self._beats.retire(self._server)
        except StoreError as error:
            log.warning("The heartbeat was not taken back.", action="left", error=error.detail)
