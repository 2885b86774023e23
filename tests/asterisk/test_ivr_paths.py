"""The shipped flow walked on a real Asterisk by real RFC 4733 keys: each goes as `ivr path` foretells, and is heard.

In the suite every key of every step is pressed once; `./run bench paths` walks every path, silence and all.
"""

import asyncio
import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path as File
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from rich.table import Table

from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.dialplan import Told
from dialer.model import Fact
from ivr import session
from ivr.adapters.agi import Agi, Server
from ivr.adapters.line import PaymentReminder
from ivr.adapters.speech import SILENCE as SILENCE_FILE
from ivr.adapters.speech import Speech
from ivr.paths import SILENCE, Path, estimated_s, paths
from ivr.session import Call, Desk
from tests.ivr import twins
from tests.ivr.debtor import Debtor
from tests.ivr.people import GENEROUS
from tests.ivr.test_session_paths import CONTACT, pressed

from .conftest import TRUNK, Line

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]

EVERY_PATH = "SANTUN_EVERY_PATH"  # in the environment: walk them all
AT_ONCE = 16
STEP_LIMIT_S = 180.0
WAY_LIMIT_S = 400.0
SLOW_MOST_S = 70.0  # of speech: who hears every step to its end takes his time
AUDIBLE = 500  # of 32768
PAUSE_S = 0.9  # between sentences 0.25, within them 0.3; the machine is late now and then
THINKS_S = 0.8  # a slow debtor, after the voice has paused
LATE_S = 1.5
STALLED_S = 0.2  # so long a hole in what he sent or heard: the machine stood still, and Asterisk may miss keys
TRIES = 3
WAYS = ("fast", "during playback", "slow")


@dataclass
class Sounded:
    """What one call was given to hear: when each file began."""

    files: list[tuple[float, str]] = field(default_factory=list)


class Watched(PaymentReminder):
    """Notes which file begins when, by call."""

    def __init__(self, desk: Desk, voice: Speech, background: ThreadPoolExecutor) -> None:
        super().__init__(desk, voice, background, self._begins)
        self.sounded: dict[str, Sounded] = {}
        self._here = threading.local()

    def __call__(self, agi: Agi) -> None:
        self._here.sounded = self.sounded.setdefault(agi.env["agi_uniqueid"], Sounded())
        super().__call__(agi)
        self._here.sounded.files.append((time.monotonic(), ""))

    def _begins(self, path: File) -> str:
        self._here.sounded.files.append((time.monotonic(), path.name))
        return str(path)


class Ivr:
    """A server of the whole flow; facts per attempt."""

    def __init__(self, port: int, voice: Speech, background: ThreadPoolExecutor) -> None:
        self.stores: dict[str, twins.Store] = {}
        self.desk = Desk(self, self, twins.Ticking(), background.submit, ZoneInfo, twins.KEY, GENEROUS, send=True)
        self.script = Watched(self.desk, voice, background)
        self.server = Server("127.0.0.1", port, {"payment_reminder": self.script})

    def debtor(self, campaign: str, attempt: str) -> twins.Called | None:
        return self.stores[attempt].debtor(campaign, attempt)

    def report(self, campaign: str, attempt: str, fact: Fact) -> None:
        self.stores[attempt].report(campaign, attempt, fact)

    def foretold(self) -> list[Path]:
        """As `ivr path` does."""
        self.stores["foretold"] = twins.Store(contact=CONTACT)
        dialogue = session.learn(Call("foretold", "arrears", "id"), self.desk)
        assert dialogue
        return list(paths(dialogue, "1234"))


@pytest.fixture
def ivr(settings: AsteriskSettings, voice: Speech, pbx: AsteriskProcess) -> Iterator[Ivr]:
    with ThreadPoolExecutor(4) as background:
        ivr = Ivr(settings.ivr_port, voice, background)
        thread = threading.Thread(target=ivr.server.serve, daemon=True)
        thread.start()
        yield ivr
        ivr.server.stop(5)
        thread.join(5)


def edges(path: Path) -> set[tuple[str, str]]:
    """Each key, or digits, with the step at which it was pressed."""
    return {(step, keyed) for step, keyed in zip(path.steps, path.keys, strict=False) if keyed != SILENCE}


