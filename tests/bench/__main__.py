"""`./run bench`: how fast it is here, beside Asterisk's own cost."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.console import Console

from dialer.adapters.redis_store import RedisStore
from dialer.errors import DialerError
from tests.bench import (
    bench_agents,
    bench_attempts,
    bench_connect,
    bench_conversations,
    bench_gate,
    bench_hot_path,
    bench_ivr,
    bench_memory,
    bench_profile,
    bench_redis,
    bench_standby,
    bench_web,
)
from tests.bench.world import Bench, Wanted, open_bench

Measure = Callable[[Bench, RedisStore, Console, bool], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Live:
    """A measurement of running processes; what it wants depends on whether it is quick."""

    wanted: Callable[[bool], Wanted]
    measure: Measure


LIVE: Mapping[str, Live] = {
    "attempts": Live(bench_attempts.wanted, bench_attempts.measure),
    "agents": Live(bench_agents.wanted, bench_agents.measure),
    "connect": Live(bench_connect.wanted, bench_connect.measure),
    "ivr": Live(bench_ivr.wanted, bench_ivr.measure),
    "memory": Live(bench_memory.wanted, bench_memory.measure),
    "profile": Live(bench_profile.wanted, bench_profile.measure),
    "standby": Live(bench_standby.wanted, bench_standby.measure),
}
ALONE = ("conversations", "paths", "engine", "redis", "history", "web", "pop", "gate", "pacing", "import", "growth")
NAMES = (*LIVE, *ALONE)
WITH_OPTIONS = (["pacing"], ["import"], ["growth"])  # of their own
QUICK = ("attempts", "connect")  # one world does for both; the others are there by name
QUICK_NAMES = (*QUICK, "engine", "gate")


async def _live(name: str, quick: bool, console: Console) -> None:
    """In a world of its own."""
    await _in_world((name,), LIVE[name].wanted(quick), quick, console)


async def _in_world(names: tuple[str, ...], wanted: Wanted, quick: bool, console: Console) -> None:
    async with open_bench(wanted, console.print) as bench:
        store = RedisStore(bench.world.redis.url)
        try:
            for name in names:
                _head(console, name)
                await LIVE[name].measure(bench, store, console, quick)
        finally:
            await store.close()


async def _part(name: str, quick: bool, console: Console, words: Sequence[str]) -> None:
    """Those that need no telephone."""
    _head(console, name)
    if name == "redis":
        await bench_redis.main(100 if quick else 4000)
    elif name == "history":
        await _own_process("tests.bench.bench_history", *(["--people", "500"] if quick else words))
    elif name == "web":
        await bench_web.main(quick, console)
    elif name == "pop":
        os.environ.setdefault("SANTUN_CALLS", "10" if quick else "100")
        await _own_process(
            "pytest", "-q", "-s", "--durations=0", "-p", "no:cacheprovider", "tests/browser/bench_pop.py"
        )
    elif name == "paths":
        os.environ["SANTUN_EVERY_PATH"] = "" if quick else "1"
        test = "test_every_key_of_every_step" if quick else "test_every_path"
        await _own_process("pytest", "-q", "--durations=0", f"tests/asterisk/test_ivr_paths.py::{test}")
    elif name == "conversations":
        await bench_conversations.main(quick, console)
    elif name == "engine":
        await asyncio.to_thread(_engine, 1000 if quick else bench_hot_path.ATTEMPTS)
    elif name == "gate":
        await asyncio.to_thread(_gate, 1000 if quick else 20_000)
    elif name == "growth":
        await _own_process("tests.bench.bench_growth", *(["--quick"] if quick else words))
    elif name == "import":
        await _own_process("tests.bench.bench_import", *(["--rows", "5000"] if quick else words))
    else:
        await _own_process("tests.bench.bench_pacing", *(["--cpu"] if quick else words))


async def _own_process(module: str, *words: str) -> None:
    """As its own command, which also takes options; ended with us."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *words, start_new_session=True)
    try:
        await process.wait()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)  # it ends its own processes
            await process.wait()


def _engine(count: int) -> None:
    for agents in (0, 100):
        cost_ms = asyncio.run(bench_hot_path.measure(count, agents))
        print(f"{count:,} attempts on twins, {agents} idle agents: {cost_ms:.3f} ms CPU each")


def _gate(count: int) -> None:
    bench_gate.gate(count)
    bench_gate.lists(count)


def _head(console: Console, name: str) -> None:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    console.rule(f"{name} (load average before it: {load})")


async def _all(names: tuple[str, ...], quick: bool, console: Console, words: Sequence[str]) -> None:
    """One after the other; the first signal ends all of it in good order, further ones change nothing."""
    main = asyncio.current_task()
    asked: list[int] = []

    def stop(number: int) -> None:
        if not asked and main is not None:
            console.print("Stopping: calls and processes end first.")
            main.cancel()
        asked.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    if quick and not names:
        both = replace(bench_attempts.wanted(True), agents=bench_connect.wanted(True).agents)
        await _in_world(QUICK, both, quick, console)
        names = QUICK_NAMES[len(QUICK) :]
    for name in names or NAMES:
        if name in LIVE:
            await _live(name, quick, console)
        else:
            await _part(name, quick, console, words)


def main() -> int:
    """What was asked for, or everything."""
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="|".join(NAMES), help="which; none: all")
    few = ", ".join(QUICK_NAMES)
    parser.add_argument("--quick", action="store_true", help=f"a smoke test, its figures mean little; no names: {few}")
    words = sys.argv[1:]
    own = words[1:] if words[:1] in WITH_OPTIONS and "--quick" not in words else []
    asked = parser.parse_args(words[:1] if own else words)
    if wrong := [name for name in asked.names if name not in NAMES]:
        parser.error(f"there is no bench {', '.join(wrong)}; there are {', '.join(NAMES)}")
    console = Console(width=None if sys.stdout.isatty() else 120)
    try:
        asyncio.run(_all(tuple(asked.names), asked.quick, console, own))
    except DialerError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 2
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("Stopped; nothing is left running.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
