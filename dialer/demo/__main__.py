"""`./run demo`: a real campaign on a real Asterisk, from list to outcome stream, and the books checked at its end."""

import asyncio
import csv
import json
import signal
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live

from dialer.adapters.clock import SystemClock
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.site import new_id
from dialer.demo import screen
from dialer.demo.debtors import FOR_AGENTS, FOR_IVR, invent
from dialer.demo.reconcile import faults
from dialer.demo.robots import Robot
from dialer.demo.world import COMPANY, TRUNK, World, open_world
from dialer.errors import DialerError, StoreError
from dialer.model import Command

AGENTS_CAMPAIGN, IVR_CAMPAIGN = "demo", "demo-ivr"
CAMPAIGNS = (AGENTS_CAMPAIGN, IVR_CAMPAIGN)
FIRST_AGENT = 1001
IVR_SHARE = 0.25  # of the debtors, and of the robots: for those who ask the IVR for an agent
LOOK_S = 0.5
LINE_S = 5.0
COMMAND_S = 5.0
WIND_DOWN_S = 45.0  # talks, wrap-ups and IVR conversations may end by themselves
HURRY_S = 2.0  # after Ctrl-C
LAST_OUTCOMES_S = 15.0
RETRIES = '{"no_answer": {"after_s": 40, "times": 2}, "busy": {"after_s": 30, "times": 3}}'
COMMON = ("--pack", "demo", "--trunk", TRUNK, "--caller-name", COMPANY, "--set", f"retries={RETRIES}")
TIMES = ("--set", "ring_s=15", "--set", "post_dial_delay_s=8", "--set", "calls_per_second=10")
FOR_AGENTS_CAMPAIGN = (
    "--mode",
    "predictive",
    "--set",
    "overflow=ivr",
    "--set",
    "wrap_up_max_s=15",
    "--set",
    "lines_max=60",
)
FOR_IVR_CAMPAIGN = ("--kind", "ivr", "--set", "ivr_agents=true", "--set", "lines_max=12", "--set", "wrap_up_max_s=15")


@dataclass(slots=True)
class Show:
    """One demo while it runs."""

    world: World
    store: RedisStore
    console: Console
    robots: dict[str, list[Robot]] = field(default_factory=dict)  # by campaign
    seen: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    outcomes: list[Mapping[str, str]] = field(default_factory=list)
    agent_s: float = 0.0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    clock: SystemClock = field(default_factory=SystemClock)

    async def command(self, campaign: str, name: str, args: Mapping[str, str]) -> None:
        """As a desk would send it; a robot does not mind a refusal."""
        now = self.clock.now()
        with suppress(StoreError):
            order = Command(new_id(now), campaign, name, "demo", now, now + COMMAND_S, dict(args))
            await self.store.send(order, COMMAND_S)

    async def watch(self) -> None:
        """Keep `seen` fresh, and count the time agents work."""
        before = self.clock.monotonic()
        while True:
            for campaign in CAMPAIGNS:
                with suppress(StoreError):
                    raw = await self.store.published(campaign)
                    self.seen[campaign] = (
                        json.loads(raw) if raw else {"campaign": campaign, "reason": "is being taken over"}
                    )
            now = self.clock.monotonic()
            self.agent_s += (now - before) * sum(one.get("working", 0) for one in self.seen.values())
            before = now
            await asyncio.sleep(LOOK_S)

    async def follow(self, campaign: str) -> None:
        """Collect the outcome stream."""
        async for _, entry in self.store.follow(campaign, "0"):
            if entry["type"] == "outcome":
                self.outcomes.append(entry)

    async def open_attempts(self) -> int:
        """Attempts without an outcome."""
        return sum([len(await self.store.open_attempts(campaign)) for campaign in CAMPAIGNS])


def _write_list(path: Path, count: int, mix: Mapping[str, int], seed: int, first_serial: int) -> None:
    today = SystemClock().today()
    rows = [one.row for one in invent(count, mix, seed, today, first_serial)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


async def _prepare(show: Show, contacts: int, seed: int) -> None:
    """Campaigns and lists, by the product's own commands."""
    world, for_ivr = show.world, max(1, round(contacts * IVR_SHARE))
    sizes = {AGENTS_CAMPAIGN: max(1, contacts - for_ivr), IVR_CAMPAIGN: for_ivr}
    own = {AGENTS_CAMPAIGN: FOR_AGENTS_CAMPAIGN, IVR_CAMPAIGN: FOR_IVR_CAMPAIGN}
    mixes = {AGENTS_CAMPAIGN: FOR_AGENTS, IVR_CAMPAIGN: FOR_IVR}
    for number, campaign in enumerate(CAMPAIGNS):
        await world.command("campaign", "create", campaign, *COMMON, *TIMES, *own[campaign])
        path = world.run / f"{campaign}.csv"
        _write_list(path, sizes[campaign], mixes[campaign], seed, number * 50_000)
        show.console.print(await world.command("load", str(path), "--campaign", campaign), highlight=False)


def _hire(show: Show, agents: Sequence[str], seed: int) -> None:
    for_ivr = min(len(agents) - 1, max(1, round(len(agents) * IVR_SHARE))) if len(agents) > 1 else 0
    teams = {IVR_CAMPAIGN: agents[:for_ivr], AGENTS_CAMPAIGN: agents[for_ivr:]}
    for campaign, team in teams.items():
        show.robots[campaign] = [_robot(show, campaign, agent, seed) for agent in team]


def _robot(show: Show, campaign: str, agent: str, seed: int) -> Robot:
    async def say(name: str, args: Mapping[str, str]) -> None:
        await show.command(campaign, name, args)

    return Robot(agent, say, lambda: show.seen.get(campaign, {}), seed)


async def _campaigns(show: Show, seconds: float, stop: asyncio.Event) -> None:
    """Until the time is over, the lists are done, or somebody presses Ctrl-C."""
    for campaign in CAMPAIGNS:
        await show.world.command("campaign", "start", campaign)
    ends = show.clock.monotonic() + seconds
    printed = 0.0
    screen_or_lines = (
        Live(console=show.console, refresh_per_second=4, transient=True) if show.console.is_terminal else nullcontext()
    )
    with screen_or_lines as shown:
        while not stop.is_set() and (left_s := ends - show.clock.monotonic()) > 0 and not await _all_done(show):
            for task in show.tasks:
                if task.done():
                    task.result()  # none ends by itself: what went wrong must be seen
            seen = [show.seen[name] for name in CAMPAIGNS if name in show.seen]
            if isinstance(shown, Live):
                shown.update(screen.live(seen, show.outcomes, left_s))
            elif show.clock.monotonic() - printed >= LINE_S:
                printed = show.clock.monotonic()
                show.console.print(screen.line(seen, show.outcomes, left_s), highlight=False, soft_wrap=True)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_S)


