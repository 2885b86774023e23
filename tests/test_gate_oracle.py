"""The gate against a second one, slow and simple (slow_gate.py), over random debtors, clocks, packs and histories."""

import math
import random
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from dialer.compliance import EARLIEST, may_call
from dialer.law.rulebook import Hours, Pack, Silence, Span
from dialer.law.windows import LATEST
from dialer.model import Allowed, Consent, Contact, History, Number, NumberKind, NumberState, Refused
from tests.packs import CALL_S, NUMBER, contact, demo, indonesia, moment, uk, us
from tests.slow_gate import legal, open_span

HOLIDAYS = (date(2026, 8, 17), date(2026, 12, 25), date(2027, 1, 1), date(2027, 3, 10))
PACKS = (indonesia(*HOLIDAYS), us(), uk(*HOLIDAYS), demo())
NUMBERS = {
    "indonesia": ("+6281234567890", "+62215551234", "+628001234567", "+62112", "+12125550123"),
    "us": ("+12125550123", "+13105550123", "+18504325123", "+18005550123", "+19075550123", "+14165550123"),
    "uk": ("+442079460018", "+447400123456", "+449098790000", "+447012345678", "+62215551234"),
    "demo": ("+6281234567890", "+62215551234"),
}
PROVINCES = ("", "FL", "Florida ", "ma", "Massachusetts", "NY", "CA", "Nowhere", "Bali")
SCOPES = ("lender:bank", "lender:other", "campaign:november", "campaign:autumn", "agency:all")
FIRST, LAST = moment("2026-02-01 00:00:00"), moment("2027-04-30 00:00:00")
DAY = 86_400.0
AT = st.integers(int(FIRST), int(LAST)).map(float)
ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "America/New_York", "Europe/London", "Asia/Kathmandu")
PATIENCE = settings(max_examples=150)


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, ...]:
    """None to two open spans of a day."""
    edges = sorted(draw(st.sets(st.sampled_from([0, 60, 150, 480, 715, 720, 780, 1200, 1260, 1439, 1440]), max_size=4)))
    return tuple(zip(edges[::2], edges[1::2], strict=False))


HOURS = st.builds(
    Hours,
    days=st.tuples(*[spans()] * 7),
    holidays=st.frozensets(st.dates(date(2026, 2, 1), date(2027, 4, 30)), max_size=30),
    years=st.sampled_from([None, frozenset({2026, 2027}), frozenset({2026})]),
)


@st.composite
def packs(draw: st.DrawFn) -> Pack:
    """One that comes along, or one with hours, zones and silences changed at random."""
    pack = draw(st.sampled_from(PACKS))
    if draw(st.booleans()):
        return pack
    silences = st.builds(Silence, st.sampled_from([0, 3600, 86_400, 7 * 86_400]), st.booleans())
    zones = draw(st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(tuple))
    return replace(
        pack,
        hours=draw(HOURS),
        other_hours=draw(st.none() | HOURS),
        zones=pack.zones if pack.regions else zones,
        conversation=draw(silences),
        after_abandoned=draw(silences),
        after_machine=draw(silences),
    )


@st.composite
def histories(draw: st.DrawFn, at: float) -> History:
    """Mostly of the last month; some of it to come, as after a clock was set back."""
    near = st.floats(-35 * DAY, 0.2 * DAY).map(lambda ago: round(at + ago))
    often = st.sampled_from([0.0, 60.0, 1800.0, 3600.0, DAY, 3 * DAY, 7 * DAY, 30 * DAY]).map(lambda ago: at - ago)
    moments = near | often
    return History(
        attempts=tuple(draw(st.lists(moments, max_size=9))),
        conversations=tuple(draw(st.lists(moments, max_size=2))),
        stop=draw(st.integers(0, 19)) == 0,
        silent_until=draw(st.just(0.0) | st.just(0.0) | st.floats(-DAY, 9 * DAY).map(lambda to: round(at + to))),
        dead=draw(st.integers(0, 19)) == 0,
        stops=tuple(draw(st.lists(st.sampled_from(SCOPES), max_size=1))) if draw(st.integers(0, 4)) == 0 else (),
        abandoned_at=draw(st.just(0.0) | moments),
        machine_at=draw(st.just(0.0) | moments),
        hardship=draw(st.booleans()),
    )


