"""What is deployed fits the code: boards and alerts ask for real metrics, systemd takes the units, images refuse."""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml  # type: ignore[import-untyped]

from dialer.adapters.asterisk_conf import AsteriskSettings, faults
from dialer.adapters.asterisk_settings import read_settings
from dialer.cli import app as dialer_app
from dialer.config import read_config
from dialer.demo.folder import free_port
from dialer.metrics import ENGINE, HOLDS, IVR, Kind
from ivr.cli import app as ivr_app
from tests.asterisk.waiting import until_now

ROOT = Path(__file__).parents[1]
DEPLOY, DOCKER = ROOT / "deploy", ROOT / "docker"
LABELS = {one.name: set(one.labels) for one in (*ENGINE, *IVR)}
LABELS |= {f"{one.name}_bucket": {*one.labels, "le"} for one in (*ENGINE, *IVR) if one.kind is Kind.HISTOGRAM}
APPS = {"dialer": dialer_app, "ivr": ivr_app}
ENV = {"SANTUN_AMI_SECRET": "s" * 16, "SANTUN_ARI_PASSWORD": "a" * 16, "SANTUN_PERSON_KEY": "ab" * 32}


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
    command = re.search(r"^ExecStart=(\S+)/(\w+) (.+)$", text, re.M)
    assert command
    folder, program, words = command.groups()
    if program == "asterisk":
        (run,) = re.findall(r'^ *run = "(\S+)"', (ROOT / "README.md").read_text(), re.M)
        assert (folder, words) == ("/usr/sbin", f"-f -C {run}/etc/asterisk.conf")
    else:
        assert program in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
        known = typer.main.get_group(APPS[program]).commands
        assert (folder, words.split()[0] in known) == ("/opt/santun/bin", True)
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
    assert config.asterisk[node.node].ari == f"http://{node.http_host}:{node.http_port}/ari"
    assert (config.web.recordings, config.ivr.prompts) == (str(node.recordings), str(node.sounds))
    assert faults(node) == []
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


# ---- one override file per fault ----

FAULTS = sorted((DOCKER / "faults").glob("*.yml"))
HAND = DOCKER / "faults" / "hand.py"
Tree = dict[str, Any]


def merged(base: Tree, over: Tree) -> Tree:
    """As Compose does it with what these files use: tables together, lists together, and of a command the later."""
    found = dict(base)
    for key, value in over.items():
        before = found.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            found[key] = merged(before, value)
        elif isinstance(value, list) and isinstance(before, list) and key != "command":
            found[key] = [*before, *value]
        else:
            found[key] = value
    return found


def site(fault: Path) -> Tree:
    compose = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    services: Tree = merged(compose, yaml.safe_load(fault.read_text()))["services"]
    return services


def words_of(command: str | list[str]) -> list[str]:
    """What would be started, `$$` being Compose's dollar."""
    words = shlex.split(command) if isinstance(command, str) else command
    return [word.replace("$$", "$") for word in words]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.stem)
def test_a_fault_is_laid_over_the_compose_file(fault: Path) -> None:
    """It breaks what its name says, and nothing else is changed."""
    before = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    after = site(fault)
    own = yaml.safe_load(fault.read_text())["services"]
    assert fault.read_text().startswith("# ")
    assert own.keys() <= before.keys() | {"fault"}
    assert all(after[name] == before[name] for name in before.keys() - own.keys())
    for name, service in after.items():
        assert service["cap_drop"] == ["ALL"], name
        assert not service.get("privileged")
        assert service.get("network_mode", "host") == "host"
        if (shared := service.get("pid", "")).startswith("service:"):
            assert after[shared.removeprefix("service:")]["init"] is True
    if hand := after.get("fault"):
        assert hand["read_only"] is True
        mounted = hand["volumes"][0].split(":")
        assert (DOCKER / mounted[0]).samefile(HAND)
        asked = subprocess.run(
            [sys.executable, HAND, *hand["command"][2:], "--help"], capture_output=True, text=True, timeout=30
        )
        assert asked.returncode == 0, asked.stderr


def test_every_kind_of_fault_has_its_file() -> None:
    ours = {f"{name}-{how}" for name in ("ivr", "engine", "web", "asterisk") for how in ("frozen", "killed")}
    others = {"redis-killed", "redis-full", "ami-cut", "ami-half-open", "trunk-503", "trunk-silent"}
    assert {fault.stem for fault in FAULTS} == ours | others


