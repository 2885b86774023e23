"""Rule packs and moments for tests."""

import tomllib
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dialer.law.rulebook import Pack, with_holidays
from dialer.law.rulebook_reading import parse_pack
from dialer.model import Consent, Contact, Number, NumberKind

DIALER = Path(__file__).parents[1] / "dialer"
YEARS = range(2025, 2031)
NUMBER = Number("+6281234567890", "n1")
LONDON = Number("+442079460018", "n2")
NEW_YORK = Number("+12125550123", "n3")
AGREED = (Consent("calls", "contract", date(2025, 1, 1)),)
CALL_S = 33.0  # of dialling and ringing; with the packs' margin of 60 s the last start is 93 s before closing


def toml(name: str) -> dict[str, Any]:
    """A pack's file as data: `indonesia`, `us`, `uk`, `demo`."""
    path = DIALER / "demo" / "rules_demo.toml" if name == "demo" else DIALER / "rules" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def indonesia(*holidays: date) -> Pack:
    """The Indonesian pack with these holidays only."""
    return with_holidays(parse_pack(toml("indonesia")), holidays, YEARS)


def us() -> Pack:
    """The pack of the United States, which knows no holidays."""
    return parse_pack(toml("us"))


def uk(*holidays: date) -> Pack:
    """The pack of the United Kingdom with these holidays only."""
    return with_holidays(parse_pack(toml("uk")), holidays, YEARS)


def demo() -> Pack:
    """The demo's pack."""
    return parse_pack(toml("demo"))


def shipped() -> tuple[Pack, ...]:
    """All that come along but the demo's."""
    return indonesia(), us(), uk()


def moment(text: str, zone: str = "Asia/Jakarta") -> float:
    """`2026-11-20 08:00:00` on the clock of a zone -> epoch seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def contact(zone: str = "Asia/Jakarta", kind: NumberKind = NumberKind.DEBTOR, e164: str = NUMBER.e164) -> Contact:
    """A contact with one number."""
    return Contact(id="c1", person="p1", numbers=(Number(e164, "n1", kind),), zone=zone)


def debtor_of(pack: Pack) -> Contact:
    """A contact whom this pack lets be called at noon of a working day in his zone."""
    if pack.id == "us":
        who = contact("America/New_York", e164=NEW_YORK.e164)
        return replace(who, province="NY", consents=AGREED)
    return contact("Europe/London", e164=LONDON.e164) if pack.id == "uk" else contact()
