"""What a supervisor is to look at now, out of one board: words with figures, the worst first; pages say them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

STALE_S = 5.0  # boards come every second
NEAR = 0.8  # of the limit
ANSWERS_LEAST = 30  # below it a share says little
FAILURES = 3  # of the trunk in a row: five stop it
SLOW_ACK_MS = 500.0
IDLE_S = 180.0
CONTACTS_PER_AGENT = 5  # due now: fewer than that are gone within minutes


class Level(StrEnum):
    """`bad`: at once: no calls, the law's limit is passed, somebody calls for help; `warn`: soon."""

    BAD = "bad"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Alert:
    """`kind` is stable; `facts` are its figures."""

    kind: str
    level: Level
    facts: Mapping[str, Any] = field(default_factory=dict)


def alerts(board: Mapping[str, Any], at: float) -> list[dict[str, Any]]:
    """Of a board as live.py of the core makes it (its `agents` as list or by id), at `at`; a board that lacks a part
    has no alert about it."""
    found = [*_link(board, at), *_limit(board), *_trunk(board), *_people(board, at), *_list(board)]
    return [asdict(one) for one in sorted(found, key=lambda one: one.level is not Level.BAD)]


def _link(board: Mapping[str, Any], at: float) -> Iterator[Alert]:
    silent = at - float(board.get("at", at))
    if silent > STALE_S:
        yield Alert("engine_silent", Level.BAD, {"seconds": round(silent)})
    node = board.get("node") or {}
    if node.get("up") is False:
        yield Alert("asterisk_down", Level.BAD, {"node": node.get("name", "")})
    elif node.get("ack_p99_ms", 0.0) > SLOW_ACK_MS:
        yield Alert("asterisk_slow", Level.WARN, {"ms": round(node["ack_p99_ms"])})


def _limit(board: Mapping[str, Any]) -> Iterator[Alert]:
    """Only in the window that the law names; the others are shown, and forbid nothing."""
    rate = (board.get("abandon") or {}).get(board.get("window", ""))
    most = board.get("abandon_rate_max")
    if not rate or not most or rate.get("live", 0) < ANSWERS_LEAST:
        return
    facts = {"rate": rate["rate"], "limit": most, "window": board["window"]}
    if rate["rate"] > most:
        yield Alert("limit_passed", Level.BAD, facts)
    elif rate["rate"] >= NEAR * most:
        yield Alert("limit_near", Level.WARN, facts)


def _trunk(board: Mapping[str, Any]) -> Iterator[Alert]:
    trunk = board.get("trunk") or {}
    if trunk.get("hold_s", 0.0) > 0:
        yield Alert("trunk_down", Level.BAD, {"trunk": trunk.get("name", ""), "seconds": round(trunk["hold_s"])})
    elif trunk.get("failures", 0) >= FAILURES:
        yield Alert("trunk_failing", Level.WARN, {"trunk": trunk.get("name", ""), "n": trunk["failures"]})


def _people(board: Mapping[str, Any], at: float) -> Iterator[Alert]:
    found = board.get("agents") or []
    agents = list(found.values()) if isinstance(found, Mapping) else found
    for agent in agents:
        if agent.get("help"):
            yield Alert("agent_help", Level.BAD, {"agent": agent["id"]})
    if board.get("status") != "running":
        return
    waits = [at - agent["since"] for agent in agents if agent.get("state") == "idle"]
    idle = [seconds for seconds in waits if seconds > IDLE_S]
    if idle:
        yield Alert("agents_idle", Level.WARN, {"n": len(idle), "seconds": round(max(idle))})
    for agent in agents:
        if agent.get("state") == "lost":
            yield Alert("agent_lost", Level.WARN, {"agent": agent["id"]})
    if not board.get("working") and (board.get("settings") or {}).get("kind") != "ivr":
        yield Alert("no_agents", Level.WARN)


def _list(board: Mapping[str, Any]) -> Iterator[Alert]:
    if board.get("status") != "running":
        return
    due, later = board.get("due", 0), board.get("later", 0)
    if not due:
        yield Alert("list_later" if later else "list_empty", Level.WARN, {"n": later})
    elif due < CONTACTS_PER_AGENT * board.get("working", 0):
        yield Alert("list_short", Level.WARN, {"n": due})
