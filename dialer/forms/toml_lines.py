"""Where in a TOML file each key stands: tomllib forgets it, and a fault is of little use without its line."""

import re
from collections.abc import Iterable

Path = tuple[str, ...]

_HEADER = re.compile(r"\s*\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')\s*=")
_PART = re.compile(r"\"[^\"]*\"|'[^']*'|[^.\s]+")
_QUOTED = re.compile(r"\"\"\"[\s\S]*?(?:\"\"\"|$)|'''[\s\S]*?(?:'''|$)|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'")
_COMMENT = re.compile(r"#[^\n]*")
_BLANK = "\0"


def lines(text: str) -> dict[Path, int]:
    """(`steps`, `menu`, `choices`, `2`) -> line, counted from 1. Of arrays in tables, each item has its own."""
    found: dict[Path, int] = {}
    table: Path = ()
    key: Path = ()
    depth = item = 0
    for number, (line, bare) in enumerate(zip(text.split("\n"), _bared(text).split("\n"), strict=True), 1):
        start = 0
        if depth == 0:
            if header := _HEADER.match(bare):
                header = _HEADER.match(line) or header  # with the names in quotes
                table = _path(header[1])
                found.setdefault(table, number)
                continue
            match = _KEY.match(line)
            if not match or "=" not in bare:  # within a string
                continue
            key, item = (*table, match[1].strip("\"'")), 0
            found.setdefault(key, number)
            start = bare.find("=") + 1
        for char in bare[start:]:
            if depth == 1 and char in "{" + _BLANK:
                found.setdefault((*key, str(item)), number)
            if depth == 1 and char == ",":
                item += 1
            depth += (char in "[{") - (char in "]}")
    return found


def line_of(found: dict[Path, int], path: Iterable[object]) -> int:
    """The line of the nearest place that is known."""
    parts = tuple(str(part) for part in path)
    while parts and parts not in found:
        parts = parts[:-1]
    return found.get(parts, 1)


def _path(header: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(header))


def _bared(text: str) -> str:
    """Without what stands in quotes or comments: a mark stays where a string begins; lines stay lines."""
    out, at = [], 0
    while at < len(text):
        match = _QUOTED.match(text, at) or _COMMENT.match(text, at)
        if match:
            quoted = text[at] in "\"'"
            out.append((_BLANK if quoted else "") + "\n" * match[0].count("\n"))
            at = match.end()
        else:
            out.append(text[at])
            at += 1
    return "".join(out)
