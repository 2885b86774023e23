"""How the command line shows things: rich tables and lines; nothing is decided here."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dialer.contacts import Rejected
from dialer.mask import mask_number
from dialer.model import Campaign, Status

STALE_S = 5.0


def reject(one: Rejected) -> str:
    """One line for a value that is not used."""
    what = "row not used" if one.row_lost else "value not used"
    return f"line {one.line}, {one.column or 'row'}: {one.reason} ({one.value}); {what}; {one.cure}"


def write_rejects(path: Path, rejects: Iterable[Rejected]) -> None:
    """A CSV of everything that was not used, and why."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("line", "column", "value_shape", "reason", "cure", "row_lost"))
        rows.writerows((r.line, r.column, r.value, r.reason, r.cure, int(r.row_lost)) for r in rejects)


def campaigns(rows: Sequence[tuple[Campaign, Status, int, int]]) -> RenderableType:
    """All campaigns in a table."""
    table = Table("campaign", "status", "kind", "mode", "trunk", "rules", "due now", "later", box=None)
    for campaign, status, due, later in rows:
        words = (campaign.id, status, campaign.kind, campaign.mode, campaign.trunk, campaign.pack, str(due), str(later))
        table.add_row(*words)
    return table if rows else Text("There is no campaign yet: dialer campaign create --help")


def status(seen: Mapping[str, Any], now: float) -> RenderableType:
    """One campaign's live snapshot."""
    if "status" not in seen:
        return Text(f"{seen['campaign']}: {seen['reason']}")
    age = now - seen["at"]
    head = f"{seen['campaign']}: {seen['status']}, {seen['due']} due now, {seen['later']} later, {seen['lines']} lines"
    lines = [Text(head, style="bold")]
    if age > STALE_S:
        lines.append(Text(f"no engine leads it since {age:.0f} s: is one running?", style="red"))
    lines.append(Text(seen["reason"]))
    lines.append(Text(f"calls: {_counts(seen['calls'])}   agents: {_agents(seen['agents'])}"))
    lines.append(Text(f"outcomes: {_counts(seen['outcomes'])}"))
    lines.append(Text(abandon(seen)))
    return Group(*lines, Text(""))


def abandon(seen: Mapping[str, Any]) -> str:
    """The abandon rate in every window, with its upper bound and the limit."""
    limit = f"limit {seen['abandon_rate_max']:.1%}"
    words = [
        f"{window.replace('_', ' ')} {rate['rate']:.1%} (at most {rate['upper']:.1%}, {rate['live']} live)"
        for window, rate in seen["abandon"].items()
        if rate["live"]
    ]
    return f"abandoned, {limit}: {'; '.join(words) or 'nobody answered yet'}"


def entry(fields: Mapping[str, str]) -> str:
    """One outcome or refusal as a line; numbers masked: a terminal is a log."""
    when = fields.get("ended_at") or fields.get("at") or ""
    number = mask_number(fields.get("number", ""))[-7:]
    if fields.get("type") == "refusal":
        return f"{when[11:19]} {number} refused: {fields['rule']} until {fields['until'] or 'never'}"
    told = [fields.get(name, "") for name in ("outcome", "reason")]
    told += [f"agent {fields['agent']}"] if fields.get("agent") else []
    told += [f"talk {float(fields['talk_s']):.0f} s"] if float(fields.get("talk_s") or 0) else []
    told += [f"ivr: {fields['ivr_choice']}"] if fields.get("ivr_choice") else []
    return f"{when[11:19]} {fields.get('attempt', '')} {number} {' | '.join(word for word in told if word)}"


def clock(at: float) -> str:
    """Local wall clock of a UTC epoch, for people."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%H:%M:%S")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda one: -one[1])) or "none"


def _agents(agents: Sequence[Mapping[str, Any]]) -> str:
    counts: dict[str, int] = {}
    for agent in agents:
        counts[agent["state"]] = counts.get(agent["state"], 0) + 1
    return _counts(counts)
