"""One chaos run from its first process to its verdict."""

import asyncio
import contextlib
import csv
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import redis.asyncio

from dialer.adapters.clock import SystemClock
from dialer.adapters.redis_store import RedisStore
from dialer.demo.carrier import Begun, parse_begun
from dialer.demo.debtors import invent
from dialer.demo.stage import AGENTS_CAMPAIGN, CAMPAIGNS, IVR_CAMPAIGN
from dialer.demo.world import COMPANY, TRUNK
from dialer.errors import SetupError
from dialer.model import attempt_ms
from tests.chaos import books, ears, leaks, promised
from tests.chaos.crew import Crew
from tests.chaos.faults import KINDS, Fault, Hand, Kind
from tests.chaos.rules import RUN_MAX_MIN, is_closed
from tests.chaos.service import Load
from tests.chaos.town import KEEP, Town, open_town

FIRST_AGENT = 1001
IVR_SERIALS = 50_000  # the IVR's debtors count from here
# Of a thousand. Many end soon, so that a small machine sees many calls; some of those who answer write down what they
# hear.
MIXES: Mapping[str, Mapping[str, int]] = {
    AGENTS_CAMPAIGN: {
        "human": 200, "hangs_up_later": 70, "hears": 240, "hangs_up_soon": 30, "hangs_up_at_once": 5, "voicemail": 25,
        "rings_out": 80, "busy": 150, "invalid": 80, "refuses": 80, "announcement": 40,
    },
    IVR_CAMPAIGN: {
        "keys_right": 140, "keys_agent": 40, "keys_none": 20, "hears": 150, "hangs_up_soon": 90,
        "hangs_up_at_once": 20, "rings_out": 40, "busy": 240, "invalid": 130, "refuses": 130,
    },
}  # fmt: skip
RETRIES = '{"no_answer": {"after_s": 40, "times": 5}, "busy": {"after_s": 30, "times": 5}}'
COMMON = ("--pack", "demo", "--trunk", TRUNK, "--caller-name", COMPANY, "--set", f"retries={RETRIES}")
TIMES = tuple("--set ring_s=15 --set post_dial_delay_s=8 --set wrap_up_max_s=15".split())
LIMIT = ("--set", "connect_limit_ms=1500")  # the voice begins some 0.2 s into its file, and is heard within 2 s
SHARE = 0.7  # of the calls, for the IVR: its campaign waits for no agent
SPARE = 1.7  # debtors for each call wanted: a quarter is outside its hours, and no fault may find the list empty
LINES_PER_RATE = 9
LOOK_S = 0.1
FRESH_S = 3.0  # the board is of a time after the heal
SETTLED_S = 15.0  # after its start a process holds what it needs for calls
PAGE_S = 2.0
PAUSE_S = (2.0, 4.0)  # between two faults
GIVE_UP_S = 90.0  # a campaign that does not call again
DRAIN_S, HUNG_UP_S, HOME_S, CALM_S = 25.0, 45.0, 25.0, 20.0
EVERYTHING = 10_000_000
DEBTORS_SIDE = frozenset({"carrier", "desks"})

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to do. `times`: of each kind, at least; more faults follow until the minutes are over."""

    minutes: float
    seed: int
    rate: float
    agents: int = 12
    kinds: tuple[Kind, ...] = KINDS
    times: int = 2
    short: bool = False  # every fault lasts as short as its kind may, and the last calls are not waited for
    keep: Path = KEEP


@dataclass(slots=True)
class Result:
    """What came of it. `wrong`: every violation as a sentence."""

    wanted: Wanted
    faults: list[Fault] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seen: books.Seen | None = None
    sample: ears.Sample | None = None
    promises: int = 0
    seconds: float = 0.0  # of calling
    load: float = 0.0  # of the machine, in the middle
    records: Sequence[Mapping[str, str]] = ()


async def run(wanted: Wanted, say: Say) -> Result:
    """Everything. Raises SetupError where it could not begin."""
    if wanted.minutes > RUN_MAX_MIN:
        raise SetupError(f"--minutes {wanted.minutes:g}: use {RUN_MAX_MIN:g} at most; the rules of a run hold so long.")
    agents = tuple(str(FIRST_AGENT + one) for one in range(wanted.agents))
    lines = max(20, round(wanted.rate * LINES_PER_RATE))
    async with open_town(agents, lines, wanted.rate, wanted.keep, say) as town:
        return await Run(wanted, town, say).play(agents, lines)


@dataclass(slots=True)
class Run:
    """One run in a town that is up."""

    wanted: Wanted
    town: Town
    say: Say
    result: Result = field(init=False)
    crew: Crew = field(init=False)
    closed: set[int] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    began: dict[str, tuple[int, Load]] = field(
        default_factory=dict
    )  # service -> pid, what it held soon after its start
    loads: list[float] = field(default_factory=list)
    holds: Counter[str] = field(default_factory=Counter)  # since the last fault, in looks
    sequence: int = 0  # of the board when the last fault was healed
    read_to: int = 0  # bytes of the carrier's log of calls begun

    def __post_init__(self) -> None:
        self.result = Result(self.wanted)

    async def play(self, agents: tuple[str, ...], lines: int) -> Result:
        store = RedisStore(self.town.redis.url)
        self.crew = Crew(store, self.wanted.seed)
        keepers = [asyncio.create_task(service.keep()) for service in self.town.services.values()]
        keepers.append(asyncio.create_task(self._weigh()))
        try:
            await self._fill(lines)
            self.crew.hire(agents)
            if not await self.crew.surely("start"):
                raise SetupError(f"no engine takes orders: see {self.town.run / 'engine.log'}.")
            began = time.monotonic()
            await self._break()
            self.result.seconds = time.monotonic() - began
            cut_at = await self._drain()
            await self._judge(cut_at)
        finally:
            for task in keepers:
                task.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await store.close()
        return self.result

    # ---- before

    async def _fill(self, lines: int) -> None:
        calls = self.wanted.rate * (self.wanted.minutes * 60 + 60) * SPARE
        sizes = {IVR_CAMPAIGN: round(calls * SHARE), AGENTS_CAMPAIGN: round(calls * (1 - SHARE))}
        own = {
            AGENTS_CAMPAIGN: tuple(f"--mode predictive --set overflow=ivr --set lines_max={lines // 2}".split()),
            IVR_CAMPAIGN: tuple(f"--kind ivr --set ivr_agents=true --set lines_max={lines}".split()),
        }

        async def one(campaign: str, first_serial: int) -> None:
            path = self.town.run / f"{campaign}.csv"
            rows = [one.row for one in invent(
                sizes[campaign], MIXES[campaign], self.wanted.seed, SystemClock().today(), first_serial
            )]  # fmt: skip
            self.numbers |= {row["telepon"] for row in rows}
            self.closed |= {first_serial + at for at, row in enumerate(rows) if is_closed(row)}
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, rows[0].keys())
                writer.writeheader()
                writer.writerows(rows)
            speed = ("--set", f"calls_per_second={self.wanted.rate:g}")
            await self.town.command("campaign", "create", campaign, *COMMON, *TIMES, *LIMIT, *speed, *own[campaign])
            self.say(await self.town.command("load", str(path), "--campaign", campaign))

        await asyncio.gather(one(AGENTS_CAMPAIGN, 0), one(IVR_CAMPAIGN, IVR_SERIALS))

    async def _weigh(self) -> None:
        """What each process holds soon after each of its starts, and how busy the machine is."""
        while True:
            await asyncio.sleep(1.0)
            self.loads.append(os.getloadavg()[0])
            for name, service in self.town.services.items():
                if service.process.alive and time.time() - service.up_at > SETTLED_S:
                    known = self.began.get(name)
                    load = service.load()
                    if load is not None and (known is None or known[0] != service.process.pid):
                        self.began[name] = service.process.pid, load

    # ---- while it calls

    async def _break(self) -> None:
        hand = Hand(self.town, self.wanted.seed)
        ends = time.monotonic() + self.wanted.minutes * 60
        await self._calls_again(0.0, "", GIVE_UP_S)
        plan = hand.plan(self.wanted.kinds, self.wanted.times, self.wanted.short)
        due = len(plan)  # what follows them is for the minutes that are left
        while due > 0 or time.monotonic() < ends:
            plan = plan or hand.plan(self.wanted.kinds, 1, self.wanted.short)
            await asyncio.sleep(hand.chance.uniform(*PAUSE_S) / (3 if self.wanted.short else 1))
            await self._one(hand, plan.pop(0))
            due -= 1

    async def _one(self, hand: Hand, fault: Fault) -> None:
        fault.calls_up = await self._calls_up()
        self.result.faults.append(fault)
        await hand.play(fault, time.time)
        self.holds.clear()
        self.sequence = self.crew.seen.get(IVR_CAMPAIGN, {}).get("sequence", 0)
        fault.recovered_at = await self._calls_again(fault.healed_at, fault.kind.target, GIVE_UP_S)
        fault.waited = "; ".join(f"{why} ({looks * LOOK_S:.0f} s)" for why, looks in self.holds.most_common(4))
        took = f"{fault.recovery_s:.1f} s" if fault.recovered_at else "never"
        self.say(f"{fault.kind.name} ({fault.lasts_s:g} s): {fault.calls_up} calls were up; calling again after {took}")

    async def _calls_up(self) -> int:
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
            return await self.town.carrier.calls_now()
        return 0

    async def _calls_again(self, since: float, target: str, limit_s: float) -> float:
        """When the first call reached the carrier that was decided after `since`; 0.0: not within the limit.

        After a fault of the IVR one of its own campaign; of the web: when it takes connections again.
        """
        until = time.monotonic() + limit_s
        if target == "web":
            while time.monotonic() < until and not await _page(self.town.web_port):  # noqa: ASYNC110 - another process
                await asyncio.sleep(LOOK_S)
            return time.time()
        while time.monotonic() < until:
            for call in self._begun():
                serial = int(call.number[books.SERIAL])
                decided = min(attempt_ms(call.attempt) / 1000, call.began_at)
                if decided >= since and (target != "ivr" or serial >= IVR_SERIALS):
                    return call.began_at
            self._note_holds()
            if time.time() - since > FRESH_S and self._full():
                return time.time()
            await asyncio.sleep(LOOK_S)
        return 0.0

    def _full(self) -> bool:
        """Nothing holds it: every line of the IVR's campaign is taken, and it will call as soon as one is free."""
        board = self.crew.seen.get(IVR_CAMPAIGN, {})
        fresh = board.get("sequence", 0) > self.sequence + 2
        return fresh and not board["holds"] and 0 < board["share"]["lines"] <= board["lines"]

    def _note_holds(self) -> None:
        """Why no call is placed, as the board says it."""
        for campaign, board in self.crew.seen.items():
            self.holds.update(f"{campaign}: {why}" for why in board.get("holds") or [board.get("reason", "no board")])

    def _begun(self) -> Iterator[Begun]:
        """Calls that have reached the carrier since the last look."""
        path = self.town.carrier.begun_log
        if not path.exists():
            return
        with path.open("rb") as file:
            file.seek(self.read_to)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self.read_to += len(line)
                yield parse_begun(line.decode())

    # ---- after

    async def _drain(self) -> float:
        """No new calls; what is up ends by itself for a while, then is hung up. When that was, epoch seconds."""
        if not await self.crew.surely("pause"):
            self.result.wrong.append("the engine takes no order to pause")
        await self._until_no_attempt(0.0 if self.wanted.short else DRAIN_S)
        cut_at = time.time()
        await self.town.pbx.console("channel request hangup all")
        if not await self._until_no_attempt(HUNG_UP_S):
            self.result.wrong.append(f"{await self.crew.open_attempts()} attempts never got an outcome")
        # whom a killed Asterisk left ringing, nobody told: a carrier gives them up after minutes
        await self.town.carrier.process.console("channel request hangup all")
        if left := await self.crew.go_home(HOME_S):
            self.result.wrong.append(f"{left} agents could not sign out")
        return cut_at

    async def _until_no_attempt(self, limit_s: float) -> bool:
        until = time.monotonic() + limit_s
        while await self.crew.open_attempts():
            if time.monotonic() > until:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    async def _judge(self, cut_at: float) -> None:
        town, result = self.town, self.result
        await self._calm()
        result.wrong += await leaks.channels(town)
        result.wrong += await leaks.left_in_redis(town)
        result.wrong += leaks.left_on_disk(town.run / "spool")
        result.wrong += [
            f"{service.name} did not come back" for service in town.services.values() if not service.process.alive
        ]
        result.wrong += [why for service in town.services.values() for why in service.ended]
        for name, (pid, began) in self.began.items():
            service = town.services[name]
            now = service.load()
            if now is not None and pid == service.process.pid and name not in DEBTORS_SIDE:
                result.wrong += leaks.grown(name, began, now)
        result.wrong += [f"a process is left of one that was killed: {words}" for words in town.strays().values()]
        await self._compare(cut_at)
        logs = {path: path.read_text(errors="replace") for path in town.logs()}
        result.wrong += leaks.in_logs(logs, frozenset(self.numbers), town.secrets)
        result.wrong += [
            f"{fault.kind.name}: calling again after {fault.recovery_s:.1f} s, {fault.kind.limit_s:g} s are allowed"
            f"; what held it: {fault.waited}"
            if fault.recovered_at
            else f"{fault.kind.name}: it never called again; what held it: {fault.waited}"
            for fault in result.faults
            if not fault.recovered_at or fault.recovery_s > fault.kind.limit_s
        ]
        result.load = sorted(self.loads)[len(self.loads) // 2] if self.loads else 0.0

    async def _calm(self) -> None:
        """The carrier's subscribers have put down, and what was said last is written."""
        until = time.monotonic() + CALM_S
        while await leaks.channels(self.town) or await leaks.left_in_redis(self.town):
            if time.monotonic() > until:
                return
            await asyncio.sleep(LOOK_S * 5)

    async def _compare(self, cut_at: float) -> None:
        carrier, result = self.town.carrier, self.result
        entries = [entry for campaign in CAMPAIGNS for _, entry in await self.crew.store.tail(campaign, EVERYTHING)]
        records = [entry for entry in entries if entry["type"] == "outcome"]
        calls, unended = books.merge(carrier.begun(), carrier.calls(), self.town.services["carrier"].killed_at)
        seen = books.Seen(calls, records, result.faults, frozenset(self.closed), cut_at)
        heard_wrong, result.sample = ears.listen(seen, carrier.heard())
        result.seen = seen
        claimed = sum([(await self.crew.store.counters(campaign)).get("attempts", 0) for campaign in CAMPAIGNS])
        if claimed != len(seen.by_attempt):
            result.wrong.append(f"{claimed} attempts were claimed, {len(seen.by_attempt)} have an outcome")
        by_ivr = promised.noted_by_ivr(self.town.redis.run / "appendonlydir")
        told = promised.merged(entries)
        result.promises = len(by_ivr.promises) + sum(
            said.startswith(promised.KEPT) for said in self.crew.noted.values()
        )
        result.wrong += promised.unheard(by_ivr.served, told)
        result.wrong += unended + books.wrong(seen) + heard_wrong
        result.wrong += promised.lost(by_ivr.promises, self.crew.noted, told, await self._promise_keys())

    async def _promise_keys(self) -> frozenset[str]:
        found: set[str] = set()
        async with redis.asyncio.Redis.from_url(self.town.redis.url, decode_responses=True) as link:
            async for key in link.scan_iter("{p:*}:promises", count=1000):
                found |= set(map(str, await link.hkeys(key)))
        return frozenset(found)


async def _page(port: int) -> bool:
    """Whether the web answers a request."""
    try:
        async with asyncio.timeout(PAGE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            line = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return line.startswith((b"HTTP/1.1 2", b"HTTP/1.1 3"))
