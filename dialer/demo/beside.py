"""What other ways to pace would have made of the demo's own calls: simulated, and said so."""

from collections.abc import Mapping, Sequence

from dialer.errors import BadInput
from dialer.simulate import NAMES, OURS, Summary
from dialer.simulation.recorded import replay

OTHERS = ("progressive", OURS)
SEEDS = (1, 2, 3, 4, 5)  # 1: the calls in their own order
SHIFT_H, SHIFT_SEEDS = 1.0, (2, 3)  # minutes are too short to earn an abandon: 3 % of 33 live answers


def beside(records: Sequence[Mapping[str, str]], campaign: str, limit: float) -> list[str]:
    """Sentences for the page at the end; one that says why not, where too little was recorded."""
    try:
        was, *others = replay(records, target=limit, policies=OTHERS, seeds=SEEDS, campaign=campaign)
    except BadInput as error:
        return [f"{campaign}: not compared with other ways to pace. {error}"]
    said = [f"{campaign}, the same calls replayed on invented time ({len(SEEDS)} times, the calls also shuffled):"]
    said += [f"  {NAMES[one.name]}, simulated: {_figures(one)};" for one in others]
    said += [f"  as it was here: {_figures(was)}."]
    _, *longer = replay(records, target=limit, policies=OTHERS, seeds=SHIFT_SEEDS, campaign=campaign, hours=SHIFT_H)
    said += [f"{campaign}, {SHIFT_H:g} hour of such calls, drawn from them again and again:"]
    return said + [f"  {NAMES[one.name]}, simulated: {_figures(one)}." for one in longer]


def _figures(one: Summary) -> str:
    lost = f"{one.abandon_rate:.1%} of live answers abandoned"
    return f"agents in talk or wrap-up {one.utilisation:.0%} of their time, {lost}, {one.calls_per_hour:.0f} calls/h"
