"""The pacing benchmark: its cells, its file, its table; no shift is played."""

import json
from pathlib import Path

import pytest

from dialer.simulation.scenario import SCENARIOS
from tests.bench import bench_pacing
from tests.bench.bench_pacing import SAMPLE, SHIFTS, Cell, cells, key_of, main, run, table

ROW = {"utilisation": 0.8, "abandon_rate": 0.02, "half_hour": 0.05, "live": 100, "launched": 300, "reached": 90}


def played(cell: Cell) -> dict[str, float]:
    return ROW | {"abandon_rate": 0.04 if cell[0] == "ratio:1.5" else 0.02}


def test_every_cell_has_its_shifts_and_fills_as_fast_as_the_others() -> None:
    wanted = cells(True, (20, 100, 500), ("predictive", "progressive"), list(SCENARIOS))
    assert len(set(wanted)) == len(wanted) == 2 * 6 * (SHIFTS[20] + SHIFTS[100] + SHIFTS[500])
    half = wanted[: len(wanted) // 2]
    for size in (20, 100, 500):
        share = sum(cell[1] == size for cell in half) / (2 * 6 * SHIFTS[size])
        assert share == pytest.approx(0.5, abs=0.1)
    assert len(cells(False, (20,), ("predictive",), ["steady"])) == SAMPLE[20]


def test_policies_and_teams_meet_the_same_people() -> None:
    for name in SCENARIOS:
        seeds = {(cell[0], cell[1]): cell[3] for cell in cells(False, (3, 500), ("a", "b"), [name])[::-1]}
        assert len(set(seeds.values())) == 1


def test_what_was_cut_short_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_pacing, "one_shift", played)
    path, wanted = tmp_path / "pacing.json", cells(False, (3,), ("predictive",), ["steady", "poor"])
    run(path, 0.0, wanted, 1)
    assert not path.exists()
    run(path, 10.0, wanted[:2], 1)
    assert list(json.loads(path.read_text())) == [key_of(cell) for cell in wanted[:2]]
    run(path, 10.0, wanted, 1)
    assert set(json.loads(path.read_text())) == {key_of(cell) for cell in wanted}
    assert key_of(wanted[0]).split("/") == ["predictive", "3", "steady", "1"]


def test_the_table_says_how_many_shifts_and_how_many_passed_the_limit() -> None:
    rows = {f"predictive/20/steady/{seed}": ROW | {"utilisation": 0.8 + seed / 100} for seed in (1, 7)}
    rows["ratio:1.5/20/steady/1"] = ROW | {"abandon_rate": 0.04, "tried_share": 0.5}
    head, _, ours, ratio = table(rows, True).splitlines()
    assert "| shifts |" in head
    assert ours.startswith("| predictive | 20 | steady | 2 | 84.0 ± 38.1 | 85 | 2.00 | 2.00 | 5.0 | 0 |")
    assert ratio.startswith("| ratio:1.5 | 20 | steady | 1 | 80.0 | 85 | 4.00 | 4.00 | 5.0 | 1 | 100%")


def test_a_table_of_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--table", "--file", str(tmp_path / "none.json")]) == 1
    assert "with shifts yet" in capsys.readouterr().out
