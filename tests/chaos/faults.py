"""What can be broken, how each is broken and healed, and the seeded hand that chooses when and for how long."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import redis.asyncio

from tests.chaos.moved_engine import move
from tests.chaos.town import Town
from tests.chaos.wire import Way

KILLED = ("engine", "ivr", "web", "redis", "asterisk", "carrier")
FROZEN = ("engine", "ivr", "web", "redis", "asterisk")
FULL = "1"  # bytes
SERVICE_UNAVAILABLE, OWN = "33", "own"  # the carrier's digits for 503; each subscriber's own
TIMES = 2  # of each kind in a run
SURE_S = 5.0  # a command to a Redis that runs


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault. `lasts_s`: from, to; `limit_s`: so soon after it the campaign must be calling again."""

    name: str
    target: str
    lasts_s: tuple[float, float] = (0.0, 0.0)
    limit_s: float = 15.0


@dataclass(slots=True, eq=False)
class Fault:
    """One fault of a run; times are epoch seconds, 0.0: not yet."""

    kind: Kind
    lasts_s: float
    began_at: float = 0.0
    healed_at: float = 0.0
    recovered_at: float = 0.0
    calls_up: int = 0  # at the carrier when it began
    waited: str = ""  # what held the campaigns until they called again, and for how long

    @property
    def recovery_s(self) -> float:
        """From the heal on; of a killed process from the kill on, its restart included."""
        return self.recovered_at - (self.healed_at if self.lasts_s else self.began_at)

    def touches(self, began: float, ended: float, margin_s: float = 1.0) -> bool:
        """Whether it was felt at any time between the two."""
        return self.began_at - margin_s < ended and began < (self.recovered_at or ended) + margin_s


KINDS: tuple[Kind, ...] = (
    # a process of Python takes its time to start where all the others want the same two cores: that it comes back is
    # what counts here, how soon a standby leads is test_standby.py's
    *(Kind(f"kill {name}", name, limit_s=60.0) for name in KILLED if name != "asterisk"),
    Kind("kill asterisk", "asterisk", limit_s=10.0),
    *(Kind(f"freeze {name}", name, (2.0, 30.0)) for name in FROZEN if name != "asterisk"),
    Kind("freeze asterisk", "asterisk", (2.0, 30.0), limit_s=10.0),
    Kind("manager link cut", "link", (1.0, 5.0)),
    Kind("manager link half-open", "link", (5.0, 20.0)),
    Kind("redis full", "redis", (3.0, 12.0)),
    Kind("trunk 503, then nothing", "trunk", (15.0, 25.0), limit_s=75.0),  # the dialer waits up to 60 s on its own
    Kind("wall clock ahead", "clock", (6.0, 12.0)),
    Kind("wall clock behind", "clock", (6.0, 12.0)),
)
BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}


@dataclass(slots=True)
class Hand:
    """Breaks and heals. `seed`: the same faults in the same order, each as long."""

    town: Town
    seed: int
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def plan(self, kinds: Sequence[Kind], times: int = TIMES, short: bool = False) -> list[Fault]:
        """Each kind `times` times, shuffled; of two alike one is long and one short, or all last the least."""
        faults = [
            Fault(kind, kind.lasts_s[0] if short else self._lasts(kind, turn))
            for kind in kinds
            for turn in range(times)
        ]
        self.chance.shuffle(faults)
        return faults

    def _lasts(self, kind: Kind, turn: int) -> float:
        least, most = kind.lasts_s
        middle = (least + most) / 2
        return round(self.chance.uniform(*((middle, most) if turn % 2 == 0 else (least, middle))), 1)

    async def play(self, fault: Fault, now: Callable[[], float]) -> None:
        """Break, wait, heal; a killed process is healed by its service manager."""
        steps = self._steps(fault)
        fault.began_at = now()
        for work, wait_s in steps:
            await work()
            await asyncio.sleep(wait_s)
        if not fault.lasts_s:
            service = self.town.services[fault.kind.target]
            while service.up_at < fault.began_at:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        fault.healed_at = now()

    def _steps(self, fault: Fault) -> list[tuple[Callable[[], Awaitable[None]], float]]:
        name, target, lasts_s = fault.kind.name, fault.kind.target, fault.lasts_s
        if name.startswith("kill"):
            return [(_plain(self.town.services[target].kill), 0.0)]
        if name.startswith("freeze"):
            service = self.town.services[target]
            return [(_plain(service.freeze), lasts_s), (_plain(service.thaw), 0.0)]
        if target == "link":
            way = Way.CUT if name.endswith("cut") else Way.SILENT
            return [(self._wire(way), lasts_s), (self._wire(Way.THROUGH), 0.0)]
        if target == "redis":
            return [(self._memory(FULL), lasts_s), (self._memory("0"), 0.0)]
        if target == "clock":
            off_s = self.chance.uniform(20, 90) * (1 if name.endswith("ahead") else -1)
            return [(self._clock(off_s), lasts_s), (self._clock(0.0), 0.0)]
        carrier = self.town.services["carrier"]
        refusing_s = lasts_s * 0.4
        return [
            (self._trunk(SERVICE_UNAVAILABLE), refusing_s),
            (_plain(carrier.freeze), lasts_s - refusing_s),
            (_plain(carrier.thaw), 0.0),
            (self._trunk(OWN), 0.0),
        ]

    def _wire(self, way: Way) -> Callable[[], Awaitable[None]]:
        return _plain(lambda: self.town.wire.turn(way))

    def _clock(self, seconds: float) -> Callable[[], Awaitable[None]]:
        return _plain(lambda: move(self.town.clock, seconds))

    def _memory(self, size: str) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            async with redis.asyncio.Redis.from_url(self.town.redis.url, socket_timeout=SURE_S) as link:
                await link.config_set("maxmemory", size)

        return work

    def _trunk(self, digits: str) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            await self.town.carrier.process.console(f"dialplan set global TRUNK {digits}")

        return work


def _plain(work: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    async def done() -> None:
        work()

    return done
