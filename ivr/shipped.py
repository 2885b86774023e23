"""The flow that comes with Santun: part of the program, as its Python is."""

from functools import lru_cache
from pkgutil import get_data

from ivr import spoken
from ivr.flow import Flow
from ivr.flow_reading import File, read

PAYMENT_REMINDER = "payment_reminder"


@lru_cache(maxsize=1)
def shipped() -> Flow:
    """The payment reminder."""
    return read(_file(PAYMENT_REMINDER), {one: _file(f"{PAYMENT_REMINDER}.{one}") for one in spoken.LANGUAGES})


def _file(name: str) -> File:
    found = get_data("ivr", f"flows/{name}.toml")
    return File(f"ivr/flows/{name}.toml", (found or b"").decode())
