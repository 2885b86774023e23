"""docs/commands.md names every command of the engine, and no other."""

import re
from pathlib import Path

from dialer.desk import orders
from dialer.running import hands

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
BY_THE_IVR = {"inbound"}


def test_the_page_has_every_command() -> None:
    first = [line.split("|")[1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    named = {name for cell in first for name in re.findall(r"`(\w+)`", cell)}
    known = {*orders.HANDLERS, *hands._SLOW, *hands._RECORDING, *hands._STATUS}
    assert named == known - BY_THE_IVR
