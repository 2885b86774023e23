"""The comparison: every rival runs, the page stands alone, the sweep covers its cells, the command says it all."""

import json
import math
import os
import signal
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from io import StringIO
from multiprocessing import active_children
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from dialer.cli import app
from dialer.errors import BadInput, DialerError
from dialer.pace.snapshot import AgentSeen, Kind, PacingEvent, Snapshot, Working
from dialer.simulate import NAMES, OURS, Found, Summary, compare, policy_of, shift, summary
from dialer.simulation.charts import round_up
from dialer.simulation.command import main
from dialer.simulation.page import page, sweep_page
from dialer.simulation.parallel import spread
from dialer.simulation.plots import report, swept
from dialer.simulation.rates import WINDOWS, calls_per_hour, rates, waits, waits_named
from dialer.simulation.result import Result
from dialer.simulation.scenario import STEADY
from dialer.simulation.sweep import sweep
from tests.test_simulate_recorded import some_records

SHORT = replace(STEADY, agents=6, hours=0.5, breaks=False, log_in_s=60.0)


@pytest.fixture(scope="module")
def found() -> list[Found]:
    return compare(SHORT, (1, 2), 0.03, lambda _: None)


def test_every_rival_paces_the_same_people(found: list[Found]) -> None:
    by_name = {one.name: one for one, _ in found}
    assert list(by_name) == list(NAMES)
    assert by_name["clairvoyant"].utilisation > by_name[OURS].utilisation >= by_name["progressive"].utilisation - 0.02
    assert by_name[OURS].abandon_rate <= 0.03
    assert by_name["vicidial_tapered"].abandon_rate > 0.1
    assert by_name["ratio"].abandon_rate < 0.05  # hardly more than a call per agent: half an hour is short
    assert all(one.right_party_per_hour > 0 < one.tried_share and one.tries_per_lead == 1.0 for one, _ in found)
    assert all(len(first.starts) == first.launched for _, first in found)


def test_an_unknown_policy_is_named() -> None:
    with pytest.raises(ValueError, match="no policy guess"):
        policy_of("guess", SHORT, 1)


@pytest.mark.parametrize("forecast", ["fitted", "misleading"])
def test_forecasts_may_be_used(forecast: str) -> None:
    once, twice = (shift(OURS, replace(SHORT, agents=3), 1, forecast=forecast, gap_s=1.0) for _ in range(2))
    assert once == twice
    assert once.abandon_rate <= 0.03
    assert once.launched > 50


def test_vicidial_brakes_at_the_limit() -> None:
    hard = policy_of("vicidial_hard", SHORT, 1)
    agents = tuple(AgentSeen(str(n), Working.IDLE, 0.0) for n in range(10))
    starts = [hard.decide(Snapshot(float(at), agents)).start for at in range(60)]
    assert sum(starts[40:]) > 10 * 3  # idle agents: the level has risen
    for number in range(60):
        hard.observe(PacingEvent(60.0, Kind.LIVE, str(number)))
        hard.observe(PacingEvent(60.0, Kind.ABANDON, str(number)))
    hard.decide(Snapshot(80.0, agents))
    assert hard.decide(Snapshot(83.0, agents)).reason == "level 1.00"


# ---- figures


def of(utilisation: float, abandoned: int = 0) -> Result:
    return Result(idle_s=100 * (1 - utilisation), busy_s=100 * utilisation, live=100, abandoned=abandoned, launched=300)


def test_means_carry_their_interval() -> None:
    one = summary("x", [of(0.7, 1), of(0.8, 5)], 1.0, 0.03)
    assert one.utilisation == pytest.approx(0.75)
    assert one.spread == pytest.approx(12.71 * 0.05, rel=1e-3)  # Student's t, one degree of freedom
    assert one.abandon_rate == pytest.approx(0.03)
    assert (one.abandon_worst, one.over) == (0.05, 1)
    assert 0.5 < one.over_at_most < 1
    assert math.isinf(summary("x", [of(0.7)], 1.0, 0.03).spread)
    many = summary("x", [of(0.7), of(0.8)] * 30, 1.0, 0.03)
    assert many.spread == pytest.approx(2.0 * 0.0504 / math.sqrt(60), rel=0.02)


def test_rates_are_those_of_each_window() -> None:
    fates = [(float(at), at < 300) for at in range(0, 7200, 10)]  # the first 30 were abandoned
    found = rates(Result(fates=fates), 7200.0, 24)
    far, half, last = (found[name] for name in WINDOWS)
    assert far[0] == half[0] == last[0] == pytest.approx(30 / 31)
    assert far[-1] == pytest.approx(30 / 720)
    assert half[6] == pytest.approx(0.0, abs=0.01)
    assert half[5] == pytest.approx(30 / 180, abs=0.01)
    assert last[-1] == 0.0
    assert rates(Result(fates=fates[:19]), 7200.0, 4)[WINDOWS[0]] == [None] * 4


def test_calls_and_waits_add_up() -> None:
    assert calls_per_hour(Result(starts=[0.0, 1.0, 1800.0, 3600.0]), 3600.0, 2) == [4.0, 4.0]
    shares = waits(Result(waits=[0.0, 0.0, 0.3, 1.7, 2.5], abandoned=5))
    assert len(shares) == len(waits_named())
    assert sum(shares) == pytest.approx(1.0)
    assert (shares[0], shares[-1]) == (0.2, 0.5)


@given(st.floats(0.1, 1e7))
def test_an_axis_ends_in_a_round_figure(most: float) -> None:
    assert most <= round_up(most) <= max(2.01 * most, 1.0)


# ---- what is shown


