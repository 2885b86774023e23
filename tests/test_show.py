"""What the command line shows: snapshots, campaigns, entries, with numbers masked."""

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from dialer.commands import show
from dialer.contacts import Rejected
from dialer.model import Campaign, Status

NOW = 1_800_000_000.0
RATE = {"live": 40, "rate": 0.025, "upper": 0.094}
BOARD: dict[str, Any] = {
    "campaign": "april", "status": "running", "at": NOW - 1, "due": 12, "later": 3, "lines": 4,
    "calls": {"placed": 1, "claimed": 1, "ringing": 2, "gone": 5}, "outcomes": {"busy": 2, "connected": 7},
    "agents": [{"state": "idle"}, {"state": "idle"}, {"state": "wrap_up"}], "reason": "2 calls: 2 agents free",
    "abandon": {"campaign_30_days": RATE, "calendar_day": RATE, "last_100": {"live": 10, "rate": 0.1, "upper": 0.3}},
    "abandon_rate_max": 0.03,
}  # fmt: skip


def printed(what: RenderableType) -> str:
    file = io.StringIO()
    Console(file=file, width=160).print(what)
    return file.getvalue()


def test_a_campaign_at_work() -> None:
    said = printed(show.status(BOARD, NOW, "calendar_day"))
    assert [line.rstrip() for line in said.splitlines()] == [
        "april: running, 12 due now, 3 later, 4 lines",
        "  pacing     2 calls: 2 agents free",
        "  calls      2 dialling, 2 ringing",
        "  agents     2 idle, 1 wrapping up",
        "  outcomes   7 connected, 2 busy",
        "  abandoned  2.5% of 40 answers in calendar day, limit 3.0%, true rate below 9.4%;"
        " last 100 10.0% of 10 answers",
        "",
    ]


def test_which_engine_leads_it() -> None:
    said = printed(show.status(BOARD | {"leader": "pbx-host:4711"}, NOW))
    assert said.splitlines()[0].rstrip() == "april: running, 12 due now, 3 later, 4 lines, led by pbx-host:4711"


def test_nobody_leads_it_any_more() -> None:
    assert "no engine leads it since 61 s: is one running (dialer serve)?" in printed(show.status(BOARD, NOW + 60))


def test_nobody_has_led_it_yet() -> None:
    assert printed(show.status({"campaign": "april", "reason": "no engine yet"}, NOW)) == "april: no engine yet\n\n"


@pytest.mark.parametrize("rates", [{}, {"calendar_day": {"live": 0, "rate": 0.0, "upper": 1.0}}])
def test_nobody_answered_yet(rates: dict[str, Any]) -> None:
    assert show.abandon(BOARD | {"abandon": rates}, "calendar_day") == "nobody answered yet, limit 3.0%"


def test_an_outcome_is_one_line() -> None:
    fields = {
        "type": "outcome", "attempt": "a1", "number": "+6281234567890", "ended_at": "2026-11-21T03:04:05.678Z",
        "outcome": "connected", "reason": "promise", "agent": "1001", "talk_s": "12.5", "ivr_choice": "wants_agent",
    }  # fmt: skip
    said = show.entry(fields)
    assert said == "03:04:05 a1 ****890 connected | promise | agent 1001 | talk 12 s | ivr: wants_agent"


def test_a_refusal_says_until_when() -> None:
    fields = {"type": "refusal", "number": "+6281234567890", "at": "2026-11-21T03:04:05.678Z", "rule": "hours"}
    assert show.entry(fields | {"until": ""}) == "03:04:05 ****890 refused: hours until never"


def test_a_correction_is_no_fault() -> None:
    assert "a1" in show.entry({"type": "correction", "attempt": "a1", "disposition": "promise"})


def test_campaigns() -> None:
    said = printed(show.campaigns([(Campaign("april", "April"), Status.PAUSED, 5, 0)]))
    assert said.split()[-8:] == ["april", "paused", "agents", "progressive", "trunk", "indonesia", "5", "0"]
    assert "dialer campaign create" in printed(show.campaigns([]))


def test_what_is_not_used_names_place_and_cure() -> None:
    lost = Rejected(3, "telepon", "99", "no number", "write it whole", True)
    assert show.reject(lost) == "line 3, telepon: no number (99); row not used; write it whole"