@st.composite
def debtors(draw: st.DrawFn, pack: Pack, at: float) -> Contact:
    kinds = st.just(NumberKind.DEBTOR) | st.sampled_from(NumberKind)
    states = st.just(NumberState.UNTRIED) | st.sampled_from(NumberState)
    first = st.just(NUMBERS[pack.id][0])
    number = Number(draw(first | st.sampled_from(NUMBERS[pack.id])), "n1", draw(kinds), draw(states))
    on = st.just(date(2025, 1, 1)) | st.dates(date(2026, 2, 1), date(2027, 4, 30))
    consents = st.lists(st.builds(Consent, st.sampled_from(["calls", "whereabouts"]), st.just("x"), on), max_size=3)
    others = st.just(()) | st.just((Consent("other_hours", "x", date(2025, 1, 1)),))
    chosen = st.just(0.0) | st.floats(-2 * DAY, 2 * DAY).map(lambda to: round(at + to))
    return Contact(
        id="c1",
        person="p1",
        numbers=(number,),
        zone=draw(st.just("") | st.sampled_from(pack.zones)),
        lender=draw(st.sampled_from(["", "Bank"])),
        province=draw(st.sampled_from(PROVINCES)),
        consents=tuple(draw(consents)) + draw(others) + ((Consent("calls", "x", date(2025, 1, 1)),) * draw(BIT)),
        expires=draw(st.just(0.0) | st.floats(-DAY, 20 * DAY).map(lambda to: round(at + to))),
        last_at=draw(st.just(0.0) | st.floats(-9 * DAY, DAY).map(lambda to: round(at + to))),
        callback_at=draw(chosen),
    )


BIT = st.integers(0, 1)
Case = tuple[Contact, History, History, Pack, float, float, str, bool]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    pack, at = draw(packs()), draw(AT)
    person, number = (draw(st.just(History()) | histories(at)) for _ in range(2))
    call_s = draw(st.sampled_from([0.0, 15.0, CALL_S, 120.0]))
    return (
        draw(debtors(pack, at)),
        person,
        number,
        pack,
        at,
        call_s,
        draw(st.sampled_from(["", "november"])),
        draw(st.booleans()),
    )


def ask(case: Case, at: float | None = None) -> Allowed | Refused:
    who, person, number, pack, now, call_s, campaign, guaranteed = case
    moment_ = now if at is None else at
    return may_call(
        who, who.numbers[0], person, number, pack, moment_, call_s, campaign=campaign, agent_guaranteed=guaranteed
    )


def is_legal(case: Case, at: float) -> bool:
    who, person, number, pack, _, call_s, campaign, guaranteed = case
    return legal(who, who.numbers[0], person, number, pack, at, call_s, campaign, guaranteed)


@settings(max_examples=500)
@given(case=cases())
def test_the_gate_says_what_the_slow_one_says(case: Case) -> None:
    """Allowed exactly where the slow gate finds the whole ring and its margin legal, up to the last start it tells."""
    at = case[4]
    answer = ask(case)
    assert isinstance(answer, Allowed) is is_legal(case, at), answer
    if isinstance(answer, Allowed):
        event("allowed")
        for start in (answer.must_start_by, (at + answer.must_start_by) / 2):
            if start < LATEST:
                assert is_legal(case, start)
    else:
        event(answer.rule)


@settings(max_examples=200)
@given(case=cases(), shares=st.lists(st.floats(0, 1, exclude_max=True), min_size=9, max_size=9))
def test_until_is_the_first_legal_moment(case: Case, shares: list[float]) -> None:
    """No moment before `until` is legal, as far as it is looked for; and `until` itself is legal, or asked again at."""
    at = case[4]
    answer = ask(case)
    if isinstance(answer, Allowed):
        return
    assert not math.isnan(answer.until)
    assert answer.until > at
    until = min(answer.until, at + 12 * DAY)
    for share in shares:
        between = at + share * (until - at)
        assert between >= until or not is_legal(case, between), (answer, between)
    for near in (until - 1, until - 60, at + 1):
        assert near < at or near >= until or not is_legal(case, near)
    if answer.until < math.inf and isinstance(ask(case, answer.until), Refused):
        # the only such: nothing opens as far as is looked ahead, as where holidays are not known
        assert answer.until == at + DAY
        event("asked again")


