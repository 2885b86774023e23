"""The demo from its first line to its last, and every way to end it sooner."""

import asyncio
import signal
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dialer.adapters.clock import SystemClock
from dialer.adapters.redis_store import RedisStore
from dialer.demo import page
from dialer.demo.desks import Door, invite
from dialer.demo.page import Books
from dialer.demo.stage import CAMPAIGNS, COMMAND_S, HURRY_S, LOOK_S, Stage, fill
from dialer.demo.terminal import Outlet, Show, Teller
from dialer.demo.world import ROOT, World, open_world
from dialer.errors import DialerError

FIRST_AGENT = 1001
WIND_DOWN_S = 40.0  # talks, wrap-ups and IVR conversations may end by themselves
STAY_S = 26.0  # a call that is out may ring so long
AGREED, DISAGREED, FAILED = 0, 1, 2
PAGE_WIDTH = 120
BY_SIGNAL = 128  # plus its number, as shells have it


class Interrupts:
    """Once: no new calls, and the end of those that are up. Twice, or before the first call: everything at once.

    While things are being stopped: nothing more; they are stopped in any case.
    """

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.calling = False
        self.number = 0  # of the first signal
        self._task: asyncio.Task[int] | None = None
        self._closing = False

    def listen(self, outlet: Outlet) -> None:
        """In the task that is to be interrupted."""
        self._task = asyncio.current_task()
        outlet.lost = lambda: self._interrupt(signal.SIGHUP)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup
                loop.add_signal_handler(number, self._interrupt, number)

    def close(self) -> None:
        """From here on nothing interrupts."""
        self._closing = True

    def _interrupt(self, number: int) -> None:
        if number == self.number == signal.SIGHUP:
            return  # a lost terminal is noticed twice
        self.number = self.number or number
        if self._task and (self.stop.is_set() or not self.calling) and not self._closing:
            self._closing = True
            self._task.cancel()
        self.stop.set()


async def _demo(agents: int, contacts: int, minutes: float, seed: int, say: Teller, interrupts: Interrupts) -> int:
    names = tuple(str(FIRST_AGENT + one) for one in range(agents))

    doors: list[Door] = []

    async def filled(world: World) -> None:
        _, door = await asyncio.gather(fill(world, contacts, seed, say), invite(world, FIRST_AGENT + agents))
        doors.append(door)

    async with open_world(names, SystemClock().today(), say, filled, interrupts.close) as world:
        store = RedisStore(world.redis.url)
        stage = Stage(world, store, interrupts.stop, doors[0].lines)
        stage.hire(names, seed)
        watchers, robots = stage.watchers(), [asyncio.create_task(robot.work()) for robot in stage.robots]
        try:
            for campaign in CAMPAIGNS:
                await stage.command(campaign, "start", {})
            say(f"calling; your own list: . {_short(world.env_file)}")
            say.plain("                            ./run dialer load FILE.csv --campaign demo")
            for line in doors[0].lines:
                say.plain(line)
            interrupts.calling = True
            with say.shown() as show:
                await _call(stage, minutes * 60, show, [*watchers, *robots])
                say("no new calls any more; the last ones end")
                await _wind_down(stage, min(WIND_DOWN_S, STAY_S / 2 + minutes * 30), show, robots)
            books = await stage.books()
            with (world.run / "page.txt").open("w") as kept:
                page.page(Console(file=kept, width=PAGE_WIDTH), books, str(world.run))
            page.page(say.console, books, _short(world.env_file.parent))
            return exit_code(books, interrupts.number)
        finally:
            tasks = [*watchers, *robots]
            for one in tasks:
                one.cancel()
            done, _ = await asyncio.wait(tasks, timeout=COMMAND_S)  # a swallowed cancellation must not keep us
            await asyncio.gather(*done, return_exceptions=True)
            await store.close()


def exit_code(books: Books, number: int) -> int:
    """Books that disagree are what counts; `number`: of the signal that ended it, 0 for none."""
    if books.faults:
        return DISAGREED
    return BY_SIGNAL + number if number else AGREED


async def _call(stage: Stage, seconds: float, show: Show, tasks: list["asyncio.Task[None]"]) -> None:
    """Until the time is over, the lists are done, or somebody has had enough."""
    ends = stage.clock.monotonic() + seconds
    while not stage.stop.is_set() and (left_s := ends - stage.clock.monotonic()) > 0 and not await stage.over():
        for task in tasks:
            if task.done():
                task.result()  # none ends by itself: what went wrong must be seen
        show(stage.view(f"{_clock(left_s)} left"))
        await _wait(stage.stop, LOOK_S)


async def _wind_down(stage: Stage, wind_down_s: float, show: Show, robots: list["asyncio.Task[None]"]) -> None:
    """No new calls; what is up ends by itself for a while, then is hung up; every outcome is waited for."""
    await stage.pause()
    ends = stage.clock.monotonic() + (HURRY_S if stage.stop.is_set() else wind_down_s)
    stay_until = stage.clock.monotonic() + STAY_S
    while stage.clock.monotonic() < ends and (await stage.open_attempts() or _working(robots)):
        show(stage.view("the last calls end"))
        if stage.stop.is_set() or stage.clock.monotonic() > stay_until or not stage.somebody_may_answer():
            stage.go_home()
        if not stage.stop.is_set() and await _wait(stage.stop, LOOK_S):
            ends = min(ends, stage.clock.monotonic() + HURRY_S)
        elif stage.stop.is_set():
            await asyncio.sleep(LOOK_S)
    stage.go_home()
    await stage.hang_up()
    if not stage.stop.is_set():
        await asyncio.wait(robots, timeout=COMMAND_S)


def _working(robots: list["asyncio.Task[None]"]) -> bool:
    return not all(robot.done() for robot in robots)


async def _wait(stop: asyncio.Event, seconds: float) -> bool:
    """True: somebody has had enough meanwhile."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _short(path: Path) -> str:
    """As one would type it."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def demo(
    agents: Annotated[int, typer.Option(help="Robot agents.", min=2, max=60)] = 10,
    contacts: Annotated[int, typer.Option(help="Invented debtors.", min=2, max=40_000)] = 400,
    minutes: Annotated[float, typer.Option(help="How long it calls; the last calls end after that.", min=0.1)] = 4,
    seed: Annotated[int, typer.Option(help="The same debtors again.")] = 1,
) -> None:
    """A whole campaign on this machine: real Asterisk, real Redis, invented debtors, robot agents."""
    outlet, interrupts = Outlet(), Interrupts()
    say = Teller(outlet)
    say.plain(f"Santun demo: {agents} robot agents, {contacts} invented debtors, {minutes:g} minutes of calls.")
    say.plain("No call leaves this machine; the debtors have a rule pack of their own, `demo`,")
    say.plain("with open hours. Ctrl-C ends it at any moment.")

    async def played() -> int:
        interrupts.listen(outlet)
        return await _demo(agents, contacts, minutes, seed, say, interrupts)

    try:
        code = asyncio.run(played())
    except DialerError as error:
        typer.echo(str(error), err=True)
        code = FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        code = BY_SIGNAL + (interrupts.number or signal.SIGINT)
    if code > BY_SIGNAL:
        say.plain("Stopped before its time; nothing is left running.")
    raise typer.Exit(code)
