"""`dialer pacing`: the series as a table, whatever is in it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.redis_store import RedisStore
from dialer.commands.pacing import COLUMNS, head, line
from dialer.pace.series import FIELDS, NUMBERS

from .test_cli import Dialer, dialer, env, in_store, redis

__all__ = ["dialer", "env", "in_store", "redis"]  # fixtures
NAMES = (*FIELDS, *NUMBERS)
ENTRY = {
    "at": "1795000000.600", "start": "5", "ended": "1", "reason": "5 calls: 3 agents free and 2.1 soon", "free": "3",
    "working": "12", "in_flight": "9", "ringing": "4", "waiting": "1", "lines": "30", "lines_used": "17",
    "answer_rate": "0.3111", "live_soon": "2.04", "free_soon": "2.13", "abandon_chance": "0.0421", "price": "0.05",
    "live": "412", "abandoned": "10", "budget": "2.433", "forecast_slope": "0.81", "lives_next": "1.9",
    "lives_next_pooled": "1.55",
}  # fmt: skip


def test_a_line_says_it_all() -> None:
    words = line(ENTRY).split()
    assert words[:8] == ["11:06:40", "5", "1", "3/12", "9", "4", "1", "17/30"]
    for shown in ("31.1%", "2.0/2.1", "0.0421/0.0500", "10 of 412", "2.4", "0.81 +0.35"):
        assert shown in line(ENTRY)
    assert line(ENTRY).endswith("  5 calls: 3 agents free and 2.1 soon")


def test_columns_stand_under_their_names() -> None:
    ends, at = [], -1
    for _, width, _ in COLUMNS:
        at += width + 1
        ends.append(at)
    assert all(head()[end - 1] != " " and head()[end : end + 1] in (" ", "") for end in ends)
    assert all(line(ENTRY)[end] == " " for end in ends)


def test_what_is_not_known_is_left_out() -> None:
    assert line({"reason": "No calls: nobody"}).split() == "No calls: nobody".split()
    assert len(line({})) == len(line(ENTRY)) - len(ENTRY["reason"])


@given(st.dictionaries(st.sampled_from(NAMES), st.text() | st.floats().map(str)))
def test_any_entry_can_be_shown(entry: dict[str, str]) -> None:
    assert line(entry).endswith(entry.get("reason", ""))


@pytest.mark.redis
def test_the_series_is_printed(dialer: Dialer, in_store: Callable[..., Any]) -> None:
    dialer("campaign", "create", "paced")
    assert "Nothing was decided for paced" in dialer("pacing", "paced").out

    async def write(store: RedisStore) -> None:
        token = await store.lead("paced", "test", 1000)
        assert token is not None
        for second in range(5):
            await store.pacing("paced", token, ENTRY | {"start": str(second)})

    in_store(write)
    said = dialer("pacing", "paced", "--last", "3").out.splitlines()
    assert said[0] == head()
    assert [one.split()[1] for one in said[1:]] == ["2", "3", "4"]
    (last,) = dialer("pacing", "paced", "--last", "1", "--json").out.splitlines()
    assert json.loads(last) == ENTRY | {"start": "4"}
    assert "there is no campaign 'nobody'" in dialer("pacing", "nobody").failed()
