"""What is deployed fits the code: boards and alerts ask for real metrics, systemd takes the units, images refuse."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_settings import read_settings
from dialer.config import read_config
from dialer.metrics import ENGINE, HOLDS, IVR, Kind

ROOT = Path(__file__).parents[1]
DEPLOY, DOCKER = ROOT / "deploy", ROOT / "docker"
LABELS = {one.name: set(one.labels) for one in (*ENGINE, *IVR)}
LABELS |= {f"{one.name}_bucket": {*one.labels, "le"} for one in (*ENGINE, *IVR) if one.kind is Kind.HISTOGRAM}
ENV = {"SANTUN_AMI_SECRET": "s" * 16, "SANTUN_PERSON_KEY": "ab" * 32}


def expressions() -> list[str]:
    board = json.loads((DEPLOY / "grafana/dashboards/santun.json").read_text())
    found = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    found += [one["query"]["query"] for one in board["templating"]["list"]]
    return found + re.findall(r"expr: (.+)", (DEPLOY / "prometheus/alerts.yml").read_text())


def used(expression: str) -> dict[str, set[str]]:
    """Metric -> labels by which it is chosen."""
    names = re.findall(r"\b(santun_[a-z_]+)(?:\{([^}]*)\})?", expression)
    return {name: set(re.findall(r"(\w+)\s*=~?\"", chosen)) for name, chosen in names}


def test_boards_and_alerts_ask_for_metrics_that_there_are() -> None:
    asked: dict[str, set[str]] = {}
    for expression in expressions():
        for name, labels in used(expression).items():
            assert name in LABELS, expression
            assert labels <= LABELS[name], expression
            asked[name] = labels
        for reason in re.findall(r'reason="(\w+)"', expression):
            assert reason in HOLDS
    assert len(asked) > 20
    assert used('x(santun_typo{campaign=~"a",wrong="b"})') == {"santun_typo": {"campaign", "wrong"}}


@pytest.mark.skipif(not shutil.which("promtool"), reason="Prometheus's own judge is not on this machine")
def test_prometheus_takes_its_configuration() -> None:
    checked = subprocess.run(
        ["promtool", "check", "config", str(DEPLOY / "prometheus/prometheus.yml")], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda unit: unit.name)
def test_units_are_hardened_and_start_what_there_is(unit: Path) -> None:
    text = unit.read_text()
    command = re.search(r"^ExecStart=/opt/santun/bin/(\w+) (\w+)", text, re.M)
    assert command
    assert command[1] in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for line in ("User=santun", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "UMask=0077"):
        assert line in text.splitlines()
    assert "SECRET=" not in text


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this machine")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """On copies that start a program which is there: the real one is installed by whoever deploys."""
    for unit in (DEPLOY / "systemd").glob("*.service"):
        text = re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", unit.read_text()).replace("User=santun", "User=root")
        (tmp_path / unit.name).write_text(text.replace("Group=santun", "Group=root"))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *map(str, tmp_path.iterdir())],
        capture_output=True, text=True,
    )  # fmt: skip
    said = [line for line in checked.stderr.splitlines() if "santun" in line]
    assert not said, said


def test_the_site_of_the_compose_file_is_usable() -> None:
    config = read_config((DOCKER / "santun.toml").read_text(), ENV)
    node = read_settings(DOCKER / "pbx1.toml", ENV)
    assert isinstance(node, AsteriskSettings)
    assert config.asterisk[node.node].port == node.ami_port
    assert config.trunk["carrier"].host == node.trunks[0].host
    targets = re.findall(r'targets: \["([^"]+)"', (DEPLOY / "prometheus/prometheus.yml").read_text())
    assert targets[0] == config.metrics.listen
    assert f"--metrics {targets[1]}" in (DOCKER / "compose.yaml").read_text()


def test_containers_have_no_more_than_they_need() -> None:
    compose = (DOCKER / "compose.yaml").read_text()
    services = re.split(r"\n  (\w+):", compose.partition("\nservices:")[2].partition("\nvolumes:")[0])
    bodies = dict(zip(services[1::2], services[2::2], strict=True))
    assert {"asterisk", "redis", "engine", "web", "ivr", "prometheus", "grafana"} <= bodies.keys()
    for name, body in bodies.items():
        ours = "<<: *santun" in body
        assert ours or "cap_drop: [ALL]" in body, name
        assert ours or name == "grafana" or "read_only: true" in body, name
        assert "privileged: true" not in body
    shared = compose.partition("x-santun:")[2].partition("\nservices:")[0]
    assert "read_only: true" in shared
    assert "cap_drop: [ALL]" in shared
    assert "--appendfsync always" in bodies["redis"]
    for file in ("Dockerfile.santun", "Dockerfile.asterisk"):
        text = (DOCKER / file).read_text()
        assert "USER 10001:10001" in text
        assert "HEALTHCHECK" in text


def test_no_image_accepts_an_old_mirror_unless_told() -> None:
    """apt's own check is on; only SANTUN_TRIAL=1 turns it off, and names the image for it."""
    for file in DOCKER.glob("Dockerfile.*"):
        assert not re.search(r"Check-Valid-Until|allow-unauthenticated|trusted=yes", file.read_text(), re.I)
    script = (DOCKER / "build.sh").read_text()
    assert script.count("check=false") == 1
    assert "tag=trial check=false" in script
    assert 'Acquire::Check-Valid-Until \\"$check\\"' in script
