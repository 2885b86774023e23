"""Promises: every one that the IVR noted, or that an agent was told is noted, stands in stream and keys."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dialer.adapters.redis_codec import FACT

KEPT = "promise"


@dataclass(slots=True)
class Noted:
    """What the IVR wrote down. `served`: attempts in which it spoke; `promises`: attempt -> what was promised."""

    served: set[str] = field(default_factory=set)
    promises: dict[str, str] = field(default_factory=dict)


def noted_by_ivr(aof: Path) -> Noted:
    """From Redis's append-only files: the IVR confirms nothing that is not in there."""
    found = Noted()
    for path in sorted(aof.glob("*.incr.aof")):
        for words in _commands(path.read_bytes()):
            if len(words) < 4 or b":facts:" not in words[1] or words[0].upper() not in (b"HSET", b"HSETNX"):
                continue
            attempt = words[1].rpartition(b":")[2].decode()
            for raw in words[3::2]:
                fact = FACT.decode(raw)
                found.served.add(attempt)
                if fact.name == KEPT:
                    found.promises[attempt] = fact.value
    return found


def lost(
    by_ivr: Mapping[str, str], by_agents: Mapping[str, str], told: Mapping[str, Mapping[str, str]], keys: frozenset[str]
) -> list[str]:
    """Sentences. `told`: attempt -> its outcome with corrections; `keys`: attempts in the keys of persons' promises."""
    wrong = []
    promised = {attempt: "the IVR" for attempt in by_ivr}
    promised |= {attempt: "an agent" for attempt, said in by_agents.items() if said.startswith(KEPT)}
    for attempt, who in promised.items():
        if not told.get(attempt, {}).get("promise_due"):
            wrong.append(f"attempt {attempt}: a promise made to {who} is not in the outcome stream")
        elif attempt not in keys:
            wrong.append(f"attempt {attempt}: a promise made to {who} is in the stream and not among the person's")
    for attempt, said in by_agents.items():
        if not told.get(attempt, {}).get("disposition", "").startswith(said.partition(":")[0]):
            wrong.append(f"attempt {attempt}: an agent was told that {said.partition(':')[0]} is noted, and it is not")
    return wrong


def unheard(served: Iterable[str], told: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Whom the IVR spoke to, a person answered: the abandon rate and the rests depend on it."""
    return [
        f"attempt {attempt}: the IVR spoke to him, and the outcome {told[attempt]['outcome']} knows of no answer"
        for attempt in sorted(served)
        if attempt in told and told[attempt].get("live") != "1" and told[attempt]["outcome"] != "machine"
    ]


def merged(entries: Sequence[Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """attempt -> its record, corrections on top."""
    found: dict[str, dict[str, str]] = {}
    for entry in entries:
        if entry["type"] == "outcome":
            found.setdefault(entry["attempt"], {}).update(entry)
        elif entry["type"] == "correction":
            found.setdefault(entry["attempt"], {}).update(
                {name: value for name, value in entry.items() if name != "type"}
            )
    return found


def _commands(data: bytes) -> Iterator[list[bytes]]:
    """RESP arrays of bulk strings; a half-written end, as of a killed Redis, is left; annotations are skipped."""
    at = 0
    while at < len(data):
        end = data.find(b"\r\n", at)
        if end < 0:
            return
        if data[at : at + 1] != b"*":
            at = end + 2
            continue
        count, at = int(data[at + 1 : end]), end + 2
        words = []
        for _ in range(count):
            end = data.find(b"\r\n", at)
            if end < 0 or data[at : at + 1] != b"$":
                return
            size = int(data[at + 1 : end])
            if end + 2 + size + 2 > len(data):
                return
            words.append(data[end + 2 : end + 2 + size])
            at = end + 2 + size + 2
        yield words