async def _all_done(show: Show) -> bool:
    done = all(one.get("due", 1) == 0 and one.get("later", 1) == 0 for one in show.seen.values())
    return done and bool(show.outcomes) and await show.open_attempts() == 0


async def _wind_down(show: Show, stop: asyncio.Event) -> None:
    """No new calls; what is up ends by itself for a while, then is hung up; every outcome is waited for."""
    show.console.print("No new calls any more; the last ones end.")
    for campaign in CAMPAIGNS:
        await show.command(campaign, "pause", {})
    for robot in (robot for team in show.robots.values() for robot in team):
        robot.leave()
    await _settled(show, stop, WIND_DOWN_S)
    with suppress(OSError):
        await show.world.pbx.console("channel request hangup all")
    await _settled(show, asyncio.Event(), LAST_OUTCOMES_S)


async def _settled(show: Show, stop: asyncio.Event, limit_s: float) -> None:
    until = show.clock.monotonic() + limit_s
    while await show.open_attempts() and show.clock.monotonic() < until:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_S)
            until = min(until, show.clock.monotonic() + HURRY_S)
            await asyncio.sleep(LOOK_S)


async def _demo(agents: int, contacts: int, minutes: float, seed: int) -> int:
    console = Console(soft_wrap=False)
    stop, main = asyncio.Event(), asyncio.current_task()
    running = False

    def interrupted() -> None:
        if main is not None and (stop.is_set() or not running):
            main.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted)
    names = tuple(str(FIRST_AGENT + one) for one in range(agents))
    async with open_world(names, SystemClock().today(), console.print) as world:
        store = RedisStore(world.redis.url)
        show = Show(world, store, console)
        await _prepare(show, contacts, seed)
        _hire(show, names, seed)
        watching = [asyncio.create_task(work) for work in (show.watch(), *map(show.follow, CAMPAIGNS))]
        robots = [asyncio.create_task(robot.work()) for team in show.robots.values() for robot in team]
        show.tasks += [*watching, *robots]
        running = True
        try:
            await _campaigns(show, minutes * 60, stop)
            await _wind_down(show, stop)
            await asyncio.wait(robots, timeout=COMMAND_S)
            return await _books(show)
        finally:
            for task in (*watching, *robots):
                task.cancel()
            await asyncio.gather(*watching, *robots, return_exceptions=True)
            await store.close()


async def _books(show: Show) -> int:
    """The page at the end; 1 where the carrier's log and our stream disagree."""
    entries = [entry for name in CAMPAIGNS for _, entry in await show.store.tail(name, 1_000_000)]
    outcomes = [entry for entry in entries if entry["type"] == "outcome"]
    await show.world.carrier.process.console("channel request hangup all")
    calls = await _carrier_calls(show)
    wrong = faults(outcomes, calls)
    screen.page(show.console, outcomes, show.agent_s / 3600, len(calls), wrong, str(show.world.run))
    return 1 if wrong else 0


async def _carrier_calls(show: Show) -> Sequence[Any]:
    """The call log, when the carrier has hung up on everybody."""
    until = show.clock.monotonic() + COMMAND_S
    while await show.world.carrier.calls_now() and show.clock.monotonic() < until:  # noqa: ASYNC110 - another process
        await asyncio.sleep(LOOK_S / 5)
    return show.world.carrier.calls()


def demo(
    agents: Annotated[int, typer.Option(help="Robot agents.", min=1, max=60)] = 10,
    contacts: Annotated[int, typer.Option(help="Invented debtors.", min=2, max=40_000)] = 400,
    minutes: Annotated[float, typer.Option(help="How long it calls; the last calls end after that.", min=0.1)] = 4,
    seed: Annotated[int, typer.Option(help="The same debtors again.")] = 1,
) -> None:
    """A whole campaign on this machine: real Asterisk, real Redis, invented debtors, robot agents."""
    try:
        raise typer.Exit(asyncio.run(_demo(agents, contacts, minutes, seed)))
    except DialerError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo("Stopped; nothing is left running.")
        raise typer.Exit(130) from None


if __name__ == "__main__":
    typer.run(demo)
