"""`./run chaos`: the demo's campaign while a seeded hand breaks things; fails on every promise that was not kept."""

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from dialer.errors import DialerError
from tests.chaos.faults import BY_NAME, KINDS
from tests.chaos.play import Result, Wanted, run
from tests.chaos.table import page
from tests.chaos.town import KEEP

HELD, FAILED, NOT_RUN, INTERRUPTED = 0, 1, 2, 130


def main() -> None:
    """The command."""
    wanted = _wanted(sys.argv[1:])
    try:
        result = asyncio.run(_interruptible(wanted))
    except DialerError as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_RUN)
    except asyncio.CancelledError:
        print("Stopped before its time; nothing is left running, and nothing was judged.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    text = page(result)
    print(f"\n{text}", end="")
    with contextlib.suppress(OSError):
        (wanted.keep / "page.md").write_text(text)
    sys.exit(FAILED if result.wrong else HELD)


async def _interruptible(wanted: Wanted) -> Result:
    """Ctrl-C ends it and all that it has started."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await run(wanted, lambda text: print(text, flush=True))


def _wanted(words: list[str]) -> Wanted:
    parser = argparse.ArgumentParser(prog="./run chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of calls at least; each kind of fault comes twice")
    parser.add_argument("--seed", type=int, default=1, help="the same debtors, and the same faults in the same order")
    parser.add_argument("--rate", type=float, default=20.0, help="calls a second of each campaign, at most")
    parser.add_argument("--agents", type=int, default=12, help="robot agents")
    parser.add_argument("--times", type=int, default=2, help="of each kind of fault, at least")
    parser.add_argument("--short", action="store_true", help="every fault lasts as short as its kind may")
    parser.add_argument("--only", default="", help=f"kinds of faults, by ;: {'; '.join(BY_NAME)}")
    parser.add_argument("--keep", type=Path, default=KEEP, help="where the logs stay")
    asked = parser.parse_args(words)
    names = [name.strip() for name in asked.only.split(";") if name.strip()]
    if unknown := sorted(set(names) - BY_NAME.keys()):
        parser.error(f"--only: {', '.join(unknown)}: use {'; '.join(BY_NAME)}")
    kinds = tuple(BY_NAME[name] for name in names) or KINDS
    return Wanted(asked.minutes, asked.seed, asked.rate, asked.agents, kinds, asked.times, asked.short, asked.keep)


if __name__ == "__main__":
    main()
