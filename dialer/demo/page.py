"""The page at the demo's end: what came of the campaigns, and whether the books agree with the carrier's."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dialer.law.abandon import Abandons, Rate, Window, fate
from dialer.model import Outcome, Side, Verdict

Record = Mapping[str, str]
FAULTS_SHOWN = 20
REASONS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Paced:
    """How a campaign was paced: looks at it, those of them in which it dialled ahead, and why it did not."""

    looks: int = 0
    ahead: int = 0
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Books:
    """All there is to say."""

    outcomes: Sequence[Record]
    refusals: Sequence[Record]
    calls: int  # in the carrier's own log
    faults: Sequence[str]
    agent_hours: float
    boards: Mapping[str, Mapping[str, Any]]  # campaign -> its last live snapshot
    paced: Mapping[str, Paced]
    window: str
    beside: Sequence[str] = ()  # other ways to pace, on the same calls


def page(console: Console, books: Books, kept: str) -> None:
    """Print it."""
    console.rule("the campaigns")
    console.print(_outcomes(books.outcomes))
    for sentence in sentences(books):
        console.print(sentence, highlight=False)
    if books.beside:
        console.rule("other ways to pace, simulated")
    for sentence in books.beside:
        console.print(sentence, highlight=False)
    console.rule("the books")
    for fault in books.faults[:FAULTS_SHOWN]:
        console.print(Text(f"- {fault}", style="red"))
    console.print(_verdict(books), highlight=False)
    console.print(f"Logs and data: {kept}", style="dim", highlight=False, soft_wrap=True)


def sentences(books: Books) -> list[str]:
    """What stands below the table."""
    said = [_talk(books.outcomes, books.agent_hours), _joins(books.outcomes)]
    for campaign in dict.fromkeys(record["campaign"] for record in books.outcomes):
        own = [record for record in books.outcomes if record["campaign"] == campaign]
        said.append(_abandons(campaign, own, books.boards.get(campaign, {}), books.window))
    said += [_paced(campaign, paced) for campaign, paced in books.paced.items()]
    chosen = Counter(record["ivr_choice"] for record in books.outcomes if record["ivr_choice"])
    said.append(f"Chosen by keypad: {_counted(chosen) or 'nothing'}.")
    refused = Counter(record["rule"] for record in books.refusals)
    said.append(f"Calls that a rule forbade: {_counted(refused) or 'none'}.")
    return [sentence for sentence in said if sentence]


def _outcomes(outcomes: Sequence[Record]) -> Table:
    table = Table("outcome", box=None)
    table.add_column("calls", justify="right")
    table.add_column("share", justify="right")
    table.add_column("reasons")
    counts = Counter(record["outcome"] for record in outcomes)
    for outcome, count in counts.most_common():
        reasons = Counter(record["reason"] for record in outcomes if record["outcome"] == outcome)
        said = _counted(dict(reasons.most_common(REASONS_SHOWN)))
        table.add_row(outcome.replace("_", " "), str(count), f"{count / len(outcomes):.0%}", said)
    return table


def _talk(outcomes: Sequence[Record], agent_hours: float) -> str:
    minutes = sum(float(record["talk_s"] or 0) for record in outcomes) / 60
    per_hour = f", {minutes / agent_hours:.1f} minutes per agent hour" if agent_hours else ""
    return f"Talk with agents: {minutes:.1f} minutes in {agent_hours:.2f} agent hours{per_hour}."


def _joins(outcomes: Sequence[Record]) -> str:
    straight = (one for one in outcomes if one["joined_at"] and one["kind"] != "ivr" and not one["ivr_at"])
    waits = sorted(map(joined_after_ms, straight))
    if not waits:
        return ""
    p50, p99 = waits[len(waits) // 2], waits[min(len(waits) - 1, int(len(waits) * 0.99))]
    return f"From answer to agent: {len(waits)} joins, half within {p50:.0f} ms, p99 {p99:.0f} ms."


def joined_after_ms(record: Record) -> float:
    """Milliseconds from the answer to the first word between agent and debtor."""
    answered, joined = (datetime.fromisoformat(record[name]) for name in ("answered_at", "joined_at"))
    return (joined - answered).total_seconds() * 1000


def rate_of(outcomes: Sequence[Record], overflow_counts: bool) -> Rate:
    """The abandon rate, counted from the records alone."""
    counted = Abandons(overflow_counts=overflow_counts)
    for record in outcomes:
        verdict = Verdict(
            Outcome(record["outcome"]), Side(record["side"]), record["reason"], live=record["live"] == "1"
        )
        what = fate(verdict)
        if what is not None:
            counted.add(0.0, what)
    return counted.rate(Window.CAMPAIGN, 0.0)


def _abandons(campaign: str, outcomes: Sequence[Record], board: Mapping[str, Any], window: str) -> str:
    law: Mapping[str, Any] = board.get("abandon", {}).get(window, {})
    rate = rate_of(outcomes, bool(law.get("overflow_counts", True)))
    if not rate.live:
        return f"{campaign}: nobody answered."
    limit = f", limit {board['abandon_rate_max']:.1%}" if "abandon_rate_max" in board else ""
    also = ", which the law counts too" if rate.overflowed and rate.overflow_counts else ""
    return (
        f"{campaign}: {rate.live} people answered; {rate.abandoned} found nobody ({rate.hung_up_waiting} hung up"
        f" themselves), {rate.overflowed} went on to the IVR{also}: abandon rate {rate.rate:.1%} in"
        f" {window.replace('_', ' ')}{limit}, true rate below {rate.upper:.1%}."
    )


def _paced(campaign: str, paced: Paced) -> str:
    if not paced.looks:
        return ""
    if paced.ahead:
        return f"{campaign}: dialled ahead of its agents {paced.ahead / paced.looks:.0%} of the time."
    return f"{campaign}: one call per free agent all the time {paced.why_not}".rstrip() + "."


def _counted(found: Mapping[str, int]) -> str:
    ordered = sorted(found.items(), key=lambda one: -one[1])
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in ordered)


def _verdict(books: Books) -> Text:
    size = f"{len(books.outcomes)} outcomes"
    if books.faults:
        text = f"THE BOOKS DISAGREE: {len(books.faults)} faults between {size} and {books.calls} calls in the carrier's"
        return Text(f"{text} own log.", style="bold red")
    return Text(f"Every one of {books.calls} calls in the carrier's own log has exactly one matching outcome ({size}).")
