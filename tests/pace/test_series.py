"""The pacing series: seconds summed up, nothing lost that could not be written, and its page kept true to the table."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.model import Mode
from dialer.pace.series import FIELDS, NUMBERS, QUIET_S, Series, document
from dialer.pace.snapshot import Decision
from tests.site import CAMPAIGN, Stage, mixed, staged
from tests.twins import play, until

PAGE = Path(__file__).parents[2] / "docs" / "pacing-series.md"
T0 = 1_795_000_000.0
NO = Decision(0, (), "No calls: nothing", {"free": 0.0})


def calls(start: int, reason: str = "", **numbers: float) -> Decision:
    return Decision(start, (), reason or f"{start} calls", numbers)


def test_the_page_says_what_the_table_says() -> None:
    assert PAGE.read_text() == document(), "run the command in the page's third line"


def test_a_second_is_one_entry() -> None:
    series = Series()
    for turn, one in enumerate((NO, calls(2, free=3.0), calls(3, price=0.051234), NO)):
        series.saw(one, turn, T0 + turn / 5)
    assert series.entry(True) == {
        "at": "1795000000.600", "start": "5", "ended": "6", "reason": "3 calls", "price": "0.05123"
    }  # fmt: skip
    series.written()
    assert series.entry(True) is None
    series.saw(NO, 0, T0 + 1)
    entry = series.entry(True)
    assert entry is not None
    assert (entry["start"], entry["reason"], entry["free"]) == ("0", "No calls: nothing", "0")


def test_what_could_not_be_written_comes_with_the_next() -> None:
    series = Series()
    series.saw(calls(2), 1, T0)
    assert series.entry(True) == series.entry(True)
    series.saw(calls(3), 0, T0 + 1)
    entry = series.entry(True)
    assert entry is not None
    assert (entry["at"], entry["start"], entry["ended"], entry["reason"]) == ("1795000001.000", "5", "1", "3 calls")
    series.saw(calls(4), 0, T0 + 2)  # while it is being written
    series.written()
    entry = series.entry(True)
    assert entry is not None
    assert entry["start"] == "4"


def test_a_campaign_that_rests_says_so_once_a_minute() -> None:
    series, written = Series(), 0
    for second in range(int(3 * QUIET_S)):
        series.saw(NO, 0, T0 + second)
        if series.entry(False):
            series.written()
            written += 1
    assert written == 3
    series.saw(replace(NO, reason="No calls: something else"), 0, T0)
    assert series.entry(False)
    series.written()
    series.saw(calls(1, "No calls: something else"), 0, T0)
    assert series.entry(False), "a call never goes untold"


def test_a_number_does_not_write_over_a_field() -> None:
    series = Series()
    series.saw(Decision(2, (), "why", {"start": 9.0, "at": 1.0, "live": 123456.0, "x": float("inf")}), 0, T0)
    entry = series.entry(True)
    assert entry is not None
    assert (entry["start"], entry["at"], entry["live"], entry["x"]) == ("2", "1795000000.000", "123456", "inf")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans(), st.booleans())))
def test_every_call_is_told_once(seconds: list[tuple[int, int, bool, bool]]) -> None:
    series, started, ended = Series(), 0, 0
    for turn, (start, end, running, fails) in enumerate([*seconds, (0, 0, True, False)]):
        series.saw(calls(start), end, T0 + turn)
        entry = series.entry(running)
        if entry is not None and not fails:
            series.written()
            started, ended = started + int(entry["start"]), ended + int(entry["ended"])
    assert started == sum(start for start, _, _, _ in seconds)
    assert ended == sum(end for _, end, _, _ in seconds)


# ---- in a running campaign


@pytest.mark.parametrize("mode", [Mode.PREDICTIVE, Mode.RATIO, Mode.PROGRESSIVE])
def test_the_engine_writes_one_a_second(mode: Mode) -> None:
    async def scene() -> None:
        campaign = replace(CAMPAIGN, mode=mode, lines_per_agent_max=10.0)
        async with staged(campaign, mixed(7), 2000, tuple(f"1{n:02d}" for n in range(10))) as stage:
            before = len(stage.books.pacing)
            await asyncio.sleep(120.0)
            entries = stage.books.pacing[before:]
            assert 100 <= len(entries) <= 121
            times = [float(one["at"]) for one in entries]
            assert all(later - sooner > 0.5 for sooner, later in pairwise(times))
            assert all(set(one) <= {*FIELDS, *NUMBERS} for one in entries), "every number is in the page"
            await stage.quiet()
            assert started(stage) >= len(stage.placed())

    play(scene())


def started(stage: Stage) -> int:
    return sum(int(one["start"]) for one in stage.books.pacing)


def test_seconds_without_redis_are_summed_up() -> None:
    async def scene() -> None:
        async with staged(CAMPAIGN, mixed(7), 2000, ("101", "102")) as stage:
            await until(lambda: len(stage.placed()) > 5)
            stage.store.down = True
            await asyncio.sleep(5.0)
            stage.store.down = False
            await until(lambda: len(stage.placed()) > 10)
            await asyncio.sleep(2.0)
            assert started(stage) >= len(stage.placed())

    play(scene())
