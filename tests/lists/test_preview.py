"""A day foretold: the same as asking the gate every minute, by a handful of questions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.law.rulebook import all_caps
from dialer.lists.preview import (
    CALLABLE,
    LATER,
    NO_NUMBER,
    Ask,
    Case,
    Preview,
    Standing,
    add,
    citation,
    day_of,
    gate_of,
    look,
    sentence,
    spans_of,
)
from dialer.model import Campaign, Contact, History, Kind, Mode, Number, NumberKind, NumberState, Permission
from tests import packs

MONDAY = date(2026, 11, 23)
MIDNIGHT = packs.moment("2026-11-23 00:00:00")
DAY_S, HOUR_S = 86_400.0, 3600.0
PACK = packs.indonesia(date(2026, 12, 25))
DAY = day_of(MONDAY, "Asia/Jakarta", 0.0)
ONE, TWO = Number("+6281200000001", "n1"), Number("+6281200000002", "n2")
WHO = Contact("k1", "p1", (ONE,), zone="Asia/Jakarta")


class Counted:
    """The gate, and how often it was asked."""

    def __init__(self) -> None:
        self.times = 0
        self._ask = gate_of(Campaign("c1", "c1"), PACK)

    def __call__(self, contact: Contact, number: Number, person: History, past: History, at: float) -> Permission:
        self.times += 1
        return self._ask(contact, number, person, past, at)


def rules(case: Case, ask: Ask | None = None) -> list[str]:
    return [span.rule for span in spans_of(case, ask or Counted(), DAY.begins, DAY.ends, {})]


def at_clock(case: Case) -> list[tuple[str, str]]:
    """(clock, rule) of each span."""
    spans = spans_of(case, Counted(), DAY.begins, DAY.ends, {})
    return [(f"{(span.begins - MIDNIGHT) / HOUR_S:05.2f}", span.rule) for span in spans]


def test_a_plain_day_costs_three_questions() -> None:
    ask = Counted()
    assert rules(Case(WHO), ask) == ["hours", CALLABLE, "hours"]
    assert ask.times == 3


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (Case(replace(WHO, zone="Asia/Jayapura")), [("00.00", "hours"), ("06.00", CALLABLE), ("17.97", "hours")]),
        (Case(replace(WHO, zone="")), [("00.00", "hours"), ("08.00", CALLABLE), ("17.97", "hours")]),
        (Case(WHO, History(stop=True)), [("00.00", "stop")]),
        (
            Case(WHO, History(silent_until=MIDNIGHT + 10 * HOUR_S)),
            [("00.00", "silent"), ("10.00", CALLABLE), ("19.97", "hours")],
        ),
        (
            Case(WHO, due=MIDNIGHT + 10 * HOUR_S),
            [("00.00", "hours"), ("08.00", LATER), ("10.00", CALLABLE), ("19.97", "hours")],
        ),
        (Case(WHO, standing=Standing.RESTS), [("00.00", "rests")]),
        (Case(WHO, standing=Standing.UNDER_WAY), [("00.00", "under_way")]),
        (Case(replace(WHO, numbers=())), [("00.00", NO_NUMBER)]),
        (Case(replace(WHO, numbers=(replace(ONE, state=NumberState.DEAD),))), [("00.00", "dead_number")]),
        (Case(replace(WHO, numbers=(replace(ONE, kind=NumberKind.EMERGENCY),))), [("00.00", "number_kind")]),
    ],
)
def test_what_a_day_brings(case: Case, expected: list[tuple[str, str]]) -> None:
    assert at_clock(case) == expected


def test_of_several_numbers_one_is_enough() -> None:
    both = replace(WHO, numbers=(ONE, TWO))
    never, noon = History(stop=True), History(silent_until=MIDNIGHT + 12 * HOUR_S)
    assert rules(Case(both, numbers=(never, History()))) == rules(Case(WHO))
    assert at_clock(Case(both, numbers=(never, noon)))[1:] == [("12.00", CALLABLE), ("19.97", "hours")]
    assert rules(Case(both, numbers=(never, never))) == ["number_stop"]


def test_where_an_agent_is_held_for_this_very_call_who_was_abandoned_may_be_called() -> None:
    past = History(abandoned_at=MIDNIGHT - 3600)
    case, wished = Case(WHO, past), Case(replace(WHO, callback_at=MIDNIGHT + 9 * HOUR_S), past)
    called, silent = ["hours", CALLABLE, "hours"], ["after_abandoned"]
    for mode, expected in ((Mode.PREDICTIVE, silent), (Mode.PROGRESSIVE, silent), (Mode.PREVIEW, called)):
        assert rules(case, gate_of(Campaign("c1", "c1", mode=mode), PACK)) == expected
        assert rules(wished, gate_of(Campaign("c1", "c1", mode=mode), PACK)) == called
    ivr = Campaign("c1", "c1", kind=Kind.IVR, mode=Mode.IVR)
    assert rules(wished, gate_of(ivr, PACK)) == silent


TIMES = st.lists(st.integers(-8 * 24 * 60, 0).map(lambda minutes: MIDNIGHT + 60.0 * minutes), max_size=8).map(tuple)
PASTS = st.builds(
    History,
    attempts=TIMES,
    conversations=st.one_of(st.just(()), TIMES),
    stop=st.sampled_from((False, False, False, True)),
    silent_until=st.sampled_from((0.0, MIDNIGHT + 9.5 * HOUR_S, MIDNIGHT + 30 * HOUR_S)),
)


@settings(max_examples=60)
@given(
    person=PASTS,
    pasts=st.lists(PASTS, min_size=2, max_size=2),
    zone=st.sampled_from(("Asia/Jakarta", "Asia/Jayapura", "", "Europe/Paris")),
    due=st.sampled_from((0.0, MIDNIGHT + 11.5 * HOUR_S)),
)
def test_it_is_what_asking_every_minute_says(person: History, pasts: list[History], zone: str, due: float) -> None:
    case = Case(replace(WHO, zone=zone, numbers=(ONE, TWO)), person, tuple(pasts), due)
    ask = Counted()
    spans = spans_of(case, ask, DAY.begins, DAY.ends, {})
    assert [span.begins for span in spans[1:]] == [span.ends for span in spans[:-1]], "no gap"
    assert (spans[0].begins, spans[-1].ends) == (DAY.begins, DAY.ends)
    assert ask.times <= 24
    for minute in range(0, 24 * 60, 7):
        at = MIDNIGHT + 60.0 * minute + 30
        (here,) = [span.rule for span in spans if span.begins <= at < span.ends]
        now = spans_of(case, ask, at, at + 1, {})
        assert (here == CALLABLE) == (now[0].rule == CALLABLE), f"at {at}: {here}, but {now[0].rule}"


# ---- a whole list


def looked(cases: Sequence[Case], total: int | None = None, now: float = 0.0) -> Preview:
    return look(cases, Counted(), day_of(MONDAY, "Asia/Jakarta", now), total or len(cases))


LIST = (Case(WHO), Case(replace(WHO, zone="Asia/Jayapura")), Case(WHO, History(stop=True)))


def test_the_hours_of_a_list() -> None:
    seen = looked(LIST)
    assert seen.by_hour[0] == {"hours": 2, "stop": 1}
    assert seen.by_hour[6] == {CALLABLE: 1, "hours": 1, "stop": 1}
    assert seen.by_hour[12] == {CALLABLE: 2, "stop": 1}
    assert (seen.callable_some_time, seen.never, seen.sampled) == (2, {"stop": 1}, False)
    assert [sum(words.values()) for words in seen.by_hour] == [3] * 24
    assert seen.interval(2) == (2, 2)


def test_parts_are_joined() -> None:
    parts = [looked(LIST[:1], 3), looked(LIST[1:], 3)]
    joined = add(add(Preview(DAY, 3), parts[0]), parts[1])
    assert (joined.by_hour, joined.looked, joined.never) == (looked(LIST).by_hour, 3, {"stop": 1})


def test_what_is_over_is_not_foretold() -> None:
    seen = looked(LIST, now=MIDNIGHT + 15.5 * HOUR_S)
    assert [bool(words) for words in seen.by_hour] == [False] * 15 + [True] * 9
    assert looked(LIST, now=MIDNIGHT + 21 * HOUR_S).never == {"hours": 2, "stop": 1}


def test_a_sample_says_how_sure_it_is() -> None:
    seen = Preview(DAY, 100_000, looked=20_000, callable_some_time=5000)
    assert seen.sampled
    assert seen.estimate(5000) == 25_000
    low, high = seen.interval(5000)
    assert 24_300 < low < 24_500
    assert 25_500 < high < 25_700
    assert seen.interval(0)[0] == 0
    assert Preview(DAY, 10).estimate(0) == 0


def test_a_day_on_which_clocks_change() -> None:
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)):
        seen = day_of(day, "Europe/London", 0.0)
        assert len(seen.hours) == hours + 1
        assert seen.ends - seen.hours[0] == hours * HOUR_S


@pytest.mark.parametrize(
    ("rule", "says", "cites"),
    [
        ("weekday", "A day of the week", "POJK 22/2023"),
        ("person_cap_1d", "At most 3 calls to a person in 1 day.", "Operator's choice"),
        ("person_cap_1h", "At most 1 calls to a person in 1 hour.", "Operator's choice"),
        ("number_kind", "kind of number", "POJK 22/2023"),
        ("stop", "must not be called", "UU 27/2022"),
        ("expired", "may not be collected", "Operator's choice"),
        ("clock", "clock was wrong", "Santun: "),
        ("later", "set them aside", ""),
        ("person_busy", "under way", ""),
        ("made_up", "As the gate put it.", ""),
        ("unheard_of", "Rule unheard_of.", ""),
    ],
)
def test_a_rule_in_words_with_its_source(rule: str, says: str, cites: str) -> None:
    assert says in sentence(rule, PACK, {"made_up": "As the gate put it."})
    assert citation(rule, PACK).startswith(cites)
    assert bool(citation(rule, PACK)) == bool(cites)


def test_each_rule_of_each_pack_is_cited_and_put_in_words() -> None:
    for pack in packs.shipped():
        for cap in all_caps(pack):
            assert citation(cap.name, pack)
            assert sentence(cap.name, pack).startswith(f"At most {cap.count} calls to ")
        for rule in ("weekday", "zone", "number_type", "country", "lender_stop", "silent", "expired", "doubt"):
            assert citation(rule, pack), (pack.id, rule)
            assert not sentence(rule, pack).startswith("Rule ")
