"""The gate at its edges, and the promise that it never opens outside the rules."""

import math
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from dialer.compliance import EARLIEST, LATEST, callable_numbers, may_call
from dialer.model import Allowed, Contact, History, Number, NumberKind, Permission, Refused
from dialer.rulebook import Cap, Hours, Of, Pack
from tests.packs import CALL_S, NUMBER, contact, demo, indonesia, moment

PACK = indonesia(date(2026, 12, 25))
CLEAN = History()
NOON = moment("2026-11-20 12:00:00")  # a Friday; 14:00 in Jayapura
DAY = 86_400.0
JAKARTA, MAKASSAR, JAYAPURA, UNKNOWN = "Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", ""


def ask(
    at: float, who: Contact | None = None, person: History = CLEAN, number: History = CLEAN, pack: Pack = PACK
) -> Permission:
    who = who or contact()
    return may_call(who, who.numbers[0], person, number, pack, at, CALL_S)


def refused(permission: Permission) -> Refused:
    assert isinstance(permission, Refused), permission
    return permission


# ---- hours ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "zone", "open_"),
    [
        ("07:59:59", JAKARTA, False),
        ("08:00:00", JAKARTA, True),
        ("19:58:27", JAKARTA, True),  # the last legal start: 33 s of ringing and the margin end at 20:00:00
        ("19:58:28", JAKARTA, False),
        ("19:59:00", JAKARTA, False),
        ("20:00:00", JAKARTA, False),
        ("06:59:59", MAKASSAR, False),
        ("07:00:00", MAKASSAR, True),
        ("18:58:27", MAKASSAR, True),
        ("18:58:28", MAKASSAR, False),
        ("19:00:00", MAKASSAR, False),
        ("05:59:59", JAYAPURA, False),
        ("06:00:00", JAYAPURA, True),
        ("17:58:27", JAYAPURA, True),
        ("17:58:28", JAYAPURA, False),
        ("18:00:00", JAYAPURA, False),
        ("07:59:59", UNKNOWN, False),  # unknown: 08:00 in Jakarta until 20:00 in Jayapura
        ("08:00:00", UNKNOWN, True),
        ("17:58:27", UNKNOWN, True),
        ("17:58:28", UNKNOWN, False),
        ("19:00:00", UNKNOWN, False),
    ],
)
def test_hours_on_jakartas_clock(clock: str, zone: str, open_: bool) -> None:
    answer = ask(moment(f"2026-11-20 {clock}"), contact(zone))
    assert isinstance(answer, Allowed) is open_
    if isinstance(answer, Refused):
        assert answer.rule == "hours"
        assert zone in answer.reason or "zone unknown" in answer.reason


@pytest.mark.parametrize("zone", [JAKARTA, MAKASSAR, JAYAPURA])
@pytest.mark.parametrize(("clock", "open_"), [("07:59:59", False), ("08:00:00", True), ("19:59:00", False)])
def test_hours_on_the_debtors_own_clock(zone: str, clock: str, open_: bool) -> None:
    assert isinstance(ask(moment(f"2026-11-20 {clock}", zone), contact(zone)), Allowed) is open_


def test_the_last_start_is_told() -> None:
    answer = ask(NOON)
    assert answer == Allowed(PACK.label, moment("2026-11-20 20:00:00") - CALL_S - 60)
    assert ask(NOON, contact(UNKNOWN)) == Allowed(PACK.label, moment("2026-11-20 18:00:00") - CALL_S - 60)


def test_a_call_placed_late_by_a_frozen_asterisk_still_rings_inside() -> None:
    answer = ask(NOON)
    assert isinstance(answer, Allowed)
    assert answer.must_start_by + PACK.margin_s + CALL_S <= moment("2026-11-20 20:00:00")


