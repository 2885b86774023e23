"""The judge of claims finds each kind of wrong call in a trace made for it, and nothing in one that is right."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from tests import packs
from tests.adapters.claims_judge import Law, faults

NOON = packs.moment("2026-11-20 12:00:00")
LAW = Law(packs.toml("indonesia"), frozenset({date(2026, 11, 24)}), 33.0)
HOUR_S, DAY_S = 3600.0, 86_400.0


def call(name: str, at: float, **seen: Any) -> list[dict[str, Any]]:
    """A call from its last look to its end, ten seconds long."""
    who = {"campaign": "one", "contact": "c", "person": "p", "number": "+62811000001", "key": "n", "kind": "debtor"}
    placed = {
        "what": "placed",
        "attempt": name,
        "at": at,
        "zone": "Asia/Jakarta",
        "past": False,
        "mode": "predictive",
        **who,
        **seen,
    }
    return [{"what": "look", "attempts": [name]}, placed, {"what": "ended", "attempt": name, "at": at + 10}]


FIRST = call("first", NOON)
AGAIN = call("again", NOON + 2 * HOUR_S)
ELSEWHERE = call("again", NOON + 2 * HOUR_S, person="q", contact="d")  # another person, the same number
STOP: dict[str, Any] = {"what": "stopped", "persons": ["p"], "numbers": [], "scope": ""}


def talk(**words: str) -> dict[str, dict[str, str]]:
    """The record of the first call."""
    return {"first": {"counted": "1", "conversation": "0", "again": "1", "silent_until": "0.0", **words}}


RIGHT: list[tuple[Sequence[Mapping[str, Any]], Mapping[str, Mapping[str, str]]]] = [
    ([*FIRST, *AGAIN], talk()),
    ([*FIRST, *call("again", NOON + 60)], talk(counted="0")),
    (call("first", packs.moment("2026-11-20 08:00:00")), {}),
    (call("first", packs.moment("2026-11-20 19:58:27")), {}),
    (call("first", packs.moment("2026-11-20 06:00:00"), zone="Asia/Jayapura"), {}),
    ([*FIRST, *call("again", NOON + 10 + DAY_S)], talk(conversation="1")),
    ([*FIRST, *ELSEWHERE], talk(silent_until=repr(NOON + DAY_S))),
    ([FIRST[0], STOP, *FIRST[1:]], {}),
    ([STOP | {"scope": "campaign:two"}, *FIRST], {}),
    ([*FIRST, *call("again", NOON + 6 * DAY_S)], talk()),
    ([*FIRST, *call("again", NOON + 2 * HOUR_S, mode="preview")], talk(abandoned="1")),
    ([*FIRST, *call("again", NOON + 2 * HOUR_S, mode="call_back")], talk(abandoned="1")),
    ([*FIRST, *call("again", NOON + 8 * DAY_S + HOUR_S)], talk(hardship="1", abandoned="1")),
    (call("first", packs.moment("2026-11-22 12:00:00"), past=True), {}),
]
WRONG: list[tuple[str, Sequence[Mapping[str, Any]], Mapping[str, Mapping[str, str]]]] = [
    ("outside the hours", call("first", packs.moment("2026-11-20 07:59:59")), {}),
    ("outside the hours", call("first", packs.moment("2026-11-20 19:58:28")), {}),
    ("outside the hours", call("first", packs.moment("2026-11-22 12:00:00")), {}),
    ("outside the hours", call("first", packs.moment("2026-11-24 12:00:00")), {}),
    ("outside the hours", call("first", packs.moment("2026-11-20 18:30:00"), zone=""), {}),
    ("a zone of another country", call("first", NOON, zone="Europe/Paris"), {}),
    ("a kind of number", call("first", NOON, kind="emergency"), {}),
    ("another country", call("first", NOON, number="+44811000001"), {}),
    ("two calls at once to a person", [*FIRST[:2], *call("again", NOON + 5, key="m", number="+62811000002")], {}),
    ("two calls at once to a number", [*FIRST[:2], *call("again", NOON + 5, person="q")], {}),
    ("2 calls to a person in 3600 s", [*FIRST, *call("again", NOON + 3599.9)], {}),
    ("4 calls to a number", [one for i in range(4) for one in call(f"{i}", NOON + i * HOUR_S, person=f"p{i}")], {}),
    ("after conversation with a person", [*FIRST, *call("again", NOON + 9 + DAY_S)], talk(conversation="1")),
    ("after conversation with a number", [*FIRST, *ELSEWHERE], talk(conversation="1")),
    ("after abandoned with a person", [*FIRST, *call("again", NOON + 71 * HOUR_S)], talk(abandoned="1")),
    ("after abandoned", [*FIRST, *call("again", NOON + 2 * HOUR_S, mode="progressive")], talk(abandoned="1")),
    ("2 calls to a person in 604800 s", [*FIRST, *call("again", NOON + 6 * DAY_S)], talk(hardship="1")),
    ("stopped at", [STOP | {"scope": "campaign:one"}, *FIRST], {}),
    ("silence until", [*FIRST, *AGAIN], talk(silent_until=repr(NOON + DAY_S))),
    ("said never again", [*FIRST, *AGAIN], talk(stop="1")),
    ("said never again", [*FIRST, *ELSEWHERE], talk(wrong_person="1")),
    ("said never again", [*FIRST, *ELSEWHERE], talk(dead="1")),
    ("at rest since", [*FIRST, *AGAIN], talk(again="0")),
    ("stopped at", [STOP, *FIRST], {}),
    ("stopped at", [STOP | {"persons": [], "numbers": ["n"]}, *FIRST], {}),
    ("refused for good at", [{"what": "refused", "campaign": "one", "contact": "c"}, *FIRST], {}),
    ("withdrawn at", [{"what": "withdrawn", "campaign": "", "person": "p"}, *FIRST], {}),
]


@pytest.mark.parametrize(("trace", "records"), RIGHT)
def test_nothing_is_found_in_what_is_right(
    trace: Sequence[Mapping[str, Any]], records: Mapping[str, Mapping[str, str]]
) -> None:
    assert faults(trace, records, LAW) == []


@pytest.mark.parametrize(("says", "trace", "records"), WRONG)
def test_what_is_wrong_is_found(
    says: str, trace: Sequence[Mapping[str, Any]], records: Mapping[str, Mapping[str, str]]
) -> None:
    assert any(says in fault for fault in faults(trace, records, LAW))
