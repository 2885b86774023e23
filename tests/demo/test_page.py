"""The last page: rates in the law's window, joins, pacing, refusals, and books that disagree."""

import io
import signal
from dataclasses import replace

from rich.console import Console

from dialer.demo.page import Books, Paced, page, rate_of, sentences
from dialer.demo.play import exit_code
from dialer.demo.stage import looked

LAW = {"abandon": {"campaign_30_days": {"overflow_counts": True}}, "abandon_rate_max": 0.03}


def record(outcome: str, reason: str = "served", live: bool = True, **more: str) -> dict[str, str]:
    return {
        "campaign": "demo", "kind": "predictive", "outcome": outcome, "side": "debtor", "reason": reason,
        "live": str(int(live)), "talk_s": "", "joined_at": "", "answered_at": "", "ivr_at": "", "ivr_choice": "",
    } | more  # fmt: skip


JOINED = record("connected", talk_s="30", answered_at="2026-11-21T03:04:05.000Z", joined_at="2026-11-21T03:04:05.004Z")
RECORDS = [
    JOINED,
    record("abandoned", "hung_up_waiting"),
    record("overflowed", "no_agent", ivr_choice="promise"),
    record("busy", "user_busy", live=False),
]
BOOKS = Books(
    outcomes=RECORDS,
    refusals=[{"rule": "daily_cap"}, {"rule": "daily_cap"}],
    calls=4,
    faults=[],
    agent_hours=0.5,
    boards={"demo": LAW},
    paced={"demo": Paced(10, 0, "because one more abandon would pass the limit of 3.0% (0 of 3 answers)")},
    window="campaign_30_days",
)


def shown(books: Books) -> str:
    file = io.StringIO()
    page(Console(file=file, width=200), books, "run")
    return file.getvalue()


def test_what_it_says() -> None:
    assert sentences(BOOKS) == [
        "Talk with agents: 0.5 minutes in 0.50 agent hours, 1.0 minutes per agent hour.",
        "From answer to agent: 1 joins, half within 4 ms, p99 4 ms.",
        "demo: 3 people answered; 1 found nobody (1 hung up themselves), 1 went on to the IVR, which the law counts"
        " too: abandon rate 66.7% in campaign 30 days, limit 3.0%, true rate below 92.2%.",
        "demo: one call per free agent all the time because one more abandon would pass the limit of 3.0%"
        " (0 of 3 answers).",
        "Chosen by keypad: promise 1.",
        "Calls that a rule forbade: daily cap 2.",
    ]


def test_books_that_agree_and_books_that_do_not() -> None:
    assert "Every one of 4 calls in the carrier's own log has exactly one matching outcome" in shown(BOOKS)
    said = shown(replace(BOOKS, faults=["attempt a1 has 2 outcomes"]))
    assert "- attempt a1 has 2 outcomes" in said
    assert "THE BOOKS DISAGREE: 1 faults" in said


def test_books_that_disagree_fail_the_demo_whatever_ended_it() -> None:
    cooked = replace(BOOKS, faults=["call a2 has no outcome"])
    assert exit_code(BOOKS, 0) == 0
    assert exit_code(BOOKS, signal.SIGINT) == 130
    assert exit_code(cooked, 0) == exit_code(cooked, signal.SIGINT) == 1


def test_an_empty_campaign_has_a_page_too() -> None:
    assert "Calls that a rule forbade: none." in shown(Books([], [], 0, [], 0.0, {}, {}, ""))


def test_overflow_counts_as_the_law_says() -> None:
    assert rate_of(RECORDS, overflow_counts=True).counted == 2
    assert rate_of(RECORDS, overflow_counts=False).counted == 1


def test_how_it_was_paced() -> None:
    why = "No calls: 1 agent free, 1 under way, one call per free agent until enough answers were seen"
    paced = looked(Paced(), {"numbers": {}, "reason": why})
    assert paced == Paced(1, 0, "until enough answers were seen")
    paced = looked(paced, {"numbers": {"abandon_chance": 0.1}, "reason": "3 calls: 2 agents free and 1.0 soon"})
    assert paced == Paced(2, 1, "until enough answers were seen")
    assert "demo: dialled ahead of its agents 50% of the time." in sentences(replace(BOOKS, paced={"demo": paced}))


def test_other_ways_to_pace_stand_before_the_books() -> None:
    text = shown(replace(BOOKS, beside=["one call per free agent, simulated: 50 %"]))
    assert text.index("simulated: 50 %") < text.index("the books")
    assert "other ways to pace" not in shown(BOOKS)
