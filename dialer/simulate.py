"""The pacer on invented time beside its rivals: shifts, their means and how sure they are.

`compare` runs every policy through the same shifts (common random numbers); `dialer simulate` shows it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt

from dialer.abandon import upper_bound
from dialer.forecast import Forecast
from dialer.model import Mode
from dialer.pacing import Limits, Pacer
from dialer.simulation.leads import Leads
from dialer.simulation.rivals import Clairvoyant, FixedRatio, Vicidial
from dialer.simulation.rules import pack_of
from dialer.simulation.scenario import Scenario
from dialer.simulation.world import DECISION_GAP_S, Policy, Result, World

OURS = "predictive"
RATIOS = (1.0, 1.1, 1.2, 1.35, 1.5, 1.7, 1.9, 2.2, 2.6, 3.2, 4.0)
NAMES = {
    "progressive": "one call per free agent",
    "ratio": "best fixed ratio, in hindsight",
    "vicidial_hard": "VICIdial ADAPT_HARD_LIMIT",
    "vicidial_tapered": "VICIdial ADAPT_TAPERED",
    OURS: "Santun",
    "clairvoyant": "knows the future",
}


def limits_of(scenario: Scenario, mode: Mode, target: float) -> Limits:
    """What a pacer may do in this scenario."""
    return Limits(
        mode=mode,
        lines_max=scenario.lines,
        lines_per_agent_max=scenario.lines_per_agent,
        calls_per_second=scenario.cps,
        abandon_rate_max=target,
        connect_limit_s=scenario.wait_s,
        end_ringing=scenario.end_ringing,
    )


def policy_of(name: str, scenario: Scenario, seed: int, target: float = 0.03) -> Policy:
    """A fresh policy: one of NAMES, or ratio:1.5."""
    kind, _, figure = name.partition(":")
    match kind:
        case "predictive" | "progressive":
            return Pacer(limits_of(scenario, Mode(kind), target), seed)
        case "ratio":
            return FixedRatio(float(figure), scenario.lines, scenario.cps)
        case "vicidial_hard" | "vicidial_tapered":
            tapered = kind == "vicidial_tapered"
            return Vicidial(scenario.lines, scenario.cps, scenario.hours, tapered, target)
        case "clairvoyant":
            return Clairvoyant()
    raise ValueError(f"no policy {name}; there are {', '.join(NAMES)}")


def shift(
    name: str,
    scenario: Scenario,
    seed: int,
    target: float = 0.03,
    forecast: str = "",
    gap_s: float = DECISION_GAP_S,
    keep: bool = False,
) -> Result:
    """One shift under one policy. `forecast`: none, `fitted` on the leads' past, or `misleading`: on others' past."""
    policy = policy_of(name, scenario, seed, target)
    forecasts = Forecast() if forecast else None
    leads = Leads(scenario, seed, pack_of().zones)
    if forecasts is not None:
        forecasts.fit(leads.past(forecast == "misleading"))
    world = World(scenario, policy, seed, forecasts, gap_s, keep, leads)
    if isinstance(policy, Clairvoyant):
        policy.world = world
    return world.run()


@dataclass(frozen=True, slots=True)
class Summary:
    """Several shifts of one policy. Fractions; `spread`: half the width of the 95 % interval of the mean."""

    name: str
    shifts: int
    utilisation: float
    spread: float
    abandon_rate: float
    abandon_worst: float
    half_hour_worst: float
    calls_per_hour: float
    wait_s: float
    over: int  # shifts above the target
    note: str = ""

    @property
    def over_at_most(self) -> float:
        """The share of shifts above the target is below this with 95 % confidence."""
        return upper_bound(self.over, self.shifts)


def summary(name: str, results: Sequence[Result], hours: float, target: float, note: str = "") -> Summary:
    """Means and worst of some shifts."""
    used = [one.utilisation for one in results]
    mean = sum(used) / len(used)
    deviation = sqrt(sum((one - mean) ** 2 for one in used) / max(1, len(used) - 1))
    waits = [wait for one in results for wait in one.waits]
    return Summary(
        name=name,
        shifts=len(results),
        utilisation=mean,
        spread=1.96 * deviation / sqrt(len(used)) if len(used) > 1 else inf,
        abandon_rate=sum(one.abandon_rate for one in results) / len(results),
        abandon_worst=max(one.abandon_rate for one in results),
        half_hour_worst=max(one.worst_half_hour for one in results),
        calls_per_hour=sum(one.launched for one in results) / len(results) / hours,
        wait_s=sum(waits) / max(1, len(waits)),
        over=sum(one.abandon_rate > target for one in results),
        note=note,
    )


Told = Callable[[str], None]


def compare(
    scenario: Scenario, seeds: Sequence[int], target: float, told: Told, names: Sequence[str] = tuple(NAMES)
) -> Iterator[tuple[Summary, Result]]:
    """A summary of every policy, and its first shift with all fates kept. `told` hears of every shift that is done."""
    for name in names:
        if name == "ratio":
            yield _best_ratio(scenario, seeds, target, told)
            continue
        results = _shifts(name, scenario, seeds, target, told)
        yield summary(name, results, scenario.hours, target), results[0]


def _shifts(name: str, scenario: Scenario, seeds: Sequence[int], target: float, told: Told) -> list[Result]:
    results = []
    for seed in seeds:
        results.append(shift(name, scenario, seed, target, keep=seed == seeds[0]))
        told(name)
    return results


def _best_ratio(scenario: Scenario, seeds: Sequence[int], target: float, told: Told) -> tuple[Summary, Result]:
    """The highest ratio whose mean abandon rate keeps the target: a rival that saw these very shifts."""
    best: list[tuple[Summary, Result]] = []
    for ratio in RATIOS:
        results = _shifts(f"ratio:{ratio}", scenario, seeds, target, told)
        found = summary("ratio", results, scenario.hours, target, f"{ratio:g} lines per agent")
        if best and found.abandon_rate > target:
            break
        best.append((found, results[0]))
    return best[-1]


def scaled(scenario: Scenario, agents: int) -> Scenario:
    """The same shift with another team."""
    return replace(scenario, agents=agents)
