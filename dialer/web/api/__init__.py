"""The API's resources, one module each: what is named here is served."""

from importlib import import_module

from dialer.web.route import Route

RESOURCES = (
    "users", "desk", "live", "campaigns", "previews", "scripts", "results", "flows", "offers", "debtors", "stops",
    "call_backs", "promises", "payments", "agents", "outcomes", "recordings", "lists",
)  # fmt: skip


def tables() -> dict[str, tuple[Route, ...]]:
    """Resource -> its routes."""
    return {name: import_module(f"dialer.web.api.{name}").ROUTES for name in RESOURCES}