@PATIENCE
@given(case=cases(), data=st.data())
def test_more_history_never_opens_the_gate(case: Case, data: st.DataObject) -> None:
    """Monotone: whoever is refused stays refused when something is added to his past."""
    if isinstance(ask(case), Allowed):
        return
    who, person, number, pack, at, *rest = case
    more = data.draw(histories(at))
    person, number = (add(past, more) if data.draw(st.booleans()) else past for past in (person, number))
    assert isinstance(ask((who, person, number, pack, at, *rest)), Refused)  # type: ignore[arg-type]


def add(past: History, more: History) -> History:
    return History(
        attempts=past.attempts + more.attempts,
        conversations=past.conversations + more.conversations,
        stop=past.stop or more.stop,
        silent_until=max(past.silent_until, more.silent_until),
        dead=past.dead or more.dead,
        stops=past.stops + more.stops,
        abandoned_at=max(past.abandoned_at, more.abandoned_at),
        machine_at=max(past.machine_at, more.machine_at),
        hardship=past.hardship or more.hardship,
    )


@PATIENCE
@given(at=st.floats(), call_s=st.floats(), moments=st.lists(st.floats(), max_size=6), pack=st.sampled_from(PACKS))
@example(at=FIRST, call_s=CALL_S, moments=[math.nan], pack=PACKS[0])
def test_no_value_makes_the_gate_raise(at: float, call_s: float, moments: list[float], pack: Pack) -> None:
    past = History(attempts=tuple(moments), silent_until=moments[0] if moments else 0.0)
    who = replace(contact(), expires=call_s, callback_at=at, last_at=call_s)
    for one, other in ((past, History()), (History(), past)):
        answer = may_call(who, NUMBER, one, other, pack, at, call_s)
        assert isinstance(answer, Refused) or (EARLIEST <= at <= LATEST and 0 <= call_s <= 600)
        assert not isinstance(answer, Allowed) or not any(math.isnan(one) for one in moments)


# ---- ten thousand days ----------------------------------------------------------------------------------------------


def test_ten_thousand_random_days_of_the_indonesian_pack() -> None:
    """A dialer that asks as often as it may, a day at a time: it never calls outside the hours or above a cap."""
    chance = random.Random(1)
    zones = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "Asia/Pontianak", "")
    begin = moment("2025-02-01 00:00:00")
    calls, days = 0, 0
    while days < 10_000:
        pack = indonesia(*(date(2026, chance.randint(1, 12), chance.randint(1, 28)) for _ in range(20)))
        who = contact(chance.choice(zones))
        at = begin + chance.randrange(1500) * DAY
        end = min(at + 40 * DAY, moment("2030-12-01 00:00:00"))
        days += round((end - at) / DAY)
        attempts: list[float] = []
        talks: list[float] = []
        hardship = chance.random() < 0.2
        while at < end:
            past = History(tuple(attempts[-25:]), tuple(talks[-2:]), hardship=hardship)
            answer = may_call(who, NUMBER, past, past, pack, at, CALL_S)
            if isinstance(answer, Refused):
                assert answer.until > at
                at = answer.until if chance.random() < 0.8 else at + chance.random() * 7200
                continue
            for zone in [who.zone] if who.zone else pack.zones:
                assert open_span(pack.hours, zone, at, at + CALL_S + pack.margin_s)
            for cap in pack.caps:
                if hardship or not cap.hardship:
                    assert sum(at - one < cap.window_s for one in attempts) < cap.count
            assert not talks or at - talks[-1] >= DAY
            attempts.append(at)
            calls += 1
            if chance.random() < 0.1:
                talks.append(at + 60)
            at += 60 + chance.random() * 600
    assert calls > 2_000


@pytest.mark.parametrize("zone", ["", "Asia/Jakarta", "Asia/Jayapura"])
def test_a_hundred_thousand_minutes_of_the_indonesian_pack(zone: str) -> None:
    pack = PACKS[0]
    who = contact(zone)
    zones = [zone] if zone else list(pack.zones)
    for minute in range(0, 200_000, 13):
        at = moment("2026-08-01 00:00:00") + minute * 60
        inside = all(open_span(pack.hours, one, at, at + CALL_S + pack.margin_s) for one in zones)
        assert isinstance(may_call(who, NUMBER, History(), History(), pack, at, CALL_S), Allowed) is inside
