"""From events to samples, whatever is missing, doubled or late."""

import pytest

from dialer.pace.lookout import Grouped, Lookout
from dialer.pace.snapshot import AgentSeen, AttemptSeen, Flight, Kind, PacingEvent, Snapshot, Working

TALK = [
    (0.0, Kind.LAUNCH), (3.0, Kind.RING), (10.0, Kind.ANSWER), (10.0, Kind.LIVE), (10.5, Kind.CONNECT),
    (70.0, Kind.TALK_END), (85.0, Kind.WRAP_END), (85.0, Kind.IDLE),
]  # fmt: skip


def told(lookout: Lookout, *events: tuple[float, Kind], attempt: str = "c1", agent: str = "11") -> list[bool]:
    """Whether each event settled a live answer."""
    settled = []
    for at, kind in events:
        event = PacingEvent(at, kind, attempt, agent)
        lookout.observe(event)
        settled.append(kind in (Kind.CONNECT, Kind.ABANDON, Kind.OVERFLOW) and lookout.settles(event))
    return settled


def test_a_talk_is_one_answer_and_one_length() -> None:
    lookout = Lookout()
    assert told(lookout, *TALK).count(True) == 1
    assert (lookout.answers.finished, lookout.answers.lives, lookout.busy.seen) == (1, 1, 1)


def test_doubled_events_count_once() -> None:
    lookout = Lookout()
    assert told(lookout, *(event for event in TALK for _ in range(2))).count(True) == 1
    assert (lookout.answers.finished, lookout.busy.seen) == (1, 1)


def test_a_lost_live_event_is_made_up_for() -> None:
    lookout = Lookout()
    assert told(lookout, (0.0, Kind.LAUNCH), (12.0, Kind.ABANDON)) == [False, True]
    assert (lookout.answers.finished, lookout.answers.lives) == (1, 1)


@pytest.mark.parametrize("end", [Kind.MACHINE, Kind.BUSY, Kind.FAILED, Kind.NO_ANSWER])
def test_other_ends_are_no_answers(end: Kind) -> None:
    lookout = Lookout()
    assert not any(told(lookout, (0.0, Kind.LAUNCH), (12.0, end), (13.0, Kind.ABANDON)))
    assert (lookout.answers.finished, lookout.answers.lives) == (1, 0)


def test_calls_it_never_saw_begin_teach_nothing() -> None:
    lookout = Lookout()
    assert not any(told(lookout, *TALK[1:]))
    assert lookout.answers.finished == 0


def test_a_break_after_the_talk_ends_the_wrap_up_too() -> None:
    lookout = Lookout()
    told(lookout, *TALK[:-2], (90.0, Kind.BREAK_START))
    assert lookout.busy.seen == 1


def test_a_snapshot_by_states() -> None:
    agents = (
        AgentSeen("11", Working.IDLE, 90.0),
        AgentSeen("12", Working.TALKING, 60.0),
        AgentSeen("13", Working.TALKING, 40.0, leaving=True),
        AgentSeen("14", "asleep", 0.0),
    )
    calls = (AttemptSeen("c1", Flight.RINGING, 95.0), AttemptSeen("c2", "lost", 95.0))
    grouped = Grouped.of(Snapshot(100.0, agents, calls))
    assert list(grouped.ages(Working.TALKING)) == [40.0]  # who leaves will not be free
    assert (grouped.on_lines, grouped.in_flight) == (2, 2)  # but holds a line
    assert list(grouped.flight_ages(Flight.RINGING)) == [5.0]


def test_what_never_ends_is_forgotten() -> None:
    lookout = Lookout()
    told(lookout, *TALK)
    for number in range(5000):
        lookout.observe(PacingEvent(100.0, Kind.LAUNCH, f"lost{number}"))
    lookout.forecast(Grouped.of(Snapshot(200.0)), 2.0)
    assert len(lookout._calls) <= 1000


def test_an_abandon_counts_once_even_if_its_launch_was_lost() -> None:
    assert told(Lookout(), (2.0, Kind.ABANDON), (2.5, Kind.ABANDON)) == [True, False]
    assert told(Lookout(), (2.0, Kind.CONNECT), (60.0, Kind.CONNECT)) == [False, False]


def test_a_name_that_is_used_again_is_another_call() -> None:
    story = (0.0, Kind.LAUNCH), (9.0, Kind.LIVE), (10.0, Kind.ABANDON)
    again = (20.0, Kind.LAUNCH), (29.0, Kind.LIVE), (30.0, Kind.ABANDON)
    assert told(Lookout(), *story, *again).count(True) == 2


def test_the_age_of_the_latest_answers() -> None:
    lookout = Lookout()
    assert lookout.latest_s == 60.0  # to be safe
    for number in range(60):
        for at, kind in (0.0, Kind.LAUNCH), (3.0, Kind.RING), (11.0 + number % 10, Kind.LIVE):
            lookout.observe(PacingEvent(100.0 * number + at, kind, f"c{number}"))
        for at, kind in (22.0, Kind.CONNECT), (62.0, Kind.TALK_END), (70.0, Kind.WRAP_END):
            lookout.observe(PacingEvent(100.0 * number + at, kind, f"c{number}", "100"))
    assert 21.0 <= lookout.latest_s <= 26.0
