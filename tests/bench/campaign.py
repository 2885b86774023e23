"""One campaign of a measurement, by the product's own commands: created, loaded, run, and its books checked."""

import asyncio
import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from dialer.adapters.clock import SystemClock
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.site import new_id
from dialer.demo.carrier import CarrierCall, number
from dialer.demo.debtors import invent
from dialer.demo.reconcile import NEVER_SENT, faults
from dialer.demo.world import TRUNK
from dialer.errors import SetupError
from dialer.model import Command
from tests.bench.meter import usage
from tests.bench.world import Bench, until

LOOK_S = 0.5
LEAD_S = 15.0
COMMAND_S = 10.0
CLOSE_S, LOG_S = 60.0, 10.0
SERIAL = slice(6, 11)  # of a number, see demo/carrier.py
_FIGURES = re.compile(r"[0-9]+(\.[0-9]+)?")


@dataclass(slots=True)
class Watched:
    """What was seen while it ran."""

    began_at: float = 0.0  # epoch
    ended_at: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)  # the pacer's sentences without their figures, by looks
    sizes: list[tuple[int, float]] = field(default_factory=list)  # (attempts claimed so far, engine's RSS in MB)


@dataclass(frozen=True, slots=True)
class Books:
    """What came of it."""

    outcomes: list[Mapping[str, str]]
    calls: list[CarrierCall]
    faults: list[str]

    def rates(self, watched: Watched) -> list[int]:
        """Calls that reached the carrier in each whole second, from the first call on, as long as calls were wanted."""
        first = min((call.began_at for call in self.calls), default=0.0)
        seconds = Counter(int(call.began_at - first) for call in self.calls)
        return [seconds[second] for second in range(int(watched.ended_at - watched.began_at))]


@dataclass(frozen=True, slots=True)
class Asked:
    """A campaign: `settings` are further words of `dialer campaign create`."""

    id: str
    settings: tuple[str, ...]
    mix: Mapping[str, int]
    contacts: int
    first_serial: int = 0
    delay_s: Callable[[int], float] | None = None  # ringing by serial; None: lognormal, 3 s in the middle


def soon(_: int) -> float:
    """They answer in half a second."""
    return 0.5


def setting(**values: object) -> tuple[str, ...]:
    """--set name=value, for each."""
    return tuple(word for name, value in values.items() for word in ("--set", f"{name}={value}"))


async def load(bench: Bench, asked: Asked) -> float:
    """Create it and load its list; seconds that the load took."""
    world = bench.world
    await world.command("campaign", "create", asked.id, "--pack", "demo", "--trunk", TRUNK, *asked.settings)
    path = world.run / f"{asked.id}.csv"
    rows = []
    for offset, one in enumerate(invent(asked.contacts, asked.mix, 1, SystemClock().today(), asked.first_serial)):
        row = dict(one.row)
        if asked.delay_s is not None:
            row["telepon"] = number(one.behaviour, asked.first_serial + offset, asked.delay_s(offset))
        rows.append(row)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    began = monotonic()
    await world.command("load", str(path), "--campaign", asked.id)
    return monotonic() - began


async def led(store: RedisStore, campaign: str) -> None:
    """Wait until the engine leads it."""

    async def published() -> bool:
        return await store.published(campaign) is not None

    await until(f"the engine's lead of {campaign}", published, LEAD_S)


async def order(store: RedisStore, campaign: str, name: str, **args: str) -> None:
    """A command as the command line, or an agent's desk, sends it."""
    now = SystemClock().now()
    reply = await store.send(Command(new_id(now), campaign, name, "bench", now, now + COMMAND_S, args), COMMAND_S)
    if reply is None or not reply.ok:
        raise SetupError(f"{name} {args}: {reply.text if reply else 'the engine did not answer'}")


async def run(
    bench: Bench,
    store: RedisStore,
    campaign: str,
    limit_s: float,
    done: Callable[[Mapping[str, int]], bool] = lambda _: False,
) -> Watched:
    """Start it, look twice a second until `limit_s` or `done` (of its counters), then pause it."""
    await order(store, campaign, "start")
    seen, clock = Watched(), SystemClock()
    seen.began_at = clock.now()
    ends = monotonic() + limit_s
    while (left_s := ends - monotonic()) > 0:
        await asyncio.sleep(min(LOOK_S, left_s))
        raw = await store.published(campaign)
        board: Mapping[str, Any] = json.loads(raw) if raw else {}
        seen.reasons[_FIGURES.sub("N", str(board.get("reason", "")))] += 1
        counters = await store.counters(campaign)
        seen.sizes.append((counters.get("attempts", 0), usage(bench.world.dialer.pid).rss_mb))
        if done(counters):
            break
    seen.ended_at = clock.now()
    await order(store, campaign, "pause")
    return seen


async def settle(bench: Bench, store: RedisStore, campaign: str, limit_s: float = CLOSE_S) -> float:
    """Wait until every attempt has its outcome; who still talks after half the time is hung up. Seconds it took."""
    began, hung_up = monotonic(), False
    while await store.open_attempts(campaign) and monotonic() - began < limit_s:
        if not hung_up and monotonic() - began > limit_s / 2:
            hung_up = True
            await bench.world.carrier.process.console("channel request hangup all")
        await asyncio.sleep(LOOK_S)
    return monotonic() - began


async def books(bench: Bench, store: RedisStore, asked: Asked) -> Books:
    """Our stream against the carrier's own call log, as far as it is about this list."""
    entries = [entry for _, entry in await store.tail(asked.id, 1_000_000)]
    outcomes = [entry for entry in entries if entry["type"] == "outcome"]
    known = {entry["attempt"] for entry in outcomes}
    sent = {entry["attempt"] for entry in outcomes if entry["outcome"] not in NEVER_SENT}
    ours = range(asked.first_serial, asked.first_serial + asked.contacts)
    ends = monotonic() + LOG_S
    while True:  # the carrier's end of a call may come a little later than ours
        calls = [call for call in bench.world.carrier.calls() if int(call.number[SERIAL]) in ours]
        if sent <= {call.attempt for call in calls} or monotonic() > ends:
            break
        await asyncio.sleep(LOOK_S / 2)
    wrong = faults(outcomes, calls) if known else ["no outcome at all"]
    counters = await store.counters(asked.id)
    if counters.get("attempts", 0) != len(known):
        wrong.append(f"{counters.get('attempts', 0)} attempts were claimed, {len(known)} have an outcome")
    return Books(outcomes, calls, wrong)
