"""What telling the desks costs for one call that an agent takes: `python -m tests.bench.bench_desk`.

Reserved, talking, wrap-up, idle: the agent written four times, with and without his notes; CPU of Python and of Redis.
"""

import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.floor.desknote import desk_note
from dialer.model import Agent, AgentState, Campaign
from tests.adapters.redis_lives import AT, CAMPAIGN, begin, claimed, contacts

ROOT = Path(__file__).parents[2]
CALLS = 2000
LIMIT_MS = 0.1
STATES = (AgentState.TALKING, AgentState.WRAP_UP, AgentState.IDLE)
SETTINGS = Campaign(CAMPAIGN, CAMPAIGN)


async def redis_cpu_s(store: RedisStore) -> float:
    """Of its own process."""
    found = await store._link.one(("INFO", "cpu"))
    return sum(
        float(line.split(b":")[1])
        for line in found.splitlines()
        if line.startswith(b"used_cpu_") and b"main" not in line
    )


async def measure(store: RedisStore, token: int, told: bool) -> tuple[float, float]:
    """(Python, Redis): milliseconds of CPU per call."""
    people = contacts(1)
    idle = Agent("101", "node", CAMPAIGN, AgentState.IDLE, AT)
    (one,) = await claimed(store, token, people)
    turn = 0
    redis_before, before = await redis_cpu_s(store), time.process_time()
    for _ in range(CALLS):
        turn += 4
        agent = replace(idle, state=AgentState.RESERVED, attempt=one.id)
        note = desk_note(agent, one, SETTINGS, AT, token, turn) if told else None
        await store.reserve(token, agent, one, note)
        for place, state in enumerate(STATES, 1):
            agent = replace(agent, state=state)
            notes = [desk_note(agent, one, SETTINGS, AT, token, turn + place)] if told else []
            await store.save_agents(CAMPAIGN, token, [agent], notes)
    python = time.process_time() - before
    return python * 1000 / CALLS, (await redis_cpu_s(store) - redis_before) * 1000 / CALLS


async def main() -> int:
    """Print the figures; 1 when Python's part is too high."""
    costs = []
    with tempfile.TemporaryDirectory(prefix="santun-bench-") as folder:
        redis = RedisProcess(redis_server(ROOT), Path(folder) / "redis", "no")
        await redis.start()
        store = RedisStore(redis.url)
        for told in (False, True, False, True):
            campaign_token = await begin(store, listed=contacts(1))
            await store.save_agents(CAMPAIGN, campaign_token, [Agent("101", "node", CAMPAIGN, AgentState.RAISING)])
            costs.append(await measure(store, campaign_token, told))
            await store._link.one(("FLUSHALL",))
        await store.close()
        await redis.kill()
    plain, noted = (tuple(map(min, *costs[place::2])) for place in (0, 1))
    python, in_redis = noted[0] - plain[0], noted[1] - plain[1]
    print(f"{CALLS} calls, four notes each: {python:.3f} ms CPU of Python, {in_redis:.3f} ms of Redis per call more")
    print(f"limit {LIMIT_MS} ms per note: {'kept' if python / 4 <= LIMIT_MS else 'NOT kept'}")
    return int(python / 4 > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
