"""What is measured: every metric's name, labels and meaning; docs/metrics.md and the Grafana board are held to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

FAST_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)
ACK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
TALK_S = (5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0)

Sample = tuple[str, tuple[str, ...], float]  # metric, values of its labels, value


class Kind(StrEnum):
    """How Prometheus reads it."""

    GAUGE = "gauge"
    COUNTER = "counter"  # grows; after a restart from zero, or from where the last leader stopped
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One family. `buckets`: upper bounds of a histogram, seconds."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_G, _C, _H = Kind.GAUGE, Kind.COUNTER, Kind.HISTOGRAM
_BY = ("campaign",)
HOLDS = (
    "asterisk_down", "asterisk_slow", "backlog", "comparing", "draining", "lease", "list", "redis_down", "redis_slow",
    "settings", "status", "trunk", "write_lag", "other",
)  # fmt: skip

ENGINE: tuple[Metric, ...] = (
    Metric("santun_leads", _G, "1 for each campaign that this engine leads", _BY),
    Metric("santun_campaigns_unusable", _G, "campaigns that this engine cannot lead for their settings"),
    Metric("santun_draining", _G, "1: the engine starts no more calls and is about to end"),
    Metric("santun_calls", _G, "calls under way, by the state of their life (docs/states.md)", (*_BY, "state")),
    Metric("santun_agents", _G, "agents, by the state of their life (docs/states.md)", (*_BY, "state")),
    Metric("santun_outcomes_total", _C, "attempts that ended; the next leader counts on", (*_BY, "outcome")),
    Metric("santun_live_answers", _G, "live answers in a window of the law", (*_BY, "window")),
    Metric("santun_abandon_ratio", _G, "share of live answers that count as abandoned, 0 to 1", (*_BY, "window")),
    Metric("santun_abandon_upper_ratio", _G, "95 % upper bound of that share", (*_BY, "window")),
    Metric("santun_abandon_limit_ratio", _G, "the campaign's limit for that share", _BY),
    Metric("santun_hold", _G, "1: this reason forbids new calls now", (*_BY, "reason")),
    Metric("santun_contacts_due", _G, "contacts who may be called by their time", _BY),
    Metric("santun_contacts_later", _G, "contacts whose time is still to come", _BY),
    Metric("santun_trunk_share_lines", _G, "this engine's slice of its trunk, lines", (*_BY, "trunk")),
    Metric("santun_trunk_share_calls_per_second", _G, "this engine's slice of its trunk's call rate", (*_BY, "trunk")),
    Metric("santun_write_lag_seconds", _G, "age of the oldest change that is not yet in Redis", _BY),
    Metric("santun_stream_entries", _G, "entries of a stream, looked at once a minute", (*_BY, "stream")),
    Metric("santun_stream_bytes", _G, "memory of a stream in Redis, looked at once a minute", (*_BY, "stream")),
    Metric("santun_decision_seconds", _H, "how long the pacer took for one decision", (), FAST_S),
    Metric("santun_manager_link_up", _G, "1: there is a manager session that answers", ("node",)),
    Metric("santun_manager_backlog_events", _G, "events of Asterisk that wait to be read", ("node",)),
    Metric("santun_manager_events_lost_total", _C, "events that came while the queue was full", ("node",)),
    Metric("santun_manager_sessions_total", _C, "manager sessions so far; one is the first", ("node",)),
    Metric("santun_manager_timeouts_total", _C, "actions that Asterisk did not acknowledge in time", ("node",)),
    Metric("santun_manager_ack_seconds", _H, "how long Asterisk took to acknowledge an action", ("node",), ACK_S),
    Metric("santun_redis_up", _G, "1: Redis answered the last question"),
    Metric("santun_redis_ping_seconds", _G, "how long the last ping took, or the one under way lasts"),
    Metric("santun_spool_changes", _G, "changes that wait on the disk for Redis"),
    Metric("santun_spool_bytes", _G, "size of the file in which they wait"),
    Metric("santun_spool_failed", _G, "1: what waits for Redis cannot be kept on the disk, or its bound is reached"),
    Metric("santun_tick_age_seconds", _G, "since the engine's last tick; ticks are 0.05 s apart"),
)  # fmt: skip

IVR: tuple[Metric, ...] = (
    Metric("santun_ivr_calls", _G, "conversations under way"),
    Metric("santun_ivr_calls_max", _G, "how many there may be at once; more get the courteous message"),
    Metric("santun_ivr_endings_total", _C, "conversations that ended, by how", ("how",)),
    Metric("santun_ivr_call_seconds", _H, "how long a conversation lasted", (), TALK_S),
    Metric("santun_ivr_sounds_files", _G, "sounds of single calls that are kept, counted at most every ten minutes"),
    Metric("santun_ivr_sounds_bytes", _G, "their size, counted at most every ten minutes"),
    Metric("santun_ivr_redis_up", _G, "1: Redis answered the last heartbeat"),
    Metric("santun_ivr_spool_facts", _G, "facts of conversations that wait on the disk for Redis"),
    Metric("santun_ivr_draining", _G, "1: no new conversation is begun"),
)

# sentences of Run.holds by what is sure in them; a sentence of the settings' own is named by the run
_BEGINS: Mapping[str, str] = {
    "the campaign is ": "status",
    "another engine may lead": "lease",
    "Asterisk cannot be reached": "asterisk_down",
    "Asterisk's calls are being compared": "comparing",
    "Asterisk is slow": "asterisk_slow",
    "Redis fails": "redis_down",
    "Redis is slow": "redis_slow",
    "outcomes lag": "write_lag",
    "the trunk fails": "trunk",
    "the list is empty": "list",
    "nobody may be called now": "list",
    "draining": "draining",
}


def reason_of(hold: str, trouble: str = "") -> str:
    """The label of a hold's sentence; `trouble`: what the run says of its settings."""
    if hold == trouble:
        return "settings"
    if hold.endswith(" events of Asterisk wait to be read"):
        return "backlog"
    return next((reason for begin, reason in _BEGINS.items() if hold.startswith(begin)), "other")


