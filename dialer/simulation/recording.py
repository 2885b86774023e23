"""A campaign's outcome stream read back as calls with their fates; what is of no use is counted, with why."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf

from dialer.errors import BadInput
from dialer.model import Outcome
from dialer.pace.snapshot import Kind
from dialer.simulation.leads import Fate
from dialer.stream import CORRECTABLE, Type, read

NEEDED_CALLS, NEEDED_TALKS = 30, 10
REPLAYED = frozenset({"predictive", "progressive", "ratio", "preview"})  # kinds of attempts that a pacer starts
LONGEST_S = 6 * 3600.0  # a longer step is a mistake of a clock
SHIFT_S = 9.5 * 3600.0  # no longer replay: the hours of all zones have no more in common
NIGHT_S, PAUSE_S = 1800.0, 60.0  # without a call for so long it rested, and is taken to have rested so long
_UNTOUCHED = frozenset({Outcome.NOT_PLACED, Outcome.INTERRUPTED})  # nobody knows what would have become of them


@dataclass(frozen=True, slots=True)
class Heard:
    """One recorded attempt. `at`: epoch second of its start; `ended_at`: of its end, wrap-up included."""

    at: float
    ended_at: float
    fate: Fate
    agent: str = ""
    abandoned: bool = False
    joined_at: float = 0.0
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Recording:
    """What a stream holds of one campaign; attempts in order. `skipped`: entries of no use, by why."""

    campaign: str
    heard: tuple[Heard, ...]
    skipped: Mapping[str, int]

    @property
    def begin(self) -> float:
        return self.heard[0].at

    @property
    def seconds(self) -> float:
        """From the first call's start to the last one's."""
        return max(60.0, self.heard[-1].at - self.begin)

    @property
    def talks(self) -> list[Heard]:
        """Those that an agent had."""
        return [one for one in self.heard if one.agent]


# ---- reading


def parse(lines: Iterable[str]) -> Iterator[Mapping[str, str]]:
    """Entries of a file of JSON lines; what is none comes as an empty one."""
    for line in lines:
        if line.strip():
            try:
                found = json.loads(line)
            except ValueError:
                found = {}
            yield _flat(found) if isinstance(found, dict) else {}


def _flat(entry: Mapping[str, object]) -> Mapping[str, str]:
    """As Redis has it; a program in between may have made numbers and flags of the strings."""
    words = {None: "", True: "1", False: "0"}
    return {
        str(name): words[value] if value is None or isinstance(value, bool) else str(value)
        for name, value in entry.items()
    }


def recording(records: Iterable[Mapping[str, str]], campaign: str = "") -> Recording:
    """The attempts of one campaign; refused where there are too few, or several campaigns and none named."""
    skipped: Counter[str] = Counter()
    attempts: dict[str, dict[str, object]] = {}
    corrections: list[tuple[str, Mapping[str, object]]] = []
    campaigns: Counter[str] = Counter()
    for record in records:
        try:
            entry = read(record)
        except BadInput:
            skipped["not an entry of an outcome stream"] += 1
            continue
        whose = str(entry.values.get("campaign") or "")
        if entry.type is Type.REFUSAL or (campaign and whose != campaign):
            skipped["of another kind or campaign"] += 1
        elif entry.type is Type.CORRECTION:
            corrections.append((str(entry.values["attempt"]), entry.values))
        elif not (entry.values.get("attempt") and whose):
            skipped["not an entry of an outcome stream"] += 1
        else:
            campaigns[whose] += str(entry.values["attempt"]) not in attempts
            attempts[str(entry.values["attempt"])] = dict(entry.values)
    if len(campaigns) > 1:
        told = ", ".join(f"{name} ({count} calls)" for name, count in campaigns.most_common())
        raise BadInput(f"These are outcomes of several campaigns: {told}. Name one with --campaign.")
    for attempt, values in corrections:
        if attempt in attempts:
            attempts[attempt] |= {name: value for name, value in values.items() if name in CORRECTABLE}
    heard = []
    for values in attempts.values():
        found = _heard(values)
        if isinstance(found, Heard):
            heard.append(found)
        else:
            skipped[found] += 1
    latest = _latest_shift(sorted(heard, key=lambda one: one.at))
    if len(latest) < len(heard):
        skipped[f"before the last {SHIFT_S / 3600:g} h of calling"] = len(heard) - len(latest)
    of_one = Recording(next(iter(campaigns), campaign), tuple(latest), dict(skipped))
    _enough(of_one)
    return of_one


def _latest_shift(heard: list[Heard]) -> list[Heard]:
    """The calls as one shift: hours without any are cut out, what was long before the last call is left out."""
    joined: list[Heard] = []
    cut, before = 0.0, heard[0].at if heard else 0.0
    for one in heard:
        if one.at - before > NIGHT_S:
            cut += one.at - before - PAUSE_S
        before = one.at
        joined.append(
            replace(one, at=one.at - cut, ended_at=one.ended_at - cut, joined_at=one.joined_at and one.joined_at - cut)
        )
    return [one for one in joined if one.at > joined[-1].at - SHIFT_S]


def _enough(found: Recording) -> None:
    if len(found.heard) >= NEEDED_CALLS and len(found.talks) >= NEEDED_TALKS:
        return
    left_out = "; ".join(f"{count} {why}" for why, count in found.skipped.items())
    raise BadInput(
        f"{len(found.heard)} calls with {len(found.talks)} talks can be used"
        + (f" (left out: {left_out})" if left_out else "")
        + f"; a replay needs at least {NEEDED_CALLS} calls with {NEEDED_TALKS} talks. Let the campaign run on, or read"
        " more of its stream: dialer outcomes CAMPAIGN --json --count 100000"
    )


def _heard(values: Mapping[str, object]) -> Heard | str:
    """One attempt; or why it is of no use."""
    if values.get("direction") == "in" or values.get("kind") not in REPLAYED:
        return "that no pacer started"
    if values.get("outcome") is None or values["outcome"] in _UNTOUCHED:
        return "whose fate is not known"
    placed, ended = _seconds(values, "placed_at") or _seconds(values, "claimed_at"), _seconds(values, "ended_at")
    if not placed or not placed <= ended <= placed + LONGEST_S:
        return "without usable times"
    fate = _fate(values, placed, ended)
    if fate is None:
        return "without usable times"
    joined = _seconds(values, "joined_at")
    return Heard(
        at=placed,
        ended_at=max(ended, (_seconds(values, "left_at") or ended) + fate.wrap_s),
        fate=fate,
        agent=str(values.get("agent") or "") if joined else "",
        abandoned=bool(values.get("live")) and not joined,
        joined_at=joined,
        wait_s=max(0.0, joined - (_seconds(values, "detected_at") or _seconds(values, "answered_at")))
        if joined
        else 0.0,
    )


def _fate(values: Mapping[str, object], placed: float, ended: float) -> Fate | None:
    ringing, answered, joined = (_seconds(values, name) for name in ("ringing_at", "answered_at", "joined_at"))
    if not answered:
        if not ringing:
            return Fate(Kind.BUSY if values["outcome"] is Outcome.BUSY else Kind.FAILED, ended - placed)
        return Fate(Kind.NO_ANSWER, ringing - placed, ended - ringing) if placed <= ringing <= ended else None
    rang = ringing or answered
    detected = max(answered, _seconds(values, "detected_at") or answered)
    if not placed <= rang <= answered <= ended:
        return None
    live = bool(values.get("live")) or bool(joined)
    patience = max(0.0, ended - detected) if str(values.get("reason") or "").startswith("hung_up") else inf
    return Fate(
        ends=None,
        delay_s=rang - placed,
        ring_s=answered - rang,
        person=bool(values.get("live")),
        live=live,
        detect_s=detected - answered,
        patience_s=patience,
        talk_s=_seconds(values, "talk_s"),
        wrap_s=_seconds(values, "wrap_up_s"),
    )


def _time(values: Mapping[str, object], name: str) -> float:
    return _seconds(values, name)


def _seconds(values: Mapping[str, object], name: str) -> float:
    value = values.get(name)
    return max(0.0, value) if isinstance(value, float) else 0.0
