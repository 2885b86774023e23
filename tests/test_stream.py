"""The outcome record: written, read back, and its page kept true to its table."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer import stream
from dialer.errors import BadInput
from dialer.model import Attempt, CallState, Campaign, Contact, Fact, Number, NumberKind, Outcome, Refused, Side
from dialer.outcomes import verdict
from dialer.stream import CORRECTABLE, FIELDS, Type, correction, document, iso, read, record, refusal_record

AT = datetime(2026, 11, 21, 3, tzinfo=UTC).timestamp()
CAMPAIGN = Campaign("c", "Campaign")
RANG = Attempt(
    "01k", "c", "n1", "predictive", "trunk", "", "id", "indonesia", "contact", "person", Number("+6281", "key"),
    state=CallState.GONE, placed_at=AT - 60, ringing_at=AT - 55, ended_at=AT, dialled=True, cause=16,
)  # fmt: skip
TALKED = replace(RANG, answered_at=AT - 50, joined_at=AT - 49, left_at=AT, talk_s=49.0, agent="11")
PAGE = Path(__file__).parent.parent / "docs" / "outcome-record.md"
CONTACT = Contact("contact", "person", (TALKED.number,), lender="Bank", product="Card", currency="IDR")


def test_the_page_says_what_the_table_says() -> None:
    assert PAGE.read_text() == document(), "run the command in the page's second line"


def test_a_talk_with_a_promise_as_it_is_written() -> None:
    attempt = replace(TALKED, disposition="promise:2026-12-01;500000", wrapped_at=AT + 12.5)
    entry = record(attempt, verdict(attempt, [], CAMPAIGN, AT), [], CONTACT, replace(CAMPAIGN, record=True))
    assert list(entry) == list(FIELDS)
    expected = {
        "v": "1", "type": "outcome", "debtor": "contact", "number": "+6281", "direction": "out", "kind": "predictive",
        "answered_at": "2026-11-21T02:59:10.000Z", "joined_at": "2026-11-21T02:59:11.000Z", "post_dial_s": "5.000",
        "ring_s": "5.000", "wait_s": "1.000", "talk_s": "49.000", "wrap_up_s": "12.500", "outcome": "connected",
        "side": "debtor", "live": "1", "counted": "1", "disposition": "promise", "promise_due": "2026-12-01",
        "promise_amount": "500000", "currency": "IDR", "lender": "Bank", "recording": f"{attempt.id}.wav",
        "cause": "16", "sip_code": "", "overflow_at": "", "stop": "0",
    }  # fmt: skip
    assert {name: entry[name] for name in expected} == expected


@pytest.mark.parametrize("verified", [False, True])
def test_what_was_keyed_by_a_caller_who_proved_nothing_is_in_the_record_as_such(verified: bool) -> None:
    words = (["verified"] if verified else []) + ["promise", "wrong_person"]
    facts = [Fact(seq, AT, word, "2026-12-01;5" if word == "promise" else "") for seq, word in enumerate(words)]
    attempt = replace(RANG, kind="inbound", answered_at=AT - 9, ivr_at=AT - 9, ivr_result="done")
    entry = record(attempt, verdict(attempt, facts, CAMPAIGN, AT), facts, CONTACT, CAMPAIGN)
    assert (entry["ivr_choice"], entry["verified"]) == ("wrong_person", str(int(verified)))
    assert entry["ivr_choices"] == "promise wrong_person"
    assert (entry["wrong_person"], entry["promise_due"]) == (("1", "2026-12-01") if verified else ("0", ""))


def test_what_the_ivr_learnt_is_in_the_record() -> None:
    facts = [
        Fact(1, AT, "promise", "2026-12-01;5"),
        Fact(0, AT, "offer", "two_parts"),
        Fact(2, AT, "wants_agent"),
        Fact(3, AT, "told"),
    ]
    attempt = replace(RANG, answered_at=AT - 9, ivr_at=AT - 9, ivr_result="agent")
    entry = record(attempt, verdict(attempt, facts, CAMPAIGN, AT), facts, None, CAMPAIGN)
    assert (entry["promise_amount"], entry["offer"], entry["ivr_choice"]) == ("5", "two_parts", "wants_agent")
    assert entry["lender"] == entry["currency"] == ""


@pytest.mark.parametrize(
    ("disposition", "offer", "due"),
    [
        ("refuses", "short;2026-12-01=5;2026-12-31=5", "2026-12-01"),
        ("offer:defer;2026-12-05=12", "defer;2026-12-05=12", "2026-12-05"),
        ("promise:2026-12-24;7", "", "2026-12-24"),
        ("promise:2026-12-01;5", "short;2026-12-01=5;2026-12-31=5", "2026-12-01"),
    ],
)
def test_what_an_agent_agrees_comes_after_what_the_ivr_took(disposition: str, offer: str, due: str) -> None:
    facts = [Fact(0, AT, "offer", "short;2026-12-01=5;2026-12-31=5"), Fact(1, AT, "promise", "2026-12-01;5")]
    attempt = replace(RANG, answered_at=AT - 9, ivr_at=AT - 9, joined_at=AT - 5, agent="101", disposition=disposition)
    entry = record(attempt, verdict(attempt, facts, CAMPAIGN, AT), facts, CONTACT, CAMPAIGN)
    assert (entry["offer"], entry["promise_due"]) == (offer, due)


def test_the_way_through_the_ivr_is_in_the_record() -> None:
    told = [("flow", "payment_reminder@1"), ("step", "person"), ("key", "1"), ("step", "secret"), ("key", "****"),
            ("step", "menu"), ("closed", "hung_up 31.4 menu")]  # fmt: skip
    facts = [Fact(number, AT, name, value) for number, (name, value) in enumerate(told)]
    attempt = replace(RANG, answered_at=AT - 9, ivr_at=AT - 9)
    entry = record(attempt, verdict(attempt, facts, CAMPAIGN, AT), facts[::-1], None, CAMPAIGN)
    found = {name: value for name, value in entry.items() if name in FIELDS and name.startswith("ivr_")}
    assert found["ivr_flow"] == "payment_reminder@1"
    assert (found["ivr_path"], found["ivr_keys"]) == ("person secret menu", "1 ****")
    assert (found["ivr_end"], found["ivr_s"]) == ("hung_up", "31.400")


@pytest.mark.parametrize("closed", ["", "hung_up", "promise soon", "promise nan x"])
def test_an_end_without_seconds(closed: str) -> None:
    attempt = replace(RANG, answered_at=AT - 9, ivr_at=AT - 9)
    facts = [Fact(0, AT, "closed", closed)]
    assert record(attempt, verdict(attempt, facts, CAMPAIGN, AT), facts, None, CAMPAIGN)["ivr_s"] == ""


@pytest.mark.parametrize(("foretold", "written"), [(0.3125, "0.312"), (1.0, "1.000"), (-1.0, ""), (0.0, "0.000")])
def test_what_was_foretold_is_beside_what_came(foretold: float, written: str) -> None:
    attempt = replace(TALKED, answer_probability=foretold)
    entry = record(attempt, verdict(attempt, [], CAMPAIGN, AT), [], None, CAMPAIGN)
    assert entry["answer_probability"] == written
    assert read(entry).values["answer_probability"] == (pytest.approx(foretold, abs=0.001) if written else None)


TIMES = st.one_of(st.just(0.0), st.floats(AT - 7200, AT))
STAMPS = ("claimed_at", "placed_at", "ringing_at", "answered_at", "joined_at", "overflow_at", "ivr_at", "ended_at")
FACTS = st.lists(st.builds(Fact, st.integers(0, 9), TIMES, st.sampled_from(["promise", "stop", "offer"]), st.text()))


@given(
    st.lists(TIMES, min_size=len(STAMPS), max_size=len(STAMPS)), FACTS, st.text(), st.integers(-1, 255), st.booleans()
)
def test_every_record_is_flat_and_can_be_read_back(
    stamps: list[float], facts: list[Fact], said: str, cause: int, listed: bool
) -> None:
    times: dict[str, Any] = dict(zip(STAMPS, stamps, strict=True))
    attempt = replace(RANG, cause=cause, disposition=said, **times)
    found = verdict(attempt, facts, CAMPAIGN, AT)
    entry = record(attempt, found, facts, CONTACT if listed else None, CAMPAIGN)
    assert all(isinstance(value, str) for value in entry.values())
    back = read({name.encode(): value.encode() for name, value in entry.items()})
    assert (back.type, back.version, back.unknown) == (Type.OUTCOME, 1, {})
    values = back.values
    assert (values["outcome"], values["side"], values["live"]) == (found.outcome, found.side, found.live)
    assert values["retry_at"] == (pytest.approx(found.retry_at, abs=0.001) if found.retry_at else None)
    assert values["attempt"] == attempt.id
    assert values["cause"] == (cause if cause >= 0 else None)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"v": "one"}, "v = 'one': use a whole number"),
        ({"v": "0"}, "v = 0"),
        ({"type": "verdict"}, "type = 'verdict': use one of outcome, correction, refusal"),
        ({"answered_at": "yesterday"}, "answered_at = 'yesterday': use a UTC time"),
        ({"answered_at": "2026-11-21T03:00:00"}, "answered_at = "),
        ({"talk_s": "nan"}, "talk_s = 'nan': use seconds"),
        ({"talk_s": "long"}, "talk_s = 'long': use seconds"),
        ({"live": "yes"}, "live = 'yes': use 1 or 0"),
        ({"outcome": "fine"}, "outcome = 'fine': use one of connected"),
        ({"promise_due": "1/12"}, "promise_due = '1/12': use a day"),
        ({"cause": "x"}, "cause = 'x': use a whole number"),
        ({"answer_probability": "1.5"}, "answer_probability = '1.5': use a share"),
        ({"answer_probability": "nan"}, "answer_probability = 'nan': use a share"),
    ],
)
def test_a_bad_field_is_named_with_its_cure(changes: dict[str, str], complaint: str) -> None:
    entry = record(TALKED, verdict(TALKED, [], CAMPAIGN, AT), [], None, CAMPAIGN)
    with pytest.raises(BadInput) as error:
        read({**entry, **changes})
    assert complaint in str(error.value)


def test_what_is_missing_or_new_does_no_harm() -> None:
    found = read({"v": "2", "type": "outcome", "attempt": "a", "mood": "good"})
    assert (found.version, found.values["attempt"], found.values["talk_s"]) == (2, "a", None)
    assert found.unknown == {"mood": "good"}


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadInput, match="not UTF-8"):
        read({b"v": b"1", b"type": b"\xff"})


def test_a_correction_names_the_attempt_and_only_what_changed() -> None:
    entry = correction(
        "01k", "c", AT, "11", {"disposition": "promise", "promise_due": date(2026, 12, 1), "stop": False}
    )
    assert entry == {
        "v": "1", "type": "correction", "attempt": "01k", "campaign": "c", "at": "2026-11-21T03:00:00.000Z", "by": "11",
        "disposition": "promise", "promise_due": "2026-12-01", "stop": "0",
    }  # fmt: skip
    back = read(entry)
    assert (back.values["at"], back.values["stop"]) == (AT, False)
    assert "retry_at" not in back.values


@pytest.mark.parametrize("name", ["outcome", "attempt", "live", "nonsense"])
def test_what_the_network_did_cannot_be_corrected(name: str) -> None:
    with pytest.raises(BadInput, match=name):
        correction("01k", "c", AT, "11", {name: "x"})


def test_a_refusal_names_rule_and_time() -> None:
    number = Number("+6281", "key", NumberKind.EMERGENCY)
    entry = refusal_record(CAMPAIGN, CONTACT, number, Refused("emergency_contact", float("inf"), "never called"), AT)
    assert list(entry) == list(stream.REFUSAL_FIELDS)
    assert (entry["rule"], entry["until"], entry["number_kind"]) == ("emergency_contact", "", "emergency")
    later = refusal_record(CAMPAIGN, CONTACT, number, Refused("hours", AT + 3600), AT)
    assert read(later).values["until"] == AT + 3600


def test_the_tables_hold_together() -> None:
    assert set(FIELDS) >= CORRECTABLE
    assert not CORRECTABLE & set(stream.CORRECTION_FIELDS)
    assert all(word in FIELDS["outcome"].meaning for word in Outcome)
    assert all(word in FIELDS["side"].meaning for word in Side)


@given(st.floats(1.0, 4e9))
def test_times_keep_their_milliseconds(at: float) -> None:
    assert datetime.fromisoformat(iso(at)).timestamp() == pytest.approx(at, abs=0.0006)
    assert datetime.fromisoformat(iso(at)).tzinfo is UTC