@pytest.mark.parametrize(
    ("at", "zone", "rule", "until"),
    [
        ("2026-11-20 20:00:00", JAKARTA, "hours", "2026-11-21 08:00:00"),
        ("2026-11-21 21:00:00", JAKARTA, "hours", "2026-11-23 08:00:00"),  # Saturday evening: Monday
        ("2026-11-22 12:00:00", JAKARTA, "weekday", "2026-11-23 08:00:00"),
        ("2026-11-22 23:00:00", JAYAPURA, "hours", "2026-11-23 06:00:00"),  # Monday there already
        ("2026-12-25 10:00:00", JAKARTA, "holiday", "2026-12-26 08:00:00"),
        ("2026-12-24 20:00:00", UNKNOWN, "hours", "2026-12-26 08:00:00"),
        ("2030-12-31 21:00:00", JAKARTA, "hours", "2031-01-01 21:00:00"),  # no holidays known: ask again a day later
        ("2031-01-02 10:00:00", JAKARTA, "holidays_unknown", "2031-01-03 10:00:00"),
    ],
)
def test_when_it_opens_again(at: str, zone: str, rule: str, until: str) -> None:
    answer = refused(ask(moment(at), contact(zone)))
    assert (answer.rule, answer.until) == (rule, moment(until))


def test_at_until_of_an_hours_refusal_the_call_is_legal() -> None:
    for hour in range(24 * 8):
        at = moment("2026-12-20 00:30:00") + hour * 3600
        answer = ask(at, contact(UNKNOWN))
        if isinstance(answer, Refused):
            assert isinstance(ask(answer.until, contact(UNKNOWN)), Allowed)


def test_a_pack_whose_zones_never_agree_refuses() -> None:
    pack = replace(PACK, zones=("Asia/Jakarta", "America/New_York"))
    answer = refused(ask(NOON, contact(UNKNOWN), pack=pack))
    assert (answer.rule, answer.until) == ("hours", NOON + DAY)


def test_a_pack_without_its_holidays_is_closed() -> None:
    pack = replace(PACK, hours=replace(PACK.hours, years=frozenset()))
    assert refused(ask(NOON, pack=pack)).rule == "holidays_unknown"


def test_a_zone_that_is_not_the_packs_is_refused() -> None:
    assert refused(ask(NOON, contact("Europe/Berlin"))).rule == "zone"


# ---- changing clocks: no pack of ours needs it yet, US and UK will ---------------------------------------------------

EVERY_DAY = Hours(days=((8 * 60, 21 * 60),) * 7)


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("America/New_York", "2026-03-07", "2026-03-08"),
        ("America/New_York", "2026-10-31", "2026-11-01"),
        ("Europe/London", "2026-03-28", "2026-03-29"),
        ("Europe/London", "2026-10-24", "2026-10-25"),
    ],
)
def test_hours_follow_the_wall_clock_through_a_change(zone: str, before: str, after: str) -> None:
    pack = replace(PACK, zones=(zone,), hours=EVERY_DAY)
    for day in (before, after):
        for clock, open_ in (("07:59:59", False), ("08:00:00", True), ("20:58:27", True), ("20:58:28", False)):
            assert isinstance(ask(moment(f"{day} {clock}", zone), contact(zone), pack=pack), Allowed) is open_
    assert refused(ask(moment(f"{before} 22:00:00", zone), contact(zone), pack=pack)).until == moment(
        f"{after} 08:00:00", zone
    )


def test_an_hour_that_comes_twice_or_never_is_read_strictly() -> None:
    zone = "America/New_York"
    twice = replace(PACK, zones=(zone,), hours=Hours(days=((90, 120),) * 7))  # 01:30-02:00
    first, second = (moment("2026-11-01 01:30:00", zone) + hour * 3600 for hour in (0, 1))
    assert refused(ask(first, contact(zone), pack=twice)).rule == "hours"
    assert isinstance(ask(second, contact(zone), pack=twice), Allowed)
    never = replace(PACK, zones=(zone,), hours=Hours(days=((130, 170),) * 7))  # 02:10-02:50 is left out
    for minute in range(24 * 60):
        assert isinstance(ask(moment("2026-03-08 00:00:00", zone) + minute * 60, contact(zone), pack=never), Refused)


