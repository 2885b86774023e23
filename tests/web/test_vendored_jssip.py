"""The vendored SIP library is the one whose hash was looked at, and it asks for nothing that our CSP forbids."""

import hashlib
import re
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "dialer" / "web" / "static" / "vendor"


def test_it_is_the_one_that_was_made() -> None:
    wanted, name = (VENDOR / "jssip.sha256").read_text().split()
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == wanted


def test_its_licences_came_along() -> None:
    text = (VENDOR / "jssip.LICENSE.txt").read_text()
    named = re.findall(r"^==== (\S+) \d+\.\d+\.\d+$", text, re.MULTILINE)
    assert named == ["jssip", "debug", "ms", "events", "sdp-transform"]
    assert text.lower().count("permission is hereby granted") == len(named)


def test_it_evaluates_no_text() -> None:
    """A strict CSP would stop it at the worst moment."""
    text = (VENDOR / "jssip.min.js").read_text()
    assert not re.search(r"\beval\(|new Function\(", text)
