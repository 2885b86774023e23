"""The gate at its edges, and the promise that it never opens outside the rules."""

import math
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from dialer.compliance import EARLIEST, callable_numbers, may_call
from dialer.law.rulebook import Cap, Hours, Of, Pack, Silence, cited
from dialer.law.windows import LATEST
from dialer.model import Allowed, Consent, Contact, History, Number, NumberKind, NumberState, Permission, Refused
from tests.packs import AGREED, CALL_S, NUMBER, contact, debtor_of, demo, indonesia, moment, shipped, uk, us

PACK = indonesia(date(2026, 12, 25))
CLEAN = History()
NOON = moment("2026-11-20 12:00:00")  # a Friday; 14:00 in Jayapura
DAY = 86_400.0
JAKARTA, MAKASSAR, JAYAPURA, UNKNOWN = "Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", ""


def ask(
    at: float, who: Contact | None = None, person: History = CLEAN, number: History = CLEAN, pack: Pack = PACK,
    guaranteed: bool = False,
) -> Permission:  # fmt: skip
    who = who or replace(contact(), lender="Bank")
    return may_call(
        who, who.numbers[0], person, number, pack, at, CALL_S, campaign="november", agent_guaranteed=guaranteed
    )


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


# ---- changing clocks ------------------------------------------------------------------------------------------------

EVERY_DAY = Hours(days=(((8 * 60, 21 * 60),),) * 7)


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
    twice = replace(PACK, zones=(zone,), hours=Hours(days=(((90, 120),),) * 7))  # 01:30-02:00
    first, second = (moment("2026-11-01 01:30:00", zone) + hour * 3600 for hour in (0, 1))
    assert refused(ask(first, contact(zone), pack=twice)).rule == "hours"
    assert isinstance(ask(second, contact(zone), pack=twice), Allowed)
    never = replace(PACK, zones=(zone,), hours=Hours(days=(((130, 170),),) * 7))  # 02:10-02:50 is left out
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
        ({"who": contact(e164="+62112")}, "number_type", True),
        ({"who": contact(e164="+621500888")}, "number_type", True),
        ({"who": contact(e164="+628091234567")}, "number_type", True),  # premium rate
        ({"who": contact(e164="+628001234567")}, "number_type", True),  # toll free
        ({"who": contact(e164="+6281234567890@evil")}, "number_type", True),
        ({"who": contact(e164="+6281234567890\r\nAction: Command")}, "number_type", True),
        ({"who": replace(contact(), numbers=(replace(NUMBER, state=NumberState.DEAD),))}, "dead_number", True),
        ({"who": replace(contact(), numbers=(replace(NUMBER, state=NumberState.STOP),))}, "number_stop", True),
        ({"who": replace(contact(), numbers=(replace(NUMBER, state=NumberState.WRONG_PERSON),))}, "wrong_person", True),
        ({"person": History(stops=("lender:bank",))}, "lender_stop", False),
        ({"number": History(stops=("LENDER:Bank",))}, "lender_stop", True),
        ({"person": History(stops=("campaign:autumn", "campaign:november"))}, "campaign_stop", False),
        ({"person": History(stops=("agency:all",))}, "stop", False),  # a scope not understood is taken for the widest
        ({"person": History(stops=("lender:other",)), "who": replace(contact(), lender="")}, "lender_stop", False),
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


def test_other_scopes_stop_nobody_else() -> None:
    past = History(stops=("lender:other", "campaign:autumn"))
    assert isinstance(ask(NOON, person=past, number=past), Allowed)
    who = contact()
    assert refused(may_call(who, NUMBER, past, CLEAN, PACK, NOON, CALL_S)).rule == "lender_stop"  # whose debt is it?
    known = replace(who, lender="Bank")
    assert refused(may_call(known, NUMBER, past, CLEAN, PACK, NOON, CALL_S)).rule == "campaign_stop"


@pytest.mark.parametrize("pack", shipped(), ids=lambda pack: pack.id)
def test_what_is_never_called_whatever_the_pack(pack: Pack) -> None:
    who = debtor_of(pack)
    at = moment("2026-11-20 12:00:00", who.zone)
    assert isinstance(ask(at, who, pack=pack), Allowed)
    for kind in (NumberKind.EMERGENCY, NumberKind.WORKPLACE):
        changed = replace(who, numbers=(replace(who.numbers[0], kind=kind),))
        assert refused(ask(at, changed, pack=pack)).rule == "number_kind"
    for text in ("112", "999", "911", "+449098790000", "+19002123456", "+15005550006", "+628091234567", "+441212"):
        changed = replace(who, numbers=(Number(text, "n9"),))
        assert refused(ask(at, changed, pack=pack)).rule in ("country", "number_type")


