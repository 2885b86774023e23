"""What a supervisor is told to look at, and at which figure it begins."""

from typing import Any

import pytest

from dialer.web.alerts import alerts

AT = 1_795_000_000.0
CALM: dict[str, Any] = {
    "at": AT,
    "status": "running",
    "node": {"name": "pbx1", "up": True, "ack_p99_ms": 20.0},
    "window": "rolling_24h",
    "abandon_rate_max": 0.03,
    "abandon": {"rolling_24h": {"live": 1000, "rate": 0.01}, "last_100": {"live": 100, "rate": 0.09}},
    "trunk": {"name": "carrier", "failures": 0, "hold_s": 0.0},
    "agents": [{"id": "101", "state": "idle", "since": AT - 10}, {"id": "102", "state": "break", "since": AT - 9999}],
    "working": 4,
    "due": 20,
    "later": 5,
}


def kinds(**changed: Any) -> list[str]:
    return [f"{one['level']} {one['kind']}" for one in alerts(CALM | changed, AT)]


def window(live: int, rate: float) -> dict[str, Any]:
    return {"rolling_24h": {"live": live, "rate": rate}}


def idle(*waits: float, state: str = "idle") -> dict[str, Any]:
    return {str(at): {"id": str(at), "state": state, "since": AT - waited} for at, waited in enumerate(waits)}


def test_nothing_to_say() -> None:
    assert kinds() == []
    assert alerts({}, AT) == []
    assert alerts({"status": "paused", "agents": [{"id": "1", "state": "lost", "since": 0}]}, AT) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"at": AT - 5.0}, []),
        ({"at": AT - 5.1}, ["bad engine_silent"]),
        ({"node": {"name": "pbx1", "up": False, "ack_p99_ms": 0.0}}, ["bad asterisk_down"]),
        ({"node": {"name": "pbx1", "up": True, "ack_p99_ms": 501.0}}, ["warn asterisk_slow"]),
        ({"abandon": window(1000, 0.0239)}, []),
        ({"abandon": window(1000, 0.024)}, ["warn limit_near"]),
        ({"abandon": window(1000, 0.03)}, ["warn limit_near"]),
        ({"abandon": window(1000, 0.0301)}, ["bad limit_passed"]),
        ({"abandon": window(29, 0.5)}, []),
        ({"trunk": {"name": "carrier", "failures": 2, "hold_s": 0.0}}, []),
        ({"trunk": {"name": "carrier", "failures": 3, "hold_s": 0.0}}, ["warn trunk_failing"]),
        ({"trunk": {"name": "carrier", "failures": 4, "hold_s": 7.2}}, ["bad trunk_down"]),
        ({"agents": idle(180.0)}, []),
        ({"agents": idle(180.1, 400.0)}, ["warn agents_idle"]),
        ({"agents": idle(9999.0, state="talking")}, []),
        ({"agents": idle(1.0, state="lost")}, ["warn agent_lost"]),
        ({"agents": [{"id": "1", "state": "talking", "since": AT, "help": True}]}, ["bad agent_help"]),
        ({"agents": [{"id": "1", "help": True}], "status": "paused"}, ["bad agent_help"]),
        ({"due": 19}, ["warn list_short"]),
        ({"due": 0}, ["warn list_later"]),
        ({"due": 0, "later": 0}, ["warn list_empty"]),
        ({"working": 0}, ["warn no_agents"]),
        ({"working": 0, "settings": {"kind": "ivr"}}, []),
        ({"due": 0, "later": 0, "status": "stopped"}, []),
    ],
)
def test_each(changed: dict[str, Any], told: list[str]) -> None:
    assert kinds(**changed) == told


def test_the_worst_comes_first_with_its_figures() -> None:
    found = alerts(CALM | {"due": 7, "agents": idle(200.4), "abandon": window(100, 0.05)}, AT)
    assert found == [
        {
            "kind": "limit_passed",
            "level": "bad",
            "facts": {"rate": 0.05, "limit": 0.03, "window": "rolling_24h"},
        },
        {"kind": "agents_idle", "level": "warn", "facts": {"n": 1, "seconds": 200}},
        {"kind": "list_short", "level": "warn", "facts": {"n": 7}},
    ]
