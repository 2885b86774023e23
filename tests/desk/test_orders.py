"""What an agent's word about a talk does: a call-back needs a minute that can be made out."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from dialer.calls import evolve
from dialer.desk import orders
from dialer.model import Command
from dialer.outcomes import unclear, verdict
from tests.floor.test_floor import CAMPAIGN, T0, Play, hung_up

LOCAL = datetime.fromtimestamp(T0, ZoneInfo("Asia/Jakarta"))
SOON = LOCAL.replace(hour=LOCAL.hour + 2, minute=15, second=0, microsecond=0)


def talking(zone: str = "Asia/Jakarta") -> Play:
    floor = Play(replace(CAMPAIGN))
    floor.agent("101")
    floor.answer("a")
    floor.join("a")
    floor.floor.books.put(evolve(floor.call("a"), zone=zone))
    return floor


@pytest.mark.parametrize("word", ["callback", "call_back", "CALL-BACK"])
def test_a_minute_on_the_debtors_clock_is_taken(word: str) -> None:
    floor = talking()
    ok, text = floor.order("disposition", "101", disposition=f"{word}:{SOON:%Y-%m-%dT%H:%M}")
    assert (ok, text) == (True, "noted")
    assert verdict(floor.call("a"), (), CAMPAIGN, T0).callback_at == SOON.timestamp()


@pytest.mark.parametrize(
    ("zone", "value", "says"),
    [
        ("Asia/Jakarta", "soon", "is no time: use one like 2026-11-23T10:15 on the debtor's clock"),
        ("", f"{SOON:%Y-%m-%dT%H:%M}", "with its zone, as +07:00, for the debtor's is not known"),
        ("Asia/Jakarta", "2020-01-01T10:00", "is past"),
        ("Asia/Jakarta", "2029-01-01T10:00", "is more than a year ahead"),
    ],
)
@pytest.mark.parametrize("name", ["disposition", "wrapped"])
def test_a_minute_that_cannot_be_is_refused_while_it_can_be_mended(zone: str, value: str, says: str, name: str) -> None:
    floor = talking(zone)
    ok, text = floor.order(name, "101", disposition=f"callback:{value}")
    assert not ok
    assert says in text
    assert floor.call("a").disposition == ""


def test_with_a_zone_it_is_clear_everywhere() -> None:
    floor = talking("")
    assert floor.order("disposition", "101", disposition=f"callback:{SOON.isoformat()}")[0]


@pytest.mark.parametrize("word", ["", "callback", "promise:2026-12-01", "anything: at all"])
def test_nothing_else_needs_a_minute(word: str) -> None:
    assert unclear(word, "", T0) == ""


def test_who_has_paid_is_not_called_and_a_talk_goes_on() -> None:
    floor = Play(CAMPAIGN)
    floor.agent("101")
    floor.answer("talks")
    floor.join("talks")
    floor.ring("rings")
    floor.ring("another")
    for name, person in (("talks", "p1"), ("rings", "p1"), ("another", "p2")):
        floor.floor.books.put(evolve(floor.call(name), person=person))

    def paid(person: str) -> tuple[bool, str, list[str]]:
        ok, text, actions = orders.obey(floor.floor, Command("1", "c", "paid", "t", T0, T0, {"person": person}), T0)
        return ok, text, hung_up(actions)

    assert paid("p1") == (True, "hanging up", ["rings"])
    assert floor.call("rings").cancelled == "paid"
    assert paid("p3") == (True, "not called now", [])
    assert paid("") == (True, "not called now", [])
    floor.floor.books.put(evolve(floor.call("talks"), person="p4"))
    assert paid("p4") == (True, "in a call", [])