# ---- for good -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "rule", "of_number"),
    [
        ({"person": History(stop=True)}, "stop", False),
        ({"number": History(stop=True)}, "number_stop", True),
        ({"number": History(dead=True)}, "dead_number", True),
        ({"who": contact(kind=NumberKind.EMERGENCY)}, "number_kind", True),
        ({"who": contact(kind=NumberKind.WORKPLACE)}, "number_kind", True),
        ({"who": contact(e164="+6591234567")}, "country", True),
        ({"who": contact(e164="112")}, "country", True),
        ({"who": contact(e164="+62112")}, "country", True),
        ({"who": contact(e164="+6281234567890@evil")}, "country", True),
        ({"who": contact(e164="+6281234567890\r\nAction: Command")}, "country", True),
    ],
)
def test_refused_for_good(change: dict[str, Any], rule: str, of_number: bool) -> None:
    answer = refused(ask(NOON, **change))
    assert (answer.rule, answer.until, answer.of_number) == (rule, math.inf, of_number)
    assert answer.reason


def test_a_number_of_somebody_else_is_refused() -> None:
    stranger = Number("+6281299999999", "n2")
    assert refused(may_call(contact(), stranger, History(), History(), PACK, NOON, CALL_S)).rule == "not_his_number"


def test_callable_numbers_leaves_out_what_may_never_be_called() -> None:
    kinds = (NumberKind.EMERGENCY, NumberKind.DEBTOR, NumberKind.WORKPLACE, NumberKind.CO_BORROWER)
    numbers = tuple(Number(f"+628123456789{i}", f"n{i}", kind) for i, kind in enumerate(kinds))
    assert callable_numbers(replace(contact(), numbers=numbers), PACK) == (1, 3)


# ---- for a while ----------------------------------------------------------------------------------------------------

# one person cap of 3 in a day and nothing else
THREE = replace(PACK, caps=(Cap(Of.PERSON, 3, 86_400, "person_cap_1d"),), conversation_silence_s=7 * 86_400)


@pytest.mark.parametrize(
    ("attempts", "until"),
    [
        ((), None),
        ((NOON - 60, NOON - 120), None),
        ((NOON - 60, NOON - 120, NOON - 180), moment("2026-11-21 11:57:00")),
        ((NOON - 180, NOON - 60, NOON - 240, NOON - 120), moment("2026-11-21 11:57:00")),  # in any order
        ((NOON - 60, NOON - 120, NOON - DAY), None),  # a day old counts no more
        ((NOON - 60, NOON - 120, NOON - DAY + 1), NOON + 1),
        ((NOON + 3600, NOON - 60, NOON - 120), moment("2026-11-21 11:58:00")),  # of the future: our clock is in doubt
    ],
)
def test_a_cap(attempts: tuple[float, ...], until: float | None) -> None:
    answer = ask(NOON, person=History(attempts=attempts), pack=THREE)
    if until is None:
        assert isinstance(answer, Allowed)
        return
    answer = refused(answer)
    assert (answer.rule, answer.until, answer.of_number) == ("person_cap_1d", until, False)
    assert isinstance(ask(answer.until, person=History(attempts=attempts), pack=THREE), Allowed)


def test_a_cap_of_the_number_refuses_the_number_only() -> None:
    pack = replace(THREE, caps=(Cap(Of.NUMBER, 1, 86_400, "number_cap_1d"),))
    past = History(attempts=(NOON - 1,))
    answer = refused(ask(NOON, number=past, pack=pack))
    assert (answer.rule, answer.of_number) == ("number_cap_1d", True)
    assert isinstance(ask(NOON, person=past, pack=pack), Allowed)


def test_the_caps_of_the_indonesian_pack() -> None:
    past: list[float] = []
    at = moment("2026-11-02 08:00:00")
    while at < moment("2026-12-01 20:00:00"):
        if isinstance(ask(at, person=History(tuple(past)), number=History(tuple(past))), Allowed):
            past.append(at)
        at += 600
    for window, count in ((3600, 1), (86_400, 3), (7 * 86_400, 7), (30 * 86_400, 20)):
        assert all(sum(start <= moment < start + window for moment in past) <= count for start in past)
    assert len(past) == 20


@pytest.mark.parametrize("whose", ["person", "number"])
def test_a_conversation_starts_a_clock_of_seven_days(whose: str) -> None:
    at = moment("2026-11-27 12:00:00")  # also a Friday
    talked = History(conversations=(at - 30 * DAY, at - 7 * DAY + 1))
    answer = refused(ask(at, pack=THREE, **{whose: talked}))  # type: ignore[arg-type]
    assert (answer.rule, answer.until, answer.of_number) == ("conversation", at + 1, whose == "number")
    assert isinstance(ask(answer.until, pack=THREE, **{whose: talked}), Allowed)  # type: ignore[arg-type]


