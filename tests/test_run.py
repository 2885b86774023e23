"""./run on invented machines: every program it calls is a small fake that writes down how it was called; no network."""

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = ("demo", "test", "check", "bench", "chaos", "dialer", "ivr", "setup", "help")
PLAIN = "sh bash cat chmod cp dirname env grep head ln ls mkdir mv rm tail touch".split()

# `python3 -m venv` makes one with pip, pip brings uv, and uv makes the .venv.
PYTHON = """
    [ "$1" = -c ] && exit 0
    mkdir -p "$3/bin"; cp "$FAKES/pip" "$3/bin/python"
"""
PIP = """
    [ -z "${PIP_FAILS:-}" ] || { echo "ERROR: No matching distribution"; exit 1; }
    cp "$FAKES/uv" "${0%/*}/uv"
"""
UV = """
    [ -z "${UV_FAILS:-}" ] || { echo "error: Failed to fetch numpy"; echo "  Caused by: no route to host"; exit 2; }
    mkdir -p .venv/bin; for tool in python ruff dialer ivr; do cp "$FAKES/tool" ".venv/bin/$tool"; done
"""
TOOL = """
    case "$*" in *"${FAILING:-nothing}"*) exit 1 ;; esac
"""
APT_GET = """
    case "$*" in
        *install*) [ -z "${APT_FAILS:-}" ] || { echo "E: Unable to locate package redis-tools"; exit 100; }
            cp "$FAKES/python3" "$FAKES/redis-check-rdb" "$FAKES/espeak-ng" "$HERE" ;;
    esac
"""


