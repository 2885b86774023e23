"""`dialer pacing`: what the pacer decided, second by second, with the numbers behind it."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from dialer.adapters.site import OpenSite
from dialer.commands.desk import known, say

Fields = Mapping[str, str]


async def pacing(site: OpenSite, campaign: str, last: int, follow: bool, as_json: bool) -> None:
    """The last entries of the series, and those to come."""
    await known(site, campaign)
    past = await site.store.tail(campaign, last, "pacing") if last else ()
    if not past and not follow:
        say(f"Nothing was decided for {campaign} of late: is it running, and an engine (dialer serve)?")
        return
    if not as_json:
        say(head())
    for _, entry in past:
        say(json.dumps(dict(entry)) if as_json else line(entry))
    if follow:
        async for _, entry in site.store.follow(campaign, past[-1][0] if past else "$", "pacing"):
            say(json.dumps(dict(entry)) if as_json else line(entry))


def head() -> str:
    """The names of the columns, and what they mean where a name is not enough."""
    return " ".join(f"{name:>{width}}" for name, width, _ in COLUMNS) + "  why"


def line(entry: Fields) -> str:
    """One entry; what is not known of it stays empty."""
    return " ".join(f"{show(entry):>{width}}" for _, width, show in COLUMNS) + "  " + entry.get("reason", "")


def _clock(entry: Fields) -> str:
    at = _value(entry, "at")
    try:
        return "" if at is None else f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return ""


def _value(entry: Fields, name: str) -> float | None:
    try:
        return float(entry[name])
    except (KeyError, ValueError):
        return None


def _plain(name: str, form: str = ".0f") -> Callable[[Fields], str]:
    def show(entry: Fields) -> str:
        value = _value(entry, name)
        return "" if value is None else f"{value:{form}}"

    return show


def _pair(first: str, second: str, form: str = ".0f", between: str = "/") -> Callable[[Fields], str]:
    one, other = _plain(first, form), _plain(second, form)

    def show(entry: Fields) -> str:
        shown = one(entry), other(entry)
        return between.join(shown) if all(shown) else ""

    return show


def _gain(entry: Fields) -> str:
    """How far the forecasts are believed, and what they make of the next calls."""
    slope, told, plain = (_value(entry, name) for name in ("forecast_slope", "lives_next", "lives_next_pooled"))
    if slope is None or told is None or plain is None:
        return ""
    return f"{slope:.2f} {told - plain:+.2f}"


COLUMNS: tuple[tuple[str, int, Callable[[Fields], str]], ...] = (
    ("UTC", 8, _clock),
    ("calls", 5, _plain("start")),
    ("ended", 5, _plain("ended")),
    ("free/work", 9, _pair("free", "working")),
    ("flying", 6, _plain("in_flight")),
    ("ring", 4, _plain("ringing")),
    ("wait", 4, _plain("waiting")),
    ("lines", 9, _pair("lines_used", "lines")),
    ("answer", 6, _plain("answer_rate", ".1%")),
    ("soon live/free", 14, _pair("live_soon", "free_soon", ".1f")),
    ("risk/price", 13, _pair("abandon_chance", "price", ".4f")),
    ("abandons", 11, _pair("abandoned", "live", between=" of ")),
    ("left", 5, _plain("budget", ".1f")),
    ("forecast", 11, _gain),
)
