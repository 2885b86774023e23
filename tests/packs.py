"""Rule packs and moments for tests."""

import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dialer.model import Contact, Number, NumberKind
from dialer.rulebook import Pack, parse_pack, with_holidays

DIALER = Path(__file__).parents[1] / "dialer"
YEARS = range(2025, 2031)
NUMBER = Number("+6281234567890", "n1")
CALL_S = 33.0  # of dialling and ringing; with the packs' margin of 60 s the last start is 93 s before closing


def toml(name: str) -> dict[str, Any]:
    """A pack's file as data: `indonesia`, `demo`."""
    path = DIALER / "demo" / "rules_demo.toml" if name == "demo" else DIALER / "rules" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def indonesia(*holidays: date) -> Pack:
    """The Indonesian pack with these holidays only."""
    return with_holidays(parse_pack(toml("indonesia")), holidays, YEARS)


def demo() -> Pack:
    """The demo's pack."""
    return parse_pack(toml("demo"))


def moment(text: str, zone: str = "Asia/Jakarta") -> float:
    """`2026-11-20 08:00:00` on the clock of a zone -> epoch seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def contact(zone: str = "Asia/Jakarta", kind: NumberKind = NumberKind.DEBTOR, e164: str = NUMBER.e164) -> Contact:
    """A contact with one number."""
    return Contact(id="c1", person="p1", numbers=(Number(e164, "n1", kind),), zone=zone)
