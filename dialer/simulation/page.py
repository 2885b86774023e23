"""What was simulated as one HTML page: charts as inline SVG, nothing loaded from anywhere."""

from collections.abc import Sequence
from html import escape
from math import isfinite

from dialer.simulate import NAMES, OURS, RECORDED, Found, Summary
from dialer.simulation.charts import Bar, Series, bars, legend, lines, round_up, stacks
from dialer.simulation.rates import WINDOWS, busiest_of, calls_per_hour, rates, waits, waits_named
from dialer.simulation.scenario import Scenario
from dialer.simulation.sweep import BASE, Cell

POINTS = 160
COLOURS = {name: number for number, name in enumerate((*NAMES, RECORDED))}
STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #596475; --line: #dde2e8; --back: #ffffff; --panel: #f6f8fa;
  --good: #0b6e4f; --bad: #c62828;
  --c0: #6b7a90; --c1: #b07d00; --c2: #a23b8a; --c3: #d2602a; --c4: #0b8a5f; --c5: #3b6fb6; --c6: #1c2430;
  --t0: #cfe3da; --t1: #a3cbb9; --t2: #74b097; --t3: #459376; --t4: #1f7356; --t5: #0c4f39 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ebef; --soft: #a4adb9; --line: #313944; --back: #14181d; --panel: #1b2027; --good: #4cc38a;
    --bad: #ff6b60; --c0: #94a3b8; --c1: #e0b341; --c2: #d982c4; --c3: #f08a55; --c4: #3ddc97; --c5: #7fb2f0;
    --c6: #e8ebef; --t0: #24453a; --t1: #2f5f4e; --t2: #3d7d66; --t3: #52a083; --t4: #73c3a3; --t5: #a5e5c9 } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 1000px;
  margin: 2.5rem auto; padding: 0 1.25rem }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem } h2 { font-size: 1.1rem; margin: 2.4rem 0 .3rem }
p { color: var(--soft); margin: .3rem 0 .8rem; max-width: 46rem } p strong { color: var(--ink) }
.lead { font-size: 1.05rem; color: var(--ink) }
figure { margin: 0; overflow-x: auto } svg { display: block; width: 100%; min-width: 620px; height: auto }
svg text { fill: var(--ink); font-size: 12.5px;
  paint-order: stroke; stroke: var(--back); stroke-width: 4px }
svg .soft { fill: var(--soft) }
svg .end { text-anchor: end } svg .middle { text-anchor: middle }
.axis { stroke: var(--line) } .limit { stroke: var(--bad); stroke-dasharray: 5 4; stroke-width: 1.5; fill: none }
.whisker { stroke: var(--ink); stroke-width: 1.5; fill: none } .cut { stroke: var(--back); stroke-width: 3; fill: none }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round } .line.c4 { stroke-width: 2.8 }
svg .bad { fill: var(--bad) }
.keys { margin: .2rem 0 .4rem }
.key { display: inline-block; margin-right: 1.1rem; color: var(--ink); font-size: .88rem }
.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; margin-right: .4rem;
  vertical-align: -.08rem } .key .bad { background: var(--bad) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .84rem }
