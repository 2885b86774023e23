"""A real engine on a real Redis with a twin's Asterisk, in real time: what bench_web.py loads with desks and boards.

`python -m tests.bench.web_engine REDIS_URL AGENTS`: until SIGTERM; one JSON line per measured delay, in ms:
{"at", "turn": how late and long a timer of 50 ms was} and {"at", "connect": from a debtor's answer to his Redirect}.
"""

import asyncio
import json
import signal
import sys
import time
from random import Random

from dialer.adapters.redis_store import RedisStore
from dialer.engine import Engine
from dialer.model import Campaign, Command, Mode, Order
from dialer.running.run import Site, Trunk
from dialer.service import log_to_stderr
from tests import packs
from tests.site import contacts
from tests.twins import EPOCH, Debtor, TwinAsterisk, TwinClock, new_id

CAMPAIGN = Campaign(
    "bench", "Bench", pack="demo", mode=Mode.PROGRESSIVE, wrap_up_max_s=3, lines_max=1000, calls_per_second=50.0
)
TRUNK = Trunk("trunk", "a", "PJSIP/{digits}@carrier", 1000, 200.0)
CONTACTS = 40_000
TIMER_S = 0.05
FIRST_AGENT = 2000


class Asterisk(TwinAsterisk):
    """Notes when each debtor answered, and tells how long he waited for his Redirect."""

    def __init__(self, clock: TwinClock) -> None:
        chance = Random(1)

        def debtor(_: Order) -> Debtor:
            return Debtor(chance.random() < 0.7, 0.1, chance.uniform(0.5, 2), patience_s=chance.uniform(8, 20))

        super().__init__(clock, debtor)
        self._answered: dict[str, float] = {}

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        began = self._answered.pop(channel, None)
        if began is not None:
            say(connect=1000 * (self.clock.monotonic() - began))
        await super().redirect(channel, context, exten)

    async def originate(self, order: Order) -> None:
        self.originated.clear()  # it runs for long
        self.redirects.clear()
        await super().originate(order)

    def _answer(self, channel: str, debtor: Debtor) -> None:
        self._answered[channel] = self.clock.monotonic()
        super()._answer(channel, debtor)


def say(**figures: float) -> None:
    """One line."""
    print(json.dumps({"at": time.time()} | figures), flush=True)


async def timer() -> None:
    """How late and long each turn of a timer is, as the engine's own ticks are."""
    clock = asyncio.get_running_loop().time
    while True:
        began = clock()
        await asyncio.sleep(TIMER_S)
        say(turn=1000 * (clock() - began - TIMER_S))


async def main(url: str, agents: int) -> None:
    """Until SIGTERM."""
    log_to_stderr()
    loop = asyncio.get_running_loop()
    clock, store = TwinClock(), RedisStore(url)
    clock.step = time.time() - EPOCH - loop.time()  # today, but for a jump of the machine's clock
    asterisk = Asterisk(clock)
    engine = Engine(Site("bench", {"trunk": TRUNK}, lambda _: packs.demo(), new_id), store, {"a": asterisk}, clock)
    await store.save_campaign(CAMPAIGN)
    everybody = contacts(CONTACTS)
    for first in range(0, CONTACTS, 2000):
        await store.add_contacts(CAMPAIGN.id, everybody[first : first + 2000], clock.now())
    loop.add_signal_handler(signal.SIGTERM, engine.stop)
    works = [asyncio.create_task(timer())]
    running = asyncio.create_task(engine.run())
    orders = [("sign_in", {"agent": str(FIRST_AGENT + one)}) for one in range(agents)] + [("start", {})]
    for name, args in orders:
        now = clock.now()
        command = Command(new_id(now), CAMPAIGN.id, name, "bench", now, now + 60, args)
        works.append(asyncio.create_task(_send(store, command)))
        await asyncio.sleep(0.01)
    await running
    for work in works:
        work.cancel()
    await asyncio.gather(*works, return_exceptions=True)
    await store.close()


async def _send(store: RedisStore, command: Command) -> None:
    reply = await store.send(command, 60)
    if reply is None or not reply.ok:
        print(f"{command.name} {command.args}: {reply}", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