@dataclass
class Machine:
    """A folder with ./run in it and a PATH with nothing but plain tools and fakes."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("bin", "fakes", "project/.ci"):
            (self.folder / name).mkdir(parents=True)
        shutil.copy(ROOT / "run", self.folder / "project/run")
        shutil.copy(ROOT / ".ci/run", self.folder / "project/.ci/run")
        for name in PLAIN:
            (self.folder / "bin" / name).symlink_to(shutil.which(name) or f"/bin/{name}")
        fakes = {"python3": PYTHON, "pip": PIP, "uv": UV, "tool": TOOL, "apt-get": APT_GET, "sudo": 'shift; "$@"'}
        for name, body in (fakes | {"redis-check-rdb": "", "espeak-ng": "", "redis-server": ""}).items():
            fake = self.folder / "fakes" / name
            fake.write_text(f'#!/bin/sh\necho "${{0##*/}} $*" >>"$LOG"\n{dedent(body)}')
            fake.chmod(0o755)
        self.user(0)

    def has(self, *programs: str) -> "Machine":
        for name in programs:
            shutil.copy(self.folder / "fakes" / name, self.folder / "bin" / name)
        return self

    def user(self, number: int) -> "Machine":
        (self.folder / "bin/id").write_text(f"#!/bin/sh\necho {number}\n")
        (self.folder / "bin/id").chmod(0o755)
        return self

    def run(self, *arguments: str, program: str = "./run", **variables: str) -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        return subprocess.run(
            [program, *arguments],
            cwd=self.folder / "project",
            env={
                "PATH": str(self.folder / "bin"),
                "HERE": str(self.folder / "bin"),
                "FAKES": str(self.folder / "fakes"),
                "LOG": str(self.log),
                "SANTUN_ASTERISK": "somewhere",  # so that no key of this real machine is looked for
                **variables,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def called(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def one_sentence(said: str) -> bool:
    return len(said.strip().splitlines()) == 1 and said.strip().endswith(".") and not re.search(r"\. [A-Z]", said)


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_is_plain_shell(shell: str) -> None:
    program = shutil.which(shell) or "/bin/sh"
    assert subprocess.run([program, "-n", ROOT / "run"], check=False).returncode == 0


def test_help_names_every_command_and_installs_nothing(machine: Machine) -> None:
    ended = machine.run("help")
    assert ended.returncode == 0
    assert all(f"./run {command}" in ended.stdout for command in COMMANDS)
    assert machine.run().stdout == ended.stdout
    assert sorted(path.name for path in (machine.folder / "project").iterdir()) == [".ci", "run"]


def test_help_says_what_is_untried(machine: Machine) -> None:
    assert "Ubuntu 24.04 is provided for and untried" in machine.run("help").stdout


def test_an_unknown_command_is_one_sentence(machine: Machine) -> None:
    ended = machine.run("dmeo")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert one_sentence(ended.stderr)
    assert "dmeo" in ended.stderr
    assert "./run help" in ended.stderr


def test_bare_machine_gets_everything_and_is_told_why(machine: Machine) -> None:
    ended = machine.has("apt-get").run("setup")
    assert ended.returncode == 0, ended.stderr
    for word in ("python3-venv", "redis-tools", "no service is started", "espeak-ng", "uv.lock"):
        assert word in ended.stdout
    assert machine.called()[:2] == [
        "apt-get -q update",
        "apt-get -q install -y --no-install-recommends python3 python3-venv redis-tools espeak-ng",
    ]
    assert machine.called()[-1] == "python -m dialer.adapters.asterisk_install"
    assert (machine.folder / "project/.cache/bin/redis-server").resolve().name == "redis-check-rdb"


def test_the_second_start_installs_nothing(machine: Machine) -> None:
    assert machine.has("apt-get").run("setup").returncode == 0
    ended = machine.run("dialer", "status")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert [call.split(" ")[0] for call in machine.called()] == ["python3", "uv", "python", "dialer"]
    assert "sync -q --frozen" in machine.called()[1]


def test_only_what_is_missing_is_installed(machine: Machine) -> None:
    machine.has("apt-get", "python3", "espeak-ng").run("setup")
    assert "apt-get -q install -y --no-install-recommends redis-tools" in machine.called()
    machine.has("redis-server").run("setup")
    assert not [call for call in machine.called() if call.startswith("apt-get")]


def test_goes_through_sudo_when_not_root(machine: Machine) -> None:
    ended = machine.user(1000).has("apt-get", "sudo").run("setup")
    assert ended.returncode == 0, ended.stderr
    assert "through sudo" in ended.stdout
    assert "sudo -n apt-get -q update" in machine.called()


def test_without_root_valkey_serves_and_that_is_said(machine: Machine) -> None:
    ended = machine.user(1000).has("apt-get", "python3", "espeak-ng").run("setup")
    assert ended.returncode == 0, ended.stderr
    assert "neither root nor allowed to use sudo" in ended.stdout
    assert "Redis is Valkey" in ended.stdout
    assert any(call.startswith("uv sync") and call.endswith("--extra valkey") for call in machine.called())
    assert not [call for call in machine.called() if call.startswith("apt-get")]


STOPS: dict[str, tuple[Callable[[Machine], object], dict[str, str], tuple[str, ...]]] = {
    "no root, no python": (
        lambda machine: machine.user(1000).has("apt-get"),
        {},
        ("neither root", "apt-get install python3 python3-venv redis-tools espeak-ng"),
    ),
    "no apt, no python": (lambda machine: machine, {}, ("nor apt-get", "install that Python")),
    "apt knows no such package": (
        lambda machine: machine.has("apt-get"),
        {"APT_FAILS": "1"},
        ("E: Unable to locate package redis-tools", "check the network"),
    ),
    "no PyPI": (
        lambda machine: machine.has("python3", "redis-server", "espeak-ng"),
        {"PIP_FAILS": "1"},
        ("PyPI", "PIP_INDEX_URL"),
    ),
    "no packages": (
        lambda machine: machine.has("python3", "redis-server", "espeak-ng"),
        {"UV_FAILS": "1"},
        ("Caused by: no route to host", "check the network"),
    ),
}


@pytest.mark.parametrize("name", STOPS)
def test_a_failure_is_one_sentence_with_cause_and_cure(machine: Machine, name: str) -> None:
    prepare, variables, words = STOPS[name]
    prepare(machine)
    ended = machine.run("demo", **variables)
    assert ended.returncode == 1
    assert one_sentence(ended.stderr), ended.stderr
    assert all(word in ended.stderr for word in words), ended.stderr
    assert not [call for call in machine.called() if "dialer.demo" in call]


def test_set_up_that_broke_off_goes_on_the_next_time(machine: Machine) -> None:
    machine.has("python3", "redis-server", "espeak-ng")
    assert machine.run("setup", PIP_FAILS="1").returncode == 1
    assert machine.run("setup").returncode == 0


def test_without_asterisk_nothing_is_started(machine: Machine) -> None:
    machine.has("python3", "redis-server", "espeak-ng")
    assert machine.run("demo", FAILING="asterisk_install").returncode == 1
    assert not [call for call in machine.called() if "dialer.demo" in call]


@pytest.mark.parametrize(
    ("arguments", "last"),
    [
        ("demo --minutes 1", "python -m dialer.demo --minutes 1"),
        ("bench", "python -m tests.bench"),
        ("dialer load a.csv", "dialer load a.csv"),
        ("ivr serve", "ivr serve"),
    ],
)
def test_a_command_is_handed_its_words(machine: Machine, arguments: str, last: str) -> None:
    machine.has("python3", "redis-server", "espeak-ng").run(*arguments.split())
    assert machine.called()[-1] == last


def test_test_is_lint_types_and_tests(machine: Machine) -> None:
    machine.has("python3", "redis-server", "espeak-ng").run("test", "-k", "pacing")
    assert machine.called()[-4:] == [
        "ruff check .",
        "ruff format --check .",
        "python -m mypy",
        "python -m pytest -n 3 --dist loadfile -k pacing",
    ]


@pytest.mark.skipif(
    "ID=debian" not in Path("/etc/os-release").read_text(), reason="only Debian has Chromium as a package"
)
def test_only_the_tests_get_a_browser(machine: Machine) -> None:
    machine.has("python3", "redis-server", "espeak-ng", "apt-get")
    for command, variables in (("demo", {}), ("setup", {}), ("test", {"SANTUN_CHROMIUM": "/opt/chromium"})):
        assert machine.run(command, **variables).returncode == 0
        assert not [call for call in machine.called() if call.startswith("apt-get")], command
    machine.run("test")
    assert "apt-get -q install -y --no-install-recommends chromium" in machine.called()


@pytest.mark.parametrize("failing", ["check .", "format", "mypy", "pytest"])
def test_test_fails_with_each_of_its_parts(machine: Machine, failing: str) -> None:
    ended = machine.has("python3", "redis-server", "espeak-ng").run("test", FAILING=failing)
    assert ended.returncode != 0
    assert failing in machine.called()[-1]


def test_continuous_integration_is_the_same_command(machine: Machine) -> None:
    ended = machine.has("python3", "redis-server", "espeak-ng").run(program=".ci/run")
    assert ended.returncode == 0, ended.stderr
    assert machine.called()[-1] == "python -m pytest -n 3 --dist loadfile"


def test_the_lock_names_the_public_index_only() -> None:
    lock = (ROOT / "uv.lock").read_text()
    assert set(re.findall(r"\w+://([^/\"]+)", lock)) == {"pypi.org", "files.pythonhosted.org"}


def test_what_the_lock_holds_is_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = {package["name"] for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    asked = {re.split(r"[\[<>=~ ]", name)[0] for name in project["dependencies"]}
    assert asked <= locked


@pytest.mark.parametrize("path", ["run", ".ci/run"])
def test_can_be_started(path: str) -> None:
    assert os.access(ROOT / path, os.X_OK)
