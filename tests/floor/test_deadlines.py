"""Deadlines against a plain table, and that they leave nothing behind."""

from hypothesis import given
from hypothesis import strategies as st

from dialer.floor.deadlines import Deadlines

OWNERS, NAMES = ["x", "y", "z"], ["join", "wrap"]
SETS = st.tuples(st.sampled_from(NAMES), st.sampled_from(OWNERS), st.floats(0, 100))


@given(st.lists(st.one_of(SETS, st.sampled_from(OWNERS)), max_size=60), st.floats(0, 100))
def test_the_latest_one_counts(steps: list[tuple[str, str, float] | str], at: float) -> None:
    deadlines, table = Deadlines(), dict[tuple[str, str], float]()
    for one in steps:
        if isinstance(one, str):
            deadlines.drop(one)
            table = {key: when for key, when in table.items() if key[1] != one}
        else:
            deadlines.set(*one)
            table[one[0], one[1]] = one[2]
    due = deadlines.due(at)
    assert sorted(due) == sorted(key for key, when in table.items() if when <= at)
    assert [table[key] for key in due] == sorted(table[key] for key in due)
    assert deadlines.due(at) == []
    left = [when for when in table.values() if when > at]
    assert not left or deadlines.next() is not None


def test_a_deadline_set_again_and_again_does_not_pile_up() -> None:
    deadlines = Deadlines()
    for turn in range(10_000):
        deadlines.set("overdue", f"attempt{turn % 50}", 1000.0 + turn)
    assert len(deadlines) < 1000
    for owner in range(50):
        deadlines.drop(f"attempt{owner}")
    assert len(deadlines) == 0
    assert deadlines.next() is None
