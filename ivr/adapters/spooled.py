"""Facts that Redis does not take wait on the disk: what was confirmed to a debtor is not lost with Redis or with us."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog

from dialer.adapters.spool import SpoolFile
from dialer.errors import DialerError, SpoolFailed, StoreDown, StoreError
from dialer.model import Fact
from ivr.ports import Clock

log = structlog.get_logger("ivr.spool")

EVERY_S = 0.25
KIND = "ivr"


class Store(Protocol):
    """Redis. Both raise StoreError."""

    def report_once(self, campaign: str, attempt: str, fact: Fact) -> bool:
        """Keep a fact; tried once."""

    def came_late(self, campaign: str, attempt: str, at: float) -> None:
        """Whoever leads is to look at this call's facts once more."""


@dataclass(frozen=True, slots=True)
class Late:
    """A fact, and whose it is."""

    campaign: str
    attempt: str
    fact: Fact


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODER = msgspec.msgpack.Decoder(Late)


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
                self._file.append([_ENCODE(late)])
                self._waiting.append(late)
        except SpoolFailed as error:
            log.error("A fact can be kept nowhere.", action="spool_failed", error=error.detail)
            raise StoreDown(error.detail) from error
        return True

    def drain(self) -> bool:
        """Send what waits, and what servers left that are gone; False: Redis does not take it yet."""
        try:
            self._send_ours()
            while (found := self._file.left()) is not None:
                name, payloads = found
                facts = [one for one in map(self._read, [name] * len(payloads), payloads) if one is not None]
                self._send(facts)
                self._file.remove(name)
                log.warning("Facts of a server that is gone.", action="spool_read", file=name, facts=len(facts))
        except DialerError as error:
            log.debug("Facts wait.", action="spool", error=error.detail)
            return False
        return True

    def _send_ours(self) -> None:
        while self._waiting:
            now = self._waiting[:]
            self._send(now)
            with self._lock:
                del self._waiting[: len(now)]
                if not self._waiting:
                    self._file.clear()
                    log.info("Redis has every fact.", action="spool_clear", facts=len(now))

    def _send(self, facts: Sequence[Late]) -> None:
        """The word to the leader after the facts: if we are killed in between, all of it comes again."""
        for one in facts:
            self._store.report_once(one.campaign, one.attempt, one.fact)
        for campaign, attempt in dict.fromkeys((one.campaign, one.attempt) for one in facts):
            self._store.came_late(campaign, attempt, self._clock.now())

    def _read(self, name: str, payload: bytes) -> Late | None:
        try:
            return _DECODER.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._file.doubt(name)
            return None

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_S):
            self.drain()
        self.drain()
