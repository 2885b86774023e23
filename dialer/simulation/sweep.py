"""Agents by targets: what each team would come to at each limit, from several shifts."""

from collections.abc import Sequence
from dataclasses import dataclass

from dialer.simulate import OURS, Shift, Summary, Told, play, scaled, summary
from dialer.simulation.parallel import spread
from dialer.simulation.result import Result
from dialer.simulation.scenario import Scenario

BASE = "progressive"


@dataclass(frozen=True, slots=True)
class Cell:
    """One team at one limit (a fraction)."""

    agents: int
    target: float
    summary: Summary


def shifts_of(scenario: Scenario, agents: Sequence[int], targets: Sequence[float], seeds: Sequence[int]) -> list[Shift]:
    """Every shift of a sweep, the large teams first: what takes longest is not what all wait for at the end.

    One call per free agent has no price to pay for a limit: it is played at the first target only.
    """
    return [
        Shift(name, scaled(scenario, size), seed, target)
        for size in sorted(agents, reverse=True)
        for seed in seeds
        for name, some in ((OURS, targets), (BASE, targets[:1]))
        for target in some
    ]


def sweep(
    scenario: Scenario,
    agents: Sequence[int],
    targets: Sequence[float],
    seeds: Sequence[int],
    told: Told,
    jobs: int = 1,
) -> list[Cell]:
    """Cells by agents and target: of each team first one call per free agent, then ours at every limit."""
    done: dict[tuple[int, bool, float], list[Result]] = {}
    for one, result in spread(play, shifts_of(scenario, agents, targets, seeds), jobs):
        done.setdefault((one.scenario.agents, one.name == OURS, one.target), []).append(result)
        told(f"{one.scenario.agents} agents")
    return [
        Cell(size, target, summary(OURS if ours else BASE, results, scenario.hours, target))
        for (size, ours, target), results in sorted(done.items())
    ]
