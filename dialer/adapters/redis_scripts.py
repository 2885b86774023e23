"""The Lua scripts, by name, and how one call of them looks on the wire."""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

Argument = str | bytes | int
RedisCommand = tuple[Argument, ...]

FOLDER = Path(__file__).parent / "lua"


@cache
def sources() -> dict[str, str]:
    """Script name -> its text."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.lua"))}


@cache
def digest(name: str) -> str:
    """The name under which Redis knows a script."""
    return hashlib.sha1(sources()[name].encode(), usedforsecurity=False).hexdigest()


def call(name: str, keys: Sequence[str], *arguments: Argument) -> RedisCommand:
    """EVALSHA of one script."""
    return ("EVALSHA", digest(name), len(keys), *keys, *arguments)
