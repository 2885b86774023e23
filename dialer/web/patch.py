"""JSON merge patches (RFC 7396): what changed between two values, and one put to use."""

from collections.abc import Mapping
from typing import Any


def whole(value: Any) -> Any:
    """The value without names that stand for nothing: a merge patch cannot say null."""
    if isinstance(value, Mapping):
        return {name: whole(one) for name, one in value.items() if one is not None}
    return value


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The patch that makes `after` of `before`; both as whole() gives them."""
    patch: dict[str, Any] = {name: None for name in before if name not in after}
    for name, value in after.items():
        known = before.get(name)
        if isinstance(value, Mapping) and isinstance(known, Mapping):
            if inner := difference(known, value):
                patch[name] = inner
        elif name not in before or known != value or type(known) is not type(value):
            patch[name] = value
    return patch


def merged(known: Any, patch: Any) -> Any:
    """What a reader makes of it."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(known) if isinstance(known, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
