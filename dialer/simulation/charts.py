"""Charts as inline SVG: bars with intervals, lines over a shift, stacked shares. Colours are classes of the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, isfinite, log10

WIDTH = 860
LABEL, ROW = 230, 30
LEFT, BOTTOM = 56, 26


@dataclass(frozen=True, slots=True)
class Series:
    """One policy's line or bar. `colour`: number of its class."""

    name: str
    colour: int
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; `spread` inf: one shift, no interval."""

    name: str
    colour: int
    value: float
    spread: float


def bars(all_bars: Sequence[Bar], top: float, limit: float | None, digits: int) -> str:
    """Horizontal bars of fractions with 95 % intervals; `limit` is a dashed line. What is above `top` is cut off."""
    wide, height = WIDTH - LABEL - 120, ROW * len(all_bars)
    shapes, words = [], []
    for number, one in enumerate(all_bars):
        y, length = number * ROW, wide * min(1.0, one.value / top)
        words.append(f'<text x="{LABEL - 10}" y="{y + 19}" class="end">{escape(one.name)}</text>')
        shapes.append(
            f'<rect x="{LABEL}" y="{y + 6}" width="{length:.1f}" height="18" rx="2" class="fill c{one.colour}"/>'
        )
        said, right = f"{one.value:.{digits}%}", LABEL + length
        if isfinite(one.spread) and one.spread > 0:
            low = LABEL + wide * max(0.0, one.value - one.spread) / top
            right = LABEL + wide * min(1.0, (one.value + one.spread) / top)
            if low < right:
                ends = f"M{low:.1f} {y + 11}v8M{right:.1f} {y + 11}v8"
                shapes.append(f'<path class="whisker" d="M{low:.1f} {y + 15}H{right:.1f}{ends}"/>')
            said += f" ± {one.spread:.{digits}%}"
        if one.value > top:
            shapes.append(f'<path class="cut" d="M{LABEL + wide - 14} {y + 4}l6 22m4 -22l6 22"/>')
        words.append(f'<text x="{max(right, LABEL + length) + 8:.1f}" y="{y + 19}">{said}</text>')
    if limit is not None and limit < top:
        x = LABEL + wide * limit / top
        shapes.append(f'<path class="limit" d="M{x:.1f} 0V{height}"/>')
        words.append(f'<text x="{x:.1f}" y="{height + 14}" class="middle soft">limit {limit:.1%}</text>')
        height += 18
    return _figure([*shapes, *words], height + 2)


def lines(all_series: Sequence[Series], hours: float, top: float, limit: float | None, percent: bool) -> str:
    """Values at equal steps over a shift; a gap where one is None, what is above `top` runs along the top."""
    height = 220
    wide, high = WIDTH - LEFT - 12, height - BOTTOM - 10
    parts = []
    for step in range(5):
        y, mark = 10 + high * (1 - step / 4), top * step / 4
        parts.append(f'<path class="axis" d="M{LEFT} {y:.1f}H{WIDTH - 12}"/>')
        said = f"{mark:.1%}" if percent else f"{mark:,.0f}"
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" class="end soft">{said}</text>')
    for place, said in _moments(hours):
        parts.append(f'<text x="{LEFT + wide * place:.1f}" y="{height - 6}" class="middle soft">{said}</text>')
    if limit is not None:
        y = 10 + high * (1 - limit / top)
        parts.append(f'<path class="limit" d="M{LEFT} {y:.1f}H{WIDTH - 12}"/>')
    for one in all_series:
        path, pen = [], "M"
        for number, value in enumerate(one.values, 1):
            if value is None:
                pen = "M"
                continue
            x, y = LEFT + wide * number / len(one.values), 10 + high * (1 - min(1.0, value / top))
            path.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L"
        parts.append(f'<path class="line c{one.colour}" d="{"".join(path)}"><title>{escape(one.name)}</title></path>')
    return _figure(parts, height)


def round_up(most: float) -> float:
    """A round figure from `most` up, in quarters of which an axis may be labelled."""
    unit = 10.0 ** floor(log10(max(1.0, most)))
    return next(unit * times for times in (1, 1.2, 2, 4, 6, 8, 10) if unit * times >= most)


def _moments(hours: float) -> list[tuple[float, str]]:
    """Where the axis of time is labelled: whole hours, or minutes of a short shift."""
    if hours >= 1.5:
        every = 1 if hours <= 12 else 2
        return [(hour / hours, f"{hour} h") for hour in range(0, int(hours) + 1, every)]
    minutes = hours * 60
    step = next((step for step in (1, 2, 5, 10, 15) if minutes / step <= 10), 30)
    return [(minute / minutes, f"{minute} min") for minute in range(0, int(minutes) + 1, step)]


def stacks(all_series: Sequence[Series], names: Sequence[str]) -> str:
    """Shares that add up to one, each a tint of the policy's colour; the last one is in the warning colour."""
    wide = WIDTH - LABEL - 120
    parts = []
    for number, one in enumerate(all_series):
        x, y = float(LABEL), number * ROW
        parts.append(f'<text x="{LABEL - 10}" y="{y + 19}" class="end">{escape(one.name)}</text>')
        shares = [value or 0.0 for value in one.values]
        for place, (name, share) in enumerate(zip(names, shares, strict=True)):
            last = place == len(names) - 1
            tint = "bad" if last else f"t{place}"
            title = f"<title>{escape(name)}: {share:.1%}</title>"
            place_it = f'x="{x:.1f}" y="{y + 6}" width="{wide * share:.2f}" height="18"'
            parts.append(f'<rect {place_it} class="{tint}">{title}</rect>')
            x += wide * share
        parts.append(f'<text x="{LABEL + wide + 8}" y="{y + 19}">{shares[0]:.0%} at once</text>')
    return _figure(parts, ROW * len(all_series) + 2)


def legend(names: Sequence[tuple[str, str]]) -> str:
    """Class and name of each."""
    keys = (f'<span class="key"><i class="{kind}"></i>{escape(name)}</span>' for kind, name in names)
    return f'<p class="keys">{"".join(keys)}</p>'


def _figure(parts: Sequence[str], height: int) -> str:
    return f'<figure><svg viewBox="0 0 {WIDTH} {height}" role="img">{"".join(parts)}</svg></figure>'
