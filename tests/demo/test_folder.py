"""Run folders: one a demo, cleaned of what a killed one left, secrets for their owner only."""

import contextlib
import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dialer.demo.folder import HOMES, PIDS, SLOTS, Folder, end_leftovers, run_folder
from dialer.errors import SetupError


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they were, afterwards."""
    for name in HOMES:
        monkeypatch.setenv(name, os.environ.get(name, ""))


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("r")


def test_each_demo_has_its_own_and_leaves_it_readable(root: Path) -> None:
    with run_folder(root) as one, run_folder(root) as two:
        assert one.keep == root / ".run" / "demo"
        assert two.keep == root / ".run" / "demo-2"
        (one.run / "dialer.log").write_text("said")
        env = one.write_env({"SANTUN_AMI_SECRET": "it's", "B": "$x"})
        assert stat.S_IMODE(env.stat().st_mode) == 0o600
        words = f'. {shlex.quote(str(env))}; echo "$SANTUN_AMI_SECRET $B"'
        said = subprocess.run(["/bin/sh", "-c", words], capture_output=True, text=True, check=True)
        assert said.stdout == "it's $x\n"
    assert (root / ".run" / "demo" / "dialer.log").read_text() == "said"
    assert not env.exists()
    with run_folder(root) as again:
        assert again.keep == root / ".run" / "demo"
        assert not (again.keep / "dialer.log").exists()


def test_ten_are_too_many(root: Path) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(SLOTS):
            stack.enter_context(run_folder(root))
        with pytest.raises(SetupError, match="end one of them"):
            stack.enter_context(run_folder(root))


def test_a_path_too_long_for_sockets_is_run_elsewhere_and_kept(root: Path) -> None:
    deep = root / ("d" * 80)
    deep.mkdir()
    with run_folder(deep) as folder:
        assert folder.run != folder.keep
        (folder.run / "dialer.log").write_text("said")
    assert (deep / ".run" / "demo" / "dialer.log").read_text() == "said"
    assert not folder.run.exists()


def test_what_a_killed_one_left_is_ended_and_nobody_else(tmp_path: Path) -> None:
    with (
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as ours,
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other,
    ):
        Folder(tmp_path, tmp_path).note(ours.pid)
        with (tmp_path / PIDS).open("a") as file:
            file.write(f"{other.pid} 1\n\nnonsense\n999999999 5\n")  # born at another time
        assert end_leftovers(tmp_path) == 1
        assert ours.wait(5) != 0
        assert other.poll() is None
        other.kill()
    assert end_leftovers(tmp_path) == 0
    assert end_leftovers(tmp_path / "nothing") == 0
