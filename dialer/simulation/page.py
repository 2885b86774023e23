"""What was simulated as one HTML page: charts as inline SVG, nothing loaded from anywhere."""

from collections.abc import Sequence
from html import escape
from math import isfinite

from dialer.simulate import NAMES, OURS, Summary
from dialer.simulation.scenario import Scenario
from dialer.simulation.world import Result

WIDTH, HEIGHT, LEFT, BOTTOM = 860, 300, 60, 30
COLOURS = ("#7a869a", "#b08900", "#a23b72", "#c0562f", "#0b6e4f", "#3b6fb6")
STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #d5dae1; --back: #fff; --good: #0b6e4f }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ebef; --soft: #a4adb9; --line: #3a424d; --back: #14181d; --good: #4cc38a }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 900px;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem } p, figcaption { color: var(--soft) }
figure { margin: 0; overflow-x: auto } svg { width: 100%; min-width: 560px; height: auto }
svg text { fill: var(--ink); font-size: 12px } svg .axis { stroke: var(--line) } svg .limit { stroke-dasharray: 5 4 }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: right; padding: .35rem .6rem; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left } tr.ours { font-weight: 600; color: var(--good) }
.wide { overflow-x: auto }
"""


def page(scenario: Scenario, target: float, found: Sequence[tuple[Summary, Result]]) -> str:
    """The whole page."""
    summaries = [summary for summary, _ in found]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Santun: a simulated shift</title><style>{STYLE}</style></head><body>
<h1>{scenario.agents} agents, {scenario.hours:g} hours, at most {target:.1%} abandoned</h1>
<p>Simulated, not measured: {scenario.answer_rate:.0%} of calls answered by a person, {scenario.talk_s:g} s of talk and
{scenario.wrap_s:g} s of wrap-up on average, {summaries[0].shifts} shifts; every way to pace met the same people.</p>
<h2>Utilisation: talk and wrap-up as a share of the time outside breaks</h2>
{_bars(summaries, [one.utilisation for one in summaries], [one.spread for one in summaries], 1.0, None)}
<h2>Abandoned live answers, mean over the shifts</h2>
{_bars(summaries, [one.abandon_rate for one in summaries], [0.0 for _ in summaries], 0.0, target)}
<h2>The abandon rate as the first shift goes on</h2>
{_lines(scenario, target, found)}
<h2>Figures</h2>
<div class="wide"><table><tr><th>pacing</th><th>utilisation</th><th>±</th><th>abandoned</th><th>worst shift</th>
<th>worst 30 min</th><th>shifts over</th><th>calls per hour</th><th>wait</th></tr>
{"".join(_row(one) for one in summaries)}</table></div>
<p>± is half the 95 % interval of the mean. Hang-ups while waiting count as abandoned. VICIdial's modes are written from
its description, with its default settings. "Knows the future" is a bound that nobody can reach.</p>
</body></html>
"""


def _row(one: Summary) -> str:
    cells = (
        escape(title(one)),
        f"{one.utilisation:.1%}",
        f"{one.spread:.1%}" if isfinite(one.spread) else "",
        f"{one.abandon_rate:.2%}",
        f"{one.abandon_worst:.2%}",
        f"{one.half_hour_worst:.1%}",
        f"{one.over} of {one.shifts}",
        f"{one.calls_per_hour:,.0f}",
        f"{one.wait_s:.2f} s",
    )
    return (
        f'<tr class="{"ours" if one.name == OURS else ""}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    )


def title(one: Summary) -> str:
    """The policy's name for people."""
    return NAMES.get(one.name, one.name) + (f" ({one.note})" if one.note else "")


def _bars(
    summaries: Sequence[Summary], values: Sequence[float], spreads: Sequence[float], most: float, limit: float | None
) -> str:
    top = most or max([*values, 2 * (limit or 0.0)])
    row, left, wide = 30, 250, WIDTH - 330
    parts = []
    for number, (one, value, spread) in enumerate(zip(summaries, values, spreads, strict=True)):
        y, length = number * row, wide * value / top
        parts.append(
            f'<text x="{left - 8}" y="{y + 19}" text-anchor="end">{escape(NAMES.get(one.name, one.name))}</text>'
        )
        parts.append(f'<rect x="{left}" y="{y + 5}" width="{length:.1f}" height="20" fill="{_colour(number)}"/>')
        if isfinite(spread) and spread > 0:
            low, high = left + wide * (value - spread) / top, left + wide * (value + spread) / top
            parts.append(f'<path d="M{low:.1f} {y + 15}H{high:.1f}" stroke="var(--ink)" stroke-width="2"/>')
        parts.append(f'<text x="{left + length + 8:.1f}" y="{y + 19}">{value:.1%}</text>')
    height = row * len(summaries)
    if limit is not None:
        x = left + wide * limit / top
        parts.append(f'<path class="limit" d="M{x:.1f} 0V{height}" stroke="var(--ink)"/>')
    return f'<figure><svg viewBox="0 0 {WIDTH} {height + 4}" role="img">{"".join(parts)}</svg></figure>'


def _lines(scenario: Scenario, target: float, found: Sequence[tuple[Summary, Result]]) -> str:
    top, end = 3 * target, scenario.hours * 3600
    wide, high = WIDTH - LEFT - 10, HEIGHT - BOTTOM - 10

    def point(at: float, rate: float) -> str:
        return f"{LEFT + wide * at / end:.1f},{10 + high * (1 - min(top, rate) / top):.1f}"

    parts = []
    for step in range(4):
        y = 10 + high * (1 - step / 3)
        parts.append(f'<path class="axis" d="M{LEFT} {y:.1f}H{WIDTH - 10}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{target * step:.1%}</text>')
    for hour in range(int(scenario.hours) + 1):
        parts.append(
            f'<text x="{LEFT + wide * hour * 3600 / end:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{hour} h</text>'
        )
    for number, (one, first) in enumerate(found):
        points, live, bad, due = [], 0, 0, 0.0
        for at, abandoned in first.fates:
            live, bad = live + 1, bad + abandoned
            if at >= due and live >= 20:
                points.append(point(at, bad / live))
                due = at + end / 300
        parts.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{_colour(number)}" stroke-width="2">'
            f"<title>{escape(title(one))}</title></polyline>"
        )
    legend = ", ".join(
        f'<span style="color:{_colour(n)}">&#9632;</span> {escape(title(one))}' for n, (one, _) in enumerate(found)
    )
    chart = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>'
    caption = f"{legend}; what is above three times the limit is drawn at the top."
    return f"<figure>{chart}<figcaption>{caption}</figcaption></figure>"


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]