def held(holds: tuple[str, ...], trouble: str, draining: bool) -> Iterator[tuple[str, float]]:
    """Every reason with 0 or 1."""
    found = {reason_of(hold, trouble) for hold in holds} | ({"draining"} if draining else set())
    yield from ((reason, float(reason in found)) for reason in HOLDS)


def document() -> str:
    """docs/metrics.md, made from the tables."""
    parts = [
        "# Metrics",
        "",
        "Made from the tables in `dialer/metrics.py`; do not edit, but run",
        "`python -c 'from dialer.metrics import document; print(document(), end=\"\")' > docs/metrics.md`.",
        "",
        "Prometheus finds them under `/metrics` where `[metrics] listen` says (`dialer engine`, `dialer serve`) and",
        "where `ivr serve --metrics` says; nobody listens unless told. Beside them are `/healthz` (200: the process is",
        "alive and its loop turns; else 503 and why) and `/readyz` (200: it could do its work now; else 503 and what",
        "lacks):",
        "",
        "| process | ready means |",
        "|---|---|",
        "| engine | Redis answers within a second, every Asterisk node has a manager session, it leads or stands by, |",
        "| | nothing waits in its spool, and it is not draining |",
        "| ivr | Redis took the last heartbeat, no fact waits in its spool, there is room for one more call, and it |",
        "| | is not draining |",
        "",
        "Names end in their unit; shares are ratios from 0 to 1. `process_*` are prometheus_client's own. A campaign",
        "is shown by the engine that leads it: sum over engines. Windows of the law: campaign_30_days, calendar_day,",
        f"rolling_24h, last_100. Reasons of a hold: {', '.join(HOLDS)}.",
    ]
    for title, table in (("Engine", ENGINE), ("IVR", IVR)):
        parts += ["", f"## {title}", "", "| metric | kind | labels | meaning |", "|---|---|---|---|"]
        parts += [f"| {one.name} | {one.kind} | {', '.join(one.labels)} | {one.meaning} |" for one in table]
    return "\n".join(parts) + "\n"
