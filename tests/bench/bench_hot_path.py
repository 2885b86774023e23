"""CPU of the engine for one attempt that nobody answers, on twins: `python -m tests.bench.bench_hot_path`.

From the claimed attempt on: Originate and its ack, four events, the verdict, the record, one write. Redis and Asterisk
are twins in the same process; their own few microseconds are counted in.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import structlog

from dialer.engine import Engine
from dialer.model import Attempt, Contact, Event, LiveChannel, Mode, Order, Seen, Status
from dialer.ports import Lease, LinkHealth
from dialer.running.placing import Ready
from dialer.running.run import Run, Site
from tests import packs
from tests.site import CAMPAIGN, TRUNK, contacts
from tests.twins import TwinClock, TwinStore, new_id

ATTEMPTS = 20_000
IN_FLIGHT = 500
PER_WRITE = 10
LIMIT_MS = 1.0  # 100 attempts a second then take a tenth of a core


class Mute:
    """A Telephony that does nothing."""

    node = "a"

    def under(self, lease: Lease) -> "Mute":
        return self

    async def originate(self, order: Order) -> None:
        pass

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        pass

    async def mute_recording(self, channel: str, *, muted: bool) -> None:
        pass

    async def hang_up(self, channel: str, cause: int = 16) -> bool:
        return True

    async def channels(self) -> tuple[LiveChannel, ...]:
        return ()

    def health(self) -> LinkHealth:
        return LinkHealth(True, 1.0, 0)

    async def events(self) -> AsyncIterator[Event]:
        await asyncio.Event().wait()
        yield Event(Seen.LINK_UP, 0.0)


def ready(run: Run, contact: Contact, at: float) -> Ready:
    """What Placer.claim gives."""
    attempt = Attempt(
        new_id(at), "c1", "a", "progressive", "trunk", "", "id", "demo", contact.id, contact.person, contact.numbers[0],
        claimed_at=at,
    )  # fmt: skip
    return Ready(attempt, contact, at + 60)


async def measure(attempts: int, agents: int) -> float:
    """Milliseconds of CPU per attempt, with IN_FLIGHT calls up and `agents` idle ones at any time."""
    clock, store, phone = TwinClock(), TwinStore(TwinClock()), Mute()
    engine = Engine(engine_site(), store, {"a": phone}, clock)
    await store.save_campaign(replace(CAMPAIGN, mode=Mode.RATIO, lines_max=1000))
    await engine._look()
    run = engine.runs["c1"]
    await store.set_status("c1", run.token, Status.RUNNING)  # where the engine will look for it
    run.status, run.due, run.reconciled = Status.RUNNING, 1, True
    for number in range(agents):
        _, _, actions = run.floor.team.sign_in(f"{number + 100}", clock.now())
        engine._heard(phone, Event(Seen.JOINED, clock.now(), actions[1].leg, f"agent-{number + 100}"))  # type: ignore[union-attr]
    await asyncio.sleep(0)
    under_way: list[str] = []
    since_flush = 0
    people = contacts(attempts)
    before = time.process_time()
    for contact in people:
        run.lease_until = clock.monotonic() + 10
        one = ready(run, contact, clock.now())
        run.contacts[one.attempt.id] = contact
        run.floor.claimed(one.attempt, clock.now())
        engine.do(engine._hands.originate(run, one))
        await asyncio.sleep(0)
        under_way.append(one.attempt.id)
        engine._heard(phone, Event(Seen.DIALLED, clock.now(), one.attempt.id))
        engine._heard(phone, Event(Seen.RINGING, clock.now(), one.attempt.id))
        if len(under_way) > IN_FLIGHT:
            oldest = under_way.pop(0)
            engine._heard(phone, Event(Seen.HANGUP, clock.now(), oldest, cause=17, sip_code=486))
            engine._heard(phone, Event(Seen.FAILED, clock.now(), oldest, result="0"))
            since_flush += 1
            if since_flush == PER_WRITE:
                since_flush = 0
                await run.writes.flush()
    return (time.process_time() - before) * 1000 / attempts


def engine_site() -> Site:
    """A site with one trunk."""
    pack = packs.demo()
    return Site("bench", {"trunk": TRUNK}, lambda campaign: pack, new_id)


def main() -> int:
    """Print the figures; 1 when they are too high."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    worst = 0.0
    for agents in (0, 100):
        cost_ms = min(asyncio.run(measure(ATTEMPTS, agents)) for _ in range(2))
        worst = max(worst, cost_ms)
        print(f"{ATTEMPTS} attempts, {IN_FLIGHT} in flight, {agents} idle agents: {cost_ms:.3f} ms CPU each")
    print(f"limit {LIMIT_MS} ms: {'kept' if worst <= LIMIT_MS else 'NOT kept'}")
    return int(worst > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
