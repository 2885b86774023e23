"""What was simulated, for a terminal: bars, rates over the shift in each window, waits, calls per hour."""

from collections.abc import Sequence
from math import isfinite

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dialer.simulate import OURS, RECORDED, Found, Summary
from dialer.simulation.rates import WINDOWS, busiest_of, calls_per_hour, rates, waits
from dialer.simulation.scenario import Scenario
from dialer.simulation.sweep import BASE, Cell

SHORT = {
    "progressive": "1:1",
    "ratio": "ratio",
    "vicidial_hard": "VICIdial hard",
    "vicidial_tapered": "VICIdial taper",
    OURS: "Santun",
    "clairvoyant": "the future",
    RECORDED: "as it was",
}
TICKS = " ▁▂▃▄▅▆▇█"
OFTEN = 2.0  # rates are drawn up to so many times the limit


def report(scenario: Scenario, target: float, found: Sequence[Found], width: int, was: Summary | None) -> Group:
    """All of it."""
    summaries = [*([was] if was else []), *(summary for summary, _ in found)]
    parts: list[RenderableType] = [figures(scenario, target, summaries, width)]
    if found:
        parts += ["", over_time(scenario, target, found, width), Text(_KEY.format(limit=f"{target:.1%}"), style="dim")]
    return Group(*parts)


_KEY = (
    "busy: talk and wrap-up, of the time outside breaks; ± half the 95 % interval; worst of all shifts: whole, 30 min,"
    " last 100.\n█ is twice the limit of {limit} or more; red is above it. Waits: at once, to 0.5, 1, 1.5, 2 s, longer,"
    " abandoned."
)


def name_of(one: Summary) -> str:
    """The policy's short name."""
    return SHORT.get(one.name, one.name) + (f" {one.note.split()[0]}" if one.note else "")


def figures(scenario: Scenario, target: float, summaries: Sequence[Summary], width: int) -> Table:
    """Means over the shifts, and the worst of them."""
    shifts = _many(max(one.shifts for one in summaries))
    title = f"{scenario.agents} agents, {_long(scenario.hours)}, at most {target:.1%} abandoned; {shifts}, simulated"
    table = _table(title)
    bar = max(0, min(24, width - 84))
    table.add_column("pacing", no_wrap=True)
    table.add_column("busy %", no_wrap=True)
    for name in ("lost %", "worst", "30 min", "100", "wait", "calls/h"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in summaries:
        style = "bold green" if one.name == OURS else "red" if one.abandon_rate > target else ""
        filled = round(bar * one.utilisation)
        drawn = "█" * filled + "░" * (bar - filled) + " " if bar else ""
        table.add_row(
            name_of(one),
            f"{drawn}{100 * one.utilisation:.1f}{_plus_minus(one.spread, 1)}",
            f"{100 * one.abandon_rate:.2f}" + _plus_minus(one.abandon_spread, 2),
            f"{100 * one.abandon_worst:.1f}",
            f"{100 * one.half_hour_worst:.1f}",
            f"{100 * one.last_100_worst:.0f}",
            f"{one.wait_s:.2f} s",
            f"{one.calls_per_hour:,.0f}",
            style=style,
        )
    return table


def over_time(scenario: Scenario, target: float, found: Sequence[Found], width: int) -> Table:
    """The first shift as it went."""
    points = max(10, min(28, (width - 34 - 2 * len(WINDOWS)) // 4))
    table = _table("The first shift as it went: abandon rate by window, waits, calls started")
    table.add_column("pacing", no_wrap=True)
    for name in ("so far", *WINDOWS[1:], "waits", "calls/h"):
        table.add_column(name, no_wrap=True)
    end = scenario.hours * 3600
    busiest = busiest_of(found, end, points)
    for one, first in found:
        lines = [_line(values, OFTEN * target, target) for values in rates(first, end, points).values()]
        shares = Text("".join(_tick(share) for share in waits(first)))
        calls = _line(list(calls_per_hour(first, end, points)), busiest, None)
        table.add_row(name_of(one), *lines, shares, calls, style="bold" if one.name == OURS else "")
    return table


def swept(scenario: Scenario, cells: Sequence[Cell]) -> Table:
    """Teams down, limits across."""
    targets = sorted({cell.target for cell in cells if cell.summary.name == OURS})
    shifts = max(cell.summary.shifts for cell in cells)
    table = _table(f"Busy %, and abandoned %, {_long(scenario.hours)}, {_many(shifts)} each, simulated")
    table.caption = "± half the 95 % interval of the mean; red: a shift passed its limit"
    table.add_column("agents", justify="right")
    table.add_column("one call per free agent")
    for target in targets:
        table.add_column(f"at most {target:.1%}")
    for size in sorted({cell.agents for cell in cells}):
        base = next(cell for cell in cells if cell.agents == size and cell.summary.name == BASE)
        ours = [cell for cell in cells if cell.agents == size and cell.summary.name == OURS]
        table.add_row(str(size), _cell(base.summary), *(_cell(cell.summary) for cell in ours))
    return table


def _table(title: str) -> Table:
    return Table(
        title=title, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), title_justify="left", caption_justify="left"
    )


def _many(shifts: int) -> str:
    return "1 shift" if shifts == 1 else f"{shifts} shifts"


def _cell(one: Summary) -> Text:
    said = f"{100 * one.utilisation:.1f}{_plus_minus(one.spread, 1)}"
    said += f"\n{100 * one.abandon_rate:.2f}{_plus_minus(one.abandon_spread, 2)} lost"
    return Text(said, style="red" if one.over and one.name == OURS else "")


def _line(values: Sequence[float | None], most: float, limit: float | None) -> Text:
    text = Text()
    for value in values:
        above = limit is not None and value is not None and value > limit
        text.append("·" if value is None else _tick(value / most), style="red" if above else "")
    return text


def _tick(share: float) -> str:
    """One bar of a sparkline; what is there is seen, however little."""
    if share <= 0:
        return TICKS[0] if share < 0 else "▁"
    return TICKS[max(1, min(8, round(8 * share)))]


def _plus_minus(spread: float, digits: int) -> str:
    return f" ±{100 * spread:.{digits}f}" if isfinite(spread) else ""


def _long(hours: float) -> str:
    return f"{hours:g} h" if hours >= 1 else f"{60 * hours:.0f} min"