class Page(HTMLParser):
    """Every tag closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone(found: list[Found]) -> None:
    text = page(SHORT, 0.03, found)
    seen = Page(text)
    assert seen.open == []
    assert seen.counts["svg"] == 2 + len(WINDOWS) + 2
    assert all(f">{name}<" in text for name in NAMES.values())
    assert not {"script", "link", "img", "iframe"} & seen.counts.keys()
    assert not any(word in text for word in ("http", "url(", "@import", "nan", 'inf"'))
    assert "prefers-color-scheme: dark" in text


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_terminal_shows_every_window(found: list[Found], width: int) -> None:
    console = Console(width=width, record=True, file=StringIO())
    console.print(report(SHORT, 0.03, found, width, None))
    text = console.export_text()
    if width >= 80:
        assert all(
            name in text for name in ("Santun", "VICIdial taper", "so far", "30 min", "last 100", "waits", "calls/h")
        )
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width


def test_a_sweep_has_every_team_at_every_limit(tmp_path: Path) -> None:
    told: list[str] = []
    tiny = replace(SHORT, hours=0.25)
    cells = sweep(tiny, (2, 4), (0.01, 0.03), (1, 2), told.append)
    assert len(told) == 2 * 2 * 3
    names = [(cell.agents, cell.summary.name, cell.target) for cell in cells]
    assert names == [
        (size, name, target) for size in (2, 4) for name, target in (("progressive", 0.01), (OURS, 0.01), (OURS, 0.03))
    ]
    assert all(cell.summary.shifts == 2 for cell in cells)
    console = Console(width=100, record=True, file=StringIO())
    console.print(swept(tiny, cells))
    assert "at most 1.0%" in console.export_text()
    seen = Page(sweep_page(tiny, cells))
    assert seen.open == []
    assert seen.counts["svg"] == 2


def test_a_policy_without_an_interval_is_shown_too() -> None:
    one = Summary("x<y", 1, 0.5, math.inf, 0.2, 0.2, 0.3, 0.3, 10.0, 0.0, 1)
    assert "x&lt;y" in page(SHORT, 0.03, [(one, Result())])


# ---- processes


def test_work_is_spread_over_processes() -> None:
    assert dict(spread(math.sqrt, [1.0, 4.0, 9.0], 2)) == {1.0: 1.0, 4.0: 2.0, 9.0: 3.0}
    assert list(spread(math.sqrt, [4.0], 1)) == [(4.0, 2.0)]
    assert not active_children()


def test_a_fault_in_a_process_is_ours() -> None:
    with pytest.raises(ValueError, match="math domain error"):
        list(spread(math.sqrt, [-1.0, 1.0], 2))
    assert not active_children()


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(DialerError, match="the process that simulated 3 died"):
        list(spread(os._exit, [3], 2))
    assert not active_children()


def test_an_interrupt_ends_what_is_under_way() -> None:
    running = spread(partial(signal.sigtimedwait, [signal.SIGUSR1]), [0.0, 600.0], 2)
    assert next(running) == (0.0, None)
    running.close()  # as Ctrl-C does, from inside
    assert not active_children()


# ---- the command


def test_the_command(tmp_path: Path) -> None:
    words = ["simulate", "--agents", "4", "--hours", "0.3", "--shifts", "1", "--policy", OURS, "--jobs", "1"]
    told = CliRunner().invoke(app, [*words, "--html", str(tmp_path / "page.html")])
    assert told.exit_code == 0, told.output
    assert "Santun" in told.output
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_the_command_replays_a_stream_from_a_file_and_from_the_standard_input(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(one) for one in [*some_records(), {"not": "ours"}])
    (tmp_path / "outcomes.jsonl").write_text(lines)
    words = ["simulate", "--agents", "5", "--target", "2", "--shifts", "1", "--policy", OURS, "--jobs", "1"]
    for source in (str(tmp_path / "outcomes.jsonl"), "-"):
        told = CliRunner().invoke(app, [*words, "--from-outcomes", source], input=lines)
        assert told.exit_code == 0, told.output
        assert "5 agents" in told.output
        assert "as it was" in told.output
        assert "at most 2.0%" in told.output
        assert "Left out: 1 not an entry" in told.output.replace("\n", " ")


def test_the_command_sweeps(tmp_path: Path) -> None:
    words = ["--sweep-agents", "2,3", "--sweep-targets", "3", "--hours", "0.25", "--shifts", "1", "--jobs", "1"]
    told = CliRunner().invoke(app, ["simulate", *words, "--html", str(tmp_path / "page.html")])
    assert told.exit_code == 0, told.output
    assert "at most 3.0%" in told.output
    assert "3 agents" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--scenario", "sunny"], "no scenario sunny"),
        (["--policy", "guess"], "no policy guess"),
        (["--sweep-agents", "5,many"], r"--sweep-agents 5,many: use figures from 1 to 1000"),
        (["--sweep-targets", "30"], r"--sweep-targets 30: use figures"),
        (["--sweep-agents", "5", "--from-outcomes", "x"], "leave out --from-outcomes"),
        (["--from-outcomes", "/nowhere"], "/nowhere cannot be read: No such file"),
    ],
)
def test_the_command_names_what_it_does_not_know(words: list[str], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        main(words)


def test_a_page_that_cannot_be_written_is_said() -> None:
    words = ["--agents", "2", "--hours", "0.25", "--shifts", "1", "--policy", "progressive", "--jobs", "1"]
    with pytest.raises(BadInput, match="cannot be written"):
        main([*words, "--html", "/nowhere/page.html"])


def test_ctrl_c_ends_it_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dialer.simulation.command.compare", interrupted)
    with pytest.raises(typer.Exit) as told:
        main(["--shifts", "1"])
    assert told.value.exit_code == 130