@pytest.mark.parametrize(("fault", "name", "file"), [
    ("ami-cut", "engine", "santun.toml"), ("ami-half-open", "engine", "santun.toml"),
    ("trunk-503", "prepare", "pbx1.toml"), ("trunk-silent", "prepare", "pbx1.toml"),
])  # fmt: skip
def test_settings_changed_by_a_fault_are_still_sound(fault: str, name: str, file: str, tmp_path: Path) -> None:
    """The very `sed` of the override, on the file that is mounted: the engine and the calls go by way of the hand."""
    words = words_of(site(DOCKER / "faults" / f"{fault}.yml")[name]["command"])
    changed = words[2].partition(" >")[0].replace(f"/etc/santun/{file}", str(DOCKER / file))
    text = subprocess.run(["sh", "-c", changed], capture_output=True, text=True, check=True).stdout
    if file == "santun.toml":
        assert read_config(text, ENV).asterisk["pbx1"].port == 5039
        return
    (tmp_path / file).write_text(text)
    node = read_settings(tmp_path / file, ENV)
    assert isinstance(node, AsteriskSettings)
    assert (node.trunks[0].host, node.trunks[0].port) == ("127.0.0.1", 5070)


@contextmanager
def hand(*words: str) -> Iterator[None]:
    with subprocess.Popen([sys.executable, HAND, *words], stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_the_hand_freezes_and_kills() -> None:
    mark = f"santun-trial-{os.getpid()}"
    words = ("-c", "import time; time.sleep(60)", mark)
    victim = await asyncio.create_subprocess_exec(sys.executable, *words)
    try:
        with hand("freeze", mark, "--every", "0.1", "--for", "0.5"):
            await until_now(lambda: state(victim.pid) == "T", "standing still", 20)
            await until_now(lambda: state(victim.pid) == "S", "going on", 20)
        victim.send_signal(signal.SIGCONT)
        with hand("kill", mark, "--every", "0.1"):
            assert await asyncio.wait_for(victim.wait(), 20) == -signal.SIGKILL
    finally:
        if victim.returncode is None:
            victim.kill()


@pytest.mark.parametrize("half_open", [False, True])
async def test_the_hand_cuts_a_link(half_open: bool) -> None:
    """Or keeps it, and what was said meanwhile comes late."""

    over: set[asyncio.Task[Any] | None] = set()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        over.add(asyncio.current_task())
        with suppress(ConnectionError):
            while data := await reader.read(100):
                writer.write(data)
        await _closed(writer)

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    there, here = server.sockets[0].getsockname()[1], free_port("127.0.0.1", socket.SOCK_STREAM)
    words = ("cut", f"127.0.0.1:{here}", f"127.0.0.1:{there}", "--every", "2", "--for", "2")
    with hand(*words, *(["--half-open"] if half_open else [])):
        reader, writer = await _linked(here)
        closed, late_s = False, 0.0
        for _ in range(100):
            began = time.monotonic()
            writer.write(b"x")
            try:
                closed = not await asyncio.wait_for(reader.read(1), 10)
            except ConnectionError:
                closed = True
            late_s = max(late_s, time.monotonic() - began)
            if closed or late_s > 1:
                break
            await asyncio.sleep(0.05)
        await _closed(writer)
    server.close()
    await asyncio.wait_for(asyncio.gather(*filter(None, over)), 10)
    assert closed is not half_open
    assert (late_s > 1) is half_open


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def _linked(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    for _ in range(200):
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"a")
            if await reader.read(1):
                return reader, writer
            await _closed(writer)
        await asyncio.sleep(0.1)
    raise AssertionError("the hand did not come up")


@pytest.mark.parametrize(("status", "invite"), [("503", "SIP/2.0 503"), ("0", "")])
async def test_the_hand_is_a_carrier(status: str, invite: str) -> None:
    """There when asked, refusing or silent when called."""
    port = free_port("127.0.0.1", socket.SOCK_DGRAM)
    with hand("refuse", f"127.0.0.1:{port}", "--status", status), socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.3)
        sock.connect(("127.0.0.1", port))
        head = "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCSeq: 1"
        there = await asyncio.to_thread(_asked, sock, f"OPTIONS sip:c@d SIP/2.0\r\n{head} OPTIONS\r\n\r\n", 60)
        called = await asyncio.to_thread(_asked, sock, f"INVITE sip:c@d SIP/2.0\r\n{head} INVITE\r\n\r\n", 3)
    assert there.startswith("SIP/2.0 200")
    assert called.startswith(invite)
    assert bool(called) is bool(invite)
    assert "branch=z9hG4bK1" in there
    assert "CSeq: 1 OPTIONS" in there


def _asked(sock: socket.socket, request: str, tries: int) -> str:
    for _ in range(tries):
        with suppress(TimeoutError, ConnectionRefusedError):
            sock.send(request.encode())
            return sock.recv(4096).decode()
        time.sleep(0.1)
    return ""