th { font-weight: 600; color: var(--soft); vertical-align: bottom; line-height: 1.25 }
th, td { text-align: right; padding: .4rem .45rem; border-bottom: 1px solid var(--line) } td { white-space: nowrap }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 9rem }
.ours td { font-weight: 600; color: var(--good) }
td.over { color: var(--bad) } .wide { overflow-x: auto } td small { color: var(--soft); font-weight: 400 }
footer { margin: 2.5rem 0; padding: .9rem 1.1rem; background: var(--panel); border-radius: 6px }
footer p { margin: 0; font-size: .88rem }
"""
CLASSES = "".join(
    f".fill.c{n}{{fill:var(--c{n})}}.line.c{n}{{stroke:var(--c{n})}}.key .c{n}{{background:var(--c{n})}}"
    for n in COLOURS.values()
) + "".join(f"svg .t{n}{{fill:var(--t{n})}}.key .t{n}{{background:var(--t{n})}}" for n in range(6))
NOTES = (
    "± is half the 95 % interval of the mean (Student's t). Utilisation: talk and wrap-up as a share of the agents'"
    " time outside breaks. Hang-ups while waiting count as abandoned. VICIdial's modes are written from its"
    " description, with its default settings. Persons per agent hour: talks with the person called. The fixed ratio is"
    " the best one in hindsight. “Knows the future” is a bound that nobody can reach."
)


def page(scenario: Scenario, target: float, found: Sequence[Found], was: Summary | None = None) -> str:
    """The comparison, of invented shifts or of a replay; `was`: what the recorded campaign itself came to."""
    summaries = [*([was] if was else []), *(summary for summary, _ in found)]
    end, hours = scenario.hours * 3600, scenario.hours
    by_time = [(one, rates(first, end, POINTS)) for one, first in found]
    calls = [_series(one, list(calls_per_hour(first, end, 48))) for one, first in found]
    windows = "".join(
        f"<h2>Abandon rate, {escape(window)}</h2>"
        + lines([_series(one, some[window]) for one, some in by_time], hours, 2 * target, target, True)
        for window in WINDOWS
    )
    most = busiest_of(found, end, 48)
    waited = [_series(one, waits(first)) for one, first in found]
    lost_top = max(
        3 * target, 1.15 * max([one.abandon_rate for one in summaries if one.abandon_rate < 3 * target] or [0])
    )
    names = waits_named()
    tints = [*((f"t{n}", name) for n, name in enumerate(names[:-1])), ("bad", names[-1])]
    body = f"""<h1>{_head(scenario, target)}</h1>
{_lead(summaries, target)}
<p>{_what(scenario, summaries, bool(was))}</p>
<h2>Utilisation</h2>
{bars([_bar(one, one.utilisation, one.spread) for one in summaries], 1.0, None, 1)}
<h2>Abandoned live answers</h2>
{bars([_bar(one, one.abandon_rate, one.abandon_spread) for one in summaries], lost_top, target, 2)}
{_over_time(windows, found, calls, waited, hours, most, names, tints) if found else ""}
<h2>Figures</h2>
{_table(summaries, target)}"""
    return _document(f"Santun: {scenario.agents} agents, simulated", body)


def _over_time(
    windows: str,
    found: Sequence[Found],
    calls: Sequence[Series],
    waited: Sequence[Series],
    hours: float,
    most: float,
    names: Sequence[str],
    tints: Sequence[tuple[str, str]],
) -> str:
    keys = legend([(f"c{COLOURS.get(one.name, 0)}", title(one)) for one, _ in found])
    return f"""<h2>The first shift as it went</h2>
<p>The law's windows, each as it would have been read at that moment; above twice the limit a line runs along the top.
</p>
{keys}{windows}
<h2>Calls started per hour</h2>{keys}
{lines(calls, hours, round_up(most), None, False)}
<h2>How long live answers waited for an agent</h2>
{legend(tints)}{stacks(waited, names)}"""


def sweep_page(scenario: Scenario, cells: Sequence[Cell]) -> str:
    """Teams by limits."""
    targets = sorted({cell.target for cell in cells if cell.summary.name == OURS})
    charts, rows = [], []
    for size in sorted({cell.agents for cell in cells}):
        of_size = [cell for cell in cells if cell.agents == size]
        named = [
            (cell, "one call per free agent" if cell.summary.name == BASE else f"Santun, at most {cell.target:.1%}")
            for cell in of_size
        ]
        charts.append(
            f"<h2>{size} agents</h2>"
            + bars(
                [_bar(cell.summary, cell.summary.utilisation, cell.summary.spread, name) for cell, name in named],
                1.0,
                None,
                1,
            )
        )
        rows.append(f"<tr><td>{size}</td>" + "".join(_cell(cell.summary) for cell in of_size) + "</tr>")
    head = "".join(f"<th>at most {target:.1%}</th>" for target in targets)
    body = f"""<h1>Teams and limits: utilisation and abandons</h1>
<p>{_what(scenario, [cell.summary for cell in cells], False)}</p>
<div class="wide"><table><tr><th>agents</th><th>one call per free agent</th>{head}</tr>{"".join(rows)}</table></div>
{"".join(charts)}"""
    return _document("Santun: teams and limits, simulated", body)


def title(one: Summary) -> str:
    """The policy's name for people."""
    if one.name == RECORDED:
        return "as it was, recorded"
    return NAMES.get(one.name, one.name) + (f" ({one.note})" if one.note else "")


