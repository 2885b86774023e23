"""What an engine shows: every metric of the table with a value, holds by reason, probes that mean something."""

import re
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from dialer.metrics import ENGINE, HOLDS, IVR, Kind, document, reason_of
from dialer.model import Mode, Status
from dialer.ports import LinkHealth, StreamSize
from dialer.running.measured import Health, lacking, of_engine, of_run, stuck
from dialer.running.run import Run, Seen
from tests.floor.test_floor import T0, attempt
from tests.running.test_run import UP, led
from tests.site import CAMPAIGN, staged
from tests.twins import until

ROOT = Path(__file__).parents[2]
WELL = Health(0.05, 0.5, 0.001, "", False, 0, {})


def test_the_document_is_of_this_code() -> None:
    assert (ROOT / "docs/metrics.md").read_text() == document()


def test_names_follow_the_convention() -> None:
    for one in (*ENGINE, *IVR):
        assert re.fullmatch(r"santun_[a-z_]+", one.name)
        assert one.name.endswith("_total") == (one.kind is Kind.COUNTER), one.name
        assert bool(one.buckets) == (one.kind is Kind.HISTOGRAM), one.name
        assert not re.search(r"_(s|ms|rate|percent|kb)$", one.name), one.name
    names = [one.name for one in (*ENGINE, *IVR)]
    assert len(names) == len(set(names))


def test_every_hold_of_a_run_has_a_reason() -> None:
    """All of them at once, as Run.holds says them: none falls among `other`."""
    run = led(status=Status.PAUSED, lease_until=0.0, reconciled=False, trouble="its trunk is gone", due=0)
    run.campaign = replace(CAMPAIGN, mode=Mode.PREVIEW)
    run.breaker.until = T0 + 9
    wrong = Seen(store_ping_s=1.5, write_lag_s=2.0, store_error="refused")
    found = {*run.holds(T0, 50.0, LinkHealth(False, 1200.0, 9000), wrong)} | {*run.holds(T0, 50.0, UP, wrong)}
    reasons = {reason_of(hold, run.trouble) for hold in found}
    assert len(found) >= 12
    assert "other" not in reasons
    assert reasons <= set(HOLDS)
    assert reasons >= set(HOLDS) - {"other", "draining"}
    assert reason_of("something new") == "other"


def values(run: Run, holds: tuple[str, ...] = ()) -> dict[tuple[str, ...], float]:
    return {(name, *labels): value for name, labels, value in of_run(run, holds, T0, 50.0)}


def test_a_campaign_in_numbers() -> None:
    run = led()
    run.floor.claimed(attempt("a1", T0), T0)
    run.outcomes["busy"] = 3
    run.streams = {"outcomes": StreamSize(7, 900, 90)}
    found = values(run, ("the list is empty",))
    assert found[("santun_calls", "c1", "claimed")] == 1
    assert found[("santun_outcomes_total", "c1", "busy")] == 3
    assert found[("santun_outcomes_total", "c1", "connected")] == 0
    assert found[("santun_hold", "c1", "list")] == 1
    assert found[("santun_hold", "c1", "lease")] == 0
    assert found[("santun_stream_bytes", "c1", "outcomes")] == 900
    assert found[("santun_abandon_upper_ratio", "c1", "last_100")] == 1.0
    run.draining = True
    assert values(run)[("santun_hold", "c1", "draining")] == 1


def test_each_metric_of_the_table_is_given_and_no_other() -> None:
    run = led()
    run.streams = {"outcomes": StreamSize(7, 900, 90)}
    given = {(name, len(labels)) for name, labels, _ in (*of_run(run, (), T0, 50.0), *of_engine(WELL))}
    links = {one for one in ENGINE if one.name.startswith("santun_manager_")}
    expected = {(one.name, len(one.labels)) for one in ENGINE if one.kind is not Kind.HISTOGRAM and one not in links}
    assert given == expected


@pytest.mark.parametrize(
    ("health", "link", "lacks"),
    [
        (WELL, UP, ""),
        (replace(WELL, ticked_s=6.0), UP, "the loop has not turned for 6 s"),
        (replace(WELL, ticked_s=inf), UP, "the loop has not begun"),
        (replace(WELL, draining=True), UP, "it is draining"),
        (replace(WELL, store_error="refused"), UP, "Redis fails: refused"),
        (replace(WELL, ping_s=1.5), UP, "Redis is slow: 1.5 s"),
        (replace(WELL, led_s=11.0), UP, "it neither leads nor stands by: it has not looked for campaigns"),
        (WELL, LinkHealth(False, 0.0, 0), "Asterisk a cannot be reached"),
    ],
)
def test_readiness(health: Health, link: LinkHealth, lacks: str) -> None:
    assert lacking(health, {"a": link}) == ([lacks] if lacks else [])
    assert stuck(health) == ([lacks] if "loop" in lacks else [])


async def test_an_engine_that_runs_is_alive_and_ready_and_tells_why_it_is_not() -> None:
    async with staged(listed=3) as stage:
        took: list[float] = []
        stage.engine.on_decision = took.append
        await until(lambda: bool(took))
        health = stage.engine.health()
        assert lacking(health, {"a": stage.asterisk.health()}) == []
        assert health.holds == {"c1": stage.engine.health().holds["c1"]}
        stage.engine.drain(None, 3600.0)
        assert lacking(stage.engine.health(), {}) == ["it is draining"]
    assert all(seconds >= 0 for seconds in took)
