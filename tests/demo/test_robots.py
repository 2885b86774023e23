"""A robot's day: signed in, talks, wraps up, takes breaks asked for in a talk, and goes home with no call left."""

import asyncio
from collections.abc import Mapping

import pytest

from dialer.demo import robots
from dialer.demo.robots import Robot


class Floor:
    """An engine of one agent, who gets a call whenever he is idle."""

    def __init__(self) -> None:
        self.state, self.attempt, self.calls = "", "", 0
        self.break_next = self.out_next = False
        self.heard: list[str] = []

    async def obey(self, name: str, args: Mapping[str, str]) -> None:
        assert args["agent"] == "1001"
        self.heard.append(name)
        if name in ("sign_in", "back"):
            self._arrive()
        elif name == "hang_up" and self.state == "talking":
            self.state = "wrap_up"
        elif name == "wrapped" and self.state == "wrap_up":
            self.attempt = ""
            self._arrive()
        elif name == "break" and self.state == "talking":
            self.break_next = True
        elif name == "sign_out":
            self.out_next = self.state == "talking"
            self.state = self.state if self.out_next else "signed_out"

    def _arrive(self) -> None:
        if self.out_next:
            self.state = "signed_out"
        elif self.break_next:
            self.state, self.break_next = "break", False
        else:
            self.calls += 1
            self.state, self.attempt = "talking", f"a{self.calls}"

    def look(self) -> dict[str, object]:
        return {"agents": [{"id": "1001", "state": self.state, "attempt": self.attempt}]}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day in a second."""
    times = {"TALK_MEDIAN_S": 0.01, "LOOK_S": 0.001, "WRAP_S": (0.002, 0.004), "BREAK_S": (0.002, 0.004)}
    for name, value in (times | {"AGAIN_S": 0.01, "TALK_LEAVING_S": 0.01, "BREAK_CHANCE": 0.3}).items():
        monkeypatch.setattr(robots, name, value)


@pytest.mark.usefixtures("quick")
async def test_a_day() -> None:
    floor = Floor()
    robot = Robot("1001", floor.obey, floor.look, 1)
    day = asyncio.create_task(robot.work())
    async with asyncio.timeout(60):
        while floor.calls < 20:  # noqa: ASYNC110 - as he does
            await asyncio.sleep(0.005)
        robot.leave()
        await day
    assert floor.state == "signed_out"
    assert floor.heard[0] == "sign_in"
    assert floor.heard[-1] == "sign_out"
    assert floor.heard.count("back") > 1
    assert floor.heard.count("break") - floor.heard.count("back") in (0, 1)
    for before, after in zip(floor.heard, floor.heard[1:], strict=False):
        assert before != "break" or after == "hang_up"  # never while somebody may be sent to him


@pytest.mark.usefixtures("quick")
async def test_he_goes_home_at_once_when_nobody_is_with_him() -> None:
    floor = Floor()
    robot = Robot("1001", floor.obey, floor.look, 1)
    robot.leave()
    floor.state = "idle"
    async with asyncio.timeout(60):
        await robot.work()
    assert floor.state == "signed_out"
