"""What an engine lends to those who do its work: tasks, time, a voice, and whether a run is still ours."""

from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from dialer.errors import StoreError
from dialer.running.run import Run

STORE_RETRY_S = 0.5

T = TypeVar("T")


class Tools(Protocol):
    """The engine, as its hands see it."""

    def do(self, work: Coroutine[Any, Any, None]) -> None: ...
    async def sleep(self, seconds: float) -> None: ...
    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """Raises TimeoutError."""

    def say(self, text: str, action: str, **facts: object) -> None: ...
    def write_soon(self) -> None: ...
    def drain(self, run: Run | None, limit_s: float) -> None:
        """Hand this campaign over as soon as its calls have ended; None: all of them, then end."""

    def leads(self, run: Run) -> bool: ...
    def holds(self, run: Run) -> tuple[str, ...]:
        """Every reason why it may start no call now."""

    def dethroned(self, run: Run) -> None: ...
    def store_failed(self, error: StoreError) -> None: ...
