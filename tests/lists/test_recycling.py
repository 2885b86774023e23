"""When a contact is called again and on which number: tables of the rules, then properties over any of them."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.lists.outlook import Outlook
from dialer.lists.recycling import (
    ANOTHER_DAY_S,
    DEFAULTS,
    HOUR_S,
    MISSED_S,
    NEXT_NUMBER_S,
    SPENT,
    recycle,
    rule_for,
)
from dialer.model import (
    CALL_BACK,
    Attempt,
    Campaign,
    Contact,
    DayPart,
    NextNumber,
    Number,
    NumberState,
    Outcome,
    Recycle,
    Retry,
    Side,
    Verdict,
)

WIB = timezone(timedelta(hours=7))
AT = datetime(2026, 11, 23, 10, tzinfo=WIB).timestamp()  # a Monday
HOME, WORK, OTHER = Number("+6281", "a"), Number("+6282", "b"), Number("+6283", "c")
CONTACT = Contact("k1", "p1", (HOME, WORK, OTHER))
CAMPAIGN = Campaign("c", "Campaign")
ANY = Outlook(WIB)


def by_day(at: float) -> float:
    """Monday to Saturday from 8 to 20 o'clock in Jakarta."""
    local = datetime.fromtimestamp(at, WIB)
    if local.hour >= 20:
        local = (local + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
    elif local.hour < 8:
        local = local.replace(hour=8, minute=0, second=0, microsecond=0)
    if local.weekday() == 6:
        local = (local + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
    return max(at, local.timestamp())


LAW = Outlook(WIB, by_day)


def called(number: Number = HOME, at: float = AT, **fields: object) -> Attempt:
    one = Attempt("01k", "c", "n", "predictive", "t", "", "id", "p", "k1", "p1", number, claimed_at=at - 30)
    return replace(one, ended_at=at, **fields)  # type: ignore[arg-type]


def judged(outcome: Outcome, after_s: float | None = None, campaign: Campaign = CAMPAIGN, **fields: object) -> Verdict:
    """As outcomes.verdict says it: with the rule's first delay."""
    delay = rule_for(campaign, outcome).after_s if after_s is None else after_s
    one = Verdict(outcome, Side.DEBTOR, "because", retry_at=AT + delay)
    return replace(one, **fields)  # type: ignore[arg-type]


def with_rule(outcome: Outcome, rule: Recycle, **fields: object) -> Campaign:
    return replace(CAMPAIGN, recycle={outcome.value: rule}, **fields)  # type: ignore[arg-type]


def local(at: float) -> str:
    return f"{datetime.fromtimestamp(at, WIB):%a %H:%M}"


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=WIB).timestamp()


# ---- when


def test_the_delay_grows_with_each_attempt_that_ended_so() -> None:
    campaign = with_rule(Outcome.NO_ANSWER, Recycle(4 * HOUR_S, factor=1.5, times=6))
    contact, delays = CONTACT, []
    for _ in range(6):
        contact, found = recycle(campaign, contact, called(), judged(Outcome.NO_ANSWER, campaign=campaign), AT, ANY)
        delays.append((found.retry_at - AT) / HOUR_S if found.retry_at else found.rests)
    assert delays == [4.0, 6.0, 9.0, 13.5, 20.25, "times"]
    assert contact.tries == 6
    assert contact.came == (("no_answer", 6),)


def test_each_outcome_counts_for_itself_and_all_together() -> None:
    contact = CONTACT
    seen = []
    for outcome in [Outcome.BUSY, Outcome.NO_ANSWER] * 7:
        contact, found = recycle(CAMPAIGN, contact, called(), judged(outcome), AT, ANY)
        seen.append(found.rests)
    assert seen[:10] == [""] * 10
    assert seen[10] == "times"  # the sixth busy
    assert contact.tries == 14
    few = replace(CAMPAIGN, tries_max=2)
    once, first = recycle(few, CONTACT, called(), judged(Outcome.BUSY), AT, ANY)
    _, second = recycle(few, once, called(), judged(Outcome.NO_ANSWER), AT, ANY)
    assert (first.rests, second.rests) == ("", "tries")


def test_a_rule_of_old_counts_all_tries() -> None:
    old = replace(CAMPAIGN, retries={"busy": Retry(60, 2)})
    once, first = recycle(old, CONTACT, called(), judged(Outcome.NO_ANSWER), AT, ANY)
    assert first.retry_at > AT
    _, second = recycle(old, once, called(), judged(Outcome.BUSY, campaign=old), AT, ANY)
    assert (second.retry_at, second.rests) == (0.0, "tries")
    _, alone = recycle(old, CONTACT, called(), judged(Outcome.BUSY, campaign=old), AT, ANY)
    assert alone.retry_at == AT + 60
    new = replace(old, recycle={"busy": Recycle(90)})
    assert rule_for(new, Outcome.BUSY).after_s == 90


def test_our_own_fault_changes_nothing_but_the_time() -> None:
    owed = replace(CONTACT, callback_at=AT - 10, callback_agent="101", tries=99)
    kept, found = recycle(CAMPAIGN, owed, called(), judged(Outcome.TRUNK_DOWN, count=False), AT, ANY)
    assert kept == owed
    assert found.retry_at == AT + 120


@pytest.mark.parametrize(
    ("tried", "when", "part", "expected"),
    [
        ("2026-11-23T09:00", "2026-11-23T10:00", DayPart.ANY, "Mon 10:00"),
        ("2026-11-23T09:00", "2026-11-23T10:00", DayPart.OTHER, "Mon 12:00"),
        ("2026-11-23T09:00", "2026-11-23T12:30", DayPart.OTHER, "Mon 12:30"),
        ("2026-11-23T17:00", "2026-11-23T19:30", DayPart.OTHER, "Tue 08:00"),
        ("2026-11-28T17:00", "2026-11-28T21:00", DayPart.OTHER, "Mon 08:00"),  # over a Sunday
        ("2026-11-23T09:00", "2026-11-23T09:30", DayPart.BEST, "Mon 18:00"),
        ("2026-11-23T09:00", "2026-11-23T18:20", DayPart.BEST, "Mon 18:20"),
        ("2026-11-23T09:00", "2026-11-23T19:00", DayPart.BEST, "Tue 18:00"),
    ],
)
def test_another_part_of_the_day_or_the_best_hour(tried: str, when: str, part: DayPart, expected: str) -> None:
    def evening(number: Number, hours: Sequence[int]) -> int:
        return 18 if 18 in hours else hours[0]

    rule = Recycle(HOUR_S, day_part=part)
    verdict = judged(Outcome.BUSY, at(when) - AT)
    attempt = replace(called(), claimed_at=at(tried))
    outlook = replace(LAW, best_hour=evening)
    _, found = recycle(with_rule(Outcome.BUSY, rule), CONTACT, attempt, verdict, at(tried), outlook)
    assert local(found.retry_at) == expected


def test_never_after_the_list_has_expired() -> None:
    for outcome in (Outcome.BUSY, Outcome.TRUNK_DOWN):
        verdict = judged(outcome, count=outcome is Outcome.BUSY)
        for late, rests in ((1, ""), (0, "expired"), (-1, "expired")):
            contact = replace(CONTACT, expires=verdict.retry_at + late)
            _, found = recycle(CAMPAIGN, contact, called(), verdict, AT, ANY)
            assert found.rests == rests
            assert bool(found.retry_at) is not bool(rests)


# ---- on which number


@pytest.mark.parametrize(
    ("wanted", "turn", "states", "expected"),
    [
        (NextNumber.STAY, HOME, "u u u", 0),
        (NextNumber.NEXT, HOME, "u u u", 1),
        (NextNumber.NEXT, OTHER, "u u u", 0),
        (NextNumber.NEXT, HOME, "u d u", 2),
        (NextNumber.NEXT, HOME, "u d s", 0),
        (NextNumber.STAY, WORK, "u w u", 2),
        (NextNumber.BEST, HOME, "u u g", 2),
        (NextNumber.BEST, HOME, "u u u", 1),  # the chance is best there
        (NextNumber.BEST, HOME, "u d u", 0),
        (NextNumber.NEXT, HOME, "d w s", -1),
    ],
)
def test_which_number(wanted: NextNumber, turn: Number, states: str, expected: int) -> None:
    word = {state.value[0]: state for state in NumberState}
    numbers = tuple(
        replace(one, state=word[letter]) for one, letter in zip(CONTACT.numbers, states.split(), strict=True)
    )
    outlook = replace(ANY, chance=lambda number, _: {"a": 0.2, "b": 0.5, "c": 0.1}[number.key])
    campaign = with_rule(Outcome.BUSY, Recycle(60, number=wanted))
    contact = replace(CONTACT, numbers=numbers)
    kept, found = recycle(campaign, contact, called(turn), judged(Outcome.BUSY, campaign=campaign), AT, outlook)
    if expected < 0:
        assert (found.retry_at, found.rests) == (0.0, "no_number")
    else:
        assert (kept.next_number, found.rests) == (expected, "")


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        ({"conversation": True, "live": True}, NumberState.GOOD),
        ({"dead": True, "retry_at": 0.0}, NumberState.DEAD),
        ({"wrong_person": True, "retry_at": 0.0}, NumberState.WRONG_PERSON),
        ({"stop": True, "rests": "stop", "retry_at": 0.0}, NumberState.STOP),
        ({"stop": True, "wrong_person": True, "rests": "stop", "retry_at": 0.0}, NumberState.STOP),
        ({}, NumberState.UNTRIED),
    ],
)
def test_what_is_learnt_of_the_number(flags: dict[str, object], state: NumberState) -> None:
    kept, found = recycle(CAMPAIGN, CONTACT, called(WORK), judged(Outcome.CONNECTED, **flags), AT, ANY)  # type: ignore[arg-type]
    assert [one.state for one in kept.numbers] == [NumberState.UNTRIED, state, NumberState.UNTRIED]
    if flags.get("dead") or (flags.get("wrong_person") and not flags.get("stop")):
        assert (kept.next_number, found.retry_at, found.rests) == (2, AT + NEXT_NUMBER_S, "")


