"""How `dialer why` looks: tables, sentences and JSON; nothing is decided here."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dialer.lists.preview import Standing
from dialer.model import Allowed, History, Permission

NOT_HIS = "The number is on this list no more: it was refused there for good."


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision as the log has it. `outcome` empty: not placed, not over, or not kept any more."""

    at: float
    campaign: str
    contact: str
    allowed: bool
    rule: str
    sentence: str
    until: float
    pack: str
    attempt: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate would say now of one contact with this number."""

    campaign: str
    contact: str
    zone: str
    kind: str
    permission: Permission
    source: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of a number, which is shown masked."""

    number: str
    past: History
    answers: tuple[Answer, ...]
    decided: tuple[Decided, ...]
    others: int = 0  # decisions about other numbers of the same contacts


@dataclass(frozen=True, slots=True)
class Chain:
    """A campaign's log of decisions: `dropped` and `last` are numbers of entries; `broken`: the first that is."""

    campaign: str
    dropped: int
    last: int
    broken: int | None
    begins: float
    ends: float


def why(seen: Known, now: float) -> RenderableType:
    """Decisions, oldest first; then today's answer."""
    zone = next((answer.zone for answer in seen.answers if answer.zone), "UTC")
    parts: list[RenderableType] = [Text(f"{seen.number}: {_flags(seen.past, zone)}.", style="bold"), Text("")]
    if seen.decided:
        table = Table(
            f"when ({zone})", "campaign", "contact", "decision", "until", "pack", "attempt", box=None, pad_edge=False
        )
        table.add_column("why, and what came of it", overflow="fold")
        for one in seen.decided:
            decision = "allowed" if one.allowed else f"refused: {one.rule}"
            words = f"{one.sentence} {one.outcome}".strip()
            until = "" if one.allowed else _when(one.until, zone)
            row = (_when(one.at, zone), one.campaign, one.contact, decision, until, one.pack, one.attempt, words)
            table.add_row(*map(Text, row))
        parts += [table, Text("")]
    elif seen.answers:
        parts += [Text("Nothing was decided about it so far."), Text("")]
    if seen.others:
        parts += [Text(f"{seen.others} more decisions are about other numbers of the same contacts."), Text("")]
    if not seen.answers:
        parts.append(Text("No list has this number."))
    parts += [Text(f"Now, {_when(now, zone)}, {_answer(answer, zone)}") for answer in seen.answers]
    return Group(*parts)


def why_data(seen: Known) -> dict[str, Any]:
    """The same for programs; times are epoch seconds, null is never."""
    return {
        "number": seen.number,
        "known": {
            "stop": seen.past.stop,
            "stops": list(seen.past.stops),
            "dead": seen.past.dead,
            "silent_until": seen.past.silent_until or None,
            "attempts": len(seen.past.attempts),
            "conversations": len(seen.past.conversations),
        },
        "decisions": [asdict(one) | {"until": _finite(one.until)} for one in seen.decided],
        "decisions_about_other_numbers": seen.others,
        "now": [
            {
                "campaign": answer.campaign,
                "contact": answer.contact,
                "number_kind": answer.kind,
                "status": answer.status,
                "allowed": isinstance(answer.permission, Allowed),
                **_refusal(answer),
            }
            for answer in seen.answers
        ],
    }


def _refusal(answer: Answer) -> dict[str, Any]:
    said = answer.permission
    if isinstance(said, Allowed):
        return {"pack": said.pack, "must_start_by": _finite(said.must_start_by)}
    return {"rule": said.rule, "sentence": said.reason, "until": _finite(said.until), "source": answer.source}


def _answer(answer: Answer, zone: str) -> str:
    said, place = answer.permission, f"in {answer.campaign}"
    place += f" ({answer.status})" if answer.status else ""
    who = f"{place}, contact {answer.contact}{f', number of kind {answer.kind}' if answer.kind else ''}"
    if isinstance(said, Allowed):
        last = f", to start by {_when(said.must_start_by, zone)}" if isfinite(said.must_start_by) else ""
        return f"{who}: may be called{last} (pack {said.pack})."
    again = "" if said.rule == Standing.UNDER_WAY else f"Again: {_when(said.until, zone)}."
    return f"{who}: refused by {said.rule}. {' '.join(word for word in (said.reason, again, answer.source) if word)}"


def _flags(past: History, zone: str) -> str:
    """What is known of the number itself, whoever has it."""
    known = ["must not be called any more"] if past.stop else []
    known += [f"must not be called for {place}" for place in past.stops]
    known += ["proven not in service"] if past.dead else []
    known += [f"silent until {_when(past.silent_until, zone)}"] if past.silent_until else []
    calls = f"{len(past.attempts)} attempts and {len(past.conversations)} conversations in the last month"
    return "; ".join([*known, calls])


def _when(at: float, zone: str) -> str:
    return f"{datetime.fromtimestamp(at, ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}" if isfinite(at) else "never"


def _finite(at: float) -> float | None:
    return at if isfinite(at) else None


def chain(seen: Chain) -> str:
    """Whether it holds, as a sentence."""
    if seen.broken is not None:
        before = seen.broken - 1 - seen.dropped
        return (
            f"{seen.campaign}: entry {seen.broken} of the log is missing or was changed; the {before} kept before it"
            " hold. Compare with a copy of Redis's data from before."
        )
    kept = seen.last - seen.dropped
    if not kept:
        return f"{seen.campaign}: no decision is kept in its log."
    dropped = f"; the {seen.dropped} before are past their retention" if seen.dropped else ""
    return f"{seen.campaign}: {kept} entries from {_utc(seen.begins)} to {_utc(seen.ends)}, unbroken{dropped}."


def chain_data(seen: Chain) -> dict[str, Any]:
    """The same for programs."""
    return asdict(seen) | {"entries": seen.last - seen.dropped, "unbroken": seen.broken is None}


def _utc(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
