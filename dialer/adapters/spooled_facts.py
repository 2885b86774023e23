"""Facts of conversations on the disk: what the IVR keeps while Redis is away, and how servers' files get to Redis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog

from dialer.adapters.spool import SpoolFile
from dialer.model import Fact

KIND = "ivr"

log = structlog.get_logger("ivr.spool")


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
    v: int = 1


encode_fact = msgspec.msgpack.Encoder().encode
_DECODER = msgspec.msgpack.Decoder(Late)


def send(facts: Sequence[Late], store: Store, now: Callable[[], float]) -> None:
    """The word to the leader after the facts: if we are killed in between, all of it comes again."""
    for one in facts:
        store.report_once(one.campaign, one.attempt, one.fact)
    for campaign, attempt in dict.fromkeys((one.campaign, one.attempt) for one in facts):
        store.came_late(campaign, attempt, now())


def send_left(file: SpoolFile, store: Store, now: Callable[[], float]) -> None:
    """What servers left that are gone. Raises StoreError, SpoolFailed: the rest waits."""
    while (found := file.left()) is not None:
        name, payloads = found
        facts = [one for one in (_read(file, name, payload) for payload in payloads) if one is not None]
        send(facts, store, now)
        file.remove(name)
        log.warning("Facts of a server that is gone.", action="spool_read", file=name, facts=len(facts))


def _read(file: SpoolFile, name: str, payload: bytes) -> Late | None:
    try:
        return _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        file.doubt(name)
        return None
