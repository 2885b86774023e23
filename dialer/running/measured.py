"""What an engine shows of itself: values of the metrics, and whether it could do its work now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf

from dialer.metrics import Sample, held
from dialer.model import AgentState, CallState, Outcome
from dialer.ports import LinkHealth
from dialer.running.run import LAG_LIMIT_S, Run

STUCK_S = 5.0  # a loop that has not turned for so long does not live
IDLE_S = 10.0  # so long it may take to look for campaigns to lead


@dataclass(frozen=True, slots=True)
class Health:
    """How an engine does. `ticked_s`, `led_s`: since the last tick and the last look for campaigns; inf: none yet."""

    ticked_s: float
    led_s: float
    ping_s: float
    store_error: str
    draining: bool
    unusable: int
    holds: Mapping[str, tuple[str, ...]]
    spooled: int = 0  # changes in the spool file, and its bytes; why they cannot be kept
    spool_bytes: int = 0
    spool_fault: str = ""


def stuck(health: Health) -> list[str]:
    """Why the process should be restarted."""
    if health.ticked_s == inf:
        return ["the loop has not begun"]
    return [f"the loop has not turned for {health.ticked_s:.0f} s"] if health.ticked_s > STUCK_S else []


def lacking(health: Health, links: Mapping[str, LinkHealth]) -> list[str]:
    """Why it could not do its work now; a campaign on hold for reasons of its own is no such reason."""
    wrong = stuck(health)
    if health.draining:
        wrong.append("it is draining")
    if health.store_error:
        wrong.append(f"Redis fails: {health.store_error}")
    elif health.ping_s > LAG_LIMIT_S:
        wrong.append(f"Redis is slow: {health.ping_s:.1f} s")
    elif health.led_s > IDLE_S:
        wrong.append("it neither leads nor stands by: it has not looked for campaigns")
    if health.spool_fault:
        wrong.append(health.spool_fault)
    if health.spooled:
        wrong.append(f"spool: {health.spooled} changes wait on the disk for Redis")
    wrong += [f"Asterisk {node} cannot be reached" for node, link in links.items() if not link.up]
    return wrong


def of_engine(health: Health) -> Iterator[Sample]:
    """What is the engine's own."""
    yield "santun_campaigns_unusable", (), float(health.unusable)
    yield "santun_draining", (), float(health.draining)
    yield "santun_redis_up", (), float(not health.store_error)
    yield "santun_redis_ping_seconds", (), health.ping_s
    yield "santun_spool_changes", (), float(health.spooled)
    yield "santun_spool_bytes", (), float(health.spool_bytes)
    yield "santun_spool_failed", (), float(bool(health.spool_fault))
    yield "santun_tick_age_seconds", (), health.ticked_s


def of_run(run: Run, holds: tuple[str, ...], now: float, monotonic: float) -> Iterator[Sample]:
    """What one campaign shows. `now`: epoch seconds."""
    name = run.campaign.id
    yield "santun_leads", (name,), 1.0
    yield from _states(run)
    for outcome in Outcome:
        yield "santun_outcomes_total", (name, outcome.value), float(run.outcomes.get(outcome, 0))
    for window, rate in run.abandons.rates(now).items():
        yield "santun_live_answers", (name, window.value), float(rate.live)
        yield "santun_abandon_ratio", (name, window.value), rate.rate
        yield "santun_abandon_upper_ratio", (name, window.value), rate.upper
    yield "santun_abandon_limit_ratio", (name,), run.campaign.abandon_rate_max
    for reason, value in held(holds, run.trouble, run.draining):
        yield "santun_hold", (name, reason), value
    yield "santun_contacts_due", (name,), float(run.due)
    yield "santun_contacts_later", (name,), float(run.later)
    yield "santun_trunk_share_lines", (name, run.trunk.name), float(run.share.lines)
    yield "santun_trunk_share_calls_per_second", (name, run.trunk.name), run.share.calls_per_second
    yield "santun_write_lag_seconds", (name,), run.writes.lag_s(monotonic)
    for stream, size in run.streams.items():
        yield "santun_stream_entries", (name, stream), float(size.entries)
        yield "santun_stream_bytes", (name, stream), float(size.bytes)


def _states(run: Run) -> Iterator[Sample]:
    calls = dict.fromkeys(CallState, 0)
    for attempt in run.floor.attempts.values():
        calls[attempt.state] += 1
    agents = dict.fromkeys(AgentState, 0)
    for agent in run.floor.team.agents.values():
        agents[agent.state] += 1
    for call, count in calls.items():
        if call is not CallState.ENDED:  # is never under way
            yield "santun_calls", (run.campaign.id, call.value), float(count)
    for state, count in agents.items():
        yield "santun_agents", (run.campaign.id, state.value), float(count)
