"""The pacer on invented time beside its rivals: shifts, their means and how sure they are.

`compare` runs every policy through the same shifts (common random numbers), of invented or of recorded calls;
`dialer simulate` shows it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt

from dialer.forecast import Forecast
from dialer.law.abandon import upper_bound
from dialer.model import Mode
from dialer.pacing import Limits, Pacer
from dialer.simulation.leads import Leads, People
from dialer.simulation.parallel import spread
from dialer.simulation.recording import Recording
from dialer.simulation.replayed import world_of
from dialer.simulation.result import Result
from dialer.simulation.rivals import Clairvoyant, FixedRatio, Vicidial
from dialer.simulation.rules import pack_of
from dialer.simulation.scenario import Scenario
from dialer.simulation.world import DECISION_GAP_S, Policy, World

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
RECORDED = "recorded"


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


# ---- one shift


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
    return play(Shift(name, scenario, seed, target, forecast, gap_s, keep))


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift to be played, also in another process. `keep`: remember the end of every live answer.

    `found`: instead of invented people, those of this recording; `agents`: so many instead of its own.
    """

    name: str
    scenario: Scenario
    seed: int
    target: float = 0.03
    forecast: str = ""
    gap_s: float = DECISION_GAP_S
    keep: bool = False
    found: Recording | None = None
    agents: int | None = None


def play(one: Shift) -> Result:
    """The whole shift."""
    policy, forecasts = policy_of(one.name, one.scenario, one.seed, one.target), None
    people: People
    days = None
    if one.found is not None:
        people, days = world_of(one.found, one.scenario, one.seed, one.agents)
    else:
        people = leads = Leads(one.scenario, one.seed, pack_of().zones)
        if one.forecast:
            forecasts = Forecast()
            forecasts.fit(leads.past(one.forecast == "misleading"))
    world = World(one.scenario, policy, one.seed, forecasts, one.gap_s, one.keep, people, days)
    if isinstance(policy, Clairvoyant):
        policy.world = world
    return world.run()


# ---- several


@dataclass(frozen=True, slots=True)
class Summary:
    """Several shifts of one policy. Fractions; `spread`s: half the width of the 95 % interval of the mean."""

    name: str
    shifts: int
    utilisation: float
    spread: float
    abandon_rate: float
    abandon_worst: float
    half_hour_worst: float
    last_100_worst: float
    calls_per_hour: float
    wait_s: float
    over: int  # shifts above the target
    note: str = ""
    abandon_spread: float = inf
    right_party_per_hour: float = 0.0  # talks with a person per agent and hour
    tried_share: float = 0.0  # of the list
    tries_per_lead: float = 0.0

    @property
    def over_at_most(self) -> float:
        """The share of shifts above the target is below this with 95 % confidence."""
        return upper_bound(self.over, self.shifts)


def summary(name: str, results: Sequence[Result], hours: float, target: float, note: str = "") -> Summary:
    """Means and worst of some shifts."""
    waits = [wait for one in results for wait in one.waits]
    used, used_spread = mean_of([one.utilisation for one in results])
    lost, lost_spread = mean_of([one.abandon_rate for one in results])
    return Summary(
        name=name,
        shifts=len(results),
        utilisation=used,
        spread=used_spread,
        abandon_rate=lost,
        abandon_worst=max(one.abandon_rate for one in results),
        half_hour_worst=max(one.worst_half_hour for one in results),
        last_100_worst=max(one.worst_last_100 for one in results),
        calls_per_hour=sum(one.launched for one in results) / len(results) / hours,
        wait_s=sum(waits) / max(1, len(waits)),
        over=sum(one.abandon_rate > target for one in results),
        note=note,
        abandon_spread=lost_spread,
        right_party_per_hour=mean_of([one.right_party_per_hour for one in results])[0],
        tried_share=mean_of([one.tried_share for one in results])[0],
        tries_per_lead=mean_of([one.tries_per_lead for one in results])[0],
    )


def mean_of(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half the width of its 95 % interval (inf: one value says nothing of it)."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, inf
    deviation = sqrt(sum((one - mean) ** 2 for one in values) / (len(values) - 1))
    return mean, _t95(len(values) - 1) * deviation / sqrt(len(values))


def _t95(freedom: int) -> float:
    """Student's t for a two-sided interval of 95 %."""
    return _T95[freedom - 1] if freedom <= len(_T95) else 1.96 + 2.5 / freedom


_T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)
Told = Callable[[str], None]
Found = tuple[Summary, Result]  # and the first of the shifts, with all fates kept


def compare(
    scenario: Scenario,
    seeds: Sequence[int],
    target: float,
    told: Told,
    names: Sequence[str] = tuple(NAMES),
    jobs: int = 1,
    found: Recording | None = None,
    agents: int | None = None,
) -> list[Found]:
    """A summary of every policy, in the order of `names`. `told` hears of every shift that is done."""

    def of(name: str, seed: int) -> Shift:
        return Shift(name, scenario, seed, target, keep=seed == seeds[0], found=found, agents=agents)

    others = [of(name, seed) for seed in seeds for name in names if name != "ratio"]
    results = _played(others, jobs, told)
    by_name = {
        name: (summary(name, results[name], scenario.hours, target), results[name][0])
        for name in names
        if name in results
    }
    if "ratio" in names:
        by_name["ratio"] = _best_ratio(of, seeds, jobs, told)
    return [by_name[name] for name in names]


def _played(shifts: Iterable[Shift], jobs: int, told: Told) -> dict[str, list[Result]]:
    """Results by policy, in the order of their seeds."""
    done: dict[str, dict[int, Result]] = {}
    for one, result in spread(play, shifts, jobs):
        done.setdefault(one.name, {})[one.seed] = result
        told(one.name)
    return {name: [some[seed] for seed in sorted(some)] for name, some in done.items()}


def _best_ratio(of: Callable[[str, int], Shift], seeds: Sequence[int], jobs: int, told: Told) -> Found:
    """The highest ratio whose mean abandon rate keeps the target: a rival that saw these very shifts."""
    best: Found | None = None
    for ratio in RATIOS:
        shifts = [of(f"ratio:{ratio}", seed) for seed in seeds]
        results = _played(shifts, jobs, told)[f"ratio:{ratio}"]
        scenario, target = shifts[0].scenario, shifts[0].target
        found = summary("ratio", results, scenario.hours, target, f"{ratio:g} lines per agent")
        if best is not None and found.abandon_rate > target:
            return best
        best = found, results[0]
    if best is None:
        raise ValueError("no ratio to try")
    return best


def scaled(scenario: Scenario, agents: int) -> Scenario:
    """The same shift with another team."""
    return replace(scenario, agents=agents)
