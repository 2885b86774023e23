"""The invented world: its books balance, a seed is always the same people, no cap is passed."""

from dataclasses import replace

import pytest

from dialer.model import Mode
from dialer.pacing import Limits, Pacer
from dialer.simulation.scenario import SCENARIOS, STEADY
from dialer.simulation.world import Result, World


def shift(name: str = "steady", mode: Mode = Mode.PROGRESSIVE, seed: int = 1, agents: int = 6) -> tuple[World, Result]:
    scenario = replace(SCENARIOS[name], agents=agents, hours=1.0)
    limits = Limits(mode, lines_max=scenario.lines, lines_per_agent_max=10.0, calls_per_second=scenario.cps)
    world = World(scenario, Pacer(limits, seed), seed, gap_s=1.0)
    return world, world.run()


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_books_balance(name: str) -> None:
    world, result = shift(name)
    assert result.live == result.connected + result.abandoned + len(world._waiting)
    assert result.launched > result.live > 0
    assert 0 < result.utilisation < 1
    assert result.busy_s + result.idle_s <= 6 * 3600
    assert result.most_lines <= world.scenario.lines
    assert max(result.waits) <= world.scenario.wait_s


def test_the_same_seed_is_the_same_shift() -> None:
    assert shift(seed=3)[1] == shift(seed=3)[1]
    assert shift(seed=3)[1] != shift(seed=4)[1]


def test_two_pacers_meet_the_same_people() -> None:
    one, other = (shift("drifting", mode)[0].leads for mode in (Mode.PROGRESSIVE, Mode.PREDICTIVE))
    assert [one.draws(5, 0), one.draws(7, 2)] == [other.draws(5, 0), other.draws(7, 2)]
    assert one.chance(9, 100.0) == other.chance(9, 100.0)


def test_about_as_many_answer_as_the_scenario_says() -> None:
    _, result = shift(agents=30)
    assert result.live / result.launched == pytest.approx(STEADY.answer_rate, abs=0.05)


def test_one_call_per_agent_abandons_next_to_nobody() -> None:
    assert shift("shocks")[1].abandon_rate < 0.01
