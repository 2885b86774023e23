"""Can this Asterisk do what Santun needs? Starts it once, with a throwaway configuration, and asks.

A version number does not tell, for distributions patch and strip. What differs among those found in the field: the
event filter syntax of manager.conf (older ones ignore it silently, and every event of every call would come), AMD's
audioFile, and the modules.
"""

import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

BOOT_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Asterisk:
    """One usable Asterisk: `command` is the start of an argv, to which `-f -C FILE` or `-V` is added."""

    command: tuple[str, ...]
    modules: Path  # astmoddir
    data: Path  # holds documentation/, without which Asterisk refuses to start
    sounds: Path | None  # the English core sounds, where they came along
    version: str


def version_of(command: Sequence[str]) -> str | None:
    """What `asterisk -V` says, as in 22.10.1; None where it does not run."""
    try:
        said = subprocess.run([*command, "-V"], capture_output=True, text=True, timeout=10, check=False).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said[1].partition("~")[0].partition("+")[0] if said[:1] == ["Asterisk"] and len(said) > 1 else None


def faults(asterisk: Asterisk, modules_conf: Path | None = None) -> list[str]:
    """What this Asterisk lacks, in words; an empty list says it is able."""
    lacking = [name for name in _modules(modules_conf) if not (asterisk.modules / name).is_file()]
    if lacking:
        return [f"it has no {', '.join(lacking)} in {asterisk.modules}"]
    # short path: a unix socket's name may not be longer than 107 bytes
    run = Path(tempfile.mkdtemp(prefix="santun-check-", dir="/tmp"))
    try:
        return _boot_and_ask(asterisk, run)
    finally:
        shutil.rmtree(run, ignore_errors=True)


def _modules(modules_conf: Path | None) -> list[str]:
    if modules_conf is None or not modules_conf.is_file():
        return []
    lines = (line.partition(";")[0].replace(" ", "") for line in modules_conf.read_text().splitlines())
    return [line.removeprefix("load=").lstrip(">") for line in lines if line.startswith("load=")]


def _boot_and_ask(asterisk: Asterisk, run: Path) -> list[str]:
    secret = secrets.token_hex(16)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    _write_configuration(asterisk, run, port, secret)
    with (run / "console").open("wb") as console:
        process = subprocess.Popen(
            [*asterisk.command, "-f", "-C", str(run / "asterisk.conf")],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
        )
    try:
        return _ask(process, port, secret)
    except (OSError, EOFError) as error:
        said = (run / "console").read_text(errors="replace").strip().splitlines()
        return [f"it did not start ({said[-1].strip() if said else error})"]
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _write_configuration(asterisk: Asterisk, run: Path, port: int, secret: str) -> None:
    own = "".join(f"ast{name}dir => {run}\n" for name in ("etc", "varlib", "db", "key", "spool", "run", "log", "agi"))
    (run / "asterisk.conf").write_text(
        f"[directories]\n{own}astmoddir => {asterisk.modules}\nastdatadir => {asterisk.data}\n"
    )
    (run / "modules.conf").write_text("[modules]\nautoload=no\nload=app_amd.so\n")
    (run / "amd.conf").touch()  # app_amd does not load without it
    (run / "manager.conf").write_text(
        f"[general]\nenabled=yes\nwebenabled=no\nbindaddr=127.0.0.1\nport={port}\n"
        f"[check]\nsecret={secret}\nread=system,user\nwrite=command,user\n"
        "eventfilter(action(include),name(FullyBooted)) =\n"
    )


def _ask(process: subprocess.Popen[bytes], port: int, secret: str) -> list[str]:
    with _connect(process, port) as link, link.makefile("rw", encoding="utf-8", errors="replace") as ami:
        ami.readline()  # the greeting
        _say(ami, "Action: Login", "Username: check", f"Secret: {secret}")
        _hear(ami, "Event: FullyBooted")
        _say(ami, "Action: UserEvent", "UserEvent: NotAskedFor")
        _say(ami, "Action: Command", "Command: core show application AMD", "ActionID: amd")
        heard = _hear(ami, "ActionID: amd")
    found = []
    if "Event: UserEvent" in heard:
        found.append("it does not know the event filter syntax eventfilter(action(include),name(X)) in manager.conf")
    if not any("audiofile" in line.lower() for line in heard):
        found.append("its AMD application has no audioFile argument")
    return found


def _say(ami: TextIO, *lines: str) -> None:
    ami.write("\r\n".join((*lines, "", "")))
    ami.flush()


def _hear(ami: TextIO, wanted: str) -> list[str]:
    """Every line up to the end of the message that holds the wanted one."""
    heard: list[str] = []
    while line := ami.readline():
        heard.append(line.strip())
        if not heard[-1] and wanted in heard:
            return heard
    raise EOFError("it closed the manager session")


def _connect(process: subprocess.Popen[bytes], port: int) -> socket.socket:
    until = time.monotonic() + BOOT_LIMIT_S
    while True:
        if process.poll() is not None:
            raise EOFError(f"it ended with {process.returncode}")
        try:
            link = socket.create_connection(("127.0.0.1", port), timeout=1)
        except OSError as error:
            if time.monotonic() > until:
                raise OSError(f"no answer within {BOOT_LIMIT_S:.0f} s") from error
            time.sleep(0.05)
        else:
            link.settimeout(BOOT_LIMIT_S)
            return link
