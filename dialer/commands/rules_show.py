"""How `dialer preview` and `dialer why` look: tables, bars and JSON; nothing is decided here."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dialer.law.rulebook import Pack
from dialer.lists.preview import CALLABLE, Preview, Standing, citation, sentence
from dialer.model import Allowed, History, Permission

NOT_HIS = "The number is on this list no more: it was refused there for good."
BAR = 40
COLUMNS = 6  # rules with a column of their own; the rest share one
OTHERS = "others"
ASSUMED = "if nobody is called meanwhile"


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


def preview(campaign: str, seen: Preview, pack: Pack) -> RenderableType:
    """A day: bars, hours by rules, the sum, the reasons."""
    parts: list[RenderableType] = [Text(_head(campaign, seen, pack), style="bold"), Text("")]
    parts += [_chart(seen), Text(""), _hours(seen), Text(""), *_sums(seen), Text(""), _reasons(seen, pack)]
    return Group(*parts)


def preview_data(campaign: str, seen: Preview, pack: Pack) -> dict[str, Any]:
    """The same for programs; where a sample was looked at, figures are estimates of the whole list."""
    zone = ZoneInfo(seen.day.zone)
    return {
        "campaign": campaign,
        "day": seen.day.day.isoformat(),
        "zone": seen.day.zone,
        "pack": pack.label,
        "assumes": ASSUMED,
        "contacts": seen.total,
        "looked_at": seen.looked,
        "sample": seen.sampled,
        "callable": _figure(seen, seen.callable_some_time),
        "skipped": _figure(seen, seen.looked - seen.callable_some_time),
        "hours": [
            {
                "hour": f"{datetime.fromtimestamp(start, zone):%H:%M}",
                "callable": seen.estimate(words.get(CALLABLE, 0)),
                "refused": {rule: seen.estimate(count) for rule, count in sorted(words.items()) if rule != CALLABLE},
            }
            for start, words in zip(seen.day.hours, seen.by_hour, strict=False)
            if words
        ],
        "rules": [
            {
                "rule": rule,
                "all_day": _figure(seen, seen.never.get(rule, 0)),
                "sentence": sentence(rule, pack, seen.said),
                "source": citation(rule, pack),
            }
            for rule in _rules(seen)
        ],
    }


def _figure(seen: Preview, count: int) -> dict[str, Any]:
    low, high = seen.interval(count)
    return {"contacts": seen.estimate(count)} | ({"at_least": low, "at_most": high} if seen.sampled else {})


def _head(campaign: str, seen: Preview, pack: Pack) -> str:
    said = f"{campaign} on {seen.day.day:%A %Y-%m-%d} ({seen.day.zone}), {ASSUMED}, by {pack.label}"
    if not seen.sampled:
        return f"{said}: all {seen.total:,} contacts looked at."
    return (
        f"{said}: {seen.looked:,} of {seen.total:,} contacts looked at, drawn at random; figures are estimates for"
        " the whole list, in brackets with their 95 % interval (--all looks at everybody)."
    )


def _chart(seen: Preview) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right")
    table.add_column()
    table.add_column(justify="right")
    table.add_row("hour", Text.assemble(("█ callable", "green"), "  ", ("░ refused", "red")), "callable")
    for hour, words in _written(seen):
        total = sum(words.values())
        share = words.get(CALLABLE, 0) / total
        full = min(BAR, max(round(share * BAR), int(share > 0)))
        bar = Text.assemble(("█" * full, "green"), ("░" * (BAR - full), "red"))
        table.add_row(hour, bar, f"{share:.0%}")
    return table


def _hours(seen: Preview) -> Table:
    rules = _rules(seen)
    named, others = rules[:COLUMNS], rules[COLUMNS:]
    table = Table("hour", box=None, pad_edge=False)
    for name in ("callable", *named, *([OTHERS] if others else [])):
        table.add_column(name, justify="right", overflow="fold")
    for hour, words in _written(seen):
        counts = [words.get(CALLABLE, 0), *(words.get(rule, 0) for rule in named)]
        counts += [sum(words.get(rule, 0) for rule in others)] if others else []
        table.add_row(hour, *(f"{seen.estimate(count):,}" if count else "-" for count in counts))
    return table


def _sums(seen: Preview) -> list[Text]:
    skipped = seen.looked - seen.callable_some_time
    return [
        Text(f"Callable at some time that day: {_said(seen, seen.callable_some_time)} of {seen.total:,} contacts."),
        Text(f"Skipped all day: {_said(seen, skipped)}."),
    ]


def _reasons(seen: Preview, pack: Pack) -> Table:
    table = Table("rule", box=None, pad_edge=False)
    table.add_column("all day", justify="right")
    table.add_column("why, and where it is written", overflow="fold")
    for rule in _rules(seen):
        source = citation(rule, pack)
        why = f"{sentence(rule, pack, seen.said)} {source}".strip()
        table.add_row(rule, _said(seen, seen.never.get(rule, 0)), Text(why))
    return table


def _said(seen: Preview, count: int) -> str:
    if not seen.sampled:
        return f"{count:,}"
    low, high = seen.interval(count)
    return f"{seen.estimate(count):,} [{low:,} to {high:,}]"


def _written(seen: Preview) -> list[tuple[str, Mapping[str, int]]]:
    """(hours on the clock, their words) of what is still to come; hours that are all alike are one row."""
    zone = ZoneInfo(seen.day.zone)
    found: list[tuple[str, str, Mapping[str, int]]] = []
    for (start, end), words in zip(pairwise(seen.day.hours), seen.by_hour, strict=False):
        if not words:
            continue
        begins, ends = (f"{datetime.fromtimestamp(moment, zone):%H:%M}" for moment in (start, end))
        ends = "24:00" if end == seen.day.ends else ends
        if found and found[-1][2] == words:
            begins, _, _ = found.pop()
        found.append((begins, ends, words))
    return [(f"{begins}-{ends}", words) for begins, ends, words in found]


def _rules(seen: Preview) -> list[str]:
    """Those that refuse anybody, the most hours first."""
    sums: Counter[str] = Counter()
    for words in seen.by_hour:
        sums.update(words)
    del sums[CALLABLE]
    return [rule for rule, _ in sorted(sums.items(), key=lambda one: (-one[1], one[0]))]


# ---- why ------------------------------------------------------------------------------------------------------------


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
