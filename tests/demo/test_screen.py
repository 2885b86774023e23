"""The screen: exactly the terminal's size, nothing cut that counts, calm while it fills."""

import pytest
from rich.console import Console

from dialer.demo.screen import View, line, live

REASON = (
    "No calls: 5 agents free and 1.3 soon, 7 under way, answer rate 35%, one call per free agent because one more"
    " abandon would pass the limit of 3.0% (0 of 10 answers)"
)
DOOR = ("Sit down beside the robots: http://localhost:8080/", "  supervisor  abcde-fghjk-mnpqr-stuvw", "  agent", "  b")
RATE = {"live": 10, "abandoned": 0, "rate": 0.0, "upper": 0.4}


def board(campaign: str, reason: str = REASON) -> dict[str, object]:
    agents = [{"id": "1001", "state": "idle"}, {"id": "1002", "state": "wrap_up"}, {"id": "1003", "state": "break"}]
    return {
        "campaign": campaign, "status": "running", "due": 285, "later": 9, "lines": 12, "working": 2,
        "calls": {"ringing": 8, "in_ivr": 3, "placed": 1, "gone": 2}, "agents": agents, "reason": reason,
        "abandon": {"campaign_30_days": RATE}, "abandon_rate_max": 0.03,
    }  # fmt: skip


def outcome(number: int) -> dict[str, str]:
    return {
        "campaign": "demo", "ended_at": f"2026-11-21T03:04:{number % 60:02}.000Z", "number": f"+62812{number:07}",
        "outcome": "connected", "reason": "promise", "agent": "1001", "talk_s": "14.2", "ivr_choice": "wants_agent",
        "live": "1",
    }  # fmt: skip


def view(outcomes: int, started: bool = True) -> View:
    seen = [board("demo"), board("demo-ivr", "No calls: 12 of 12 lines in use")]
    waiting = [{"campaign": name, "reason": "the engine takes it over"} for name in ("demo", "demo-ivr")]
    listed = {"demo": 300, "demo-ivr": 100}
    records = [outcome(one) for one in range(outcomes)]
    return View(seen if started else waiting, records, listed, "0:44 left", "campaign_30_days", DOOR)


def drawn(shown: View, width: int, height: int) -> list[str]:
    console = Console(width=width, height=height, force_terminal=True, color_system=None)
    lines = console.render_lines(live(shown, width, height), console.options.update(height=None), pad=False)
    return ["".join(segment.text for segment in one).rstrip() for one in lines]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 40), (200, 50), (120, 30)])
@pytest.mark.parametrize("outcomes", [0, 3, 500])
@pytest.mark.parametrize("started", [True, False])
def test_it_is_as_large_as_the_terminal(width: int, height: int, outcomes: int, started: bool) -> None:
    lines = drawn(view(outcomes, started), width, height)
    assert len(lines) == height
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 40), (200, 50)])
def test_what_counts_is_whole(width: int, height: int) -> None:
    lines = drawn(view(500), width, height)
    said = " ".join(" ".join(lines).split())
    assert "0:44 left" in lines[0]
    assert "open hours" in lines[0]
    assert [line.strip() for line in lines[1:5]] == [line.strip() for line in DOOR]
    for part in ("285 of 300 to call, 9 to be called again later", "8 ringing, 3 in the IVR", "1 wrapping up",
                 "10 people, abandoned 0.0% (limit 3.0%)", "12 of 12 lines in use", "500 wants agent"):  # fmt: skip
        assert part in said
    assert "…" not in " ".join(one for one in lines if "connected" not in one)


def test_the_newest_outcome_comes_first_and_numbers_are_masked() -> None:
    lines = drawn(view(3), 100, 40)
    told = [one for one in lines if "connected" in one]
    assert [one[:8] for one in told] == ["03:04:02", "03:04:01", "03:04:00"]
    assert "+62812" not in "".join(lines)


def test_a_line_says_the_same() -> None:
    said = line(view(3))
    assert said.startswith("0:44 left | demo: 285 to call, 9 later, 12 lines, 1 of 2 agents free, 3 outcomes")
    assert REASON in said
    assert "\n" not in said
    assert line(view(0, started=False)) == "0:44 left | the engine takes the campaigns over"
