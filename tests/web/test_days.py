"""An agent's day: what counts, from when, and how often it is read."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from dialer.debts.promises import Promise, State
from dialer.web.days import FRESH_S, Day, Days, count, midnight, today

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC).timestamp()


def outcome(attempt: str, agent: str = "1001", ended: str = "2026-11-23T02:00:00.000Z", **more: str) -> dict[str, str]:
    known = {"type": "outcome", "attempt": attempt, "agent": agent, "ended_at": ended, "joined_at": ended}
    return known | {"talk_s": "60.400", "conversation": "1", "person": "p1"} | more


PROMISE = Promise("a1", "april", "c1", "p1", 5, "IDR", date(2026, 11, 23), AT, AT - 900, "1001", State.KEPT, 5, AT - 60)


def test_what_counts() -> None:
    records = today(
        [
            outcome("a1", promise_due="2026-11-25"),
            outcome("a2", conversation="0"),
            outcome("a3", joined_at=""),  # he was reserved, nobody came
            outcome("a4", agent="1002"),
            outcome("a5", ended="2026-11-22T02:00:00.000Z"),
            {"type": "correction", "attempt": "a2", "promise_due": "2026-11-30"},
            {"type": "correction", "attempt": "a5", "promise_due": "2026-11-30"},
        ],
        midnight(AT),
    )
    days = count(
        records, [PROMISE, replace(PROMISE, ended_at=AT - 86_400), replace(PROMISE, state=State.BROKEN)], midnight(AT)
    )
    assert days["1001"] == Day(2, 121, 1, 2, 1)
    assert days["1002"] == Day(1, 60, 1, 0, 0)


def test_the_day_begins_at_midnight() -> None:
    assert 0 <= AT - midnight(AT) < 86_400
    assert midnight(midnight(AT)) == midnight(AT)


class Book:
    """Counts how often it is read."""

    read = 0

    async def tail(self, campaign: str, count: int, stream: str = "outcomes") -> tuple[Any, ...]:
        self.read += 1
        return (("1-0", outcome("a1", promise_due="2026-11-25")),)

    async def promises_of_persons(self, persons: Sequence[str], at: float) -> list[tuple[Promise, ...]]:
        assert persons == ["p1"]
        return [(PROMISE,)]


async def test_it_is_not_read_for_each_desk() -> None:
    book = Book()
    days = Days(book)
    for agent in ("1001", "1002", "1001"):
        await days.of("april", agent, AT)
    assert book.read == 1
    assert (await days.of("april", "1001", AT)).kept == 1
    assert await days.of("april", "1002", AT) == Day()
    await days.of("april", "1001", AT + FRESH_S)
    assert book.read == 2