def _document(name: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(name)}</title><style>{STYLE}{CLASSES}</style></head><body>
{body}
<footer><p>{NOTES}</p></footer>
</body></html>
"""


def _head(scenario: Scenario, target: float) -> str:
    long = f"{scenario.hours:g} hours" if scenario.hours >= 1 else f"{scenario.hours * 60:.0f} minutes"
    return f"{scenario.agents} agents, {long}, at most {target:.1%} abandoned"


def _lead(summaries: Sequence[Summary], target: float) -> str:
    by_name = {one.name: one for one in summaries}
    ours, other = by_name.get(OURS), by_name.get(RECORDED) or by_name.get(BASE)
    if ours is None or other is None:
        return ""
    than = "as it was" if other.name == RECORDED else "with one call per free agent"
    minutes = 60 * (ours.utilisation - other.utilisation)
    return (
        f'<p class="lead"><strong>{ours.utilisation:.1%}</strong> of the time in talk and wrap-up instead of'
        f" {other.utilisation:.1%} {than}: {abs(minutes):.1f} minutes {'more' if minutes >= 0 else 'less'} per agent"
        f" and hour, at {ours.abandon_rate:.2%} abandoned.</p>"
    )


def _what(scenario: Scenario, summaries: Sequence[Summary], replayed: bool) -> str:
    shifts = max(one.shifts for one in summaries)
    how = (
        "Replayed, not measured: every recorded call with its own fate, the first shift in their order, others"
        " shuffled;"
        if replayed
        else "Simulated, not measured: every way to pace met the same people;"
    )
    return (
        f"{how} {scenario.answer_rate:.0%} of calls answered by a person, {scenario.talk_s:.0f} s of talk and"
        f" {scenario.wrap_s:.0f} s of wrap-up on average, {shifts} shift{'s' * (shifts > 1)}."
    )


def _series(one: Summary, values: Sequence[float | None]) -> Series:
    return Series(NAMES.get(one.name, one.name), COLOURS.get(one.name, 0), values)


def _bar(one: Summary, value: float, spread: float, name: str = "") -> Bar:
    return Bar(
        name or (title(one) if one.name == RECORDED else NAMES.get(one.name, one.name)),
        COLOURS.get(one.name, 0),
        value,
        spread,
    )


def _table(summaries: Sequence[Summary], target: float) -> str:
    names = (
        "pacing", "utilisation", "abandoned", "worst shift", "worst 30 min", "worst 100", "shifts over", "wait",
        "calls an hour", "persons per agent hour", "tries per lead",
    )  # fmt: skip
    head = "".join(f"<th>{name}</th>" for name in names)
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(_row(one, target) for one in summaries)}</table></div>'


def _row(one: Summary, target: float) -> str:
    recorded = one.name == RECORDED
    cells = (
        f"{one.utilisation:.1%}{_small(one.spread, 1)}",
        f"{one.abandon_rate:.2%}{_small(one.abandon_spread, 2)}",
        f"{one.abandon_worst:.2%}",
        f"{one.half_hour_worst:.1%}",
        f"{one.last_100_worst:.0%}",
        "" if recorded else f"{one.over} of {one.shifts}",
        f"{one.wait_s:.2f} s",
        f"{one.calls_per_hour:,.0f}",
        "" if recorded else f"{one.right_party_per_hour:.1f}",
        "" if recorded else f"{one.tries_per_lead:.2f}",
    )
    over = one.abandon_rate > target
    marked = "".join(
        f'<td class="over">{cell}</td>' if n == 1 and over else f"<td>{cell}</td>" for n, cell in enumerate(cells)
    )
    return f'<tr class="{"ours" if one.name == OURS else ""}"><td>{escape(title(one))}</td>{marked}</tr>'


def _cell(one: Summary) -> str:
    over = ' class="over"' if one.over and one.name == OURS else ""
    return (
        f"<td{over}>{one.utilisation:.1%}{_small(one.spread, 1)}<br>"
        f"<small>abandoned {one.abandon_rate:.2%}{_small(one.abandon_spread, 2)}</small></td>"
    )


def _small(spread: float, digits: int) -> str:
    return f" <small>± {100 * spread:.{digits}f}</small>" if isfinite(spread) else ""
