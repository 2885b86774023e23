"""A number's past: answered and tried by part of the day, aged by days, as a value that is kept in a few characters.

`20778 2:1/3 4:0/0.977`: as of day 20778 since the epoch, in the third part of the day (8 to 12 o'clock where the debtor
lives) one of three tries was answered, in the fifth none of one that was half forgotten. Text of anybody's making is
read as far as it makes sense as a whole; what does not is no past.
"""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Self

PARTS = 6  # stretches of the day, each with counts of its own
HALF_LIFE_DAYS = 60.0
DAY_S = 86400.0
TRIED_MOST = 999.0  # of one part: beyond it both counts are scaled down
UNDATED = 0  # nothing is aged
CELL_MOST = 40
_DAYS = 99_999
_LEAST = 0.001  # what the text cannot hold is forgotten
_TEXT_MOST = 160
_NOTHING = (0.0,) * (2 * PARTS)
_HEAD = re.compile(r"[0-9]{1,5}")
_CELL = re.compile(r"([0-5]):([0-9]{1,3}(?:\.[0-9]{1,3})?)/([0-9]{1,3}(?:\.[0-9]{1,3})?)")


@dataclass(frozen=True, slots=True)
class Past:
    """`counts`: answered, tried, answered, ... by part of the day, as of `day` (since the epoch, UTC)."""

    day: int = UNDATED
    counts: tuple[float, ...] = _NOTHING

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `text` says, or an empty past."""
        head, *cells = text.split(" ") if len(text) <= _TEXT_MOST else [""]
        if not _HEAD.fullmatch(head):
            return cls()
        counts = list(_NOTHING)
        for cell in cells:
            found = _CELL.fullmatch(cell)
            if found is None:
                return cls()
            part, answered, tried = 2 * int(found[1]), float(found[2]), float(found[3])
            if not tried or counts[part + 1] or answered > tried:
                return cls()
            counts[part], counts[part + 1] = answered, tried
        return cls(int(head), tuple(counts))

    @property
    def text(self) -> str:
        """Empty: nothing is known."""
        cells = [
            f" {part}:{_short(self.counts[2 * part])}/{_short(self.counts[2 * part + 1])}"
            for part in range(PARTS)
            if self.counts[2 * part + 1] >= _LEAST
        ]
        return f"{self.day}{''.join(cells)}" if cells else ""

    @property
    def answered(self) -> float:
        """All parts together."""
        return sum(self.counts[0::2])

    @property
    def tried(self) -> float:
        """All parts together."""
        return sum(self.counts[1::2])

    @property
    def cell(self) -> tuple[int, int]:
        """(answered, tried) in whole tries, for a histogram of numbers."""
        tried = min(CELL_MOST, round(self.tried))
        return min(round(self.answered), tried), tried

    def aged(self, day: int) -> Self:
        """As it counts on a later day; what is undated does not age."""
        if self.day == UNDATED or day <= self.day:
            return self
        keep = 0.5 ** ((day - self.day) / HALF_LIFE_DAYS)
        return type(self)(day, tuple(keep * count for count in self.counts))

    def after(self, at: float, answered: bool, zone: tzinfo) -> Self:
        """With one call more, that began at `at` (epoch seconds) where the debtor's clock is `zone`'s."""
        return self.then(day_of(at), hour_of(at, zone), answered)

    def then(self, day: int, hour: int, answered: bool) -> Self:
        """With one call more, in this hour (0..23) of the debtor's day."""
        aged = self.aged(day)
        counts = list(aged.counts)
        add(counts, hour, answered, 1.0)
        return type(self)(max(day, aged.day), tuple(counts))


def add(counts: list[float], hour: int, answered: bool, weight: float) -> None:
    """One call into the counts of its part of the day."""
    part = 2 * (hour * PARTS // 24)
    counts[part] += weight * answered
    counts[part + 1] += weight
    if counts[part + 1] > TRIED_MOST:
        counts[part] *= TRIED_MOST / counts[part + 1]
        counts[part + 1] = TRIED_MOST


def day_of(at: float) -> int:
    """Days since the epoch, UTC; UNDATED for what is no time."""
    return int(at // DAY_S) if 0.0 <= at < (_DAYS + 1) * DAY_S else UNDATED


def hour_of(at: float, zone: tzinfo) -> int:
    """0..23 on the clock of `zone`; 0 for what is no time."""
    try:
        return datetime.fromtimestamp(at, zone).hour
    except (ValueError, OverflowError, OSError):
        return 0


def _short(count: float) -> str:
    return f"{count:.3f}".rstrip("0").rstrip(".")
