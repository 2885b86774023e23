"""What the metrics cost the engine's loop: `python -m tests.bench.bench_metrics`. Fails above its limits.

Per decision: two looks at the clock and one observation. Per acknowledgement: one observation. Per scrape: every value
of a campaign of 500 agents and 400 calls, written as text.
"""

import sys
import time
from collections.abc import Callable, Iterable

from dialer.adapters.metrics import Meters
from dialer.metrics import ENGINE, Sample
from dialer.model import Agent, AgentState
from dialer.running.measured import Health, of_engine, of_run
from tests.floor.test_floor import T0, attempt
from tests.running.test_run import led

LIMIT_TICK_MS, LIMIT_SCRAPE_MS = 0.2, 25.0
AGENTS, CALLS, TIMES = 500, 400, 200


def cost_ms(times: int, work: Callable[[], object]) -> float:
    """CPU of one."""
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times * 1000


def main() -> int:
    run = led()
    for number in range(AGENTS):
        run.floor.team.adopt(Agent(str(1000 + number), "a", "c1", AgentState.IDLE, T0))
    for number in range(CALLS):
        run.floor.claimed(attempt(f"a{number}", T0), T0)

    def samples() -> Iterable[Sample]:
        yield from of_engine(Health(0.05, 0.5, 0.001, "", False, 0, {}))
        yield from of_run(run, (), T0, 50.0)

    meters = Meters(ENGINE, samples)
    decided = meters.observer("santun_decision_seconds")

    def tick() -> None:
        began = time.monotonic()
        decided(time.monotonic() - began)

    tick_ms, scrape_ms = cost_ms(100_000, tick), cost_ms(TIMES, meters.text)
    print(f"a decision {tick_ms * 1000:.1f} us (limit {LIMIT_TICK_MS} ms), a scrape {scrape_ms:.2f} ms", end=" ")
    print(f"(limit {LIMIT_SCRAPE_MS:.0f} ms; {AGENTS} agents, {CALLS} calls, {len(meters.text())} bytes)")
    return int(tick_ms > LIMIT_TICK_MS or scrape_ms > LIMIT_SCRAPE_MS)


if __name__ == "__main__":
    sys.exit(main())