def test_the_list_has_an_end() -> None:
    who = replace(contact(), expires=NOON + 3600)
    assert ask(NOON, who) == Allowed(PACK.label, NOON + 3600 - CALL_S - 60)
    last = NOON + 3600 - CALL_S - 60
    assert isinstance(ask(last, who), Allowed)
    assert refused(ask(last + 1, who)).rule == "expired"
    waiting = refused(ask(NOON, who, History(silent_until=NOON + 7200)))
    assert (waiting.rule, waiting.until) == ("silent", math.inf)  # over before the silence ends
    assert refused(ask(NOON, replace(who, expires=math.nan))).rule == "expired"


# ---- for a while ----------------------------------------------------------------------------------------------------

# one person cap of 3 in a day and nothing else
THREE = replace(PACK, caps=(Cap(Of.PERSON, 3, 86_400, "person_cap_1d"),), conversation=Silence(7 * 86_400))


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


# ---- after an abandoned call, after a machine -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pack", "past", "hours", "rule"),
    [
        (indonesia(), "abandoned_at", 72, "after_abandoned"),
        (us(), "abandoned_at", 72, "after_abandoned"),
        (uk(), "abandoned_at", 72, "after_abandoned"),
        (uk(), "machine_at", 24, "after_machine"),
    ],
)
@pytest.mark.parametrize("whose", ["person", "number"])
def test_silence_after_a_bad_call_unless_an_agent_is_guaranteed(
    pack: Pack, past: str, hours: int, rule: str, whose: str
) -> None:
    who = debtor_of(pack)
    at = moment("2026-11-20 12:00:00", who.zone)
    change: dict[str, Any] = {past: at - hours * 3600 + 1}
    history: dict[str, Any] = {whose: replace(CLEAN, **change)}
    answer = refused(ask(at, who, pack=pack, **history))
    assert (answer.rule, answer.until, answer.of_number) == (rule, at + 1, whose == "number")
    assert isinstance(ask(at + 1, who, pack=pack, **history), Allowed)
    assert isinstance(ask(at, who, pack=pack, guaranteed=True, **history), Allowed)
    firm = replace(
        pack,
        after_abandoned=replace(pack.after_abandoned, agent_lifts=False),
        after_machine=replace(pack.after_machine, agent_lifts=False),
    )
    assert refused(ask(at, who, pack=firm, guaranteed=True, **history)).rule == rule


def test_a_machine_is_no_reason_to_wait_where_the_pack_names_none() -> None:
    assert isinstance(ask(NOON, person=History(machine_at=NOON - 1)), Allowed)


# ---- hardship, call-backs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["person", "number"])
def test_hardship_slows_the_cadence(whose: str) -> None:
    past = History(attempts=(NOON - 2 * DAY,))
    assert isinstance(ask(NOON, person=past), Allowed)
    hard: dict[str, Any] = {"person": past, "number": CLEAN}
    hard[whose] = replace(hard[whose], hardship=True)
    answer = refused(ask(NOON, **hard))
    assert (answer.rule, answer.until) == ("person_cap_7d_hardship", NOON + 5 * DAY)
    assert isinstance(ask(NOON + 5 * DAY, person=replace(past, hardship=True)), Allowed)


CHOSE = replace(contact(), last_at=NOON - 4 * 3600, callback_at=NOON)
TALKED = History(attempts=(NOON - 4 * 3600, NOON - 5 * 3600, NOON - 6 * 3600), conversations=(NOON - 4 * 3600,))


@pytest.mark.parametrize(("late", "open_"), [(-1, False), (0, True), (30 * 60, True), (30 * 60 + 1, False)])
def test_a_call_back_passes_the_cadence_at_the_minute_he_chose(late: float, open_: bool) -> None:
    assert isinstance(ask(NOON + late, CHOSE, TALKED, TALKED), Allowed) is open_
    assert isinstance(ask(NOON + late, contact(), TALKED, TALKED), Refused)


def test_until_a_call_back_is_its_minute() -> None:
    answer = refused(ask(NOON - 3600, CHOSE, TALKED, TALKED))
    assert (answer.rule, answer.until) == ("conversation", NOON)
    answer = refused(ask(NOON + 3600, CHOSE, TALKED, TALKED))
    assert answer.until == NOON - 4 * 3600 + DAY
    assert ask(NOON, CHOSE, TALKED, TALKED) == Allowed(PACK.label, NOON + 30 * 60)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"at": moment("2026-11-20 20:30:00")}, "hours"),
        ({"at": moment("2026-11-22 12:00:00")}, "weekday"),
        ({"stop": True}, "stop"),
        ({"silent_until": NOON + 1}, "silent"),
        ({"abandoned_at": NOON - 1}, "after_abandoned"),
        ({"hardship": True}, "person_cap_7d_hardship"),
        ({"attempts": tuple(NOON - 6 * 3600 - hour * 3600 * 10 for hour in range(1, 8))}, "person_cap_7d"),
        ({"attempts": (*TALKED.attempts, NOON)}, "conversation"),  # once only
        ({"last_at": 0.0}, "conversation"),  # when did he choose?
        ({"last_at": NOON - 8 * DAY}, "conversation"),  # too long ago
        ({"last_at": NOON + 1}, "conversation"),
        ({"callback_at": math.nan}, "conversation"),
    ],
)
def test_what_no_call_back_passes(change: dict[str, Any], rule: str) -> None:
    at = change.pop("at", NOON)
    whose = {name: change.pop(name) for name in ("last_at", "callback_at") if name in change}
    who = replace(CHOSE, **({"callback_at": at, "last_at": at - 3600} | whose))
    assert refused(ask(at, who, replace(TALKED, **change), TALKED)).rule == rule


