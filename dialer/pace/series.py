"""The pacing series: what the pacer decided and why, at most one entry a second, for boards and for questions later.

An entry is a flat map of strings in the Redis stream `{campaign}:pacing`. While the campaign runs there is one a
second: `start` and `ended` are sums since the entry before, reason and numbers are those of the last decision that
started calls, else of the last one. While it does not run there is one when the reason changes, and one a minute.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dialer.pace.snapshot import Decision

KEPT_S = 48 * 3600
ENTRIES_MOST = 200_000  # one a second of KEPT_S, and some
QUIET_S = 60.0

FIELDS: Mapping[str, str] = {
    "at": "when it was decided, epoch seconds",
    "start": "calls started since the entry before",
    "ended": "ringing calls ended since the entry before, because no agent would have been free",
    "reason": "the decision in a sentence",
}
# What the pacer may say, in the order of its table; a number that does not matter in a mode is left out.
NUMBERS: Mapping[str, str] = {
    "wanted": "calls wanted before lines, lines per agent and calls per second cut them",
    "free": "agents who are idle and stay, less callers who are served before new answers",
    "working": "agents idle, reserved, talking or in wrap-up, who stay",
    "in_flight": "calls not yet with an agent",
    "ringing": "of them, ringing",
    "waiting": "of them, live answers without an agent",
    "lines": "lines the campaign may use",
    "lines_used": "lines in use",
    "calls_per_second": "calls per second it may start",
    "answer_rate": "share of calls that a person answers",
    "free_soon": "busy agents expected to be free within the time in which people answer",
    "live_soon": "live answers expected of the calls in flight",
    "abandon_chance": "chance that the next call is answered when no agent is free",
    "price": "chance of that at which a call is not worth it",
    "live": "live answers in the law's window",
    "abandoned": "of them, abandoned as the law counts",
    "budget": "abandons that may still happen within the limit",
    "forecast_slope": "how far the forecasts per number are believed: 0 not at all, 1 wholly",
    "lives_next": "live answers expected of the next numbers, by their forecasts",
    "lives_next_pooled": "the same by the answer rate alone: the difference is what the forecast says",
}


@dataclass(frozen=True, slots=True)
class _Sum:
    """What has gathered for an entry."""

    at: float
    start: int
    ended: int
    said: Decision

    def and_then(self, later: "_Sum") -> "_Sum":
        said = self.said if self.said.start and not later.said.start else later.said
        return _Sum(later.at, self.start + later.start, self.ended + later.ended, said)


class Series:
    """Gathers decisions of one campaign until their entry is written; what could not be written comes with the next."""

    def __init__(self) -> None:
        self._gathered: _Sum | None = None
        self._offered: _Sum | None = None  # on its way
        self._written_at = 0.0
        self._reason = ""

    def saw(self, decision: Decision, ended: int, at: float) -> None:
        """One decision, and how many calls were ended for it."""
        new = _Sum(at, decision.start, ended, decision)
        self._gathered = new if self._gathered is None else self._gathered.and_then(new)

    def entry(self, running: bool) -> dict[str, str] | None:
        """What is to be written now, then `written()`; None: nothing."""
        if self._offered is not None and self._gathered is not None:
            self._gathered = self._offered.and_then(self._gathered)
        self._offered, self._gathered = self._gathered or self._offered, None
        one = self._offered
        if one is None or not (running or one.start or one.ended or self._is_news(one)):
            self._offered = None
            return None
        head = {"at": f"{one.at:.3f}", "start": str(one.start), "ended": str(one.ended), "reason": one.said.reason}
        return head | {name: _short(value) for name, value in one.said.numbers.items() if name not in head}

    def written(self) -> None:
        """The entry offered last is in the stream."""
        if self._offered is not None:
            self._written_at, self._reason = self._offered.at, self._offered.said.reason
            self._offered = None

    def _is_news(self, one: _Sum) -> bool:
        return one.said.reason != self._reason or not 0.0 <= one.at - self._written_at < QUIET_S


def _short(value: float) -> str:
    return f"{value:.0f}" if value == round(value, 0) and abs(value) < 1e9 else f"{value:.4g}"


def document() -> str:
    """docs/pacing-series.md, made from the tables."""
    parts = [
        "# The pacing series",
        "",
        "Made from the tables in `dialer/pace/series.py`; do not edit, but run",
        "`python -c 'from dialer.pace.series import document; print(document(), end=\"\")' > docs/pacing-series.md`.",
        "",
        "The numbers behind each decision of the pacer, in the Redis stream `{campaign}:pacing`: one entry a second",
        "while the campaign runs, otherwise one when the reason changes and one a minute. Reason and numbers are those",
        "of the last decision that started calls, else of the last one. Entries are flat: names and strings. They are",
        f"kept for {KEPT_S // 3600} hours, at most {ENTRIES_MOST:,} of them. `dialer pacing CAMPAIGN` shows them.",
        "Further numbers may be added; one that does not matter in a mode is left out.",
        "",
        "| field | meaning |",
        "|---|---|",
        *(f"| {name} | {meaning} |" for name, meaning in (*FIELDS.items(), *NUMBERS.items())),
    ]
    return "\n".join(parts) + "\n"
