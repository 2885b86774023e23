"""Nobody reaches what is not his: every route asked for real by every role, against the tables of routes and rights."""

import pytest

from dialer.users import Role
from dialer.web.access import RIGHTS, Right, Who
from dialer.web.api import tables
from dialer.web.route import Route
from tests.web.api.kit import FIRST, filled
from tests.web.house import Answer, Client, House

ROUTES = [route for table in tables().values() for route in table]
WORDS = {"campaign": FIRST, "person": "0" * 32, "attempt": "0" * 26, "agent": "999", "name": "nobody-here"}
STEP_S = 20.0  # so that nobody asks too often


def address(route: Route) -> str:
    """With names of things that are not there."""
    words = {part[1:-1] for part in route.path.split("/") if part.startswith("{")}
    return route.path.format(**{word: WORDS.get(word, "none-such") for word in words})


async def ask(house: House, client: Client, route: Route) -> Answer:
    """With a body that nothing can come of: rights are looked at before it is."""
    house.clock.at += STEP_S
    headers = {"Content-Type": "application/json"}
    body = b"{" if route.changes else None
    return await client.ask(route.method, address(route), body, headers=headers if route.changes else {})


def may(role: Role, agent: str, route: Route) -> bool:
    return route.right is None or Who("x", role, RIGHTS[role], agent).may(route.right)


@pytest.mark.parametrize(("role", "agent"), [(Role.AGENT, "101"), (Role.SUPERVISOR, ""), (Role.ADMIN, "")])
async def test_a_role_reaches_what_is_its_own_and_nothing_else(house: House, role: Role, agent: str) -> None:
    await filled(house)
    client = await house.signed_in("somebody", role, agent)
    refused = 0
    for route in ROUTES:
        answer = await ask(house, client, route)
        if may(role, agent, route):
            assert answer.status < 500 or answer.kind in ("not_here",), f"{route.name}: {answer.body}"
            if answer.status in (401, 403):
                assert route.right is None, f"{route.name}: {answer.body}"
        else:
            refused += 1
            assert answer.status == 403, f"{route.name}: {answer.status}"
            assert answer.kind == "not_allowed", route.name
    assert refused == sum(not may(role, agent, route) for route in ROUTES)
    assert refused > (40 if role is Role.AGENT else 2 if role is Role.SUPERVISOR else -1)


async def test_nobody_reaches_nothing(house: House) -> None:
    await filled(house)
    client = house.client()
    for route in ROUTES:
        answer = await ask(house, client, route)
        if route.right is not None:
            assert (answer.status, answer.kind) == (401, "not_signed_in"), route.name


async def test_a_token_reaches_its_rights_one_by_one(house: House) -> None:
    await filled(house)
    for right in sorted({route.right for route in ROUTES if route.right is not None} - {Right.SELF, Right.DESK}):
        client = await house.program(right.value)
        for route in ROUTES:
            if route.right is None:
                continue
            answer = await ask(house, client, route)
            allowed = answer.status not in (401, 403)
            granted = right is route.right and right not in (Right.USERS_CHANGE, Right.TOKENS_CHANGE)
            assert allowed is granted, f"{right.value} at {route.name}: {answer.status} {answer.body}"


async def test_a_session_needs_its_csrf_token_for_every_change(house: House) -> None:
    await filled(house)
    client = await house.signed_in("somebody", Role.ADMIN, "101")
    client.csrf = ""
    for route in ROUTES:
        if route.changes and not route.signed and route.right is not None:
            assert (await ask(house, client, route)).kind == "csrf", route.name


async def test_a_strange_page_changes_nothing(house: House) -> None:
    await filled(house)
    client = await house.signed_in("somebody", Role.ADMIN, "101")
    client.headers = {"Origin": "https://evil.example"}
    for route in ROUTES:
        if route.changes:
            assert (await ask(house, client, route)).kind == "origin", route.name
