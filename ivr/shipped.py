"""The flows that come with Santun: part of the program, as its Python is."""

from functools import lru_cache
from pkgutil import get_data

from ivr import spoken
from ivr.flow import Flow
from ivr.flow_reading import File, read

PAYMENT_REMINDER = "payment_reminder"
WISH = "wish"
CALL_BACK = "call_back"


@lru_cache(maxsize=1)
def shipped() -> Flow:
    """The payment reminder."""
    return _read(PAYMENT_REMINDER)


@lru_cache(maxsize=1)
def wish() -> Flow:
    """For who calls us and cannot prove who he is."""
    return _read(WISH)


@lru_cache(maxsize=1)
def call_back() -> Flow:
    """For who waits for an agent and would rather be called."""
    return _read(CALL_BACK)


SHIPPED = {PAYMENT_REMINDER: shipped, WISH: wish, CALL_BACK: call_back}


def _read(name: str) -> Flow:
    return read(_file(name), {one: _file(f"{name}.{one}") for one in spoken.LANGUAGES})


def _file(name: str) -> File:
    found = get_data("ivr", f"flows/{name}.toml")
    return File(f"ivr/flows/{name}.toml", (found or b"").decode())
