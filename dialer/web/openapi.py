"""The OpenAPI 3.1 document, made from the routes' tables and their types; nothing in it is written twice."""

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import msgspec

from dialer.model import AGENT_ID, CAMPAIGN_ID
from dialer.users import USER_NAME
from dialer.web.problems import TITLES, TYPE, ProblemBody
from dialer.web.route import Download, Raw, Replay, Route, Upload

API = "/api/v1"
REF = "#/components/schemas/{name}"
PARAMETER = re.compile(r"\{(\w+)\}")
PATTERNS = {
    "campaign": CAMPAIGN_ID.pattern,
    "agent": AGENT_ID.pattern,
    "name": USER_NAME.pattern,
    "flow": "[a-z0-9][a-z0-9_-]{0,39}",
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key is answered once: a second request with it gets the first one's answer, for a day.",
    "schema": {"type": "string", "minLength": 8, "maxLength": 200, "pattern": "^[ -~]+$"},
}
CSRF = {
    "name": "X-CSRF-Token",
    "in": "header",
    "required": False,
    "description": "From /me; wanted with a session's cookie, not with a token.",
    "schema": {"type": "string", "pattern": "^[!-~]*$"},
}
ABOUT = (
    "Everything that the pages do. A program sends `Authorization: Bearer TOKEN` (dialer user token); a browser has its"
    " session's cookie and sends X-CSRF-Token with every change. Times are ISO 8601 in UTC, money is an integer of the"
    " currency's smallest written unit. Refusals are problem details (RFC 9457); `kind` is their stable word."
)


def document(tables: Mapping[str, Iterable[Route]]) -> dict[str, Any]:
    """Of these resources."""
    routes = [(resource, route) for resource, table in tables.items() for route in table]
    kinds: list[Any] = [ProblemBody]
    for _, route in routes:
        kinds += [kind for kind in (route.takes, route.gives, route.query) if _is_typed(kind)]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    by_kind = list(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for resource, route in routes:
        paths.setdefault(API + route.path, {})[route.method.lower()] = _operation(resource, route, by_kind, components)
    for name in {_name(route.query, by_kind) for _, route in routes if route.query is not None}:
        components.pop(name, None)  # its fields are parameters
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "Santun", "version": version("santun"), "description": ABOUT},
        "tags": [{"name": resource} for resource in tables],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {"Problem": _problem("Refused; `kind` says why.")},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "santun"},
            },
        },
    }


def _is_typed(kind: Any) -> bool:
    return kind is not None and kind not in (Upload, Download, Raw)


def _schema(kind: Any, kinds: list[tuple[Any, dict[str, Any]]]) -> dict[str, Any]:
    return next((schema for known, schema in kinds if known is kind), {})


def _name(kind: Any, kinds: list[tuple[Any, dict[str, Any]]]) -> str:
    """Under which it stands: its own, or a longer one where another type has the same."""
    return str(_schema(kind, kinds)["$ref"]).rpartition("/")[2]


def _operation(
    resource: str, route: Route, kinds: list[tuple[Any, dict[str, Any]]], components: Mapping[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [resource],
        "summary": route.summary,
        "parameters": [*_in_path(route), *_in_query(route, kinds, components)],
        "responses": {str(_status(route)): _success(route, _schema(route.gives, kinds)), **_refusals(route)},
        "security": [{"token": []}, {"session": []}] if route.right is not None else [],
    }
    if about := (route.run.__doc__ or "").strip():
        operation["description"] = about
    if route.right is not None:
        operation["x-right"] = route.right.value
    if route.changes:
        keys = [] if route.once is Replay.NO else [KEY]
        operation["parameters"] += keys if route.signed else [*keys, CSRF]
    if route.takes is Upload:
        raw = {"schema": {"type": "string", "format": "binary"}}
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": raw}}
    elif route.takes is not None:
        content = {"application/json": {"schema": _schema(route.takes, kinds)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _in_path(route: Route) -> list[dict[str, Any]]:
    found = []
    for name in PARAMETER.findall(route.path):
        schema = {"type": "string", "minLength": 1, "maxLength": 200}
        if name in PATTERNS:
            schema["pattern"] = f"^{PATTERNS[name]}$"
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    return found


def _in_query(
    route: Route, kinds: list[tuple[Any, dict[str, Any]]], components: Mapping[str, Any]
) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    shape = components[_name(route.query, kinds)]
    needed = shape.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": schema}
        for name, schema in shape["properties"].items()
    ]


def _status(route: Route) -> int:
    return 204 if route.gives is None else route.status


def _success(route: Route, schema: Mapping[str, Any]) -> dict[str, Any]:
    if route.gives is None:
        return {"description": "Done."}
    if route.gives is Download:
        return {"description": "The file.", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _refusals(route: Route) -> dict[str, Any]:
    """What every operation of its kind may say, and its own."""
    statuses = {400, 429, 503, 504}
    if route.right is not None:
        statuses |= {401, 403}
    if route.changes:
        statuses |= {403, 409, 422}
    if route.takes is not None:
        statuses |= {408, 413, 415}
    if "{" in route.path:
        statuses.add(404)
    ref = {"$ref": "#/components/responses/Problem"}
    found: dict[str, Any] = {str(status): ref for status in sorted(statuses)}
    for status in sorted({status for status, _ in route.problems}):
        kinds = ", ".join(f"`{kind}`" for known, kind in route.problems if known == status)
        found[str(status)] = _problem(f"{TITLES.get(status, 'Refused')}: {kinds}.")
    return found | {"default": ref}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {TYPE: {"schema": {"$ref": REF.format(name=ProblemBody.__name__)}}}}
