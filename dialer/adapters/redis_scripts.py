"""The Lua scripts, by name, and how one call of them looks on the wire."""

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

Argument = str | bytes | int
RedisCommand = tuple[Argument, ...]

FOLDER = Path(__file__).parent / "lua"


PART = re.compile(r"^-- with (\w+)\n", re.MULTILINE)


@cache
def sources() -> dict[str, str]:
    """Script name -> its text, with the parts it names."""
    parts = {path.stem: path.read_text(encoding="utf-8") for path in sorted((FOLDER / "parts").glob("*.lua"))}
    whole = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.lua"))}
    return {name: PART.sub(lambda found: parts[found[1]], text) for name, text in whole.items()}


@cache
def digest(name: str) -> str:
    """The name under which Redis knows a script."""
    return hashlib.sha1(sources()[name].encode(), usedforsecurity=False).hexdigest()


def call(name: str, keys: Sequence[str], *arguments: Argument) -> RedisCommand:
    """EVALSHA of one script."""
    return ("EVALSHA", digest(name), len(keys), *keys, *arguments)