# ---- the United States ----------------------------------------------------------------------------------------------

US = us()
AMERICAN = debtor_of(US)
EASTERN, CENTRAL, PACIFIC = "America/New_York", "America/Chicago", "America/Los_Angeles"


@pytest.mark.parametrize(
    ("zone", "e164", "province", "clock", "open_"),
    [
        (EASTERN, "+12125550123", "NY", "07:59:59", False),
        (EASTERN, "+12125550123", "NY", "08:00:00", True),
        (EASTERN, "+12125550123", "NY", "20:58:27", True),
        (EASTERN, "+12125550123", "NY", "20:58:28", False),
        (PACIFIC, "+12125550123", "CA", "10:59:59", False),  # moved with his number: both places count
        (PACIFIC, "+12125550123", "CA", "11:00:00", True),
        (PACIFIC, "+12125550123", "CA", "20:58:27", True),
        (PACIFIC, "+12125550123", "CA", "20:58:28", False),
        (PACIFIC, "+13105550123", "CA", "20:58:28", True),
        (EASTERN, "+13055550123", "FL", "19:58:27", True),
        (EASTERN, "+13055550123", "FL", "19:58:28", False),
        (EASTERN, "+13055550123", "florida", "19:58:28", False),
        (CENTRAL, "+18504325123", "FL", "20:58:27", True),  # Pensacola goes by Chicago's clock
        (CENTRAL, "+18504325123", " Florida ", "20:58:28", False),
        (EASTERN, "+12125550123", "", "19:58:28", False),  # he may live in Florida
        (EASTERN, "+12125550123", "Floridaa", "19:58:28", False),
        (PACIFIC, "+13105550123", "", "23:30:00", True),
    ],
)
def test_american_hours_on_the_clock_of_new_york(zone: str, e164: str, province: str, clock: str, open_: bool) -> None:
    who = replace(contact(zone, e164=e164), province=province, consents=AGREED)
    answer = ask(moment(f"2026-07-10 {clock}", EASTERN), who, pack=US)
    assert isinstance(answer, Allowed) is open_, answer


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [("2026-07-10", "14:00:00", "19:58:27"), ("2026-12-10", "13:00:00", "19:58:27")],  # Adak is 5 hours behind
)
def test_an_unknown_american_zone_gets_the_hours_of_all_fifty_states(day: str, first: str, last: str) -> None:
    who = replace(AMERICAN, zone="", province="")
    opens, closes = moment(f"{day} 08:00:00", "Pacific/Honolulu"), moment(f"{day} {last}", EASTERN)
    assert moment(f"{day} {first}", EASTERN) == opens or day == "2026-12-10"
    assert isinstance(ask(opens - 1, who, pack=US), Refused)
    assert ask(opens, who, pack=US) == Allowed(US.label, closes)
    assert isinstance(ask(closes + 1, who, pack=US), Refused)


@pytest.mark.parametrize("day", ["2026-03-07", "2026-03-08", "2026-10-31", "2026-11-01"])
def test_the_american_hours_follow_the_clocks(day: str) -> None:
    for clock, open_ in (("07:59:59", False), ("08:00:00", True), ("20:58:27", True), ("20:58:28", False)):
        assert isinstance(ask(moment(f"{day} {clock}", EASTERN), AMERICAN, pack=US), Allowed) is open_


@pytest.mark.parametrize(
    ("province", "attempts", "days", "rule"),
    [
        ("NY", (1, 2, 3), 0, None),
        ("FL", (1, 2), 0, None),
        ("FL", (2, 4, 6), 20 / 24, "person_cap_24h_florida"),
        ("MA", (30,), 0, None),
        ("MA", (30, 50), 7 - 50 / 24, "person_cap_7d_massachusetts"),
        ("", (30, 50), 7 - 50 / 24, "person_cap_7d_massachusetts"),  # he may live there
        ("NY", (30, 31, 50, 51, 80, 81), 0, None),
        ("NY", (30, 31, 50, 51, 80, 81, 100), 7 - 100 / 24, "person_cap_7d"),
    ],
)
def test_american_caps(province: str, attempts: tuple[int, ...], days: float, rule: str | None) -> None:
    at = moment("2026-07-10 12:00:00", EASTERN)
    past = History(attempts=tuple(at - hour * 3600 for hour in attempts))
    answer = ask(at, replace(AMERICAN, province=province), past, pack=US)
    if rule is None:
        assert isinstance(answer, Allowed)
        return
    answer = refused(answer)
    assert answer.rule == rule
    assert answer.until == pytest.approx(at + days * DAY)


