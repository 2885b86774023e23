"""Where the demo says what it does: a whole screen, or lines; and what becomes of that when the terminal goes."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from rich.console import Console
from rich.live import Live

from dialer.adapters.clock import SystemClock
from dialer.demo import screen

LINE_S = 5.0

Show = Callable[[screen.View], None]


class Outlet:
    """stdout as long as it is there: a closed terminal or pipe must not keep calls from being ended in order."""

    def __init__(self) -> None:
        self._stream = sys.stdout
        self.lost: Callable[[], None] = lambda: None  # called when it is gone

    def write(self, text: str) -> int:
        """As a file's."""
        try:
            return self._stream.write(text)
        except OSError:
            self.close_up()
            return len(text)

    def flush(self) -> None:
        """As a file's."""
        try:
            self._stream.flush()
        except OSError:
            self.close_up()

    def close_up(self) -> None:
        """From here on nobody hears anything; what is buffered must not fail either, when Python ends."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        os.close(nowhere)
        self.lost()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Teller:
    """Lines with the time they were said at, in seconds from the start."""

    def __init__(self, outlet: Outlet) -> None:
        self.console = Console(file=cast(IO[str], outlet))
        self._clock = SystemClock()
        self._began = self._clock.monotonic()

    def __call__(self, text: str) -> None:
        """Say it."""
        self.plain(f"{self._clock.monotonic() - self._began:6.1f} s  {text}")

    def plain(self, text: str) -> None:
        """As it is."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def shown(self) -> Iterator[Show]:
        """The whole screen on a terminal, else a line every LINE_S."""
        if not self.console.is_terminal or self.console.is_dumb_terminal:
            yield self._now_and_then()
            return
        console = self.console
        with Live(
            console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        ) as live:
            yield lambda view: live.update(screen.live(view, console.width, console.height), refresh=True)

    def _now_and_then(self) -> Show:
        said_at = float("-inf")

        def show(view: screen.View) -> None:
            nonlocal said_at
            if self._clock.monotonic() - said_at >= LINE_S:
                said_at = self._clock.monotonic()
                self.plain(screen.line(view))

        return show
