"""What one campaign looks like now: to the pacer, and to people."""

from dataclasses import replace

import pytest

from dialer.floor.live import Share, board, shift_end, snapshot
from dialer.law.abandon import Abandons, Window
from dialer.model import Agent, AgentState, CallState
from dialer.pace.snapshot import Candidate, Flight, Working
from dialer.running.run import NOTHING
from tests.floor.test_floor import T0, Play, attempt
from tests.packs import moment


def test_the_snapshot_counts_lines_and_hands() -> None:
    floor = Play().floor
    for state in CallState:
        if state is not CallState.ENDED:
            one = attempt(state.value, T0 - 9, state=state, answered_at=T0 - 5, ringing_at=T0 - 7)
            floor.adopt(replace(one, answer_probability=0.4 if state is CallState.RINGING else -1.0))
    for number, doing in enumerate(AgentState):
        floor.team.adopt(Agent(f"1{number:02d}", "a", "c1", doing, T0, f"leg{number}", break_next=number == 2))
    floor.team.adopt(Agent("200", "a", "c1", AgentState.WRAP_UP, T0))  # his leg is gone
    seen = snapshot(floor, T0, Share(9, 2.0), ("why",), True, (Candidate("k", 0.3),))
    assert {one.state for one in seen.agents} == set(Working)
    assert [one.leaving for one in seen.agents if one.state == Working.IDLE] == [True]
    assert "200" not in {one.agent for one in seen.agents}
    flights = {one.attempt: one.state for one in seen.attempts}
    assert flights["claimed"] == flights["placed"] == Flight.DIALING
    assert flights["waiting"] == Flight.WAITING
    foretold = {one.attempt: one.answer_probability for one in seen.attempts}
    assert (foretold["ringing"], foretold["placed"]) == (0.4, None)
    assert {one.attempt: one.since for one in seen.attempts}["ringing"] == T0 - 7
    assert not {"joining", "talking", "gone", "in_ivr", "held", "wants_agent"} & set(flights)
    assert (seen.other_lines, seen.waiting_first) == (4, 2)
    assert seen.candidates == (Candidate("k", 0.3),)
    assert (seen.lines, seen.calls_per_second, seen.holds, seen.draining) == (9, 2.0, ("why",), True)
    assert floor.lines() == len(flights) + 7


def test_the_board_shows_calls_and_agents() -> None:
    play = Play()
    play.agent("101")
    play.talk("a")
    play.ring("b")
    shown = board(play.floor, T0, NOTHING, Abandons(0.0), {"status": "running"})
    assert shown["calls"] == {"talking": 1, "ringing": 1}
    assert (shown["lines"], shown["ringing"], shown["working"], shown["status"]) == (2, 1, 1, "running")
    talks = {"id": "101", "state": "talking", "since": T0, "attempt": "a", "leg": True}
    assert shown["agents"] == [talks | {"call": "talking", "contact": "k", "kind": "progressive"}]
    play.order("break", "101")
    assert board(play.floor, T0, NOTHING, Abandons(0.0), {})["agents"] == [
        talks | {"next": "break", "call": "talking", "contact": "k", "kind": "progressive"}
    ]
    assert isinstance(shown["abandon"], dict)
    assert shown["abandon"][Window.CAMPAIGN]["upper"] == 1.0


@pytest.mark.parametrize(
    ("clock", "zone", "at", "ends"),
    [
        ("17:30", "Asia/Jakarta", "2026-11-23 08:00:00", "2026-11-23 17:30:00"),
        ("17:30", "Asia/Jakarta", "2026-11-23 23:59:59", "2026-11-23 17:30:00"),
        ("17:30", "Asia/Jakarta", "2026-11-24 00:00:00", "2026-11-24 17:30:00"),
        ("00:00", "Asia/Jakarta", "2026-11-23 08:00:00", "2026-11-23 00:00:00"),
        ("20:00", "America/New_York", "2026-11-01 00:30:00", "2026-11-01 20:00:00"),  # clocks go back meanwhile
        ("20:00", "America/New_York", "2026-03-08 00:30:00", "2026-03-08 20:00:00"),
    ],
)
def test_when_the_agents_go(clock: str, zone: str, at: str, ends: str) -> None:
    assert shift_end(clock, zone, moment(at, zone)) == moment(ends, zone)
    assert shift_end("", zone, moment(at, zone)) is None
