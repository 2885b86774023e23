"""The demo's run folder: each demo that runs has its own, and what a killed one left running is ended first."""

import contextlib
import fcntl
import os
import shlex
import shutil
import signal
import socket
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dialer.errors import SetupError

SLOTS = 9
RUN_PATH_MAX = 60  # below it lie control sockets, whose paths are limited to 107 bytes
PIDS, ENV, LOG_INS = "pids", "env", "log-ins"
HOMES = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")
END_S = 5.0
LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Folder:
    """`run`: where everything runs; `keep`: where one looks, the same unless its path is too long for a socket."""

    run: Path
    keep: Path

    def note(self, pid: int) -> None:
        """A process that is to be ended with this demo, even if the demo itself is killed."""
        with (self.keep / PIDS).open("a") as file:
            file.write(f"{pid} {_born(pid)}\n")

    def write_env(self, env: Mapping[str, str]) -> Path:
        """For `. .run/demo/env`: what the product's commands need to reach this demo."""
        path = self.keep / ENV
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in env.items())
        return path


@contextmanager
def run_folder(root: Path) -> Iterator[Folder]:
    """The first of .run/demo, .run/demo-2 ... that no other demo uses; its logs stay until the next one takes it."""
    with contextlib.ExitStack() as stack:
        keep = _slot(root / ".run", stack)
        end_leftovers(keep)
        shutil.rmtree(keep, ignore_errors=True)
        keep.mkdir(mode=0o700)
        run = keep
        if len(str(keep)) > RUN_PATH_MAX:
            run = Path(tempfile.mkdtemp(prefix="santun-"))
            stack.callback(_keep, run, keep)
        for name in (PIDS, ENV, LOG_INS):  # nothing runs any more, and the secrets open nothing
            stack.callback((keep / name).unlink, True)
        for name in HOMES:  # espeak-ng's sound library leaves files where it finds a home
            os.environ[name] = str(run)
        yield Folder(run, keep)


def _slot(runs: Path, stack: contextlib.ExitStack) -> Path:
    runs.mkdir(exist_ok=True)
    for number in range(1, SLOTS + 1):
        keep = runs / ("demo" if number == 1 else f"demo-{number}")
        lock = stack.enter_context(keep.with_suffix(".lock").open("w"))
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return keep
    raise SetupError(f"{SLOTS} demos run here already; end one of them with Ctrl-C.")


def _keep(run: Path, keep: Path) -> None:
    def sockets(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if stat.S_ISSOCK(os.lstat(Path(folder, name)).st_mode)]

    shutil.copytree(run, keep, symlinks=True, ignore=sockets, dirs_exist_ok=True)
    shutil.rmtree(run, ignore_errors=True)


def end_leftovers(keep: Path) -> int:
    """End what a demo that was killed in this folder had started; how many that were. Nobody else's: a pid that now
    belongs to another process was born at another time."""
    path = keep / PIDS
    lines = path.read_text().split("\n") if path.exists() else []
    noted = [(int(pid), born) for pid, _, born in (line.partition(" ") for line in lines) if pid.isdigit()]
    left = [pid for pid, born in noted if _born(pid) == born]
    for number in (signal.SIGTERM, signal.SIGKILL):
        alive = [pid for pid, born in noted if _born(pid) == born]
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        until = time.monotonic() + END_S
        while any(_born(pid) == born for pid, born in noted) and time.monotonic() < until:
            time.sleep(LOOK_S)
    return len(left)


def _born(pid: int) -> str:
    """When it started, in ticks since the machine did; empty: it is not there, or dead and unburied."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] == "Z" else fields[19]


def free_port(host: str, kind: socket.SocketKind) -> int:
    """A port that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
