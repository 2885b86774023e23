"""The page at the end: faults, what they did, how soon it went on, and one line of verdict."""

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.chaos.books import Call, Seen
from tests.chaos.ears import FIRST_S
from tests.chaos.faults import Fault
from tests.chaos.play import Result

HEAD = (
    "fault",
    "times",
    "s it lasted",
    "calls up",
    "began meanwhile",
    "cut off",
    "to message or IVR",
    "recovery s",
    "limit s",
)
SHOWN = 40  # violations
CALM_S = 10
CUT = frozenset({"interrupted", "cancelled", "network_fault", "trunk_down"})
WENT_ON = frozenset({"overflowed", "abandoned"})


def page(result: Result) -> str:
    """As Markdown, for a terminal and for docs/ alike."""
    seen = result.seen
    lines = [_told(result), ""]
    if seen is not None:
        lines += [_row(HEAD), _row(["---"] * len(HEAD)), *map(_row, _rows(result.faults, seen)), ""]
        lines += ["Outcomes: " + _counted(record["outcome"] for record in seen.records), ""]
    lines += _measured(result)
    lines += ["", *(f"- {why}" for why in result.wrong[:SHOWN])]
    if len(result.wrong) > SHOWN:
        lines.append(f"- and {len(result.wrong) - SHOWN} more")
    return "\n".join([*lines, verdict(result)]) + "\n"


def verdict(result: Result) -> str:
    """One line."""
    if result.wrong:
        return f"FAILED: {len(result.wrong)} violations."
    return "Held: one outcome each; nobody called twice at once, too often or outside hours; nothing lost or left."


def _told(result: Result) -> str:
    calls = len(result.seen.calls) if result.seen else 0
    wanted = result.wanted
    rate, most = calls / max(result.seconds, 1), _most(result.seen.calls if result.seen else ())
    return (
        f"Seed {wanted.seed}, {result.seconds / 60:.1f} minutes, {len(result.faults)} faults,"
        f" {calls} calls at the carrier ({rate:.1f}/s, {most:.1f}/s in the best {CALM_S} s,"
        f" {wanted.rate:g}/s allowed),"
        f" {wanted.agents} robot agents, load of the machine {result.load:.1f}."
    )


def _most(calls: Sequence[Call]) -> float:
    seconds = Counter(int(call.began_at) for call in calls)
    return max((sum(seconds[start + on] for on in range(CALM_S)) for start in seconds), default=0) / CALM_S


def _measured(result: Result) -> list[str]:
    lines = [f"Promises noted: {result.promises}."]
    sample = result.sample
    if sample is not None and sample.first_s:
        worst = sorted(sample.first_s)
        lines.append(
            f"Listened to {sample.calls} answered calls: first sound after"
            f" {worst[len(worst) // 2]:.2f} s in the middle, {worst[-1]:.2f} s at most;"
            f" after more than {FIRST_S:.0f} s: {sum(one > FIRST_S for one in worst)}."
        )
    if sample is not None and sample.frozen_s:
        lines.append(
            f"{len(sample.frozen_s)} of them were in an IVR that froze or died: sound again after"
            f" {max(sample.frozen_s):.1f} s at most."
        )
    return lines


def _rows(faults: Sequence[Fault], seen: Seen) -> Iterable[list[str]]:
    for name in dict.fromkeys(fault.kind.name for fault in sorted(faults, key=lambda one: one.kind.name)):
        alike = [fault for fault in faults if fault.kind.name == name]
        touched = [call for fault in alike for call in seen.calls if fault.touches(call.began_at, call.ended_at, 0.0)]
        during = sum(f.began_at <= call.began_at <= f.healed_at for f in alike for call in seen.calls)
        took = [f"{fault.recovery_s:.1f}" if fault.recovered_at else "never" for fault in alike]
        yield [
            name, str(len(alike)), _and(f"{fault.healed_at - fault.began_at:.1f}" for fault in alike),
            _and(str(fault.calls_up) for fault in alike), str(during), str(_ended(touched, seen, CUT)),
            str(_ended(touched, seen, WENT_ON)), _and(took), f"{alike[0].kind.limit_s:g}",
        ]  # fmt: skip


def _ended(calls: Iterable[Call], seen: Seen, how: frozenset[str]) -> int:
    return sum(seen.by_attempt.get(call.attempt, {}).get("outcome") in how for call in calls)


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{word} {count}" for word, count in Counter(words).most_common()) or "none"


def _and(words: Iterable[str]) -> str:
    return ", ".join(words)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