def test_seven_days_after_a_talk_to_the_second() -> None:
    at = moment("2026-07-10 12:00:00", EASTERN)
    past = History(conversations=(at - 7 * DAY + 1,))
    assert refused(ask(at, AMERICAN, past, pack=US)).until == at + 1
    assert isinstance(ask(at + 1, AMERICAN, past, pack=US), Allowed)


def test_an_automated_call_needs_consent_that_has_begun() -> None:
    at = moment("2026-07-10 12:00:00", EASTERN)
    answer = refused(ask(at, replace(AMERICAN, consents=()), pack=US))
    assert (answer.rule, answer.until, answer.of_number) == ("consent", math.inf, True)
    other = (Consent("whereabouts", "form", date(2026, 1, 1)),)
    assert refused(ask(at, replace(AMERICAN, consents=other), pack=US)).rule == "consent"
    today = (Consent("calls", "form", date(2026, 7, 10)),)
    assert isinstance(ask(at, replace(AMERICAN, consents=today), pack=US), Allowed)
    later = (Consent("calls", "form", date(2026, 7, 13)), Consent("calls", "form", date(2026, 7, 12)))
    answer = refused(ask(at, replace(AMERICAN, consents=later), pack=US))
    assert (answer.rule, answer.until) == ("consent", moment("2026-07-12 08:00:00", EASTERN))
    assert isinstance(ask(NOON), Allowed)  # Indonesia asks for none


# ---- other hours by consent -----------------------------------------------------------------------------------------


def test_other_hours_are_for_those_who_agreed_and_for_nobody_by_the_packs_that_come_along() -> None:
    early = moment("2026-11-20 06:30:00")
    agreed = replace(contact(), consents=(Consent("other_hours", "letter", date(2026, 11, 19)),))
    assert all(pack.other_hours is None for pack in shipped())
    assert isinstance(ask(early, agreed), Refused)
    pack = replace(PACK, other_hours=replace(PACK.hours, days=(((360, 1200),),) * 7, name="other_hours"))
    assert isinstance(ask(early, agreed, pack=pack), Allowed)
    assert isinstance(ask(early, pack=pack), Refused)
    assert refused(ask(moment("2026-12-25 10:00:00"), agreed, pack=pack)).rule == "holiday"
    late = replace(contact(), consents=(Consent("other_hours", "letter", date(2026, 11, 21)),))
    assert isinstance(ask(early, late, pack=pack), Refused)


# ---- several spans a day --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "open_"),
    [("11:58:27", True), ("11:58:28", False), ("12:30:00", False), ("12:59:59", False), ("13:00:00", True)],
)
def test_a_pause_at_noon(clock: str, open_: bool) -> None:
    hours = replace(PACK.hours, days=(((480, 720), (780, 1200)),) * 7)
    answer = ask(moment(f"2026-11-20 {clock}"), pack=replace(PACK, hours=hours))
    assert isinstance(answer, Allowed) is open_
    if isinstance(answer, Refused):
        assert (answer.rule, answer.until) == ("hours", moment("2026-11-20 13:00:00"))


def test_a_span_that_ends_just_after_midnight_utc_is_not_begun_again() -> None:
    pack = replace(PACK, hours=replace(PACK.hours, days=(((300, 421),),) * 7))  # 05:00-07:01, which is 00:01 UTC
    answer = refused(ask(moment("2026-11-20 06:59:40"), pack=pack))
    assert answer.until == moment("2026-11-21 05:00:00")


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


def test_every_rule_that_refuses_can_be_cited() -> None:
    """Whatever rule the cases above meet has a source in its pack."""
    rules = set()
    for pack in shipped():
        who = replace(debtor_of(pack), lender="Bank")
        for hour in range(0, 24 * 8, 5):
            at = moment("2026-12-21 00:00:00", who.zone) + hour * 3600
            for past in (CLEAN, TALKED, History(stop=True), History(stops=("lender:bank",)), History(silent_until=2e9)):
                answer = ask(at, who, past, pack=pack)
                if isinstance(answer, Refused):
                    assert len(cited(pack, answer.rule)) >= 10
                    rules.add(answer.rule)
    assert {"hours", "weekday", "stop", "lender_stop", "silent"} <= rules
