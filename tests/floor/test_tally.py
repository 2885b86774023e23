"""The day so far: how far calls came, what was said, what agents did, what rules cost."""

import json
from dataclasses import replace

import pytest

from dialer.errors import BadInput
from dialer.floor.tally import MOST_BETWEEN_S, WORDS_MOST, Day, Tally
from dialer.model import Agent, AgentState, Fact, Outcome, Refused, Side, Verdict
from tests.floor.test_floor import attempt
from tests.packs import moment

T0 = moment("2026-11-23 10:00:00", "Asia/Jakarta")
ONE = attempt("a", T0)


def verdict(outcome: Outcome, live: bool = False, conversation: bool = False) -> Verdict:
    return Verdict(outcome, Side.DEBTOR, "x", live=live, conversation=conversation)


TALKED = verdict(Outcome.CONNECTED, live=True, conversation=True)


def test_the_funnel() -> None:
    tally = Tally("Asia/Jakarta")
    tally.ended(ONE, verdict(Outcome.BUSY), (), T0)
    tally.ended(ONE, verdict(Outcome.NOT_PLACED), (), T0)
    tally.ended(ONE, verdict(Outcome.ABANDONED, live=True), (), T0)
    tally.ended(replace(ONE, disposition="wrong_person"), verdict(Outcome.CONNECTED, live=True), (), T0)
    tally.ended(replace(ONE, disposition="promise:2026-12-01;500000"), TALKED, (), T0)
    facts = tuple(
        Fact(seq, T0, name, value)
        for seq, name, value in (
            (3, "promise", "2026-12-02;250000"), (1, "verified", ""), (2, "promise", "2026-12-02;1"), (4, "step", "")
        )
    )  # fmt: skip
    tally.ended(replace(ONE, kind="inbound"), verdict(Outcome.IVR, conversation=True), facts, T0)
    day = tally.day
    assert (day.dialled, day.answered, day.served, day.right, day.promises) == (4, 3, 2, 2, 2)
    assert day.promised == {"IDR": 750000}
    assert (day.choices, day.results) == ({"promise": 1}, {"wrong_person": 1, "promise": 1})


def test_a_promise_without_a_sum_counts() -> None:
    tally = Tally("Asia/Jakarta")
    for said in ("promise", "promise:2026-12-01", "promise:soon;x"):
        tally.ended(replace(ONE, disposition=said), TALKED, (), T0, "USD")
    assert (tally.day.promises, tally.day.promised) == (3, {"USD": 0})


def test_what_rules_cost() -> None:
    tally = Tally("Asia/Jakarta")
    tally.refused([Refused("hours", T0), Refused("budget", T0), Refused("hours", T0)], T0)
    assert tally.day.refused == {"hours": 2, "budget": 1}
    tally.refused([Refused(f"rule {number}", T0) for number in range(WORDS_MOST)], T0)
    assert len(tally.day.refused) == WORDS_MOST


def test_utilisation() -> None:
    tally = Tally("Asia/Jakarta")
    agents = [Agent(str(at), "a", state=state) for at, state in enumerate(AgentState)]
    assert tally.day.utilisation is None
    for at in range(11):
        tally.saw(agents, T0 + at)
    assert tally.day.spent_s == {state.value: 10.0 for state in AgentState if state is not AgentState.SIGNED_OUT}
    assert tally.day.utilisation == pytest.approx(0.8)
    tally.saw(agents, T0 + 11 + MOST_BETWEEN_S)  # the engine slept: nobody knows what they did
    tally.saw(agents, T0)
    assert sum(tally.day.spent_s.values()) == pytest.approx(10.0 * (len(AgentState) - 1))


def test_a_day_ends_at_midnight_there() -> None:
    tally = Tally("Asia/Jayapura")
    last = moment("2026-11-23 23:59:59", "Asia/Jayapura")
    tally.ended(ONE, TALKED, (), last)
    tally.ended(ONE, TALKED, (), last + 0.9)
    assert (tally.day.date, tally.day.dialled) == ("2026-11-23", 2)
    assert tally.shown(last + 1.0)["dialled"] == 0
    tally.ended(ONE, TALKED, (), last)  # the clock was set back
    assert (tally.day.date, tally.day.dialled) == ("2026-11-24", 1)


def test_a_successor_goes_on() -> None:
    first, second = Tally("Asia/Jakarta"), Tally("Asia/Jakarta")
    first.ended(replace(ONE, disposition="promise:2026-12-01;5"), TALKED, (Fact(1, T0, "pay_now"),), T0)
    first.refused([Refused("hours", T0)], T0)
    first.saw([Agent("101", "a", state=AgentState.IDLE)], T0)
    first.saw([Agent("101", "a", state=AgentState.IDLE)], T0 + 1)
    second.load(json.loads(json.dumps(first.dump())))
    assert second.day == first.day
    assert second.shown(T0 + 2) == first.shown(T0 + 2)
    second.ended(ONE, TALKED, (), T0 + 86400)
    assert second.day.dialled == 1


@pytest.mark.parametrize("kept", [{}, {"v": 2}, {"v": 1, "dialled": "many"}, {"v": 1, "refused": {"a": []}}])
def test_what_cannot_be_read_changes_nothing(kept: dict[str, object]) -> None:
    tally = Tally("Asia/Jakarta")
    tally.refused([Refused("hours", T0)], T0)
    with pytest.raises(BadInput):
        tally.load(kept)
    assert tally.day == Day("2026-11-23", refused={"hours": 1})
