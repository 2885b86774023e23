"""One verdict for every attempt: a row per code, then properties over any attempt at all."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.causes import CAUSES, SIP
from dialer.lists.recycling import ANOTHER_DAY_S, DEFAULTS, rule_for
from dialer.model import Attempt, CallState, Campaign, Fact, Kind, Number, Outcome, Retry, Side, Verdict
from dialer.outcomes import CHOICES, EFFECTS, INTERRUPTED, end_of_day, promise_of, verdict

AT = datetime(2026, 11, 21, 3, tzinfo=UTC).timestamp()
WIB = timezone(timedelta(hours=7))
CAMPAIGN = Campaign("c", "Campaign")
PLACED = Attempt(
    "01k", "c", "n1", "predictive", "trunk", "", "id", "indonesia", "contact", "person", Number("+6281", "key"),
    state=CallState.GONE, placed_at=AT - 60, ended_at=AT, dialled=True,
)  # fmt: skip
RANG = replace(PLACED, ringing_at=AT - 55)
ANSWERED = replace(RANG, answered_at=AT - 50, cause=16)
TALKED = replace(ANSWERED, joined_at=AT - 49, left_at=AT, talk_s=49.0, agent="11")
IVR = Campaign("c", "Campaign", kind=Kind.IVR)


def judge(attempt: Attempt, *facts: Fact, campaign: Campaign = CAMPAIGN) -> Verdict:
    return verdict(attempt, facts, campaign, AT)


def said(*words: str) -> list[Fact]:
    """`promise=2026-12-01;5` -> facts in order."""
    pairs = [word.partition("=") for word in words]
    return [Fact(number, AT, name, value) for number, (name, _, value) in enumerate(pairs)]


# cause, SIP code, rang?, seconds from placing to the end -> outcome, reason
CODES = [
    (17, 486, True, 9, Outcome.BUSY, "user_busy"),
    (17, 0, False, 9, Outcome.BUSY, "user_busy"),
    (17, 600, False, 9, Outcome.BUSY, "busy_everywhere"),
    (1, 404, False, 1, Outcome.INVALID_NUMBER, "not_found"),
    (1, 0, False, 1, Outcome.INVALID_NUMBER, "unallocated"),
    (22, 410, False, 1, Outcome.INVALID_NUMBER, "gone"),
    (28, 484, False, 1, Outcome.INVALID_NUMBER, "incomplete"),
    (34, 503, False, 1, Outcome.CONGESTION, "service_unavailable"),
    (34, 0, False, 1, Outcome.CONGESTION, "no_circuit"),
    (38, 500, False, 1, Outcome.CONGESTION, "server_error"),
    (41, 0, False, 1, Outcome.CONGESTION, "temporary_failure"),
    (42, 0, False, 1, Outcome.CONGESTION, "switch_congested"),
    (21, 603, True, 7, Outcome.REJECTED, "declined"),
    (21, 403, False, 1, Outcome.NETWORK_FAULT, "forbidden"),
    (21, 0, True, 7, Outcome.REJECTED, "call_rejected"),
    (127, 607, True, 7, Outcome.REJECTED, "unwanted"),
    (127, 608, False, 1, Outcome.REJECTED, "blocked_by_analytics"),
    (127, 400, False, 1, Outcome.NETWORK_FAULT, "sip_bad_request"),
    (58, 488, False, 1, Outcome.NETWORK_FAULT, "media_unusable"),
    (19, 480, True, 33, Outcome.NO_ANSWER, "rang_out"),  # our timeout
    (19, 480, True, 20, Outcome.NO_ANSWER, "rang_out"),  # theirs
    (19, 480, False, 5, Outcome.UNREACHABLE, "not_available"),  # phone off
    (19, 480, False, 33, Outcome.TRUNK_DOWN, "no_response"),  # nothing came at all
    (102, 408, False, 32, Outcome.TRUNK_DOWN, "no_response"),
    (127, 487, True, 20, Outcome.NO_ANSWER, "rang_out"),
    (0, 0, True, 20, Outcome.NO_ANSWER, "rang_out"),
    (0, 0, False, 2, Outcome.NETWORK_FAULT, "cause_0"),
    (3, 0, False, 2, Outcome.NETWORK_FAULT, "no_route"),
    (3, 0, True, 20, Outcome.NO_ANSWER, "rang_out"),
    (20, 0, False, 2, Outcome.UNREACHABLE, "phone_off"),
    (127, 0, False, 2, Outcome.NETWORK_FAULT, "cause_127"),
    (99, 499, True, 2, Outcome.NETWORK_FAULT, "cause_99"),
]


@pytest.mark.parametrize(("cause", "sip", "rang", "lasted", "outcome", "reason"), CODES)
def test_a_code_of_an_unanswered_call(
    cause: int, sip: int, rang: bool, lasted: float, outcome: Outcome, reason: str
) -> None:
    attempt = replace(RANG if rang else PLACED, cause=cause, sip_code=sip, placed_at=AT - lasted)
    found = judge(attempt)
    assert (found.outcome, found.reason) == (outcome, reason)
    assert not found.live
    assert not found.conversation


def test_early_media_is_no_dead_trunk() -> None:
    announced = replace(PLACED, cause=19, sip_code=480, progress_at=AT - 50)
    assert judge(announced).outcome is Outcome.NO_ANSWER
    assert judge(replace(announced, progress_at=0.0)).outcome is Outcome.TRUNK_DOWN


def test_one_404_is_no_proof_of_a_dead_number() -> None:
    found = judge(replace(PLACED, cause=1, sip_code=404))
    assert not found.dead
    assert found.retry_at > AT
    gone = judge(replace(PLACED, cause=22, sip_code=410))
    assert gone.dead
    assert gone.retry_at == 0.0


@pytest.mark.parametrize("cause", [55, 127, 128, 255])
def test_no_call_follows_from_an_unknown_cause(cause: int) -> None:
    found = judge(replace(RANG, cause=cause))
    assert (found.outcome, found.reason, found.retry_at) == (Outcome.NETWORK_FAULT, f"cause_{cause}", 0.0)


@pytest.mark.parametrize("sip", [500, 502, 503, 504])
def test_congestion_does_not_use_up_attempts_and_backs_off(sip: int) -> None:
    found = judge(replace(PLACED, cause=34, sip_code=sip, tries=6))
    assert (found.side, found.count) == (Side.NETWORK, False)
    assert found.retry_at >= AT + DEFAULTS[Outcome.CONGESTION].after_s


def test_backed_off_calls_do_not_come_back_in_one_second() -> None:
    attempts = [replace(PLACED, id=f"a{number}", cause=34, sip_code=503) for number in range(100)]
    assert len({round(judge(attempt).retry_at) for attempt in attempts}) > 50


BEFORE = [
    ("no channel: the qualified trunk is dead", {"dialled": False, "failed": True}, Outcome.TRUNK_DOWN, Side.US),
    ("channel, no Hangup seen", {"failed": True}, Outcome.INTERRUPTED, Side.US),
    ("nothing seen", {}, Outcome.INTERRUPTED, Side.US),
    ("said to be lost", {"cancelled": INTERRUPTED, "cause": 16}, Outcome.INTERRUPTED, Side.US),
    ("ended by us", {"cancelled": "paused", "cause": 127, "sip_code": 487}, Outcome.CANCELLED, Side.US),
    ("no ack, proven gone", {"placed_at": 0.0, "dialled": False}, Outcome.INTERRUPTED, Side.US),
    (
        "claimed, not placed",
        {"placed_at": 0.0, "dialled": False, "state": CallState.CLAIMED},
        Outcome.NOT_PLACED,
        Side.US,
    ),
    (
        "refused by Asterisk",
        {"placed_at": 0.0, "dialled": False, "cancelled": "Extension does not exist."},
        Outcome.NOT_PLACED,
        Side.US,
    ),
]


@pytest.mark.parametrize(("why", "changes", "outcome", "side"), BEFORE, ids=[row[0] for row in BEFORE])
def test_before_an_answer(why: str, changes: dict[str, object], outcome: Outcome, side: Side) -> None:
    found = judge(replace(PLACED, **changes))  # type: ignore[arg-type]
    assert (found.outcome, found.side) == (outcome, side)
    assert not found.live


def test_a_cancelled_call_counts_only_when_the_phone_rang() -> None:
    assert judge(replace(RANG, cancelled="paused", cause=16)).count
    assert not judge(replace(PLACED, cancelled="paused", cause=16)).count


CAME_IN = replace(ANSWERED, kind="inbound", ivr_at=AT - 50)
AFTER = [
    ("talked", TALKED, [], CAMPAIGN, Outcome.CONNECTED, "talked", True),
    ("BYE without Reason", replace(TALKED, cause=0), [], CAMPAIGN, Outcome.CONNECTED, "talked", True),
    ("lost in the talk", replace(TALKED, cause=-1), [], CAMPAIGN, Outcome.CONNECTED, "talked", True),
    ("agent heard it", replace(TALKED, disposition="machine"), [], CAMPAIGN, Outcome.CONNECTED, "machine", False),
    ("machine", replace(ANSWERED, detection="machine"), [], CAMPAIGN, Outcome.MACHINE, "machine", False),
    (
        "message left",
        replace(ANSWERED, detection="machine", voicemail_left=True),
        [],
        CAMPAIGN,
        Outcome.MACHINE,
        "message_left",
        False,
    ),
    ("hung up waiting", ANSWERED, [], CAMPAIGN, Outcome.ABANDONED, "hung_up_waiting", True),
    (
        "hung up in detection",
        replace(ANSWERED, detection="hangup"),
        [],
        CAMPAIGN,
        Outcome.ABANDONED,
        "hung_up_waiting",
        True,
    ),
    (
        "heard the message",
        replace(ANSWERED, overflow_at=AT - 48, overflow_to="message"),
        [],
        CAMPAIGN,
        Outcome.ABANDONED,
        "message",
        True,
    ),
    ("ended by us", replace(ANSWERED, cancelled="drain"), [], CAMPAIGN, Outcome.ABANDONED, "no_agent", True),
    ("lost while waiting", replace(ANSWERED, cause=-1), [], CAMPAIGN, Outcome.ABANDONED, "lost_sight", True),
    (
        "overflowed to the IVR",
        replace(ANSWERED, overflow_at=AT - 48, overflow_to="ivr", ivr_at=AT - 48, ivr_result="done"),
        [],
        CAMPAIGN,
        Outcome.OVERFLOWED,
        "no_agent",
        True,
    ),
    (
        "the IVR was down",
        replace(ANSWERED, overflow_at=AT - 48, overflow_to="ivr"),
        [],
        CAMPAIGN,
        Outcome.ABANDONED,
        "ivr_failed",
        True,
    ),
    ("IVR campaign", replace(ANSWERED, ivr_at=AT - 50, ivr_result="done"), [], IVR, Outcome.IVR, "served", True),
    ("hung up in the IVR", replace(ANSWERED, ivr_at=AT - 50), said("closed"), IVR, Outcome.IVR, "served", True),
    (
        "the IVR could not serve",
        replace(ANSWERED, ivr_at=AT - 50, ivr_result="message"),
        [],
        IVR,
        Outcome.ABANDONED,
        "ivr_failed",
        True,
    ),
    (
        "could not serve to the end, but took a promise",
        replace(ANSWERED, ivr_at=AT - 50, ivr_result="message"),
        said("promise=2026-12-01;5"),
        IVR,
        Outcome.IVR,
        "served",
        True,
    ),
    (
        "wanted an agent, got none",
        replace(ANSWERED, ivr_at=AT - 50, ivr_result="agent", wanted_agent=True),
        [],
        IVR,
        Outcome.IVR,
        "wanted_agent_got_none",
        True,
    ),
    (
        "wanted an agent, got one",
        replace(TALKED, ivr_at=AT - 50, wanted_agent=True),
        [],
        IVR,
        Outcome.CONNECTED,
        "talked",
        True,
    ),
    ("a 200 without media", replace(ANSWERED, answered_at=AT, cause=127, sip_code=406), [], CAMPAIGN,
     Outcome.NETWORK_FAULT, "media_unusable", False),
    ("only the IVR saw it", PLACED, said("verified", "promise=2026-12-01;5"), IVR, Outcome.IVR, "served", True),
    ("inbound", replace(TALKED, kind="inbound"), [], CAMPAIGN, Outcome.CONNECTED, "talked", False),
    ("inbound, in the IVR", replace(CAME_IN, ivr_result="done"), [], CAMPAIGN, Outcome.IVR, "served", False),
    ("inbound, the message alone", replace(CAME_IN, ivr_result="message"), [], CAMPAIGN, Outcome.IVR, "ivr_failed",
     False),
    ("inbound, hung up in the IVR", CAME_IN, said("flow", "closed"), CAMPAIGN, Outcome.IVR, "served", False),
    ("inbound, the IVR broke off", CAME_IN, said("flow", "step"), CAMPAIGN, Outcome.IVR, "ivr_failed", False),
    ("inbound, it broke off after a promise", CAME_IN, said("flow", "verified", "promise=2026-12-01;5"), CAMPAIGN,
     Outcome.IVR, "served", False),
    ("inbound, nobody of the list", replace(CAME_IN, contact=""), [], CAMPAIGN, Outcome.IVR, "unknown_caller", False),
    ("call-back instead", replace(CAME_IN, wanted_agent=True), said("wants_agent", "call_back=2026-11-22T03:00:00Z"),
     CAMPAIGN, Outcome.IVR, "call_back_instead", False),
    ("call-back before", replace(CAME_IN, wanted_agent=True), said("call_back=2026-11-22T03:00:00Z", "wants_agent"),
     CAMPAIGN, Outcome.IVR, "wanted_agent_got_none", False),
    ("call-back instead, ours", replace(ANSWERED, ivr_at=AT - 40, overflow_to="ivr", overflow_at=AT - 41,
     wanted_agent=True, ivr_result="done"), said("wants_agent", "call_back=2026-11-22T03:00:00Z"), CAMPAIGN,
     Outcome.OVERFLOWED, "call_back_instead", True),
    ("inbound, no agent came", replace(CAME_IN, ivr_result="agent", wanted_agent=True), [], CAMPAIGN, Outcome.IVR,
     "wanted_agent_got_none", False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("why", "attempt", "facts", "campaign", "outcome", "reason", "live"), AFTER, ids=[row[0] for row in AFTER]
)
def test_after_an_answer(
    why: str, attempt: Attempt, facts: list[Fact], campaign: Campaign, outcome: Outcome, reason: str, live: bool
) -> None:
    found = judge(attempt, *facts, campaign=campaign)
    assert (found.outcome, found.reason, found.live) == (outcome, reason, live)


@pytest.mark.parametrize(
    ("facts", "talked"), [([], False), (said("not_verified"), False), (said("verified", "told"), True)]
)
def test_who_calls_us_uses_up_no_try_and_begins_the_clock_of_conversations(facts: list[Fact], talked: bool) -> None:
    found = judge(replace(CAME_IN, ivr_result="done"), *facts)
    assert (found.count, found.live, found.conversation) == (False, False, talked)


FORGED = [
    "wrong_person", "stop", "deceased", "promise=2026-12-01;5", "paid_claim", "dispute", "hardship", "not_at_home",
    "offer=short;2026-12-01=5", "call_back=2026-11-22T03:00:00Z", "wants_agent", "paid", "new_number=+62811", "told",
]  # fmt: skip


@pytest.mark.parametrize("word", FORGED)
def test_who_calls_us_and_is_not_verified_silences_nobody(word: str) -> None:
    """His caller id is his to invent."""
    found = judge(replace(CAME_IN, ivr_result="done"), *said(word))
    assert not any((found.stop, found.wrong_person, found.hardship, found.rests, found.conversation))
    assert found.silent_until == 0.0
    assert bool(found.callback_at) is word.startswith("call_back")


@pytest.mark.parametrize("word", ["wrong_person", "stop", "promise=2026-12-01;5", "hardship"])
def test_what_he_keys_counts_from_when_he_is_verified_and_on_calls_of_ours(word: str) -> None:
    for attempt, facts in ((CAME_IN, said("verified", word)), (replace(CAME_IN, kind="ivr"), said(word))):
        found = judge(replace(attempt, ivr_result="done"), *facts)
        assert found.stop or found.wrong_person or found.silent_until > AT
    before = judge(replace(CAME_IN, ivr_result="done"), *said(word, "verified"))
    assert not any((before.stop, before.wrong_person, before.silent_until))


@pytest.mark.parametrize("word", [word.partition("=")[0] for word in FORGED])
def test_what_an_agent_says_of_a_caller_counts(word: str) -> None:
    talked = replace(CAME_IN, joined_at=AT - 40, talk_s=40.0, agent="11")
    assert judge(replace(talked, disposition="stop"), *said(word)).stop
    assert not judge(talked, *said(word)).stop


def test_a_promise_silences_until_its_day_and_grace_have_ended() -> None:
    attempt = replace(TALKED, disposition="promise:2026-12-01;500000")
    strict = replace(CAMPAIGN, promise_grace_days=0)
    found = judge(replace(attempt, zone="Asia/Jakarta"), campaign=strict)
    assert found.silent_until == datetime(2026, 12, 2, tzinfo=WIB).timestamp()
    assert judge(replace(attempt, zone="Asia/Jakarta")).silent_until == datetime(2026, 12, 3, tzinfo=WIB).timestamp()
    assert found.retry_at >= found.silent_until
    assert found.conversation
    unknown_zone = judge(attempt, campaign=strict)
    assert unknown_zone.silent_until == datetime(2026, 12, 2, 12, tzinfo=UTC).timestamp()


def test_a_promise_without_a_date_silences_today() -> None:
    found = judge(replace(TALKED, disposition="promise", zone="Asia/Jakarta"))
    assert found.silent_until == datetime(2026, 11, 22, tzinfo=WIB).timestamp()


@pytest.mark.parametrize("value", ["1795240800", "2026-11-21T13:00:00+07:00", "2026-11-21T06:00:00Z"])
@pytest.mark.parametrize("word", ["call_back", "callback", "Call-Back"])
def test_a_call_back_comes_at_the_minute_asked_for(value: str, word: str) -> None:
    when = datetime(2026, 11, 21, 6, tzinfo=UTC).timestamp()
    found = judge(replace(TALKED, disposition=f"{word}:{value}", tries=99))
    assert (found.callback_at, found.retry_at, found.silent_until) == (when, when, when)


def test_a_time_without_a_zone_is_on_the_debtors_clock_where_that_is_known() -> None:
    noon = "call_back:2026-11-22T12:00"
    for zone, hour_utc in (("Asia/Jakarta", 5), ("Asia/Jayapura", 3)):
        found = judge(replace(TALKED, disposition=noon, zone=zone))
        assert found.callback_at == datetime(2026, 11, 22, hour_utc, tzinfo=UTC).timestamp()
    for zone in ("", "Asia/Atlantis"):
        assert judge(replace(TALKED, disposition=noon, zone=zone)).callback_at == 0.0


def test_by_the_ivrs_facts_as_by_an_agents_word() -> None:
    in_ivr = replace(ANSWERED, ivr_at=AT - 50, ivr_result="done")
    found = judge(in_ivr, *said("verified", "call_back=2026-11-21T13:00:00+07:00", "hardship"), campaign=IVR)
    assert found.callback_at == datetime(2026, 11, 21, 6, tzinfo=UTC).timestamp()
    assert found.hardship
    assert found.silent_until == AT + 7 * 86400
    assert judge(replace(TALKED, disposition="hardship")).hardship
    assert not judge(TALKED).hardship


@pytest.mark.parametrize("value", ["", "tomorrow", "2026-11-21T13:00:00", "1", "9" * 400, "2026-11-20T00:00:00Z"])
def test_a_call_back_at_no_clear_time_is_an_ordinary_retry(value: str) -> None:
    found = judge(replace(TALKED, disposition=f"call_back:{value}"))
    assert found.retry_at == AT + DEFAULTS[Outcome.CONNECTED].after_s


@pytest.mark.parametrize("word", ["stop", "deceased"])
def test_stop_ends_all_calls(word: str) -> None:
    by_key = judge(replace(ANSWERED, ivr_at=AT - 50), *said(word, "promise=2026-12-01;5"), campaign=IVR)
    by_agent = judge(replace(TALKED, disposition=word))
    for found in (by_key, by_agent):
        assert (found.stop, found.wrong_person, found.rests, found.retry_at) == (True, False, "stop", 0.0)


@pytest.mark.parametrize("word", ["wrong_person", "wrong_number"])
def test_a_wrong_person_stops_the_number_and_not_the_debtor(word: str) -> None:
    by_key = judge(replace(ANSWERED, ivr_at=AT - 50), *said(word), campaign=IVR)
    by_agent = judge(replace(TALKED, disposition=word))
    for found in (by_key, by_agent):
        assert (found.stop, found.wrong_person, found.rests, found.retry_at) == (False, True, "", 0.0)


@pytest.mark.parametrize(
    ("attempt", "why"),
    [
        (replace(TALKED, disposition="paid"), "paid"),
        (replace(TALKED, disposition="dispute"), "dispute"),
        (replace(RANG, cause=127, sip_code=607), "unwanted"),
        (replace(RANG, cause=127), "cause_127"),
        (replace(RANG, cause=17, sip_code=486), ""),
    ],
)
def test_who_rests_rests_for_a_reason(attempt: Attempt, why: str) -> None:
    assert judge(attempt).rests == why


@pytest.mark.parametrize(("hours_ago", "dead"), [(0, False), (13, False), (14, True), (24 * 30, True)])
def test_a_second_404_on_another_day_proves_it(hours_ago: int, dead: bool) -> None:
    number = Number("+6281", "key", not_found_at=AT - hours_ago * 3600 if hours_ago else 0.0)
    again = replace(PLACED, cause=1, sip_code=404, number=number)
    assert judge(again).dead is dead
    assert not judge(replace(again, cause=17, sip_code=486)).dead
    assert ANOTHER_DAY_S == 14 * 3600


def test_who_asked_for_an_agent_is_called_soon_unless_he_got_one() -> None:
    asked = said("verified", "told", "wants_agent")
    none = replace(ANSWERED, ivr_at=AT - 50, ivr_result="agent", wanted_agent=True)
    assert judge(none, *asked, campaign=IVR).retry_at == AT + 3600
    got = replace(TALKED, ivr_at=AT - 50, wanted_agent=True)
    assert judge(got, *asked, campaign=IVR).retry_at == AT + DEFAULTS[Outcome.CONNECTED].after_s


def test_a_wrong_person_was_no_conversation_with_the_debtor() -> None:
    assert not judge(replace(TALKED, disposition="wrong_person")).conversation
    assert judge(TALKED).conversation


def test_the_campaigns_own_rule_comes_before_the_default() -> None:
    own = replace(CAMPAIGN, retries={"busy": Retry(60, 2)})
    busy = replace(PLACED, cause=17, sip_code=486)
    assert judge(busy, campaign=own).retry_at == AT + 60
    assert judge(busy).retry_at == AT + DEFAULTS[Outcome.BUSY].after_s


@pytest.mark.parametrize(
    ("value", "promise"),
    [
        ("2026-12-01;500000", (date(2026, 12, 1), 500000)),
        ("2026-12-01", (date(2026, 12, 1), 0)),
        ("01/12/2026;5", None),
        ("2026-12-01;many", None),
        ("", None),
    ],
)
def test_promises_as_they_are_written(value: str, promise: tuple[date, int] | None) -> None:
    assert promise_of(value) == promise


def test_the_last_day_there_is_has_an_end() -> None:
    assert end_of_day(date.max, WIB) > end_of_day(date(2026, 12, 1), WIB)


def test_the_tables_leave_no_outcome_without_a_default() -> None:
    assert set(DEFAULTS) == set(Outcome)
    assert all(300 <= code < 700 for code in SIP)
    assert all(0 <= cause < 127 for cause in CAUSES)


times = st.one_of(st.just(0.0), st.floats(AT - 7200, AT))
words = st.one_of(
    st.sampled_from(
        [
            *EFFECTS,
            "promise:2026-12-01;5",
            "promise:9999-12-31;1",
            "call_back:1795240800",
            "call_back:9999-12-31T23:59",
            "",
        ]
    ),
    st.text(),
)
attempts = st.builds(
    Attempt,
    id=st.text(min_size=1, max_size=26),
    campaign=st.just("c"),
    node=st.just("n1"),
    kind=st.sampled_from(["predictive", "progressive", "ratio", "ivr", "inbound", ""]),
    trunk=st.just("trunk"),
    caller_id=st.just(""),
    language=st.just("id"),
    pack=st.just("indonesia"),
    contact=st.just("contact"),
    person=st.just("person"),
    number=st.builds(Number, st.just("+6281"), st.just("key"), not_found_at=times),
    state=st.sampled_from(CallState),
    tries=st.integers(0, 20),
    claimed_at=times, placed_at=times, progress_at=times, ringing_at=times, answered_at=times, detected_at=times,
    joined_at=times, overflow_at=times, ivr_at=times, left_at=times, ended_at=times, wrapped_at=times,
    detection=st.sampled_from(["", "human", "machine", "unsure", "hangup"]),
    talk_s=st.floats(0, 3600),
    overflow_to=st.sampled_from(["", "ivr", "message"]),
    voicemail_left=st.booleans(),
    wanted_agent=st.booleans(),
    ivr_result=st.sampled_from(["", "done", "agent", "message"]),
    cancelled=st.sampled_from(["", "paused", INTERRUPTED]),
    failed=st.booleans(),
    dialled=st.booleans(),
    cause=st.integers(-1, 255),
    sip_code=st.one_of(st.just(0), st.integers(100, 699)),
    disposition=words,
    zone=st.sampled_from(["", "Asia/Jakarta", "Asia/Atlantis"]),
)  # fmt: skip
facts_told = st.lists(
    st.builds(Fact, st.integers(0, 9), times, words, st.one_of(st.just("2026-12-01;5"), st.text())), max_size=4
)
campaigns = st.builds(
    Campaign,
    id=st.just("c"),
    name=st.just("C"),
    kind=st.sampled_from(Kind),
    retries=st.dictionaries(
        st.sampled_from([one.value for one in Outcome]), st.builds(Retry, st.integers(1, 9999), st.integers(0, 9))
    ),
)


@given(attempts, facts_told, campaigns)
def test_every_attempt_has_exactly_one_verdict(attempt: Attempt, facts: list[Fact], campaign: Campaign) -> None:
    found = verdict(attempt, facts, campaign, AT)
    assert found == verdict(attempt, facts, campaign, AT)
    assert found.reason
    if found.stop or found.dead or found.wrong_person or found.rests:
        assert found.retry_at == 0.0
    else:
        assert found.retry_at > AT
        assert found.retry_at >= max(found.silent_until, found.callback_at)
        own = found.outcome.value in campaign.retries
        assert not own or found.callback_at or found.retry_at >= AT + rule_for(campaign, found.outcome).after_s


@given(attempts, facts_told, campaigns)
def test_no_live_answer_hides(attempt: Attempt, facts: list[Fact], campaign: Campaign) -> None:
    """live: a person answered a call of ours; then he was served, or he is abandoned or overflowed."""
    found = verdict(attempt, facts, campaign, AT)
    served = {Outcome.CONNECTED, Outcome.IVR, Outcome.OVERFLOWED, Outcome.ABANDONED}
    if found.live:
        assert found.outcome in served
        assert attempt.kind != "inbound"
    if found.outcome is Outcome.ABANDONED:
        assert found.side is Side.US
        assert found.live or attempt.kind == "inbound"
    if attempt.answered_at and not found.live and attempt.kind != "inbound":
        word = attempt.disposition.partition(":")[0].strip().lower()
        assert found.outcome in (Outcome.MACHINE, Outcome.NETWORK_FAULT) or word in ("machine", "voicemail")


@given(attempts, st.integers(128, 255))
def test_unknown_codes_never_lead_to_another_call(attempt: Attempt, cause: int) -> None:
    placed = replace(PLACED, cause=cause, sip_code=0, tries=attempt.tries, ringing_at=attempt.ringing_at)
    assert judge(placed).retry_at == 0.0
    assert judge(placed).rests


@pytest.mark.parametrize("word", ["offer=short;2026-12-01=600000", "pay_now", "send_va", "new_number"])
def test_what_the_ivr_adds_is_a_talk_and_closes_nothing(word: str) -> None:
    found = judge(replace(ANSWERED, ivr_at=AT - 40, ivr_result="done"), *said("verified", word), campaign=IVR)
    assert (found.outcome, found.conversation, found.rests) == (Outcome.IVR, True, "")
    assert (found.stop, found.wrong_person, found.hardship, found.silent_until) == (False, False, False, 0.0)


def test_an_offer_taken_is_silent_until_its_first_payment() -> None:
    facts = said("promise=2026-12-01;600000", "offer=short;2026-12-01=600000;2026-12-31=600000")
    found = judge(replace(ANSWERED, ivr_at=AT - 40, ivr_result="done", zone="Asia/Jakarta"), *facts, campaign=IVR)
    assert found.silent_until == end_of_day(date(2026, 12, 2), WIB)  # and a day of grace


def test_every_choice_of_the_ivr_is_a_word_of_its_own() -> None:
    assert EFFECTS.keys() >= CHOICES
