"""`dialer trace`: the life of one call, from the claim to its outcome, in one table."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from dialer.adapters.redis_link import Link
from dialer.adapters.redis_trace import find
from dialer.adapters.site import OpenSite
from dialer.commands.desk import out, say
from dialer.errors import BadInput
from dialer.floor import timeline


async def trace(site: OpenSite, attempt: str, log: Path | None, as_json: bool) -> None:
    """Raises BadInput where nothing is known of such an id."""
    attempt = attempt.strip().lower()
    at = timeline.claimed_about(attempt)
    if at is None:
        raise BadInput(f"{attempt!r} is no attempt's id: those have 26 letters and digits, as `dialer outcomes` shows.")
    logged = _logged(log, attempt)
    link = Link(site.config.redis.url)
    try:
        found = await find(link, site.store, attempt, at)
    finally:
        await link.close()
    when = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    if found is None and not logged:
        raise BadInput(f"nothing is known of {attempt}, of {when}: other Redis, or longer ago than streams are kept.")
    steps = list(logged)
    if found:
        steps += [timeline.of_decision(one) for one in found.decisions]
        steps += [timeline.of_fact(fact) for fact in found.facts]
        steps += timeline.of_attempt(found.attempt) if found.attempt else ()
        steps += [step for written_at, entry in found.entries for step in timeline.of_entry(entry, written_at)]
    campaign = found.campaign if found else ""
    _show(attempt, campaign, timeline.ordered(steps), as_json)


def _logged(log: Path | None, attempt: str) -> list[timeline.Step]:
    if log is None:
        return []
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            return list(timeline.of_log(lines, attempt))
    except OSError as error:
        raise BadInput(f"{log} cannot be read: {error.strerror}.") from None


def _show(attempt: str, campaign: str, steps: list[timeline.Step], as_json: bool) -> None:
    offsets = timeline.offsets_ms(steps)
    if as_json:
        rows = [asdict(step) | {"offset_ms": offset} for step, offset in zip(steps, offsets, strict=True)]
        typer.echo(json.dumps({"attempt": attempt, "campaign": campaign, "steps": rows}))
        return
    first = next((one.at for one in steps if one.at is not None), None)
    began = datetime.fromtimestamp(first, UTC).isoformat(sep=" ", timespec="milliseconds") if first else "?"
    say(f"{attempt}, campaign {campaign or 'unknown'}, from {began}")
    table = Table(box=None, pad_edge=False)
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("where", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("")
    for step, offset in zip(steps, offsets, strict=True):
        shown = "" if offset is None else str(offset)
        table.add_row(shown, step.source, Text(step.what), Text(step.detail))
    out.print(table, highlight=False)