def test_silence_lasts_until_its_moment_and_then_to_the_next_opening() -> None:
    silent = History(silent_until=NOON + 60)
    answer = refused(ask(NOON, person=silent))
    assert (answer.rule, answer.until) == ("silent", NOON + 60)
    assert isinstance(ask(NOON + 60, person=silent), Allowed)
    night = History(silent_until=moment("2026-11-21 22:00:00"))  # Saturday night
    assert refused(ask(NOON, person=night)).until == moment("2026-11-23 08:00:00")
    assert refused(ask(NOON, person=History(silent_until=math.inf))).until == math.inf


def test_the_longest_refusal_is_told() -> None:
    past = History(attempts=(NOON - 60,) * 3, silent_until=NOON + 3 * DAY)
    assert refused(ask(NOON, person=past)).rule == "silent"
    assert refused(ask(NOON, person=replace(past, silent_until=NOON + 60))).rule == "person_cap_1d"


# ---- doubt ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0.0, -1.0, 1e18, math.nan, math.inf, -math.inf, EARLIEST - 1, LATEST + 1])
def test_a_clock_that_makes_no_sense_refuses(at: float) -> None:
    answer = refused(ask(at))
    assert answer.rule == "clock"
    assert not math.isnan(answer.until)


@pytest.mark.parametrize("call_s", [-1.0, 601.0, math.nan, math.inf])
def test_a_ring_time_that_makes_no_sense_refuses(call_s: float) -> None:
    assert refused(may_call(contact(), NUMBER, History(), History(), PACK, NOON, call_s)).rule == "call_length"


@pytest.mark.parametrize(
    "past",
    [
        History(attempts=(math.nan,)),
        History(conversations=(math.nan,)),
        History(silent_until=math.nan),
        History(attempts=("yesterday",)),  # type: ignore[arg-type]
        None,
    ],
)
def test_a_past_that_cannot_be_read_refuses(past: Any) -> None:
    answer = refused(ask(NOON, person=past))
    assert answer.until > NOON


def test_a_moment_that_is_none_refuses() -> None:
    assert refused(ask(None)) == Refused(  # type: ignore[arg-type]
        "doubt", 0.0, "The gate could not decide (TypeError), so nobody is called."
    )


# ---- the demo -------------------------------------------------------------------------------------------------------


def test_the_demos_pack_is_open_at_any_hour_and_keeps_everything_else() -> None:
    pack = demo()
    for hour in range(24 * 8):
        assert isinstance(ask(moment("2026-12-20 00:00:00") + hour * 3600, pack=pack), Allowed)
    assert ask(NOON, pack=pack) == Allowed(pack.label, math.inf)
    assert refused(ask(NOON, person=History(stop=True), pack=pack)).rule == "stop"
    assert refused(ask(NOON, who=contact(kind=NumberKind.EMERGENCY), pack=pack)).rule == "number_kind"
    assert refused(ask(NOON, person=History(attempts=(NOON - 1,) * 10), pack=pack)).rule == "person_cap_1d"


# ---- whatever the inputs --------------------------------------------------------------------------------------------

ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "America/New_York", "Europe/London", "Asia/Kathmandu")
DAYS = st.none() | st.tuples(st.integers(0, 719), st.integers(720, 24 * 60)) | st.just((0, 24 * 60))
HOURS = st.builds(
    Hours,
    days=st.tuples(*[DAYS] * 7),
    holidays=st.frozensets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=30),
    years=st.one_of(st.none(), st.just(frozenset({2026, 2027})), st.just(frozenset({2026}))),
)
USUAL = st.integers(int(moment("2025-12-30 00:00:00")), int(moment("2028-01-02 00:00:00"))).map(float)
MOMENTS = USUAL | st.floats()
PAST = st.just(CLEAN) | st.builds(
    History,
    attempts=st.lists(MOMENTS, max_size=6).map(tuple),
    conversations=st.lists(MOMENTS, max_size=2).map(tuple),
    stop=st.booleans(),
    silent_until=MOMENTS | st.just(0.0),
    dead=st.booleans(),
)


