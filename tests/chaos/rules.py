"""The law of a chaos run: the demo's pack, made stricter so that caps and windows bite."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

CAP = 3  # calls to one person, and to one number, a day
EAST = "Asia/Jayapura"
CLOSED = frozenset({"Papua", ""})  # provinces of the invented debtors: the east, and those of whom nobody knows where
BEFORE, AFTER = timedelta(minutes=30), timedelta(minutes=90)  # the middle of the country is an hour behind the east
RUN_MAX_MIN = 25.0  # then the middle would close as well


def stricter(at: datetime) -> str:
    """A file of stricter rules: where the east's clocks are now, nobody is called. The other zones are open."""
    local = at.astimezone(ZoneInfo(EAST))
    return f"""id = "chaos"
version = "1"

[[quiet]]
source = "None: so that a call outside its hours can be seen."
spans = "{_spans(local - BEFORE, local + AFTER)}"

[[caps]]
of = "person"
count = {CAP}
days = 1
source = "None: low enough to be reached."

[[caps]]
of = "number"
count = {CAP}
days = 1
source = "None: low enough to be reached."
"""


def is_closed(row: Mapping[str, str]) -> bool:
    """Whether nobody may call the debtor of this row during the run."""
    return row["provinsi"] in CLOSED


def _spans(opens: datetime, closes: datetime) -> str:
    first, last = f"{opens:%H:%M}", f"{closes:%H:%M}"
    if first < last:
        return f"{first}-{last}"
    return f"{first}-24:00" if last == "00:00" else f"00:00-{last}, {first}-24:00"
