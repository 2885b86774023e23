"""The invented world: its books balance, a seed is always the same people, gate and tables hold, no cap is passed."""

from dataclasses import replace

import pytest

from dialer.calls import Word
from dialer.model import AgentState, Mode, Outcome
from dialer.pace.snapshot import Decision, Kind, PacingEvent, Snapshot, Working
from dialer.pacing import Limits, Pacer
from dialer.simulation.gate import Gate
from dialer.simulation.leads import Leads
from dialer.simulation.result import Result, Tally
from dialer.simulation.rules import begin_of, pack_of
from dialer.simulation.scenario import SCENARIOS, STEADY
from dialer.simulation.team import Day, Defect
from dialer.simulation.world import World

SMALL = replace(STEADY, agents=6, hours=0.6)


def world_of(name: str = "steady", mode: Mode = Mode.PROGRESSIVE, seed: int = 1, **more: object) -> World:
    scenario = replace(SCENARIOS[name], **({"agents": 6, "hours": 0.6} | more))  # type: ignore[arg-type]
    limits = Limits(mode, lines_max=scenario.lines, lines_per_agent_max=10.0, calls_per_second=scenario.cps)
    return World(scenario, Pacer(limits, seed), seed, gap_s=1.0, keep=True)


class Flood:
    """A policy that wants calls and calls again."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.seen: list[Snapshot] = []
        self.heard: list[PacingEvent] = []

    def observe(self, event: PacingEvent) -> None:
        self.heard.append(event)

    def decide(self, snapshot: Snapshot) -> Decision:
        self.seen.append(snapshot)
        return Decision(self.calls, (), "", {})


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_books_balance(name: str) -> None:
    world = world_of(name)
    result = world.run()
    assert result.live == result.connected + result.abandoned + len(world._waiting)
    assert result.launched > result.live > 0
    assert sum(result.outcomes.values()) + len(world.network.calls) == result.launched
    assert result.outcomes.get(Outcome.ABANDONED, 0) == result.abandoned
    assert 0 < result.utilisation < 1
    assert result.busy_s + result.idle_s <= 6 * 0.6 * 3600
    assert result.most_lines <= world.scenario.lines
    assert max(result.waits) <= world.scenario.wait_s
    assert result.reached <= result.right_party <= result.connected
    assert result.tried == result.launched <= result.leads  # nobody's second turn came
    assert result.passed_over == 0


def test_the_same_seed_is_the_same_shift() -> None:
    assert (once := world_of(seed=3).run()) == world_of(seed=3).run()
    assert once != world_of(seed=4).run()


def test_two_pacers_meet_the_same_people() -> None:
    one, other = (world_of("drifting", mode).people for mode in (Mode.PROGRESSIVE, Mode.PREDICTIVE))
    assert isinstance(one, Leads)
    assert isinstance(other, Leads)
    assert [one.fate(5, 0, 9.0), one.fate(7, 2, 9.0)] == [other.fate(5, 0, 9.0), other.fate(7, 2, 9.0)]
    assert one.chance(9, 100.0) == other.chance(9, 100.0)
    assert one.past() == other.past()


def test_about_as_many_answer_as_the_scenario_says() -> None:
    result = world_of(agents=20, hours=0.5).run()
    assert result.live / result.launched == pytest.approx(STEADY.answer_rate, abs=0.05)


def test_one_call_per_agent_abandons_next_to_nobody() -> None:
    assert world_of("shocks").run().abandon_rate < 0.01


def test_a_fate_is_as_the_scenario_says() -> None:
    leads = Leads(replace(STEADY, agents=5, outages=((1.0, 10),)), 1)
    fates = [leads.fate(lead, 0, 0.0) for lead in range(4000)]
    for kind, share in ((Kind.FAILED, 0.08), (Kind.BUSY, 0.05)):
        assert sum(fate.ends is kind for fate in fates) / 4000 == pytest.approx(share, abs=0.02)
    assert sum(fate.person for fate in fates) / 4000 == pytest.approx(0.28, abs=0.04)
    assert all(fate.live_after_s < 60 for fate in fates if fate.live)
    assert leads.fate(1, 0, 3700.0).ends is Kind.FAILED


# ---- the gate


def gate_of(hours: float = 8.0) -> tuple[Gate, Result]:
    result, pack = Result(), pack_of()
    return Gate(Leads(replace(STEADY, agents=0), 1, pack.zones), pack, begin_of(pack, hours), 40.0, result), result


@pytest.mark.parametrize("hours", [0.5, 8.0])
def test_the_shift_lies_within_the_hours_of_every_zone(hours: float) -> None:
    gate, result = gate_of(hours)
    for lead in range(200):
        gate.next(0.0 if lead % 2 else hours * 3600 - 1, lead)
    assert len(gate.tries) > 190
    assert not result.refused.keys() - {"stop"}
    assert gate.begin > gate_of(12.0)[0].begin


def test_a_shift_beyond_the_hours_is_refused() -> None:
    gate, result = gate_of(12.0)
    assert gate.next(13 * 3600.0) is None
    assert result.refused["hours"] > 380


def test_the_gate_hands_out_nobody_again_within_the_hour() -> None:
    gate, result = gate_of()
    first = [gate.next(0.0) for _ in range(400)]
    called = [one.id for one in first if one is not None]
    assert 380 < len(called) == len(set(called))
    assert result.refused["person_cap_1h"] == len(called)
    assert gate.next(3599.0) is None
    assert gate.next(3601.0) is not None
    gate.close()
    assert (result.leads, result.tried, result.passed_over) == (400, len(called), 0)


def test_the_gate_is_asked_for_the_one_who_was_chosen() -> None:
    gate, result = gate_of()
    chosen = gate.next(0.0, 7)
    assert chosen is not None
    assert chosen.id == "7"
    gate.talked(7, 10.0)
    assert gate.next(4000.0, 7) is None
    assert result.refused == {"conversation": 1}
    gate.close()
    assert result.passed_over == 7


# ---- the tables


def test_a_word_that_the_table_does_not_know_is_loud() -> None:
    world = world_of()
    while not world.network.calls:
        world.queue.step() if world.queue.soonest < world.queue.at + 1 else world._decide()
        world.queue.at += 1.0
    call = next(iter(world.network.calls.values()))
    with pytest.raises(Defect, match="the table knows no recorded there"):
        world.network._happens(call, Word.RECORDED)
    person = world.team.people[0]
    person.agent = replace(person.agent, state=AgentState.BREAK)
    with pytest.raises(Defect, match="agent 100 is break: the table knows no reserve there"):
        world.team.take(person, call.id, 1.0, 1.0, True)


# ---- the end of the shift


def test_at_the_end_everybody_goes_home_and_who_answers_then_is_abandoned() -> None:
    flood, scenario = Flood(3), replace(SMALL, hours=0.3, drain=True)
    world = World(scenario, flood, 1, gap_s=1.0)
    result = world.run()
    assert not world.network.calls
    assert not world.team.seen
    late = [one for one in flood.heard if one.kind is Kind.ABANDON and one.at > world.end + scenario.wait_s]
    assert late
    assert result.live == result.connected + result.abandoned
    assert result.busy_s + result.idle_s <= 6 * 0.3 * 3600
    cut = replace(scenario, drain=False)
    assert World(cut, Flood(3), 1, gap_s=1.0).run().abandoned < result.abandoned


def test_an_agent_leaves_when_his_day_is_over() -> None:
    flood = Flood(1)
    days = (Day("11", sign_out_at=600.0), Day("12", breaks=((300.0, 100.0),)))
    World(SMALL, flood, 1, gap_s=1.0, days=days).run()
    out = [one.at for one in flood.heard if one.kind is Kind.SIGN_OUT]
    assert len(out) == 1
    assert out[0] >= 600.0
    assert {one.agent for one in flood.seen[-1].agents} == {"12"}
    assert any(one.state == Working.BREAK for seen in flood.seen for one in seen.agents)


def test_the_worst_half_hour_is_counted_once_half_an_hour_is_over() -> None:
    result = Result()
    tally = Tally(result, keep=True)
    for at, abandoned in ((10.0, True), (20.0, False), (1900.0, True), (1901.0, False), (1902.0, False)):
        tally.settled(at, abandoned)
    assert result.worst_half_hour == 1.0  # at 1,900 s one answer is in the window
    assert len(result.fates) == 5
