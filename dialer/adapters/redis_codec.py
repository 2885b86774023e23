"""Values of the model to JSON and back; what does not decode is counted and named, never trusted and never fatal."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import structlog

from dialer.debts.promises import Payment, Promise
from dialer.model import Agent, Attempt, Campaign, Command, Fact

Value = TypeVar("Value")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Effects:
    """What an outcome means for a person and a number, kept beside the campaign until both have got it."""

    attempt: str
    person: str
    number: str
    talk_at: float = 0.0
    stop: bool = False
    silent_until: float = 0.0
    dead: bool = False
    count: bool = True
    tried_at: float = 0.0  # placed, or over where that is not known; 0: as claimed
    wrong_person: bool = False
    abandoned_at: float = 0.0
    machine_at: float = 0.0
    hardship: bool = False
    line: bytes = b""  # of the person's history
    promise: Promise | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the engine said to a command."""

    ok: bool
    text: str


encode = msgspec.json.Encoder().encode

AGENT = msgspec.json.Decoder(Agent)
ATTEMPT = msgspec.json.Decoder(Attempt)
CAMPAIGN = msgspec.json.Decoder(Campaign)
COMMAND = msgspec.json.Decoder(Command)
EFFECTS = msgspec.json.Decoder(Effects)
FACT = msgspec.json.Decoder(Fact)
PAYMENT = msgspec.json.Decoder(Payment)
PROMISE = msgspec.json.Decoder(Promise)
REPLY = msgspec.json.Decoder(Reply)


class Reader:
    """Decodes entries; `broken` counts, per key, those that made no sense."""

    def __init__(self) -> None:
        self.broken: Counter[str] = Counter()

    def one(self, decoder: msgspec.json.Decoder[Value], raw: bytes | None, key: str, entry: str) -> Value | None:
        """None where there is nothing, or nothing that makes sense."""
        if raw is None:
            return None
        try:
            return decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.complain(key, entry, str(error))
            return None

    def many(
        self, decoder: msgspec.json.Decoder[Value], entries: Iterable[tuple[bytes, bytes | None]], key: str
    ) -> list[Value]:
        """Those that make sense."""
        found = (self.one(decoder, raw, key, entry.decode(errors="replace")) for entry, raw in entries)
        return [value for value in found if value is not None]

    def complain(self, key: str, entry: str, reason: str) -> None:
        """Name an entry that was left out, and the cure."""
        self.broken[key] += 1
        log.warning(
            "an entry in Redis makes no sense and is left out; look at it with redis-cli, then mend or delete it",
            action="entry_broken", key=key, entry=entry, reason=reason,
        )  # fmt: skip


def text(raw: Any) -> str:
    """Redis's bytes as text."""
    return raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)


def pairs(flat: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Redis's flat list of field, value, field, value."""
    return list(zip(flat[::2], flat[1::2], strict=False))