def test_when_no_number_is_left_he_rests() -> None:
    contact = CONTACT
    gone = judged(Outcome.INVALID_NUMBER, dead=True, retry_at=0.0)
    for number, rests in ((HOME, ""), (WORK, ""), (OTHER, "no_number")):
        contact, found = recycle(CAMPAIGN, contact, called(number), gone, AT, ANY)
        assert found.rests == rests
    assert {one.state for one in contact.numbers} == {NumberState.DEAD}


def test_a_number_not_found_leaves_the_turn_to_others_and_is_asked_on_another_day() -> None:
    contact, when, tried = CONTACT, AT, []
    for _ in range(4):
        number = contact.numbers[contact.next_number]
        tried.append((number.key, round((when - AT) / HOUR_S)))
        verdict = replace(judged(Outcome.INVALID_NUMBER), retry_at=when + NEXT_NUMBER_S)
        contact, found = recycle(CAMPAIGN, contact, called(number, when), verdict, when, ANY)
        when = found.retry_at
    assert tried == [("a", 0), ("b", 0), ("c", 0), ("a", ANOTHER_DAY_S // HOUR_S)]
    there, _ = recycle(CAMPAIGN, contact, called(contact.numbers[0]), judged(Outcome.BUSY), AT, ANY)
    assert there.numbers[0].not_found_at == 0.0
    assert there.numbers[1].not_found_at > 0.0


# ---- call-backs


def test_the_minute_he_chose_comes_before_all_limits() -> None:
    asked = at("2026-11-23T16:15")
    tired = replace(CONTACT, tries=99, came=(("connected", 9),))
    talked = called(WORK, agent="101")
    wish = judged(Outcome.CONNECTED, callback_at=asked, retry_at=asked, silent_until=asked, conversation=True)
    kept, found = recycle(CAMPAIGN, tired, talked, wish, AT, LAW)
    assert (kept.callback_at, kept.callback_agent, kept.next_number) == (asked, "101", 1)
    assert (found.retry_at, found.callback_at) == (asked, asked)


@pytest.mark.parametrize(
    ("asked", "moved"),
    [("2026-11-23T20:00", "Tue 08:00"), ("2026-11-29T12:00", "Mon 08:00"), ("2026-11-24T07:59", "Tue 08:00")],
)
def test_a_minute_outside_the_hours_is_moved_and_that_can_be_seen(asked: str, moved: str) -> None:
    wish = judged(Outcome.CONNECTED, callback_at=at(asked), retry_at=at(asked))
    kept, found = recycle(CAMPAIGN, CONTACT, called(), wish, AT, LAW)
    assert found.callback_at == at(asked)
    assert local(found.retry_at) == moved
    assert kept.callback_at == found.retry_at


def test_a_wish_that_cannot_be_is_an_ordinary_recycling() -> None:
    wish = judged(Outcome.CONNECTED, callback_at=AT + 60)
    for outlook, verdict in (
        (replace(ANY, opening=lambda _: math.inf), wish),
        (ANY, replace(wish, silent_until=AT + 9e5, retry_at=AT + 9e5)),  # he has promised as well
    ):
        kept, found = recycle(CAMPAIGN, CONTACT, called(), verdict, AT, outlook)
        assert kept.callback_at == 0.0
        assert found.retry_at == verdict.retry_at
    kept, found = recycle(CAMPAIGN, replace(CONTACT, expires=AT + 60), called(), wish, AT, ANY)
    assert (kept.callback_at, found.rests) == (0.0, "expired")


def test_a_missed_call_back_is_tried_soon_once_more_and_then_as_anybody() -> None:
    owed = replace(CONTACT, callback_at=AT - 30, callback_agent="101")
    missed = called(kind=CALL_BACK)
    kept, found = recycle(CAMPAIGN, owed, missed, judged(Outcome.NO_ANSWER), AT, LAW)
    assert (kept.callback_at, kept.next_number, found.retry_at) == (0.0, 0, AT + MISSED_S)
    kept, found = recycle(CAMPAIGN, kept, called(), judged(Outcome.NO_ANSWER), AT, LAW)
    assert (kept.next_number, local(found.retry_at)) == (1, "Mon 14:00")
    _, reached = recycle(CAMPAIGN, owed, missed, judged(Outcome.CONNECTED, conversation=True), AT, LAW)
    assert reached.retry_at == AT + DEFAULTS[Outcome.CONNECTED].after_s


# ---- any of them

moments = st.one_of(st.just(0.0), st.floats(AT - 1e6, AT + 1e6))
rules = st.builds(
    Recycle, st.integers(1, 10**6), st.floats(1.0, 10.0), st.integers(1, 9), st.sampled_from(NextNumber),
    st.sampled_from(DayPart),
)  # fmt: skip
words = st.sampled_from([one.value for one in Outcome])
campaigns = st.builds(
    Campaign,
    id=st.just("c"),
    name=st.just("C"),
    retries=st.dictionaries(words, st.builds(Retry, st.integers(1, 9999), st.integers(1, 9)), max_size=3),
    recycle=st.dictionaries(words, rules, max_size=8),
    tries_max=st.integers(1, 20),
)
numbers = st.lists(
    st.builds(Number, st.just("+62"), st.sampled_from("abc"), state=st.sampled_from(NumberState), not_found_at=moments),
    max_size=4,
).map(tuple)
listed = st.builds(
    Contact,
    id=st.just("k"), person=st.just("p"), numbers=numbers, tries=st.integers(0, 25), next_number=st.integers(0, 9),
    expires=moments, callback_at=moments,
    came=st.lists(st.tuples(words, st.integers(0, 12)), max_size=3, unique_by=lambda one: one[0]).map(tuple),
)  # fmt: skip
attempts = st.builds(called, st.sampled_from([HOME, WORK, OTHER]), kind=st.sampled_from(["predictive", CALL_BACK]))
verdicts = st.builds(
    judged,
    st.sampled_from(Outcome),
    st.floats(1, 1e6),
    live=st.booleans(), conversation=st.booleans(), dead=st.booleans(), wrong_person=st.booleans(),
    stop=st.booleans(), count=st.booleans(), silent_until=st.one_of(moments, st.just(4e12)), callback_at=moments,
    rests=st.sampled_from(["", "", "stop", "paid"]),
)  # fmt: skip
zones: st.SearchStrategy[tzinfo] = st.sampled_from([UTC, WIB, timezone(timedelta(hours=-12, minutes=-15))])
outlooks = st.builds(
    Outlook,
    zones,
    st.sampled_from([lambda at: at, by_day, lambda at: math.inf, lambda at: math.nan, lambda at: at + 3600.0]),
    st.sampled_from([lambda number, hours: hours[-1], lambda number, hours: 99]),
)


@given(campaigns, listed, attempts, verdicts, outlooks)
def test_recycling_is_total_and_keeps_its_word(
    campaign: Campaign, contact: Contact, attempt: Attempt, verdict: Verdict, outlook: Outlook
) -> None:
    verdict = replace(verdict, retry_at=max(verdict.retry_at, verdict.silent_until, verdict.callback_at))
    kept, found = recycle(campaign, contact, attempt, verdict, AT, outlook)
    assert (kept, found) == recycle(campaign, contact, attempt, verdict, AT, outlook)
    assert bool(found.rests) is not bool(found.retry_at)
    if not found.retry_at:
        return
    assert kept.numbers
    assert not verdict.count or kept.numbers[kept.next_number].state not in SPENT
    assert found.retry_at > AT
    assert not contact.expires or found.retry_at < contact.expires
    assert found.retry_at >= verdict.silent_until
    if kept.callback_at and verdict.count:
        assert found.retry_at == kept.callback_at >= verdict.callback_at
        return
    if not (verdict.dead or verdict.wrong_person or (attempt.kind == CALL_BACK and verdict.count)):
        assert found.retry_at >= verdict.retry_at
    if verdict.count and not (verdict.callback_at and found.retry_at == outlook.opening(verdict.callback_at)):
        came, word = dict(kept.came), verdict.outcome.value
        old = word in campaign.retries and word not in campaign.recycle
        assert kept.tries < (campaign.retries[word].times if old else campaign.tries_max)
        assert old or came[word] < rule_for(campaign, verdict.outcome).times


@given(campaigns, st.lists(st.tuples(st.sampled_from(Outcome), st.booleans()), max_size=40))
def test_nobody_is_called_for_ever(campaign: Campaign, ends: list[tuple[Outcome, bool]]) -> None:
    contact, attempts_made = CONTACT, 0
    for outcome, dead in ends:
        number = contact.numbers[contact.next_number]
        assert number.state not in SPENT
        attempts_made += 1
        verdict = judged(outcome, campaign=campaign, dead=dead)
        contact, found = recycle(campaign, contact, called(number), verdict, AT, LAW)
        if not found.retry_at:
            break
    assert attempts_made <= max(20, campaign.tries_max)
