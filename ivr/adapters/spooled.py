"""Facts that Redis does not take wait on the disk: what was confirmed to a debtor is not lost with Redis or with us."""

import threading

import structlog

from dialer.adapters.spool import SpoolFile
from dialer.adapters.spooled_facts import Late, Store, encode_fact, send, send_left
from dialer.errors import DialerError, SpoolFailed, StoreDown, StoreError
from dialer.model import Fact
from ivr.ports import Clock

log = structlog.get_logger("ivr.spool")

EVERY_S = 0.25


class SpooledReports:
    """ivr.ports.Reports for all threads: Redis, or else a file; a thread of its own sends what waits, in order."""

    def __init__(self, store: Store, file: SpoolFile, clock: Clock) -> None:
        self._store, self._file, self._clock = store, file, clock
        self._lock = threading.Lock()
        self._waiting: list[Late] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="spool")

    @property
    def waiting(self) -> int:
        """Facts that Redis has not."""
        return len(self._waiting)

    def start(self) -> None:
        """Raises SpoolFailed where the folder cannot be used."""
        self._file.ready()
        self._thread.start()

    def stop(self, limit_s: float = 10.0) -> None:
        """Sends what it can; the rest stays on the disk for the next start."""
        self._stopped.set()
        self._thread.join(limit_s)
        self._file.close()

    def report(self, campaign: str, attempt: str, fact: Fact) -> object:
        """Safe when it returns: in Redis or on the disk. Raises StoreDown."""
        if not self._waiting:
            try:
                return self._store.report_once(campaign, attempt, fact)
            except StoreError as error:
                log.warning("Redis takes no fact: it is kept on the disk.", action="spool", error=error.detail)
        late = Late(campaign, attempt, fact)
        try:
            with self._lock:  # nobody else may see it before it is safe
                self._file.append([encode_fact(late)])
                self._waiting.append(late)
        except SpoolFailed as error:
            log.error("A fact can be kept nowhere.", action="spool_failed", error=error.detail)
            raise StoreDown(error.detail) from error
        return True

    def drain(self) -> bool:
        """Send what waits, and what servers left that are gone; False: Redis does not take it yet."""
        try:
            self._send_ours()
            send_left(self._file, self._store, self._clock.now)
        except DialerError as error:
            log.debug("Facts wait.", action="spool", error=error.detail)
            return False
        return True

    def _send_ours(self) -> None:
        while self._waiting:
            now = self._waiting[:]
            send(now, self._store, self._clock.now)
            with self._lock:
                del self._waiting[: len(now)]
                if not self._waiting:
                    self._file.clear()
                    log.info("Redis has every fact.", action="spool_clear", facts=len(now))

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_S):
            self.drain()
        self.drain()