def legal(hours: Hours, zone: str, first: float, last: float) -> bool:
    """By the wall clock alone, minute by minute: independent of how the gate counts."""
    for step in [*range(0, int(last - first), 30), last - first]:
        local = datetime.fromtimestamp(first + step, ZoneInfo(zone))
        span = hours.days[local.weekday()]
        clock = local.hour * 60 + local.minute + local.second / 60 + local.microsecond / 6e7
        if span is None or not span[0] <= clock <= span[1]:
            # the last instant may be midnight itself, the end of a day that is open to 24:00
            return step == last - first and clock == 0 and legal(hours, zone, first, last - 1e-3)
        if local.date() in hours.holidays or (hours.years is not None and local.year not in hours.years):
            return False
    return True


@settings(max_examples=300, deadline=None)
@given(
    hours=HOURS,
    known=st.booleans(),
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(tuple),
    at=USUAL,
    call_s=st.floats(0, 120),
    person=PAST,
    number=PAST,
    kind=st.just(NumberKind.DEBTOR) | st.sampled_from(NumberKind),
)
def test_never_allowed_outside_the_rules(
    hours: Hours, known: bool, zones: tuple[str, ...], at: float, call_s: float, person: History, number: History,
    kind: NumberKind,
) -> None:  # fmt: skip
    zone = zones[0] if known else ""
    pack = replace(PACK, hours=hours, zones=zones)
    who = contact(zone, kind)
    answer = may_call(who, who.numbers[0], person, number, pack, at, call_s)
    if isinstance(answer, Refused):
        assert not math.isnan(answer.until)
        assert answer.until > at
        return
    event("allowed")
    assert not any((person.stop, number.stop, number.dead))
    assert kind in pack.kinds
    assert max(person.silent_until, number.silent_until) <= at
    for cap in pack.caps:
        past = person if cap.of is Of.PERSON else number
        assert sum(not moment <= at - cap.window_s for moment in past.attempts) < cap.count
    assert at <= answer.must_start_by
    for one in (zone,) if zone else zones:
        for start in (at, answer.must_start_by):
            assert legal(hours, one, start, start + call_s + pack.margin_s)


@settings(max_examples=300, deadline=None)
@given(at=st.floats(), call_s=st.floats(), person=PAST)
def test_no_value_makes_the_gate_raise(at: float, call_s: float, person: History) -> None:
    answer = may_call(contact(), NUMBER, person, CLEAN, PACK, at, call_s)
    assert isinstance(answer, Refused) or (EARLIEST <= at <= LATEST and 0 <= call_s <= 600)


@settings(max_examples=300, deadline=None)
@given(at=st.floats(EARLIEST, LATEST), zone=st.sampled_from(["", JAKARTA, MAKASSAR, JAYAPURA]))
def test_the_indonesian_pack_on_any_second(at: float, zone: str) -> None:
    answer = ask(at, contact(zone))
    inside = all(legal(PACK.hours, one, at, at + CALL_S + PACK.margin_s) for one in ((zone,) if zone else PACK.zones))
    assert isinstance(answer, Allowed) is inside


def test_a_hundred_thousand_minutes_of_the_indonesian_pack() -> None:
    pack = indonesia(date(2026, 8, 17), date(2026, 12, 25))
    people = [contact(zone) for zone in (JAKARTA, JAYAPURA, UNKNOWN)]
    start = moment("2026-08-01 00:00:00")
    for minute in range(0, 200_000, 7):
        at = start + minute * 60
        local = datetime.fromtimestamp(at, ZoneInfo(JAKARTA))
        answers = [isinstance(ask(at, who, pack=pack), Allowed) for who in people]
        east = datetime.fromtimestamp(at, ZoneInfo(JAYAPURA))
        wanted = [
            when.weekday() < 6 and when.date() not in pack.hours.holidays and 8 <= when.hour < 20 and not (
                when.hour == 19 and when.minute >= 59
            )
            for when in (local, east)
        ]  # fmt: skip
        assert answers[2] <= (answers[0] and answers[1])
        assert answers[:2] == wanted or local.minute >= 58
