"""`./run bench`: how fast it is here, beside Asterisk's own cost."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping

from rich.console import Console

from dialer.errors import DialerError
from tests.bench import bench_attempts

Work = Callable[[Console, bool], Awaitable[None]]
BENCHES: Mapping[str, Work] = {"attempts": bench_attempts.main}


async def _all(names: list[str], quick: bool, console: Console) -> None:
    """One after the other; the first signal ends all of it in good order, further ones change nothing."""
    main = asyncio.current_task()
    asked: list[int] = []

    def stop(number: int) -> None:
        if not asked and main is not None:
            main.cancel()
        asked.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    for name in names:
        load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
        console.rule(f"{name} (load average before: {load})")
        await BENCHES[name](console, quick)


def main() -> int:
    """What was asked for, or everything."""
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="|".join(BENCHES), help="which; none: all")
    parser.add_argument("--quick", action="store_true", help="a smoke test of some seconds: figures mean little")
    asked = parser.parse_args()
    if wrong := [name for name in asked.names if name not in BENCHES]:
        parser.error(f"no bench {', '.join(wrong)}; there are {', '.join(BENCHES)}")
    console = Console(width=None if sys.stdout.isatty() else 120)
    try:
        asyncio.run(_all(asked.names or list(BENCHES), asked.quick, console))
    except DialerError as error:
        console.print(f"[red]{error}[/red]")
        return 2
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("Stopped; nothing is left running.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