def covering(every: Sequence[Path]) -> list[Path]:
    """Few paths on which every key of every step is pressed."""
    chosen: list[Path] = []
    left = set().union(*map(edges, every))
    while left:
        best = max(every, key=lambda path: (len(edges(path) & left), SILENCE not in path.keys, -len(path.keys)))
        chosen.append(best)
        left -= edges(best)
    return chosen


@dataclass(frozen=True, slots=True)
class Walked:
    """What came of one path; `faults` is empty where all was as foretold, and heard."""

    path: Path
    way: str
    gap_s: float
    faults: tuple[str, ...]
    stalled_s: float = 0.0


@dataclass
class Walk:
    """One debtor on his way."""

    path: Path
    way: str
    debtor: Debtor
    store: twins.Store

    async def go(self) -> None:
        if self.way == "fast":
            await self._until(lambda: ("step", self.path.steps[0]) in self.store.told, "the first step")
            self.debtor.press("".join(pressed(self.path)))
            return
        keys = self._by_step()
        for number, keyed in enumerate(keys):
            await self._at(number)
            if not keyed:
                continue
            if self.way == "slow":
                await self._until(lambda: self.debtor.silent_for(THINKS_S), f"a pause at {self.path.steps[number]}")
            self.debtor.press(keyed)

    def _by_step(self) -> list[str]:
        """What is pressed at each step; silence is the empty word."""
        ends = {"number": "#"}
        return [
            "" if keyed == SILENCE else keyed + ends.get(step, "")
            for step, keyed in zip(self.path.steps, self.path.keys, strict=False)
        ]

    async def _at(self, number: int) -> None:
        """The step is there, as often as he has come by, and its voice is heard."""
        step, times = self.path.steps[number], self.path.steps[: number + 1].count(self.path.steps[number])
        await self._until(lambda: self.store.told.count(("step", step)) >= times, f"{step} in {self.store.told}")
        began = time.monotonic()
        await self._until(lambda: self.debtor.spoke_after(began) is not None, f"a voice at {step}")

    async def _until(self, true: Callable[[], bool], what: str) -> None:
        ends = time.monotonic() + STEP_LIMIT_S
        while not true():
            if time.monotonic() > ends:
                raise TimeoutError(f"not within {STEP_LIMIT_S:.0f} s: {what}")
            await asyncio.sleep(0.02)


async def walked(line: Line, ivr: Ivr, path: Path, way: str) -> Walked:
    """A call from Originate to its end."""
    with Debtor() as debtor:
        channel = f"ivr-{secrets.token_hex(6)}"
        store = ivr.stores[channel] = twins.Store(contact=CONTACT)
        uri = f"PJSIP/{TRUNK}/sip:debtor@{debtor.address}"
        await line.dial(uri, "santun-answered", "ivr", channel, attempt=channel, campaign="arrears", language="id")
        walk = Walk(path, way, debtor, store)
        try:
            async with asyncio.timeout(WAY_LIMIT_S):
                await walk.go()
                faults = await _ended(line, walk, channel)
        except TimeoutError as error:
            faults = [str(error) or f"not within {WAY_LIMIT_S:.0f} s: {store.told}"]
        await line.ami.send("Hangup", Channel=channel, Cause=16)
        faults += _unheard(debtor, ivr.script.sounded.get(channel, Sounded()))
        return Walked(path, way, max(debtor.gaps(), default=0.0), tuple(faults), debtor.stalled_s)


async def _ended(line: Line, walk: Walk, channel: str) -> list[str]:
    """What differs from what was foretold."""
    expected = [fact for turn in walk.path.turns for fact in turn.facts]
    store, back = walk.store, walk.path.how.startswith("back to ")
    await walk._until(lambda: len(store.told) >= len(expected), f"{expected} in {store.told}")
    if back:
        walk.debtor.hang_up()
    await walk._until(lambda: "closed" in dict(store.told), f"an end after {store.told}")
    how = "hung_up" if back else walk.path.how
    closed = store.told[-1][1].split()
    faults = [] if store.told[:-1] == expected else [f"facts {store.told[:-1]} instead of {expected}"]
    if (closed[0], closed[-1]) != (how, walk.path.steps[-1]):
        faults.append(f"closed as {closed} instead of {how} at {walk.path.steps[-1]}")
    if not back:
        end = walk.path.turns[-1].end
        assert end
        await line.ami.until("UserEvent", 50, UserEvent=Told.IVR_END, Uniqueid=channel, Result=end.result)
    return faults


