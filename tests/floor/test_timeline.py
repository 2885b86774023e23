"""One call's life: in order, with offsets, nothing secret."""

import json
from dataclasses import replace

import pytest

from dialer.floor.timeline import claimed_about, of_attempt, of_decision, of_entry, of_fact, of_log, offsets_ms, ordered
from dialer.law.decisionlog import Decision
from dialer.model import CallState, Fact, Outcome, Side, Verdict, attempt_id
from dialer.stream import correction, read, record
from tests.floor.test_floor import T0, attempt
from tests.site import CAMPAIGN

ID = attempt_id(T0, bytes(range(10)))
ONE = replace(
    attempt(ID, T0), claimed_at=T0, placed_at=T0 + 0.02, ringing_at=T0 + 1.5, answered_at=T0 + 4.0, joined_at=T0 + 4.1,
    left_at=T0 + 60.0, ended_at=T0 + 60.0, wrapped_at=T0 + 70.0, agent="1001", talk_s=55.9, cause=16, sip_code=200,
    disposition="promise:2026-12-01;500000", caller_id="+622150001234",
)  # fmt: skip
VERDICT = Verdict(Outcome.CONNECTED, Side.DEBTOR, "talked", live=True, conversation=True)


@pytest.mark.parametrize("at", [0.0, 1.0, 1_763_700_000.123, 2**48 / 1000 - 0.001])
def test_an_id_tells_when_it_was_made(at: float) -> None:
    assert claimed_about(attempt_id(at, b"\xff" * 10)) == pytest.approx(at, abs=0.001)


@pytest.mark.parametrize("text", ["", "0123", "z" * 26, "il0u" + "0" * 22, "test-1-ab"])
def test_what_is_no_id(text: str) -> None:
    assert claimed_about(text) is None


def test_a_whole_call_in_order() -> None:
    entry = read(record(ONE, VERDICT, (), None, CAMPAIGN))
    late = read(correction(ID, "c1", T0 + 90, "1001", {"promise_amount": 400000}))
    seen = Decision(T0, "allowed", "alias", ID, 0, "debtor", "", 0.0, "demo@1", {"person": 2})
    told_by_ivr = (("step", "verify"), ("key", "1234"), ("callback_to", "0812345678"))
    facts = [Fact(seq, T0 + 4 + seq, *one) for seq, one in enumerate(told_by_ivr, 1)]
    steps = ordered(
        [
            of_decision(seen),
            *of_entry(late, T0 + 90.5),
            *of_entry(entry, T0 + 70.2),
            *map(of_fact, facts),
            *of_log([json.dumps({"event": "placed", "attempt": ID, "timestamp": "2033-05-18T03:33:20Z"})], "x"),
        ]
    )
    told = [(step.source, step.what) for step in steps]
    assert told == [
        ("claim", "the gate: allowed"),
        ("claim", "locked and written down"),
        ("engine", "given to Asterisk, acknowledged"),
        ("asterisk", "rings"),
        ("asterisk", "answered"),
        ("asterisk", "agent and debtor hear each other"),
        ("ivr", "step"),
        ("ivr", "key"),
        ("ivr", "callback_to"),
        ("asterisk", "the talk ended"),
        ("asterisk", "the call is gone"),
        ("agent", "wrapped up"),
        ("stream", "outcome: connected"),
        ("stream", "corrected"),
    ]
    assert offsets_ms(steps)[:5] == [0, 0, 20, 1500, 4000]
    text = " ".join(step.detail for step in steps)
    assert "1234" not in text.replace("2026", "")
    assert "0812345678" not in text
    assert "promise_due 2026-12-01, promise_amount 500000" in text
    assert "cause 16, sip_code 200" in text
    assert "promise_amount 400000" in text


def test_a_call_that_is_up() -> None:
    steps = ordered(of_attempt(replace(ONE, state=CallState.TALKING, left_at=0.0, ended_at=0.0, wrapped_at=0.0)))
    assert (steps[-1].at, steps[-1].what) == (None, "no outcome yet: talking")
    assert offsets_ms(steps)[-1] is None
    assert ONE.number.e164 not in str(steps)


def test_lines_of_logs() -> None:
    ours = {"event": "a call to +6281234567890 failed", "attempt": ID, "timestamp": "2026-11-21T03:04:05.5Z"}
    ours["node"] = "a"
    others = [json.dumps(ours | {"attempt": "other"}), "nothing", "[1]"]
    steps = list(of_log([json.dumps(ours), f"[Nov 21] NOTICE {ID} 081234567890", *others], ID))
    assert [(step.at, step.what, step.detail) for step in steps] == [
        (1795230245.5, "a call to ***********890 failed", "node a"),
        (None, "named", "[Nov 21] NOTICE ID *********890"),
    ]
    ivrs = json.dumps({"call_id": ID, "event": "closed", "timestamp": "2026-11-21T03:04:05Z"})
    assert [step.what for step in of_log([ivrs], ID)] == ["closed"]
