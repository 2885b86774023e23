"""A debtor's days to come: the law's hours in his zone, the hours that his own past promises."""

import math
from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from dialer.forecast import Forecast
from dialer.lists.outlook import Outlook, outlook, zone_of
from dialer.lists.past import Past
from dialer.model import Number, NumberKind
from tests import packs

PACK = packs.indonesia()
DEBTOR = packs.contact()


def days(contact: object = DEBTOR) -> Outlook:
    return outlook(contact, PACK, packs.CALL_S, Forecast())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "opens"),
    [
        ("2026-11-20 10:15:00", "2026-11-20 10:15:00"),
        ("2026-11-20 07:15:00", "2026-11-20 08:00:00"),
        ("2026-11-20 20:15:00", "2026-11-21 08:00:00"),
        ("2026-11-21 21:00:00", "2026-11-23 08:00:00"),  # Saturday evening
    ],
)
def test_a_minute_outside_the_hours_is_moved_into_them(asked: str, opens: str) -> None:
    assert days().opening(packs.moment(asked)) == packs.moment(opens)


def test_hours_are_those_of_his_zone() -> None:
    papua = replace(DEBTOR, zone="Asia/Jayapura")
    assert days(papua).opening(packs.moment("2026-11-20 07:00:00")) == packs.moment("2026-11-20 07:00:00")
    assert days(papua).zone == ZoneInfo("Asia/Jayapura")
    assert days(replace(DEBTOR, zone="")).zone == ZoneInfo(PACK.zones[0])


def test_who_may_never_be_called_has_no_opening() -> None:
    emergency = replace(DEBTOR, numbers=(Number("+6281", "n", NumberKind.EMERGENCY),))
    assert days(emergency).opening(packs.moment("2026-11-20 10:00:00")) == math.inf
    assert days(replace(DEBTOR, numbers=())).opening(0.0) == math.inf


def test_the_best_hour_is_where_he_has_answered() -> None:
    past = Past()
    for day in range(8):
        for hour in (9, 13, 18):
            past = past.after(
                packs.moment(f"2026-11-0{day + 1} {hour:02d}:00:00"), hour == 18, ZoneInfo("Asia/Jakarta")
            )
    number = replace(packs.NUMBER, past=past.text)
    seen = days()
    assert seen.best_hour(number, [9, 13, 18]) == 18
    evening, morning = packs.moment("2026-11-20 18:30:00"), packs.moment("2026-11-20 09:00:00")
    assert seen.chance(number, evening) > seen.chance(number, morning)


def test_a_zone_that_is_none() -> None:
    assert zone_of("") is None
    assert zone_of("Asia/Atlantis") is None
    assert zone_of("../etc/passwd") is None
    assert Outlook().zone is UTC