def _unheard(debtor: Debtor, sounded: Sounded) -> list[str]:
    """Where a sentence played and was not heard, or the line was silent for longer than a key is awaited."""
    audible = [packet.at for packet in debtor.heard if packet.peak > AUDIBLE]
    faults = []
    for (began, name), (ended, _) in pairwise(sounded.files):
        if name == SILENCE_FILE or ended - began < PAUSE_S:
            continue
        inside = [began, *(at for at in audible if began < at < ended), ended]
        quiet_s = max(after - before for before, after in pairwise(inside))
        if quiet_s > PAUSE_S:
            faults.append(f"{quiet_s:.2f} s of silence within a sentence of {ended - began:.1f} s")
    ends = [packet.at for packet in debtor.heard[:1]] + audible + [packet.at for packet in debtor.heard[-1:]]
    silent_s = max((after - before for before, after in pairwise(ends)), default=0.0)
    if silent_s > session.FIRST_KEY_MS / 1000 + LATE_S:
        faults.append(f"a dead line for {silent_s:.1f} s")
    return faults if audible else [*faults, "nothing was heard"]


async def walk_all(line: Line, ivr: Ivr, chosen: Sequence[Path]) -> list[Walked]:
    """Some at once, who takes longest first; each way of pressing by turns."""
    turn = asyncio.Semaphore(AT_ONCE)
    ways = [(path, _way(number, path)) for number, path in enumerate(chosen)]

    async def one(path: Path, way: str) -> Walked:
        async with turn:
            for left in reversed(range(TRIES)):
                found = await walked(line, ivr, path, way)
                if not found.faults or max(found.gap_s, found.stalled_s) < STALLED_S or not left:
                    break
            return found

    ways.sort(key=lambda each: (WAYS.index(each[1]), each[0].silences, _spoken_s(each[0])), reverse=True)
    return await asyncio.gather(*(one(path, way) for path, way in ways))


def _way(number: int, path: Path) -> str:
    way = WAYS[number % len(WAYS)]
    too_long = way == "slow" and _spoken_s(path) > SLOW_MOST_S
    return "during playback" if SILENCE in path.keys or too_long else way


def _spoken_s(path: Path) -> float:
    return sum(map(estimated_s, path.said))


def show(found: Sequence[Walked], console: Console) -> None:
    """By way of pressing."""
    table = Table("keys", "paths walked", "disagreements", "largest gap, ms", title="Paths of the shipped flow")
    for way in (*WAYS, "all"):
        those = [one for one in found if way in (one.way, "all")]
        gap_ms = 1000 * max((one.gap_s for one in those), default=0.0)
        table.add_row(way, str(len(those)), str(sum(bool(one.faults) for one in those)), f"{gap_ms:.0f}")
    console.print(table)
    console.print(f"Load average: {os.getloadavg()[0]:.1f}. Endings: {dict(Counter(one.path.how for one in found))}")
    for one in found:
        if one.faults:
            console.print(f"- {' '.join(one.path.keys)} ({one.way}): {'; '.join(one.faults)}")


@pytest.mark.timeout(300)
async def test_every_key_of_every_step(line: Line, ivr: Ivr, capsys: pytest.CaptureFixture[str]) -> None:
    every = ivr.foretold()
    chosen = covering(every)
    assert set().union(*map(edges, chosen)) == set().union(*map(edges, every))
    found = await walk_all(line, ivr, chosen)
    with capsys.disabled():
        print()
        show(found, Console(width=120))
    assert not [one.faults for one in found if one.faults]
    assert {one.way for one in found} == set(WAYS)


@pytest.mark.skipif(not os.environ.get(EVERY_PATH), reason="takes minutes: ./run bench paths")
@pytest.mark.timeout(1800)
async def test_every_path(line: Line, ivr: Ivr, capsys: pytest.CaptureFixture[str]) -> None:
    found = await walk_all(line, ivr, ivr.foretold())
    with capsys.disabled():
        print()
        show(found, Console(width=120))
    assert not [one.faults for one in found if one.faults]
