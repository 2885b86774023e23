"""What other ways to pace, or other teams, would have made of a recorded campaign: `replay`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf

from dialer.simulate import OURS, RECORDED, Summary, compare
from dialer.simulation.recording import Recording, recording
from dialer.simulation.replayed import fates_of, fit, scenario_of
from dialer.simulation.result import Result, Tally


def as_recorded(found: Recording, target: float) -> Summary:
    """What the recorded campaign itself came to."""
    was = fit(found)
    tally = Tally(counted := Result(), keep=False)
    for at, abandoned in fates_of(found):
        tally.settled(at, abandoned)
    return Summary(
        name=RECORDED,
        shifts=1,
        utilisation=was.utilisation,
        spread=inf,
        abandon_rate=was.abandon_rate,
        abandon_worst=was.abandon_rate,
        half_hour_worst=counted.worst_half_hour,
        last_100_worst=counted.worst_last_100,
        calls_per_hour=was.calls_per_hour,
        wait_s=was.wait_s,
        over=int(was.abandon_rate > target),
    )


def replay(
    records: Iterable[Mapping[str, str]],
    agents: int | None = None,
    target: float = 0.03,
    policies: Sequence[str] = (OURS, "progressive"),
    seeds: Sequence[int] = (1, 2, 3),
    campaign: str = "",
    hours: float = 0.0,
) -> list[Summary]:
    """What other ways to pace would have made of a campaign's recorded calls; first, what it was.

    `records`: entries of the outcome stream. `agents`: so many instead of those who were there. Seed 1 keeps the order
    of the calls, others shuffle it. `hours`: a shift of such calls, drawn again and again, with the team there from
    beginning to end; 0.0: as long as it was. Raises BadInput when too little was recorded, with what is needed.
    """
    found = recording(records, campaign)
    shape = scenario_of(found, agents)
    if hours:
        shape, agents = replace(shape, hours=hours), shape.agents
    summaries = compare(shape, seeds, target, lambda _: None, policies, 1, found, agents)
    return [as_recorded(found, target), *(one for one, _ in summaries)]
