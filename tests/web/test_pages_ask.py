"""Everything that the pages do, the API can: each request of theirs is an operation that it describes, and no other."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialer.web.access import FOR_TOKENS, Right
from dialer.web.api import tables
from dialer.web.route import Route

JS = Path(__file__).parents[2] / "dialer" / "web" / "static" / "js"
PAGES = sorted(path for path in JS.rglob("*.js") if "i18n" not in path.parts)
METHODS = {"get": "GET", "post": "POST", "put": "PUT", "patch": "PATCH", "del": "DELETE", "upload": "POST"}
ASKED = re.compile(r'\b(get|post|put|patch|del|upload|ask)\(\s*(?:"([A-Z]+)",\s*)?([`"])(/[^`"?]*)')
ROUTES = [route for table in tables().values() for route in table]
PEOPLE = frozenset(Right) - FOR_TOKENS  # sign-in, passwords, one's own desk


def asked(text: str) -> Iterator[tuple[str, str]]:
    """(method, path with a * for each value) of the requests in a source."""
    for word, method, _, path in ASKED.findall(text):
        yield method or METHODS[word], re.sub(r"\$\{[^}]*\}", "*", path)


def known(method: str, path: str) -> list[Route]:
    """The operations that such a request may be."""
    shape = path.split("/")

    def fits(route: Route) -> bool:
        parts = route.path.split("/")
        return len(parts) == len(shape) and all(
            theirs == "*" or ours == theirs or ours.startswith("{") for ours, theirs in zip(parts, shape, strict=True)
        )

    return [route for route in ROUTES if route.method == method and fits(route)]


def test_requests_are_found_in_sources() -> None:
    text = 'get("/a", { b }) + post(`/a/${c.d}/e`) + ask("PUT", "/f") + got("/g")'
    assert list(asked(text)) == [("GET", "/a"), ("POST", "/a/*/e"), ("PUT", "/f")]
    assert known("GET", "/campaigns/*/week")
    assert not known("DELETE", "/campaigns/*/week")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_asks_for_nothing_that_is_not_described(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name != "docs.js":  # it shows the description itself
        assert [one for one in asked(text) if not known(*one)] == []
    if path.name != "api.js":
        assert not re.search(r"\bfetch\(|XMLHttpRequest", text), "requests go through lib/api.js"


def test_a_program_can_do_it_too() -> None:
    """But for what is about the person who is signed in."""
    found = {route for path in PAGES for one in asked(path.read_text(encoding="utf-8")) for route in known(*one)}
    assert len(found) > 50
    closed = {route.name for route in found if route.right in PEOPLE or route.right is None}
    allowed = re.compile(r"^(get|post|patch|delete)_(me|desk|sign|users|tokens)")
    assert [name for name in sorted(closed) if not allowed.match(name)] == []
