"""How the command line shows things: rich tables and lines; nothing is decided here."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dialer.mask import mask_number
from dialer.model import Campaign, Status

if TYPE_CHECKING:
    from dialer.contacts import Rejected

STALE_S = 5.0
# states of calls and agents in people's words; a call that is gone waits for the agent to wrap up
CALLS = {
    "claimed": "dialling", "placed": "dialling", "detecting": "answered", "waiting": "waiting", "joining": "waiting",
    "in_ivr": "in the IVR", "wants_agent": "wanting an agent", "in_message": "in a message", "held": "held",
    "gone": "", "ended": "",
}  # fmt: skip
AGENTS = {"signed_out": "signed out", "wrap_up": "wrapping up", "break": "on a break", "raising": "being called"}


def reject(one: "Rejected") -> str:
    """One line for a value that is not used."""
    what = "row not used" if one.row_lost else "value not used"
    return f"line {one.line}, {one.column or 'row'}: {one.reason} ({one.value}); {what}; {one.cure}"


def campaigns(rows: Sequence[tuple[Campaign, Status, int, int]]) -> RenderableType:
    """All campaigns in a table."""
    if not rows:
        return Text("There is no campaign yet: dialer campaign create --help")
    table = Table("campaign", "status", "kind", "mode", "trunk", "rules", box=None)
    table.add_column("due now", justify="right")
    table.add_column("later", justify="right")
    for campaign, status, due, later in rows:
        words = (campaign.id, status, campaign.kind, campaign.mode, campaign.trunk, campaign.pack, str(due), str(later))
        table.add_row(*words)
    return table


def settings(campaign: Mapping[str, str]) -> RenderableType:
    """One campaign's settings, as they are given."""
    table = Table.grid(padding=(0, 2))
    for name, value in campaign.items():
        table.add_row(Text(name), Text(value))
    return table


def status(seen: Mapping[str, Any], now: float, window: str = "") -> RenderableType:
    """One campaign's live snapshot; `window` is the stretch over which its law measures abandons."""
    if "status" not in seen:
        return Text(f"{seen['campaign']}: {seen['reason']}\n")
    head = f"{seen['campaign']}: {seen['status']}, {seen['due']} due now, {seen['later']} later, {seen['lines']} lines"
    head += f", led by {seen['leader']}" if seen.get("leader") else ""
    rows = Table.grid(padding=(0, 2))
    rows.add_row("  pacing", Text(seen["reason"]))
    rows.add_row("  calls", counts(calls(seen["calls"])))
    rows.add_row("  agents", counts(agents(seen["agents"])))
    rows.add_row("  outcomes", counts(seen["outcomes"]))
    rows.add_row("  abandoned", abandon(seen, window))
    age = now - seen["at"]
    stale = Text(f"  no engine leads it since {age:.0f} s: is one running (dialer serve)?", style="red")
    return Group(Text(head, style="bold"), *([stale] if age > STALE_S else []), rows, Text(""))


def abandon(seen: Mapping[str, Any], window: str = "") -> str:
    """The abandon rate in the law's window with bound and limit, then in the windows that say something else."""
    limit = f"limit {seen['abandon_rate_max']:.1%}"
    rates: Mapping[str, Mapping[str, Any]] = seen["abandon"]
    first = window if window in rates else next(iter(rates), "")
    if not first or not rates[first]["live"]:
        return f"nobody answered yet, {limit}"
    said = f"{_rate(rates[first])} in {first.replace('_', ' ')}, {limit}"
    said += f", true rate below {rates[first]['upper']:.1%}"
    others = (name for name, rate in rates.items() if _rate(rate) != _rate(rates[first]) and rate["live"])
    return "; ".join([said, *(f"{name.replace('_', ' ')} {_rate(rates[name])}" for name in others)])


def _rate(rate: Mapping[str, Any]) -> str:
    return f"{rate['rate']:.1%} of {rate['live']} answers"


def entry(fields: Mapping[str, str]) -> str:
    """One outcome or refusal as a line; numbers masked: a terminal is a log."""
    when = fields.get("ended_at") or fields.get("at") or ""
    number = short_number(fields)
    if fields.get("type") == "refusal":
        return f"{when[11:19]} {number} refused: {fields['rule']} until {fields['until'] or 'never'}"
    told = [fields.get("outcome", ""), *details(fields)]
    return f"{when[11:19]} {fields.get('attempt', '')} {number} {' | '.join(word for word in told if word)}"


def details(fields: Mapping[str, str]) -> list[str]:
    """What is said beside the outcome."""
    told = [fields.get("reason", "")]
    told += [f"agent {fields['agent']}"] if fields.get("agent") else []
    told += [f"talk {float(fields['talk_s']):.0f} s"] if float(fields.get("talk_s") or 0) else []
    told += [f"ivr: {fields['ivr_choice']}"] if fields.get("ivr_choice") else []
    return [word for word in told if word]


def short_number(fields: Mapping[str, str]) -> str:
    """The end of the number called: enough to tell two apart."""
    return mask_number(fields.get("number", ""))[-7:]


def counts(found: Mapping[str, int]) -> str:
    """`3 busy, 1 connected`, the most first."""
    ordered = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{count} {name}" for name, count in ordered if count) or "none"


def calls(states: Mapping[str, int]) -> dict[str, int]:
    """How many calls do what, in people's words."""
    found: dict[str, int] = {}
    for state, count in states.items():
        word = CALLS.get(state, state)
        if word:
            found[word] = found.get(word, 0) + count
    return found


def agents(seen: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many agents do what, in people's words."""
    found: dict[str, int] = {}
    for agent in seen:
        word = AGENTS.get(agent["state"], agent["state"])
        found[word] = found.get(word, 0) + 1
    return found
