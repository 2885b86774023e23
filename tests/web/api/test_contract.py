"""The API against its own description: invented requests by every role, on a real server and a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.core.failures import FailureGroup

from dialer.config import Web
from dialer.users import Role
from dialer.web.access import FOR_TOKENS
from tests.web.api.kit import FIRST, filled
from tests.web.house import Client, House, opened

# they end the session that asks, or wait for an engine that is not here
APART = {"post_sign_out", "post_me_sessions_end", "post_campaigns_campaign_orders"}
EXAMPLES = 2  # of each operation, each sent by everybody
DONE = {"nobody": 0, "agent": 4, "supervisor": 15, "admin": 15, "token": 15}  # operations that did something
checks.load_all_checks()
CHECKS = [
    checks.CHECKS.get_one(name)
    for name in (
        "status_code_conformance", "content_type_conformance", "response_headers_conformance",
        "response_schema_conformance", "negative_data_rejection",
    )
]  # fmt: skip


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path, Web(listen="127.0.0.1:0", requests_per_second=1000.0)) as house:
        await filled(house)
        yield house


async def client_of(house: House, who: str) -> Client:
    if who == "nobody":
        return house.client()
    if who == "token":
        return await house.program(*(right.value for right in FOR_TOKENS))
    return await house.signed_in(f"one-{who}", Role(who), "101" if who == "agent" else "")


def headers_of(client: Client) -> dict[str, str]:
    """What proves who asks."""
    if client.token:
        return {"Authorization": f"Bearer {client.token}"}
    cookies = "; ".join(f"{one.key}={one.value}" for one in client.http.cookie_jar)
    return {"Cookie": cookies, "X-CSRF-Token": client.csrf} if cookies else {}


@dataclass
class Seen:
    """What came of it."""

    count: int = 0
    done: dict[str, set[str]] = field(default_factory=dict)  # role -> operations that did something at least once
    wrong: list[str] = field(default_factory=list)


def ask_all(base: str, roles: Mapping[str, Mapping[str, str]]) -> Seen:
    """Every operation, with some invented requests each."""
    schema: Any = schemathesis.openapi.from_url(f"{base}/api/v1/openapi.json")
    seen = Seen(done={who: set() for who in roles})
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.definition.raw["operationId"] not in APART:
            ask(operation, roles, seen)
    return seen


def ask(operation: Any, roles: Mapping[str, Mapping[str, str]], seen: Seen) -> None:
    """One operation; every second request is about a campaign that is there."""
    name = operation.definition.raw["operationId"]

    @settings(
        max_examples=EXAMPLES, database=None, deadline=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)))
    def run(case: Any) -> None:
        seen.count += 1
        if case.path_parameters and "campaign" in case.path_parameters and seen.count % 2:
            case.path_parameters["campaign"] = FIRST
        own = dict(case.headers or {})
        for who, headers in roles.items():
            case.headers = {**own, **headers}
            response = case.call(timeout=30)
            try:
                case.validate_response(response, checks=CHECKS)
            except FailureGroup as failures:
                seen.wrong += [f"{who}: {name}: {failure}" for failure in failures.exceptions]
            if response.status_code == 500:  # others are told of: no engine, no Asterisk here
                seen.wrong.append(f"{who}: {name}: a fault of ours")
            if response.status_code < 300:
                seen.done[who].add(name)

    run()


@pytest.mark.timeout(400)
async def test_every_answer_is_as_described(house: House) -> None:
    roles = {who: headers_of(await client_of(house, who)) for who in DONE}
    seen = await asyncio.to_thread(ask_all, house.base, roles)
    assert not seen.wrong, "\n".join(seen.wrong[:20])
    for who, least in DONE.items():
        assert len(seen.done[who]) >= least, (who, sorted(seen.done[who]))
    assert (await house.client().get("//health")).status == 200
