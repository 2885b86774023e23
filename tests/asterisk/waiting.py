"""Bounded waiting for a condition that announces itself by no event."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.patience import PATIENCE

STEP_S = 0.05


async def until(condition: Callable[[], Awaitable[bool]], what: str, timeout_s: float = 5.0) -> None:
    """Ask again and again; fails with `what` was not seen."""
    for _ in range(round(timeout_s * PATIENCE / STEP_S)):
        if await condition():
            return
        await asyncio.sleep(STEP_S)
    raise AssertionError(f"not within {timeout_s * PATIENCE:g} s: {what}")


async def until_now(condition: Callable[[], bool], what: str, timeout_s: float = 5.0) -> None:
    """For what needs no waiting itself."""

    async def holds() -> bool:
        return condition()

    await until(holds, what, timeout_s)
