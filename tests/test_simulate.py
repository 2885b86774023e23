"""The comparison: every rival runs, the page stands alone, the command says it all."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.cli import app
from dialer.errors import BadInput
from dialer.simulate import NAMES, OURS, compare, policy_of, shift
from dialer.simulation.command import main
from dialer.simulation.page import page
from dialer.simulation.scenario import STEADY
from dialer.snapshot import AgentSeen, Kind, PacingEvent, Snapshot, Working

SHORT = replace(STEADY, agents=6, hours=0.6, breaks=False)


def test_every_rival_paces_the_same_people() -> None:
    heard: list[str] = []
    found = list(compare(SHORT, (1, 2), 0.03, heard.append))
    by_name = {summary.name: summary for summary, _ in found}
    assert set(by_name) == set(NAMES)
    assert len(heard) >= 2 * len(NAMES)
    assert by_name["clairvoyant"].utilisation > by_name[OURS].utilisation >= by_name["progressive"].utilisation - 0.02
    assert by_name[OURS].abandon_rate <= 0.03
    assert by_name["vicidial_tapered"].abandon_rate > 0.1
    assert by_name["ratio"].abandon_rate < 0.05  # hardly more than a call per agent: half an hour is short
    text = page(SHORT, 0.03, found)
    assert all(f">{name}<" in text for name in NAMES.values())
    assert "http" not in text
    assert "<script" not in text


def test_an_unknown_policy_is_named() -> None:
    with pytest.raises(ValueError, match="no policy guess"):
        policy_of("guess", SHORT, 1)


@pytest.mark.parametrize("forecast", ["fitted", "misleading"])
def test_forecasts_may_be_used(forecast: str) -> None:
    once, twice = (shift(OURS, SHORT, 1, forecast=forecast) for _ in range(2))
    assert once == twice
    assert once.abandon_rate <= 0.03
    assert once.launched > 100


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


def test_the_command(tmp_path: Path) -> None:
    words = ["simulate", "--agents", "4", "--hours", "0.3", "--shifts", "1", "--policy", OURS]
    told = CliRunner().invoke(app, [*words, "--html", str(tmp_path / "page.html")])
    assert told.exit_code == 0, told.output
    assert "Santun" in told.output
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_the_command_names_what_it_does_not_know() -> None:
    with pytest.raises(BadInput, match="no scenario sunny"):
        main(["--scenario", "sunny"])
    with pytest.raises(BadInput, match="no policy guess"):
        main(["--policy", "guess"])
