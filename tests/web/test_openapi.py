"""The API's document: valid, complete, and true to the routes."""

import json
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from dialer.web.api import tables
from dialer.web.openapi import API, document
from tests.web.house import House

TOLD: dict[str, Any] = json.loads(json.dumps(document(tables())))


def refs(value: Any) -> set[str]:
    """Every reference in it."""
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(refs(one) for one in value.values()))
    return set().union(*(refs(one) for one in value)) if isinstance(value, list) else set()


def test_it_is_openapi() -> None:
    schema = schemathesis.openapi.from_dict(TOLD)
    schema.validate()
    found = list(schema.get_all_operations())
    assert not [one for one in found if type(one).__name__ == "Err"]
    assert len(found) == sum(len(table) for table in tables().values())


def test_every_schema_is_one() -> None:
    for schema in TOLD["components"]["schemas"].values():
        jsonschema_rs.Draft202012Validator(schema | {"components": TOLD["components"]})


def test_every_reference_leads_somewhere() -> None:
    for ref in refs(TOLD):
        place: Any = TOLD
        for name in ref.removeprefix("#/").split("/"):
            place = place[name]


def test_every_route_is_told_with_its_right_and_its_parameters() -> None:
    names = set()
    for table in tables().values():
        for route in table:
            operation = TOLD["paths"][API + route.path][route.method.lower()]
            names.add(operation["operationId"])
            assert operation.get("x-right") == (route.right.value if route.right else None)
            in_path = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert in_path == {part[1:-1] for part in route.path.split("/") if part.startswith("{")}
            assert operation["summary"]
    assert len(names) == sum(len(table) for table in tables().values())


@pytest.mark.redis
async def test_it_is_served_to_everybody(house: House) -> None:
    answer = await house.client().get("/openapi.json")
    assert (answer.status, answer.body) == (200, TOLD)


@pytest.mark.redis
async def test_answers_are_as_told(house: House) -> None:
    """Of the reading operations of this module's own; the data's are held by their own tests."""
    from dialer.users import Role

    client = await house.signed_in("ani", Role.ADMIN)
    for path in ("/me", "/users", "/tokens", "/audit", "/me/sessions"):
        schema = TOLD["paths"][API + path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        answer = await client.get(path)
        jsonschema_rs.Draft202012Validator(schema | {"components": TOLD["components"]}).validate(answer.body)
